import Bytes
import Documents
import Languages
import Petitions
import SignerWallet

/// What a program for signers says to people, in their language. What a program calls its commands and buttons is not
/// here: each adds that itself.
public struct SignerWords: Sendable {
    /// The language.
    public let language: Language

    /// The words of a language.
    public init(_ language: Language) { self.language = language }

    /// The phrase for `key`, with `values` in place of each `%`.
    public func callAsFunction(_ key: SignerPhrase, _ values: String...) -> String { text(key, values) }

    private func text(_ key: SignerPhrase, _ values: [String]) -> String {
        let template =
            switch language {
            case .english: SignerPhrase.english(key)
            case .french: SignerPhrase.french(key)
            case .german: SignerPhrase.german(key)
            case .spanish: SignerPhrase.spanish(key)
            }
        return Language.fill(template, values)
    }

    /// What is wrong, as a sentence without its full stop. `now` is what this computer's clock says.
    public func message(_ error: SignerError, now: UTCTime) -> String {
        let (key, values) = Self.phrase(error, now: now, self)
        return text(key, values)
    }

    /// What to do about it; nil if there is nothing.
    public func advice(_ error: SignerError) -> String? {
        switch error {
        case .logBroken(let found) where !found.isShorter:
            self(.logRewrittenAdvice)
                + self(
                    found.hasEvidence
                        ? .logRewrittenEvidenceAdvice
                        : found.isTooLong ? .logRewrittenTooLongAdvice : .logRewrittenUnreadAdvice)
        case .nothingToJoinAt(_, let waiting):
            waiting.isEmpty ? self(.waitsForNoneAdvice) : self(.waitsToJoinAdvice, waiting.joined(separator: ", "))
        case .notEnrolledUnder(_, let links): self(.enrolledUnderAdvice, links.joined(separator: ", "))
        default: Self.advice(error).map { self($0) }
        }
    }

    private static func phrase(_ error: SignerError, now: UTCTime, _ words: SignerWords) -> (SignerPhrase, [String]) {
        switch error {
        case .walletMissing(let path): (.walletMissing, [path])
        case .walletExists(let path): (.walletExists, [path])
        case .walletLocked(let path): (.walletLocked, [path])
        case .proxyMissing: (.proxyMissing, [])
        case .joinsAlready: (.joinsAlready, [])
        case .walletUnwritable(let path): (.walletUnwritable, [path])
        case .walletUnreadable(let path, let reason): (.walletUnreadable, [path, reason])
        case .walletNotWritten(let path, let reason): (.walletNotWritten, [path, reason])
        case .walletIsFolder(let path): (.walletIsFolder, [path])
        case .walletNotPermitted(let path): (.walletNotPermitted, [path])
        case .walletTooLarge(let path): (.walletTooLarge, [path])
        case .wrongPassphrase: (.wrongPassphrase, [])
        case .walletMalformed: (.walletMalformed, [])
        case .notEnoughMemory: (.notEnoughMemory, [])
        case .interrupted: (.interrupted, [])
        case .storedDocument(let error): (.storedDocument, [words.reason(error)])

        case .unreachable(let location, let reason): (.unreachable, [location, words.reason(reason)])
        case .documentInvalid(let location, let reason): (.documentInvalid, [location, words.reason(reason)])
        case .documentMismatch(let location): (.documentMismatch, [location])
        case .logInvalid(let log, let error): (.logInvalid, [log, words.reason(error)])
        case .logBroken(let found) where found.isShorter:
            (.logShorter, [found.log, "\(found.seenSize)", "\(found.seenAt)", "\(found.shownSize)"])
        case .logBroken(let found):
            (
                .logRewritten,
                [
                    found.log, "\(found.seenSize)", "\(found.seenAt)", Base64.encode(found.seenRoot.array),
                    "\(found.shownSize)", "\(found.seenSize)",
                ]
            )
        case .rollChanged(let link, let enrolled, let shown, _): (.rollChanged, [link, enrolled, shown])
        case .oddityNotKept(let what): (.oddityNotKept, [words.sentence(what)])
        case .announcedOtherwise(let link, let log): (.announcedOtherwise, [link, log])
        case .entryInvalid(let log, let index, let rule): (.entryInvalid, ["\(index)", log, rule.rawValue])
        case .notAnnounced(let what, let log): (.notAnnounced, [words.name(what), log])
        case .notWitnessed(let what, let reason):
            (.notWitnessed, [words.name(what), reason.map { words.reason($0) } ?? words(.proofMissing)])
        case .rollMismatch: (.rollMismatch, [])

        case .alreadyEnrolled(let roll): (.alreadyEnrolled, [roll])
        case .notEnrolled: (.notEnrolled, [])
        case .nothingToJoin: (.nothingToJoin, [])
        case .issueProofInvalid: (.issueProofInvalid, [])
        case .issueNotLogged: (.issueNotLogged, [])
        case .joiningNotOpen(let issued): (.joiningNotOpen, ["\(issued)"])
        case .joiningClosed: (.joiningClosed, [])
        case .joiningOpensAhead(let opened, let now): (.joiningOpensAhead, ["\(opened)", "\(now)"])
        case .severalToJoin(let links): (.severalToJoin, [links.joined(separator: ", ")])
        case .nothingToJoinAt(let link, _), .notEnrolledUnder(let link, _): (.notEnrolledUnder, [link])
        case .notAgreed(let risk): (.notAgreed, [words.brief(risk)])
        case .joinUnanswered: (.joinUnanswered, [])
        case .roundTooSmall(let issued, let floor): (.roundTooSmall, ["\(issued)", "\(floor)"])

        case .severalRolls(let links): (.severalRolls, [links.joined(separator: ", ")])
        case .ringNotSealedYet: (.ringNotSealedYet, [])
        case .ringNotKnown: (.ringNotKnown, [])
        case .ringOutgrown: (.ringOutgrown, [])
        case .notInRolls: (.notInRolls, [])
        case .ringNotSealed: (.ringNotSealed, [])
        case .ringTooSmall(let members, let floor): (.ringTooSmall, ["\(members)", "\(floor)"])
        case .petitionNotOpen(let opens): (.petitionNotOpen, ["\(opens)", "\(now)"])
        case .petitionClosed(let closes): (.petitionClosed, ["\(closes)", "\(now)"])
        case .evidenceIncomplete(let logs): (.evidenceIncomplete, [logs.joined(separator: ", ")])
        case .noEvidence: (.noEvidence, [])
        case .nothingSigned: (.nothingSigned, [])
        case .alreadyWithdrawn: (.alreadyWithdrawn, [])
        case .declined: (.declined, [])

        case .receiptInvalid(let error): (.receiptInvalid, [words.reason(error)])
        case .receiptNotWitnessed(let reason): (.receiptNotWitnessed, [words.reason(reason)])
        case .receiptForNothing: (.receiptForNothing, [])
        case .receiptForAnother: (.receiptForAnother, [])
        case .proofRefused: (.proofRefused, [])
        case .refused("busy", let detail), .refused("roll-unreachable", let detail):
            (.serverBusy, [words.reason(detail)])
        case .refused(let rule, let detail):
            // An unknown rule name is text chosen by the server.
            (.serverRefused, [Rule(rawValue: rule)?.rawValue ?? words(.noKnownRule), words.reason(detail)])
        }
    }

