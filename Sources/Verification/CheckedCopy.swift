import Documents
import LogReading
import TransparencyLog

/// The copy that is checked, and how: the input of every part of a verification.
struct CheckedCopy {
    let source: any ResourceSource
    /// What need not be verified again.
    let verified: VerifiedEntries?
    /// How many cores to use.
    let jobs: Int
    let progress: WorkProgress
    /// The time of this machine: a petition closes, and a witness's time may be ahead.
    let now: UTCTime
    /// Signed checkpoints from elsewhere.
    let evidence: [BroughtEvidence]
}
