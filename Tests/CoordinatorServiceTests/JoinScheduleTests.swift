import CoordinatorService
import Testing

/// When joins are written, with a manually moved clock.
@Suite struct JoinScheduleTests {
    private let start = ContinuousClock.now
    private func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test func intervalsEndWhetherAnybodyJoinsOrNot() {
        let schedule = Held(JoinSchedule(now: at(0), every: .seconds(60)))
        #expect(schedule.due == at(60))
        #expect(schedule.receive() == .waits)
        #expect(!schedule.step(now: at(59)))
        #expect(schedule.step(now: at(60)))
        #expect(schedule.due == at(120))
        #expect(schedule.step(now: at(121)))
        // A join does not start a new interval.
        #expect(schedule.due == at(181))
        #expect(schedule.receive() == .waits)
        #expect(schedule.due == at(181))
    }

    @Test func withoutAnIntervalEachIsWrittenAtOnce() {
        let schedule = Held(JoinSchedule(now: at(0), every: .zero))
        #expect(schedule.receive() == .commit)
        #expect(schedule.due == at(1))
    }

    @Test func nothingWaitsAfterTheServerWasToldToStop() {
        let schedule = Held(JoinSchedule(now: at(0), every: .seconds(60)))
        #expect(schedule.receive() == .waits)
        schedule.stop()
        #expect(schedule.receive() == .commit)
    }

    @Test func noMoreWaitThanThereIsRoomFor() {
        let schedule = Held(JoinSchedule(now: at(0), every: .seconds(60)))
        for _ in 0..<JoinSchedule.limit { #expect(schedule.receive() == .waits) }
        #expect(schedule.receive() == .refused)
        schedule.take()
        #expect(schedule.receive() == .waits)
    }
}
