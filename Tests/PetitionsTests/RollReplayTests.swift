import Bytes
import Documents
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import Testing
import TransparencyLog

/// The members log of a roll: entries before a fault remain valid.
@Suite struct RollReplayTests {
    private let logs: RollLogs

    init() throws {
        logs = try RollLogs()
    }

    @Test func aGoodRollGivesAllItsRings() throws {
        let replay = logs.replay()
        #expect(replay.membersFault == nil && replay.faultAtEnd == nil)
        #expect(replay.faultAtEnd == nil)
        #expect(replay.tree == RollLogs.tree(logs.members))
        #expect(replay.ledger.rings.map(\.sealIndex) == [3, 6, 9])
        #expect(replay.ledger.rings.map(\.enrolmentSize) == [7, 13, 19])
        #expect(replay.ledger.rings.map { $0.ring.members } == logs.rings.map(\.keys))
        let enrolment = try #require(replay.enrolment)
        #expect(enrolment.size == 19)
        #expect(enrolment.goodSeals == 3)
        #expect(enrolment.fault == nil && enrolment.sealFault == nil)
        #expect(!enrolment.isStopped && !enrolment.isSealBeyond)
        let state = EnrolmentState(
            round: 2, isJoining: true, opened: 3000, issuedInRound: 2, invited: 7, issued: 7, voided: 0)
        #expect(enrolment.state == state)
        for size: UInt64 in [4, 7, 10] {
            let reference = try logs.reference(size)
            #expect(replay.isReferred(by: reference))
            #expect(replay.numbers(under: reference) == [0, 1, 2])
        }
    }

    @Test func entriesMayBeReadInAnyPieces() throws {
        let whole = logs.replay()
        for count in 1...10 {
            var replay = RollReplay(logs.descriptor)
            let members = logs.members
            for start in stride(from: 0, to: members.count, by: count) {
                replay.appendMembers(Array(members[start..<min(start + count, members.count)]))
            }
            for start in stride(from: 0, to: logs.enrolment.count, by: count) {
                replay.appendEnrolment(Array(logs.enrolment[start..<min(start + count, logs.enrolment.count)]))
            }
            #expect(replay.tree == whole.tree)
            #expect(replay.enrolment?.goodSeals == 3)
            #expect(replay.enrolment?.state == whole.enrolment?.state)
            #expect(replay.numbers(under: try logs.reference(4)) == [0, 1, 2])
        }
    }

    @Test func aRollIsReferredToByItsIdSizeAndRoot() throws {
        let replay = logs.replay()
        let good = try logs.reference(7)
        func reference(_ id: RollID, _ size: UInt64, _ root: Bytes32) -> PetitionManifest.RollReference {
            PetitionManifest.RollReference(
                id: id, coordinator: good.coordinator, label: "Crew", size: size, root: root, laterRings: false)
        }
        let (id, root) = (logs.descriptor.id, good.root)
        #expect(replay.isReferred(by: reference(id, 7, root)))
        #expect(!replay.isReferred(by: reference(RollID(SHA256.hash([])), 7, root)))
        #expect(!replay.isReferred(by: reference(id, 7, SHA256.hash([]))))
        for size: UInt64 in [1, 4, 6, 8, 10, 11, 12, .max] {
            #expect(!replay.isReferred(by: reference(id, size, root)))
        }
        // Beyond the entries that were read.
        let shorter = logs.replayMembers(Array(logs.members.prefix(7)))
        #expect(shorter.isReferred(by: good))
        #expect(!shorter.isReferred(by: try logs.reference(10)))
    }

    @Test func rootsAreKnownAtSealsAndWhereTheyAreAskedFor() throws {
        for size: UInt64 in 1...10 {
            let reference = try logs.reference(size)
            #expect(logs.replay().isReferred(by: reference) == [4, 7, 10].contains(size), "\(size)")
            #expect(logs.replay(rootsAt: [size]).isReferred(by: reference), "\(size)")
        }
    }

    @Test func rootsAreRightAtEverySize() throws {
        let members = (0..<300).map { [UInt8($0 & 0xFF)] }
        let replay = logs.replayMembers(members, rootsAt: Set(1...300))
        for size: UInt64 in 1...300 {
            #expect(replay.isReferred(by: try logs.reference(size, of: members)), "\(size)")
        }
    }

