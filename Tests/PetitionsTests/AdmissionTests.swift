import Bytes
import Documents
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import Testing

/// A petition over two rolls. Only the first ring of roll 0 is admitted; of roll 1, later rings are admitted too.
struct Election {
    /// The number of members of each ring of each roll.
    static let sizes = [[5, 5], [3, 5]]

    let petition: PetitionManifest
    let base: PetitionBase
    let rolls: [RollID]
    let rings: [[SealedRing]]
    let electorate: Electorate

    /// By default, `size` is the size of roll 0 just after its first seal.
    init(size: UInt64 = 6) throws {
        var rolls: [RollID] = []
        var rings: [[SealedRing]] = []
        for roll in 0..<2 {
            let id = RollID(SHA256.hash([UInt8(roll)]))
            rolls.append(id)
            rings.append(try Self.rings(of: id, sizes: Self.sizes[roll]))
        }
        let url = try Fixture.url(Fixture.coordinator)
        let root = SHA256.hash([])
        let key = Fixture.noteKey(0)
        petition = try PetitionManifest.make(
            url: url, text: Fixture.petitionText(),
            rolls: [
                PetitionManifest.RollReference(
                    id: rolls[0], coordinator: url, label: "Crew", size: size, root: root, laterRings: false),
                PetitionManifest.RollReference(
                    id: rolls[1], coordinator: url, label: "Officers", size: 4, root: root, laterRings: true),
            ],
            aggregators: Fixture.aggregators(), key: key)
        base = PetitionBase(petition: petition.id.bytes)
        electorate = Electorate(petition, rings: rings)
        self.rolls = rolls
        self.rings = rings
    }

    private static func rings(of roll: RollID, sizes: [Int]) throws -> [SealedRing] {
        var ledger = RollLedger(roll: roll, minimumRing: 2, ringCapacity: 16)
        for (ring, size) in sizes.enumerated() {
            var keys: [MemberKey] = []
            for member in 0..<size {
                let key = try Fixture.memberKey(seed(ring, member), of: roll)
                keys.append(key.key)
            }
            for key in keys.sorted() { try ledger.apply(RollEntry.member(key)) }
            try ledger.apply(RollEntry.seal(enrolmentSize: 20, enrolmentRoot: SHA256.hash([])))
        }
        return ledger.rings
    }

    private static func seed(_ ring: Int, _ member: Int) -> UInt8 {
        UInt8(10 * ring + member + 1)
    }

    func signature(roll: Int, ring: Int, member: Int, randomness: UInt8 = 1) throws -> [UInt8] {
        let key = try Fixture.memberKey(Self.seed(ring, member), of: rolls[roll])
        let bytes = [UInt8](repeating: randomness, count: 32)
        let record = try key.secret.sign(base, ring: rings[roll][ring].ring, roll: UInt8(roll), randomness: bytes)
        return record.bytes
    }

    func withdrawal(roll: Int, ring: Int, member: Int) throws -> [UInt8] {
        let key = try Fixture.memberKey(Self.seed(ring, member), of: rolls[roll])
        let record = key.secret.withdraw(base, randomness: [UInt8](repeating: 1, count: 32))
        return record.bytes
    }

    func read(_ bytes: [UInt8]) throws -> SubmittedRecord {
        try SubmittedRecord(parsing: bytes, electorate: electorate)
    }

    /// The rule that the bytes break as a record; nil if they are a valid one.
    func refusal(_ bytes: [UInt8], in other: Electorate? = nil) -> Rule? {
        do throws(Rule) {
            _ = try SubmittedRecord(parsing: bytes, electorate: other ?? electorate)
            return nil
        } catch {
            return error
        }
    }

    func verified(_ bytes: [UInt8]) throws -> VerifiedRecord {
        let answers = VerifiedRecord.verify([try read(bytes)], petition: base)
        return try #require(answers.first).get()
    }
}

@Suite struct SubmittedRecordTests {
    private let election: Election
    /// A signature in a ring of five (m = 2) and in one of three (m = 1).
    private let signatures: [(bytes: [UInt8], digits: Int)]
    private let withdrawal: [UInt8]
    private let identity = [UInt8](repeating: 0, count: 32)

    init() throws {
        election = try Election()
        signatures = [
            (try election.signature(roll: 0, ring: 0, member: 2), 2),
            (try election.signature(roll: 1, ring: 0, member: 1), 1),
        ]
        withdrawal = try election.withdrawal(roll: 0, ring: 0, member: 2)
    }

