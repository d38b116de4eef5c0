import CoordinatorService
import Documents
import Testing

/// Phases go on only while the clock of the machine can be believed.
@Suite struct ClockWatchTests {
    private func look(_ watch: inout ClockWatch, wall: Int64, after seconds: Int) -> Int64 {
        watch.look(wall: UTCTime(seconds: wall), steady: 5000 + Int64(seconds))
    }

    @Test func aClockThatIsSetMakesItWait() {
        var watch = ClockWatch(wall: UTCTime(seconds: 1000), steady: 5000)
        #expect(watch.steadySeconds == 0)
        #expect(look(&watch, wall: 1400, after: 400) == 0 && watch.steadySeconds == 400)
        // It is corrected bit by bit.
        #expect(look(&watch, wall: 1660, after: 600) == 0 && watch.steadySeconds == 600)
        // It is a year ahead, and set back.
        let year: Int64 = 365 * 86_400
        #expect(look(&watch, wall: 1661 + year, after: 601) == year && watch.steadySeconds == 0)
        #expect(look(&watch, wall: 1761 + year, after: 701) == 0 && watch.steadySeconds == 100)
        #expect(look(&watch, wall: 1762, after: 702) == -year && watch.steadySeconds == 0)
        // A machine that slept has both clocks later.
        #expect(look(&watch, wall: 90_000, after: 88_940) == 0 && watch.steadySeconds == 88_238)
    }
}
