import CommandSupport
import Documents
import DurableFiles
import Petitions
import RingSignatures
import SignerWallet

/// Does what was agreed to, one step after the other, until nothing is left.
final class SupportRun {
    private let at: WalletOptions
    private let wallet: Wallet
    private let network: SignerNetwork
    private let risks: RiskOptions
    private let within: WaitingTime?
    private let lockPath: String
    private let clock = SignerClock.system
    private var agenda: SupportAgenda
    /// How often each plan was looked at without anything new.
    private var looks: [String: Int] = [:]
    /// Attempts to join.
    private var attempts: [String: JoinAttempt] = [:]
    /// What keeps plans from going on in this run.
    private var stopped: [String: UserError] = [:]
    /// Plans that have nothing to do in this run.
    private var over: Set<String> = []
    /// What is waited for, as it was said last.
    private var line: WaitingLine?

    init(at: WalletOptions, wallet: Wallet, network: SignerNetwork, risks: RiskOptions, pace: SupportPace) {
        self.at = at
        (self.wallet, self.network, self.risks, within) = (wallet, network, risks, pace.within)
        agenda = SupportAgenda(clock: clock)
        lockPath = DurableFile.target(of: at.path) + ".continue.lock"
    }

    /// Goes on. With `isNews`, this call brings something that a process which goes on already does not know.
    func run(isNews: Bool = false) async throws {
        do {
            let lock = try FileLock(path: lockPath)
            try await goOn()
            extendLifetime(lock)
        } catch let failure as FileLock.Failure {
            guard case .held = failure else { throw failure }
            guard !isNews, risks.despite.isEmpty else {
                throw UserError(
                    .refused, "another petition-signer goes on with this wallet, without the options given here",
                    hint: "what you agreed to is stored: stop the other one, then: \(SupportText.goOn(at, wallet))")
            }
            print("Another petition-signer goes on with everything in this wallet. Leave it running.")
        }
    }

    private func goOn() async throws {
        try wallet.checkProxy(isProxied: network.isProxied)
        guard try !wallet.supportPlans().isEmpty else {
            return print("Nothing was agreed to: see petition-signer support.")
        }
        while let move = try nextMove() {
            switch move {
            case .wait(let time, let plan): try await wait(until: time, for: plan)
            case .draw(let plan): try draw(plan)
            case .step(let plan):
                // Something may have been begun through a proxy meanwhile.
                try wallet.checkProxy(isProxied: network.isProxied)
                if let error = obstacle(to: plan) {
                    stopped[plan.key] = error
                } else {
                    try await goOn(with: plan)
                }
            }
        }
        try report()
    }

    /// The next move. Other commands may have used the wallet, and servers may have put off their ends.
    private func nextMove() throws -> SupportAgenda.Move? {
        agenda.note(wallet.visits)
        return agenda.next(of: try openPlans())
    }

    /// The plans that may go on. One that was agreed to again meanwhile is among them.
    private func openPlans() throws -> [SupportPlan] {
        try wallet.supportPlans().filter { plan in
            if plan.stopped == nil { stopped[plan.key] = nil }
            return !plan.step.isFinal && stopped[plan.key] == nil && !over.contains(plan.key)
        }
    }

    /// Draws the next moment of a plan that has none: never right after the start, nor when the computer wakes up,
    /// since whoever sees that would know what asks.
    private func draw(_ plan: SupportPlan) throws {
        attempts[plan.key] = nil
        if plan.step == .send { return try drawSending(plan, most: SignerClock.afterSleep) }
        let longest = max(1, min(SignerClock.afterSleep, Wallet.pause(of: plan.roll).upperBound))
        let first = max(clock.now.seconds + 1, agenda.earliestLook(for: plan)?.seconds ?? 0)
        agenda.plan(plan, at: clock.moment(from: first, to: first + longest), isDrawn: false)
    }

    private func goOn(with plan: SupportPlan) async throws {
        if plan.stopped != nil { try wallet.stop(plan, because: nil) }
        do {
            try await step(plan)
            looks[plan.key] = 0
        } catch {
            attempts[plan.key] = nil
            try takeNote(of: error, plan)
        }
    }

    /// Why a plan does not go on now; nil if it does.
    private func obstacle(to plan: SupportPlan) -> UserError? {
        guard let stopped = plan.stopped, !Terminal.canAsk else { return nil }
        if let risk = plan.stoppedByRisk, risks.despite.contains(risk) { return nil }
        return UserError(.refused, stopped, hint: "look at it, and run this at a terminal")
    }