    /// The offsets of the points of a signature: J, A, Bc, X_0 .. , Y_0 ..
    private func points(_ digits: Int) -> [Int] {
        (0..<3 + 2 * digits).map { 6 + 32 * $0 }
    }

    /// The offsets of its scalars: the f, zA, z.
    private func scalars(_ digits: Int) -> [Int] {
        (0..<3 * digits + 2).map { 102 + 64 * digits + 32 * $0 }
    }

    @Test func goodRecordsAreReadAsTheyAre() throws {
        for (bytes, digits) in signatures {
            let record = try election.read(bytes)
            #expect(bytes.count == RecordOutline.signatureCount(digits: digits))
            #expect(record.bytes == bytes)
            #expect(record.tag.encoding.array == Array(bytes[6..<38]))
        }
        let record = try election.read(withdrawal)
        #expect(record.bytes == withdrawal)
        #expect(record.tag.encoding.array == Array(withdrawal[1..<33]))
        #expect(Array(withdrawal[1..<33]) == Array(signatures[0].bytes[6..<38]))
    }

    @Test func unknownTypesAreMalformed() {
        #expect(election.refusal([]) == Rule.malformedRecord)
        for type in UInt8.min...UInt8.max where type != 1 && type != 2 {
            #expect(election.refusal([type]) == Rule.malformedRecord)
            #expect(election.refusal(signatures[0].bytes.replacing(at: 0, with: [type])) == Rule.malformedRecord)
            #expect(election.refusal(withdrawal.replacing(at: 0, with: [type])) == Rule.malformedRecord)
        }
    }

    @Test func aRecordTooShortForItsRingNumberIsMalformed() {
        for count in 0..<6 {
            #expect(election.refusal(Array(signatures[0].bytes.prefix(count))) == Rule.malformedRecord)
        }
    }

    @Test func anUnknownRollIsNamedBeforeAnythingBehindIt() {
        for roll: UInt8 in [2, 3, 255] {
            #expect(election.refusal([1, roll, 0, 0, 0, 0]) == Rule.ringNotAdmitted)
            let record = signatures[0].bytes.replacing(at: 1, with: [roll])
            #expect(election.refusal(record) == Rule.ringNotAdmitted)
            #expect(election.refusal(record.replacing(at: 6, with: identity)) == Rule.ringNotAdmitted)
        }
    }

    @Test func anUnknownRingIsNamedBeforeTheLength() {
        for number: [UInt8] in [[0, 0, 0, 2], [0, 0, 1, 0], [1, 0, 0, 0], [255, 255, 255, 255]] {
            #expect(election.refusal(joined([1, 0], number)) == Rule.ringNotAdmitted)
            #expect(election.refusal(joined([1, 1], number)) == Rule.ringNotAdmitted)
            let record = signatures[0].bytes.replacing(at: 2, with: number)
            #expect(election.refusal(record) == Rule.ringNotAdmitted)
        }
    }

    @Test func laterRingsAreAdmittedOnlyWhereTheManifestSaysSo() throws {
        let later = try election.signature(roll: 0, ring: 1, member: 0)
        #expect(election.refusal(later) == Rule.ringNotAdmitted)
        #expect(election.refusal([1, 0, 0, 0, 0, 1]) == Rule.ringNotAdmitted)
        let admitted = try election.signature(roll: 1, ring: 1, member: 0)
        #expect(election.refusal(admitted) == nil)
    }

    @Test func nothingIsSaidOfARollThatCouldNotBeRead() throws {
        let second = Electorate(election.petition, rings: [nil, election.rings[1]])
        #expect(election.refusal(signatures[0].bytes, in: second) == Rule.rollUnreachable)
        #expect(election.refusal([1, 0, 255, 0, 0, 0], in: second) == Rule.rollUnreachable)
        #expect(election.refusal(signatures[1].bytes, in: second) == nil)
        #expect(election.refusal([1, 2, 0, 0, 0, 0], in: second) == Rule.ringNotAdmitted)
        #expect(election.refusal(withdrawal, in: second) == nil)
        let first = Electorate(election.petition, rings: [election.rings[0]])
        #expect(election.refusal(signatures[0].bytes, in: first) == nil)
        #expect(election.refusal(signatures[1].bytes, in: first) == Rule.rollUnreachable)
    }

