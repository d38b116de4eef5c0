import AggregatorService
import Testing

/// When records are verified and committed, with a manually moved clock.
@Suite struct CommitScheduleTests {
    private let start = ContinuousClock.now
    private typealias Action = CommitSchedule.Action

    private func schedule(interval: Int = 20, cores: Int = 2, fullBatch: Int = 1000) -> Held<CommitSchedule> {
        Held(CommitSchedule(now: start, interval: .seconds(interval), cores: cores, fullBatch: fullBatch))
    }

    private func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test func theFirstRecordIsVerifiedAndCommittedAtOnce() {
        let schedule = schedule()
        #expect(schedule.step(now: at(0), .received) == [.divide(0..<1), .verify(batch: 0)])
        #expect(schedule.step(now: at(1), .verified(batch: 0, good: 1)) == [.commit])
        #expect(schedule.step(now: at(2), .committed(failed: false)) == [])
    }

    @Test func theNextCommitStartsAnIntervalLaterAndVerificationAsLongBeforeAsItTook() {
        let schedule = schedule()
        _ = schedule.step(now: at(0), .received)
        // Verification took three seconds, so the next cutoff is three seconds before the commit due at 23.
        _ = schedule.step(now: at(3), .verified(batch: 0, good: 1))
        _ = schedule.step(now: at(4), .committed(failed: false))
        #expect(schedule.step(now: at(5), .received) == [.wake(at(20))])
        #expect(schedule.step(now: at(6), .received) == [])
        #expect(schedule.step(now: at(20), .woke(at(20))) == [.divide(1..<2), .verify(batch: 1)])
        // Records received now wait for the following commit.
        #expect(schedule.step(now: at(21), .received) == [])
        #expect(schedule.step(now: at(22), .verified(batch: 1, good: 2)) == [.wake(at(23))])
        #expect(schedule.step(now: at(23), .woke(at(23))) == [.commit, .wake(at(41))])
        _ = schedule.step(now: at(24), .committed(failed: false))
        #expect(schedule.step(now: at(41), .woke(at(41))) == [.divide(2..<3), .verify(batch: 2)])
    }

    @Test func twoCommitsAreNeverUnderWay() {
        let schedule = schedule(interval: 1)
        _ = schedule.step(now: at(0), .received)
        #expect(schedule.step(now: at(0), .verified(batch: 0, good: 1)) == [.commit])
        #expect(schedule.step(now: at(5), .received).contains(.divide(1..<2)))
        #expect(schedule.step(now: at(6), .verified(batch: 1, good: 1)) == [])
        #expect(schedule.step(now: at(9), .committed(failed: false)) == [.commit])
    }

