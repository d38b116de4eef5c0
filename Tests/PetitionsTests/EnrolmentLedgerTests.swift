import Bytes
import Documents
import Petitions
import Ristretto255
import Sodium
import Testing
import TransparencyLog

/// The enrolment log of a roll, and the seals that refer to it.
@Suite struct EnrolmentLedgerTests {
    private let logs: RollLogs

    init() throws {
        logs = try RollLogs()
    }

    private func sealFault(_ replay: RollReplay) -> (ring: Int, rule: Rule)? {
        replay.enrolment?.sealFault
    }

    /// How many rings are admitted under references to 4, 7 and 10 entries.
    private func rings(
        _ replay: RollReplay, of logs: RollLogs, members: [[UInt8]]? = nil, includingUnread: Bool = false
    ) throws -> [Int] {
        var counts: [Int] = []
        for size: UInt64 in [4, 7, 10] {
            let reference = try logs.reference(size, of: members)
            #expect(replay.isReferred(by: reference))
            let numbers = replay.numbers(under: reference, includingUnread: includingUnread)
            // The admitted rings are the first ones.
            #expect(numbers == [UInt32](0..<UInt32(numbers.count)))
            counts.append(numbers.count)
        }
        return counts
    }

    /// Entries that break a rule at their position in the second round: after `issuingOpens` at 7 and two invitations.
    private var faults: [(entry: EnrolmentEntry, rule: Rule)] {
        [
            (.invited(codeHash: RollLogs.code(0)), .codeReused), (.invited(codeHash: RollLogs.code(4)), .codeReused),
            (.issued(codeHash: RollLogs.code(0)), .codeReused), (.issued(codeHash: RollLogs.code(99)), .codeReused),
            (.voided(codeHash: RollLogs.code(0)), .codeReused), (.voided(codeHash: RollLogs.code(99)), .codeReused),
            (.joiningOpens(round: 1, opened: 2000), .phaseViolated),
            (.joiningOpens(round: 0, opened: 2000), .phaseViolated), (.issuingOpens(round: 1), .phaseViolated),
            (.issuingOpens(round: 2), .phaseViolated),
        ]
    }

    @Test func aSpareCodeOfAnOpenRollIsAFault() throws {
        let open = try RollLogs(admission: .email(domains: []))
        let good = open.replay().enrolment
        #expect(good?.faultAtEnd == nil && good?.goodSeals == 3)
        // The second round has its first code at 8 and 9, its second at 10 and 11, and ends at 12.
        let spare = EnrolmentEntry.invited(codeHash: RollLogs.code(50)).bytes
        for (index, fault) in [(8, 9), (9, 9), (10, 11), (12, 13)] {
            var logs = open
            logs.enrolment.insert(spare, at: index)
            let enrolment = logs.replay().enrolment
            #expect(enrolment?.fault == LogFault(index: UInt64(fault), rule: .spareCode), "\(index)")
            #expect(enrolment?.goodSeals == 1, "\(index)")
        }
        // At the end of the log a spare code is in no way of any seal, and a fault all the same.
        for (entries, fault) in [([spare], 20), ([EnrolmentEntry.issuingOpens(round: 3).bytes, spare], 21)] {
            var logs = open
            logs.enrolment += entries
            let enrolment = logs.replay().enrolment
            let index: UInt64 = fault == 20 ? 19 : 21
            #expect(enrolment?.faultAtEnd == LogFault(index: index, rule: .spareCode))
            #expect(enrolment?.goodSeals == 3)
        }
        // In a roll by a list the same entries are nothing unusual.
        var listed = logs
        listed.enrolment.append(spare)
        #expect(listed.replay().enrolment?.faultAtEnd == nil)
    }

    @Test func everyRuleOfTheEnrolmentLogIsNamed() throws {
        for (entry, rule) in faults {
            var logs = logs
            logs.enrolment[10] = entry.bytes
            let replay = logs.replay()
            #expect(replay.enrolment?.fault == LogFault(index: 10, rule: rule), "\(entry)")
            // The entry at that index blocks both later seals, although their roots are right.
            #expect(try rings(replay, of: logs) == [1, 2, 3], "\(entry)")
            #expect(replay.enrolment?.goodSeals == 1 && replay.enrolment?.isStopped == true)
            #expect(sealFault(replay) == nil)
        }
        for bytes: [UInt8] in [[], [0x01], [0xFF], [UInt8](repeating: 2, count: 34), [4, 0, 0, 0, 1]] {
            var logs = logs
            logs.enrolment[10] = bytes
            #expect(logs.replay().enrolment?.fault == LogFault(index: 10, rule: .entryMalformed), "\(bytes)")
        }
    }

