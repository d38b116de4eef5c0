import Bytes
import Documents
import Petitions
import RingSignatures
import Sodium
import Testing

@Suite struct PositionIndexTests {
    private static func value(_ number: Int) -> Bytes32 { SHA256.hash(Array("\(number)".utf8)) }

    @Test func everyValueIsFoundAndNoOther() {
        let values = (0..<20_000).map(Self.value)
        var index = PositionIndex()
        for (position, value) in values.enumerated() {
            if position % 97 == 0 {
                let early = index.position(of: value) { values[$0] == value }
                #expect(early == nil)
            }
            index.insert(value, at: position)
        }
        for (position, value) in values.enumerated() {
            #expect(index.position(of: value) { values[$0] == value } == position)
        }
        var asked = 0
        for number in 20_000..<40_000 {
            let value = Self.value(number)
            let found = index.position(of: value) { position in
                asked += 1
                return values[position] == value
            }
            #expect(found == nil)
        }
        // 4 * 10^8 pairs, of which one in 2^32 has the same 32 bits.
        #expect(asked < 10)
    }

    @Test func codesKeepTheirStates() {
        var codes = CodeStates()
        for number in 0..<10_000 { codes[Self.value(number)] = .invited }
        for number in stride(from: 0, to: 10_000, by: 3) { codes[Self.value(number)] = .issued }
        for number in stride(from: 1, to: 10_000, by: 3) { codes[Self.value(number)] = .voided }
        for number in 0..<10_000 {
            #expect(codes[Self.value(number)] == [.issued, .voided, .invited][number % 3])
        }
        #expect(codes[Self.value(10_000)] == nil)
    }

    /// A ledger that gave its index back finds duplicates as one that has it.
    @Test func moreMembersAreJudgedAlsoWithoutTheIndex() throws {
        let points = somePoints(12)
        let roll = RollID(SHA256.hash([1]))
        func seal() -> RollEntry { .seal(enrolmentSize: 9, enrolmentRoot: SHA256.hash([9])) }
        for more in [Array(points[4..<8]), [points[4], points[7], points[2]].sorted()] {
            var (kept, released) = (
                RollLedger(roll: roll, minimumRing: 2, ringCapacity: 4),
                RollLedger(roll: roll, minimumRing: 2, ringCapacity: 4)
            )
            for entry in points[..<4].map({ RollEntry.member($0) }) + [seal()] {
                try kept.apply(entry)
                try released.apply(entry)
            }
            released.releaseIndex()
            #expect(released.ring(of: points[3])?.ring.number == 0 && released.ring(of: points[5]) == nil)
            func rule(_ ledger: inout RollLedger) -> Rule? {
                for entry in more.map({ RollEntry.member($0) }) + [seal()] {
                    do throws(Rule) { try ledger.apply(entry) } catch { return error }
                }
                return nil
            }
            let (first, second) = (rule(&kept), rule(&released))
            #expect(first == second)
            #expect(released.ring(of: points[4])?.ring.number == kept.ring(of: points[4])?.ring.number)
        }
    }
}
