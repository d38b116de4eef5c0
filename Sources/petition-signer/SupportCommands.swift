import ArgumentParser
import CommandSupport
import Documents
import DurableFiles
import Messages
import Petitions
import Platform
import RingSignatures
import SignerWallet

struct Support: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Enrol, join, wait and sign, all in one command.",
        discussion: """
            It takes days, in which the computer may be switched off: petition-signer continue goes on. Nothing is signed \
            that you did not see.

              petition-signer support 'https://union.example/rolls/everybody-2027#3AYCE96ME5ZY708N72MWEWYZTJB' \\
                https://count.example/petitions/0123…cdef --proxy socks5://127.0.0.1:9050
            """)
    @OptionGroup var at: WalletOptions
    @OptionGroup var net: NetworkOptions
    @OptionGroup var risks: RiskOptions
    @OptionGroup var pace: SupportPace
    @Option(help: "Refuse rings with fewer members.") var minimumRing = 16
    @Option(help: "Refuse rounds in which fewer enrolled.") var minimumRound: UInt64 = 16
    @Flag(help: "Do not ask: you have read everything.") var yes = false
    @Flag(help: "Let the system go on by itself after a restart (a systemd user timer).") var installTimer = false
    @Option(
        help: ArgumentHelp("For the timer: a file with the passphrase; without it, the keyring.", valueName: "file"))
    var passphraseFile: String?
    @Argument(help: "The link from your invitation.") var link: String
    @Argument(help: "The petition's address; without it, you only become a member.") var petition: String?

    func validate() throws {
        guard installTimer || passphraseFile == nil else {
            throw ValidationError("--passphrase-file goes with --install-timer")
        }
    }

    func run() async throws {
        let url = try petition.map { try AddressText.petition($0).url }
        let invitation = try InvitationText.invitation(link, code: "")
        let network = try net.network()
        let roll = try await Wallet.show(invitation.roll, network: network)
        var manifest: PetitionManifest?
        if let url { manifest = try await Wallet.show(url, network: network) }
        if let manifest { try SupportText.check(manifest, roll) }
        Terminal.show(SupportText.before(manifest, roll, floor: minimumRing, isProxied: network.isProxied))
        if installTimer {
            try SupportTimer.check(passphraseFile: passphraseFile, net: net)
            Terminal.show(SupportTimer.cost(passphraseFile: passphraseFile))
        }
        try Terminal.ask(
            manifest == nil ? "Become a member of this roll?" : "Support this petition?", isAgreed: yes,
            hint: "read what is shown above, then add --yes")
        let wallet = try at.openOrCreate()
        try wallet.agree(
            SupportAgreement(
                invitation: invitation, roll: roll, petition: manifest, address: url, ringFloor: minimumRing,
                roundFloor: minimumRound, needsProxy: network.isProxied))
        if installTimer {
            try SupportTimer.install(
                wallet: at.path, passphraseFile: passphraseFile, net: net, risks: risks, within: pace.within)
        }
        try await SupportRun(at: at, wallet: wallet, network: network, risks: risks, pace: pace).run()
    }
}

struct Continue: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "continue", abstract: "Go on with what you agreed to with support.",
        discussion: """
            It can be stopped and started again at any time, also from cron; started twice, the second ends at once.

              petition-signer continue --passphrase-fd 3 3<passphrase-file
            """)
    @OptionGroup var at: WalletOptions
    @OptionGroup var net: NetworkOptions
    @OptionGroup var risks: RiskOptions
    @OptionGroup var pace: SupportPace

    func run() async throws {
        let wallet = try at.open()
        try await SupportRun(at: at, wallet: wallet, network: try net.network(), risks: risks, pace: pace).run()
    }
}

/// How long things wait.
struct SupportPace: ParsableArguments {
    @Option(help: "Sign at a random moment within this time after the ring is found: 90s, 30m, 6h.")
    var within = WaitingTime(.seconds(3600))
}

/// Does what was agreed to, one step after the other, until nothing is left.
final class SupportRun {
    private let wallet: Wallet
    private let network: SignerNetwork
    private let risks: RiskOptions
    private let within: WaitingTime
    private let lockPath: String
    private let clock = SignerClock.system
    /// How often each plan was looked at without anything new.
    private var looks: [String: Int] = [:]
    /// When each plan is looked at next.
    private var due: [String: UTCTime] = [:]
    /// The plans whose next moment was drawn for what they do then: to join, or to send. Others keep clear of it.
    private var drawn: Set<String> = []
    /// Attempts to join.
    private var attempts: [String: JoinAttempt] = [:]

    init(at: WalletOptions, wallet: Wallet, network: SignerNetwork, risks: RiskOptions, pace: SupportPace) {
        (self.wallet, self.network, self.risks, within) = (wallet, network, risks, pace.within)
        lockPath = DurableFile.target(of: at.path) + ".continue.lock"
    }

