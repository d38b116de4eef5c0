import Documents
import LogReading
import Petitions
import Platform
import SignerWallet
import Testing

/// When several plans of one wallet are gone on with, by a clock that a test moves.
@Suite struct SupportAgendaTests {
    /// A clock that is set, and time that passes.
    private final class Time: Sendable {
        private let state = Mutex<(wall: Int64, elapsed: Int64)>((1_790_000_000, 0))
        var clock: SignerClock {
            SignerClock(
                read: { UTCTime(seconds: self.state.withLock { $0.wall }) }, sleep: { _ in },
                // The first moment of each span.
                chance: { _ in 0 }, elapsed: { .seconds(self.state.withLock { $0.elapsed }) })
        }
        func pass(_ seconds: Int64) { state.withLock { $0 = ($0.wall + seconds, $0.elapsed + seconds) } }
        func set(by seconds: Int64) { state.withLock { $0.wall += seconds } }
    }

    private let time = Time()

    /// A plan for a roll whose joining takes a day, for somebody who has enrolled.
    private func enrolled(_ name: String) async throws -> SupportPlan {
        let servers = try MemoryServers(name: name, slug: name)
        let wallet = Wallet.inMemory()
        _ = try plan(name, servers, wallet)
        _ = try await wallet.enrol(servers.invite(), network: servers.network, clock: servers.clock)
        return try #require(try wallet.supportPlans().last)
    }

    /// A plan for a roll whose joining takes a day.
    private func plan(_ name: String) throws -> SupportPlan {
        try plan(name, try MemoryServers(name: name, slug: name), Wallet.inMemory())
    }

    private func plan(_ name: String, _ servers: MemoryServers, _ wallet: Wallet) throws -> SupportPlan {
        try wallet.agree(
            SupportAgreement(
                invitation: servers.invite(), roll: servers.roll, petition: nil, address: nil, ringFloor: 2,
                roundFloor: 2, within: 60, needsProxy: false))
        return try #require(try wallet.supportPlans().last)
    }

    /// What the agenda does, until it waits: "step a", "draw a" or "wait 600".
    private func words(_ move: SupportAgenda.Move?) -> String {
        switch move {
        case .step(let plan): "step \(plan.roll.name)"
        case .draw(let plan): "draw \(plan.roll.name)"
        case .wait(let until, _): "wait \(until.seconds - time.clock.now.seconds)"
        case nil: "nothing"
        }
    }

    /// Something for a plan asks servers now, whatever command it is.
    private func visit(_ plan: SupportPlan, _ agenda: inout SupportAgenda) {
        agenda.note([.roll(plan.roll.link): time.clock.now])
    }

    @Test func aNewPlanDoesNotActNextToAnother() throws {
        let (a, b) = (try plan("a"), try plan("b"))
        var agenda = SupportAgenda(clock: time.clock)
        #expect(words(agenda.next(of: [a])) == "step a")
        agenda.plan(a, at: UTCTime(seconds: time.clock.now.seconds + 50), isDrawn: true)
        visit(a, &agenda)
        // Ten minutes after what the first one did.
        #expect(words(agenda.next(of: [a, b])) == "wait 50")
        time.pass(50)
        #expect(words(agenda.next(of: [a, b])) == "step a")
        agenda.plan(a, at: UTCTime(seconds: time.clock.now.seconds + 90_000), isDrawn: true)
        visit(a, &agenda)
        #expect(words(agenda.next(of: [a, b])) == "wait 550")
        time.pass(550)
        #expect(words(agenda.next(of: [a, b])) == "wait 50")
        time.pass(50)
        #expect(words(agenda.next(of: [a, b])) == "step b")
        // Neither when the program was started again meanwhile.
        var again = SupportAgenda(clock: time.clock)
        again.note([.roll(a.roll.link): UTCTime(seconds: time.clock.now.seconds - 100)])
        #expect(words(again.next(of: [b])) == "wait 500")
        // A clock that was ahead costs ten minutes, however often the wallet is read.
        var ahead = SupportAgenda(clock: time.clock)
        let visits = [Errand.roll(a.roll.link): UTCTime(seconds: time.clock.now.seconds + 100_000)]
        ahead.note(visits)
        #expect(words(ahead.next(of: [b])) == "wait 600")
        time.pass(600)
        ahead.note(visits)
        #expect(words(ahead.next(of: [b])) == "step b")
    }

