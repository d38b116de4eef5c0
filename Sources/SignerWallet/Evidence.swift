import Bytes
import Documents
import Petitions
import Sodium
import TransparencyLog

/// How a log differs from what a wallet saw of it.
public struct LogBreak: Error, Equatable, Sendable {
    /// The log's origin.
    public let log: String
    /// How many entries were seen.
    public let seenSize: UInt64
    /// The root that was seen.
    public let seenRoot: Bytes32
    /// When it was seen.
    public let seenAt: UTCTime
    /// How many entries are shown now.
    public let shownSize: UInt64
    /// True if both heads together with the entries are kept as evidence; false if the entries were not read.
    public let hasEvidence: Bool

    /// True when fewer entries are shown than before: an old state, or a log that was cut. That alone is not a
    /// contradiction.
    public var isShorter: Bool { shownSize < seenSize }

    /// True when the log that is shown is too long for evidence: nobody could read it.
    public var isTooLong: Bool { shownSize > UInt64(Evidence.mostLeaves) }
}

extension Wallet {
    /// What follows the name of the wallet's file in that of the evidence beside it.
    public static let evidenceSuffix = ".evidence"

    /// The newest contradiction that this wallet saw and can prove, for others to check. From it, the party that showed
    /// it may recognise whom it was shown to. `unproven` has the logs of newer ones whose proof needs their entries.
    public func evidence() throws(SignerError) -> (bytes: [UInt8], unproven: [String]) {
        let unproven = contents.seen.filter { $0.value.disputed != nil }.keys.map {
            String($0.prefix { $0 != "+" })
        }
        if let stored = try readBeside(suffix: Self.evidenceSuffix) { return (stored, unproven.sorted()) }
        throw unproven.isEmpty ? SignerError.noEvidence : SignerError.evidenceIncomplete(logs: unproven.sorted())
    }

    /// Stores a contradiction in place of the previous one. It has its own file: for a large log it is larger than any
    /// wallet, and the wallet is rewritten with every change.
    func keep(_ evidence: Evidence) throws(SignerError) {
        try writeBeside(Array(evidence.json.utf8), suffix: Self.evidenceSuffix)
    }

    /// Records something odd that the coordinator with this key showed: it is not trusted again without asking.
    func rememberOddity(of key: Ed25519PublicKey, _ what: SignerOddity, at now: UTCTime) throws(SignerError) {
        let name = Base64.encode(key.bytes.array)
        guard what.isContradiction || contents.oddities[name]?.what.isContradiction != true else { return }
        contents.oddities[name] = .init(what: what, at: now.seconds)
        try save()
    }

    /// What was recorded about these keys, as risks to ask the person about.
    func oddities(of keys: [Ed25519PublicKey]) -> [SignerRisk] {
        Set(keys).compactMap { contents.oddities[Base64.encode($0.bytes.array)] }.map { oddity in
            let at = UTCTime(seconds: oddity.at)
            return oddity.what.isContradiction
                ? .seenContradiction(what: oddity.what, at: at) : .seenOlderLog(what: oddity.what, at: at)
        }
    }

    /// Forgets old states recorded for these keys, after the person was asked about them.
    func forgetOldStates(of keys: [Ed25519PublicKey]) {
        for name in keys.map({ Base64.encode($0.bytes.array) })
        where contents.oddities[name]?.what.isContradiction == false {
            contents.oddities[name] = nil
        }
    }
}
