import Messages
import ServiceHTTP
import Testing

/// How much work is demanded, with a manually moved clock.
@Suite struct ProofOfWorkDemandTests {
    private let start = ContinuousClock.now

    private func demand() -> Held<ProofOfWorkDemand> {
        Held(
            ProofOfWorkDemand(now: start, interval: .seconds(5)) {
                [UInt8](repeating: .random(in: 0...255), count: ProofOfWorkChallenge.seedCount)
            })
    }

    private func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test func aFewWrongProofsCostNobodyAnything() {
        let demand = demand()
        for second in 0..<60 {
            demand.found(wrong: [UInt64](repeating: 0, count: ProofOfWorkDemand.tolerated), now: at(2 * second))
        }
        #expect(demand.challenge() == nil)
    }

    @Test func oneBitMoreIsAskedForWhileTooManyCameForEnough() throws {
        let demand = demand()
        demand.found(wrong: [0, 0, 0, 0, 0], now: at(0))
        #expect(demand.challenge()?.bits == ProofOfWorkDemand.firstBits)
        // These were sent before any work was demanded.
        demand.found(wrong: [0, 0, 0, 0, 0, 0, 0, 0], now: at(1))
        #expect(demand.bits == 10)
        demand.found(wrong: [10, 10, 10, 10, 10], now: at(3))
        #expect(demand.bits == 11)
        demand.found(wrong: [UInt64](repeating: 30, count: 5), now: at(5))
        #expect(demand.bits == 12)
    }

    @Test func itNeverAsksForMoreThanTheMost() {
        let demand = demand()
        for second in 0..<100 { demand.found(wrong: [UInt64](repeating: 60, count: 5), now: at(2 * second)) }
        #expect(demand.bits == ProofOfWorkChallenge.maximumBits)
    }

    @Test func itFallsByABitForEachCalmTimeAndThenToNothing() {
        let demand = demand()
        // `calm` is 20 seconds here.
        #expect(demand.machine.calm == .seconds(20))
        for second in 0..<4 { demand.found(wrong: [UInt64](repeating: 60, count: 5), now: at(2 * second)) }
        #expect(demand.bits == 13)
        demand.step(now: at(6 + 19))
        #expect(demand.bits == 13)
        demand.step(now: at(6 + 20))
        #expect(demand.bits == 12)
        demand.step(now: at(6 + 100))
        #expect(demand.bits == ProofOfWorkDemand.firstBits)
        demand.step(now: at(6 + 140))
        #expect(demand.bits == ProofOfWorkDemand.firstBits)
        demand.step(now: at(6 + 141))
        #expect(demand.challenge() == nil)
    }

    @Test func wrongRecordsThatPaidLessKeepItFromFalling() {
        let demand = demand()
        for second in 0..<3 { demand.found(wrong: [UInt64](repeating: 60, count: 5), now: at(2 * second)) }
        #expect(demand.bits == 12)
        for second in stride(from: 10, through: 200, by: 10) {
            demand.found(wrong: [0, 0, 0, 0, 0], now: at(second))
            #expect(demand.bits == 12)
        }
    }

    @Test func aSeedIsTakenForAsLongAgainAsItIsGivenOut() throws {
        let demand = demand()
        demand.found(wrong: [0, 0, 0, 0, 0], now: at(0))
        let first = try #require(demand.challenge()).seed
        func refresh(_ second: Int) {
            // Keeps the demand alive.
            for now in stride(from: 0, through: second, by: 10) {
                demand.found(wrong: [0, 0, 0, 0, 0], now: at(now))
            }
        }
        refresh(300)
        #expect(demand.challenge()?.seed == first)
        refresh(310)
        #expect(demand.challenge()?.seed != first)
        #expect(demand.challenge(lastSeed: true)?.seed == first)
        refresh(620)
        #expect(demand.challenge(lastSeed: true)?.seed != first)
    }

    @Test func aTimeBeforeTheLastChangesNothing() {
        let demand = demand()
        demand.found(wrong: [0, 0, 0, 0, 0], now: at(1000))
        demand.step(now: at(0))
        #expect(demand.bits == ProofOfWorkDemand.firstBits)
    }
}