    func run() async throws {
        do {
            let lock = try FileLock(path: lockPath)
            try await goOn()
            extendLifetime(lock)
        } catch let failure as FileLock.Failure {
            guard case .held = failure else { throw failure }
            print("Another petition-signer goes on with this wallet already. Leave it running.")
        }
    }

    private func goOn() async throws {
        try wallet.checkProxy(isProxied: network.isProxied)
        let plans = try wallet.supportPlans()
        guard !plans.isEmpty else { return print("Nothing was agreed to: see petition-signer support.") }
        // Never right after the start: whoever sees this computer come on would know what asks.
        for plan in plans where plan.step != .enrol {
            due[plan.key] = plan.step == .send ? sendingMoment(plan) : try next(plan)
        }
        var stopped: [String: UserError] = [:]
        while true {
            let open = try wallet.supportPlans().filter { !$0.step.isFinal && stopped[$0.key] == nil }
            // A key is handed in once, however many petitions wait for it.
            let ready = open.filter { plan in
                plan.step != .join || open.first { $0.step == .join && $0.roll.id == plan.roll.id }?.key == plan.key
            }
            guard let plan = ready.min(by: { due[$0.key] ?? clock.now < due[$1.key] ?? clock.now }) else { break }
            if let error = obstacle(to: plan) {
                stopped[plan.key] = error
                continue
            }
            if let time = due[plan.key], time > clock.now {
                try await wait(until: time, SupportText.waiting(for: plan, isDrawn: drawn.contains(plan.key)))
                due[plan.key] = clock.now
            }
            if !drawn.contains(plan.key), let moment = soonDrawn(beside: plan, open) {
                due[plan.key] = apart(from: moment, plan)
                continue
            }
            if plan.stopped != nil { try wallet.stop(plan, because: nil) }
            drawn.remove(plan.key)
            do {
                due[plan.key] = try await step(plan)
                // What one plan just did must not be seen next to what another does: both would be known for one's.
                for other in open where other.key != plan.key && !drawn.contains(other.key) {
                    due[other.key] = max(due[other.key] ?? clock.now, apart(from: clock.now, other))
                }
            } catch {
                due[plan.key] = try later(plan, error)
                if due[plan.key] == nil { stopped[plan.key] = try stop(plan, error) }
            }
        }
        try report(stopped)
    }

    /// How far apart the steps of two plans are at least and at most, in seconds.
    private static let (shortestApart, longestApart) = (600, 3600)

    /// A moment for a plan that is not next to `time`.
    private func apart(from time: UTCTime, _ plan: SupportPlan) -> UTCTime {
        let drawn = clock.moment(within: Self.longestApart - Self.shortestApart).seconds - clock.now.seconds
        return beforeClosing(plan, UTCTime(seconds: time.seconds + Int64(Self.shortestApart) + drawn), least: 1)
    }

    /// The moment, or an earlier one at least so many seconds from now, if the plan's petition would close before.
    private func beforeClosing(_ plan: SupportPlan, _ moment: UTCTime, least: Int64) -> UTCTime {
        guard plan.step == .sign || plan.step == .send, let petition = plan.petition else { return moment }
        let left = petition.text.closes.seconds - Wallet.beforeClosing - clock.now.seconds
        return min(moment, UTCTime(seconds: clock.now.seconds + max(least, left / 2)))
    }

    /// When another plan has something to do soon at a moment that was drawn for it; nil if none has.
    private func soonDrawn(beside plan: SupportPlan, _ open: [SupportPlan]) -> UTCTime? {
        let soon = UTCTime(seconds: clock.now.seconds + Int64(Self.shortestApart))
        return open.filter { $0.key != plan.key && drawn.contains($0.key) }.compactMap { due[$0.key] }
            .filter { $0 < soon }.max()
    }

    /// Why a plan does not go on now; nil if it does.
    private func obstacle(to plan: SupportPlan) -> UserError? {
        guard let stopped = plan.stopped, !Terminal.canAsk, risks.despite.isEmpty else { return nil }
        return UserError(.refused, stopped, hint: "look at it, and run this at a terminal")
    }

    /// What became of everything. What needs its owner ends the program with that error.
    private func report(_ stopped: [String: UserError]) throws {
        for plan in try wallet.supportPlans() {
            guard let error = stopped[plan.key] else {
                print(SupportText.line(plan))
                continue
            }
            Terminal.show("\(SupportText.name(plan)): \(error.message).")
        }
        guard let error = stopped.values.first else { return }
        throw UserError(
            error.exitStatus, error.message,
            hint: (error.hint.map { "\($0); " } ?? "") + "then: petition-signer continue")
    }

    /// Takes note of what a plan's owner must look at, so that nothing is repeated without them.
    private func stop(_ plan: SupportPlan, _ error: any Error) throws -> UserError {
        let words =
            (error as? UserError) ?? PetitionSigner.userError(for: error)
            ?? UserError(.undecided, "unexpected: \(type(of: error))")
        try wallet.stop(plan, because: words.message)
        return words
    }