    @Test func aRingIsAdmittedWhenItsSealStandsBelowTheSize() throws {
        for (size, rings) in [(UInt64(5), 0), (6, 1), (11, 1), (12, 2), (99, 2)] {
            let election = try Election(size: size)
            for ring in 0..<2 {
                let rule = election.refusal(try election.signature(roll: 0, ring: ring, member: 0))
                let expected: Rule? = ring < rings ? nil : .ringNotAdmitted
                #expect(rule == expected, "\(size) \(ring)")
            }
        }
    }

    @Test func theLengthIsExactAndComesBeforeThePoints() {
        for (bytes, _) in signatures {
            let bad = bytes.replacing(at: 6, with: identity)
            for record in [bytes, bad] {
                #expect(election.refusal(record + [0]) == Rule.malformedRecord)
                #expect(election.refusal(Array(record.dropLast())) == Rule.malformedRecord)
                #expect(election.refusal(Array(record.prefix(6))) == Rule.malformedRecord)
                #expect(election.refusal(record + record) == Rule.malformedRecord)
            }
        }
        let otherRing = signatures[0].bytes.replacing(at: 0, with: [1, 1, 0, 0, 0, 0])
        #expect(election.refusal(otherRing) == Rule.malformedRecord)
        for count in 1..<97 {
            #expect(election.refusal(Array(withdrawal.prefix(count))) == Rule.malformedRecord)
        }
        #expect(election.refusal(withdrawal + [0]) == Rule.malformedRecord)
        #expect(election.refusal(withdrawal.replacing(at: 1, with: identity) + [0]) == Rule.malformedRecord)
    }

    @Test func noPointHasASecondName() {
        let high = [UInt8](repeating: 0xFF, count: 31) + [0x7F]
        for (bytes, digits) in signatures {
            for offset in points(digits) {
                #expect(election.refusal(bytes.settingBit255(at: offset)) == Rule.nonCanonicalPoint, "\(offset)")
                let record = bytes.replacing(at: offset, with: high)
                #expect(election.refusal(record) == Rule.nonCanonicalPoint, "\(offset)")
            }
        }
        #expect(election.refusal(withdrawal.settingBit255(at: 1)) == Rule.nonCanonicalPoint)
    }

    @Test func noPointIsTheIdentity() {
        for (bytes, digits) in signatures {
            for offset in points(digits) {
                let record = bytes.replacing(at: offset, with: identity)
                #expect(election.refusal(record) == Rule.identityPoint, "\(offset)")
            }
        }
        #expect(election.refusal(withdrawal.replacing(at: 1, with: identity)) == Rule.identityPoint)
    }

    @Test func everyScalarIsBelowTheOrder() {
        for (bytes, digits) in signatures {
            for offset in scalars(digits) { expectScalar(of: bytes, at: offset) }
        }
        for offset in [33, 65] { expectScalar(of: withdrawal, at: offset) }
    }

    private func expectScalar(of bytes: [UInt8], at offset: Int) {
        let all = [UInt8](repeating: 0xFF, count: 32)
        for encoding in [groupOrder, all] {
            let record = bytes.replacing(at: offset, with: encoding)
            #expect(election.refusal(record) == Rule.nonCanonicalScalar, "\(offset)")
        }
        #expect(election.refusal(bytes.settingBit255(at: offset)) == Rule.nonCanonicalScalar, "\(offset)")
        let largest = groupOrder.replacing(at: 0, with: [groupOrder[0] - 1])
        #expect(election.refusal(bytes.replacing(at: offset, with: largest)) == nil, "\(offset)")
        #expect(election.refusal(bytes.replacing(at: offset, with: identity)) == nil, "\(offset)")
    }

    @Test func theFirstBadFieldNamesTheRefusal() {
        for (bytes, digits) in signatures {
            let (first, second) = (points(digits)[0], points(digits)[1])
            let last = points(digits)[points(digits).count - 1]
            let scalar = bytes.replacing(at: scalars(digits)[0], with: groupOrder)
            let canonical = bytes.settingBit255(at: first).replacing(at: second, with: identity)
            #expect(election.refusal(canonical) == Rule.nonCanonicalPoint)
            let neutral = bytes.replacing(at: first, with: identity).settingBit255(at: second)
            #expect(election.refusal(neutral) == Rule.identityPoint)
            #expect(election.refusal(scalar.replacing(at: last, with: identity)) == Rule.identityPoint)
            #expect(election.refusal(scalar.settingBit255(at: last)) == Rule.nonCanonicalPoint)
        }
        let bad = withdrawal.replacing(at: 33, with: groupOrder)
        #expect(election.refusal(bad.replacing(at: 1, with: identity)) == Rule.identityPoint)
    }
}
