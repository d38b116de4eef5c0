import Bytes
import Petitions
import Sodium
import Testing

@Suite struct TagLedgerTests {
    private struct Found: Equatable {
        let tag: Int
        let log: Int
        let index: UInt64
        let act: TagEntry.Act
    }

    private static let tags = (0..<40).map { SHA256.hash([UInt8($0)]) }

    private func entry(_ found: Found) -> TagEntry {
        TagEntry(tag: Self.tags[found.tag], log: found.log, index: found.index, act: found.act)
    }

    /// What the ledger gives back, each tag's entries together.
    private func sorted(_ found: [Found], memoryLimit: Int) throws -> [[Found]] {
        var ledger = TagLedger(memoryLimit: memoryLimit)
        for entry in found { try ledger.append(self.entry(entry)) }
        var groups: [[Found]] = []
        try ledger.forEachTag { entries in
            groups.append(
                entries.map { entry in
                    Found(
                        tag: Self.tags.firstIndex(of: entry.tag) ?? -1, log: entry.log, index: entry.index,
                        act: entry.act)
                })
        }
        return groups
    }

    private func expected(_ found: [Found]) -> [[Found]] {
        Dictionary(grouping: found, by: \.tag)
            .sorted { Self.tags[$0.key] < Self.tags[$1.key] }
            .map { $0.value.sorted { ($0.log, $0.index) < ($1.log, $1.index) } }
    }

    @Test func anEntryKeepsWhatItIsMadeOf() throws {
        let largest = (UInt64(1) << 48) - 1
        for (log, index, act) in [
            (0, 0, TagEntry.Act.verified(.sign(roll: 0))), (15, largest, .verified(.sign(roll: 255))),
            (7, 1 << 40, .verified(.withdraw)), (0, largest, .unjudged),
        ] {
            let found = Found(tag: 3, log: log, index: index, act: act)
            #expect(try sorted([found], memoryLimit: 10) == [[found]])
        }
    }

    @Test func tagsStandTogetherInOrder() throws {
        var generator = SeededGenerator(seed: 11)
        for count in [0, 1, 2, 5, 100, 1000] {
            let found = (0..<count).map { index in
                Found(
                    tag: generator.index(below: 40), log: generator.index(below: 3), index: UInt64(index),
                    act: [.verified(.sign(roll: 5)), .verified(.withdraw), .unjudged][generator.index(below: 3)])
            }
            let inOrder = expected(found)
            // In memory, and in files with runs of every kind of length: one, some, exactly full, one over.
            for limit in [1, 2, 7, 99, 100, 101, 999, 1000, 1001, 5000] {
                #expect(try sorted(found.shuffled(using: &generator), memoryLimit: limit) == inOrder)
            }
        }
    }

    @Test func runsLongerThanABufferAreMerged() throws {
        let found = (0..<20_000).map { Found(tag: $0 % 40, log: 0, index: UInt64($0), act: .verified(.withdraw)) }
        #expect(try sorted(found.reversed(), memoryLimit: 9000) == expected(found))
    }
}
