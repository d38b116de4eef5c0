import Bytes
import Documents
import LogReading
import Messages
import Petitions
import Ristretto255
import Sodium
import TransparencyLog
import VOPRF

/// How many tokens were issued in a round, and how many people were invited in all: the crowd in which a join hides.
public struct RoundSize: Equatable, Sendable {
    /// How many were issued in the signer's round.
    public let issued: UInt64
    /// How many were invited in all.
    public let invited: UInt64
}

/// What a person is told, and asked, while joining.
public struct JoinDialogue: Sendable {
    /// Called before waiting, with the round's size and when the join will be sent.
    public let announce: @Sendable (RollDescriptor, RoundSize, UTCTime) -> Void
    /// Called to ask about a risk; throws to end joining.
    public let ask: @Sendable (SignerRisk) throws(SignerError) -> Void
    /// Called with the reason why something must be tried again later.
    public let trouble: @Sendable (SignerError) -> Void

    /// A dialogue with a person, or with nobody.
    public init(
        announce: @escaping @Sendable (RollDescriptor, RoundSize, UTCTime) -> Void,
        ask: @escaping @Sendable (SignerRisk) throws(SignerError) -> Void,
        trouble: @escaping @Sendable (SignerError) -> Void = { _ in }
    ) {
        self.announce = announce
        self.ask = ask
        self.trouble = trouble
    }
}

/// The result of joining.
public enum JoinOutcome: Equatable, Sendable {
    /// The key was sent and accepted.
    case joined
    /// The key was already in the roll: nothing was sent.
    case inTheRoll
}

/// Joining, `Protocol/enrolment.md`: the coordinator must not learn who joins.
extension Wallet {
    /// How far one clock may be behind another, in seconds.
    private static let clockTolerance: Int64 = 300
    /// How long a log may be shown without an entry, in seconds: caches and slow readers are not liars.
    private static let staleness: Int64 = 900
    private static let shortestWindow = 3600
    /// How long an open roll may be shown without a new entry, in seconds: ten minutes, and time for clocks and caches.
    private static let openStep: Int64 = 600 + staleness
    /// How old the last look may be when the key is sent, in seconds.
    private static let freshness: Int64 = 120
    /// How often the key is sent when no answer comes.
    private static let sendingAttempts = 4
    /// The answer to a join comes once it is on disk together with others: within little more than a minute.
    private static let answerTimeout = Duration.seconds(180)

    /// The roll to join: the one under `link`, or the only one that waits. Each roll is joined separately, since two
    /// keys that arrive one after the other belong to one person. With its link, a key that was accepted can be sent
    /// again: the coordinator may have lost it, or only claimed to accept it.
    public func rollToJoin(_ link: RollLink?) throws(SignerError) -> RollDescriptor {
        let enrolled = contents.enrolments.filter { $0.token != nil }
        guard !enrolled.isEmpty else { throw .notEnrolled }
        func rolls(_ enrolments: [WalletContents.Enrolment]) throws(SignerError) -> [RollDescriptor] {
            try enrolments.map { enrolment throws(SignerError) in try self.rolls(enrolment.descriptor) }
        }
        let waiting = try rolls(enrolled.filter { $0.isWaiting })
        guard let link else {
            guard waiting.count < 2 else { throw .severalToJoin(links: waiting.map { $0.link.url.text }) }
            guard let roll = waiting.first else { throw .nothingToJoin }
            return roll
        }
        guard let roll = try rolls(enrolled).first(where: { $0.link == link }) else {
            throw .nothingToJoinAt(link: link.url.text, waiting: waiting.map { $0.link.url.text })
        }
        return roll
    }

    /// Checks that joining is safe, waits for a random moment in the second half of the joining phase, checks again,
    /// and sends the key over a separate connection. Temporary failures are retried while the phase lasts. With
    /// `waits`, it first waits until joining is open.
    public func join(
        _ roll: RollDescriptor, waits: Bool = false, network: SignerNetwork, floor: UInt64,
        clock: SignerClock, dialogue: JoinDialogue
    ) async throws(SignerError) -> JoinOutcome {
        try checkProxy(isProxied: network.isProxied)
        guard beginsToJoin() else { throw .joinsAlready }
        var sight =
            waits
            ? try await waitForJoining(roll, floor: floor, network: network, clock: clock, dialogue)
            : nil
        // Whoever starts it again wants it to be sent again.
        try change(roll.id) { $0.joinSendings = 0 }
        var attempt = JoinAttempt()
        while true {
            let progress = try await goOn(
                &attempt, sight, roll, network: network, floor: floor, clock: clock, dialogue)
            switch progress {
            case .waits(let moment): try await wait(until: moment, clock: clock)
            case .ended(let outcome): return outcome
            }
            sight = nil
        }
    }