    @Test func aCodeIsVoidedOnceAndNotIssuedThen() throws {
        let voided = EnrolmentEntry.voided(codeHash: RollLogs.code(3)).bytes
        for second in [EnrolmentEntry.issued(codeHash: RollLogs.code(3)).bytes, voided] {
            var logs = logs
            logs.enrolment.replaceSubrange(10...11, with: [voided, second])
            #expect(logs.replay().enrolment?.fault == LogFault(index: 11, rule: .codeReused))
        }
    }

    @Test func issuesAreOfAnIssuingPhase() throws {
        var logs = logs
        logs.enrolment[6] = EnrolmentEntry.invited(codeHash: RollLogs.code(9)).bytes
        logs.enrolment.insert(EnrolmentEntry.joiningOpens(round: 0, opened: 1000).bytes, at: 7)
        logs.enrolment[8] = EnrolmentEntry.issued(codeHash: RollLogs.code(9)).bytes
        logs.rings[0].enrolmentSize = 8
        let replay = logs.replay()
        #expect(replay.enrolment?.fault == LogFault(index: 8, rule: .phaseViolated))
        #expect(replay.enrolment?.goodSeals == 1)
    }

    /// E, the enrolment size in the last seal below the manifest's size, is 7, 13 or 19.
    @Test func aFaultStopsTheRingsWhoseSealsNameIt() throws {
        for index in 0..<19 {
            var logs = logs
            logs.enrolment[index] = [0xFF]
            let replay = logs.replay()
            #expect(replay.enrolment?.fault == LogFault(index: UInt64(index), rule: .entryMalformed))
            let good = index < 7 ? 0 : index < 13 ? 1 : 2
            #expect(replay.enrolment?.goodSeals == good, "\(index)")
            #expect(replay.enrolment?.isStopped == true)
            #expect(replay.enrolment?.isSealBeyond == false)
            // The seal is not at fault: its root is that of the log.
            #expect(sealFault(replay) == nil)
            // Rings below the size remain admitted all the same.
            #expect(try rings(replay, of: logs) == [max(1, good), 2, 3], "\(index)")
            #expect(try rings(replay, of: logs, includingUnread: true) == [max(1, good), 2, 3], "\(index)")
            #expect(replay.membersFault == nil)
            #expect(replay.tree == RollLogs.tree(logs.members))
        }
    }

    @Test func aFaultBehindTheLastSealStopsNothing() throws {
        for entry: [UInt8] in [[0xFF], EnrolmentEntry.joiningOpens(round: 2, opened: 0).bytes, logs.enrolment[0]] {
            var logs = logs
            logs.enrolment.append(entry)
            let replay = logs.replay()
            #expect(replay.enrolment?.fault?.index == 19)
            #expect(replay.enrolment?.goodSeals == 3 && replay.enrolment?.isStopped == false)
            #expect(try rings(replay, of: logs) == [3, 3, 3])
            #expect(replay.faultAtEnd == nil)
        }
    }

    @Test func onlyTheFirstFaultIsNamedAndTheStateBeforeItKept() {
        var logs = logs
        logs.enrolment[9] = [0xFF]
        logs.enrolment[11] = logs.enrolment[0]
        let enrolment = logs.replay().enrolment
        #expect(enrolment?.fault == LogFault(index: 9, rule: .entryMalformed))
        let state = EnrolmentState(
            round: 1, isJoining: false, opened: 1000, issuedInRound: 0, invited: 4, issued: 3, voided: 0)
        #expect(enrolment?.state == state)
        #expect(enrolment?.size == 19)
    }

    private func withSeal(of ring: Int, size: UInt64? = nil, root: Bytes32? = nil) -> [[UInt8]] {
        var members = logs.members
        let sizes: [UInt64] = [7, 13, 19]
        let size = size ?? sizes[ring]
        let root = root ?? RollLogs.tree(logs.enrolment, size: Int(size)).root
        members[[3, 6, 9][ring]] = RollEntry.seal(enrolmentSize: size, enrolmentRoot: root).bytes
        return members
    }

    @Test func aSealNamesARootOfTheEnrolmentLog() throws {
        for ring in 0..<3 {
            let members = withSeal(of: ring, root: SHA256.hash([]))
            let replay = logs.replay(members: members)
            let found = try #require(sealFault(replay))
            #expect(found == (ring, .rootMismatch))
            #expect(replay.enrolment?.goodSeals == ring && replay.enrolment?.isStopped == true)
            #expect(replay.enrolment?.isSealBeyond == false)
            #expect(replay.enrolment?.fault == nil && replay.membersFault == nil)
            // Rings below the size remain admitted; the others are inadmissible from the bad one on.
            let expected = [max(1, ring), max(2, ring), 3]
            #expect(try rings(replay, of: logs, members: members) == expected)
            #expect(try rings(replay, of: logs, members: members, includingUnread: true) == expected)
        }
    }

