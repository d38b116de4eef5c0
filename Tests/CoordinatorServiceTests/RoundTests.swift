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
    fileprivate func join(_ count: Int) throws {
        let members = (1...count).map { MemberKey(GroupElement.base.multiplied(by: Scalar(UInt64($0)))) }
        for answer in try join(members.map { ("people", $0) }) { #expect(try answer.get() == .pending) }
    }
}
