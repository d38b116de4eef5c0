import Bytes
import Foundation
import LogClient
import Petitions
import Ristretto255
import Sodium
import TransparencyLog

/// How many were issued in a round, against all invited: the crowd that a join hides in.
public struct RoundSize: Equatable, Sendable {
    /// Issued in the signer's round.
    public let issued: UInt64
    /// Invited in all.
    public let invited: UInt64
}

/// What a signer is told, and asked, while it joins.
public struct JoinDialogue: Sendable {
    /// Told about the round, and when the join will be sent, before it waits.
    public let announce: @Sendable (RollDescriptor, RoundSize, UTCTime) -> Void
    /// Asked about a risk; throws to end it.
    public let ask: @Sendable (SignerRisk) throws -> Void

    /// A dialogue with a person, or with nobody.
    public init(
        announce: @escaping @Sendable (RollDescriptor, RoundSize, UTCTime) -> Void,
        ask: @escaping @Sendable (SignerRisk) throws -> Void
    ) {
        self.announce = announce
        self.ask = ask
    }
}

/// What came of joining.
public enum JoinOutcome: Equatable, Sendable {
    /// The key was handed in.
    case joined
    /// The key stood in the roll already: nothing was sent.
    case inTheRoll
}

/// Joining, `Protocol/enrolment.md`: the coordinator must not learn who asks.
extension Wallet {
    /// A clock may be so far behind another.
    private static let clockTolerance: Int64 = 300
    /// For which a log may be shown without an entry, in seconds: caches and slow readers are no liars.
    private static let staleness: Int64 = 900
    private static let shortestWindow = 3600
    /// A join's answer comes when it is on the disk with others: within a minute, and some.
    private static let answerTimeout = Duration.seconds(180)

    /// The roll to join: the one under `link`, or the only one that waits. Each roll is joined by itself, since two
    /// keys that come one after the other are one person's.
    public func rollToJoin(_ link: RollLink?) throws -> RollDescriptor {
        let enrolled = contents.enrolments.filter { $0.token != nil }
        guard !enrolled.isEmpty else { throw SignerError.notEnrolled }
        let waiting = try enrolled.filter { !$0.isJoined }.map { try RollDescriptor(parsing: [UInt8]($0.descriptor)) }
        guard let link else {
            guard waiting.count < 2 else { throw SignerError.severalToJoin(links: waiting.map(\.link.url.text)) }
            guard let roll = waiting.first else { throw SignerError.nothingToJoin }
            return roll
        }
        guard let roll = waiting.first(where: { $0.link == link }) else {
            throw SignerError.nothingToJoinAt(link: link.url.text)
        }
        return roll
    }

    /// Waits until joining is open, by looking now and then at random moments, the first of them not now: whoever
    /// enrols and looks at once could be recognised by it. A server that is away is asked again;
    /// `trouble` is told why it could not be asked.
    public func waitForJoining(
        _ roll: RollDescriptor, network: SignerNetwork, clock: SignerClock = .system,
        trouble: (SignerError) -> Void = { _ in }
    ) async throws {
        while true {
            let longest = max(4, min(21_600, Int64(roll.terms.joiningSeconds) / 4))
            try await clock.wait(
                until: SignerClock.random(from: clock.now.seconds + 1, to: clock.now.seconds + longest))
            do {
                _ = try await look(at: roll, floor: 0, network: network, clock: clock)
                return
            } catch SignerError.joiningNotOpen {
                continue
            } catch let error as SignerError {
                switch error {
                case .unreachable, .refused("busy", _): trouble(error)
                default: throw error
                }
            }
        }
    }