    private static func advice(_ error: SignerError) -> SignerPhrase? {
        switch error {
        case .walletMissing: .walletMissingAdvice
        case .walletExists: .walletExistsAdvice
        case .walletLocked: .walletLockedAdvice
        case .proxyMissing: .proxyMissingAdvice
        case .joinsAlready: .joinsAlreadyAdvice
        case .walletUnwritable: .walletUnwritableAdvice
        case .walletNotWritten: .walletNotWrittenAdvice
        case .wrongPassphrase: .wrongPassphraseAdvice
        case .walletMalformed, .storedDocument: .restoreAdvice
        case .notEnoughMemory: .notEnoughMemoryAdvice
        case .interrupted: .interruptedAdvice
        case .unreachable: .tryLaterAdvice
        case .documentMismatch: .documentMismatchAdvice
        case .logInvalid, .entryInvalid: .tellAdvice
        case .logBroken: .logShorterAdvice
        case .rollChanged: .compareRollAdvice
        case .oddityNotKept: .oddityNotKeptAdvice
        case .announcedOtherwise: .announcedOtherwiseAdvice
        case .notAnnounced: .notAnnouncedAdvice
        case .notWitnessed: .notWitnessedAdvice
        case .rollMismatch: .rollMismatchAdvice
        case .alreadyEnrolled: .alreadyEnrolledAdvice
        case .notEnrolled: .notEnrolledAdvice
        case .issueProofInvalid: .issueProofInvalidAdvice
        case .issueNotLogged: .issueNotLoggedAdvice
        case .joiningNotOpen: .joiningNotOpenAdvice
        case .joiningClosed: .joiningClosedAdvice
        case .joiningOpensAhead: .joiningOpensAheadAdvice
        case .severalToJoin: .severalToJoinAdvice
        case .joinUnanswered: .joinUnansweredAdvice
        case .roundTooSmall: .roundTooSmallAdvice
        case .severalRolls: .severalRollsAdvice
        case .ringNotSealedYet: .ringNotSealedYetAdvice
        case .ringNotKnown: .ringNotKnownAdvice
        case .ringOutgrown: .ringOutgrownAdvice
        case .ringNotSealed: .ringNotSealedAdvice
        case .ringTooSmall: .ringTooSmallAdvice
        case .petitionNotOpen: .petitionNotOpenAdvice
        case .petitionClosed: .petitionClosedAdvice
        case .evidenceIncomplete: .evidenceIncompleteAdvice
        case .receiptInvalid, .receiptNotWitnessed: .receiptKeptAdvice
        case .receiptForNothing: .receiptForNothingAdvice
        case .receiptForAnother: .receiptForAnotherAdvice
        case .proofRefused: .proofRefusedAdvice
        case .refused("busy", _), .refused("roll-unreachable", _): .serverBusyAdvice
        case .walletUnreadable, .walletIsFolder, .walletNotPermitted, .walletTooLarge, .documentInvalid,
            .nothingToJoin, .nothingToJoinAt, .notEnrolledUnder, .notInRolls, .noEvidence, .nothingSigned,
            .alreadyWithdrawn, .declined, .refused, .notAgreed:
            nil
        }
    }
}
