import Bytes
import Petitions
import Sodium
import TagStorage
import Testing

@Suite struct TagLedgerTests {
    private struct Found: Equatable {
        let tag: Int
        let log: Int
        let index: UInt64
        let act: TagEntry.Act
        var ring: UInt32?
    }

    private static let tags = (0..<40).map { SHA256.hash([UInt8($0)]) }

    private func entry(_ found: Found) -> TagEntry {
        TagEntry(tag: Self.tags[found.tag], log: found.log, index: found.index, act: found.act, ring: found.ring)
    }

    /// The entries that the ledger returns, grouped by tag.
    private func sorted(_ found: [Found], memoryLimit: Int) throws -> [[Found]] {
        var ledger = TagLedger(memoryLimit: memoryLimit)
        for entry in found { try ledger.append(self.entry(entry)) }
        var groups: [[Found]] = []
        try ledger.forEachTag { entries in
            groups.append(
                entries.map { entry in
                    Found(
                        tag: Self.tags.firstIndex(of: entry.tag) ?? -1, log: entry.log, index: entry.index,
                        act: entry.act, ring: entry.ring)
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
        let largest = (UInt64(1) << 31) - 1
        let lastRing = (UInt32(1) << 19) - 2
        let entries: [Found] = [
            Found(tag: 3, log: 0, index: 0, act: .verified(.sign(roll: 0)), ring: 0),
            Found(tag: 3, log: 15, index: largest, act: .verified(.sign(roll: 255)), ring: lastRing),
            Found(tag: 3, log: 1, index: 1, act: .verified(.sign(roll: 1)), ring: 1),
            Found(tag: 3, log: 8, index: 1 << 30, act: .verified(.sign(roll: 0)), ring: 1 << 18),
            Found(tag: 3, log: 7, index: 1 << 30, act: .verified(.withdraw)),
            Found(tag: 3, log: 15, index: largest, act: .verified(.withdraw)),
            Found(tag: 3, log: 0, index: largest, act: .unjudged), Found(tag: 3, log: 15, index: 0, act: .unjudged),
        ]
        for found in entries {
            #expect(try sorted([found], memoryLimit: 10) == [[found]])
        }
    }

    @Test func onlyAVerifiedSignatureHasARing() {
        for ring: UInt32? in [nil, 0, 5, .max] {
            for act: TagEntry.Act in [.verified(.withdraw), .unjudged] {
                let entry = TagEntry(tag: Self.tags[0], log: 15, index: 9, act: act, ring: ring)
                #expect(entry.ring == nil)
                #expect(entry.act == act && entry.log == 15 && entry.index == 9)
            }
        }
    }

    /// A record from outside may name any ring number, which must not affect other fields.
    @Test func aRingThatNoRollHasIsNoRing() {
        for ring: UInt32 in [(1 << 19) - 1, 1 << 19, (1 << 19) + 1, 1 << 31, .max] {
            let entry = TagEntry(tag: Self.tags[0], log: 3, index: 9, act: .verified(.sign(roll: 7)), ring: ring)
            #expect(entry.ring == nil)
            #expect(entry.act == .verified(.sign(roll: 7)) && entry.log == 3 && entry.index == 9)
        }
    }

    @Test func theOrderIsThatOfLogsAndIndicesWhateverTheRing() throws {
        let entries: [Found] = [
            Found(tag: 3, log: 0, index: 5, act: .verified(.sign(roll: 255)), ring: 9),
            Found(tag: 3, log: 0, index: 6, act: .unjudged),
            Found(tag: 3, log: 0, index: 7, act: .verified(.sign(roll: 0)), ring: 0),
            Found(tag: 3, log: 1, index: 0, act: .verified(.withdraw)),
            Found(tag: 3, log: 1, index: 1, act: .verified(.sign(roll: 3)), ring: 1),
        ]
        #expect(try sorted(entries.reversed(), memoryLimit: 10) == [entries])
        #expect(try sorted(entries.reversed(), memoryLimit: 2) == [entries])
    }

    @Test func tagsStandTogetherInOrder() throws {
        var generator = SeededGenerator(seed: 11)
        for count in [0, 1, 2, 5, 100, 1000] {
            let found = (0..<count).map { index in
                let act: TagEntry.Act =
                    [.verified(.sign(roll: 5)), .verified(.withdraw), .unjudged][generator.index(below: 3)]
                return Found(
                    tag: generator.index(below: 40), log: generator.index(below: 3), index: UInt64(index), act: act,
                    ring: act == .verified(.sign(roll: 5)) ? UInt32(generator.index(below: 1000)) : nil)
            }
            let inOrder = expected(found)
            // In memory, and in files with runs of all kinds of lengths: one, some, exactly full, one over.
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
