import Documents
import Petitions
import RingSignatures
import Ristretto255
import Testing

/// What the rolls of a petition must not share.
@Suite struct SharedBetweenRollsTests {
    private struct Found: Equatable {
        let rule: Rule
        let roll: Int
        let other: Int
        let index: UInt64?
        let isBinding: Bool
    }

    /// Three rolls that share no keys or enrolment keys. A petition refers to the first two rings of each, entries 0-3
    /// and 4-6. The last ring is entries 7-9.
    private let rolls: [RollLogs]

    init() throws {
        rolls = [
            try RollLogs(slug: "a", first: 0, enrolmentKey: 1), try RollLogs(slug: "b", first: 10, enrolmentKey: 2),
            try RollLogs(slug: "c", first: 20, enrolmentKey: 3),
        ]
    }

    private func petition(_ rolls: [RollLogs], sizes: [UInt64]? = nil) throws -> PetitionManifest {
        let key = Fixture.noteKey(0)
        var references: [PetitionManifest.RollReference] = []
        for (index, roll) in rolls.enumerated() { references.append(try roll.reference(sizes?[index] ?? 7)) }
        return try PetitionManifest.make(
            url: Fixture.url(Fixture.coordinator), text: Fixture.petitionText(), rolls: references,
            aggregators: Fixture.aggregators(), key: key)
    }

    /// The findings in these rolls; those in `unread` could not be read.
    private func find(_ rolls: [RollLogs], sizes: [UInt64]? = nil, unread: Set<Int> = []) throws -> [Found] {
        let replays = rolls.enumerated().map { index, roll in unread.contains(index) ? nil : roll.replay() }
        return SharedBetweenRolls.find(try petition(rolls, sizes: sizes), rolls: replays).map { shared in
            Found(
                rule: shared.rule, roll: shared.roll, other: shared.other, index: shared.index,
                isBinding: shared.isBinding)
        }
    }

    private func member(_ roll: Int, of other: Int, at index: UInt64, isBinding: Bool = true) -> Found {
        Found(rule: .memberInTwoRolls, roll: roll, other: other, index: index, isBinding: isBinding)
    }

    /// The rolls, with the key at `position` in `ring` of one roll replaced.
    private func replacing(
        _ rolls: [RollLogs]? = nil, roll: Int, ring: Int, position: Int, with key: MemberKey
    ) -> [RollLogs] {
        var rolls = rolls ?? self.rolls
        rolls[roll].rings[ring].keys[position] = key
        rolls[roll].rings[ring].keys.sort()
        return rolls
    }

    @Test func rollsOfTheirOwnShareNothing() throws {
        #expect(try find(rolls).isEmpty)
        #expect(try find(rolls, sizes: [10, 4, 7]).isEmpty)
        #expect(try find(rolls, unread: [0, 1, 2]).isEmpty)
        #expect(try find([rolls[0], rolls[2]]).isEmpty)
    }

    @Test func oneRollSharesNothingWithItself() throws {
        #expect(try find([rolls[0]]).isEmpty)
        // A key in two rings of one roll is a fault of that log, and is found there.
        let twice = replacing([rolls[0]], roll: 0, ring: 1, position: 0, with: rolls[0].rings[0].keys[1])
        #expect(twice[0].replay().membersFault?.rule == .duplicateMember)
        #expect(try find(twice).isEmpty)
        let beside = replacing(roll: 0, ring: 1, position: 0, with: rolls[0].rings[0].keys[1])
        #expect(try find(beside).isEmpty)
    }

    @Test func anEnrolmentKeyServesOneRoll() throws {
        func rolls(_ keys: [UInt64]) throws -> [RollLogs] {
            try keys.enumerated().map { index, key in
                try RollLogs(slug: ["a", "b", "c"][index], first: 10 * index, enrolmentKey: key)
            }
        }
        func reused(_ roll: Int, by other: Int) -> Found {
            Found(rule: .enrolmentKeyReused, roll: roll, other: other, index: nil, isBinding: true)
        }
        #expect(try find(rolls([1, 1])) == [reused(1, by: 0)])
        #expect(try find(rolls([1, 2, 1])) == [reused(2, by: 0)])
        #expect(try find(rolls([1, 2, 2])) == [reused(2, by: 1)])
        #expect(try find(rolls([1, 1, 1])) == [reused(1, by: 0), reused(2, by: 0)])
        // Nothing is reported for a roll that could not be read.
        #expect(try find(rolls([1, 1, 1]), unread: [0]) == [reused(2, by: 1)])
        #expect(try find(rolls([1, 1, 1]), unread: [0, 2]).isEmpty)
        #expect(try find(rolls([1, 1, 2]), unread: [1]).isEmpty)
    }