    /// Does what can be done now of an attempt to join, which is the same as in
    /// ``join(_:waits:network:floor:clock:dialogue:)``.
    public func goOnJoining(
        _ attempt: inout JoinAttempt, _ roll: RollDescriptor, network: SignerNetwork, floor: UInt64,
        clock: SignerClock, dialogue: JoinDialogue
    ) async throws(SignerError) -> JoinProgress {
        try checkProxy(isProxied: network.isProxied)
        guard beginsToJoin() else { throw .joinsAlready }
        return try await goOn(&attempt, nil, roll, network: network, floor: floor, clock: clock, dialogue)
    }

    private func goOn(
        _ attempt: inout JoinAttempt, _ seen: JoinSight?, _ roll: RollDescriptor, network: SignerNetwork,
        floor: UInt64, clock: SignerClock, _ dialogue: JoinDialogue
    ) async throws(SignerError) -> JoinProgress {
        // A computer that was asleep is as late as one that waited.
        if let trouble = attempt.trouble, let end = attempt.retries?.end, clock.now.seconds > end { throw trouble }
        attempt.trouble = nil
        if let kept = try enrolment(in: roll.id)?.joinMoment?.at,
            (kept...kept + SignerClock.lateness).contains(clock.now.seconds)
        {
            // Whatever keeps the key from being sent now, it was not slept through.
            attempt.isDue = true
        }
        try begin(.roll(roll.link), network: network, clock: clock)
        defer { end(.roll(roll.link), clock: clock) }
        let sight: JoinSight
        do {
            // A coordinator that showed a log before must still show it, on other connections.
            sight = try await lookUnlessSeen(seen, at: roll, floor: floor, network: network, clock: clock)
        } catch { return try again(&attempt, after: error, clock: clock, dialogue) }
        guard case .open(let round) = sight else { return .ended(try found(roll.id)) }
        let lookedAt = clock.now
        attempt.agreed = try ask(about: round, roll: roll, now: lookedAt, dialogue, except: attempt.agreed)
        let window = Int64(roll.terms.joiningSeconds)
        attempt.retries = (Int64(clamping: round.state.opened) + window, max(1, min(600, window / 20)))
        let (chosen, isNew) = try joinMoment(of: round.state, roll: roll, clock: clock, attempt)
        if isNew || !attempt.isAnnounced { dialogue.announce(roll, round.size, chosen) }
        attempt.isAnnounced = true
        guard clock.now >= chosen else { return .waits(until: chosen) }
        // A question may have waited days for its answer: then everything is first checked again.
        guard clock.now.seconds - lookedAt.seconds <= Self.freshness else { return .waits(until: clock.now) }
        let sendings = try enrolment(in: roll.id)?.joinSendings ?? 0
        guard sendings < Self.sendingAttempts else { throw .joinUnanswered(link: roll.link.url.text) }
        do { try await send(roll, network: network) } catch {
            guard sendings + 1 < Self.sendingAttempts else { throw error }
            // The next tries are spread over what is left: a server may be busy for an hour.
            if let (end, longest) = attempt.retries {
                attempt.retries = (end, max(longest, (end - clock.now.seconds) / Int64(Self.sendingAttempts)))
            }
            return try again(&attempt, after: error, clock: clock, dialogue)
        }
        return .ended(.joined)
    }

    private func lookUnlessSeen(
        _ seen: JoinSight?, at roll: RollDescriptor, floor: UInt64, network: SignerNetwork, clock: SignerClock
    ) async throws(SignerError) -> JoinSight {
        if let seen { return seen }
        return try await look(at: roll, floor: floor, network: network, clock: clock)
    }

    /// When a temporary failure is tried again: at a random moment, as long as others join. Throws what is none.
    private func again(
        _ attempt: inout JoinAttempt, after error: SignerError, clock: SignerClock, _ dialogue: JoinDialogue
    ) throws(SignerError) -> JoinProgress {
        guard error.isPassing, let (end, longest) = attempt.retries else { throw error }
        let next = clock.moment(from: clock.now.seconds + max(1, longest / 4), to: clock.now.seconds + longest)
        guard next.seconds < end else { throw error }
        attempt.trouble = error
        dialogue.trouble(error)
        return .waits(until: next)
    }

