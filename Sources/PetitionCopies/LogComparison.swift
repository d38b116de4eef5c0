import Bytes
import LogReading
import Petitions
import TransparencyLog

/// How a log that was read differs from a head of it that is kept elsewhere.
struct LogDifference {
    /// The log.
    let log: VerifierKey
    /// The size of that head.
    let size: UInt64
    /// The proof that both cannot be true, as a file; nil for a log that only has fewer entries, and for a log that is
    /// too long for such a file.
    let evidence: [UInt8]?
    /// True when both cannot be true.
    let isContradiction: Bool

    /// The contradiction to report, if both cannot be true.
    var contradiction: PetitionCopy.Contradiction? {
        isContradiction ? .init(log: log.name, hasEvidence: evidence != nil) : nil
    }
    /// The difference as a reason not to take the log.
    var problem: CopyError { .log(location: log.name, .notAnExtension(seenSize: size)) }
}

/// Compares a log, while it is read, with known roots of it.
struct LogComparison {
    /// The longest log for which evidence is written: 12 MB.
    private static let longestEvidence: UInt64 = 1 << 18

    private let key: VerifierKey
    private let fixed: [UInt64: Bytes32]
    private let known: [(checkpoint: Checkpoint, note: [UInt8])]
    private var tree: TreeWithRoots
    private var leaves: [Bytes32] = []

    /// A comparison with the roots in `fixed` and the signed heads in `known`.
    init(_ key: VerifierKey, fixed: [UInt64: Bytes32], known: [(checkpoint: Checkpoint, note: [UInt8])]) {
        self.key = key
        self.fixed = fixed
        self.known = known
        tree = TreeWithRoots(sizes: Set(fixed.keys).union(known.map(\.checkpoint.size)))
    }

    mutating func append(_ more: LeafHashes) {
        let room = Self.longestEvidence - min(Self.longestEvidence, tree.size)
        tree.append(more)
        if !known.isEmpty { leaves += more.prefix(Int(room)) }
    }

    /// The smallest size at which the log does not have the fixed root.
    var brokenSize: UInt64? { fixed.filter { !tree.had($0.value, at: $0.key) }.keys.min() }

    /// Every known head that the log, read to its end at `head`, does not continue.
    func differences(from head: (checkpoint: Checkpoint, note: [UInt8])) -> [LogDifference] {
        known.compactMap { other in
            let size = other.checkpoint.size
            guard !tree.continues(other.checkpoint) else { return nil }
            guard size <= head.checkpoint.size else {
                return LogDifference(log: key, size: size, evidence: nil, isContradiction: false)
            }
            let isSameSize = size == head.checkpoint.size
            guard isSameSize || head.checkpoint.size <= Self.longestEvidence else {
                return LogDifference(log: key, size: size, evidence: nil, isContradiction: true)
            }
            let evidence = Evidence(
                what: "Of the log \(key.name) two heads were signed that contradict each other.", seen: other.note,
                shown: head.note, leaves: isSameSize ? [] : leaves)
            return LogDifference(
                log: key, size: size, evidence: Array(evidence.json.utf8), isContradiction: true)
        }
    }
}
