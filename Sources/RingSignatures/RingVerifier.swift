import Multiscalar

/// A record whose proof holds does not verify: it names the one rule.
public enum ProofError: Error, Equatable, Sendable {
    /// The equations of the proof do not hold.
    case invalid
}

/// A signature that was verified against its ring and petition. Only ``RingVerifier`` makes one.
public struct VerifiedSignature: Sendable {
    /// The record.
    public let record: SignatureRecord
    fileprivate init(_ record: SignatureRecord) { self.record = record }
}

/// Verifies signatures under one petition: one record, or a batch over one ring or several. Public data only.
public struct RingVerifier: Sendable {
    private let petition: PetitionBase

    /// A verifier for signatures under `petition`.
    public init(petition: PetitionBase) {
        self.petition = petition
    }

    /// Verifies one record against the ring it names.
    public func verify(_ record: SignatureRecord, in ring: Ring) throws(ProofError) -> VerifiedSignature {
        try verify([(record, ring)])[0].get()
    }

    /// Verifies many records at once; the answer at each place is for the record at that place, and exact.
    ///
    /// Each equation is taken times a random weight of its own, drawn after all records are fixed, so that wrong ones cannot
    /// cancel (an error passes with probability 2^-128). A batch that fails is halved until the bad records are found.
    public func verify(_ batch: [(SignatureRecord, Ring)]) -> [Result<VerifiedSignature, ProofError>] {
        var answers = [Result<VerifiedSignature, ProofError>](repeating: .failure(.invalid), count: batch.count)
        let weights = EquationWeights.random(count: batch.count)
        var claims = batch.indices.compactMap { place in
            Claim(batch[place].0, ring: batch[place].1, petition: petition, weights: weights[place], place: place)
        }
        // Records of one ring side by side: a part of the batch then has as few rings as it can.
        claims.sort { ($0.ring.digest, $0.place) < ($1.ring.digest, $1.place) }
        settle(claims[...], sum: weightedSum(claims[...]), &answers)
        return answers
    }

    /// Accepts the claims if their sum says so. If not, one half is added up, and the other half is what is left of the sum:
    /// each bad record costs as many sums as the batch can be halved.
    private func settle(
        _ claims: ArraySlice<Claim>, sum: VariableTimeSum.Value,
        _ answers: inout [Result<VerifiedSignature, ProofError>]
    ) {
        if sum.isIdentity {
            for claim in claims { answers[claim.place] = .success(VerifiedSignature(claim.record)) }
        } else if claims.count > 1 {
            let middle = claims.startIndex + claims.count / 2
            let left = weightedSum(claims[..<middle])
            settle(claims[..<middle], sum: left, &answers)
            settle(claims[middle...], sum: sum - left, &answers)
        }
    }

    /// The sum of all weighted equations of `claims`, the identity when every one holds.
    private func weightedSum(_ claims: ArraySlice<Claim>) -> VariableTimeSum.Value {
        var sum = WeightedEquations(petition: petition)
        var rest = claims
        while let first = rest.first {
            let sameRing = rest.prefix { $0.ring.digest == first.ring.digest }
            sum.add(sameRing, ring: first.ring)
            rest = rest[sameRing.endIndex...]
        }
        return sum.value
    }
}
