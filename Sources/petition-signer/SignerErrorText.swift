import Bytes
import CommandSupport
import Documents
import PetitionCopies
import Petitions
import SignerWallet
import TransparencyLog

/// Messages for every refusal of the signer.
enum SignerErrorText {
    static func about(_ error: SignerError) -> UserError {
        wallet(error) ?? trust(error) ?? enrolment(error) ?? signing(error)
            ?? UserError(.undecided, "unexpected: \(error)")
    }

    private static func wallet(_ error: SignerError) -> UserError? {
        switch error {
        case .walletMissing(let path):
            UserError(
                .refused, "there is no wallet in \(path)",
                hint: "enrol with your invitation: petition-signer enrol LINK")
        case .walletExists(let path): UserError(.refused, "there is a file in \(path) already", hint: "name a new one")
        case .walletLocked(let path):
            UserError(.refused, "another petition-signer uses \(path)", hint: "wait until it is done")
        case .proxyMissing:
            UserError(
                .refused, "you began something with this wallet through a proxy, and nothing of it goes without one",
                hint: "add --proxy socks5://127.0.0.1:9050, or another SOCKS5 proxy")
        case .joinsAlready:
            UserError(
                .refused, "another petition-signer joins with this wallet, or waits to",
                hint: "leave it running: a key that is sent twice shows twice that you are there")
        case .walletUnwritable(let path):
            UserError(
                .refused, "\(path) cannot be written or locked", hint: "check the folder's permissions and the disk")
        case .walletUnreadable(let path, let reason): UserError(.refused, "\(path) cannot be read: \(reason)")
        case .walletNotWritten(let path, let reason):
            UserError(.refused, "\(path) cannot be written: \(reason)", hint: "check the folder and the disk")
        case .wrongPassphrase:
            UserError(
                .refused, "the passphrase is wrong, or the wallet is damaged",
                hint: "try again; if you are sure of the passphrase, restore an exported wallet")
        case .walletMalformed: UserError(.refused, "this is not a wallet", hint: "restore an exported wallet")
        case .interrupted: UserError(.undecided, "it was told to stop", hint: "run it again")
        case .storedDocument(let error):
            UserError(
                .refused, "a stored document cannot be read: \(error.explanation)", hint: "restore an exported wallet")
        case .notEnoughMemory:
            UserError(.refused, "there is too little free memory to open the wallet", hint: "it takes 256 MiB")
        default: nil
        }
    }

    private static func trust(_ error: SignerError) -> UserError? {
        switch error {
        case .unreachable(let location, let reason):
            UserError(.undecided, "\(location) cannot be read: \(reason)", hint: "try again later")
        case .documentInvalid(let location, let reason): UserError(.refused, "\(location) is not valid: \(reason)")
        case .documentMismatch(let location):
            UserError(
                .refused, "\(location) is not the document that its address names",
                hint: "do not sign: compare the id with your organisers")
        case .logBroken(let found): broken(found)
        case .rollChanged(let link, let enrolled, let shown, let isProof):
            UserError(
                .refused,
                "\(link) answered with roll \(enrolled) when you enrolled, and answers with roll \(shown) now: one of them may "
                    + "be made for you alone",
                hint: "compare the roll's id with other members before you try again"
                    + (isProof ? "; petition-signer evidence FILE writes the proof" : ""))
        case .oddityNotKept(let what):
            UserError(
                .refused, "\(what) This could not be written down",
                hint:
                    "compare with other members before you try again, and make room on the disk: the wallet will not ask"
            )
        case .announcedOtherwise(let link, let log):
            UserError(
                .refused, "another roll than yours was announced first as \(link) in the announcements log \(log)",
                hint: "yours may be made for you alone: do not go on, and compare the roll's id with other members")
        case .logInvalid(let log, let reason):
            UserError(
                .refused, CopyError.log(location: log, reason).explanation, hint: "do not go on: tell your organisers")
        case .entryInvalid(let log, let index, let rule):
            UserError(
                .refused, "entry \(index) of the log \(log) breaks the rule \(rule.rawValue)",
                hint: "do not go on: tell your organisers")
        case .notAnnounced(let what, let log):
            UserError(
                .refused, "\(what) is not in the announcements log \(log)",
                hint: "it may be made for your eyes only: do not go on, and tell your organisers")
        case .notWitnessed(let what, let reason):
            UserError(
                .undecided, "the witnesses do not vouch for \(what): \(reason)",
                hint:
                    "do not go on: you may be shown what others are not, or this computer's clock is wrong. Set it, "
                    + "try again later, and tell your organisers if it stays so")
        case .rollMismatch:
            UserError(
                .refused, "the roll you are shown is not the one that the petition names",
                hint: "do not sign: compare the petition's id with your organisers")
        default: nil
        }
    }

