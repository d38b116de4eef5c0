import Bytes
import Petitions
import Ristretto255
import Sodium
import Testing
import VOPRF

@Suite struct LogEntryTests {
    private let hash = SHA256.hash([1])
    private let point = GroupElement.base.multiplied(by: Scalar(7))

    private func issued() throws -> EnrolmentEntry {
        let proof = try DLEQProof(decoding: joined(Scalar(5).bytes.array, Scalar(6).bytes.array))
        return EnrolmentEntry.issued(
            IssuedEntry(
                codeHash: hash, blinded: BlindedElement(point), evaluated: EvaluatedElement(GroupElement.base),
                proof: proof))
    }

    private func enrolmentEntries() throws -> [EnrolmentEntry] {
        [
            .invited(codeHash: hash), try issued(), .voided(codeHash: hash), .joiningOpens(round: 0x0102_0304),
            .issuingOpens(round: .max), .joiningOpens(round: 0),
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
        for entry in try enrolmentEntries() {
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
            RollEntry.member(GroupElement.base).bytes,
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
            for place in 0...good.count { expectSame(good[..<place] + [entry] + good[place...]) }
        }
        expectSame(bad + good)
    }

    @Test func entriesHaveTheirLayout() throws {
        let sizes = try enrolmentEntries().map { $0.bytes.count }
        #expect(sizes == [33, 161, 33, 5, 5, 5])
        let phase = EnrolmentEntry.joiningOpens(round: 0x0102_0304)
        #expect(phase.bytes == [0x04, 1, 2, 3, 4])
        let next = EnrolmentEntry.issuingOpens(round: 1)
        #expect(next.bytes == [0x05, 0, 0, 0, 1])
        let rollSizes = rollEntries().map { $0.bytes.count }
        #expect(rollSizes == [33, 41, 41])
        let seal = RollEntry.seal(enrolmentSize: 181, enrolmentRoot: hash)
        #expect(seal.bytes == joined([0x02, 0, 0, 0, 0, 0, 0, 0, 0xB5], hash.array))
        let member = RollEntry.member(point)
        #expect(member.bytes == joined([0x01], point.encoding.array))
    }

    @Test func everyOtherLengthIsMalformed() throws {
        for entry in try enrolmentEntries() {
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

    @Test func everyOtherTypeIsMalformed() throws {
        for type in UInt8.min...UInt8.max {
            for entry in try enrolmentEntries() where !(1...5).contains(type) {
                #expect(enrolmentRule(entry.bytes.replacing(at: 0, with: [type])) == Rule.entryMalformed)
            }
            for entry in rollEntries() where !(1...2).contains(type) {
                #expect(rollRule(entry.bytes.replacing(at: 0, with: [type])) == Rule.entryMalformed)
            }
        }
        #expect(enrolmentRule([]) == Rule.entryMalformed)
        #expect(rollRule([]) == Rule.entryMalformed)
    }

    @Test func pointsOfEntriesAreCanonical() throws {
        let member = RollEntry.member(point).bytes
        #expect(rollRule(member.settingBit255(at: 1)) == Rule.nonCanonicalPoint)
        let issue = try issued().bytes
        for offset in [33, 65] {
            #expect(enrolmentRule(issue.settingBit255(at: offset)) == Rule.nonCanonicalPoint, "\(offset)")
        }
    }

    @Test func encodingsThatAreNoPointsAreRefused() throws {
        let high = [UInt8](repeating: 0xFF, count: 31) + [0x7F]
        let odd = [UInt8](point.encoding.array).replacing(at: 0, with: [point.encoding.array[0] | 1])
        let issue = try issued().bytes
        for encoding in [high, odd] {
            #expect(rollRule(joined([0x01], encoding)) == Rule.nonCanonicalPoint)
            for offset in [33, 65] {
                #expect(enrolmentRule(issue.replacing(at: offset, with: encoding)) == Rule.nonCanonicalPoint)
            }
        }
    }

    @Test func theIdentityIsNoMemberAndNoAnswer() throws {
        let identity = [UInt8](repeating: 0, count: 32)
        #expect(rollRule(joined([0x01], identity)) == Rule.identityPoint)
        let issue = try issued().bytes
        for offset in [33, 65] {
            #expect(enrolmentRule(issue.replacing(at: offset, with: identity)) == Rule.identityPoint, "\(offset)")
        }
    }

    @Test func scalarsOfAProofAreBelowTheOrder() throws {
        let issue = try issued().bytes
        for offset in [97, 129] {
            let order = issue.replacing(at: offset, with: groupOrder)
            #expect(enrolmentRule(order) == Rule.nonCanonicalScalar, "\(offset)")
            let high = issue.settingBit255(at: offset)
            #expect(enrolmentRule(high) == Rule.nonCanonicalScalar, "\(offset)")
            let zero = issue.replacing(at: offset, with: [UInt8](repeating: 0, count: 32))
            #expect(enrolmentRule(zero) == nil, "\(offset)")
        }
    }

    @Test func onlyAnswersWithTheEnrolmentKeyVerify() throws {
        let server = VOPRFServer(seed: SecretBytes(copying: [UInt8](repeating: 3, count: 32)), info: [])
        let (evaluated, proof) = server.blindEvaluate(BlindedElement(point))
        let publicKey = server.publicKey
        let entry = IssuedEntry(codeHash: hash, blinded: BlindedElement(point), evaluated: evaluated, proof: proof)
        #expect(throws: Never.self) { try entry.verify(enrolmentKey: publicKey) }
        #expect(throws: Rule.issueProofInvalid) { try entry.verify(enrolmentKey: GroupElement.base) }
        let wrong = IssuedEntry(
            codeHash: hash, blinded: BlindedElement(point), evaluated: EvaluatedElement(point), proof: proof)
        #expect(throws: Rule.issueProofInvalid) { try wrong.verify(enrolmentKey: publicKey) }
        let other = IssuedEntry(
            codeHash: hash, blinded: BlindedElement(GroupElement.base), evaluated: evaluated, proof: proof)
        #expect(throws: Rule.issueProofInvalid) { try other.verify(enrolmentKey: publicKey) }
    }
}