    @Test func othersKeepClearOfAMomentThatWasDrawn() throws {
        let (a, b) = (try plan("a"), try plan("b"))
        var agenda = SupportAgenda(clock: time.clock)
        agenda.plan(a, at: UTCTime(seconds: time.clock.now.seconds + 300), isDrawn: true)
        agenda.plan(b, at: time.clock.now, isDrawn: false)
        #expect(words(agenda.next(of: [a, b])) == "wait 300")
        #expect(agenda.drawnMoments(beside: b).count == 1 && agenda.drawnMoments(beside: a).isEmpty)
        time.pass(300)
        #expect(words(agenda.next(of: [a, b])) == "step a")
        agenda.plan(a, at: UTCTime(seconds: time.clock.now.seconds + 90_000), isDrawn: false)
        visit(a, &agenda)
        #expect(words(agenda.next(of: [a, b])) == "wait 600")
    }

    @Test func whatWasSleptThroughIsDrawnAgain() async throws {
        let signed = [try await enrolled("a"), try await enrolled("b")]
        #expect(signed.allSatisfy { $0.step == .join })
        var agenda = SupportAgenda(clock: time.clock)
        for plan in signed { agenda.plan(plan, at: UTCTime(seconds: time.clock.now.seconds + 100), isDrawn: true) }
        time.pass(100 + 601)
        #expect(words(agenda.next(of: signed)) == "draw a")
        agenda.plan(signed[0], at: UTCTime(seconds: time.clock.now.seconds + 50), isDrawn: true)
        #expect(words(agenda.next(of: signed)) == "draw b")
        // Two that are a little late are not done at once.
        agenda.plan(signed[1], at: UTCTime(seconds: time.clock.now.seconds + 51), isDrawn: true)
        time.pass(200)
        #expect(words(agenda.next(of: signed)) == "step a")
        agenda.plan(signed[0], at: UTCTime(seconds: time.clock.now.seconds + 90_000), isDrawn: false)
        visit(signed[0], &agenda)
        #expect(words(agenda.next(of: signed)) == "wait 600")
    }

    @Test func aClockThatIsSetKeepsNobodyWaiting() throws {
        let a = try plan("a")
        var agenda = SupportAgenda(clock: time.clock)
        agenda.plan(a, at: UTCTime(seconds: time.clock.now.seconds + 300), isDrawn: true)
        #expect(words(agenda.next(of: [a])) == "wait 300")
        // What was drawn in somebody else's time is drawn again.
        time.set(by: -10 * 86_400)
        #expect(words(agenda.next(of: [a])) == "step a")
        agenda.plan(a, at: UTCTime(seconds: time.clock.now.seconds + 300), isDrawn: false)
        for jump: Int64 in [-10 * 86_400, 20 * 86_400, -365 * 86_400] {
            time.set(by: jump)
            #expect(words(agenda.next(of: [a])) == "wait 300")
        }
        time.pass(300)
        #expect(words(agenda.next(of: [a])) == "step a")
        #expect(words(agenda.next(of: [])) == "nothing")
    }

    @Test func whatWasTakenBackKeepsNobodyWaiting() throws {
        let (a, b) = (try plan("a"), try plan("b"))
        var agenda = SupportAgenda(clock: time.clock)
        agenda.plan(a, at: UTCTime(seconds: time.clock.now.seconds + 100), isDrawn: true)
        agenda.plan(b, at: UTCTime(seconds: time.clock.now.seconds + 200), isDrawn: false)
        #expect(words(agenda.next(of: [a, b])) == "wait 100")
        time.pass(200)
        #expect(words(agenda.next(of: [b])) == "step b")
    }

