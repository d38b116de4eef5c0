import Documents
import Languages
import RingSignatures
import SignerWallet
import SignerWords

/// Handing in the key, and finding its ring.
extension Session {
    func join(_ roll: RollDescriptor, _ wallet: Wallet) throws(SignerError) {
        let floor = try ask(number: "floor") {
            var screen = Screen(words(.joinTitle, roll.name))
            screen.text(words(.joinText))
            addWarnings(to: &screen, .joinAddress)
            screen.number("floor", words(.fewestInRound), value: Self.usualFloor)
            screen.button("on", words(.goOn), .main)
            screen.button("back", words(.back))
            return screen
        }
        hasActed = true
        showWait(roll, [words(.waitingToOpen, roll.name)])
        let outcome = try wallet.join(
            roll, waits: true, network: network, floor: UInt64(floor), clock: clock, dialogue: joining(roll))
        switch outcome {
        case .joined: tellDone(.homeTitle, [words(.joined, roll.name)])
        case .inTheRoll: tellDone(.homeTitle, [words(.inTheRoll, roll.name)])
        }
    }

    /// The fewest people in a round or ring, unless the person says another number.
    static let usualFloor = 16

    private func joining(_ roll: RollDescriptor) -> JoinDialogue {
        // What was said stays on the screen: people compare the numbers with what the organisers published.
        let said = Said([words(.waitingToOpen, roll.name)])
        return JoinDialogue(
            announce: { roll, size, moment in
                said.lines = [
                    self.words(.roundSize, "\(size.issued)", "\(size.invited)"), self.words(.roundHides),
                    self.words(.joinAt, self.words.language.minute(moment.seconds)),
                ]
                self.showWait(roll, said.lines)
            },
            ask: { risk throws(SignerError) in
                try self.ask(risk)
                self.showWait(roll, said.lines)
            },
            trouble: { error in
                let trouble = self.words(.tryingAgain, self.words.message(error, now: self.clock.now))
                self.showWait(roll, said.lines + [trouble])
            })
    }

    private final class Said: @unchecked Sendable {
        var lines: [String]
        init(_ lines: [String]) { self.lines = lines }
    }

    /// Shows what is waited for, with a button that ends the waiting.
    func showWait(_ roll: RollDescriptor, _ lines: [String]) {
        var screen = Screen(words(.joinTitle, roll.name))
        for line in lines { screen.text(line) }
        screen.button("stop", words(.stop))
        show(screen)
    }

    func findRing(_ roll: RollDescriptor, _ wallet: Wallet) throws(SignerError) {
        var (button, answer) = ask {
            var screen = Screen(words(.findRing))
            screen.heading(roll.name)
            addWarnings(to: &screen, .addressSeen)
            addTimes(to: &screen, withNow: true)
            screen.button("on", words(.goOn), .main)
            screen.button("back", words(.back))
            return screen
        }
        guard button == "on" else { throw .declined }
        let seconds = answer.number("within") ?? 0
        hasActed = true
        if seconds > 0 {
            let moment = clock.moment(within: seconds)
            showWork(words(.findRing), words(.readingAt, words.language.minute(moment.seconds)))
            try wallet.wait(until: moment, clock: clock)
        }
        showWork(words(.findRing), words(.reading))
        let ring = try wallet.learnRing(
            in: roll, network: network, clock: clock, progress: progress(words(.findRing)))
        var lines = [words(.oneOfRing, "\(ring.members)", "\(ring.number)", roll.name)]
        if let fault = ring.fault { lines.append(words(.behindRing, words.message(fault, now: clock.now))) }
        lines.append(words(ring.isOfLargeRoll ? .ringKnown : .ringNotNeeded))
        tellDone(.homeTitle, lines)
    }
}