    /// When a plan is tried again after an error; nil if its owner must do something first.
    private func later(_ plan: SupportPlan, _ error: any Error) throws -> UTCTime? {
        guard let error = error as? SignerError else { return nil }
        if error.endsPlan {
            try wallet.end(plan, because: SignerErrorText.about(error).message)
            Terminal.show("\(SupportText.name(plan)): \(SignerErrorText.about(error).message).")
            return clock.now
        }
        guard error.isWaitedFor else { return nil }
        if case .unreachable = error { Terminal.show("\(SignerErrorText.about(error).message); trying again later") }
        looks[plan.key, default: 0] += 1
        return try next(plan)
    }

    /// A random moment for the next look: later and later, if nothing comes of it, but before a petition closes.
    private func next(_ plan: SupportPlan) throws -> UTCTime {
        let pause = Wallet.pause(of: plan.roll)
        let fruitless = Int64(max(0, (looks[plan.key] ?? 0) - Self.manyLooks)) * 30
        let least = pause.lowerBound + min(fruitless, 1800)
        let spread = Int(clamping: pause.upperBound - pause.lowerBound)
        let moment = UTCTime(seconds: clock.moment(within: spread).seconds + least)
        return beforeClosing(plan, moment, least: least)
    }

    /// After so many looks in a row that showed nothing, they become rarer.
    private static let manyLooks = 30

    /// Does the next step of a plan. Returns when it is looked at again.
    private func step(_ plan: SupportPlan) async throws -> UTCTime {
        var next: UTCTime?
        switch plan.step {
        case .enrol: try await enrol(plan)
        case .join: next = try await join(plan)
        case .findRing: try await findRing(plan)
        case .sign:
            try await sign(plan)
            next = sendingMoment(plan)
        case .send: try await send(plan)
        case .done, .ended: break
        }
        looks[plan.key] = 0
        return try next ?? self.next(plan)
    }

    /// When the record of a plan is sent: apart from the reading, and from the start of this program.
    private func sendingMoment(_ plan: SupportPlan) -> UTCTime? {
        drawn.insert(plan.key)
        return plan.petition.flatMap { Wallet.announcedMoment(within, for: $0, action: "continue") } ?? clock.now
    }

    private func enrol(_ plan: SupportPlan) async throws {
        let roll = try await wallet.enrol(
            try wallet.invitation(of: plan), expecting: plan.roll, network: network
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
            ask: { try risks.ask($0) },
            trouble: { FileStream.error.write("\(SignerErrorText.about($0).message); trying again later\n") })
        var attempt = attempts.removeValue(forKey: plan.key) ?? JoinAttempt()
        let progress = try await wallet.goOnJoining(
            &attempt, roll, network: network, floor: plan.roundFloor, dialogue: dialogue)
        switch progress {
        case .waits(let moment):
            attempts[plan.key] = attempt
            drawn.insert(plan.key)
            return moment
        case .ended(.joined): print("Joined \"\(roll.name)\". \(SupportText.sealOutlook(roll))")
        case .ended(.inTheRoll): print("Your key is in \"\(roll.name)\" already: nothing was sent.")
        }
        return nil
    }

    private func findRing(_ plan: SupportPlan) async throws {
        let roll = plan.roll
        let ring = try await wallet.learnRing(in: roll, network: network)
        try wallet.end(plan, because: nil)
        print("You are one of \(ring.members) members of ring \(ring.number) of \"\(roll.name)\".")
    }

    private func sign(_ plan: SupportPlan) async throws {
        guard let address = plan.address, let petition = plan.petition else { return }
        let bar = ProgressBar()
        defer { bar.finish() }
        let signable: SignablePetition
        do {
            signable = try await wallet.prepare(
                address, network: network, ringFloor: plan.ringFloor, progress: bar.progress)
        } catch let error as SignerError {
            switch error {
            case .ringNotKnown, .ringOutgrown: break
            default: throw error
            }
            // The roll is large: its ring is learned at another time than it is used.
            _ = try await wallet.learnRing(in: plan.roll, network: network, progress: bar.progress)
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
        if let sent = try await wallet.submitAgain(address, network: network) {
            return print(try Sign.words(for: sent))
        }
        let signable = try await wallet.prepare(address, network: network, ringFloor: plan.ringFloor)
        for risk in signable.risks { try risks.ask(risk) }
        print(try Sign.words(for: try await wallet.submit(signable, network: network)))
    }

    /// Waits, and says for what: on a terminal in a line that is kept new, elsewhere once.
    private func wait(until time: UTCTime, _ what: String) async throws {
        let line = WaitingLine(what)
        let ticker = Task {
            while !Task.isCancelled {
                line.show(secondsLeft: time.seconds - UTCTime.now.seconds)
                try await Task.sleep(for: .seconds(1))
            }
        }
        defer {
            ticker.cancel()
            line.finish()
        }
        try await wallet.wait(until: time, clock: clock)
    }
}

extension SupportPlan {
    /// What distinguishes it from the others of a wallet.
    var key: String { "\(roll.id.hex) \(petition?.id.hex ?? "")" }
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
