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

    /// The newest contradiction that this wallet saw, as a file for others to check. Whoever showed it may recognise by
    /// it whom it was shown to.
    public func evidence() throws -> [UInt8] {
        guard let stored = try readBeside(suffix: Self.evidenceSuffix),
            let evidence = try? JSONDecoder().decode(Evidence.self, from: Data(stored))
        else { throw SignerError.noEvidence }
        return Array(evidence.json.utf8)
    }

    /// Keeps a contradiction, in place of the one before. It has a file of its own: about a large log it is larger than
    /// any wallet, which is written again with every change.
    func keep(_ evidence: Evidence) {
        // A full disk must not hide the contradiction itself.
        try? writeBeside([UInt8](JSONEncoder().encode(evidence)), suffix: Self.evidenceSuffix)
    }

    /// Remembers that `key` signed what cannot both be true: whoever holds it is not believed again without asking.
    func rememberContradiction(of key: Ed25519PublicKey, _ what: String, at now: UTCTime) {
        contents.contradictions[Base64.encode(key.bytes.array)] = .init(what: what, at: now.seconds)
        try? save()
    }

    /// What was remembered of these keys, as a person is asked about it.
    func contradictions(of keys: [Ed25519PublicKey]) -> [SignerRisk] {
        Set(keys).compactMap { contents.contradictions[Base64.encode($0.bytes.array)] }.map {
            .seenContradiction(what: $0.what, at: UTCTime(seconds: $0.at))
        }
    }
}
