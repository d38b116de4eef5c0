import Bytes
import Multiscalar
import Platform
import Ristretto255
import Sodium

/// The random weights of the three equations of one record: nonzero, 128 bits each.
struct EquationWeights {
    let first, second, third: VariableTimeScalar

    /// Fresh weights for `count` records.
    static func random(count: Int) -> [EquationWeights] {
        SystemRandomness.bytes(48 * count).withUnsafeBytes { bytes in
            (0..<count).map { record in
                let weights = (0..<3).map { equation in weight(bytes, at: 48 * record + 16 * equation) }
                return EquationWeights(first: weights[0], second: weights[1], third: weights[2])
            }
        }
    }

    private static func weight(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> VariableTimeScalar {
        let low = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        let high = bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)
        // Zero is drawn once in 2^128 times, and one is as good as any other weight.
        return VariableTimeScalar(low: low == 0 && high == 0 ? 1 : low, high: high)
    }
}

/// A record with its ring, its challenge and its weights: what the equations are made of.
struct Claim {
    let record: SignatureRecord
    let ring: Ring
    let w: VariableTimeScalar
    let weights: EquationWeights
    /// The record's index in the batch.
    let position: Int

    /// The claims of a batch, each with fresh weights, without the records that cannot be proofs for their rings at
    /// all. Claims for one ring are adjacent, so that a part of the batch has as few rings as possible.
    static func claims(of batch: [(SignatureRecord, Ring)], petition: PetitionBase) -> [Claim] {
        let weights = EquationWeights.random(count: batch.count)
        let claims = batch.indices.compactMap { position in
            Claim(
                batch[position].0, ring: batch[position].1, petition: petition, weights: weights[position],
                position: position)
        }
        return claims.sorted { ($0.ring.digest, $0.position) < ($1.ring.digest, $1.position) }
    }

    private init?(
        _ record: SignatureRecord, ring: Ring, petition: PetitionBase, weights: EquationWeights, position: Int
    ) {
        guard record.digits == ring.digits, record.ring == ring.number else { return nil }
        let challenge = signatureChallenge(petition: petition, ring: ring, head: record.head)
        guard challenge != .zero else { return nil }
        self.record = record
        self.ring = ring
        w = VariableTimeScalar(challenge)
        self.weights = weights
        self.position = position
    }

    /// `f(j,i)` for i = 0..3, where `f(j,0) = w - f(j,1) - f(j,2) - f(j,3)`.
    func responses(_ j: Int) -> [VariableTimeScalar] {
        let (first, second, third) = (record.f(j, 1), record.f(j, 2), record.f(j, 3))
        return [w - first - second - third, first, second, third]
    }
}

/// The coefficients of the members of one ring.
struct RingTerms: Sendable {
    let ring: Ring
    var coefficients: [VariableTimeScalar]
}

/// The coefficients of the members of many rings, each ring once: 32 bytes for each member.
struct RingSums: Sendable {
    private var sums: [Bytes32: RingTerms] = [:]

    /// The sums so far.
    var terms: [RingTerms] { Array(sums.values) }

    mutating func add(_ terms: RingTerms) {
        // Removed from the dictionary while it changes, so that nothing is copied.
        guard var sum = sums.removeValue(forKey: terms.ring.digest) else {
            sums[terms.ring.digest] = terms
            return
        }
        for position in sum.coefficients.indices {
            sum.coefficients[position] = sum.coefficients[position] + terms.coefficients[position]
        }
        sums[terms.ring.digest] = sum
    }
}

/// Sums that several cores add to, so that a ring is not in memory once for each of them.
final class SharedRingSums: Sendable {
    private let sums = Mutex(RingSums())

    func add(_ terms: RingTerms) { sums.withLock { $0.add(terms) } }

    /// Removes and returns everything.
    func take() -> [RingTerms] {
        sums.withLock { sums in
            let terms = sums.terms
            sums = RingSums()
            return terms
        }
    }
}

/// The sum of weighted equations. For points that many equations share, the scalars are added up before anything is
/// multiplied: the fixed points, and the members of each ring, multiplied once however many records name the ring.
struct WeightedEquations: Sendable {
    private let petition: PetitionBase
    private let engine: Engine
    private var proofPoints: VariableTimeSum
    private var base = VariableTimeScalar.zero
    private var petitionBase = VariableTimeScalar.zero
    private var generators = [VariableTimeScalar](repeating: .zero, count: CommitmentGenerators.count)
    private var rings = RingSums()
    /// Where the terms of rings go instead of ``rings``, if they are shared.
    private let shared: SharedRingSums?

