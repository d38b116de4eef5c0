import Petitions
import Testing
import Verification

/// Of many entries that break a rule, the first are named and all are counted.
@Suite struct RefusedEntriesTests {
    private static let limit = UInt64(RefusedEntries.namedLimit)

    private func refused(_ entries: some Sequence<(UInt64, Rule)>) -> RefusedEntries {
        entries.reduce(into: RefusedEntries()) { $0.append($1.0, $1.1) }
    }

    private func named(_ refused: RefusedEntries) -> [String] {
        refused.named.map { "\($0.index) \($0.rule.rawValue)" }
    }

    private func omitted(_ refused: RefusedEntries) -> [String] {
        refused.omitted.map { "\($0.count) \($0.rule.rawValue)" }
    }

    @Test func fewAreAllNamedInTheOrderOfTheLog() {
        #expect(RefusedEntries().named.isEmpty && RefusedEntries().omitted.isEmpty)
        let some = refused([(7, .proofInvalid), (2, .malformedRecord), (9, .duplicateTag)])
        #expect(named(some) == ["2 malformed-record", "7 proof-invalid", "9 duplicate-tag"])
        #expect(some.omitted.isEmpty)
        let all = refused((0..<Self.limit).reversed().map { ($0, .malformedRecord) })
        #expect(all.named.map(\.index) == Array(0..<Self.limit))
        #expect(all.omitted.isEmpty)
    }

    /// Parts of a log may be processed in any order.
    @Test func ofManyTheFirstAreNamedInWhateverOrderTheyCome() {
        let count: UInt64 = 20_000
        let entries = (0..<count).map { ($0, $0.isMultiple(of: 4) ? Rule.proofInvalid : .malformedRecord) }
        let expected = (0..<Self.limit).map { $0.isMultiple(of: 4) ? "\($0) proof-invalid" : "\($0) malformed-record" }
        // Counted by hand: a quarter of the first 1000, and of all.
        let rest = ["14250 malformed-record", "4750 proof-invalid"]
        for order in [entries, entries.reversed(), entries.shuffled()] {
            let all = refused(order)
            #expect(named(all) == expected)
            #expect(omitted(all) == rest)
            var joined = refused(order[..<3000])
            joined.merge(refused(order[3000...]))
            #expect(named(joined) == expected)
            #expect(omitted(joined) == rest)
        }
    }
}
