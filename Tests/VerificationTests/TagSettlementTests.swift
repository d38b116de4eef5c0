import Bytes
import Petitions
import Sodium
import Testing
import Verification

/// What can be said of one tag, as its entries stand in one log.
@Suite struct TagSettlementTests {
    private static let tag = SHA256.hash([1])
    private static let sign = TagEntry.Act.verified(.sign(roll: 0))
    private static let withdraw = TagEntry.Act.verified(.withdraw)

    private func settle(_ acts: [TagEntry.Act], excluded: Set<UInt64> = []) throws -> TagSettlement.Log {
        var ledger = TagLedger()
        for (index, act) in acts.enumerated() {
            try ledger.append(TagEntry(tag: Self.tag, log: 0, index: UInt64(index), act: act))
        }
        var settlement = TagSettlement(
            logs: [TagSettlement.Log(excluded: excluded, snapshotSize: 9, rolls: 1)], rolls: 1)
        try settlement.settle(&ledger)
        return try #require(settlement.logs[0])
    }

    @Test func everyOrderOfEntriesIsJudged() throws {
        let (s, w, u) = (Self.sign, Self.withdraw, TagEntry.Act.unjudged)
        for (acts, refusals, unjudged) in [
            ([s], [], 0), ([s, w], [], 0), ([w], ["0 not-signed"], 0), ([s, s], ["1 duplicate-tag"], 0),
            ([s, w, w], ["2 already-withdrawn"], 0), ([s, w, s], ["2 already-withdrawn"], 0),
            // A signature whose roll is not known may or may not stand.
            ([u], [], 1), ([u, u], [], 2), ([u, w], [], 2), ([u, s], [], 2), ([u, s, s], ["2 duplicate-tag"], 2),
            // After it some entries break a rule all the same.
            ([u, w, w], ["2 not-signed"], 2), ([u, s, w], [], 2), ([u, s, w, w], ["3 already-withdrawn"], 2),
            ([s, u], ["1 duplicate-tag"], 0), ([s, w, u], ["2 already-withdrawn"], 0), ([w, u], ["0 not-signed"], 1),
        ] as [([TagEntry.Act], [String], UInt64)] {
            let settled = try settle(acts)
            #expect(settled.refusals.map { "\($0.index) \($0.rule.rawValue)" } == refusals, "\(acts)")
            #expect(settled.unjudged == unjudged, "\(acts)")
        }
    }

    @Test func anEntryWhoseProofDoesNotHoldHasNoEffect() throws {
        #expect(try settle([Self.sign, Self.sign], excluded: [0]).refusals.isEmpty)
        #expect(try settle([.unjudged, Self.sign], excluded: [0]).unjudged == 0)
    }
}
