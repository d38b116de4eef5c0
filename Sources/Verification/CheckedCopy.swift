import LogReading
import TransparencyLog

/// The copy that is checked, and how: what every part of a verification is given.
struct CheckedCopy {
    let source: any ResourceSource
    /// What need not be verified again.
    let verified: VerifiedEntries?
    /// Cores that work.
    let jobs: Int
    let progress: WorkProgress
}
