import RingSignatures
import Ristretto255

/// The name of every rule that a server, a signer or the verifier can find broken. The raw value is the stable name in
/// problem documents (`urn:roundrobin:error:<rule>`), reports and vectors; see `Protocol/counting.md`.
public enum Rule: String, Error, CaseIterable, Sendable {
    // Requests and records, everywhere bytes are read.
    case malformedRequest = "malformed-request"
    case malformedRecord = "malformed-record"
    case nonCanonicalPoint = "non-canonical-point"
    case identityPoint = "identity-point"
    case nonCanonicalScalar = "non-canonical-scalar"
    case tooLarge = "too-large"
    case notFound = "not-found"
    case busy
    // Enrolment.
    case unknownCode = "unknown-code"
    case voidedCode = "voided-code"
    case codeAlreadyUsed = "code-already-used"
    case issuingClosed = "issuing-closed"
    case enrolmentClosed = "enrolment-closed"
    case enrolmentPaused = "enrolment-paused"
    case domainNotAdmitted = "domain-not-admitted"
    case tokenInvalid = "token-invalid"
    case joiningClosed = "joining-closed"
    // Counting.
    case petitionNotOpen = "petition-not-open"
    case petitionClosed = "petition-closed"
    case ringNotAdmitted = "ring-not-admitted"
    case proofInvalid = "proof-invalid"
    case alreadyWithdrawn = "already-withdrawn"
    case notSigned = "not-signed"
    case rollUnreachable = "roll-unreachable"
    // Only a verifier reports these.
    case noteInvalid = "note-invalid"
    case idMismatch = "id-mismatch"
    case checkpointInvalid = "checkpoint-invalid"
    case rootMismatch = "root-mismatch"
    case entryMalformed = "entry-malformed"
    case phaseViolated = "phase-violated"
    case codeReused = "code-reused"
    case spareCode = "spare-code"
    case membersNotAscending = "members-not-ascending"
    case duplicateMember = "duplicate-member"
    case ringSize = "ring-size"
    case enrolmentExceeded = "enrolment-exceeded"
    case notAnnounced = "not-announced"
    case enrolmentKeyReused = "enrolment-key-reused"
    case memberInTwoRolls = "member-in-two-rolls"
    case ringExceeded = "ring-exceeded"
    case duplicateTag = "duplicate-tag"
    case tallyMismatch = "tally-mismatch"
    case quorumMissing = "quorum-missing"
}

extension Rule {
    /// The rule that a point or scalar broke.
    public init(_ error: DecodingError) {
        self =
            switch error {
            case .nonCanonicalPoint: .nonCanonicalPoint
            case .identityPoint: .identityPoint
            case .nonCanonicalScalar: .nonCanonicalScalar
            }
    }

    /// The rule that a record broke.
    public init(_ error: RecordError) {
        self =
            switch error {
            case .malformed: .malformedRecord
            case .decoding(let error): Rule(error)
            }
    }
}
