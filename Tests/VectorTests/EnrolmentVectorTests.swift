import Bytes
import Documents
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import Testing
import VOPRF

@Suite struct EnrolmentVectorTests {
    @Test func membersEnrolExactlyAsTheVectorsSay() throws {
        for vector in try VectorFiles.load(ProtocolVectors.self).compactMap(\.enrolment) {
            let roll = RollID(try vector.rollId.bytes32())
            guard let key = SecretScalar(decoding: SecretBytes(copying: vector.enrolmentSecret.bytes)) else {
                throw VectorProblem(path: "", reason: "no scalar")
            }
            let server = VOPRFServer(key: key)
            #expect(server.publicKey.encoding.array == vector.enrolmentKey.bytes)
            for member in vector.members { try enrol(member, roll: roll, server: server) }
        }
    }

    private func enrol(
        _ vector: ProtocolVectors.Enrolment.Member, roll: RollID, server: borrowing VOPRFServer
    ) throws {
        let code = try #require(InvitationCode(vector.code.bytes))
        #expect(code.hash.array == vector.codeHash.bytes)
        guard let member = MemberIdentity(seed: SecretBytes(copying: vector.seed.bytes), roll: roll),
            let blind = member.blind(codeHash: code.hash)
        else { throw VectorProblem(path: "", reason: "zero key") }
        let memberKey = member.key
        #expect(memberKey.encoding.array == vector.memberKey.bytes)
        #expect(blind.published().bytes.array == vector.blind.bytes)
        let input = MemberIdentity.tokenInput(roll: roll, member: memberKey)
        let blinded = try VOPRFClient.blind(input, with: blind)
        #expect(blinded.element.encoding.array == vector.blinded.bytes)
        let evaluated = EvaluatedElement(try GroupElement(decoding: vector.evaluated.bytes32()))
        #expect(server.blindEvaluate(blinded).0 == evaluated)
        let proof = try DLEQProof(decoding: vector.proof.bytes)
        #expect(throws: VOPRFError.proofInvalid) {
            try VOPRFClient.verify(evaluated, of: blinded, proof: proof, publicKey: .base)
        }
        let token = try VOPRFClient.unblind(
            evaluated, of: blinded, blind: blind, proof: proof, publicKey: server.publicKey)
        #expect(token.encoding.array == vector.token.bytes)
        let isValid = server.isValid(token: token, for: input)
        #expect(isValid)
    }

    @Test func logEntries() throws {
        for file in try VectorFiles.load(ProtocolVectors.self) {
            for (name, vector) in file.enrolmentLogEntries ?? [:] {
                let bytes = vector.bytes
                switch name {
                case "member":
                    #expect(try RollEntry(parsing: bytes).bytes == bytes)
                    expectExact(bytes) { bytes throws(Rule) in _ = try RollEntry(parsing: bytes) }
                case "announcedRoll", "announcedPetition":
                    #expect(try Announcement(parsing: bytes).bytes == bytes)
                    expectExact(bytes) { bytes throws(Rule) in _ = try Announcement(parsing: bytes) }
                default:
                    #expect(try EnrolmentEntry(parsing: bytes).bytes == bytes)
                    expectExact(bytes) { bytes throws(Rule) in _ = try EnrolmentEntry(parsing: bytes) }
                }
            }
        }
    }

    /// Expects that with one byte more or less, the bytes are not an entry.
    private func expectExact(_ bytes: [UInt8], parse: ([UInt8]) throws(Rule) -> Void) {
        #expect(throws: Rule.entryMalformed) { try parse(bytes + [0]) }
        #expect(throws: Rule.entryMalformed) { try parse(Array(bytes.dropLast())) }
    }

    /// The entries of our own file, whose contents are described in `Protocol/vectors/README.md`.
    @Test func ourLogEntriesAreOfTheMembersInTheFile() throws {
        let file = try #require(try VectorFiles.load(ProtocolVectors.self).first)
        let entries = try #require(file.enrolmentLogEntries)
        let enrolment = try #require(file.enrolment)
        let link = try #require(file.rollLinks?.first)
        let petition = try #require(file.ringSignatures?.first).petitionId.bytes32()
        let hashes = try enrolment.members.map { try $0.codeHash.bytes32() }
        let key = try MemberKey(decoding: enrolment.members[0].memberKey.bytes32())
        let announced = Announcement.roll(
            RollID(try enrolment.rollId.bytes32()), linkHash: try link.linkHash.bytes32())
        let expected = [
            "invited": EnrolmentEntry.invited(codeHash: hashes[0]).bytes,
            "issued": EnrolmentEntry.issued(codeHash: hashes[0]).bytes,
            "voided": EnrolmentEntry.voided(codeHash: hashes[1]).bytes,
            "joiningOpens": EnrolmentEntry.joiningOpens(round: 0, opened: 1_798_452_000).bytes,
            "issuingOpens": EnrolmentEntry.issuingOpens(round: 1).bytes,
            "member": RollEntry.member(key).bytes,
            "announcedRoll": announced.bytes,
            "announcedPetition": Announcement.petition(PetitionID(petition)).bytes,
        ]
        #expect(entries.mapValues(\.bytes) == expected)
    }

    @Test func rollLinks() throws {
        for vector in try VectorFiles.load(ProtocolVectors.self).flatMap({ $0.rollLinks ?? [] }) {
            let coordinator = try #require(ServiceURL(vector.coordinator))
            let slug = try #require(RollSlug(vector.slug))
            let link = RollLink(coordinator: coordinator, slug: slug)
            #expect(link.hash.array == vector.linkHash.bytes)
            #expect(link.url.text == vector.coordinator + "/rolls/" + vector.slug)
            #expect(RollLink(link.url) == link)
        }
    }

    /// Listed as invalid, but it is 2^127 with the right check symbol: a code by the normative rule, which refuses only
    /// numbers from 2^128 on. The rule takes precedence; see `Protocol/vectors/README.md`.
    private static let erratum = "40000000000000000000000000="

    @Test func numbersOfMoreThan128BitsAreNoCodes() {
        #expect(InvitationCode(text: Self.erratum)?.bytes == [0x80] + [UInt8](repeating: 0, count: 15))
        #expect(InvitationCode(text: "80000000000000000000000000~") == nil)
        #expect(InvitationCode(text: "8000000000000000000000000000") == nil)
    }

    @Test func invitationCodes() throws {
        for codes in try VectorFiles.load(ProtocolVectors.self).compactMap(\.invitationCodes) {
            for vector in codes.valid {
                let code = try #require(InvitationCode(vector.code.bytes))
                #expect(code.text == vector.text)
                #expect(code.hash.array == vector.codeHash?.bytes)
                #expect(InvitationCode(text: vector.text)?.bytes == vector.code.bytes)
                #expect(InvitationCode(text: code.symbols)?.bytes == vector.code.bytes)
            }
            for vector in codes.alsoValid ?? [] {
                #expect(InvitationCode(text: vector.text)?.bytes == vector.code.bytes)
            }
            for text in codes.invalid ?? [] where text != Self.erratum {
                #expect(InvitationCode(text: text) == nil, "\(text)")
            }
        }
    }
}
