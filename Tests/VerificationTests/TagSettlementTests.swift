import Bytes
import Petitions
import Sodium
import TagStorage
import Testing
import Verification

/// What can be concluded about one tag from its entries in one log.
@Suite struct TagSettlementTests {
    private static let tag = SHA256.hash([1])
    private static let sign = TagEntry.Act.verified(.sign(roll: 0))
    private static let withdraw = TagEntry.Act.verified(.withdraw)

    private func settle(_ acts: [TagEntry.Act], excluded: Set<UInt64> = []) throws -> TagSettlement.Log {
        var ledger = TagLedger()
        for (index, act) in acts.enumerated() {
            try ledger.append(TagEntry(tag: Self.tag, log: 0, index: UInt64(index), act: act, ring: 0))
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
            // A signature with an unknown roll may or may not be valid.
            ([u], [], 1), ([u, u], [], 2), ([u, w], [], 2), ([u, s], [], 2), ([u, s, s], ["2 duplicate-tag"], 2),
            // Some entries after it break a rule in any case.
            ([u, w, w], ["2 not-signed"], 2), ([u, s, w], [], 2), ([u, s, w, w], ["3 already-withdrawn"], 2),
            ([s, u], ["1 duplicate-tag"], 0), ([s, w, u], ["2 already-withdrawn"], 0), ([w, u], ["0 not-signed"], 1),
        ] as [([TagEntry.Act], [String], UInt64)] {
            let settled = try settle(acts)
            #expect(settled.refused.named.map { "\($0.index) \($0.rule.rawValue)" } == refusals, "\(acts)")
            #expect(settled.unjudged == unjudged, "\(acts)")
        }
    }

    @Test func anEntryWhoseProofDoesNotHoldHasNoEffect() throws {
        #expect(try settle([Self.sign, Self.sign], excluded: [0]).refused.named.isEmpty)
        #expect(try settle([.unjudged, Self.sign], excluded: [0]).unjudged == 0)
    }

    // MARK: Rings

    /// An entry: its tag, log, act and ring.
    private struct Entry {
        var tag: UInt8
        var log = 0
        var act = TagSettlementTests.sign
        var ring: UInt32? = 0
    }

    /// The entries of each log are numbered in the order of the list.
    private func settlement(_ entries: [Entry], logs: Int = 1, excluded: Set<UInt64> = []) throws -> TagSettlement {
        var ledger = TagLedger()
        var sizes = [UInt64](repeating: 0, count: logs)
        for entry in entries {
            try ledger.append(
                TagEntry(
                    tag: SHA256.hash([entry.tag]), log: entry.log, index: sizes[entry.log], act: entry.act,
                    ring: entry.ring))
            sizes[entry.log] += 1
        }
        var settlement = TagSettlement(
            logs: sizes.map { TagSettlement.Log(excluded: excluded, snapshotSize: $0, rolls: 3) }, rolls: 3)
        try settlement.settle(&ledger)
        return settlement
    }

    private func sign(roll: UInt8) -> TagEntry.Act { .verified(.sign(roll: roll)) }

    @Test func tagsAreCountedForEachRingOfEachRoll() throws {
        let found = try settlement([
            Entry(tag: 1), Entry(tag: 2), Entry(tag: 3, ring: 7), Entry(tag: 4, act: sign(roll: 2), ring: 7),
            Entry(tag: 5, act: sign(roll: 2), ring: 7),
        ])
        #expect(
            found.ringTags == [
                RingPlace(roll: 0, ring: 0): 2, RingPlace(roll: 0, ring: 7): 1, RingPlace(roll: 2, ring: 7): 2,
            ])
    }

    @Test func aTagIsOneWhateverItDoes() throws {
        let ring = RingPlace(roll: 0, ring: 0)
        // Withdrawn, signed twice, and in several logs.
        for entries in [
            [Entry(tag: 1), Entry(tag: 1, act: Self.withdraw, ring: nil)], [Entry(tag: 1), Entry(tag: 1)],
            [Entry(tag: 1), Entry(tag: 1, log: 1)],
            [Entry(tag: 1), Entry(tag: 1, log: 1), Entry(tag: 1, log: 1, act: Self.withdraw, ring: nil)],
        ] {
            #expect(try settlement(entries, logs: 2).ringTags == [ring: 1])
        }
        // A key on two rolls has one tag, and is a member of both rings.
        let both = try settlement([Entry(tag: 1), Entry(tag: 1, log: 1, act: sign(roll: 1), ring: 3)], logs: 2)
        #expect(both.ringTags == [ring: 1, RingPlace(roll: 1, ring: 3): 1])
        #expect(both.tally.total.signatures == 1)
    }

    @Test func whatDoesNotStandIsNotCounted() throws {
        let none: [(entries: [Entry], excluded: Set<UInt64>)] = [
            ([Entry(tag: 1, act: Self.withdraw, ring: nil)], []), ([Entry(tag: 1, act: .unjudged, ring: nil)], []),
            ([Entry(tag: 1)], [0]), ([Entry(tag: 1, ring: .max)], []),
        ]
        for (entries, excluded) in none {
            #expect(try settlement(entries, excluded: excluded).ringTags.isEmpty)
        }
        // If the proof of the first is invalid, the second counts.
        let second = try settlement([Entry(tag: 1, ring: 4), Entry(tag: 1, ring: 5)], excluded: [0])
        #expect(second.ringTags == [RingPlace(roll: 0, ring: 5): 1])
    }

    @Test func moreTagsThanMembersAreFound() throws {
        let entries = (0..<5).map { Entry(tag: $0, ring: 1) } + (5..<9).map { Entry(tag: $0, act: sign(roll: 1)) }
        let found = try settlement(entries)
        let members = [RingPlace(roll: 0, ring: 1): 4, RingPlace(roll: 1, ring: 0): 3]
        let exceeded = found.exceeded { members[$0] }
        #expect(exceeded.map(\.position) == [RingPlace(roll: 0, ring: 1), RingPlace(roll: 1, ring: 0)])
        #expect(exceeded.map(\.members) == [4, 3] && exceeded.map(\.tags) == [5, 4])
        #expect(found.exceeded { _ in 5 }.isEmpty)
        #expect(found.exceeded { _ in nil }.isEmpty)
    }
}
