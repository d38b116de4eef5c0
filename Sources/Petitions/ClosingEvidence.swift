import Bytes
import Documents
import TransparencyLog
import Witnessing

/// What witnesses said of a petition log at or before the petition closed, and what follows from it: which entries are
/// proven to be in time (`Protocol/counting.md`, "Closing time").
///
/// Any signed checkpoint of the log may serve, wherever it comes from: the closing note, a receipt, what a witness
/// shows. More of them can only make more entries timely, or prove that the log contradicts itself.
public struct ClosingEvidence: Sendable {
    /// A checkpoint that the log's key signed.
    public struct Head: Sendable {
        /// The checkpoint.
        public let checkpoint: Checkpoint
        /// Where it was found, in words.
        public let place: String
        /// The witnesses that cosigned it at or before the closing time.
        fileprivate let inTime: [WitnessKey]
    }

    private let key: VerifierKey
    private let policy: WitnessPolicy
    private let petition: PetitionManifest
    private let now: UInt64
    /// Every checkpoint that was found.
    public private(set) var heads: [Head] = []

    /// No evidence yet, for the log with this index in the manifest, under the petition's policy. `now` is in seconds
    /// since 1970.
    public init(_ petition: PetitionManifest, aggregator: Int, under policy: WitnessPolicy, now: UInt64) {
        (self.petition, self.policy, self.now) = (petition, policy, now)
        key = petition.logKey(aggregator: aggregator)
    }

    /// True for a time, in seconds since 1970, after the petition closed.
    public static func isLate(_ time: UInt64, for petition: PetitionManifest) -> Bool {
        Int64(clamping: time) > petition.text.closes.seconds
    }

    /// Takes a signed checkpoint. False, and nothing is taken, if it is not one of this log, or if a line of one of the
    /// witnesses does not verify.
    public mutating func add(_ note: [UInt8], from place: String) -> Bool {
        guard let checkpoint = try? Checkpoint(verifying: note, key: key),
            let lines = try? SignedNote(parsing: note).cosignatures(by: policy.keys)
        else { return false }
        let inTime = lines.filter { $0.counts(at: now) && !Self.isLate($0.time, for: petition) }
        heads.append(Head(checkpoint: checkpoint, place: place, inTime: inTime.map { $0.key }))
        return true
    }

    /// The sizes at which the log's roots must be known for ``contradictions(to:)``.
    public var sizes: Set<UInt64> { Set(heads.map { $0.checkpoint.size }) }

    /// The least size that the log had when the petition closed, by those checkpoints that have at most `limit`
    /// entries: the largest size that a quorum had reached. Nil if no quorum had cosigned anything.
    public func closingSize(upTo limit: UInt64) -> UInt64? {
        var reached: [WitnessKey: UInt64] = [:]
        for head in heads where head.checkpoint.size <= limit {
            for witness in head.inTime { reached[witness] = max(reached[witness] ?? 0, head.checkpoint.size) }
        }
        return policy.firstQuorum(reached, by: >)
    }

    /// Checkpoints that the log's key signed and that the log, as it was read, does not continue. Each proves that the
    /// key signed two logs. Those with more entries than were read prove nothing.
    public func contradictions(to tree: (UInt64) -> Bytes32?) -> [Head] {
        heads.filter { head in
            guard let root = tree(head.checkpoint.size) else { return false }
            return root != head.checkpoint.root
        }
    }
}
