import Bytes
import Foundation
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

/// Two statements under one key that cannot both be true (`Protocol/log.md`, "Evidence").
struct Evidence: Codable {
    static let format = "roundrobin-evidence/v1"

    /// What is shown, in words.
    let what: String
    /// The signed note that the wallet remembered.
    let seen: Data
    /// The signed note that was shown now.
    let shown: Data
    /// For a log: the leaf hashes of all entries that were shown, 32 bytes each. Empty where the notes alone
    /// contradict.
    let leaves: Data

    /// The file: one JSON object.
    var json: String {
        let hashes = stride(from: 0, to: leaves.count, by: Bytes32.count).map { start in
            JSONValue.string(Base64.encode([UInt8](leaves[leaves.startIndex + start..<leaves.startIndex + start + 32])))
        }
        return JSONValue.object([
            ("format", .string(Self.format)), ("what", .string(what)),
            ("seen", .string(String(decoding: seen, as: UTF8.self))),
            ("shown", .string(String(decoding: shown, as: UTF8.self))), ("leaves", .array(hashes)),
        ]).text(isPretty: true) + "\n"
    }
}

extension Wallet {
    static let evidenceSuffix = ".evidence"

    /// The newest contradiction that this wallet saw, as a file for others to check, and what it shows in words. Whoever
    /// showed it may recognise by it whom it was shown to.
    public func evidence() throws -> (file: [UInt8], what: String) {
        guard let stored = try readBeside(suffix: Self.evidenceSuffix),
            let evidence = try? JSONDecoder().decode(Evidence.self, from: Data(stored))
        else { throw SignerError.noEvidence }
        return (Array(evidence.json.utf8), evidence.what)
    }

    /// Keeps a contradiction, in place of the one before. It has a file of its own: about a large log it is larger than
    /// any wallet, which is written again with every change.
    func keep(_ evidence: Evidence) throws {
        try writeBeside([UInt8](JSONEncoder().encode(evidence)), suffix: Self.evidenceSuffix)
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
