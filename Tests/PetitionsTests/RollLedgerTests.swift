import Bytes
import Documents
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import Testing
import VOPRF

@Suite struct RollLedgerTests {
    private static let points = somePoints(24)
    private let roll = RollID(SHA256.hash([1]))

    private func members(_ range: Range<Int>) -> [RollEntry] {
        Self.points[range].map { RollEntry.member($0) }
    }

    private func seal(_ enrolmentSize: UInt64 = 9) -> RollEntry {
        RollEntry.seal(enrolmentSize: enrolmentSize, enrolmentRoot: SHA256.hash([UInt8(enrolmentSize % 256)]))
    }

    private func entries(_ parts: [RollEntry]...) -> [RollEntry] {
        var result: [RollEntry] = []
        for part in parts { result += part }
        return result
    }

    private func refusal(_ ledger: inout RollLedger, _ entry: RollEntry) -> Rule? {
        do throws(Rule) {
            try ledger.apply(entry)
            return nil
        } catch {
            return error
        }
    }

    /// The rule that the last entry breaks; those before it must be accepted.
    private func refusal(_ entries: [RollEntry], minimumRing: Int = 2, ringCapacity: Int = 4) -> Rule? {
        var ledger = RollLedger(roll: roll, minimumRing: minimumRing, ringCapacity: ringCapacity)
        for entry in entries.dropLast() {
            let rule = refusal(&ledger, entry)
            #expect(rule == nil)
        }
        guard let last = entries.last else { return nil }
        return refusal(&ledger, last)
    }

    @Test func membersAscendStrictlyInARing() {
        let descending = [RollEntry.member(Self.points[1]), RollEntry.member(Self.points[0])]
        #expect(refusal(descending) == Rule.membersNotAscending)
        let twice = [RollEntry.member(Self.points[1]), RollEntry.member(Self.points[1])]
        #expect(refusal(twice) == Rule.duplicateMember)
        let back = entries(members(0..<1), members(2..<3), members(1..<2))
        #expect(refusal(back) == Rule.membersNotAscending)
    }

    @Test func aLaterRingMayStartBelowAnEarlierOne() {
        let log = entries(members(4..<6), [seal()], members(0..<2), [seal()])
        #expect(refusal(log) == nil)
    }

    @Test func noKeyStandsInARollTwice() {
        let later = entries(members(0..<3), [seal()], members(1..<2))
        #expect(refusal(later) == Rule.duplicateMember)
        let rings = entries(members(0..<3), [seal()], members(3..<5), [seal()])
        #expect(refusal(entries(rings, members(2..<3))) == Rule.duplicateMember)
        #expect(refusal(entries(rings, members(5..<6))) == nil)
    }

    @Test func aRingHasAtLeastTheMinimum() {
        #expect(refusal([seal()]) == Rule.ringSize)
        #expect(refusal(entries(members(0..<1), [seal()])) == Rule.ringSize)
        #expect(refusal(entries(members(0..<2), [seal()])) == nil)
        #expect(refusal(entries(members(0..<2), [seal(), seal()])) == Rule.ringSize)
        #expect(refusal(entries(members(0..<4), [seal()]), minimumRing: 5, ringCapacity: 16) == Rule.ringSize)
        #expect(refusal(entries(members(0..<5), [seal()]), minimumRing: 5, ringCapacity: 16) == nil)
    }

    @Test func aRingHasAtMostTheCapacity() {
        #expect(refusal(entries(members(0..<4), [seal()])) == nil)
        #expect(refusal(members(0..<5)) == Rule.ringSize)
        #expect(refusal(entries(members(0..<16), [seal()]), ringCapacity: 16) == nil)
        #expect(refusal(members(0..<17), ringCapacity: 16) == Rule.ringSize)
    }

    @Test func theEnrolmentSizeNeverDecreases() {
        let start = entries(members(0..<2), [seal(9)], members(2..<4))
        #expect(refusal(entries(start, [seal(8)])) == Rule.enrolmentExceeded)
        #expect(refusal(entries(start, [seal(0)])) == Rule.enrolmentExceeded)
        #expect(refusal(entries(start, [seal(9)])) == nil)
        #expect(refusal(entries(start, [seal(10)])) == nil)
        #expect(refusal(entries(start, [seal(UInt64.max)])) == nil)
    }

    @Test func aPublishedLogEndsOnASeal() {
        var ledger = RollLedger(roll: roll, minimumRing: 2, ringCapacity: 4)
        #expect(ledger.endsOnSeal)
        for entry in members(0..<2) {
            let rule = refusal(&ledger, entry)
            #expect(rule == nil)
            #expect(!ledger.endsOnSeal)
        }
        let rule = refusal(&ledger, seal())
        #expect(rule == nil)
        #expect(ledger.endsOnSeal)
    }