    /// What became of everything. What needs its owner ends the program with that error.
    private func report() throws {
        for plan in try wallet.supportPlans() where !over.contains(plan.key) {
            guard let error = stopped[plan.key] else {
                print(SupportText.line(plan))
                continue
            }
            Terminal.show("\(SupportText.name(plan)): \(error.message).")
        }
        guard let plan = try wallet.supportPlans().first(where: { stopped[$0.key] != nil }),
            let error = stopped[plan.key]
        else { return }
        let go = SupportText.goOn(at, wallet)
        throw UserError(
            error.exitStatus, error.message,
            hint: (error.hint.map { "\($0); " } ?? "") + "then: \(go); or: \(SupportText.drop(plan, at))")
    }

    /// Decides how a plan goes on after an error: later, not in this run, never, or once its owner has looked at it.
    private func takeNote(of error: any Error, _ plan: SupportPlan) throws {
        guard let error = error as? SignerError else { return try stop(plan, error) }
        let words = SignerErrorText.about(error).message
        if error.endsPlan {
            try wallet.end(plan, because: words)
            return Terminal.show("\(SupportText.name(plan)): \(words).")
        }
        if case .petitionClosed(let closes) = error {
            // For good only when no clock that is ahead can be the reason.
            if clock.now.seconds > closes.seconds + Self.surelyClosed { try wallet.end(plan, because: words) }
            over.insert(plan.key)
            return Terminal.show("\(SupportText.name(plan)): \(words).")
        }
        guard error.isWaitedFor else { return try stop(plan, error) }
        if case .unreachable = error { Terminal.show("\(words); trying again later") }
        looks[plan.key, default: 0] += 1
        agenda.plan(plan, at: next(plan), isDrawn: false)
    }

    /// How long after its end a petition is closed even if this computer's clock is wrong, in seconds.
    private static let surelyClosed: Int64 = 7 * 86_400

    /// Takes note of what a plan's owner must look at, so that nothing is repeated without them.
    private func stop(_ plan: SupportPlan, _ error: any Error) throws {
        let words =
            (error as? UserError) ?? PetitionSigner.userError(for: error)
            ?? UserError(.undecided, "unexpected: \(type(of: error))")
        var risk: SignerRisk.Name?
        if case .notAgreed(let found) = error as? SignerError { risk = found.name }
        // What a server says ends with a full stop, and is part of a sentence here.
        let message = words.message.hasSuffix(".") ? String(words.message.dropLast()) : words.message
        try wallet.stop(plan, because: message, risk: risk)
        stopped[plan.key] = UserError(words.exitStatus, message, hint: words.hint)
    }

    /// A random moment for the next look: later and later, if nothing comes of it, but before a petition closes.
    private func next(_ plan: SupportPlan) -> UTCTime {
        let pause = Wallet.pause(of: plan.roll)
        let fruitless = Int64(max(0, (looks[plan.key] ?? 0) - Self.manyLooks)) * 30
        let least = pause.lowerBound + min(fruitless, 1800)
        let spread = Int(clamping: pause.upperBound - pause.lowerBound)
        let moment = UTCTime(seconds: clock.moment(within: spread).seconds + least)
        return plan.beforeClosing(moment, least: least, clock: clock)
    }

    /// After so many looks in a row that showed nothing, they become rarer.
    private static let manyLooks = 30

    /// Does the next step of a plan, and says when it is looked at again.
    private func step(_ plan: SupportPlan) async throws {
        switch plan.step {
        case .enrol: try await enrol(plan)
        case .join:
            if let moment = try await join(plan) {
                return agenda.plan(plan, at: moment, isDrawn: true, until: attempts[plan.key]?.end)
            }
        case .findRing: try await findRing(plan)
        case .sign:
            try await sign(plan)
            return try drawSending(plan)
        case .send: try await send(plan)
        case .done, .ended: break
        }
        agenda.plan(plan, at: next(plan), isDrawn: false)
    }

    /// When the record of a plan is sent: apart from the reading, from the start of this program, and from what is done
    /// for others.
    private func drawSending(_ plan: SupportPlan, most: Int64 = .max) throws {
        guard let petition = plan.petition else { return }
        let seconds = min(within?.seconds ?? plan.within, Int(clamping: most))
        let moment = Wallet.announcedMoment(
            WaitingTime(.seconds(seconds)), for: petition, action: "continue",
            avoiding: agenda.drawnMoments(beside: plan), by: Wallet.distance(of: plan.roll).lowerBound)
        agenda.plan(plan, at: moment ?? clock.now, isDrawn: true)
    }

