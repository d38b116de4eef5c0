import Documents
import Messages
import PageParts
import Petitions
import TransparencyLog

/// What pages show of a petition: its text, and what its aggregator published at one moment.
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
    /// Whether the petition is not open yet, open or closed.
    public let status: PetitionManifest.Status
    /// How the count grew.
    public let history: GrowthHistory
    /// Since when signatures wait for the witnesses of the petition's policy; nil if none does.
    public let waitsSince: UTCTime?

    /// A view of one moment.
    public init(
        manifest: PetitionManifest, address: ServiceURL, logKey: VerifierKey, tally: PublishedTally,
        checkpointTime: UTCTime, status: PetitionManifest.Status, history: GrowthHistory,
        waitsSince: UTCTime? = nil
    ) {
        self.manifest = manifest
        self.address = address
        self.logKey = logKey
        self.tally = tally
        self.checkpointTime = checkpointTime
        self.status = status
        self.history = history
        self.waitsSince = waitsSince
    }

    /// The default language of the page: the petition's, if the interface has it, otherwise English.
    public var language: Language { Language(tag: manifest.text.language) ?? .english }
}