    /// Checks that joining is safe, waits for a random moment in the second half of the joining phase, checks again,
    /// and sends the key over a connection of its own.
    public func join(
        _ roll: RollDescriptor, network: SignerNetwork, floor: UInt64, clock: SignerClock = .system,
        dialogue: JoinDialogue
    ) async throws -> JoinOutcome {
        var isInRoll = true
        let first = try await look(at: roll, floor: floor, network: network, clock: clock)
        if let moment = try plan(first, roll: roll, clock, dialogue) {
            isInRoll = false
            if clock.now < moment {
                try await clock.wait(until: moment)
                // Whoever showed one log then must show it still, on other connections.
                isInRoll = try await look(at: roll, floor: floor, network: network, clock: clock).isInRoll
            }
        }
        if !isInRoll { try await sendJoin(joinBody(roll.id), roll: roll.url, network: network) }
        try remember(roll.id, wasSent: !isInRoll)
        return isInRoll ? .inTheRoll : .joined
    }

    /// Asks about what is odd, and says when the key will be sent; nil where it stands in the roll already.
    private func plan(
        _ sight: JoinSight, roll: RollDescriptor, _ clock: SignerClock, _ dialogue: JoinDialogue
    ) throws -> UTCTime? {
        guard !sight.isInRoll else { return nil }
        for risk in Self.risks(sight, roll: roll, now: clock.now) { try dialogue.ask(risk) }
        let moment = Self.moment(of: sight.state, roll: roll, now: clock.now)
        dialogue.announce(roll, sight.size, moment)
        return moment
    }

    /// A key that stands in the roll already was not sent again: this wallet does not remember that it joined, and will
    /// say so.
    private func remember(_ roll: RollID, wasSent: Bool) throws {
        try change(roll) {
            $0.isJoined = true
            if !wasSent { $0.opening = nil }
        }
    }

    /// A roll in which joining is open, and whose round is this wallet's or a later one.
    private struct JoinSight {
        let isInRoll: Bool
        let state: EnrolmentState
        let opening: WalletContents.Opening
        let size: RoundSize
    }

    private func look(
        at roll: RollDescriptor, floor: UInt64, network: SignerNetwork, clock: SignerClock
    ) async throws -> JoinSight {
        let memory = try memory(of: roll)
        let sight = try await RollSight.look(at: roll, code: memory.code, wallet: self, network: network, clock: clock)
        // The time at the end of the look: a server that stalls must not make it seem earlier.
        return try judge(sight, roll: roll, before: memory, floor: floor, now: clock.now)
    }

    /// What is known before a look.
    private struct LookMemory {
        /// The hash of the own code.
        let code: Bytes32?
        /// Entries of the enrolment log, and when they were seen.
        let size: UInt64?
        let at: UTCTime?
    }

    private func memory(of roll: RollDescriptor) throws -> LookMemory {
        let seen = seen(roll.enrolmentLogKey)
        return LookMemory(
            code: try enrolment(in: roll.id).flatMap { Bytes32($0.codeHash) }, size: seen?.checkpoint.size,
            at: seen?.at)
    }

    /// Whether this wallet may join now.
    private func judge(
        _ sight: RollSight, roll: RollDescriptor, before: LookMemory, floor: UInt64, now: UTCTime
    ) throws -> JoinSight {
        let state = try Self.state(of: sight.replay)
        guard let own = sight.code, let known = try enrolment(in: roll.id) else { throw SignerError.notEnrolled }
        guard let index = own.issueIndex, known.issueIndex ?? index == index else { throw SignerError.issueNotLogged }
        // A join that is refused now would be sent again later, and the two could be linked.
        guard let opening = own.opening, state.isJoining else {
            throw SignerError.joiningNotOpen(issued: state.issuedInRound)
        }
        let opened = UTCTime(seconds: Int64(clamping: state.opened))
        guard opened.seconds - Self.clockTolerance <= now.seconds else {
            throw SignerError.joiningOpensAhead(opened: opened, now: now)
        }
        let lastWithout = before.size ?? .max <= opening.index ? before.at?.seconds : nil
        let remembered =
            known.opening
            ?? WalletContents.Opening(
                index: opening.index, round: opening.round, opened: opening.opened, seenAt: now.seconds,
                lastWithout: lastWithout)
        try change(roll.id) {
            $0.issueIndex = index
            $0.opening = remembered
        }
        guard own.issuedInRound >= floor else {
            throw SignerError.roundTooSmall(issued: own.issuedInRound, floor: floor)
        }
        return JoinSight(
            isInRoll: sight.replay.ledger.ring(of: publicKey(in: roll.id)) != nil, state: state,
            opening: remembered, size: RoundSize(issued: own.issuedInRound, invited: state.invited))
    }