    /// How a contradiction that was seen in hashes is proven.
    static let proving =
        "petition-signer ring reads the roll's entries, and keeps the proof once the log is as long as what was shown"

    private static func ringCommand(_ link: String) -> String {
        "petition-signer ring \(link), with the same --proxy and --wallet as always"
    }

    private static func broken(_ found: LogBreak) -> UserError {
        let seen = "the \(found.seenSize) entries you saw at \(found.seenAt)"
        if found.isShorter {
            return UserError(
                .refused,
                "the log \(found.log) is not a continuation of \(seen): it is shown with only \(found.shownSize) now, an old "
                    + "state or one that was cut",
                hint:
                    "do not go on: try again later, and tell your organisers if it stays so. You may be shown what others "
                    + "do not see")
        }
        return UserError(
            .refused,
            "the log \(found.log) is not a continuation of \(seen), with root "
                + "\(Base64.encode(found.seenRoot.array)): it is shown with \(found.shownSize) now, and their first "
                + "\(found.seenSize) are others. Somebody rewrote it, or shows you another log than others",
            hint: "compare with other members before you try again. "
                + (found.hasEvidence
                    ? "petition-signer evidence FILE writes what was signed, for others to check; the server that "
                        + "showed you this may recognise you by it"
                    : "This was seen without reading the entries: petition-signer ring reads them, and keeps the proof")
        )
    }

    private static func enrolment(_ error: SignerError) -> UserError? {
        switch error {
        case .alreadyEnrolled(let roll):
            UserError(
                .refused, "this wallet is enrolled in \"\(roll)\" already",
                hint: "another person on this computer needs a wallet of their own: --wallet FILE")
        case .notEnrolled:
            UserError(.refused, "this wallet is enrolled in no roll", hint: "petition-signer enrol LINK")
        case .nothingToJoin: UserError(.refused, "you have joined every roll you are enrolled in")
        case .issueProofInvalid:
            UserError(
                .refused, "the coordinator's answer was not made with its published key",
                hint: "it could mark you that way: do not go on, and tell your organisers")
        case .issueNotLogged:
            UserError(
                .refused, "your enrolment is not in the coordinator's log",
                hint: "do not join: you would be alone. Tell your organisers")
        case .joiningNotOpen(let issued):
            UserError(
                .refused, "joining is not open yet; \(issued) enrolled so far in this round",
                hint: "try again when your organisers say that joining is open, or use join --wait")
        case .joiningClosed:
            UserError(
                .refused, "joining was open and is not any more, and your key is not in the roll",
                hint: "ask your organisers whether there will be another round; join --wait waits for it")
        case .joiningOpensAhead(let opened, let now):
            UserError(
                .refused, "the log says that joining opens at \(opened), and this computer's clock says \(now)",
                hint:
                    "set the clock; if it is right, tell your organisers: somebody may have shown you a log of your own"
            )
        case .severalToJoin(let links):
            UserError(
                .usage, "this wallet waits to join several rolls: \(links.joined(separator: ", "))",
                hint:
                    "join one of them now, by its link, and the others at other times: keys that come together are one "
                    + "person's")
        case .nothingToJoinAt(let link, let waiting):
            UserError(
                .refused, "this wallet is not enrolled under \(link)",
                hint: waiting.isEmpty
                    ? "it waits for no roll" : "it waits to join \(waiting.joined(separator: " and "))")
        case .notAgreed(let risk):
            UserError(
                .refused, "stopped: \(RiskText.short(risk))",
                hint: "read what is said above; to go on all the same, add --despite \(risk.name.rawValue)")
        case .joinUnanswered(let link):
            UserError(
                .refused,
                "the coordinator did not answer when your key was sent, four times; each time shows that this computer "
                    + "is on",
                hint: "ask your organisers, then: petition-signer join \(link)")
        case .roundTooSmall(let issued, let floor):
            UserError(
                .refused, "only \(issued) enrolled in your round, fewer than the \(floor) you ask for",
                hint: "a join could be traced to few people; --minimum-round lowers your limit")
        default: nil
        }
    }

