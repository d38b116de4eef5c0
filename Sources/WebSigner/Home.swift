import Documents
import Languages
import Petitions
import SignerWallet
import SignerWords
import TransparencyLog

/// The wallet, and what can be done with it.
extension Session {
    func home(_ wallet: Wallet, _ store: PageStore) {
        while true {
            let isOver = step(wallet, store)
            if isOver { return }
        }
    }

    /// Shows the wallet, and does what the person chooses. True when they close it.
    private func step(_ wallet: Wallet, _ store: PageStore) -> Bool {
        let rolls: [Wallet.RollSummary]
        let signatures: [Wallet.SignatureSummary]
        do throws(SignerError) {
            rolls = try wallet.rollSummaries()
            signatures = try wallet.signatures()
        } catch {
            tell(error)
            return mayClose(store)
        }
        var (button, answer) = ask { screen(rolls, signatures, wallet, store) }
        let typed = answer.text("pasted") ?? ""
        let parts = button.split(separator: " ").map { String($0) }
        let index = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        switch parts.first {
        case "close": return mayClose(store)
        case "save": save(store)
        case "keep": keep(store)
        case "evidence": attempt { () throws(SignerError) in try saveEvidence(wallet) }
        case "on": attempt { () throws(SignerError) in try go(typed, wallet) }
        case "join" where rolls.indices.contains(index):
            attempt { () throws(SignerError) in try join(rolls[index].roll, wallet) }
        case "ring" where rolls.indices.contains(index):
            attempt { () throws(SignerError) in try findRing(rolls[index].roll, wallet) }
        case "receipt" where signatures.indices.contains(index):
            attempt { () throws(SignerError) in try showReceipt(signatures[index]) }
        case "send" where signatures.indices.contains(index):
            attempt { () throws(SignerError) in try sendAgain(signatures[index], wallet) }
        case "withdraw" where signatures.indices.contains(index):
            attempt { () throws(SignerError) in try withdraw(signatures[index], wallet) }
        default: break
        }
        return false
    }

    private func screen(
        _ rolls: [Wallet.RollSummary], _ signatures: [Wallet.SignatureSummary], _ wallet: Wallet, _ store: PageStore
    ) -> Screen {
        var screen = Screen(words(.homeTitle))
        if let last = wallet.visits.values.max() {
            screen.text(words(.lastUsed, words.language.minute(last.seconds)))
        }
        screen.field("pasted", words(.paste), help: words(.pasteHelp), rows: 3)
        screen.button("on", words(.goOn), .main)
        if rolls.isEmpty { screen.text(words(.noRolls)) }
        for (index, roll) in rolls.enumerated() { add(roll, index, to: &screen) }
        for (index, signature) in signatures.enumerated() { add(signature, index, to: &screen) }
        screen.heading(words(.saveTitle))
        screen.button("save", words(.saveButton))
        screen.button("keep", words(store.isKept ? .forget : .keep))
        screen.text(words(.keepText))
        if store.hasMore { screen.button("evidence", words(.evidence)) }
        screen.button("close", words(.close))
        return screen
    }

    private func add(_ summary: Wallet.RollSummary, _ index: Int, to screen: inout Screen) {
        screen.heading(summary.roll.name)
        screen.facts([
            (words(.rollLink), summary.roll.link.url.text),
            (words(.rollAdmission), words.admission(summary.roll.admission)),
        ])
        switch summary.state {
        case .enrolling: screen.text(words(.stateEnrolling))
        case .waiting(let isSent):
            screen.text(words(isSent ? .stateSent : .stateWaiting))
            screen.button("join \(index)", words(.join), .main)
        case .joined:
            screen.text(words(.stateJoined))
            screen.button("ring \(index)", words(.findRing))
        case .inRing(let number):
            screen.text(words(.stateInRing, "\(number)"))
            screen.button("ring \(index)", words(.findRing))
        }
    }

    private func add(_ summary: Wallet.SignatureSummary, _ index: Int, to screen: inout Screen) {
        screen.heading(summary.manifest.text.title)
        screen.text(state(of: summary))
        if summary.receipt == nil {
            screen.button("send \(index)", words(.sendAgain), .main)
        } else {
            screen.button("receipt \(index)", words(.receipt))
        }
        if summary.withdrawal?.receipt == nil, !summary.isLate {
            screen.button("withdraw \(index)", words(.withdraw), .grave)
        }
    }

    /// What became of a signature.
    func state(of summary: Wallet.SignatureSummary) -> String {
        if summary.withdrawal?.receipt != nil { return words(.stateWithdrawn) }
        guard let receipt = summary.receipt else { return words(.stateUnsent) }
        return words(summary.isLate ? .stateLate : .stateCounted, "\(receipt.inclusion.index)")
    }

    /// Asks, if something was not saved. True if the wallet may be closed.
    private func mayClose(_ store: PageStore) -> Bool {
        let isUnsaved = store.isUnsaved
        guard isUnsaved.wallet || isUnsaved.evidence else { return true }
        let (button, _) = ask {
            var screen = Screen(words(isUnsaved.wallet ? .saveTitle : .evidence))
            if isUnsaved.wallet {
                screen.warning(words(.unsaved))
                screen.text(words(.saveText))
                screen.button("save", words(.saveButton), .main)
            } else {
                screen.warning(words(.unsavedEvidence))
                screen.button("evidence", words(.evidence), .main)
            }
            screen.button("back", words(.back))
            screen.button("close", words(.closeAnyway), .grave)
            return screen
        }
        switch button {
        case "save": save(store)
        case "evidence": saveEvidence(store)
        default: break
        }
        return button == "close"
    }

    /// Keeps the wallet in the browser, until the person takes it back.
    private func keep(_ store: PageStore) {
        var answer = Page.ask("keep", [("unsaved", .string(words(.unsaved)))], content: store[""] ?? [])
        if let failure = answer.text("failure") {
            tell(.errorTitle, [failure == "other" ? words(.keptOther) : words(.keepFailed, failure)])
        } else {
            store.isKept = answer.text("kept") == "yes"
            tell(.saveTitle, [words(store.isKept ? .kept : .forgotten)])
        }
    }

    private func saveEvidence(_ wallet: Wallet) throws(SignerError) {
        let (evidence, _) = try wallet.evidence()
        save(evidence, as: "roundrobin-evidence", suffix: Wallet.evidenceSuffix)
    }
}
