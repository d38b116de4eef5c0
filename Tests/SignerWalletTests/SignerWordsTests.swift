import Documents
import Languages
import LogReading
import SignerWallet
import SignerWords
import Testing
import TransparencyLog
import Witnessing

/// What signers are told is in their language, down to the reason.
@Suite struct SignerWordsTests {
    private static let time = UTCTime(seconds: MemoryServers.start)

    @Test(arguments: SignerPhrase.allCases) func isThereInEveryLanguage(phrase: SignerPhrase) {
        let texts = Language.allCases.map { language in
            let words = SignerWords(language)
            return words(phrase)
        }
        let places = texts.map { text in text.count { $0 == "%" } }
        #expect(Set(places).count == 1, "\(texts)")
        #expect(texts.allSatisfy { !$0.isEmpty })
    }

    /// An error, and what is said of it in English.
    private typealias Case = (SignerError, String)

    /// Errors with everything that they may say more precisely.
    private static var errors: [Case] {
        [logs, witnesses, receipts, documents, unreachable, refusals, subjects, wallets, oddities].flatMap { $0 }
    }

    private static var logs: [Case] {
        let errors: [LogReadError] = [
            .checkpointInvalid(.malformed), .bundleMalformed(path: "P", firstIndex: 256), .entryMismatch(index: 7),
            .notAnExtension(seenSize: 9), .tileMismatch(path: "P"), .rootMismatch,
        ]
        return errors.map { (SignerError.logInvalid(log: "L", $0), "the log L \($0.explanation)") }
    }

    private static let cosigning: [CosigningError] = [
        .checkpoint(.note(.signatureInvalid)), .checkpoint(.unexpectedOrigin), .noQuorum(cosignedBy: []),
        .noQuorum(cosignedBy: ["W", "X"]), .ahead, .uncheckable, .stale(since: 1),
    ]

    private static var witnesses: [Case] {
        let proofs: [WitnessedProofError] = [
            .proof(.malformed), .proof(.checkpoint(.malformed)), .proof(.proof(.mismatch)),
        ]
        let reasons = proofs + cosigning.map { WitnessedProofError.witnesses($0) }
        return reasons.map {
            (
                SignerError.notWitnessed(what: .log("L"), reason: $0),
                "the witnesses do not vouch for the log L: \($0.explanation)"
            )
        }
    }

    private static var receipts: [Case] {
        let errors: [LogProofError] = [
            .malformed, .checkpoint(.note(.noKnownSignature)), .checkpoint(.unexpectedOrigin),
            .checkpoint(.malformed), .proof(.outOfRange),
        ]
        let invalid = errors.map { (SignerError.receiptInvalid($0), "the receipt is not valid: \($0.explanation)") }
        let unwitnessed = cosigning.map {
            (
                SignerError.receiptNotWitnessed(reason: $0),
                "the petition's witnesses do not vouch for the receipt: \($0.explanation)"
            )
        }
        return invalid + unwitnessed
    }

    private static var documents: [Case] {
        let errors: [DocumentError] = [
            .malformed("D"), .missing(field: "F"), .unknown(field: "F"), .invalid(field: "F", reason: "D"),
            .notSigned, .badSignature,
        ]
        let stored = errors.map {
            (SignerError.storedDocument($0), "a stored document cannot be read: \($0.explanation)")
        }
        let shown = errors.map {
            (SignerError.documentInvalid(location: "U", reason: .document($0)), "U is not valid: \($0.explanation)")
        }
        let others: [Case] = [
            (
                SignerError.documentInvalid(location: "U", reason: .noPetitionID),
                "U is not valid: the url does not end in a petition's id"
            ),
            (
                SignerError.documentInvalid(location: "U", reason: .answer),
                "U is not valid: the answer cannot be read"
            ),
        ]
        return stored + shown + others
    }

    private static var unreachable: [Case] {
        let reasons: [(UnreachableReason, String)] = [
            (.told("R"), "R"), (.status(503), "it answered with status 503"),
            (.tooLarge, "it is larger than it can be"), (.missing(path: "P"), "P is missing"),
            (
                .tooManyEntries(size: 9, limit: 8),
                "it says that it has 9 entries, more than the 8 that it may have"
            ),
            (.noPetition, "there is no such petition"), (.noRoll, "there is no such roll"),
            (.notToRequest, "its answer is not one to a request"), (.notToJoin, "its answer is not one to a join"),
            (.moreWork, "it demands more work each time"),
        ]
        return reasons.map { reason, english in
            (SignerError.unreachable(location: "U", reason: reason), "U cannot be read: \(english)")
        }
    }