    /// Where the enrolment stands, by two logs that keep every rule.
    private static func state(of replay: RollReplay) throws -> EnrolmentState {
        if let fault = replay.membersFault {
            throw SignerError.entryInvalid(log: replay.descriptor.membersKey.name, index: fault.index, fault.rule)
        }
        guard let enrolment = replay.enrolment else { throw SignerError.rollMismatch }
        if let fault = enrolment.fault {
            throw SignerError.entryInvalid(log: replay.descriptor.enrolmentLogKey.name, index: fault.index, fault.rule)
        }
        // The members log was read first: every seal in it names what the enrolment log had by then.
        let rings = replay.ledger.rings
        guard enrolment.goodSeals == rings.count else {
            throw SignerError.entryInvalid(
                log: replay.descriptor.membersKey.name, index: rings[enrolment.goodSeals].sealIndex,
                enrolment.sealFault?.rule ?? .enrolmentExceeded)
        }
        return enrolment.state
    }

    /// What is odd about how this wallet came to see that joining is open. The moments are those of the first sight,
    /// whenever it asks again.
    private static func risks(_ sight: JoinSight, roll: RollDescriptor, now: UTCTime) -> [SignerRisk] {
        var risks: [SignerRisk] = []
        let (opened, window) = (Int64(clamping: sight.state.opened), Int64(roll.terms.joiningSeconds))
        let opening = sight.opening
        if let last = opening.lastWithout, last - staleness > Int64(clamping: opening.opened) {
            risks.append(
                .lateLog(opened: UTCTime(seconds: Int64(clamping: opening.opened)), seen: UTCTime(seconds: last)))
        }
        // Whoever was kept from joining until the window was over would join alone, whenever it first saw the opening.
        let isOver = now.seconds - staleness - window > opened
        if window > 0, opening.seenAt - window / 2 > opened || opening.round != sight.state.round || isOver {
            risks.append(
                .lateNotice(opened: UTCTime(seconds: opened), now: isOver ? now : UTCTime(seconds: opening.seenAt)))
        }
        if window < shortestWindow { risks.append(.shortWindow(seconds: Int(window))) }
        return risks
    }

    /// A moment drawn uniformly from the second half of the window, or from what is left of it.
    private static func moment(of state: EnrolmentState, roll: RollDescriptor, now: UTCTime) -> UTCTime {
        let (opened, window) = (Int64(clamping: state.opened), Int64(roll.terms.joiningSeconds))
        return SignerClock.random(from: max(now.seconds, opened + window / 2), to: opened + window)
    }

    /// Joins over connections that were not used for anything else.
    private func sendJoin(_ body: [UInt8], roll: ServiceURL, network: SignerNetwork) async throws {
        let url = roll.text + "/join"
        let answer = try await network.fresh { connection in
            try await connection.post(
                url, body: body, contentType: "application/json", limit: Self.answerLimit, timeout: Self.answerTimeout)
        }
        guard answer.status == 202 || answer.status == 200 else { throw Self.refusal(answer) }
    }

    @inline(never)
    private func joinBody(_ roll: RollID) throws -> [UInt8] {
        guard let token = try enrolment(in: roll)?.token else { throw SignerError.notEnrolled }
        let body = JSONValue.object([
            ("member", .string(Base64.encode(publicKey(in: roll).encoding.array))),
            ("token", .string(Base64.encode(token))),
        ])
        return Array(body.text(isPretty: false).utf8)
    }
}