    @Test func aSealStandsInAJoiningPhase() throws {
        // The second round's codes are invited and issued, but joining is not open yet.
        for size: UInt64 in 8...12 {
            let members = withSeal(of: 1, size: size)
            let replay = logs.replay(members: members)
            let found = try #require(sealFault(replay))
            #expect(found == (1, .phaseViolated))
            #expect(try rings(replay, of: logs, members: members) == [1, 2, 3])
        }
    }

    @Test func aSealHasNoMoreMembersThanWereIssued() throws {
        var logs = logs
        logs.rings[1].keys.append(RollLogs.points[40])
        let replay = logs.replay()
        let found = try #require(sealFault(replay))
        #expect(found == (1, .enrolmentExceeded))
        #expect(replay.enrolment?.goodSeals == 1)
        #expect(replay.numbers(under: try logs.reference(4)) == [0])
        // Fewer members are not a fault: someone may join later.
        logs.rings[0].keys.removeLast()
        #expect(logs.replay().enrolment?.goodSeals == 3)
    }

    @Test func severalSealsMayNameTheSameSize() throws {
        var logs = try RollLogs(rounds: [7])
        let keys = logs.rings[0].keys
        logs.rings = [
            .init(keys: Array(keys[..<3]), enrolmentSize: 15), .init(keys: Array(keys[3..<5]), enrolmentSize: 15),
            .init(keys: Array(keys[5...]), enrolmentSize: 15),
        ]
        let replay = logs.replay()
        #expect(replay.enrolment?.goodSeals == 3)
        #expect(try rings(replay, of: logs) == [3, 3, 3])
    }

    @Test func aSealOfAnEmptyEnrolmentLogIsJudgedAtOnce() throws {
        for (root, rule) in [(MerkleHash.emptyRoot, Rule.phaseViolated), (SHA256.hash([1]), .rootMismatch)] {
            var replay = logs.replayMembers(withSeal(of: 0, size: 0, root: root))
            replay.beginEnrolment()
            let found = try #require(sealFault(replay))
            #expect(found == (0, rule))
            #expect(replay.enrolment?.goodSeals == 0)
        }
    }

    @Test func sealsBeyondWhatWasReadAreJudgedByNobody() throws {
        for count in 0..<19 {
            var replay = logs.replayMembers()
            replay.appendEnrolment(Array(logs.enrolment[..<count]))
            replay.beginEnrolment()
            let good = count < 7 ? 0 : count < 13 ? 1 : 2
            #expect(replay.enrolment?.goodSeals == good)
            #expect(replay.enrolment?.isSealBeyond == true && replay.enrolment?.isStopped == false)
            #expect(try rings(replay, of: logs) == [max(1, good), 2, 3])
            #expect(try rings(replay, of: logs, includingUnread: true) == [3, 3, 3])
            // Once the rest is read, the seals are good.
            replay.appendEnrolment(Array(logs.enrolment[count...]))
            #expect(replay.enrolment?.goodSeals == 3)
            #expect(replay.enrolment?.isSealBeyond == false)
        }
    }

    /// After a fault, roots are still compared, but phases and counts are not.
    @Test func aWrongRootIsNamedAlsoBehindAFault() throws {
        var logs = logs
        logs.enrolment[8] = [0xFF]
        var members = logs.members
        members[6] = RollEntry.seal(enrolmentSize: 13, enrolmentRoot: SHA256.hash([])).bytes
        let replay = logs.replay(members: members)
        #expect(replay.enrolment?.fault == LogFault(index: 8, rule: .entryMalformed))
        let found = try #require(sealFault(replay))
        #expect(found == (1, .rootMismatch))
        #expect(try rings(replay, of: logs, members: members) == [1, 2, 3])
    }

    /// A ring whose seal refers to a point after a fault is known to be inadmissible, however far the log was read.
    @Test func aFaultStopsTheRingsBehindItBeforeTheirSealsAreReached() throws {
        var logs = logs
        logs.enrolment[8] = [0xFF]
        for count in 9...19 {
            var replay = logs.replayMembers()
            replay.appendEnrolment(Array(logs.enrolment[..<count]))
            #expect(try rings(replay, of: logs) == [1, 2, 3], "\(count)")
            #expect(try rings(replay, of: logs, includingUnread: true) == [1, 2, 3], "\(count)")
        }
    }
}