    /// A manifest's root identifies the roll that it means, even if that roll is at fault.
    @Test func aRollWithAFaultIsStillTheOneReferredTo() throws {
        var members = logs.members
        members[5] = [0xFF]
        let replay = logs.replay(members: members, rootsAt: [7])
        #expect(replay.membersFault == LogFault(index: 5, rule: .entryMalformed))
        #expect(replay.isReferred(by: try logs.reference(7, of: members)))
        #expect(!replay.isReferred(by: try logs.reference(7)))
        // The root at a seal before the fault is known without having been requested; after the fault it is not.
        let unasked = logs.replay(members: members)
        #expect(unasked.isReferred(by: try logs.reference(4)))
        #expect(!unasked.isReferred(by: try logs.reference(7, of: members)))
    }

    /// Ways to break a rule with the entry at an index.
    private func faults(at index: Int) -> [(entry: [UInt8], rule: Rule)] {
        let member = RollEntry.member(RollLogs.points[50]).bytes
        let root = RollLogs.tree(logs.enrolment).root
        var faults: [(entry: [UInt8], rule: Rule)] = [
            ([], .entryMalformed), ([0xFF], .entryMalformed), (member + [0], .entryMalformed),
            ([0x03] + member.dropFirst(), .entryMalformed), (member.settingBit255(at: 1), .nonCanonicalPoint),
            ([0x01] + [UInt8](repeating: 0, count: 32), .identityPoint),
        ]
        if index > 3 {
            // A key of the first ring, and a seal with a smaller enrolment size than the previous one.
            let earlier: Rule = [4, 7].contains(index) ? .duplicateMember : .membersNotAscending
            faults.append((RollEntry.member(RollLogs.points[1]).bytes, earlier))
            if index == 6 || index == 9 {
                faults.append((RollEntry.seal(enrolmentSize: 6, enrolmentRoot: root).bytes, .enrolmentExceeded))
            }
        }
        if ![0, 4, 7].contains(index) { faults.append((logs.members[index - 1], .duplicateMember)) }
        if [0, 1, 4, 5, 7, 8].contains(index) {
            faults.append((RollEntry.seal(enrolmentSize: 19, enrolmentRoot: root).bytes, .ringSize))
        }
        return faults
    }

    @Test func ringsBeforeAFaultStay() throws {
        for index in 0..<10 {
            for (entry, rule) in faults(at: index) {
                var members = logs.members
                members[index] = entry
                let replay = logs.replay(members: members, rootsAt: [7])
                let fault = LogFault(index: UInt64(index), rule: rule)
                #expect(replay.membersFault == fault, "\(index)")
                #expect(replay.faultAtEnd == fault)
                let rings = [UInt32](0..<UInt32(index < 4 ? 0 : index < 7 ? 1 : 2))
                #expect(replay.ledger.rings.map { $0.ring.number } == rings, "\(index)")
                // Whether the fault is below the manifest's size or after it.
                for size: UInt64 in [4, 7, 10] {
                    let reference = try logs.reference(size, of: members)
                    #expect(replay.numbers(under: reference) == rings, "\(index) \(size)")
                }
                #expect(replay.tree == RollLogs.tree(members))
                #expect(replay.isReferred(by: try logs.reference(7, of: members)))
            }
        }
    }

    @Test func aRingOfMoreThanTheCapacityIsAFault() throws {
        let logs = try RollLogs(rounds: [3, 17])
        let replay = logs.replay()
        #expect(replay.membersFault == LogFault(index: 20, rule: .ringSize))
        #expect(replay.numbers(under: try logs.reference(4)) == [0])
    }

    @Test func aKeyOfAnEarlierRingMakesALaterRingInadmissible() throws {
        for (ring, position) in [(1, 0), (2, 0), (2, 1)] {
            var logs = logs
            // In ascending order, so that it breaks only this rule.
            logs.rings[ring].keys[position] = RollLogs.points[position]
            logs.rings[ring].keys.sort()
            let replay = logs.replay()
            let start = ring == 1 ? 4 : 7
            #expect(replay.membersFault == LogFault(index: UInt64(start), rule: .duplicateMember))
            let expected = [UInt32](0..<UInt32(ring))
            #expect(replay.numbers(under: try logs.reference(4)) == expected)
            #expect(replay.isReferred(by: try logs.reference(4)))
        }
    }