    @Test func whatWouldBeTooLateDoesNotKeepClear() throws {
        let (a, b) = (try plan("a"), try plan("b"))
        var agenda = SupportAgenda(clock: time.clock)
        let end = UTCTime(seconds: time.clock.now.seconds + 500)
        agenda.plan(b, at: UTCTime(seconds: time.clock.now.seconds + 10), isDrawn: true, until: end)
        visit(a, &agenda)
        time.pass(10)
        #expect(words(agenda.next(of: [b])) == "step b")
        // With room before the end it keeps clear, and is before it.
        agenda.plan(
            b, at: time.clock.now, isDrawn: true, until: UTCTime(seconds: time.clock.now.seconds + 1000))
        #expect(words(agenda.next(of: [b])) == "wait 590")
    }

    /// Whoever looks right after enrolling could be recognised by that, also when the computer was switched off.
    @Test func theFirstLookIsNotNextToTheEnrolment() async throws {
        let plan = try await enrolled("a")
        var agenda = SupportAgenda(clock: time.clock)
        #expect(agenda.earliestLook(for: plan) == nil)
        visit(plan, &agenda)
        let pause = Wallet.pause(of: plan.roll).lowerBound
        #expect(agenda.earliestLook(for: plan)?.seconds == time.clock.now.seconds + pause)
        #expect(pause >= 600)
    }

    /// A coordinator decides how long a visit lasts: what counts is its end. And every command notes its visits.
    @Test func everyVisitIsNotedWhenItBeginsAndEnds() async throws {
        let servers = try MemoryServers()
        let wallet = Wallet.inMemory()
        let start = servers.time
        servers.slowness = 50
        _ = try await wallet.enrol(servers.invite(), network: servers.network, clock: servers.clock)
        let noted = try #require(wallet.visits[.roll(servers.roll.link)])
        #expect(noted.seconds > start + 100 && noted.seconds == servers.time, "\(noted.seconds - start)")
    }

    /// The keys stay the same: a wallet that went through a proxy once goes so for ever.
    @Test func aProxyOutlastsThePlan() throws {
        let (servers, wallet) = (try MemoryServers(), Wallet.inMemory())
        try wallet.checkProxy(isProxied: false)
        try wallet.agree(
            SupportAgreement(
                invitation: servers.invite(), roll: servers.roll, petition: nil, address: nil, ringFloor: 2,
                roundFloor: 2, within: 60, needsProxy: true))
        try wallet.drop(try #require(try wallet.supportPlans().first))
        #expect(try wallet.supportPlans().isEmpty && wallet.needsProxy)
        #expect(throws: SignerError.proxyMissing) { try wallet.checkProxy(isProxied: false) }
        try wallet.checkProxy(isProxied: true)
    }

    @Test func aMomentIsDrawnApartFromOthers() {
        let clock = SignerClock(
            read: { UTCTime(seconds: 0) }, sleep: { _ in }, chance: { SystemChance.below($0) }, elapsed: { .zero })
        let others = [UTCTime(seconds: 1000), UTCTime(seconds: 2000)]
        for _ in 0..<200 {
            let drawn = clock.moment(from: 0, to: 3600, avoiding: others, by: 600).seconds
            #expect((0...400).contains(drawn) || (2600...3600).contains(drawn), "\(drawn)")
        }
        // Where there is no room, it is drawn all the same.
        #expect((0...10).contains(clock.moment(from: 0, to: 10, avoiding: others, by: 5000).seconds))
    }

    private enum SystemChance {
        static func below(_ bound: UInt32) -> UInt32 { .random(in: 0..<bound) }
    }
}
