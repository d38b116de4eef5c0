import Multiscalar

/// Why a record does not verify. There is only one rule.
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
/// Each equation is multiplied by its own random weight, drawn after all records of its batch are fixed, so that wrong
/// equations cannot cancel each other: an error passes with probability 2^-128.
public struct RingVerifier: Sendable {
    private let petition: PetitionBase
    private let engine: Engine
    private let willSum: @Sendable (Int) -> Void

    /// A verifier for signatures under `petition`.
    public init(petition: PetitionBase) {
        self.init(petition: petition, engine: .current)
    }

    /// The same on a given engine. `willSum` is called before each sum, with its number of records.
    package init(petition: PetitionBase, engine: Engine, willSum: @escaping @Sendable (Int) -> Void = { _ in }) {
        self.petition = petition
        self.engine = engine
        self.willSum = willSum
    }

    /// Verifies one record against the ring it names.
    public func verify(_ record: SignatureRecord, in ring: Ring) throws(ProofError) -> VerifiedSignature {
        try verify([(record, ring)])[0].get()
    }

    /// Verifies many records at once. The results are exact and in the order of the records. A batch that fails is
    /// halved until the bad records are found.
    public func verify(_ batch: [(SignatureRecord, Ring)]) -> [Result<VerifiedSignature, ProofError>] {
        verify(batch, invalidLimit: .max).map { $0 ?? .failure(.invalid) }
    }

    /// The same, but stops looking after `invalidLimit` bad records: the result is nil for records that were not
    /// decided by then. A bad record costs as much as many good ones, and costs its sender nothing.
    public func verify(
        _ batch: [(SignatureRecord, Ring)], invalidLimit: Int
    ) -> [Result<VerifiedSignature, ProofError>?] {
        var search = Search(answers: Array(repeating: .failure(.invalid), count: batch.count), rest: invalidLimit)
        let claims = Claim.claims(of: batch, petition: petition)
        settle(claims[...], sum: weightedSum(claims[...]), &search)
        return search.answers
    }

    /// What was decided so far, and how many more bad records to look for.
    private struct Search {
        var answers: [Result<VerifiedSignature, ProofError>?]
        var rest: Int
    }

    /// Accepts the claims if their sum is the identity. If not, adds up one half; the sum of the other half is the
    /// difference. Each bad record costs one sum for each time that the batch can be halved.
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

/// Verifies more records than fit in memory, batch by batch, with one result at the end: whether all of them hold. The
/// members of a ring are multiplied once for all batches. To find the bad records, use ``RingVerifier``.
public struct RunningVerification: Sendable {
    private let petition: PetitionBase
    private let rings: SharedRingSums
    private var equations: WeightedEquations
    private var isPossible = true

    /// An empty verification.
    public init(petition: PetitionBase) { self.init(petition: petition, rings: SharedRingSums()) }

    private init(petition: PetitionBase, rings: SharedRingSums) {
        (self.petition, self.rings) = (petition, rings)
        equations = WeightedEquations(petition: petition, engine: .current, shared: rings)
    }

    /// Empty verifications for as many cores. Together they need 32 bytes for each member of the rings.
    public static func parallel(_ count: Int, petition: PetitionBase) -> [RunningVerification] {
        let rings = SharedRingSums()
        return (0..<count).map { _ in RunningVerification(petition: petition, rings: rings) }
    }

    /// Adds the equations of a batch.
    public mutating func add(_ batch: [(SignatureRecord, Ring)]) {
        let claims = Claim.claims(of: batch, petition: petition)
        isPossible = isPossible && claims.count == batch.count
        equations.add(claims[...])
    }

    /// What is left to compute for all of `verifications`, which are under one petition: parts that can run on separate
    /// cores, each with its share of the rings. Nil when some record cannot be a proof, whatever the parts give.
    /// Afterwards the verifications are of no use any more.
    public static func parts(of verifications: consuming [RunningVerification]) -> [Part]? {
        guard verifications.allSatisfy({ $0.isPossible }) else { return nil }
        var parts = verifications.map { $0.equations }
        for (position, terms) in verifications.flatMap({ $0.rings.take() }).enumerated() {
            parts[position % parts.count].add(terms)
        }
        return parts.map { Part(equations: $0) }
    }

    /// True when every record that was added to any of the verifications is a proof. `values` are the values of all
    /// their ``parts(of:)``, in any order.
    public static func allHold(_ values: [Part.Value]) -> Bool {
        values.map { $0.sum }.reduce(VariableTimeSum().value, +).isIdentity
    }

    /// A share of the computation at the end.
    public struct Part: Sendable {
        /// The value of a part. The values of all parts add up to the identity when every record is a proof.
        public struct Value: Sendable {
            fileprivate let sum: VariableTimeSum.Value
        }
        fileprivate let equations: WeightedEquations

        /// Computes the part. This is the expensive step.
        public consuming func value() -> Value { Value(sum: equations.value(keepsRings: false)) }
    }
}