    @Test func aMemberBelowTheSizesIsInOneRoll() throws {
        let key = rolls[0].rings[1].keys[1]
        #expect(try find(replacing(roll: 1, ring: 0, position: 0, with: key)) == [member(1, of: 0, at: 0)])
        #expect(try find(replacing(roll: 2, ring: 1, position: 0, with: key)) == [member(2, of: 0, at: 4)])
        let third = replacing(roll: 2, ring: 1, position: 1, with: rolls[1].rings[0].keys[2])
        #expect(try find(third) == [member(2, of: 1, at: 4)])
        let last = replacing(roll: 1, ring: 1, position: 1, with: RollLogs.points[35])
        let both = replacing(last, roll: 2, ring: 1, position: 1, with: RollLogs.points[35])
        #expect(try find(both) == [member(2, of: 1, at: 5)])
        #expect(try find(both, unread: [1]).isEmpty)
    }

    @Test func oneOfSeveralIsNamedForEachRoll() throws {
        let (first, second) = (rolls[0].rings[0].keys[0], rolls[0].rings[0].keys[1])
        var shared = replacing(roll: 1, ring: 0, position: 1, with: first)
        shared = replacing(shared, roll: 1, ring: 0, position: 2, with: second)
        shared = replacing(shared, roll: 2, ring: 1, position: 0, with: first)
        #expect(try find(shared) == [member(1, of: 0, at: 0), member(2, of: 0, at: 4)])
    }

    /// It cannot be known which of two rolls took a key from the other, so every roll that shares one is in a finding.
    @Test func everyRollThatSharesSomethingIsNamed() throws {
        var shared = replacing(roll: 2, ring: 0, position: 0, with: rolls[0].rings[0].keys[0])
        shared = replacing(shared, roll: 2, ring: 1, position: 0, with: rolls[1].rings[0].keys[0])
        #expect(try find(shared) == [member(2, of: 0, at: 0), member(2, of: 1, at: 4)])
        // Once both are named, further keys add nothing.
        shared = replacing(shared, roll: 2, ring: 1, position: 1, with: rolls[1].rings[0].keys[1])
        #expect(try find(shared) == [member(2, of: 0, at: 0), member(2, of: 1, at: 4)])
        // For a later ring only its own roll is named, for one key.
        let later = replacing(roll: 2, ring: 2, position: 0, with: rolls[0].rings[0].keys[0])
        let two = replacing(later, roll: 2, ring: 2, position: 1, with: rolls[1].rings[0].keys[0])
        #expect(try find(two).map(\.roll) == [2])
    }

    /// A key has only one tag under a petition, and counts once.
    @Test func aKeyOfALaterRingIsNotBinding() throws {
        let key = rolls[0].rings[0].keys[1]
        let second = replacing(roll: 1, ring: 2, position: 0, with: key)
        #expect(try find(second) == [member(1, of: 0, at: 7, isBinding: false)])
        // It is binding if the ring is below the size.
        #expect(try find(second, sizes: [7, 10, 7]) == [member(1, of: 0, at: 7)])
        // The seal at 9 is the first entry not included in a size of 9.
        #expect(try find(second, sizes: [7, 9, 7]) == [member(1, of: 0, at: 7, isBinding: false)])
        // It is not binding if neither ring is below the size.
        let later = replacing(roll: 1, ring: 2, position: 0, with: rolls[0].rings[2].keys[1])
        #expect(try find(later) == [member(1, of: 0, at: 7, isBinding: false)])
        #expect(try find(later, sizes: [10, 7, 7]) == [member(1, of: 0, at: 7, isBinding: false)])
        #expect(try find(later, sizes: [10, 10, 7]) == [member(1, of: 0, at: 7)])
    }

    /// The roll that was first is not to blame for what another coordinator seals later.
    @Test func theLaterRingIsNamedAlsoInAnEarlierRoll() throws {
        let key = rolls[1].rings[0].keys[1]
        let shared = replacing(roll: 0, ring: 2, position: 1, with: key)
        #expect(try find(shared) == [member(0, of: 1, at: 8, isBinding: false)])
        let three = replacing(shared, roll: 2, ring: 2, position: 0, with: key)
        #expect(
            try find(three) == [
                member(0, of: 1, at: 8, isBinding: false), member(2, of: 1, at: 7, isBinding: false),
            ])
    }

    @Test func bothKindsAreFoundTogether() throws {
        var shared = replacing(roll: 1, ring: 0, position: 0, with: rolls[0].rings[0].keys[0])
        shared[2] = try RollLogs(slug: "c", first: 20, enrolmentKey: 1)
        shared = replacing(shared, roll: 2, ring: 2, position: 0, with: rolls[0].rings[0].keys[2])
        #expect(
            try find(shared) == [
                Found(rule: .enrolmentKeyReused, roll: 2, other: 0, index: nil, isBinding: true),
                member(1, of: 0, at: 0), member(2, of: 0, at: 7, isBinding: false),
            ])
    }

    /// Rings after a fault do not count as rings: their members are not compared.
    @Test func whatFollowsAFaultIsNotCompared() throws {
        let shared = replacing(roll: 1, ring: 2, position: 0, with: rolls[0].rings[0].keys[0])
        var members = shared[1].members
        members.insert([0xFF], at: 7)
        let replays: [RollReplay?] = [shared[0].replay(), shared[1].replay(members: members), nil]
        #expect(SharedBetweenRolls.find(try petition(shared), rolls: replays).isEmpty)
    }
}