    /// An empty sum. With `shared`, the terms of rings are added there, and ``value(keepsRings:)`` is without them.
    init(petition: PetitionBase, engine: Engine, shared: SharedRingSums? = nil) {
        self.petition = petition
        self.engine = engine
        self.shared = shared
        proofPoints = VariableTimeSum(engine: engine)
    }

    /// Adds the equations of claims; claims for one ring are adjacent.
    mutating func add(_ claims: ArraySlice<Claim>) {
        var rest = claims
        while let first = rest.first {
            let sameRing = rest.prefix { $0.ring.digest == first.ring.digest }
            add(sameRing, ring: first.ring)
            rest = rest[sameRing.endIndex...]
        }
    }

    private mutating func add(_ claims: ArraySlice<Claim>, ring: Ring) {
        // prod_j f(j,k_j) over all k is the outer product of the products over the high and over the low digits.
        let low = ring.digits / 2
        var products = ScalarOuterProducts(
            leftCount: 1 << (2 * (ring.digits - low)), rightCount: 1 << (2 * low), engine: engine)
        for claim in claims {
            let f = (0..<ring.digits).map(claim.responses)
            products.add(Self.tensor(f[low...], times: .one), Self.tensor(f[..<low], times: claim.weights.second))
            addCommitment(claim, f)
            addProofPoints(claim)
        }
        let terms = RingTerms(ring: ring, coefficients: Self.folded(products.values, onto: ring))
        if let shared { shared.add(terms) } else { rings.add(terms) }
    }

    /// Adds the terms of a ring that were shared.
    mutating func add(_ terms: RingTerms) { rings.add(terms) }

    /// The coefficients of the members; those of the padding are added to the last member's.
    private static func folded(_ coefficients: [VariableTimeScalar], onto ring: Ring) -> [VariableTimeScalar] {
        let last = ring.members.count - 1
        return coefficients[..<last] + [coefficients[last...].reduce(.zero, +)]
    }

    /// All products of one value of each digit, the last digit's outermost.
    private static func tensor(
        _ digits: ArraySlice<[VariableTimeScalar]>, times weight: VariableTimeScalar
    ) -> [VariableTimeScalar] {
        digits.reduce([weight]) { products, digit in
            var next: [VariableTimeScalar] = []
            next.reserveCapacity(products.count * digit.count)
            for value in digit { for product in products { next.append(product * value) } }
            return next
        }
    }

    /// (1) `A + wBc = Com(f, f(w-f); zA)`.
    private mutating func addCommitment(_ claim: Claim, _ f: [[VariableTimeScalar]]) {
        let (record, weight) = (claim.record, claim.weights.first)
        proofPoints.add(weight, record.a)
        proofPoints.add(weight * claim.w, record.b)
        base = base - weight * record.zA
        for (j, digit) in f.enumerated() {
            for (i, value) in digit.enumerated() {
                let weighted = weight * value
                let (position, square) = (
                    CommitmentGenerators.position(0, j, i), CommitmentGenerators.position(1, j, i)
                )
                generators[position] = generators[position] - weighted
                generators[square] = generators[square] - weighted * (claim.w - value)
            }
        }
    }

    /// The terms of (2) `sum_k (prod_j f(j,k_j)) M_k - sum_d w^d X_d = zB` and (3) `w^m J - sum_d w^d Y_d = zU` other
    /// than the members `M_k`.
    private mutating func addProofPoints(_ claim: Claim) {
        let (record, weights) = (claim.record, claim.weights)
        var (second, third) = (weights.second, weights.third)
        for (x, y) in zip(record.x, record.y) {
            proofPoints.add(-second, x)
            proofPoints.add(-third, y)
            second = second * claim.w
            third = third * claim.w
        }
        proofPoints.add(third, record.j)
        base = base - weights.second * record.z
        petitionBase = petitionBase - weights.third * record.z
    }

    /// The value of the whole sum, the identity when every equation holds. With `keepsRings` the members that it
    /// decodes stay with their rings, for the next sum.
    func value(keepsRings: Bool) -> VariableTimeSum.Value {
        var total = proofPoints
        total.add(base, .base)
        total.add(petitionBase, VariableTimePoint(petition.element))
        for (scalar, point) in zip(generators, CommitmentGenerators.points) where scalar != .zero {
            total.add(scalar, point)
        }
        for terms in rings.terms {
            let members = terms.ring.decodedMembers(keeps: keepsRings)
            for (scalar, member) in zip(terms.coefficients, members) { total.add(scalar, member) }
        }
        return total.value
    }
}
