import Bytes
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import Testing

@Suite struct AdmittedRecordTests {
    private let election: Election
    private let signature: VerifiedRecord
    private let withdrawal: VerifiedRecord

    init() throws {
        election = try Election()
        signature = try election.verified(election.signature(roll: 1, ring: 0, member: 1))
        withdrawal = try election.verified(election.withdrawal(roll: 1, ring: 0, member: 1))
    }

    private func refusal(_ record: VerifiedRecord, tag: TagState?) -> AdmittedRecord.Refusal? {
        do throws(AdmittedRecord.Refusal) {
            _ = try AdmittedRecord.admit(record, tag: tag, at: 9)
            return nil
        } catch {
            return error
        }
    }

    private let counted = TagState(signedAt: 3, roll: 0, withdrawnAt: nil)
    private let withdrawn = TagState(signedAt: 3, roll: 0, withdrawnAt: 5)

    @Test func aSignatureWithANewTagEnters() throws {
        let admitted = try AdmittedRecord.admit(signature, tag: nil, at: 9)
        #expect(admitted.tagState == TagState(signedAt: 9, roll: 1, withdrawnAt: nil))
        #expect(admitted.record.bytes == signature.bytes)
    }

    @Test func aSignatureWithACountedTagGetsTheFirstReceipt() {
        let found = refusal(signature, tag: counted)
        #expect(found == AdmittedRecord.Refusal.signed(at: 3))
        #expect(found?.rule == Rule.duplicateTag)
    }

    @Test func aWithdrawnTagDoesNotSignAgain() {
        let found = refusal(signature, tag: withdrawn)
        #expect(found == AdmittedRecord.Refusal.signatureWithdrawn)
        #expect(found?.rule == Rule.alreadyWithdrawn)
    }

    @Test func aWithdrawalOfACountedTagEntersAndKeepsWhereItSigned() throws {
        let admitted = try AdmittedRecord.admit(withdrawal, tag: counted, at: 9)
        #expect(admitted.tagState == TagState(signedAt: 3, roll: 0, withdrawnAt: 9))
        #expect(admitted.record.bytes == withdrawal.bytes)
    }

    @Test func aSecondWithdrawalGetsTheFirstReceipt() {
        let found = refusal(withdrawal, tag: withdrawn)
        #expect(found == AdmittedRecord.Refusal.withdrawn(at: 5))
        #expect(found?.rule == Rule.alreadyWithdrawn)
    }

    @Test func whatDidNotSignIsNotWithdrawn() {
        let found = refusal(withdrawal, tag: nil)
        #expect(found == AdmittedRecord.Refusal.notSigned)
        #expect(found?.rule == Rule.notSigned)
    }

    @Test func bothRecordsOfAMemberHaveOneTag() throws {
        #expect(signature.tag == withdrawal.tag)
        let other = try election.verified(election.signature(roll: 1, ring: 0, member: 2))
        #expect(other.tag != signature.tag)
        let again = try election.verified(election.signature(roll: 1, ring: 0, member: 1, randomness: 2))
        #expect(again.tag == signature.tag)
        #expect(again.bytes != signature.bytes)
    }
}

@Suite struct VerifiedRecordTests {
    private let election: Election
    /// Records of both kinds, of two rolls and three rings.
    private let good: [[UInt8]]

    init() throws {
        election = try Election()
        good = [
            try election.signature(roll: 0, ring: 0, member: 0),
            try election.signature(roll: 0, ring: 0, member: 4),
            try election.withdrawal(roll: 0, ring: 0, member: 4),
            try election.signature(roll: 1, ring: 0, member: 2),
            try election.signature(roll: 1, ring: 1, member: 3),
        ]
    }

    /// The rule that each record breaks; nil for valid ones.
    private func rules(_ records: [[UInt8]], petition: PetitionBase? = nil) throws -> [Rule?] {
        var submitted: [SubmittedRecord] = []
        for bytes in records { submitted.append(try election.read(bytes)) }
        let answers = VerifiedRecord.verify(submitted, petition: petition ?? election.base)
        var rules: [Rule?] = []
        for (answer, bytes) in zip(answers, records) {
            switch answer {
            case .success(let verified):
                #expect(verified.bytes == bytes)
                rules.append(nil)
            case .failure(let rule):
                rules.append(rule)
            }
        }
        return rules
    }

