import CoordinatorService
import Documents
import Foundation
import Messages
import Petitions
import Platform
import RingSignatures
import Ristretto255
import Testing
import VOPRF

/// Rounds of a roll on a real database, with a manually moved clock.
@Suite struct RoundTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "rounds-\(UUID().uuidString)").path
    private let time = Time()

    /// The clock of the test.
    private final class Time: Sendable {
        private let seconds = Mutex<Int64>(1_790_000_000)
        var now: UTCTime { UTCTime(seconds: seconds.withLock { $0 }) }
        func move(_ by: Int64) { seconds.withLock { $0 += by } }
    }

    private func coordinator(window: Int = 3600) throws -> Coordinator {
        let clock = WallClock { [time] in time.now }
        let coordinator = try Coordinator.initialise(
            folder: folder, name: "Town", url: try #require(ServiceURL("https://coordinator.example.org")), clock: clock
        )
        _ = try coordinator.createRoll(
            slug: "people", name: "People",
            terms: RollTerms(ringCapacity: 16, minimumRing: 2, joiningSeconds: window))
        return coordinator
    }

    private func until(_ body: () throws -> some Any) -> UTCTime? {
        do { _ = try body() } catch CoordinatorError.joiningTakesTime(let until, _, _) { return until } catch {}
        return nil
    }

    @Test func joiningIsOpenedOnlyWhenEnoughHaveEnrolled() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let coordinator = try coordinator()
        #expect(throws: CoordinatorError.tooFew(have: 0, need: 2)) { try coordinator.openJoining(roll: "people") }
        #expect(throws: CoordinatorError.wrongPhase(isJoining: false)) { try coordinator.seal(roll: "people") }
    }

    @Test func joiningTakesTheTimeThatTheDescriptorSays() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let coordinator = try coordinator()
        try coordinator.enrol(2)
        let opened = time.now.seconds
        _ = try coordinator.openJoining(roll: "people")
        #expect(until { try coordinator.openIssuing(roll: "people") } == UTCTime(seconds: opened + 3600))
        time.move(3599)
        #expect(until { try coordinator.seal(roll: "people") } == UTCTime(seconds: opened + 3600))
        time.move(1)
        #expect(throws: CoordinatorError.tooFew(have: 0, need: 2)) { try coordinator.seal(roll: "people") }
        #expect(try coordinator.openIssuing(roll: "people") == 1)
    }

    @Test func phasesWaitForASteadyClock() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let coordinator = try coordinator()
        try coordinator.setSchedule(roll: "people", RoundSchedule(crowd: 2, atLeast: 60, atMost: 60))
        try coordinator.enrol(2)
        time.move(60)
        for seconds in [0, 599] { #expect(try coordinator.stepRounds(steadySeconds: seconds).isEmpty) }
        #expect(try coordinator.stepRounds(steadySeconds: 600).count == 1)
    }

    @Test func phasesFollowEachOtherByThemselves() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let coordinator = try coordinator()
        func changes() throws -> [Coordinator.RoundChange] { try coordinator.stepRounds().map(\.change) }
        // Nothing happens by itself unless somebody wants it to.
        try coordinator.enrol(3)
        time.move(1_000_000)
        #expect(try changes() == [])
        try coordinator.setSchedule(roll: "people", RoundSchedule(crowd: 4, atLeast: 600, atMost: 1800))
        // The first round is old enough for less than the crowd.
        #expect(try changes() == [.joiningOpened(round: 0, issued: 3)])
        #expect(try changes() == [])
        try coordinator.join(1)
        time.move(3600 + 299)
        #expect(try changes() == [])
        time.move(1)
        #expect(try changes() == [.joiningProlonged(round: 0, pending: 1)])
        #expect(try changes() == [])
        time.move(3900)
        #expect(try changes() == [.joiningProlonged(round: 0, pending: 1)])
        time.move(3900)
        #expect(try changes() == [.joiningProlonged(round: 0, pending: 1)])
        time.move(3900)
        // Nobody is sealed alone: who waits goes on waiting.
        #expect(try changes() == [.issuingOpened(round: 1)])
        time.move(10_000)
        #expect(try changes() == [])
        try coordinator.enrol(4)
        time.move(599)
        #expect(try changes() == [])
        time.move(1)
        #expect(try changes() == [.joiningOpened(round: 1, issued: 4)])
        try coordinator.join(5)
        time.move(3900)
        #expect(try changes() == [.sealed([5], round: 2)])
        #expect(try changes() == [])
    }

    @Test func aServerThatWasOffGoesOnWhereItWas() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let coordinator = try coordinator()
        try coordinator.setSchedule(roll: "people", RoundSchedule(crowd: 2, atLeast: 600, atMost: 1800))
        try coordinator.enrol(2)
        // A clock that is put back does not make the round wait for it.
        time.move(-100_000)
        try coordinator.enrol(1)
        time.move(600)
        #expect(try coordinator.stepRounds().map(\.change) == [.joiningOpened(round: 0, issued: 3)])
        time.move(86_400)
        var found: [Coordinator.RoundChange] = []
        for _ in 0..<6 {
            found += try coordinator.stepRounds().map(\.change)
            // However long the server was off, joining lasts from now on.
            #expect(try coordinator.stepRounds().isEmpty)
            time.move(3900)
        }
        let prolonged = Coordinator.RoundChange.joiningProlonged(round: 0, pending: 0)
        #expect(found == [prolonged, prolonged, prolonged, .issuingOpened(round: 1)])
    }

    @Test func manyAtOnceDoEachStepOnce() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let first = try coordinator()
        try first.setSchedule(roll: "people", RoundSchedule(crowd: 2, atLeast: 0, atMost: 0))
        let clock = WallClock { [time] in time.now }
        // As several processes: each opens the database for itself.
        let all = try (0..<6).map { _ in try Coordinator(folder: folder, clock: clock) }
        func changes() async throws -> [Coordinator.RoundChange] {
            try await withThrowingTaskGroup(of: [Coordinator.RoundChange].self) { group in
                for coordinator in all { group.addTask { try coordinator.stepRounds().map(\.change) } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
        }
        for round in 0..<4 {
            try first.enrol(2)
            #expect(try await changes() == [.joiningOpened(round: UInt32(round), issued: 2)])
            try first.join(2, from: 2 * round + 1)
            time.move(4000)
            #expect(try await changes() == [.sealed([2], round: UInt32(round) + 1)])
        }
    }

    @Test func whenAllHaveJoinedNobodyIsWaitedFor() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let coordinator = try coordinator()
        try coordinator.enrol(2)
        _ = try coordinator.openJoining(roll: "people")
        try coordinator.join(2)
        #expect(try coordinator.seal(roll: "people") == [2])
        #expect(try coordinator.openIssuing(roll: "people") == 1)
    }
}

extension Coordinator {
    /// Enrols `count` people in the roll `people`.
    fileprivate func enrol(_ count: Int) throws {
        var links: [InvitationLink] = []
        let list = try PeopleList(Array(("name\n" + (0..<count).map { "person \($0)\n" }.joined()).utf8))
        try invite(roll: "people", list.people, isAgain: true) { links = $0 }
        for link in links {
            let blinded = BlindedElement(GroupElement.base.multiplied(by: Scalar(UInt64.random(in: 1...(.max)))))
            _ = try issue(roll: "people", code: link.code, blinded: blinded)
        }
    }

    /// Submits `count` keys.
    fileprivate func join(_ count: Int, from first: Int = 1) throws {
        let members = (first..<first + count).map { MemberKey(GroupElement.base.multiplied(by: Scalar(UInt64($0)))) }
        for answer in try join(members.map { ("people", $0) }) { #expect(try answer.get() == .pending) }
    }
}
