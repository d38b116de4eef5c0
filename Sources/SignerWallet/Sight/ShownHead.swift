import Bytes
import LogReading
import Documents
import Petitions
import TransparencyLog
import Witnessing

/// The signed head of a log as it is shown now, with what is known of the log.
struct ShownHead: Sendable {
    let checkpoint: Checkpoint
    /// The signed checkpoint as published.
    let note: [UInt8]
    /// What the wallet saw of the log before, the oldest first.
    let seen: [SeenLog]
    /// That, and what witnesses vouch for.
    let known: [SeenLog]

    func stored(_ end: LogSkeleton.Point, at now: UTCTime) -> WalletContents.Head {
        .init(note: note, at: now.seconds, fullTiles: end.fullTiles.array)
    }
}

/// A head of a log that a quorum of witnesses cosigned: everybody who asks them is shown the same one.
struct WitnessedHead: Sendable {
    /// The log's key.
    let key: VerifierKey
    /// The head, as if it had been seen now.
    let head: SeenLog
    /// The names of the witnesses.
    let witnesses: [String]

    init(_ proof: WitnessedProof, at now: UTCTime) {
        let checkpoint = proof.head.checkpoint
        key = proof.key
        head = SeenLog(checkpoint: checkpoint, note: proof.proof.checkpoint, at: now)
        witnesses = proof.head.cosignatures.map { $0.key.name }
    }
}

/// Checks whether a log that is read from its beginning continues what is known of it. Keeps the leaf hashes, as
/// evidence, only if something is known: 32 bytes per entry, for no more entries than the log's bounds allow.
struct SeenContinuation {
    private let known: [SeenLog]
    private let isNeeded: Bool
    private let largest: UInt64
    private var tree: TreeWithRoots
    private(set) var leaves: [Bytes32] = []

    /// A continuation of what is `known`, which is also asked about a `disputed` head.
    init(_ known: [SeenLog], disputed: SeenLog? = nil) {
        self.known = known
        isNeeded = !known.isEmpty || disputed != nil
        let sizes = Set((known + (disputed.map { [$0] } ?? [])).map { $0.checkpoint.size })
        largest = sizes.max() ?? 0
        tree = TreeWithRoots(sizes: sizes)
    }

    /// What the log, read to its end, does not continue; nil if it continues everything.
    var broken: SeenLog? {
        known.first { $0.checkpoint.size > 0 && !tree.continues($0.checkpoint) }
    }

    /// True if the log, read to its end, had another root at the size of `disputed`.
    func contradicts(_ disputed: SeenLog) -> Bool {
        disputed.checkpoint.size <= UInt64(leaves.count) && !tree.continues(disputed.checkpoint)
    }

    mutating func append(_ leaf: Bytes32) {
        guard isNeeded else { return }
        leaves.append(leaf)
        if tree.size < largest { tree.append(leaf) }
    }
}