    /// The record with a different last scalar.
    private func bad(_ bytes: [UInt8]) -> [UInt8] {
        bytes.replacing(at: bytes.count - 32, with: Scalar.one.bytes.array)
    }

    private func expected(_ count: Int, bad: Set<Int>) -> [Rule?] {
        var rules = [Rule?](repeating: nil, count: count)
        for position in bad { rules[position] = Rule.proofInvalid }
        return rules
    }

    @Test func aBatchOfGoodRecordsHolds() throws {
        let all = try rules(good)
        #expect(all == expected(5, bad: []))
        let one = try rules([good[0]])
        #expect(one == expected(1, bad: []))
        let none = try rules([])
        #expect(none.isEmpty)
    }

    @Test func oneBadRecordIsNamedExactlyWhereverItStands() throws {
        for position in good.indices {
            var batch = good
            batch[position] = bad(good[position])
            let found = try rules(batch)
            #expect(found == expected(5, bad: [position]), "\(position)")
        }
    }

    @Test func everyBadRecordIsNamed() throws {
        let sets: [Set<Int>] = [[0, 1], [0, 4], [1, 3, 4], [0, 1, 2, 3, 4]]
        for positions in sets {
            var batch = good
            for position in positions { batch[position] = bad(good[position]) }
            let found = try rules(batch)
            #expect(found == expected(5, bad: positions), "\(positions.sorted())")
        }
    }

    @Test func equalRecordsAndEqualTagsAreNoFaultOfTheProof() throws {
        let again = try election.signature(roll: 0, ring: 0, member: 0, randomness: 2)
        let found = try rules([good[0], good[0], again, good[2], good[2]])
        #expect(found == expected(5, bad: []))
    }

    @Test func errorsOfTwoRecordsDoNotCancel() throws {
        // Two copies of a record, with z increased by one in one and decreased by one in the other.
        let bytes = good[0]
        let end = bytes.count - 32
        let z = try Scalar(decoding: #require(Bytes32(bytes[end...])))
        let more = bytes.replacing(at: end, with: (z + Scalar.one).bytes.array)
        let less = bytes.replacing(at: end, with: (z - Scalar.one).bytes.array)
        let found = try rules([more, less])
        #expect(found == expected(2, bad: [0, 1]))
    }

    @Test func noScalarOfARecordCanBeAnother() throws {
        for record in [good[0], good[3]] {
            let digits = record.count == RecordOutline.signatureCount(digits: 2) ? 2 : 1
            let first = 102 + 64 * digits
            for offset in stride(from: first, to: record.count, by: 32) {
                let found = try rules([record.replacing(at: offset, with: Scalar(12).bytes.array)])
                #expect(found == expected(1, bad: [0]), "\(offset)")
            }
        }
        for offset in [33, 65] {
            let found = try rules([good[2].replacing(at: offset, with: Scalar(12).bytes.array)])
            #expect(found == expected(1, bad: [0]), "\(offset)")
        }
    }

    @Test func noPointOfARecordCanBeAnother() throws {
        let point = GroupElement.base.multiplied(by: Scalar(12)).encoding.array
        for record in [good[0], good[3]] {
            let digits = record.count == RecordOutline.signatureCount(digits: 2) ? 2 : 1
            for offset in stride(from: 6, to: 102 + 64 * digits, by: 32) {
                let found = try rules([record.replacing(at: offset, with: point)])
                #expect(found == expected(1, bad: [0]), "\(offset)")
            }
        }
        let found = try rules([good[2].replacing(at: 1, with: point)])
        #expect(found == expected(1, bad: [0]))
    }

    @Test func aRecordHoldsUnderItsOwnPetitionOnly() throws {
        let other = PetitionBase(petition: SHA256.hash([9]))
        let found = try rules(good, petition: other)
        #expect(found == expected(5, bad: [0, 1, 2, 3, 4]))
    }

    @Test func aRecordHoldsInItsOwnRingOnly() throws {
        // Both rings have five members, so that only the proof distinguishes them.
        let moved = good[0].replacing(at: 1, with: [1, 0, 0, 0, 1])
        let found = try rules([moved, good[1]])
        #expect(found == expected(2, bad: [0]))
    }
}
