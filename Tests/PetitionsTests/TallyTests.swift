import Bytes
import Documents
import Messages
import Petitions
import Ristretto255
import Sodium
import Testing

@Suite struct TallyCounterTests {
    private struct Found {
        let tag: Int
        let roll: UInt8
        let isWithdrawn: Bool

        init(_ tag: Int, _ roll: UInt8, withdrawn isWithdrawn: Bool = false) {
            self.tag = tag
            self.roll = roll
            self.isWithdrawn = isWithdrawn
        }
    }

    private func tally(_ found: [Found], rolls: Int = 3) -> Tally {
        var counter = TallyCounter(rolls: rolls)
        for marks in Dictionary(grouping: found, by: \.tag).values {
            counter.add(marks.map { TagState(signedAt: 0, roll: $0.roll, withdrawnAt: $0.isWithdrawn ? 1 : nil) })
        }
        return counter.tally
    }

    private func count(_ signatures: UInt64, _ withdrawn: UInt64) -> Tally.Count {
        Tally.Count(signatures: signatures, withdrawn: withdrawn)
    }

    @Test func nothingCountedIsZero() {
        let none = tally([])
        #expect(none.perRoll == [count(0, 0), count(0, 0), count(0, 0)])
        #expect(none.total == Tally.Count())
    }

    @Test func theExampleOfTheProtocolComesOut() {
        // Log 0: T1, T2, T3 sign, T2 withdraws. Log 1: T3, T4, T2 sign.
        let logs = [
            Found(1, 0), Found(2, 0, withdrawn: true), Found(3, 0),
            Found(3, 0), Found(4, 0), Found(2, 0),
        ]
        let result = tally(logs, rolls: 1)
        #expect(result.total == count(3, 1))
        #expect(result.perRoll == [count(3, 1)])
    }

    @Test func aTagCountsOnceAndForTheLowestRoll() {
        #expect(tally([Found(1, 2), Found(1, 0), Found(1, 1)]).perRoll == [count(1, 0), count(0, 0), count(0, 0)])
        #expect(tally([Found(1, 1), Found(1, 2)]).perRoll == [count(0, 0), count(1, 0), count(0, 0)])
        #expect(tally([Found(1, 2), Found(1, 1)]).perRoll == [count(0, 0), count(1, 0), count(0, 0)])
        #expect(tally([Found(1, 0), Found(1, 2), Found(2, 2)]).perRoll == [count(1, 0), count(0, 0), count(1, 0)])
    }

    @Test func aWithdrawalInAnyLogCounts() {
        #expect(tally([Found(1, 0, withdrawn: true), Found(1, 0)]).perRoll[0] == count(0, 1))
        #expect(tally([Found(1, 0), Found(1, 0, withdrawn: true)]).perRoll[0] == count(0, 1))
        #expect(tally([Found(1, 0, withdrawn: true), Found(1, 0, withdrawn: true)]).perRoll[0] == count(0, 1))
        let lower = tally([Found(1, 2, withdrawn: true), Found(1, 1)])
        #expect(lower.perRoll == [count(0, 0), count(0, 1), count(0, 0)])
        #expect(lower.total == count(0, 1))
    }

    @Test func theOrderOfLogsAndTagsDoesNotMatter() {
        var found = [
            Found(0, 2), Found(0, 1), Found(1, 0), Found(1, 0, withdrawn: true), Found(2, 2, withdrawn: true),
            Found(2, 1), Found(3, 2), Found(4, 1), Found(4, 1), Found(5, 0, withdrawn: true), Found(6, 0),
        ]
        let expected = tally(found)
        #expect(expected.perRoll == [count(1, 2), count(2, 1), count(1, 0)])
        #expect(expected.total == count(4, 3))
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<50 {
            found.shuffle(using: &generator)
            let shuffled = tally(found)
            #expect(shuffled == expected)
        }
    }
}

@Suite struct TallyTests {
    private func count(_ signatures: UInt64, _ withdrawn: UInt64) -> Tally.Count {
        Tally.Count(signatures: signatures, withdrawn: withdrawn)
    }

    @Test func equalLabelsAreAddedUpInTheirFirstOrder() {
        let tally = Tally(perRoll: [count(1, 10), count(2, 20), count(4, 40), count(8, 80)])
        let lines = tally.perGroup(
            ["Crew", "Officers", "Crew", "crew"].map { TallyGroup(label: $0, admission: .list) })
        let labels = lines.map { $0.group.label }
        #expect(labels == ["Crew", "Officers", "crew"])
        let counts = lines.map { $0.count }
        #expect(counts == [count(5, 50), count(2, 20), count(8, 80)])
        #expect(tally.total == count(15, 150))
    }