    /// Waits until joining is open, by looking at random moments, the first of which is not now: a signer that enrols
    /// and looks immediately could be recognised by that. A server that is unreachable, or shows something odd, is
    /// asked again.
    private func waitForJoining(
        _ roll: RollDescriptor, floor: UInt64, network: SignerNetwork, clock: SignerClock, _ dialogue: JoinDialogue
    ) async throws(SignerError) -> JoinSight {
        let longest = max(4, min(21_600, Int64(roll.terms.joiningSeconds) / 4))
        while true {
            let now = clock.now.seconds
            try await wait(until: clock.moment(from: now + max(1, longest / 8), to: now + longest), clock: clock)
            try begin(.roll(roll.link), network: network, clock: clock)
            defer { end(.roll(roll.link), clock: clock) }
            do { return try await look(at: roll, floor: floor, network: network, clock: clock) } catch {
                guard error.isBearable else { throw error }
                // Not an error: this is what the signer waits for.
                if case .joiningNotOpen = error { continue }
                dialogue.trouble(error)
            }
        }
    }

    /// Asks about what is odd, unless it was already agreed to. Returns everything that is now agreed to.
    private func ask(
        about round: OpenRound, roll: RollDescriptor, now: UTCTime, _ dialogue: JoinDialogue,
        except agreed: Set<SignerRisk.Name>
    ) throws(SignerError) -> Set<SignerRisk.Name> {
        let risks = oddities(of: [roll.key]) + Self.risks(round, roll: roll, now: now)
        for risk in risks where !agreed.contains(risk.name) { try dialogue.ask(risk) }
        forgetOldStates(of: [roll.key])
        return agreed.union(risks.map { $0.name })
    }

    /// The result when the key is already in the roll and is not sent again. If it was never sent from here, this
    /// wallet does not know how it got there, and will say so.
    private func found(_ roll: RollID) throws(SignerError) -> JoinOutcome {
        try change(roll) { $0.joining = $0.joining == .sending || $0.joining == .sent ? .sent : .found }
        return .inTheRoll
    }

    /// Sends the key. Without an answer, the coordinator may or may not have it: the same is sent again, but not
    /// forever, since each attempt reveals that the computer with this key is on.
    private func send(_ roll: RollDescriptor, network: SignerNetwork) async throws(SignerError) {
        let body = try joinBody(roll.id)
        // Stored before sending: if the answer is lost, the wallet must know later how its key got into the roll.
        try change(roll.id) {
            $0.joining = .sending
            $0.joinSendings = ($0.joinSendings ?? 0) + 1
        }
        try await sendJoin(body, roll: roll.url, network: network)
        try change(roll.id) { $0.joining = .sent }
    }

    /// What a look at the roll shows about joining.
    private enum JoinSight {
        /// The key is in the roll.
        case inRoll
        /// The key is not in the roll, and joining is open.
        case open(OpenRound)
    }

    /// A round in which joining is open, this wallet's or a later one.
    private struct OpenRound {
        let state: EnrolmentState
        let opening: WalletContents.Opening
        let size: RoundSize
    }

    private func look(
        at roll: RollDescriptor, floor: UInt64, network: SignerNetwork, clock: SignerClock
    ) async throws(SignerError) -> JoinSight {
        let sight = try await RollSight.look(at: roll, wallet: self, network: network, clock: clock)
        return try judge(sight, roll: roll, floor: floor, now: clock.now)
    }

    /// Decides whether this wallet may join now. Throws why not.
    private func judge(
        _ sight: RollSight, roll: RollDescriptor, floor: UInt64, now: UTCTime
    ) throws(SignerError) -> JoinSight {
        let state = try Self.state(of: sight.replay)
        if sight.code.issueIndex == nil, roll.admission.isOpen, !state.isJoining,
            let issuedAt = try enrolment(in: roll.id)?.issuedAt, now.seconds - issuedAt <= Self.openStep
        {
            // The next step of the log has it: later it would be in a round of the coordinator's choice.
            throw .joiningNotOpen(issued: state.issuedInRound)
        }
        guard let index = sight.code.issueIndex, let known = try enrolment(in: roll.id), known.issueIndex == index
        else { throw .issueNotLogged }
        if sight.replay.ledger.ring(of: publicKey(in: roll.id)) != nil { return .inRoll }
        // A join that is refused now would be sent again later, and the two could be linked.
        guard state.isJoining, let opening = known.opening else {
            throw known.opening == nil
                ? SignerError.joiningNotOpen(issued: state.issuedInRound) : SignerError.joiningClosed
        }
        let opened = UTCTime(seconds: Int64(clamping: state.opened))
        guard opened.seconds - Self.clockTolerance <= now.seconds else {
            throw .joiningOpensAhead(opened: opened, now: now)
        }
        let issued = sight.code.issuedInRound
        guard issued >= floor else { throw .roundTooSmall(issued: issued, floor: floor) }
        return .open(
            OpenRound(
                state: state, opening: opening, size: RoundSize(issued: issued, invited: state.invited - state.voided)))
    }

