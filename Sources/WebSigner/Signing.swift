import Documents
import Languages
import Petitions
import SignerWallet
import SignerWords

/// Looking at a petition, and signing it.
extension Session {
    func lookAtPetition(_ url: ServiceURL, _ wallet: Wallet) throws(SignerError) {
        showWork(words(.petitionTitle), words(.reading))
        let petition = try Wallet.show(url, network: network)
        // Also of whoever goes back: the aggregator saw that somebody looked.
        defer { hasActed = true }
        // What was made once is sent only when the person says so again.
        if let signed = try wallet.signatures().first(where: { $0.manifest.id == petition.id }) {
            return try sendAgain(signed, at: url, wallet)
        }
        try sign(url, floor: try askFloor(petition), wallet)
    }

    /// Shows a petition, and asks for the fewest members of a ring to sign in.
    private func askFloor(_ petition: PetitionManifest) throws(SignerError) -> Int {
        try ask(number: "floor") {
            var screen = Screen(words(.petitionTitle))
            screen.heading(petition.text.title)
            add(petition, to: &screen)
            addWarnings(to: &screen, .addressSeen)
            screen.number("floor", words(.fewestInRing), value: Self.usualFloor)
            screen.button("on", words(.lookAtRing), .main)
            screen.button("back", words(.back))
            return screen
        }
    }

    /// A petition as the person must see it.
    private func add(_ petition: PetitionManifest, to screen: inout Screen) {
        let text = petition.text
        screen.quote(text.statement, language: text.language)
        var facts = [(words(.startedBy), text.startedBy), (words(.addressedTo), text.addressedTo)]
        if let website = text.website { facts.append((words(.website), website)) }
        let language = words.language
        facts += [
            (words(.isOpen), words(.fromTo, language.minute(text.opens.seconds), language.minute(text.closes.seconds))),
            (words(.firstGoal), language.number(UInt64(text.goal))),
        ]
        for roll in petition.rolls { facts.append((words(.rollName), roll.label ?? roll.url.bare)) }
        screen.facts(facts + [(words(.id), petition.id.hex)])
    }

    private func sign(_ url: ServiceURL, floor: Int, _ wallet: Wallet) throws(SignerError) {
        hasActed = true
        showWork(words(.signTitle), words(.reading))
        let signable = try wallet.prepare(
            url, network: network, ringFloor: floor, clock: clock, progress: progress(words(.signTitle)))
        for risk in signable.risks { try ask(risk) }
        let within = try agree(signable, floor: floor)
        showWork(words(.signTitle), words(.sending))
        _ = try wallet.record(for: signable)
        try wait(within, signable.manifest, wallet)
        tell(try wallet.submit(signable, network: network, clock: clock))
    }

    /// Shows what stays visible, and asks. Returns within how many seconds the record is sent.
    private func agree(_ signable: SignablePetition, floor: Int) throws(SignerError) -> Int {
        var (button, answer) = ask {
            var screen = Screen(words(.signTitle))
            screen.heading(signable.manifest.text.title)
            add(signable.manifest, to: &screen)
            let (lines, tables) = words.beforeSigning(signable, floor: floor)
            for line in lines { screen.text(line) }
            for table in tables { screen.table(table) }
            screen.facts([(words(.fewestInRing), "\(floor)")])
            screen.text(words(isProxied ? .addressHidden : .addressSeen))
            addTimes(to: &screen, withNow: !signable.isOfLargeRoll)
            screen.button("on", words(.sign), .main)
            screen.button("back", words(.back))
            return screen
        }
        guard button == "on" else { throw .declined }
        return answer.number("within") ?? 0
    }

    /// Waits for a random moment, but not beyond the end of a petition.
    private func wait(_ seconds: Int, _ petition: PetitionManifest, _ wallet: Wallet) throws(SignerError) {
        guard seconds > 0 else { return }
        let now = clock.now.seconds
        let left = petition.text.closes.seconds - SupportPlan.beforeClosing - now
        guard left > 0 else { return showWork(words(.signTitle), words(.closesSoon)) }
        let moment = clock.moment(from: now, to: now + min(Int64(seconds), left))
        showWork(words(.signTitle), words(.sendingAt, words.language.minute(moment.seconds)))
        try wallet.wait(until: moment, clock: clock)
        showWork(words(.signTitle), words(.sending))
    }

    private func tell(_ submission: Submission) {
        let line =
            switch submission {
            case .counted(let index): words(.counted, "\(index)")
            case .countedBefore(let index): words(.countedBefore, "\(index)")
            case .late(let index, let seen): words(.late, "\(index)", words.language.minute(seen.seconds))
            }
        tellDone(.receiptTitle, [line])
    }

    func sendAgain(_ summary: Wallet.SignatureSummary, _ wallet: Wallet) throws(SignerError) {
        try wallet.checkProxy(isProxied: isProxied)
        try sendAgain(summary, at: summary.manifest.logURL(aggregator: summary.aggregator), wallet)
    }

    /// Sends a record that was made before, once the person agrees to that.
    private func sendAgain(
        _ summary: Wallet.SignatureSummary, at url: ServiceURL, _ wallet: Wallet
    ) throws(SignerError) {
        let isLarge = try wallet.unsentRecord(under: summary.manifest.id)?.isOfLargeRoll ?? false
        var (button, answer) = ask {
            var screen = Screen(words(.sendAgain))
            screen.heading(summary.manifest.text.title)
            screen.text(state(of: summary))
            addWarnings(to: &screen, .addressSeen)
            addTimes(to: &screen, withNow: !isLarge)
            screen.button("on", words(.sendAgain), .main)
            screen.button("back", words(.back))
            return screen
        }
        guard button == "on" else { throw .declined }
        hasActed = true
        showWork(words(.sendAgain), words(.sending))
        try wait(answer.number("within") ?? 0, summary.manifest, wallet)
        if let sent = try wallet.submitAgain(url, network: network, clock: clock) { return tell(sent) }
        // It was counted before, by another record of this wallet: that must be checked as before a signature.
        try sign(url, floor: try askFloor(summary.manifest), wallet)
    }

    func withdraw(_ summary: Wallet.SignatureSummary, _ wallet: Wallet) throws(SignerError) {
        try wallet.checkProxy(isProxied: isProxied)
        var (button, answer) = ask {
            var screen = Screen(words(.withdrawTitle))
            screen.heading(summary.manifest.text.title)
            screen.warning(words(.withdrawText))
            addWarnings(to: &screen, .addressSeen)
            addTimes(to: &screen, withNow: true)
            screen.button("back", words(.back), .main)
            screen.button("on", words(.withdraw), .grave)
            return screen
        }
        guard button == "on" else { throw .declined }
        hasActed = true
        showWork(words(.withdraw), words(.sending))
        try wait(answer.number("within") ?? 0, summary.manifest, wallet)
        let line =
            switch try wallet.withdraw(summary.manifest.id, network: network, clock: clock) {
            case .counted(let index), .countedBefore(let index): words(.withdrawn, "\(index)")
            case .late(let index, let seen):
                words(.withdrawnLate, "\(index)", words.language.minute(seen.seconds))
            }
        tellDone(.receiptTitle, [line])
    }
}