    @Test func labelsThatOnlyLookEqualStayApart() {
        let tally = Tally(perRoll: [count(1, 0), count(2, 0), count(4, 0)])
        let labels = ["\u{E9}", "e\u{301}", "\u{E9}"]
        let lines = tally.perGroup(labels.map { TallyGroup(label: $0, admission: .list) })
        let counts = lines.map { $0.count }
        #expect(counts == [count(5, 0), count(2, 0)])
    }

    @Test func waysOfAdmissionStayApart() {
        let tally = Tally(perRoll: [count(1, 10), count(2, 20), count(4, 40), count(8, 80)])
        let groups: [TallyGroup] = [
            .init(label: "Crew", admission: .list), .init(label: "Crew", admission: .email),
            .init(label: "Town", admission: .email), .init(label: "Crew", admission: .list),
        ]
        let lines = tally.perGroup(groups)
        #expect(lines.map { $0.group } == Array(groups[..<3]))
        #expect(lines.map { $0.count } == [count(9, 90), count(2, 20), count(4, 40)])
        let admissions = Tally.perAdmission(lines)
        #expect(admissions.map { $0.admission } == [.list, .email])
        #expect(admissions.map { $0.count } == [count(9, 90), count(6, 60)])
        // Lists of people need no caution.
        #expect(Tally.perAdmission(Array(lines.prefix(1))).isEmpty)
    }

    @Test func theGoalGrowsByFiveAndTwo() {
        let expected: [(UInt64, UInt64)] = [
            (0, 1000), (1, 1000), (999, 1000), (1000, 5000), (1001, 5000), (4999, 5000), (5000, 10_000), (9999, 10_000),
            (10_000, 50_000), (49_999, 50_000), (50_000, 100_000), (100_000, 500_000), (999_999, 1_000_000),
        ]
        for (signatures, goal) in expected {
            let next = Tally.nextGoal(first: 1000, signatures: signatures)
            #expect(next == goal, "\(signatures)")
        }
        #expect(Tally.nextGoal(first: 1, signatures: 0) == 1)
        #expect(Tally.nextGoal(first: 1, signatures: 1) == 5)
        #expect(Tally.nextGoal(first: 250, signatures: 250) == 1250)
        #expect(Tally.nextGoal(first: 250, signatures: 1250) == 2500)
    }

    @Test func theGoalNeverLeavesTheIntegersOfJSON() {
        let maximum = JSONValue.maximumInteger
        #expect(Tally.nextGoal(first: maximum, signatures: 0) == maximum)
        #expect(Tally.nextGoal(first: maximum, signatures: maximum) == maximum)
        #expect(Tally.nextGoal(first: maximum - 1, signatures: maximum) == maximum)
        #expect(Tally.nextGoal(first: 1, signatures: maximum) == maximum)
    }
}

@Suite struct PublishedTallyTests {
    private let tally: PublishedTally
    private let draft: Draft

    init() throws {
        let petition = try Election().petition
        let perRoll = [Tally.Count(signatures: 250, withdrawn: 2), Tally.Count(signatures: 30, withdrawn: 1)]
        let root = SHA256.hash([7])
        tally = PublishedTally(
            petition, tally: Tally(perRoll: perRoll),
            groups: [
                .init(label: "Crew", admission: .list), .init(label: "The \"Officers\"", admission: .email),
            ], treeSize: 286, rootHash: root)
        let crew = Draft([
            ("label", quoted("Crew")), ("admission", quoted("list")), ("signatures", "250"), ("withdrawn", "2"),
        ])
        let officers = Draft([
            ("label", quoted("The \\\"Officers\\\"")), ("admission", quoted("email")), ("signatures", "30"),
            ("withdrawn", "1"),
        ])
        draft = Draft([
            ("id", quoted(petition.id.hex)),
            ("title", quoted("Fresh water on every watch")),
            ("signatures", "280"),
            ("withdrawn", "3"),
            ("goal", "250"),
            ("nextGoal", "1250"),
            ("perLabel", Fixture.list([crew, officers])),
            ("treeSize", "286"),
            ("rootHash", quoted(Base64.encode(root.array))),
            ("opens", quoted("2026-03-01T08:00:00Z")),
            ("closes", quoted("2026-04-30T20:00:00Z")),
        ])
    }

