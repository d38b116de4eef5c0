import Bytes
import Documents
import FoundationEssentials
import Petitions
import Sodium
import TransparencyLog

/// How a log differs from what a wallet saw of it.
public struct LogBreak: Error, Equatable, Sendable {
    /// The log's origin.
    public let log: String
    /// What was seen: how many entries, and when.
    public let seenSize: UInt64
    /// The root that was seen.
    public let seenRoot: Bytes32
    /// When it was seen.
    public let seenAt: UTCTime
    /// How many entries are shown now.
    public let shownSize: UInt64

    /// True when fewer entries are shown than before: an old state, or a log that was cut. That alone is no
    /// contradiction.
    public var isShorter: Bool { shownSize < seenSize }
}

extension Wallet {
    static let evidenceSuffix = ".evidence"

    /// The newest contradiction that this wallet saw, for others to check. Whoever showed it may recognise by it whom
    /// it was shown to.
    public func evidence() throws -> [UInt8] {
        guard let stored = try readBeside(suffix: Self.evidenceSuffix) else { throw SignerError.noEvidence }
        return stored
    }

    /// Keeps a contradiction, in place of the one before. It has a file of its own: about a large log it is larger than
    /// any wallet, which is written again with every change.
    func keep(_ evidence: Evidence) throws {
        try writeBeside(Array(evidence.json.utf8), suffix: Self.evidenceSuffix)
    }

    /// Remembers what the coordinator with this key showed: it is not believed again without asking.
    func rememberOddity(of key: Ed25519PublicKey, _ what: String, isContradiction: Bool, at now: UTCTime) throws {
        let name = Base64.encode(key.bytes.array)
        guard isContradiction || contents.oddities[name]?.isContradiction != true else { return }
        contents.oddities[name] = .init(what: what, at: now.seconds, isContradiction: isContradiction)
        try save()
    }

    /// What was remembered of these keys, as a person is asked about it.
    func oddities(of keys: [Ed25519PublicKey]) -> [SignerRisk] {
        Set(keys).compactMap { contents.oddities[Base64.encode($0.bytes.array)] }.map { oddity in
            let at = UTCTime(seconds: oddity.at)
            return oddity.isContradiction
                ? .seenContradiction(what: oddity.what, at: at) : .seenOlderLog(what: oddity.what, at: at)
        }
    }

    /// Forgets old states of these keys, which were asked about.
    func forgetOldStates(of keys: [Ed25519PublicKey]) {
        for name in keys.map({ Base64.encode($0.bytes.array) })
        where contents.oddities[name]?.isContradiction == false {
            contents.oddities[name] = nil
        }
    }
}
