import AggregatorService
import Testing

/// When logs of coordinators are read, with a manually moved clock.
@Suite struct ReadingQueueTests {
    private let start = ContinuousClock.now
    private func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test func readingsOfOneLogFollowEachOtherASecondApartAndServeWhoCameBefore() {
        let queue = Held(ReadingQueue<String>())
        #expect(queue.want("roll", waiter: 1, now: at(0)) == at(0))
        // Both before it begins and while it is in progress.
        #expect(queue.want("roll", waiter: 2, now: at(0)) == nil)
        #expect(queue.begin("roll", now: at(0)) == [1, 2])
        #expect(queue.want("roll", waiter: 3, now: at(0)) == nil)
        #expect(queue.end("roll", now: at(0)) == at(1))
        #expect(queue.want("roll", waiter: 4, now: at(1)) == nil)
        #expect(queue.begin("roll", now: at(1)) == [3, 4])
        #expect(queue.end("roll", now: at(5)) == nil)
        #expect(queue.want("roll", waiter: nil, now: at(9)) == at(9))
    }

    @Test func noLogWaitsForAnother() {
        let queue = Held(ReadingQueue<String>())
        _ = queue.want("slow", waiter: 1, now: at(0))
        _ = queue.begin("slow", now: at(0))
        #expect(queue.want("other", waiter: 2, now: at(0)) == at(0))
        #expect(queue.begin("other", now: at(0)) == [2])
    }

    @Test func whoWentAwayIsForgottenAndThereIsRoomAgain() {
        let queue = Held(ReadingQueue<String>())
        for waiter in 0..<ReadingQueue<String>.waiterLimit {
            _ = queue.want("roll", waiter: waiter, now: at(0))
        }
        #expect(!queue.hasRoom(for: "roll"))
        #expect(queue.hasRoom(for: "other"))
        queue.forget(5, of: "roll")
        #expect(queue.hasRoom(for: "roll"))
        #expect(!queue.begin("roll", now: at(0)).contains(5))
    }
}
