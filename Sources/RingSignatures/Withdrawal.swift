import Bytes
import Multiscalar
import Ristretto255
import Sodium

/// The withdrawal of a signature by the member that made its tag: a proof of knowledge of `x` with `J = xU`.
///
/// | offset | bytes | field |
/// | --- | --- | --- |
/// | 0 | 1 | type 0x02 |
/// | 1 | 32 | J, the tag |
/// | 33 | 32 | c |
/// | 65 | 32 | s |
public struct WithdrawalRecord: Hashable, Sendable {
    /// The record exactly as submitted.
    public let bytes: [UInt8]
    /// `J`, the tag that is withdrawn.
    public let tag: Tag
    let c: Scalar
    let s: Scalar

    /// Reads a record: type, exact length, then the point, then the scalars.
    public init(parsing bytes: [UInt8]) throws(RecordError) {
        guard try RecordOutline(parsing: bytes) == .withdrawal, bytes.count == RecordOutline.withdrawalCount else {
            throw .malformed
        }
        var reader = FieldReader(ByteReader(bytes, from: 1))
        self.bytes = bytes
        tag = Tag(try reader.point())
        c = try reader.scalar()
        s = try reader.scalar()
    }

    /// Checks the proof under `petition`.
    public func verify(petition: PetitionBase) throws(ProofError) -> VerifiedWithdrawal {
        let points = VariableTimePoint.pair(petition.element, tag.element)
        var sum = VariableTimeSum()
        sum.add(VariableTimeScalar(s), points.0)
        sum.add(VariableTimeScalar(c), points.1)
        let commitment = sum.value.element
        guard withdrawalChallenge(petition: petition, tag: tag, commitment: commitment) == c else { throw .invalid }
        return VerifiedWithdrawal(self)
    }
}

/// A withdrawal whose proof was checked. Only ``WithdrawalRecord/verify(petition:)`` makes one.
public struct VerifiedWithdrawal: Sendable {
    /// The record.
    public let record: WithdrawalRecord
    fileprivate init(_ record: WithdrawalRecord) { self.record = record }
}

extension MemberSecret {
    /// Withdraws this member's signature under `petition`.
    public borrowing func withdraw(_ petition: PetitionBase) -> WithdrawalRecord {
        withdraw(petition, randomness: SystemRandomness.bytes(NonceStream.randomnessCount))
    }

    /// The same with given randomness, for deterministic tests.
    package borrowing func withdraw(_ petition: PetitionBase, randomness: [UInt8]) -> WithdrawalRecord {
        let tag = tag(for: petition)
        var nonces = withdrawalNonces(petition: petition, tag: tag, randomness: randomness)
        let r = nonces.next()
        let c = withdrawalChallenge(petition: petition, tag: tag, commitment: petition.element.multiplied(by: r))
        let s = r - SecretScalar(c) * x
        let bytes = [RecordOutline.withdrawalType] + tag.encoding.array + c.bytes.array + s.published().bytes.array
        guard let record = try? WithdrawalRecord(parsing: bytes) else {
            preconditionFailure("a finished withdrawal has the layout of a record")
        }
        return record
    }
}

/// `c = H2S("roundrobin-v1 withdrawal challenge", petitionId || J || R)`. Prover and verifier both compute it here.
private func withdrawalChallenge(petition: PetitionBase, tag: Tag, commitment: GroupElement) -> Scalar {
    HashToGroup.scalar(
        petition.petition.array + tag.encoding.array + commitment.encoding.array, dst: Labels.withdrawalChallenge)
}
