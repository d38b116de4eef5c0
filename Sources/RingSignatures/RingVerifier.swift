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
///
/// Each equation is taken times a random weight of its own, drawn after all records of its batch are fixed, so that
/// wrong ones cannot cancel: an error passes with probability 2^-128.
public struct RingVerifier: Sendable {
    private let petition: PetitionBase
    private let engine: Engine
    private let willSum: @Sendable (Int) -> Void

    /// A verifier for signatures under `petition`.
    public init(petition: PetitionBase) {
        self.init(petition: petition, engine: .current)
    }

    /// The same on a given engine; `willSum` is told how many records each sum is of.
    package init(petition: PetitionBase, engine: Engine, willSum: @escaping @Sendable (Int) -> Void = { _ in }) {
        self.petition = petition
        self.engine = engine
        self.willSum = willSum
    }

    /// Verifies one record against the ring it names.
    public func verify(_ record: SignatureRecord, in ring: Ring) throws(ProofError) -> VerifiedSignature {
        try verify([(record, ring)])[0].get()
    }

    /// Verifies many records at once; the answer at each place is for the record at that place, and exact. A batch that
    /// fails is halved until the bad records are found.
    public func verify(_ batch: [(SignatureRecord, Ring)]) -> [Result<VerifiedSignature, ProofError>] {
        verify(batch, invalidLimit: .max).map { $0 ?? .failure(.invalid) }
    }

    /// The same, but no further than to `invalidLimit` bad records: nil for those on which nothing was decided by then.
    /// Each bad record costs many good ones, and whoever sends them has no cost at all.
    public func verify(
        _ batch: [(SignatureRecord, Ring)], invalidLimit: Int
    ) -> [Result<VerifiedSignature, ProofError>?] {
        var search = Search(answers: Array(repeating: .failure(.invalid), count: batch.count), rest: invalidLimit)
        let claims = Claim.claims(of: batch, petition: petition)
        settle(claims[...], sum: weightedSum(claims[...]), &search)
        return search.answers
    }

    /// What was decided, and how many bad records may still be looked for.
    private struct Search {
        var answers: [Result<VerifiedSignature, ProofError>?]
        var rest: Int
    }

    /// Accepts the claims if their sum says so. If not, one half is added up, and the other half is what is left of the
    /// sum: each bad record costs as many sums as the batch can be halved.
    private func settle(_ claims: ArraySlice<Claim>, sum: VariableTimeSum.Value, _ search: inout Search) {
        if sum.isIdentity {
            for claim in claims { search.answers[claim.position] = .success(VerifiedSignature(claim.record)) }
        } else if claims.count == 1 {
            search.rest -= 1
        } else if search.rest <= 0 {
            for claim in claims { search.answers[claim.position] = nil }
        } else if claims.count > 1 {
            let middle = claims.startIndex + claims.count / 2
            let left = weightedSum(claims[..<middle])
            settle(claims[..<middle], sum: left, &search)
            settle(claims[middle...], sum: sum - left, &search)
        }
    }

    /// The sum of all weighted equations of `claims`, the identity when every one holds.
    private func weightedSum(_ claims: ArraySlice<Claim>) -> VariableTimeSum.Value {
        willSum(claims.count)
        var sum = WeightedEquations(petition: petition, engine: engine)
        sum.add(claims)
        return sum.value(keepsRings: true)
    }
}

/// Verifies more records than fit in memory, batch by batch, with one answer at the end: all hold, or not all do. The
/// members of a ring are multiplied once for all batches. Which records are bad is a question for ``RingVerifier``.
public struct RunningVerification: Sendable {
    private let petition: PetitionBase
    private var equations: WeightedEquations
    private var isPossible = true

    /// A verification of nothing yet.
    public init(petition: PetitionBase) {
        self.petition = petition
        equations = WeightedEquations(petition: petition, engine: .current)
    }

    /// Adds the equations of a batch.
    public mutating func add(_ batch: [(SignatureRecord, Ring)]) {
        let claims = Claim.claims(of: batch, petition: petition)
        isPossible = isPossible && claims.count == batch.count
        equations.add(claims[...])
    }

    /// What is left to compute for all of `verifications`, which are under one petition: parts that cores of their own
    /// may compute, each with its share of the rings. Nil when a record cannot be a proof, whatever the parts give.
    public static func parts(of verifications: consuming [RunningVerification]) -> [Part]? {
        guard verifications.allSatisfy({ $0.isPossible }) else { return nil }
        return WeightedEquations.sharingRings(verifications.map { $0.equations }).map { Part(equations: $0) }
    }

    /// True when every record that was added to any of the verifications is a proof: these are the values of their
    /// ``parts(of:)``, all of them, in any order.
    public static func allHold(_ values: [Part.Value]) -> Bool {
        values.map { $0.sum }.reduce(VariableTimeSum().value, +).isIdentity
    }

    /// A share of the computation at the end.
    public struct Part: Sendable {
        /// What a part comes to; all of them together are the identity when every record is a proof.
        public struct Value: Sendable {
            fileprivate let sum: VariableTimeSum.Value
        }
        fileprivate let equations: WeightedEquations

        /// Computes the part: the expensive thing.
        public consuming func value() -> Value { Value(sum: equations.value(keepsRings: false)) }
    }
}
