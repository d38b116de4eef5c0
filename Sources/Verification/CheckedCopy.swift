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
}
