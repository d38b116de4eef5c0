import Bytes
import Documents
import Petitions
import Sodium
import Testing
import TransparencyLog

@Suite struct AnnouncementTests {
    private let roll = Announcement.roll(RollID(SHA256.hash([1])), linkHash: SHA256.hash([2]))
    private let petition = Announcement.petition(PetitionID(SHA256.hash([3])))

    private func rule(_ bytes: [UInt8]) -> Rule? {
        do throws(Rule) {
            _ = try Announcement(parsing: bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test func entriesHaveTheirLayoutAndAreReadAsTheyAreWritten() throws {
        #expect(roll.bytes == joined([0x01], SHA256.hash([1]).array, SHA256.hash([2]).array))
        #expect(petition.bytes == joined([0x02], SHA256.hash([3]).array))
        #expect(roll.bytes.count == 65 && petition.bytes.count == 33)
        #expect(Announcement.maximumCount == 65)
        for entry in [roll, petition] {
            let read = try Announcement(parsing: entry.bytes)
            #expect(read == entry)
        }
    }

    @Test func theExamplesAreAnnounced() throws {
        let descriptor = try RollDescriptor(parsing: Fixture.signed(Fixture.roll, name: Fixture.coordinatorName))
        let announced = Announcement.roll(descriptor).bytes
        #expect(
            Hex.encode(announced)
                == "01" + Fixture.rollID + "b4f1dbc9f18994fd407eee7c45a7d75a55eef0724a7fc36c78764fece94ae37f")
        let petition = "199fd771f5b3cc5c078b6978625cea6cf56e509843cdb420ba185ef2d8814099"
        let other = Announcement.petition(try #require(PetitionID(hex: petition))).bytes
        #expect(Hex.encode(other) == "02" + petition)
        let root = MerkleHash.node(MerkleHash.leaf(announced), MerkleHash.leaf(other))
        #expect(Base64.encode(root.array) == "kDXT9ZRHns94M5uK44PTrcORAvY4l9V7OEDQn7T2oo0=")
        let key = Announcement.logKey(coordinator: descriptor.coordinator, key: descriptor.key)
        #expect(
            key.vkey
                == "coordinator.example.org/announcements+9ed9e872+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4")
    }

    @Test func everyOtherLengthIsMalformed() {
        for count in 0...200 {
            let bytes = [UInt8](repeating: 1, count: count)
            #expect(rule(bytes) == (count == 65 ? nil : Rule.entryMalformed), "\(count)")
            guard count > 0 else { continue }
            let other = bytes.replacing(at: 0, with: [0x02])
            #expect(rule(other) == (count == 33 ? nil : Rule.entryMalformed), "\(count)")
        }
    }

    @Test func everyOtherTypeIsMalformed() {
        for type in UInt8.min...UInt8.max where type != 1 && type != 2 {
            for entry in [roll, petition] {
                #expect(rule(entry.bytes.replacing(at: 0, with: [type])) == Rule.entryMalformed)
            }
        }
        #expect(rule(roll.bytes.replacing(at: 0, with: [0x02])) == Rule.entryMalformed)
        #expect(rule(petition.bytes.replacing(at: 0, with: [0x01])) == Rule.entryMalformed)
    }
}

@Suite struct AnnouncementLedgerTests {
    /// A descriptor of the roll with this slug; each name gives a different text.
    private func roll(_ slug: String, name: String = "a", coordinator: String = Fixture.coordinator) throws
        -> RollDescriptor
    {
        let draft = Fixture.roll.with("slug", quoted(slug)).with("name", quoted(name))
            .with("url", quoted(coordinator))
        return try RollDescriptor(parsing: Fixture.signed(draft, name: Fixture.url(coordinator).bare))
    }

    private func ledger(_ entries: [[UInt8]]) -> AnnouncementLedger {
        var ledger = AnnouncementLedger()
        for entry in entries { ledger.append(entry) }
        #expect(ledger.size == UInt64(entries.count))
        return ledger
    }

    private func entry(_ roll: RollDescriptor) -> [UInt8] { Announcement.roll(roll).bytes }

    private func entry(_ petition: PetitionID) -> [UInt8] { Announcement.petition(petition).bytes }

    private func fault(_ index: UInt64, _ rule: Rule = .entryMalformed) -> LogFault {
        LogFault(index: index, rule: rule)
    }

    @Test func anEmptyLogAnnouncesNothing() throws {
        let roll = try roll("a")
        let empty = ledger([])
        #expect(empty.rolls.isEmpty && empty.faults.isEmpty)
        let isRoll = empty.isAnnounced(roll)
        #expect(!isRoll)
        #expect(empty.roll(under: roll.link) == nil)
        let isPetition = empty.isAnnounced(PetitionID(roll.id.bytes))
        #expect(!isPetition)
    }

    @Test func whatIsAnnouncedIsFoundInItsOrder() throws {
        let rolls = [try roll("b"), try roll("a"), try roll("b", coordinator: "https://other.example.org")]
        let petitions = [PetitionID(SHA256.hash([1])), PetitionID(SHA256.hash([2]))]
        let log = ledger([
            entry(rolls[0]), entry(petitions[0]), entry(rolls[1]), entry(rolls[2]), entry(petitions[1]),
        ])
        #expect(log.faults.isEmpty)
        #expect(log.rolls == rolls.map(\.id))
        for roll in rolls {
            let isAnnounced = log.isAnnounced(roll)
            #expect(isAnnounced)
            #expect(log.roll(under: roll.link) == roll.id)
        }
        for petition in petitions {
            let isAnnounced = log.isAnnounced(petition)
            #expect(isAnnounced)
        }
        let other = log.isAnnounced(try roll("c"))
        #expect(!other)
    }

    /// An id of one kind is not announced as one of the other.
    @Test func aRollIsNoPetition() throws {
        let roll = try roll("a")
        let asRoll = ledger([entry(roll)])
        let isPetition = asRoll.isAnnounced(PetitionID(roll.id.bytes))
        #expect(!isPetition)
        let asPetition = ledger([entry(PetitionID(roll.id.bytes))])
        let isRoll = asPetition.isAnnounced(roll)
        #expect(!isRoll)
        #expect(asPetition.rolls.isEmpty)
    }

    @Test func theFirstAnnouncementOfALinkHolds() throws {
        let (first, second, other) = (try roll("a"), try roll("a", name: "b"), try roll("b"))
        #expect(first.link == second.link && first.id != second.id)
        let log = ledger([entry(first), entry(other), entry(second), entry(second), entry(first)])
        let holds = log.isAnnounced(first)
        #expect(holds)
        let isIgnored = !log.isAnnounced(second)
        #expect(isIgnored)
        #expect(log.roll(under: first.link) == first.id)
        #expect(log.rolls == [first.id, other.id])
        #expect(log.faults == [fault(2, .notAnnounced), fault(3, .notAnnounced)])
        // Which entry comes first does not depend on the roll that is asked about.
        let turned = ledger([entry(second), entry(first)])
        let secondHolds = turned.isAnnounced(second) && !turned.isAnnounced(first)
        #expect(secondHolds)
        #expect(turned.rolls == [second.id])
        #expect(turned.faults == [fault(1, .notAnnounced)])
    }

    @Test func announcingTheSameAgainIsNoFault() throws {
        let roll = try roll("a")
        let petition = PetitionID(SHA256.hash([1]))
        let log = ledger([entry(roll), entry(petition), entry(roll), entry(petition), entry(roll)])
        #expect(log.faults.isEmpty)
        #expect(log.rolls == [roll.id])
        let isAnnounced = log.isAnnounced(roll) && log.isAnnounced(petition)
        #expect(isAnnounced)
    }

    /// An entry with a descriptor's id but another link does not announce that descriptor.
    @Test func anIdUnderAnotherLinkAnnouncesNothing() throws {
        let (roll, other) = (try roll("a"), try roll("b"))
        let log = ledger([Announcement.roll(roll.id, linkHash: other.link.hash).bytes])
        let isAnnounced = log.isAnnounced(roll) || log.isAnnounced(other)
        #expect(!isAnnounced)
        #expect(log.roll(under: roll.link) == nil)
        #expect(log.roll(under: other.link) == roll.id)
    }

    @Test func malformedEntriesAreFaultsAndIgnored() throws {
        let (first, second) = (try roll("a"), try roll("b"))
        let bad: [[UInt8]] = [
            [], [0x01], Array(entry(first).dropLast()), entry(first) + [0],
            joined([0x03], [UInt8](repeating: 0, count: 32)),
        ]
        let log = ledger(bad + [entry(first)] + bad + [entry(second)])
        let indices: [UInt64] = [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]
        #expect(log.faults == indices.map { fault($0) })
        #expect(log.rolls == [first.id, second.id])
        let areAnnounced = log.isAnnounced(first) && log.isAnnounced(second)
        #expect(areAnnounced)
    }

    @Test func noMoreThan16FaultsAreKept() throws {
        let (first, second, last) = (try roll("a"), try roll("a", name: "b"), try roll("c"))
        var entries = [entry(first)]
        for number in 0..<100 { entries.append(number.isMultiple(of: 2) ? [0xFF] : entry(second)) }
        entries.append(entry(last))
        let log = ledger(entries)
        let expected = (UInt64(1)...16).map { fault($0, $0.isMultiple(of: 2) ? .notAnnounced : .entryMalformed) }
        #expect(log.faults == expected)
        #expect(log.rolls == [first.id, last.id])
        let isFound = log.isAnnounced(last)
        #expect(isFound)
    }
}
