import Bytes
import TransparencyLog

/// Why a signed checkpoint does not have what a policy asks for.
public enum CosigningError: Error, Equatable, Sendable {
    /// It is no checkpoint of the log, or a line of one of the witnesses does not verify.
    case checkpoint(CheckpointError)
    /// The witnesses that cosigned it, by the names of their keys, are no quorum.
    case noQuorum(cosignedBy: [String])
    /// A quorum has cosigned it at a time that is still to come, by the reader's clock: one of the clocks is wrong.
    case ahead
    /// No quorum can be checked here: the policy needs keys of another type than Ed25519.
    case uncheckable
    /// No quorum has cosigned it again since this time, in seconds since 1970.
    case stale(since: UInt64)
}

/// A checkpoint that its log signed and that a quorum of witnesses cosigned. There is no other way to get one than by
/// checking.
public struct CosignedCheckpoint: Sendable {
    /// The checkpoint.
    public let checkpoint: Checkpoint
    /// The witnesses' statements: of each one, the earliest.
    public let cosignatures: [Cosignature]
    /// When a quorum had cosigned it, in seconds since 1970.
    public let quorumTime: UInt64
    /// Since when no quorum has cosigned it again: the latest time at or after which a quorum cosigned it.
    public let newestQuorumTime: UInt64

    /// Checks a note: the signature of `key`, every line of the policy's witnesses, and the quorum. Lines that are
    /// ahead of `now` (seconds since 1970) by more than ``Cosignature/clockTolerance`` count as absent.
    public init(
        verifying note: [UInt8], key: VerifierKey, policy: WitnessPolicy, now: UInt64
    ) throws(CosigningError) {
        do { checkpoint = try Checkpoint(verifying: note, key: key) } catch { throw .checkpoint(error) }
        guard policy.canBeChecked else { throw .uncheckable }
        let lines: [Cosignature]
        do { lines = try SignedNote(parsing: note).cosignatures(by: policy.keys) } catch {
            throw .checkpoint(.note(error))
        }
        cosignatures = lines.filter { $0.counts(at: now) }
        guard let time = policy.quorumTime(cosignatures), let newest = policy.newestQuorumTime(cosignatures) else {
            if policy.quorumTime(lines) != nil { throw .ahead }
            throw .noQuorum(cosignedBy: cosignatures.map { $0.key.name })
        }
        (quorumTime, newestQuorumTime) = (time, newest)
    }
}

/// Why bytes are not the proof that is asked for.
public enum WitnessedProofError: Error, Equatable, Sendable {
    /// They do not prove that the entry is in the log.
    case proof(LogProofError)
    /// The checkpoint does not have the quorum.
    case witnesses(CosigningError)
}

/// A proof that an entry is in a log, under a checkpoint with the quorum of a policy.
public struct WitnessedProof: Sendable {
    /// The proof.
    public let proof: LogProof
    /// The key of the log.
    public let key: VerifierKey
    /// The checkpoint.
    public let head: CosignedCheckpoint

    /// Checks that `leaf` (a leaf hash) is in the log of `key`, and the quorum. `now` is in seconds since 1970.
    public init(
        _ proof: LogProof, leaf: Bytes32, key: VerifierKey, policy: WitnessPolicy, now: UInt64
    ) throws(WitnessedProofError) {
        do { _ = try proof.verify(leaf: leaf, key: key) } catch { throw .proof(error) }
        do {
            head = try CosignedCheckpoint(verifying: proof.checkpoint, key: key, policy: policy, now: now)
        } catch { throw .witnesses(error) }
        (self.proof, self.key) = (proof, key)
    }
}

extension CosigningError {
    /// What is wrong, for people.
    public var explanation: String {
        switch self {
        case .checkpoint(.note(.signatureInvalid)): "a line of its checkpoint is not what its witness signed"
        case .checkpoint: "its checkpoint is not one that its key signed"
        case .noQuorum(let names) where names.isEmpty: "no witness of the policy has cosigned it"
        case .noQuorum(let names): "only \(names.joined(separator: ", ")) cosigned it, which is no quorum"
        case .ahead: "its witnesses cosigned it at a time that is still to come, by this computer's clock"
        case .uncheckable: "its witnesses sign in a way that cannot be checked here"
        case .stale: "no quorum of its witnesses has cosigned it for a long time"
        }
    }
}

extension WitnessedProofError {
    /// What is wrong, for people.
    public var explanation: String {
        switch self {
        case .proof(.malformed): "it is no proof"
        case .proof(.checkpoint): "it is of another log, or its checkpoint is not signed by the log's key"
        case .proof(.proof): "it does not prove the entry"
        case .witnesses(let error): error.explanation
        }
    }
}

/// What somebody who reads a log asks of its witnesses.
public struct QuorumDemand: Sendable {
    /// The policy that must be met.
    public let policy: WitnessPolicy
    /// The reader's time, in seconds since 1970.
    public let now: UInt64
    /// How long ago the quorum may have cosigned at most, in seconds; nil for any time. What is older may be a state
    /// that only this reader is still shown.
    public let longestAge: UInt64?

    /// A demand for the quorum of `policy`; nil without a policy, where nothing is demanded.
    public init?(_ policy: WitnessPolicy?, now: UInt64, longestAge: UInt64? = nil) {
        guard let policy else { return nil }
        (self.policy, self.now, self.longestAge) = (policy, now, longestAge)
    }

    /// Checks a note of the log of `key`.
    @discardableResult
    public func check(_ note: [UInt8], key: VerifierKey) throws(CosigningError) -> CosignedCheckpoint {
        let head = try CosignedCheckpoint(verifying: note, key: key, policy: policy, now: now)
        if let longestAge, head.newestQuorumTime < now, now - head.newestQuorumTime > longestAge {
            throw .stale(since: head.newestQuorumTime)
        }
        return head
    }
}
