import Testing
import TransparencyLog
import LogWitnessing
import Witnessing

/// When a witness is asked, by a clock that the test moves.
@Suite struct WitnessSubmissionTests {
    private let start = ContinuousClock.now

    private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }
    private func submission(every seconds: Double = 1) -> WitnessSubmission {
        WitnessSubmission(interval: .seconds(seconds), now: start)
    }

    @Test func oneRequestIsUnderWayAndThenTheNewestIsSent() {
        var witness = submission()
        #expect(witness.begin(size: 0, now: at(0)) == 0)
        #expect(witness.begin(size: 5, now: at(0.5)) == nil, "one at a time")
        #expect(witness.end(.cosigned([]), size: 0, now: at(0.6)) == .goOn)
        #expect(witness.begin(size: 5, now: at(0.7)) == nil, "not so soon")
        #expect(witness.next(size: 5) == at(1) && witness.next(size: 0) == nil)
        #expect(witness.begin(size: 9, now: at(1)) == 0)
        #expect(witness.end(.cosigned([]), size: 9, now: at(1.1)) == .goOn)
        #expect(witness.begin(size: 9, now: at(5)) == nil, "it has cosigned that")
        #expect(witness.begin(size: 12, now: at(5)) == 9)
        #expect(witness.trouble == nil)
    }

    @Test func anIdleLogIsRenewedWhenToldSo() {
        var witness = submission()
        _ = witness.begin(size: 5, now: at(0))
        _ = witness.end(.cosigned([]), size: 5, now: at(0))
        #expect(witness.begin(size: 5, now: at(4000)) == nil)
        witness.renew()
        #expect(witness.begin(size: 5, now: at(4000)) == 5)
    }

    @Test func aWitnessThatKnowsAnotherSizeGetsAProofFromThereAtOnce() {
        var witness = submission()
        #expect(witness.begin(size: 9, now: at(0)) == 0)
        #expect(witness.end(.conflict(4), size: 9, now: at(0.1)) == .goOn)
        #expect(witness.begin(size: 9, now: at(0.1)) == 4)
        // It forgot everything: that is its right.
        #expect(witness.end(.conflict(0), size: 9, now: at(0.2)) == .goOn)
        #expect(witness.begin(size: 9, now: at(0.2)) == 0)
        #expect(witness.trouble == nil)
        // But three times is enough.
        #expect(witness.end(.conflict(3), size: 9, now: at(0.3)) == .goOn)
        #expect(witness.trouble == .conflictsForEver)
        #expect(witness.begin(size: 9, now: at(50)) == nil)
        #expect(witness.begin(size: 9, now: at(61)) == 3)
    }

    @Test(arguments: [
        (WitnessAnswer.conflict(10), WitnessTrouble.claimsLarger(10)), (.conflict(nil), .claimsOther),
        (.inconsistent, .claimsOther),
    ])
    func aClaimIsLookedIntoAndTheWitnessIsAbsent(answer: WitnessAnswer, trouble: WitnessTrouble) {
        var witness = submission()
        _ = witness.begin(size: 9, now: at(0))
        #expect(witness.end(answer, size: 9, now: at(0)) == .look)
        #expect(witness.trouble == trouble && trouble.isAlarming)
        #expect(witness.begin(size: 12, now: at(59)) == nil)
        #expect(witness.begin(size: 12, now: at(60)) == 0, "it is asked what it knows")
        #expect(witness.end(.cosigned([]), size: 12, now: at(60)) == .goOn)
        #expect(witness.trouble == nil)
    }

    @Test func whoIsAwayIsAskedMoreAndMoreRarely() {
        var witness = submission()
        var (now, asked) = (0.0, 0)
        while now < 3600 {
            if witness.begin(size: 9, now: at(now)) != nil {
                asked += 1
                _ = witness.end(.unavailable("away"), size: 9, now: at(now))
            }
            now += 0.5
        }
        // 1, 2, 4, 8, 16 and 32 seconds, and then every minute.
        #expect((60...68).contains(asked), "\(asked)")
        var refusing = submission()
        (now, asked) = (0, 0)
        while now < 86_400 {
            if refusing.begin(size: 9, now: at(now)) != nil {
                asked += 1
                _ = refusing.end(.notFollowed(status: 404), size: 9, now: at(now))
            }
            now += 5
        }
        #expect((45...56).contains(asked), "\(asked)")
    }

    @Test func answersAreWhatTheirStatusSays() {
        let checkpoint = Checkpoint(origin: "log.example", size: 5, root: MerkleHash.emptyRoot)
        func answer(_ status: Int, _ body: String = "") -> WitnessAnswer {
            WitnessAnswer(status: status, body: Array(body.utf8), to: checkpoint, keys: [])
        }
        #expect(answer(409, "7\n") == .conflict(7) && answer(409, "0\n") == .conflict(0))
        for body in ["", "7", "07\n", "+7\n", "7\n\n", "7\r\n", "-1\n", "9223372036854775808\n", "<html>\n", "7 \n"] {
            #expect(answer(409, body) == .conflict(nil), "\(body)")
        }
        #expect(answer(422) == .inconsistent && answer(400) == .malformed)
        #expect(answer(403) == .notFollowed(status: 403) && answer(404) == .notFollowed(status: 404))
        for status in [100, 201, 204, 301, 405, 429, 500, 503, 999] {
            guard case .unavailable = answer(status) else {
                Issue.record("\(status)")
                continue
            }
        }
        guard case .unavailable = answer(200, "\u{2014} w AAAAAAAA\n") else {
            Issue.record("no line that verifies")
            return
        }
    }
}