    private func enrol(_ plan: SupportPlan) async throws {
        let roll = try await wallet.enrol(
            try wallet.invitation(of: plan), expecting: plan.roll, network: network, clock: clock
        ) { own, others in
            for line in RollSizeText.enrolling(own, others) { Terminal.show(line) }
        }
        try wallet.forgetInvitation(of: plan)
        let round = await Wallet.round(of: roll, network: network)
        print("Enrolled in \"\(roll.name)\". \(SupportText.outlook(roll, round, now: clock.now))")
    }

    /// Goes on with joining. Returns when that is gone on with; nil when it is done.
    private func join(_ plan: SupportPlan) async throws -> UTCTime? {
        let roll = plan.roll
        let risks = risks
        let dialogue = JoinDialogue(
            announce: { roll, size, moment in
                Terminal.show("\"\(roll.name)\": \(size.issued) enrolled in your round. Joining at \(moment).")
            },
            ask: { risk throws(SignerError) in try risks.ask(risk) },
            trouble: { FileStream.error.write("\(SignerErrorText.about($0).message); trying again later\n") })
        var attempt =
            attempts.removeValue(forKey: plan.key)
            ?? JoinAttempt(
                avoiding: agenda.drawnMoments(beside: plan), by: Wallet.distance(of: roll).lowerBound)
        let progress = try await wallet.goOnJoining(
            &attempt, roll, network: network, floor: plan.roundFloor, clock: clock, dialogue: dialogue)
        switch progress {
        case .waits(let moment):
            attempts[plan.key] = attempt
            return moment
        case .ended(.joined): print("Joined \"\(roll.name)\". \(SupportText.sealOutlook(roll))")
        case .ended(.inTheRoll): print("Your key is in \"\(roll.name)\" already: nothing was sent.")
        }
        return nil
    }

    private func findRing(_ plan: SupportPlan) async throws {
        let roll = plan.roll
        let ring = try await wallet.learnRing(in: roll, network: network, clock: clock)
        try wallet.end(plan, because: nil)
        print("You are one of \(ring.members) members of ring \(ring.number) of \"\(roll.name)\".")
    }

    private func sign(_ plan: SupportPlan) async throws {
        guard let address = plan.address, let petition = plan.petition else { return }
        let bar = ProgressBar()
        defer { bar.finish() }
        let signable: SignablePetition
        do throws(SignerError) {
            signable = try await wallet.prepare(
                address, as: plan.roll.id, network: network, ringFloor: plan.ringFloor, clock: clock,
                progress: bar.progress)
        } catch {
            switch error {
            case .ringNotKnown, .ringOutgrown: break
            default: throw error
            }
            // The roll is large: its ring is learned at another time than it is used.
            _ = try await wallet.learnRing(in: plan.roll, network: network, clock: clock, progress: bar.progress)
            throw SignerError.ringNotSealedYet
        }
        bar.finish()
        // The address ends in the id, so another text has another address; but what was agreed to is what counts.
        guard signable.manifest.note == petition.note else {
            throw SignerError.documentMismatch(location: address.text)
        }
        for risk in signable.risks { try risks.ask(risk) }
        _ = try wallet.record(for: signable)
        print("You are one of \(signable.ring.members.count) members of ring \(signable.ring.number): signing.")
    }

    private func send(_ plan: SupportPlan) async throws {
        guard let address = plan.address else { return }
        if let sent = try await wallet.submitAgain(address, network: network, clock: clock) {
            return print(try Sign.words(for: sent))
        }
        let signable = try await wallet.prepare(
            address, as: plan.roll.id, network: network, ringFloor: plan.ringFloor, clock: clock)
        for risk in signable.risks { try risks.ask(risk) }
        print(try Sign.words(for: try await wallet.submit(signable, network: network, clock: clock)))
    }

    /// Waits, and says for what: on a terminal in a line that is kept new, elsewhere once.
    private func wait(until time: UTCTime, for plan: SupportPlan) async throws {
        let words = SupportText.waiting(for: plan, isDrawn: attempts[plan.key] != nil)
        if line?.what != words { line = WaitingLine(words) }
        let line = line
        let ticker = Task {
            while !Task.isCancelled {
                line?.show(secondsLeft: time.seconds - UTCTime.now.seconds)
                try await Task.sleep(for: .seconds(1))
            }
        }
        defer {
            ticker.cancel()
            line?.finish()
        }
        try await wallet.wait(until: time, clock: clock)
    }
}

extension SupportPlan.Step {
    /// Whether nothing comes after it.
    var isFinal: Bool {
        switch self {
        case .done, .ended: true
        case .enrol, .join, .findRing, .sign, .send: false
        }
    }
}
