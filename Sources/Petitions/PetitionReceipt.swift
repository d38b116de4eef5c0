import Bytes
import Documents
import TransparencyLog
import Witnessing

/// A receipt that was checked: the entry is in the log of an aggregator, under a checkpoint that has whatever the
/// petition asks of its witnesses.
public struct PetitionReceipt: Sendable {
    /// The receipt.
    public let proof: LogProof
    /// The checkpoint in it.
    public let checkpoint: Checkpoint
    /// When a quorum of the petition's witnesses had cosigned that, in seconds since 1970; nil without a policy.
    public let quorumTime: UInt64?
    /// The witnesses that cosigned it, by the names of their keys.
    public let witnesses: [String]
    /// True if the quorum came after the petition had closed: then nobody can tell that the entry was there in time,
    /// and it does not count.
    public let isLate: Bool

    /// When a quorum had seen the entry, and which witnesses did; nil without a policy.
    public var seen: (at: UTCTime, witnesses: [String])? {
        quorumTime.map { (UTCTime(seconds: Int64(clamping: $0)), witnesses) }
    }

    /// Checks a receipt for `entry` by the aggregator with this index in the manifest. `now` is in seconds since 1970.
    public init(
        _ proof: LogProof, entry: [UInt8], petition: PetitionManifest, aggregator: Int, now: UInt64
    ) throws(WitnessedProofError) {
        let (leaf, key) = (MerkleHash.leaf(entry), petition.logKey(aggregator: aggregator))
        self.proof = proof
        guard let policy = petition.witnesses else {
            do { checkpoint = try proof.verify(leaf: leaf, key: key) } catch { throw .proof(error) }
            (quorumTime, witnesses, isLate) = (nil, [], false)
            return
        }
        let head = try WitnessedProof(proof, leaf: leaf, key: key, policy: policy, now: now).head
        checkpoint = head.checkpoint
        quorumTime = head.quorumTime
        witnesses = head.cosignatures.map { $0.key.name }
        isLate = ClosingEvidence.isLate(head.quorumTime, for: petition)
    }
}
