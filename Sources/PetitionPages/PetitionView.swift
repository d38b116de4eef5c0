import Messages
import Petitions
import TransparencyLog

/// What pages show of a petition: what it says, and what its aggregator published at one moment.
public struct PetitionView: Sendable {
    /// The signed petition.
    public let manifest: PetitionManifest
    /// Where it is published: `P`.
    public let address: ServiceURL
    /// The key of its log.
    public let logKey: VerifierKey
    /// The counts.
    public let tally: PublishedTally
    /// When the checkpoint of these counts was signed.
    public let checkpointTime: UTCTime
    /// Not open yet, open or closed.
    public let status: PetitionManifest.Status
    /// How the count grew.
    public let history: GrowthHistory

    /// A view of one moment.
    public init(
        manifest: PetitionManifest, address: ServiceURL, logKey: VerifierKey, tally: PublishedTally,
        checkpointTime: UTCTime, status: PetitionManifest.Status, history: GrowthHistory
    ) {
        self.manifest = manifest
        self.address = address
        self.logKey = logKey
        self.tally = tally
        self.checkpointTime = checkpointTime
        self.status = status
        self.history = history
    }

    /// The language in which the page speaks unless told otherwise: the petition's, if the interface has it.
    public var language: Language { Language(tag: manifest.text.language) ?? .english }
}

extension PetitionID {
    /// The beginning of the id, 16 hexadecimal digits, by which a short url names a petition among those of one aggregator.
    public var shortForm: String { String(hex.prefix(16)) }

    /// Hexadecimal digits of a fingerprint: 128 bits of the id. With fewer, whoever starts petitions could make two that share
    /// one, by trying 2^(bits / 2) of them.
    private static let fingerprintDigits = 32

    /// The beginning of the id in groups of four, for people to compare.
    public var fingerprint: String {
        let digits = Array(hex.prefix(Self.fingerprintDigits))
        return stride(from: 0, to: digits.count, by: 4).map { String(digits[$0..<$0 + 4]) }.joined(separator: " ")
    }
}