    private static func signing(_ error: SignerError) -> UserError? {
        switch error {
        case .severalRolls(let links):
            UserError(
                .usage, "this wallet is enrolled in several rolls: \(links.joined(separator: ", "))",
                hint: "name one of them: petition-signer ring LINK")
        case .notEnrolledUnder(let link, let links):
            UserError(
                .refused, "this wallet is not enrolled under \(link)",
                hint: "it is enrolled under \(links.joined(separator: " and "))")
        case .ringNotSealedYet:
            UserError(
                .refused, "your key is in no ring yet",
                hint: "the organisers seal rings after people joined: try again when they say that it is done")
        case .ringNotKnown(let link):
            UserError(
                .refused,
                "your roll may have more than 65,536 members, and this wallet has not read it in full since its rings "
                    + "were sealed",
                hint: "do that once, some time before you sign: \(Self.ringCommand(link))")
        case .ringOutgrown(let link):
            UserError(
                .refused,
                "more was sealed in your roll since this wallet read it in full, and the petition or your ring needs "
                    + "that",
                hint: "read the roll once more, some time before you sign: \(Self.ringCommand(link))")
        case .notInRolls: UserError(.refused, "this wallet is enrolled in none of the petition's rolls")
        case .ringNotSealed:
            UserError(
                .refused, "your key is in no ring that this petition admits",
                hint: "the organisers seal rings after people joined; a petition made before may not admit yours")
        case .ringTooSmall(let members, let floor):
            UserError(
                .refused, "your ring has only \(members) members, fewer than the \(floor) you ask for",
                hint: "you would hide among few; --minimum-ring lowers your limit")
        case .petitionNotOpen(let opens):
            UserError(
                .refused, "the petition opens at \(opens), and this computer's clock says \(UTCTime.now)",
                hint: "set the clock if it is wrong; else sign then")
        case .petitionClosed(let closes):
            UserError(
                .refused, "the petition closed at \(closes), and this computer's clock says \(UTCTime.now)",
                hint: "set the clock if it is wrong; else nobody can sign any more")
        case .evidenceIncomplete(let logs):
            UserError(
                .refused,
                "\(logs.joined(separator: " and ")) was shown with other entries than before, which this wallet cannot "
                    + "prove yet: it did not read them",
                hint: Self.proving)
        case .noEvidence: UserError(.refused, "this wallet saw no contradiction: there is nothing to write")
        case .nothingSigned: UserError(.refused, "this wallet has no counted signature under it")
        case .alreadyWithdrawn: UserError(.refused, "the signature was withdrawn already")
        case .declined: UserError(.refused, "nothing was signed or sent")
        case .receiptInvalid(let reason):
            UserError(
                .refused, "the receipt is not valid: \(reason)",
                hint: "your record is kept: run the same command again, and tell the organisers if it stays so")
        case .receiptNotWitnessed(let reason):
            UserError(
                .undecided, "the petition's witnesses do not vouch for the receipt: \(reason)",
                hint: "your record is kept: run the same command again, and tell the organisers if it stays so")
        case .receiptForNothing:
            UserError(
                .refused, "the receipt proves nothing that this wallet signed",
                hint: "see whether it is of another wallet (--wallet), or of another record")
        case .receiptForAnother:
            UserError(.refused, "the receipt is for somebody else's entry", hint: "tell the organisers")
        case .proofRefused:
            UserError(
                .refused, "ALARM: the aggregator says that your signature does not verify",
                hint:
                    "you may have been shown a roll made for you alone. Do not sign again; keep the wallet and compare "
                    + "the petition's id and the roll with other members")
        case .refused("busy", let detail), .refused("roll-unreachable", let detail):
            UserError(
                .undecided, "the server says: \(detail)",
                hint: "run the same command again: it sends the same, which counts once")
        case .refused(let rule, let detail):
            // An unknown rule name is text chosen by the server.
            UserError(
                .refused,
                "the server refused (\(Rule(rawValue: rule)?.rawValue ?? "by no rule that is known here")): \(detail)")
        default: nil
        }
    }
}