    /// The state of the enrolment, from two logs that must keep every rule.
    private static func state(of replay: RollReplay) throws(SignerError) -> EnrolmentState {
        if let fault = replay.membersFault {
            throw .entryInvalid(log: replay.descriptor.membersKey.name, index: fault.index, fault.rule)
        }
        guard let enrolment = replay.enrolment else { throw .rollMismatch }
        if let fault = enrolment.faultAtEnd {
            throw .entryInvalid(log: replay.descriptor.enrolmentLogKey.name, index: fault.index, fault.rule)
        }
        // The members log was read first: every seal in it names a size that the enrolment log had by then.
        let rings = replay.ledger.rings
        guard enrolment.goodSeals == rings.count else {
            throw .entryInvalid(
                log: replay.descriptor.membersKey.name, index: rings[enrolment.goodSeals].sealIndex,
                enrolment.sealFault?.rule ?? .enrolmentExceeded)
        }
        return enrolment.state
    }

    /// What is odd about how this wallet learned that joining is open. The times are those of the first sight, however
    /// often the wallet looks again.
    private static func risks(_ round: OpenRound, roll: RollDescriptor, now: UTCTime) -> [SignerRisk] {
        var risks: [SignerRisk] = []
        let window = Int64(roll.terms.joiningSeconds)
        let opening = round.opening
        let opened = UTCTime(seconds: Int64(clamping: opening.opened))
        if let last = opening.lastWithout, last - staleness > opened.seconds {
            risks.append(.lateLog(opened: opened, seen: UTCTime(seconds: last)))
        }
        if window > 0, opening.seenAt - window / 2 > opened.seconds {
            risks.append(.lateNotice(opened: opened, seen: UTCTime(seconds: opening.seenAt)))
        }
        if opening.round != round.state.round {
            risks.append(.laterRound(own: opening.round, open: round.state.round))
        }
        // A signer kept from joining until then would join alone, whenever it first saw the opening.
        let end = UTCTime(seconds: Int64(clamping: round.state.opened) + window)
        if window > 0, now.seconds - clockTolerance > end.seconds { risks.append(.windowOver(end: end, now: now)) }
        if window < shortestWindow { risks.append(.shortWindow(seconds: Int(window))) }
        return risks
    }

    /// Sends the join over a connection that was not used for anything else.
    private func sendJoin(_ body: [UInt8], roll: ServiceURL, network: SignerNetwork) async throws(SignerError) {
        let url = roll.text + "/join"
        let request = OutgoingRequest(
            url, content: .init(body, type: "application/json"), limit: Self.answerLimit, timeout: Self.answerTimeout)
        let answer = try await network.fresh { connection async throws(SignerError) in
            try await connection.ask(request)
        }
        guard answer.status == 202 || answer.status == 200 else { throw Self.refusal(answer) }
        // An arbitrary page with a success status is not an answer to a join.
        guard Self.isJoinAnswer(answer) else {
            throw .unreachable(location: url, reason: .notToJoin)
        }
    }

    private static func isJoinAnswer(_ answer: HTTPAnswer) -> Bool {
        switch try? JoinAnswer(parsing: answer.body) {
        case .pending: answer.status == 202
        case .sealed: answer.status == 200
        case nil: false
        }
    }

    @inline(never)
    private func joinBody(_ roll: RollID) throws(SignerError) -> [UInt8] {
        guard let bytes = try enrolment(in: roll)?.token.flatMap({ Bytes32($0) }),
            let token = try? EnrolmentToken(decoding: bytes)
        else { throw .notEnrolled }
        return Array(JoinRequest(member: publicKey(in: roll), token: token).json.utf8)
    }
}
