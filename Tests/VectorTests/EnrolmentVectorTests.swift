import Bytes
import Petitions
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
        guard let member = MemberKey(seed: SecretBytes(copying: vector.seed.bytes), roll: roll),
            let blind = member.blind(codeHash: code.hash)
        else { throw VectorProblem(path: "", reason: "zero key") }
        let memberKey = member.key
        #expect(memberKey.encoding.array == vector.memberKey.bytes)
        #expect(blind.published().bytes.array == vector.blind.bytes)
        let input = MemberKey.tokenInput(roll: roll, member: memberKey)
        let blinded = try VOPRFClient.blind(input, with: blind)
        #expect(blinded.element.encoding.array == vector.blinded.bytes)
        let evaluated = EvaluatedElement(try GroupElement(decoding: vector.evaluated.bytes32()))
        #expect(server.blindEvaluate(blinded).0 == evaluated)
        let token = try VOPRFClient.unblind(
            evaluated, of: blinded, blind: blind, proof: DLEQProof(decoding: vector.proof.bytes),
            publicKey: server.publicKey)
        #expect(token.encoding.array == vector.token.bytes)
        let isValid = server.isValid(token: token, for: input)
        #expect(isValid)
    }

    @Test func logEntries() throws {
        for file in try VectorFiles.load(ProtocolVectors.self) {
            for (name, bytes) in file.enrolmentLogEntries ?? [:] {
                switch name {
                case "member": #expect(try RollEntry(parsing: bytes.bytes).bytes == bytes.bytes)
                case "announcedRoll":
                    #expect(
                        Announcement.roll(RollID(try #require(Bytes32(bytes.bytes.dropFirst())))).bytes == bytes.bytes)
                case "announcedPetition":
                    let id = PetitionID(try #require(Bytes32(bytes.bytes.dropFirst())))
                    #expect(Announcement.petition(id).bytes == bytes.bytes)
                default:
                    let entry = try EnrolmentEntry(parsing: bytes.bytes)
                    #expect(entry.bytes == bytes.bytes)
                    if case .issued(let issued) = entry, let key = try file.enrolment?.enrolmentKey.bytes32() {
                        try issued.verify(enrolmentKey: GroupElement(decoding: key))
                        #expect(throws: Rule.issueProofInvalid) { try issued.verify(enrolmentKey: .base) }
                    }
                    #expect(throws: Rule.entryMalformed) { try EnrolmentEntry(parsing: bytes.bytes + [0]) }
                    #expect(throws: Rule.entryMalformed) { try EnrolmentEntry(parsing: Array(bytes.bytes.dropLast())) }
                }
            }
        }
    }

    /// Listed as invalid, but it is 2^127 with its right check symbol: a code by the normative rule, which refuses only
    /// numbers from 2^128 on. The rule stands; see `Protocol/vectors/README.md`.
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
