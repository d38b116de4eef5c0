import Bytes
import RingSignatures
import Ristretto255
import Sodium
import Testing

@Suite struct RingSignatureVectorTests {
    @Test func recordsAreAcceptedAndRefused() throws {
        for vector in try VectorFiles.load(ProtocolVectors.self).flatMap({ $0.ringSignatures ?? [] }) {
            let ring = try ring(of: vector)
            #expect(ring.digest == (try vector.ringDigest.bytes32()))
            #expect(ring.digits == vector.digits)
            let verifier = RingVerifier(petition: PetitionBase(petition: try vector.petitionId.bytes32()))
            for record in vector.records {
                let outcome = refusal(of: record.record.bytes, roll: vector.roll, ring: ring, verifier: verifier)
                #expect((outcome == nil) == record.valid, "\(record.reason ?? "valid"): \(outcome ?? "accepted")")
                if let reason = record.reason { #expect(outcome == rule(for: reason)) }
                if record.valid {
                    let parsed = try SignatureRecord(parsing: record.record.bytes, digits: ring.digits)
                    #expect(parsed.tag.encoding.array == record.tag?.bytes)
                    #expect(parsed.bytes == record.record.bytes)
                }
            }
        }
    }

    @Test func aBatchAcceptsExactlyWhatSingleVerificationAccepts() throws {
        for vector in try VectorFiles.load(ProtocolVectors.self).flatMap({ $0.ringSignatures ?? [] }) {
            let ring = try ring(of: vector)
            let verifier = RingVerifier(petition: PetitionBase(petition: try vector.petitionId.bytes32()))
            let parsed = vector.records.compactMap { record in
                (try? SignatureRecord(parsing: record.record.bytes, digits: ring.digits)).map { (record.valid, $0) }
            }
            .filter { $0.1.roll == vector.roll && $0.1.ring == vector.ring }
            let answers = verifier.verify(parsed.map { ($0.1, ring) })
            for (answer, expected) in zip(answers, parsed) {
                let isAccepted = (try? answer.get()) != nil
                #expect(isAccepted == expected.0)
            }
        }
    }

    @Test func everyMemberSignsAndHasOneTag() throws {
        for vector in try VectorFiles.load(ProtocolVectors.self).flatMap({ $0.ringSignatures ?? [] }) {
            let ring = try ring(of: vector)
            let petition = PetitionBase(petition: try vector.petitionId.bytes32())
            let verifier = RingVerifier(petition: petition)
            for (index, secret) in (vector.secrets ?? []).enumerated() {
                let member = try member(secret: secret.bytes)
                #expect(member.key == ring.members[index])
                let record = try member.sign(petition, ring: ring, roll: vector.roll)
                #expect(throws: Never.self) { try verifier.verify(record, in: ring) }
                #expect(record.tag == member.tag(for: petition))
                if let known = vector.records.first(where: { $0.valid && $0.signer == index }) {
                    #expect(record.tag.encoding.array == known.tag?.bytes)
                }
            }
        }
    }

    @Test func equalRandomnessGivesEqualBytesAndFreshRandomnessDoesNot() throws {
        let vector = try #require(try VectorFiles.load(ProtocolVectors.self).first?.ringSignatures?.first)
        let ring = try ring(of: vector)
        let petition = PetitionBase(petition: try vector.petitionId.bytes32())
        let member = try member(secret: try #require(vector.secrets?.first).bytes)
        let fixed = [UInt8](repeating: 7, count: 32)
        let first = try member.sign(petition, ring: ring, roll: 0, randomness: fixed)
        #expect(first.bytes == (try member.sign(petition, ring: ring, roll: 0, randomness: fixed)).bytes)
        #expect(first.bytes != (try member.sign(petition, ring: ring, roll: 0)).bytes)
        // Another roll number with the same randomness shares no nonces: every response differs.
        let other = try member.sign(petition, ring: ring, roll: 1, randomness: fixed)
        #expect(first.bytes.suffix(32) != other.bytes.suffix(32))
    }

    @Test func withdrawalsAreAcceptedAndRefused() throws {
        for vector in try VectorFiles.load(ProtocolVectors.self).flatMap({ $0.withdrawals ?? [] }) {
            let petition = PetitionBase(petition: try vector.petitionId.bytes32())
            let accepted: Bool
            do {
                _ = try WithdrawalRecord(parsing: vector.record.bytes).verify(petition: petition)
                accepted = true
            } catch {
                accepted = false
            }
            #expect(accepted == vector.valid, "\(vector.reason ?? "valid")")
        }
    }

    @Test func aMemberWithdrawsItsOwnTagOnly() throws {
        let vector = try #require(try VectorFiles.load(ProtocolVectors.self).first?.ringSignatures?.first)
        let petition = PetitionBase(petition: try vector.petitionId.bytes32())
        let member = try member(secret: try #require(vector.secrets?.first).bytes)
        let record = member.withdraw(petition)
        #expect(record.tag == member.tag(for: petition))
        #expect(throws: Never.self) { try record.verify(petition: petition) }
        var forged = record.bytes
        forged.replaceSubrange(1..<33, with: GroupElement.base.encoding.array)
        #expect(throws: ProofError.invalid) { try WithdrawalRecord(parsing: forged).verify(petition: petition) }
    }

    /// The rule that refuses a record, or nil if it is valid, checked in the order of `Protocol/counting.md`.
    private func refusal(of bytes: [UInt8], roll: UInt8, ring: Ring, verifier: RingVerifier) -> String? {
        do {
            guard try RecordOutline(parsing: bytes) == .signature(roll: roll, ring: ring.number) else {
                return "ring-not-admitted"
            }
            _ = try verifier.verify(SignatureRecord(parsing: bytes, digits: ring.digits), in: ring)
            return nil
        } catch RecordError.malformed {
            return "malformed-record"
        } catch RecordError.decoding(let error) {
            return String(describing: error)
        } catch {
            return "proof-invalid"
        }
    }

    private func rule(for reason: String) -> String {
        switch reason {
        case "tag with bit 255 set": "nonCanonicalPoint"
        case "tag is the identity", "proof point Y_0 is the identity": "identityPoint"
        case "response z not reduced": "nonCanonicalScalar"
        case "unknown record type", "too long", "too short": "malformed-record"
        case "other ring number", "other roll number": "ring-not-admitted"
        default: "proof-invalid"
        }
    }

    private func ring(of vector: ProtocolVectors.RingSignature) throws -> Ring {
        let members = try vector.keys.map { try MemberKey(decoding: $0.bytes32()) }
        return Ring(roll: try vector.rollId.bytes32(), number: vector.ring, members: members)
    }

    private func member(secret bytes: [UInt8]) throws -> MemberSecret {
        let secret = SecretBytes(copying: bytes)
        guard let x = SecretScalar(decoding: secret) else { throw VectorProblem(path: "", reason: "no scalar") }
        return MemberSecret(x: x, seed: SecretBytes(randomCount: 32))
    }
}