    private static var refusals: [Case] {
        let details: [(RefusalDetail, String)] = [
            (.told("R"), "R"), (.cannotAnswer(status: 502), "it cannot answer now (status 502)"),
            (.noReason(status: 418), "it gave no reason (status 418)"),
            (.everMoreWork, "it asks for ever more work"),
        ]
        let busy = details.map { detail, english in
            (SignerError.refused(rule: "busy", detail: detail), "the server says: \(english)")
        }
        let refused = details.map { detail, english in
            (
                SignerError.refused(rule: "status-418", detail: detail),
                "the server refused (by no rule that is known here): \(english)"
            )
        }
        return busy + refused
    }

    private static var subjects: [Case] {
        let subjects: [(SignerSubject, String)] = [
            (.log("L"), "the log L"), (.petition, "the petition"), (.roll, "the roll"), (.rollAt("U"), "the roll U"),
            (.petitionAnnouncement, "the announcement of the petition"),
            (.rollAnnouncement, "the announcement of the roll"),
        ]
        let unwitnessed = subjects.map { subject, english in
            (
                SignerError.notWitnessed(what: subject, reason: nil),
                "the witnesses do not vouch for \(english): there is no proof of it"
            )
        }
        let unannounced = subjects.map { subject, english in
            (
                SignerError.notAnnounced(what: subject, log: "A"),
                "\(english) is not in the announcements log A"
            )
        }
        return unwitnessed + unannounced
    }

    private static var wallets: [Case] {
        [
            (SignerError.walletUnreadable(path: "W", reason: "R"), "W cannot be read: R"),
            (SignerError.walletNotWritten(path: "W", reason: "R"), "W cannot be written: R"),
            (SignerError.walletIsFolder(path: "W"), "W cannot be read: it is a folder"),
            (SignerError.walletNotPermitted(path: "W"), "W cannot be read: you may not read it"),
            (SignerError.walletTooLarge(path: "W"), "W cannot be read: it is too large"),
        ]
    }

    private static var oddities: [Case] {
        SignerOddity.Kind.allCases.map { kind in
            let what = SignerOddity(kind, of: "L")
            return (SignerError.oddityNotKept(what: what), "\(what.explanation) This could not be written down")
        }
    }

    /// Words that English has, and none of the other languages.
    private static let englishWords: Set<String> = [
        "the", "is", "it", "its", "not", "of", "which", "than", "that", "cannot", "has", "with", "there", "and", "to",
        "by", "this", "log", "roll", "entries", "read", "answered",
    ]

    private static func english(in text: String) -> Set<String> {
        englishWords.intersection(text.lowercased().split { !$0.isLetter }.map { String($0) })
    }

    @Test func englishErrorsAreAsBefore() {
        let words = SignerWords(.english)
        for (error, english) in Self.errors { #expect(words.message(error, now: Self.time) == english) }
    }

    @Test(arguments: [Language.french, .german, .spanish]) func errorsHaveNoEnglishInThem(language: Language) {
        let words = SignerWords(language)
        for (error, english) in Self.errors {
            let message = words.message(error, now: Self.time)
            #expect(message != english && !message.contains("%"))
            #expect(Self.english(in: message).isEmpty, "\(message)")
        }
    }

    @Test(arguments: Language.allCases) func whatWasOddIsToldInTheLanguage(language: Language) {
        let words = SignerWords(language)
        for kind in SignerOddity.Kind.allCases {
            let what = SignerOddity(kind, of: "L")
            let risk: SignerRisk =
                what.isContradiction
                ? .seenContradiction(what: what, at: Self.time) : .seenOlderLog(what: what, at: Self.time)
            let text = words.explanation(risk)
            #expect(text.contains(what.explanation) == (language == .english), "\(text)")
            #expect(Self.english(in: text).isEmpty == (language != .english), "\(text)")
        }
    }

    @Test func aStatusThatIsNoAnswerIsTold() async throws {
        let servers = try MemoryServers()
        let link = servers.roll.link
        servers.lies[link.url.text] = HTTPAnswer(status: 503, body: [])
        await #expect(throws: SignerError.unreachable(location: link.url.text, reason: .status(503))) {
            _ = try await Wallet.show(link, network: servers.network)
        }
        servers.lies[link.url.text] = HTTPAnswer(status: 404, body: [])
        await #expect(throws: SignerError.unreachable(location: link.url.text, reason: .noRoll)) {
            _ = try await Wallet.show(link, network: servers.network)
        }
        servers.lies[link.url.text] = HTTPAnswer(status: 200, body: Array("<!doctype html>".utf8))
        await #expect(
            throws: SignerError.documentInvalid(location: link.url.text, reason: .document(.notSigned))
        ) {
            _ = try await Wallet.show(link, network: servers.network)
        }
    }
}