    @Test func nothingThatFollowsAFaultIsJudged() throws {
        var members = logs.members
        members.insert([0xFF], at: 7)
        let replay = logs.replay(members: members)
        #expect(replay.membersFault == LogFault(index: 7, rule: .entryMalformed))
        // The ring after it would be valid.
        #expect(replay.ledger.rings.count == 2)
        #expect(replay.ledger.size == 7)
        #expect(replay.tree.size == 11)
        members += [[], [0x01], logs.members[0]]
        let more = logs.replay(members: members)
        #expect(more.membersFault == replay.membersFault)
        #expect(more.numbers(under: try logs.reference(4)) == [0, 1])
    }

    @Test func junkBehindTheLastSealChangesNoRing() throws {
        let junk: [[UInt8]] = [[], [0xFF], [UInt8](repeating: 0xFF, count: 1126)]
        for entry in junk {
            let replay = logs.replay(members: logs.members + [entry])
            #expect(replay.membersFault == LogFault(index: 10, rule: .entryMalformed))
            #expect(replay.faultAtEnd == replay.membersFault)
            for size: UInt64 in [4, 7, 10] {
                let reference = try logs.reference(size)
                #expect(replay.isReferred(by: reference))
                #expect(replay.numbers(under: reference) == [0, 1, 2])
            }
        }
    }

    @Test func membersBehindTheLastSealAreAFaultAtTheEnd() throws {
        let more = RollLogs.points[40...41].map { RollEntry.member($0).bytes }
        for count in 1...2 {
            var replay = logs.replay(members: logs.members + more.prefix(count))
            #expect(replay.membersFault == nil)
            #expect(replay.faultAtEnd == LogFault(index: UInt64(10 + count), rule: .ringSize))
            #expect(replay.numbers(under: try logs.reference(4)) == [0, 1, 2])
            // An earlier fault takes precedence.
            replay.appendMembers([[0xFF]])
            #expect(replay.faultAtEnd == LogFault(index: UInt64(10 + count), rule: .entryMalformed))
        }
        // If the seal still comes, it is good, provided that two more tokens were issued.
        var logs = try RollLogs(rounds: [3, 2, 2, 2])
        logs.rings[3].keys = Array(RollLogs.points[40...41])
        var replay = logs.replayMembers(Array(logs.members.dropLast()))
        #expect(replay.faultAtEnd == LogFault(index: 12, rule: .ringSize))
        replay.appendMembers(logs.members.suffix(1))
        replay.appendEnrolment(logs.enrolment)
        #expect(replay.faultAtEnd == nil)
        #expect(replay.numbers(under: try logs.reference(4)) == [0, 1, 2, 3])
    }

    /// A new seal may refer to the enrolment log at a size that was read before.
    @Test func aNewRingMakesTheEnrolmentLogUnread() throws {
        let members = logs.members
        var replay = RollReplay(logs.descriptor)
        replay.appendMembers(Array(members[..<7]))
        #expect(replay.enrolment == nil)
        replay.appendEnrolment(logs.enrolment)
        #expect(replay.enrolment?.goodSeals == 2)
        replay.appendMembers(Array(members[7...]))
        #expect(replay.enrolment == nil)
        let reference = try logs.reference(4)
        #expect(replay.numbers(under: reference) == [0])
        #expect(replay.numbers(under: reference, includingUnread: true) == [0, 1, 2])
        replay.appendEnrolment(logs.enrolment)
        #expect(replay.enrolment?.size == 19)
        #expect(replay.enrolment?.goodSeals == 3)
        #expect(replay.numbers(under: reference) == [0, 1, 2])
    }

