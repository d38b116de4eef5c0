import Bytes
import Documents
import Petitions
import Sodium
import Testing
import Verification

@Suite struct VerifiedEntriesTests {
    private static let petition = PetitionID(SHA256.hash([1]))
    private static let entries = VerifiedEntries(
        petition: petition,
        ranges: [
            VerifiedRange(
                log: "count.example/petitions/1", entries: 0..<10, hash: SHA256.hash([2]), exceptions: [0, 3, 9]),
            VerifiedRange(log: "count.example/petitions/1", entries: 10..<4096, hash: SHA256.hash([3]), exceptions: []),
            VerifiedRange(log: "union.example/rolls/a/members", entries: 5..<5, hash: SHA256.hash([4]), exceptions: []),
        ])

    @Test func aFileIsReadBack() throws {
        #expect(try VerifiedEntries(parsing: Array(Self.entries.json.utf8)) == Self.entries)
        let none = VerifiedEntries(petition: Self.petition, ranges: [])
        #expect(try VerifiedEntries(parsing: Array(none.json.utf8)) == none)
    }

    /// The name is used in reports, and is not taken from the contents of the file.
    @Test func rangesHaveTheNameOfTheirFile() throws {
        let named = try VerifiedEntries(parsing: Array(Self.entries.json.utf8), name: "yesterday.state")
        #expect(named.ranges.map(\.file) == ["yesterday.state", "yesterday.state", "yesterday.state"])
        #expect(named.json == Self.entries.json && !named.json.contains("yesterday"))
        #expect(Self.entries.ranges.map(\.file) == [nil, nil, nil])
    }

    /// What is written can be read: ranges in which almost nothing was good are left out.
    @Test func aRangeWithTooManyExceptionsIsLeftOut() throws {
        let many = VerifiedRange(
            log: "count.example/petitions/1", entries: 0..<2_000_000, hash: SHA256.hash([2]),
            exceptions: Array(0..<1_500_000))
        let all = VerifiedEntries(petition: Self.petition, ranges: Self.entries.ranges + [many])
        let bytes = Array(all.json.utf8)
        #expect(bytes.count <= VerifiedEntries.maximumCount)
        #expect(try VerifiedEntries(parsing: bytes) == Self.entries)
    }

    @Test func whatIsNotOneIsRefused() {
        let good = Self.entries.json
        for (old, new) in [
            ("roundrobin-verified/v1", "roundrobin-verified/v2"), ("\"petition\"", "\"Petition\""),
            ("\"first\": 0,", "\"first\": 11,"), ("\"end\": 10,", "\"end\": 9,"), ("\"end\": 10,", "\"end\": -1,"),
            ("3,", "3, 3,"), ("3,", "4, 3,"), ("\"exceptions\": []", "\"exceptions\": [4096]"),
            ("\"exceptions\": []", "\"exceptions\": [9]"), ("\"exceptions\": []", "\"exceptions\": null"),
            ("\"hash\": \"", "\"hash\": \"A"), ("\"log\": \"count", "\"log\": \"\", \"x\": \"count"),
            ("\"end\": 4096", "\"end\": 9007199254740992"),
        ] {
            let bad = good.replacing(old, with: new, maxReplacements: 1)
            #expect(bad != good, "\(old) is in the file")
            #expect(throws: DocumentError.self, "\(old) to \(new)") { try VerifiedEntries(parsing: Array(bad.utf8)) }
        }
    }

    @Test func hostileBytesDoNotTrap() {
        let good = Array(Self.entries.json.utf8)
        for position in good.indices {
            for value in [UInt8(0x30), 0x39, 0x22, 0x7D, 0xFF] {
                var bytes = good
                bytes[position] = value
                _ = try? VerifiedEntries(parsing: bytes)
                _ = try? VerifiedEntries(parsing: Array(bytes[..<position]))
            }
        }
    }
}