    @Test func ringsAreNumberedByTheirSeals() throws {
        var ledger = RollLedger(roll: roll, minimumRing: 2, ringCapacity: 4)
        let log = entries(members(4..<7), [seal(20)], members(0..<2), [seal(30)], members(7..<8))
        for entry in log { try ledger.apply(entry) }
        #expect(ledger.size == 8)
        try #require(ledger.rings.count == 2)
        let (first, second) = (ledger.rings[0], ledger.rings[1])
        #expect(first.ring.number == 0 && second.ring.number == 1)
        #expect(first.ring.members == Array(Self.points[4..<7]))
        #expect(second.ring.members == Array(Self.points[0..<2]))
        #expect(first.sealIndex == 3 && second.sealIndex == 6)
        #expect(first.enrolmentSize == 20 && second.enrolmentSize == 30)
        #expect(first.enrolmentRoot == SHA256.hash([20]) && second.enrolmentRoot == SHA256.hash([30]))
        #expect(first.membersSoFar == 3 && second.membersSoFar == 5)
        let expected = Ring(roll: roll.bytes, number: 1, members: Array(Self.points[0..<2]))
        #expect(second.ring.digest == expected.digest)
    }

    @Test func aMemberIsFoundInItsSealedRingOnly() throws {
        var ledger = RollLedger(roll: roll, minimumRing: 2, ringCapacity: 4)
        let log = entries(members(4..<7), [seal()], members(0..<2), [seal()], members(7..<8))
        for entry in log { try ledger.apply(entry) }
        for index in 4..<7 {
            let found = ledger.ring(of: Self.points[index])
            #expect(found?.ring.number == 0)
        }
        for index in 0..<2 {
            let found = ledger.ring(of: Self.points[index])
            #expect(found?.ring.number == 1)
        }
        for index in [2, 3, 7, 8] {
            let isFound = ledger.ring(of: Self.points[index]) != nil
            #expect(!isFound)
        }
    }

    @Test func aDescriptorGivesTheBounds() throws {
        let key = Fixture.noteKey(0)
        let descriptor = try RollDescriptor.make(
            name: "a", link: Fixture.link(), enrolmentKey: GroupElement.base,
            terms: RollTerms(ringCapacity: 16, minimumRing: 3), key: key)
        var ledger = RollLedger(descriptor)
        for entry in members(0..<2) { try ledger.apply(entry) }
        let few = refusal(&ledger, seal())
        #expect(few == Rule.ringSize)
        ledger = RollLedger(descriptor)
        for entry in entries(members(0..<3), [seal()]) { try ledger.apply(entry) }
        let expected = Ring(roll: descriptor.id.bytes, number: 0, members: Array(Self.points[0..<3]))
        #expect(ledger.rings.first?.ring.digest == expected.digest)
    }
}

@Suite struct RingCuttingTests {
    @Test func theLargerRingsComeFirst() {
        let points = somePoints(80)
        var generator = SeededGenerator(seed: 4)
        for capacity in [1, 3, 4, 5, 16, 17, 64] {
            for count in 0...80 {
                let pending = Array(points.prefix(count))
                let rings = RollLedger.rings(cutting: pending.shuffled(using: &generator), ringCapacity: capacity)
                let sizes = rings.map { $0.count }
                #expect(sizes == expectedSizes(count, capacity), "\(count) \(capacity)")
                let together = rings.flatMap { $0 }
                #expect(together == pending, "\(count) \(capacity)")
            }
        }
    }

    private func expectedSizes(_ count: Int, _ capacity: Int) -> [Int] {
        guard count > 0 else { return [] }
        let rings = count.isMultiple(of: capacity) ? count / capacity : count / capacity + 1
        var sizes: [Int] = []
        for number in 0..<rings { sizes.append(count / rings + (number < count % rings ? 1 : 0)) }
        return sizes
    }

    @Test func anyNumberFromTheMinimumOnGivesLegalRings() {
        let points = somePoints(80)
        for (capacity, minimum) in [(16, 8), (17, 9), (16, 2), (33, 17), (20, 10)] {
            for count in minimum...80 {
                let rings = RollLedger.rings(cutting: Array(points.prefix(count)), ringCapacity: capacity)
                let isLegal = rings.allSatisfy { (minimum...capacity).contains($0.count) }
                #expect(isLegal, "\(count) \(capacity)")
            }
        }
    }

    @Test func whatIsCutIsWhatTheLedgerAccepts() throws {
        let points = somePoints(37)
        var ledger = RollLedger(roll: RollID(SHA256.hash([1])), minimumRing: 8, ringCapacity: 16)
        for ring in RollLedger.rings(cutting: points.reversed(), ringCapacity: 16) {
            for key in ring { try ledger.apply(RollEntry.member(key)) }
            try ledger.apply(RollEntry.seal(enrolmentSize: 40, enrolmentRoot: SHA256.hash([])))
        }
        #expect(ledger.endsOnSeal)
        let sizes = ledger.rings.map { $0.ring.members.count }
        #expect(sizes == [13, 12, 12])
    }
}
