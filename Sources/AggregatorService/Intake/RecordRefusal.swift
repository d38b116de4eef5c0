import Documents
import Messages
import Petitions

/// Why a record is not accepted. The routes turn it into words and an HTTP response.
enum RecordRefusal: Error, Equatable, Sendable {
    /// The record by itself breaks a rule of `Protocol/counting.md`.
    case breaks(Rule)
    /// The petition opens later.
    case notOpen(opens: UTCTime)
    /// The petition has closed.
    case closed(closes: UTCTime)
    /// Its tag signed and withdrew.
    case alreadyWithdrawn
    /// A withdrawal for a tag that did not sign in an earlier commit.
    case notSigned
    /// The roll that it names cannot be read now.
    case rollUnreachable(roll: String)
    /// No quorum of the petition's witnesses has cosigned what this server has.
    case awaitsWitnesses(since: UTCTime?)
    /// The petition's log contradicted itself, and takes nothing more.
    case logEnded
    /// The most records that may wait are waiting.
    case full
    /// Many requests are already waiting for the result of the same bytes.
    case sentOften
    /// Many wrong proofs are coming in: the record must be sent again, with work.
    case needsWork
}
