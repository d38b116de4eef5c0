import Documents
import LogReading
import Petitions
import TransparencyLog
import Witnessing

/// Why the signer refuses or cannot go on. Each case is one check of `Protocol/enrolment.md` or
/// `Protocol/ring-signature.md`; the programs explain it, with what to do next.
public enum SignerError: Error, Equatable, Sendable {
    // The wallet.
    case walletMissing(path: String)
    case walletExists(path: String)
    case walletLocked(path: String)
    /// Something was begun with this wallet through a proxy, and this would go without one.
    case proxyMissing
    /// Another process joins with this wallet.
    case joinsAlready
    case walletUnwritable(path: String)
    /// It cannot be read or written, for a reason in words of the system or the browser.
    case walletUnreadable(path: String, reason: String)
    case walletNotWritten(path: String, reason: String)
    /// It cannot be read: it is a folder, is not for this user, or is larger than a wallet can be.
    case walletIsFolder(path: String)
    case walletNotPermitted(path: String)
    case walletTooLarge(path: String)
    case wrongPassphrase
    case walletMalformed
    case notEnoughMemory
    /// The program was told to stop while it waited.
    case interrupted
    /// A document in the wallet cannot be read.
    case storedDocument(DocumentError)
    // Documents and logs.
    case unreachable(location: String, reason: UnreachableReason)
    case documentInvalid(location: String, reason: DocumentFault)
    /// The document is not the one that its url or id names.
    case documentMismatch(location: String)
    case logInvalid(log: String, LogReadError)
    /// The log is not a continuation of what this wallet saw of it.
    case logBroken(LogBreak)
    /// The roll's link returns a different roll than the one that this wallet enrolled in; with `isProof`, one key
    /// signed both.
    case rollChanged(link: String, enrolled: String, shown: String, isProof: Bool)
    /// Something contradicts what was seen before, and could not be stored.
    case oddityNotKept(what: SignerOddity)
    /// Another roll was announced under the same link before.
    case announcedOtherwise(link: String, log: String)
    case entryInvalid(log: String, index: UInt64, Rule)
    /// The roll or petition is not in the announcements log: it may have been made for a single person.
    case notAnnounced(what: SignerSubject, log: String)
    /// No quorum of the witnesses has cosigned `what` lately, or what is shown as its cosignatures is none; without a
    /// `reason`, nothing is shown.
    case notWitnessed(what: SignerSubject, reason: WitnessedProofError?)
    // Enrolment.
    case alreadyEnrolled(roll: String)
    case notEnrolled
    case nothingToJoin
    case issueProofInvalid
    /// The answer of the coordinator is not in its log.
    case issueNotLogged
    case joiningNotOpen(issued: UInt64)
    /// Joining was open, but is not open any more.
    case joiningClosed
    /// Joining opens in the future, by this computer's clock.
    case joiningOpensAhead(opened: UTCTime, now: UTCTime)
    /// Several rolls wait to be joined: each must be joined at its own time.
    case severalToJoin(links: [String])
    /// The wallet is not enrolled under this link; it waits to join those in `waiting`.
    case nothingToJoinAt(link: String, waiting: [String])
    /// Something that the person must agree to, but did not.
    case notAgreed(SignerRisk)
    case roundTooSmall(issued: UInt64, floor: UInt64)
    /// The key was sent as often as it is by itself, and the coordinator never answered.
    case joinUnanswered(link: String)
    // Signing.
    /// The wallet is enrolled in several rolls, and none was named.
    case severalRolls(links: [String])
    /// The wallet is not enrolled under this link, but under others.
    case notEnrolledUnder(link: String, links: [String])
    /// The key is in no ring yet.
    case ringNotSealedYet
    /// The roll may be large, and was not read in full since the ring was sealed.
    case ringNotKnown(link: String)
    /// The same roll was read in full, but what was added since does not show that the end of the ring is as it was.
    case ringOutgrown(link: String)
    case notInRolls
    case ringNotSealed
    case ringTooSmall(members: Int, floor: Int)
    case rollMismatch
    case petitionNotOpen(opens: UTCTime)
    case petitionClosed(closes: UTCTime)
    case nothingSigned
    /// No contradiction was seen.
    case noEvidence
    /// A contradiction was seen by hashes, and the entries that prove it were not read yet.
    case evidenceIncomplete(logs: [String])
    case alreadyWithdrawn
    case declined
    // Receipts.
    case receiptInvalid(LogProofError)
    /// The receipt does not have the quorum of the petition's witnesses.
    case receiptNotWitnessed(reason: CosigningError)
    /// The receipt is for an entry with another tag.
    case receiptForAnother
    /// The receipt proves no record of this wallet.
    case receiptForNothing
    // Responses of servers.
    case refused(rule: String, detail: RefusalDetail)
    /// The aggregator says that the proof does not verify: this is an alarm, never a reason to sign again.
    case proofRefused
}

extension SignerError {
    /// True for errors that may pass: what could not be read, and a server that is busy.
    var isPassing: Bool {
        switch self {
        case .unreachable, .notWitnessed, .refused("busy", _), .refused("roll-unreachable", _): true
        default: false
        }
    }

    /// True for errors that do not end the wait for joining: nothing was sent yet, and the next look may succeed.
    var isBearable: Bool {
        switch self {
        case .joiningNotOpen, .joiningClosed, .joiningOpensAhead, .documentInvalid, .documentMismatch, .logInvalid: true
        case .logBroken(let found): found.isShorter
        default: isPassing
        }
    }
}
