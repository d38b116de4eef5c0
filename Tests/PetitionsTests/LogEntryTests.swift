import Bytes
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import Testing
import TransparencyLog
import VOPRF

@Suite struct LogEntryTests {
    private let hash = SHA256.hash([1])
    private let point = MemberKey(GroupElement.base.multiplied(by: Scalar(7)))

    private func enrolmentEntries() -> [EnrolmentEntry] {
        [
            .invited(codeHash: hash), .issued(codeHash: hash), .voided(codeHash: hash),
            .joiningOpens(round: 0x0102_0304, opened: 0x0506_0708_090A_0B0C), .issuingOpens(round: .max),
            .joiningOpens(round: 0, opened: 0), .joiningOpens(round: .max, opened: .max),
        ]
    }

    private func rollEntries() -> [RollEntry] {
        [
            .member(point), .seal(enrolmentSize: 181, enrolmentRoot: hash),
            .seal(enrolmentSize: .max, enrolmentRoot: hash),
        ]
    }

    private func enrolmentRule(_ bytes: [UInt8]) -> Rule? {
        do throws(Rule) {
            _ = try EnrolmentEntry(parsing: bytes)
            return nil
        } catch {
            return error
        }
    }

    private func rollRule(_ bytes: [UInt8]) -> Rule? {
        do throws(Rule) {
            _ = try RollEntry(parsing: bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test func entriesAreReadAsTheyAreWritten() throws {
        for entry in enrolmentEntries() {
            let read = try EnrolmentEntry(parsing: entry.bytes)
            #expect(read == entry)
            #expect(entry.bytes.count <= EnrolmentEntry.maximumCount)
        }
        for entry in rollEntries() {
            let read = try RollEntry(parsing: entry.bytes)
            #expect(read == entry)
            #expect(entry.bytes.count <= RollEntry.maximumCount)
        }
    }

    @Test func manyEntriesAreReadAsOneByOne() {
        let member = RollEntry.member(point).bytes
        let good = [
            member, RollEntry.seal(enrolmentSize: 3, enrolmentRoot: hash).bytes,
            RollEntry.member(MemberKey(.base)).bytes,
        ]
        let bad: [[UInt8]] = [
            [], [0x01], [0x02], Array(member.dropLast()), member + [0], member.settingBit255(at: 1),
            member.flipped(at: 1),
            [0x01] + [UInt8](repeating: 0, count: 32), [0x03] + member.dropFirst(), [0x02] + member.dropFirst(),
        ]
        func expectSame(_ entries: [[UInt8]]) {
            let one = entries.map { entry in Result { () throws(Rule) in try RollEntry(parsing: entry) } }
            #expect(RollEntry.parse(entries) == one)
        }
        expectSame([])
        expectSame(good)
        for entry in bad {
            for index in 0...good.count { expectSame(good[..<index] + [entry] + good[index...]) }
        }
        expectSame(bad + good)
    }

    @Test func entriesHaveTheirLayout() {
        let sizes = enrolmentEntries().map { $0.bytes.count }
        #expect(sizes == [33, 33, 33, 13, 5, 13, 13])
        #expect(EnrolmentEntry.maximumCount == 33)
        #expect(EnrolmentEntry.invited(codeHash: hash).bytes == joined([0x01], hash.array))
        #expect(EnrolmentEntry.issued(codeHash: hash).bytes == joined([0x02], hash.array))
        #expect(EnrolmentEntry.voided(codeHash: hash).bytes == joined([0x03], hash.array))
        let phase = EnrolmentEntry.joiningOpens(round: 0x0102_0304, opened: 0x0506_0708_090A_0B0C)
        #expect(phase.bytes == [0x04, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
        let next = EnrolmentEntry.issuingOpens(round: 1)
        #expect(next.bytes == [0x05, 0, 0, 0, 1])
        let rollSizes = rollEntries().map { $0.bytes.count }
        #expect(rollSizes == [33, 41, 41])
        let seal = RollEntry.seal(enrolmentSize: 181, enrolmentRoot: hash)
        #expect(seal.bytes == joined([0x02, 0, 0, 0, 0, 0, 0, 0, 0xB5], hash.array))
        let member = RollEntry.member(point)
        #expect(member.bytes == joined([0x01], point.encoding.array))
    }

    @Test func onlyEntriesOfCodesNameACode() {
        let codes = enrolmentEntries().map { $0.codeHash }
        #expect(codes == [hash, hash, hash, nil, nil, nil, nil])
    }

    @Test func everyOtherLengthIsMalformed() {
        for count in 0...200 {
            let bytes = [UInt8](repeating: 0, count: count)
            for (type, good) in [(UInt8(1), 33), (2, 33), (3, 33), (4, 13), (5, 5)] where count > 0 {
                let expected: Rule? = count == good ? nil : .entryMalformed
                #expect(enrolmentRule(bytes.replacing(at: 0, with: [type])) == expected, "\(type) \(count)")
            }
        }
        for entry in enrolmentEntries() {
            for count in 0..<entry.bytes.count {
                #expect(enrolmentRule(Array(entry.bytes.prefix(count))) == Rule.entryMalformed)
            }
            #expect(enrolmentRule(entry.bytes + [0]) == Rule.entryMalformed)
            #expect(enrolmentRule(entry.bytes + entry.bytes) == Rule.entryMalformed)
        }
        for entry in rollEntries() {
            for count in 0..<entry.bytes.count {
                #expect(rollRule(Array(entry.bytes.prefix(count))) == Rule.entryMalformed)
            }
            #expect(rollRule(entry.bytes + [0]) == Rule.entryMalformed)
            #expect(rollRule(entry.bytes + entry.bytes) == Rule.entryMalformed)
        }
    }

    @Test func everyOtherTypeIsMalformed() {
        for type in UInt8.min...UInt8.max {
            for entry in enrolmentEntries() where !(1...5).contains(type) {
                #expect(enrolmentRule(entry.bytes.replacing(at: 0, with: [type])) == Rule.entryMalformed)
            }
            for entry in rollEntries() where !(1...2).contains(type) {
                #expect(rollRule(entry.bytes.replacing(at: 0, with: [type])) == Rule.entryMalformed)
            }
        }
        #expect(enrolmentRule([]) == Rule.entryMalformed)
        #expect(rollRule([]) == Rule.entryMalformed)
    }

    @Test func pointsOfEntriesAreCanonical() {
        let member = RollEntry.member(point).bytes
        #expect(rollRule(member.settingBit255(at: 1)) == Rule.nonCanonicalPoint)
        let high = [UInt8](repeating: 0xFF, count: 31) + [0x7F]
        let odd = [UInt8](point.encoding.array).replacing(at: 0, with: [point.encoding.array[0] | 1])
        for encoding in [high, odd] {
            #expect(rollRule(joined([0x01], encoding)) == Rule.nonCanonicalPoint)
        }
    }

    @Test func theIdentityIsNoMember() {
        let identity = [UInt8](repeating: 0, count: 32)
        #expect(rollRule(joined([0x01], identity)) == Rule.identityPoint)
    }

    @Test func theLengthComesBeforeThePoint() {
        let member = RollEntry.member(point).bytes.settingBit255(at: 1)
        #expect(rollRule(member + [0]) == Rule.entryMalformed)
        #expect(rollRule(Array(member.dropLast())) == Rule.entryMalformed)
        #expect(rollRule(joined([0x01], [UInt8](repeating: 0, count: 40))) == Rule.entryMalformed)
    }

    /// No log contains the proof of an issue; the signer that asked for it checks it.
    @Test func onlyAnswersWithTheEnrolmentKeyVerify() throws {
        let server = VOPRFServer(seed: SecretBytes(copying: [UInt8](repeating: 3, count: 32)), info: [])
        let blinded = BlindedElement(point.element)
        let (evaluated, proof) = server.blindEvaluate(blinded)
        let key = server.publicKey
        #expect(throws: Never.self) {
            try VOPRFClient.verify(evaluated, of: blinded, proof: proof, publicKey: key)
        }
        #expect(throws: VOPRFError.proofInvalid) {
            try VOPRFClient.verify(evaluated, of: blinded, proof: proof, publicKey: .base)
        }
        #expect(throws: VOPRFError.proofInvalid) {
            try VOPRFClient.verify(EvaluatedElement(point.element), of: blinded, proof: proof, publicKey: key)
        }
        #expect(throws: VOPRFError.proofInvalid) {
            try VOPRFClient.verify(evaluated, of: BlindedElement(.base), proof: proof, publicKey: key)
        }
    }

    @Test func theScalarsOfAProofAreBelowTheOrder() throws {
        let good = joined(Scalar(5).bytes.array, Scalar(6).bytes.array)
        #expect(try DLEQProof(decoding: good).encoding == good)
        for offset in [0, 32] {
            for bad in [good.replacing(at: offset, with: groupOrder), good.settingBit255(at: offset)] {
                #expect(throws: DecodingError.nonCanonicalScalar) { try DLEQProof(decoding: bad) }
            }
            let zero = good.replacing(at: offset, with: [UInt8](repeating: 0, count: 32))
            #expect(throws: Never.self) { try DLEQProof(decoding: zero) }
        }
    }
}

@Suite struct RuleNameTests {
    @Test func rulesOfOneViewHaveTheirNames() {
        let names: [Rule: String] = [
            .notAnnounced: "not-announced", .enrolmentKeyReused: "enrolment-key-reused",
            .memberInTwoRolls: "member-in-two-rolls", .ringExceeded: "ring-exceeded",
        ]
        for (rule, name) in names { #expect(rule.rawValue == name) }
        // No log contains a proof that could be wrong.
        let gone = Rule(rawValue: "issue-proof-invalid")
        #expect(gone == nil)
    }
}

@Suite struct LogBoundsTests {
    @Test func boundsFollowFromTheLongestEntries() {
        let expected: [(LogBounds, entry: Int, bundle: Int, entries: UInt64)] = [
            (.members, 41, 11_008, 1_048_576), (.enrolment, 33, 8960, 2_097_152), (.announcements, 65, 17_152, 65_536),
            (.petition, 1126, 288_768, 2_147_483_648),
        ]
        for (bounds, entry, bundle, entries) in expected {
            #expect(bounds.longestEntry == entry)
            #expect(bounds.longestBundle == bundle)
            #expect(bounds.mostEntries == entries)
        }
    }
}
