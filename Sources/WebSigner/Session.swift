import CWebPage
import Documents
import Languages
import LogReading
import SignerWallet
import SignerWords
import TransparencyLog

/// What the page calls once. It ends never: it waits for what the person does.
@_cdecl("run_signer") public func runSigner() { Session().run() }

/// One person at the page, with one wallet at a time.
///
/// Sendable: the module has one thread.
final class Session: @unchecked Sendable {
    let clock = SignerClock.page
    private(set) var words = SignerWords(.english)
    /// True if the person says that this is Tor Browser, or that the browser uses a proxy like it.
    var isProxied = false
    /// True if servers were asked something for a roll or a petition since the page was opened: a browser uses
    /// connections again, so that they may see that what comes next is of the same person.
    var hasActed = false
    /// Where the wallet at hand is kept; nil if none is open.
    var store: PageStore?

    var network: SignerNetwork {
        SignerNetwork(isProxied: isProxied) { [words, isProxied] in PageConnection(words: words, isProxied: isProxied) }
    }

    func run() {
        var start = Page.ask("start")
        if let language = start.text("language").flatMap({ Language(tag: $0) }) { words = SignerWords(language) }
        isProxied = start.text("isProxied") == "yes"
        while true { begin() }
    }

    // MARK: Showing and asking

    /// Shows a screen, and waits for a button. The screen is made again in the language that the person chooses.
    func ask(_ screen: () -> Screen) -> (button: String, answer: Page.Answer) {
        while true {
            var answer = Page.ask("screen", screen().fields + [("language", .string(words.language.rawValue))])
            let button = answer.text("button") ?? ""
            guard button == "language" else { return (button, answer) }
            if let language = answer.text("language").flatMap({ Language(tag: $0) }) { words = SignerWords(language) }
        }
    }

    /// Shows a screen, and goes on.
    func show(_ screen: Screen) { _ = Page.ask("show", screen.fields) }

    /// Shows what is being done, and lets the person stop it: the next request is not made then.
    func showWork(_ title: String, _ lines: String...) {
        var screen = Screen(title)
        for line in lines { screen.text(line) }
        screen.button("stop", words(.stop))
        show(screen)
    }

    /// A screen with some lines, and a button to go on.
    func tell(_ title: SignerPhrase, _ lines: [String]) {
        _ = ask {
            var screen = Screen(words(title))
            for line in lines { screen.text(line) }
            screen.button("on", words(.goOn), .main)
            return screen
        }
    }

    /// Says what was done, and offers to save the wallet, which has changed by it.
    func tellDone(_ title: SignerPhrase, _ lines: [String]) {
        guard let store, store.isUnsaved.wallet else { return tell(title, lines) }
        let (button, _) = ask {
            var screen = Screen(words(title))
            for line in lines { screen.text(line) }
            screen.button("save", words(.saveButton), .main)
            screen.button("on", words(.goOn))
            return screen
        }
        if button == "save" { save(store) }
    }

    /// Says why something does not go on, and offers what proves it, if something does.
    func tell(_ error: SignerError) {
        while true {
            let (button, _) = ask {
                var screen = Screen(words(.errorTitle))
                screen.error(words.message(error, now: clock.now), advice: words.advice(error))
                screen.button("on", words(.goOn), .main)
                if store?.hasMore == true { screen.button("evidence", words(.evidence)) }
                if store?.isUnsaved.wallet == true { screen.button("save", words(.saveButton)) }
                return screen
            }
            guard let store else { return }
            switch button {
            case "save": save(store)
            case "evidence": saveEvidence(store)
            default: return
            }
        }
    }

    /// Gives the person the wallet's file.
    func save(_ store: PageStore) {
        if let bytes = store[""] { save(bytes, as: store.name, suffix: "") }
    }

    /// Gives the person what contradicted itself, encrypted as petition-signer keeps it beside the wallet.
    func saveEvidence(_ store: PageStore) {
        for (suffix, bytes) in store.more { save(bytes, as: store.name + suffix, suffix: suffix) }
    }

    /// Gives the person a file, which counts as saved once they say that it is there.
    func save(_ bytes: [UInt8], as name: String, suffix: String) {
        while true {
            Page.save(name, bytes)
            let (button, _) = ask {
                var screen = Screen(words(suffix == "" ? .saveTitle : .evidence))
                screen.text(words(.whereSaved, name))
                if suffix != "" { screen.text(words(.evidenceText)) }
                screen.button("there", words(.fileIsThere), .main)
                screen.button("again", words(.saveOnceMore))
                screen.button("back", words(.back))
                return screen
            }
            if button == "there" { _ = Page.ask("saved", [("suffix", .string(suffix))]) }
            guard button == "again" else { return }
        }
    }

    /// Runs a step, and says why it does not go on, if it does not.
    func attempt(_ step: () throws(SignerError) -> Void) {
        do { try step() } catch {
            switch error {
            // Whoever stops knows that they did.
            case .declined, .interrupted, .notAgreed: break
            default: tell(error)
            }
        }
    }

    /// Asks about a risk.
    func ask(_ risk: SignerRisk) throws(SignerError) {
        let (button, _) = ask {
            var screen = Screen(words(.riskTitle))
            screen.warning(words.explanation(risk))
            screen.button("stop", words(.stop), .main)
            screen.button("despite", words(.despite), .grave)
            return screen
        }
        guard button == "despite" else { throw .notAgreed(risk) }
    }

    /// Asks with a screen that has a number to type, until it is one.
    func ask(number name: String, _ screen: () -> Screen) throws(SignerError) -> Int {
        var isWrong = false
        while true {
            var (button, answer) = ask {
                var screen = screen()
                if isWrong { screen.error(words(.notANumber), advice: nil) }
                return screen
            }
            guard button == "on" else { throw .declined }
            if let number = answer.number(name) { return number }
            isWrong = true
        }
    }

    /// What a person must know before anything is sent.
    func addWarnings(to screen: inout Screen, _ address: SignerPhrase) {
        if hasActed { screen.warning(words(.samePage)) }
        if isProxied {
            screen.text(words(.addressHidden))
        } else {
            screen.warning(words(address))
            screen.text(words(.fingerprint))
        }
    }

    /// The times within which something is sent, or read; of a large roll, nothing is right after something else.
    func addTimes(to screen: inout Screen, withNow: Bool) {
        var times: [(name: String, label: String)] = [
            ("600", words(.withinMinutes, "10")), ("3600", words(.withinMinutes, "60")),
            ("21600", words(.withinHours, "6")),
        ]
        if withNow { times.insert(("0", words(.now)), at: 0) }
        screen.choice("within", words(.when), times)
    }

    /// How far work is, shown ten times a second at most.
    func progress(_ title: String) -> WorkProgress {
        let shown = LastShown()
        return WorkProgress { _, done, total in
            let now = page_elapsed()
            guard now - shown.at > 100 else { return }
            shown.at = now
            _ = Page.ask(
                "progress",
                [("title", .string(title)), ("done", .integer(done)), ("total", .integer(total))])
        }
    }

    private final class LastShown: @unchecked Sendable {
        var at = 0.0
    }
}
