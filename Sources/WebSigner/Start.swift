import Bytes
import Documents
import SignerWallet
import SignerWords
import Sodium

/// Opening a wallet, and making one.
extension Session {
    /// The first screen.
    func begin() {
        let (button, answer) = ask {
            var screen = Screen(words(.startTitle))
            screen.text(words(.startText))
            screen.tick("proxied", words(.torBrowser), isOn: isProxied)
            screen.button("open", words(.openWallet), .main)
            screen.button("new", words(.newWallet))
            screen.details(
                words(.trustTitle),
                [.trustMaker, .trustBrowser, .trustTime, .trustNetwork].map { words($0) })
            return screen
        }
        var fields = answer
        isProxied = fields.text("proxied") == "yes"
        attempt { () throws(SignerError) in
            switch button {
            case "open": try openWallet()
            case "new": try makeWallet()
            default: break
            }
        }
    }

    private func openWallet() throws(SignerError) {
        var (button, answer) = ask {
            var screen = Screen(words(.openWallet))
            screen.text(words(.openWalletText))
            screen.file(words(.walletFile))
            screen.button("on", words(.goOn), .main)
            screen.button("kept", words(.keptWallet))
            screen.button("back", words(.back))
            return screen
        }
        if button == "kept" {
            answer = Page.ask("kept")
            if let failure = answer.text("failure") { throw .walletUnreadable(path: words(.keptName), reason: failure) }
        }
        guard button != "back" else { throw .declined }
        let name = answer.text("name") ?? words(button == "kept" ? .keptName : .walletFile)
        guard !answer.content.isEmpty else { throw .walletMissing(path: name) }
        let store = PageStore(name: name, wallet: answer.content, words: words)
        store.isKept = button == "kept"
        try takeAlone(answer.content, isKept: store.isKept, isFile: !store.isKept)
        defer { close() }
        self.store = store
        let wallet = try askForPassphrase { secret throws(SignerError) in
            try Wallet.open(in: store, passphrase: secret)
        }
        home(wallet, store)
    }

    private func close() {
        _ = Page.ask("closed", [("isProxied", .boolean(isProxied))])
        store = nil
    }

    private func makeWallet() throws(SignerError) {
        let store = PageStore(name: "roundrobin-wallet", wallet: nil, words: words)
        defer { close() }
        self.store = store
        var problem: SignerPhrase?
        while true {
            guard let wallet = try askToMake(store, &problem) else { continue }
            if let bytes = store[""] { try takeAlone(bytes, isKept: false, isFile: false) }
            saveFirst(store)
            return home(wallet, store)
        }
    }

    /// Asks for a new passphrase, and makes a wallet with it; nil if there is a `problem`. When this returns, nobody
    /// has the passphrase any more.
    private func askToMake(_ store: PageStore, _ problem: inout SignerPhrase?) throws(SignerError) -> Wallet? {
        var (button, answer) = ask {
            var screen = Screen(words(.newWallet))
            if let problem { screen.error(words(problem), advice: nil) }
            screen.text(words(.newWalletText))
            screen.secret(words(.passphrase), isNew: true)
            screen.secret(words(.passphraseAgain), isNew: true)
            screen.button("on", words(.goOn), .main)
            screen.button("back", words(.back))
            return screen
        }
        defer { answer.content.wipe() }
        guard button == "on" else { throw .declined }
        // The script ends each of the two with a line break, which neither has.
        var halves = answer.content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { Array($0) }
        defer { for index in halves.indices { halves[index].wipe() } }
        guard halves.count == 3, halves[0] == halves[1] else {
            problem = .passphrasesDiffer
            return nil
        }
        guard !halves[0].isEmpty else {
            problem = .passphraseEmpty
            return nil
        }
        showWork(words(.newWallet), words(.opening))
        return try Wallet.create(in: store, passphrase: SecretBytes(moving: &halves[0]))
    }

    /// A new wallet is saved before anything is done with it: what it sends could not be sent again without it.
    private func saveFirst(_ store: PageStore) {
        let (button, _) = ask {
            var screen = Screen(words(.saveTitle))
            screen.text(words(.saveText))
            screen.button("save", words(.saveButton), .main)
            screen.button("on", words(.goOn))
            return screen
        }
        if button == "save" { save(store) }
    }

    /// Keeps other pages of this browser out of the wallet. Its salt, which never changes, says which one it is.
    private func takeAlone(_ wallet: [UInt8], isKept: Bool, isFile: Bool) throws(SignerError) {
        let start = wallet.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let name = Hex.encode(SHA256.hash(Array(wallet[start...].prefix(16))).array)
        var answer = Page.ask(
            "alone", [("name", .string(name)), ("isKept", .boolean(isKept)), ("isFile", .boolean(isFile))],
            content: wallet)
        guard answer.text("failure") != nil else { return }
        _ = ask {
            var screen = Screen(words(.errorTitle))
            screen.error(words(.otherTab), advice: words(.otherTabAdvice))
            screen.button("on", words(.goOn), .main)
            return screen
        }
        throw .declined
    }

    private func askForPassphrase(
        _ open: (borrowing SecretBytes) throws(SignerError) -> Wallet
    ) throws(SignerError) -> Wallet {
        var problem: SignerError?
        while true {
            var (button, answer) = ask {
                var screen = Screen(words(.openWallet))
                if let problem {
                    screen.error(words.message(problem, now: clock.now), advice: words.advice(problem))
                }
                screen.secret(words(.passphrase), isNew: false)
                screen.button("on", words(.goOn), .main)
                screen.button("back", words(.back))
                return screen
            }
            defer { answer.content.wipe() }
            guard button == "on" else { throw .declined }
            if answer.content.last == UInt8(ascii: "\n") { answer.content.removeLast() }
            guard !answer.content.isEmpty else { continue }
            showWork(words(.openWallet), words(.opening))
            do { return try open(SecretBytes(moving: &answer.content)) } catch {
                guard case .wrongPassphrase = error else { throw error }
                problem = error
            }
        }
    }
}