    /// Appended junk does not make every reader read the enrolment log again.
    @Test func whatSealsNoRingLeavesTheEnrolmentLogRead() throws {
        let member = RollEntry.member(RollLogs.points[40]).bytes
        let seal = try #require(logs.members.last)
        for entries in [[], [member], [[0xFF]], [member, seal], [[0xFF]] + logs.members] as [[[UInt8]]] {
            var replay = logs.replay()
            replay.appendMembers(entries)
            #expect(replay.ledger.rings.count == 3, "\(entries)")
            let enrolment = try #require(replay.enrolment, "\(entries)")
            #expect(enrolment.size == 19 && enrolment.goodSeals == 3)
            #expect(replay.numbers(under: try logs.reference(4)) == [0, 1, 2])
        }
        // A ring in the same chunk as junk is a new ring all the same, and so is one begun in an earlier chunk.
        var (together, begun) = (logs.replayMembers(Array(logs.members[..<7])), logs.replayMembers([]))
        together.appendEnrolment(logs.enrolment)
        together.appendMembers(logs.members[7...] + [[0xFF]])
        #expect(together.ledger.rings.count == 3 && together.enrolment == nil)
        begun.appendMembers(Array(logs.members[..<3]))
        begun.appendEnrolment(logs.enrolment)
        begun.appendMembers([logs.members[3]])
        #expect(begun.enrolment == nil)
        begun.appendEnrolment(logs.enrolment)
        #expect(begun.enrolment?.goodSeals == 1)
    }

    @Test func emptyLogsAreNoFaultAndNothingToReferTo() throws {
        var replay = RollReplay(logs.descriptor)
        #expect(replay.faultAtEnd == nil)
        #expect(replay.endsOnSeal(at: try logs.reference(0)))
        #expect(replay.enrolment == nil)
        let reference = try logs.reference(4)
        #expect(!replay.isReferred(by: reference))
        #expect(replay.numbers(under: reference, includingUnread: true).isEmpty)
        replay.appendMembers([])
        replay.beginEnrolment()
        let enrolment = try #require(replay.enrolment)
        #expect(enrolment.size == 0 && enrolment.goodSeals == 0)
        #expect(enrolment.state == EnrolmentState())
        #expect(enrolment.fault == nil && !enrolment.isStopped && !enrolment.isSealBeyond)
        #expect(replay.numbers(under: reference, includingUnread: true).isEmpty)
        // Calling it again changes nothing.
        replay.appendEnrolment(Array(logs.enrolment[..<7]))
        replay.beginEnrolment()
        #expect(replay.enrolment?.size == 7)
    }

    @Test func aRollWithoutItsEnrolmentLogHasTheRingsThatTheManifestFixes() throws {
        var replay = logs.replayMembers()
        for (size, count) in [(UInt64(3), 0), (4, 1), (6, 1), (7, 2), (9, 2), (10, 3)] {
            let reference = try logs.reference(size)
            #expect(replay.rings(under: reference).count == count)
            #expect(replay.rings(under: reference, includingUnread: true).count == 3)
        }
        replay.beginEnrolment()
        #expect(replay.enrolment?.isSealBeyond == true)
        #expect(replay.rings(under: try logs.reference(4)).count == 1)
        #expect(replay.rings(under: try logs.reference(4), includingUnread: true).count == 3)
    }

    @Test func codesAreGivenBackWhenEverySealIsJudged() throws {
        var replay = logs.replayMembers()
        // One seal is not judged yet.
        replay.appendEnrolment(Array(logs.enrolment[..<7]))
        replay.endEnrolment()
        replay.appendEnrolment(Array(logs.enrolment[7...]))
        var whole = logs.replayMembers()
        whole.appendEnrolment(logs.enrolment)
        #expect(replay.enrolment?.goodSeals == 3 && whole.enrolment?.sealsThatHold == replay.enrolment?.sealsThatHold)
        // What follows is not judged, and is in the tree.
        replay.endEnrolment()
        replay.appendEnrolment([[0xFF]])
        whole.appendEnrolment([[0xFF]])
        #expect(whole.enrolment?.fault != nil && replay.enrolment?.fault == nil)
        #expect(whole.enrolment?.tree == replay.enrolment?.tree && replay.enrolment?.goodSeals == 3)
        // After a new ring, the log is read again from its beginning.
        var growing = logs.replayMembers(Array(logs.members[..<7]))
        growing.appendEnrolment(logs.enrolment)
        growing.endEnrolment()
        growing.appendMembers(Array(logs.members[7...]))
        growing.appendEnrolment(logs.enrolment)
        #expect(growing.enrolment?.sealsThatHold == whole.enrolment?.sealsThatHold)
    }
}
