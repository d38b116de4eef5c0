import CoordinatorService
import Documents
import Testing

/// When phases follow each other, without clock and database.
@Suite struct RoundScheduleTests {
    private let schedule = RoundSchedule(crowd: 8, atLeast: 1000, atMost: 5000)

    private func round(
        issued: Int, first: Int64? = 100, minimumRing: Int = 4
    ) -> RoundSchedule.Round {
        .init(
            terms: RollTerms(ringCapacity: 16, minimumRing: minimumRing, joiningSeconds: 400), isJoining: false,
            opened: 0, firstIssued: issued == 0 ? nil : first, issued: issued, pending: 0, prolonged: 0,
            isSealed: false)
    }

    private func joining(
        pending: Int, prolonged: Int = 0, isSealed: Bool = false, seconds: Int = 400
    ) -> RoundSchedule.Round {
        .init(
            terms: RollTerms(ringCapacity: 16, minimumRing: 4, joiningSeconds: seconds), isJoining: true,
            opened: 10_000, firstIssued: 100, issued: 9, pending: pending, prolonged: prolonged,
            prolongedAt: prolonged == 0 ? nil : 10_000 + Int64(prolonged) * 500, isSealed: isSealed)
    }

    @Test func joiningOpensForACrowdOrAfterALongTime() {
        // Issued so far, how many are missing, and when joining may open.
        let cases: [(Int, Int, Int64?)] = [
            (0, 4, nil), (1, 3, 5100), (3, 1, 5100), (4, 0, 5100), (7, 0, 5100), (8, 0, 1100), (500, 0, 1100),
        ]
        for (issued, missing, time) in cases {
            let outlook = schedule.outlook(of: round(issued: issued))
            let expected = RoundSchedule.Outlook(step: .openJoining, notBefore: time, missing: missing)
            #expect(outlook == expected, "\(issued)")
            #expect(!outlook.isDue(at: (time ?? 1_000_000) - 1), "\(issued)")
            #expect(outlook.isDue(at: time ?? 1_000_000) == (missing == 0), "\(issued)")
        }
    }

    @Test func aCrowdIsNeverLessThanTheSmallestRing() {
        let outlook = schedule.outlook(of: round(issued: 8, minimumRing: 9))
        #expect(outlook == RoundSchedule.Outlook(step: .openJoining, notBefore: 5100, missing: 1))
        #expect(schedule.outlook(of: round(issued: 9, minimumRing: 9)).notBefore == 1100)
    }

    @Test func whoWaitsIsSealedAtTheEndOfJoining() {
        let outlook = schedule.outlook(of: joining(pending: 4))
        #expect(outlook == RoundSchedule.Outlook(step: .seal, notBefore: 10_500, missing: 0))
        // A week of joining has five minutes for answers, and a clock that is behind.
        let week = schedule.outlook(of: joining(pending: 4, seconds: 604_800))
        #expect(week.notBefore == Int64(615_100))
    }

    @Test func tooFewAreWaitedForThreeTimes() {
        for prolonged in 0..<3 {
            let outlook = schedule.outlook(of: joining(pending: 3, prolonged: prolonged))
            let time = 10_500 + Int64(prolonged) * 500
            #expect(outlook == RoundSchedule.Outlook(step: .prolong, notBefore: time, missing: 0))
            #expect(schedule.outlook(of: joining(pending: 4, prolonged: prolonged)).step == .seal)
        }
        let outlook = schedule.outlook(of: joining(pending: 3, prolonged: 3))
        #expect(outlook == RoundSchedule.Outlook(step: .openIssuing, notBefore: 12_000, missing: 0))
    }

    @Test func nobodyIsWaitedForAfterASealByHand() {
        #expect(schedule.outlook(of: joining(pending: 0, isSealed: true)).step == .openIssuing)
        #expect(schedule.outlook(of: joining(pending: 4, isSealed: true)).step == .seal)
        #expect(schedule.outlook(of: joining(pending: 0, seconds: 0)).step == .openIssuing)
    }
}
