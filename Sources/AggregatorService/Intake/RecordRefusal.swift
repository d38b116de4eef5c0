import Documents
import Messages
import Petitions

/// Why a record is not taken. The routes say it in words, and in HTTP's terms.
enum RecordRefusal: Error, Equatable, Sendable {
    /// It breaks a rule of `Protocol/counting.md` by itself.
    case breaks(Rule)
    /// The petition opens later.
    case notOpen(opens: UTCTime)
    /// The petition has closed.
    case closed(closes: UTCTime)
    /// Its tag signed and withdrew.
    case alreadyWithdrawn
    /// A withdrawal of what did not sign in an earlier commit.
    case notSigned
    /// The roll that it names cannot be read now.
    case rollUnreachable(roll: String)
    /// As many records wait as may.
    case full
    /// These bytes are being looked at for many who sent them.
    case sentOften
    /// Many wrong proofs come in: it must be sent again, with work.
    case needsWork
}