    private func read(_ draft: Draft) -> PublishedTally? {
        try? PublishedTally(parsing: Array(draft.compact.utf8))
    }

    private func refusal(_ draft: Draft) -> DocumentError? {
        do throws(DocumentError) {
            _ = try PublishedTally(parsing: Array(draft.compact.utf8))
            return nil
        } catch {
            return error
        }
    }

    @Test func aTallyIsWrittenFieldByField() {
        #expect(tally.json() == draft.compact)
        let time = UTCTime(seconds: 1_772_352_000)
        let served = draft.with("checkpointTime", quoted(time.description)).with("status", quoted("open"))
        #expect(tally.json(checkpointTime: time, status: .open) == served.compact)
    }

    @Test func aTallyIsReadAsItIsWritten() throws {
        let copy = try PublishedTally(parsing: Array(tally.json().utf8))
        #expect(copy == tally)
        for status: PetitionManifest.Status in [.notOpen, .open, .closed] {
            let text = tally.json(checkpointTime: UTCTime(seconds: 0), status: status)
            let served = try PublishedTally(parsing: Array(text.utf8))
            #expect(served == tally)
        }
    }

    @Test func aChangedFieldIsAnotherTally() throws {
        let label = Draft([
            ("label", quoted("Crew")), ("admission", quoted("list")), ("signatures", "280"), ("withdrawn", "3"),
        ])
        let changes: [(String, String)] = [
            ("id", quoted(Fixture.rollID)), ("title", quoted("Fresh water")), ("signatures", "281"), ("withdrawn", "2"),
            ("goal", "251"), ("nextGoal", "250"), ("perLabel", Fixture.list([label])), ("perLabel", "[]"),
            ("treeSize", "285"), ("rootHash", quoted(Fixture.root)), ("opens", quoted("2026-03-01T08:00:01Z")),
            ("closes", quoted("2026-04-30T20:00:01Z")),
        ]
        for (field, value) in changes {
            let changed = try #require(read(draft.with(field, value)), "\(field)")
            #expect(changed != tally, "\(field)")
        }
    }

    @Test func aFieldOfTheWrongFormIsRefused() {
        let wrong: [(String, String)] = [
            ("id", quoted(Fixture.rollID.uppercased())), ("id", "1"), ("title", "\"\""), ("title", "\"a\\nb\""),
            ("signatures", "\"280\""), ("withdrawn", "true"), ("goal", "[]"), ("nextGoal", "{}"), ("perLabel", "{}"),
            ("treeSize", "\"286\""), ("rootHash", "\"AAAA\""), ("opens", "1"), ("closes", "\"2026-04-31T20:00:00Z\""),
            ("checkpointTime", "1"), ("checkpointTime", "\"2026-13-01T00:00:00Z\""), ("status", "\"done\""),
            ("status", "\"\""), ("status", "1"),
        ]
        for (field, value) in wrong {
            let found = refusal(draft.with(field, value))
            #expect(found?.invalidField == field, "\(field): \(value)")
        }
        for value in ["280.0", "-1", "null", "0280", "9007199254740992"] {
            let found = refusal(draft.with("signatures", value))
            #expect(found?.isMalformed == true, "\(value)")
        }
    }

    @Test func fieldsAreThereOnceAndNoOthers() {
        for name in draft.names {
            #expect(refusal(draft.without(name)) == DocumentError.missing(field: name))
            #expect(refusal(draft.repeating(name))?.isMalformed == true, "\(name)")
        }
        #expect(refusal(draft.with("colour", "1")) == DocumentError.unknown(field: "colour"))
        let label = Draft([
            ("label", quoted("Crew")), ("admission", quoted("list")), ("signatures", "1"), ("withdrawn", "0"),
        ])
        for way in ["lists", "List", "e-mail"] {
            let labels = Fixture.list([label.with("admission", quoted(way))])
            #expect(refusal(draft.with("perLabel", labels))?.invalidField == "admission", "\(way)")
        }
        for name in label.names {
            let labels = Fixture.list([label.without(name)])
            #expect(refusal(draft.with("perLabel", labels)) == DocumentError.missing(field: name))
        }
        let more = Fixture.list([label.with("colour", "1")])
        #expect(refusal(draft.with("perLabel", more)) == DocumentError.unknown(field: "colour"))
    }
}
