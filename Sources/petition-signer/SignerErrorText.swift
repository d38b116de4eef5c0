import CommandSupport
import Documents
import SignerWallet
import SignerWords

/// Messages for every refusal of the signer.
enum SignerErrorText {
    static func about(_ error: SignerError) -> UserError {
        let words = SignerWords.program
        return UserError(
            status(of: error), words.message(error, now: .now), hint: command(error) ?? words.advice(error))
    }

    private static func status(of error: SignerError) -> ExitStatus {
        switch error {
        case .severalToJoin, .severalRolls: .usage
        case .interrupted, .unreachable, .notWitnessed, .receiptNotWitnessed: .undecided
        case .refused("busy", _), .refused("roll-unreachable", _): .undecided
        default: .refused
        }
    }

    /// How a contradiction that was seen in hashes is proven.
    static let proving =
        "petition-signer ring reads the roll's entries, and keeps the proof once the log is as long as what was shown"

    private static func ring(_ link: String) -> String {
        "petition-signer ring \(link), with the same --proxy and --wallet as always"
    }

    /// What to do, where that is a command or an option of this program.
    private static func command(_ error: SignerError) -> String? {
        wallet(error) ?? contradiction(error) ?? enrolment(error) ?? signing(error)
    }

    private static func wallet(_ error: SignerError) -> String? {
        switch error {
        case .walletMissing: "enrol with your invitation: petition-signer enrol LINK"
        case .proxyMissing: "add --proxy socks5://127.0.0.1:9050, or another SOCKS5 proxy"
        case .interrupted: "run it again"
        case .alreadyEnrolled: "another person on this computer needs a wallet of their own: --wallet FILE"
        case .notEnrolled: "petition-signer enrol LINK"
        default: nil
        }
    }

    private static func contradiction(_ error: SignerError) -> String? {
        let compare = SignerWords.program(.logRewrittenAdvice)
        return switch error {
        case .logBroken(let found) where found.isShorter: nil
        case .logBroken(let found) where found.hasEvidence:
            compare
                + "petition-signer evidence FILE writes what was signed, for others to check; the server that showed you "
                + "this may recognise you by it"
        case .logBroken(let found) where found.isTooLong:
            compare + SignerWords.program(.logRewrittenTooLongAdvice)
        case .logBroken:
            compare
                + "This was seen without reading the entries: petition-signer ring reads them, and keeps the proof"
        case .rollChanged(_, _, _, isProof: true):
            SignerWords.program(.compareRollAdvice) + "; petition-signer evidence FILE writes the proof"
        case .evidenceIncomplete: proving
        default: nil
        }
    }

    private static func enrolment(_ error: SignerError) -> String? {
        switch error {
        case .joiningNotOpen: "try again when your organisers say that joining is open, or use join --wait"
        case .joiningClosed: "ask your organisers whether there will be another round; join --wait waits for it"
        case .notAgreed(let risk):
            "read what is said above; to go on all the same, add --despite \(risk.name.rawValue)"
        case .joinUnanswered(let link): "ask your organisers, then: petition-signer join \(link)"
        case .roundTooSmall: "a join could be traced to few people; --minimum-round lowers your limit"
        default: nil
        }
    }

    private static func signing(_ error: SignerError) -> String? {
        switch error {
        case .severalRolls: "name one of them: petition-signer ring LINK"
        case .ringNotKnown(let link): "do that once, some time before you sign: \(ring(link))"
        case .ringOutgrown(let link): "read the roll once more, some time before you sign: \(ring(link))"
        case .ringTooSmall: "you would hide among few; --minimum-ring lowers your limit"
        case .receiptInvalid, .receiptNotWitnessed:
            "your record is kept: run the same command again, and tell the organisers if it stays so"
        case .receiptForNothing: "see whether it is of another wallet (--wallet), or of another record"
        case .refused("busy", _), .refused("roll-unreachable", _):
            "run the same command again: it sends the same, which counts once"
        default: nil
        }
    }
}