    @Test func aFullBatchDoesNotWaitForTheCutoffAndIsCommittedAtIt() {
        let schedule = schedule(fullBatch: 128)
        _ = schedule.step(now: at(0), .received)
        _ = schedule.step(now: at(0), .verified(batch: 0, good: 1))
        _ = schedule.step(now: at(0), .committed(failed: false))
        for _ in 0..<127 { _ = schedule.step(now: at(1), .received) }
        // Divided into as many parts as there are cores, since there are enough records.
        #expect(
            schedule.step(now: at(1), .received)
                == [.divide(1..<3), .verify(batch: 1), .verify(batch: 2)])
        #expect(schedule.step(now: at(2), .verified(batch: 1, good: 64)) == [])
        #expect(schedule.step(now: at(2), .verified(batch: 2, good: 64)) == [])
        #expect(schedule.step(now: at(20), .woke(at(20))) == [.commit])
    }

    @Test func moreBatchesThanCoresWait() {
        let schedule = schedule(cores: 2, fullBatch: 128)
        _ = schedule.step(now: at(0), .received)
        for _ in 0..<127 { #expect(schedule.step(now: at(0), .received) == []) }
        // One core is busy: one of the two parts starts now, the other when a core is free.
        #expect(schedule.step(now: at(0), .received) == [.divide(1..<3), .verify(batch: 1)])
        #expect(schedule.step(now: at(1), .verified(batch: 1, good: 64)) == [.verify(batch: 2)])
        // The commit waits for the batch begun for it, and includes whatever else is verified.
        #expect(schedule.step(now: at(2), .verified(batch: 0, good: 1)) == [.commit])
    }

    @Test func whenAllWereWrongThereIsNoCommitAndTheNextCutoffIsAnIntervalAfterTheLast() {
        let schedule = schedule()
        _ = schedule.step(now: at(0), .received)
        #expect(schedule.step(now: at(1), .verified(batch: 0, good: 0)) == [])
        #expect(schedule.step(now: at(2), .received) == [.wake(at(20))])
    }

    @Test func afterAFailureEverythingIsPublishedAgainUntilThatSucceeds() {
        let schedule = schedule()
        _ = schedule.step(now: at(0), .received)
        _ = schedule.step(now: at(0), .verified(batch: 0, good: 1))
        #expect(schedule.step(now: at(1), .committed(failed: true)) == [.wake(at(6))])
        #expect(schedule.step(now: at(6), .woke(at(6))) == [.publish])
        #expect(schedule.step(now: at(7), .published(succeeded: false)) == [.wake(at(12))])
        #expect(schedule.step(now: at(12), .woke(at(12))) == [.publish])
        #expect(schedule.step(now: at(13), .published(succeeded: true)) == [])
    }

    @Test func aFailureWhilePublishingIsPublishedToo() {
        let schedule = schedule(interval: 1)
        _ = schedule.step(now: at(0), .received)
        _ = schedule.step(now: at(0), .verified(batch: 0, good: 1))
        _ = schedule.step(now: at(1), .committed(failed: true))
        #expect(schedule.step(now: at(6), .woke(at(6))) == [.publish])
        _ = schedule.step(now: at(6), .received)
        #expect(schedule.step(now: at(6), .verified(batch: 1, good: 1)) == [.commit])
        _ = schedule.step(now: at(7), .committed(failed: true))
        #expect(schedule.step(now: at(8), .published(succeeded: true)) == [.wake(at(13))])
        #expect(schedule.step(now: at(13), .woke(at(13))) == [.publish])
    }

    @Test func aTimerThatIsEarlyIsSetAgain() {
        let schedule = schedule()
        _ = schedule.step(now: at(0), .received)
        _ = schedule.step(now: at(0), .verified(batch: 0, good: 1))
        _ = schedule.step(now: at(0), .committed(failed: false))
        #expect(schedule.step(now: at(5), .received) == [.wake(at(20))])
        #expect(schedule.step(now: at(20) - .nanoseconds(1), .woke(at(20))) == [.wake(at(20))])
        #expect(schedule.step(now: at(20), .woke(at(20))) == [.divide(1..<2), .verify(batch: 1)])
    }

    /// Whatever happens, every record is verified once and committed once, commits are an interval apart, and while
    /// anything waits, an action is always pending.
    @Test(arguments: 0..<50) func everyRecordIsCommittedOnce(seed: UInt64) {
        var generator = Generator(state: seed)
        let schedule = Held(CommitSchedule(now: start, interval: .seconds(7), cores: 3, fullBatch: 150))
        var (now, sent, waiting, judged, committed) = (0, 0, 0, 0, 0)
        var (running, wakes, commits): ([Int: Int], Set<Int>, [Int]) = ([:], [], [])
        var batches: [Int: Int] = [:]
        var isCommitting = false
        func perform(_ actions: [Action]) {
            for action in actions {
                switch action {
                case .divide(let numbers):
                    for (part, number) in numbers.enumerated() {
                        batches[number] =
                            waiting * (part + 1) / numbers.count - waiting * part / numbers.count
                    }
                    waiting = 0
                case .verify(let batch): running[batch] = batches.removeValue(forKey: batch)
                case .commit:
                    #expect(!isCommitting)
                    (isCommitting, committed, judged) = (true, committed + judged, 0)
                    commits.append(now)
                case .wake(let moment): wakes.insert(Int((moment - start).components.seconds))
                case .publish: Issue.record("nothing failed")
                }
                #expect(running.count <= 3)
            }
        }
        for _ in 0..<2000 {
            switch generator.next() % 8 {
            case 0..<5 where sent < 1200:
                (sent, waiting) = (sent + 1, waiting + 1)
                perform(schedule.step(now: at(now), .received))
            case 5:
                guard let batch = running.keys.min() else { continue }
                let good = running.removeValue(forKey: batch) ?? 0
                judged += good
                perform(schedule.step(now: at(now), .verified(batch: batch, good: good)))
            case 6 where isCommitting:
                isCommitting = false
                perform(schedule.step(now: at(now), .committed(failed: false)))
            default:
                guard let next = wakes.min() else { continue }
                now = max(now, next)
                wakes.remove(next)
                perform(schedule.step(now: at(now), .woke(at(next))))
            }
        }
        #expect(sent > 1000)
        for _ in 0..<200 {
            if let batch = running.keys.min() {
                let good = running.removeValue(forKey: batch) ?? 0
                judged += good
                perform(schedule.step(now: at(now), .verified(batch: batch, good: good)))
            } else if isCommitting {
                isCommitting = false
                perform(schedule.step(now: at(now), .committed(failed: false)))
            } else if let next = wakes.min() {
                now = max(now, next)
                wakes.remove(next)
                perform(schedule.step(now: at(now), .woke(at(next))))
            }
        }
        #expect(committed == sent)
        #expect(zip(commits, commits.dropFirst()).allSatisfy { $1 - $0 >= 7 })
    }
}

/// Pseudorandom numbers, the same in each run.
private struct Generator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 33
    }
}
