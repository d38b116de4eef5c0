import Multiscalar
import Ristretto255
import Sodium

/// The random weights of the three equations of one record: not zero, of 128 bits.
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
        // Zero comes once in 2^128 times, and one is as good as any other weight.
        return VariableTimeScalar(low: low == 0 && high == 0 ? 1 : low, high: high)
    }
}

/// A record with its ring, its challenge and its weights: what the equations are made of.
struct Claim {
    let record: SignatureRecord
    let ring: Ring
    let w: VariableTimeScalar
    let weights: EquationWeights
    /// The record's place in the batch.
    let place: Int

    /// Nil when the record cannot be a proof for this ring at all.
    init?(_ record: SignatureRecord, ring: Ring, petition: PetitionBase, weights: EquationWeights, place: Int) {
        guard record.digits == ring.digits, record.ring == ring.number else { return nil }
        let challenge = signatureChallenge(petition: petition, ring: ring, head: record.head)
        guard challenge != .zero else { return nil }
        self.record = record
        self.ring = ring
        w = VariableTimeScalar(challenge)
        self.weights = weights
        self.place = place
    }

    /// `f(j,i)` for i = 0..3, where `f(j,0) = w - f(j,1) - f(j,2) - f(j,3)`.
    func responses(_ j: Int) -> [VariableTimeScalar] {
        let (first, second, third) = (record.f(j, 1), record.f(j, 2), record.f(j, 3))
        return [w - first - second - third, first, second, third]
    }
}

/// The sum of weighted equations. Points that many equations share collect their scalars before anything is multiplied.
struct WeightedEquations {
    private let petition: PetitionBase
    private var sum = VariableTimeSum()
    private var base = VariableTimeScalar.zero
    private var petitionBase = VariableTimeScalar.zero
    private var generators = [VariableTimeScalar](repeating: .zero, count: CommitmentGenerators.count)

    init(petition: PetitionBase) {
        self.petition = petition
    }

    /// Adds the equations of claims that all name `ring`.
    mutating func add(_ claims: ArraySlice<Claim>, ring: Ring) {
        // prod_j f(j,k_j) over all k is the outer product of what the high digits and the low digits give.
        let low = ring.digits / 2
        var products = ScalarOuterProducts(leftCount: 1 << (2 * (ring.digits - low)), rightCount: 1 << (2 * low))
        for claim in claims {
            let f = (0..<ring.digits).map(claim.responses)
            products.add(
                Self.tensor(f[low...], times: .one), Self.tensor(f[..<low], times: claim.weights.second))
            addCommitment(claim, f)
            addProofPoints(claim)
        }
        addRing(ring, products.values)
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
        sum.add(weight, record.a)
        sum.add(weight * claim.w, record.b)
        base = base - weight * record.zA
        for (j, digit) in f.enumerated() {
            for (i, value) in digit.enumerated() {
                let weighted = weight * value
                let (place, square) = (CommitmentGenerators.place(0, j, i), CommitmentGenerators.place(1, j, i))
                generators[place] = generators[place] - weighted
                generators[square] = generators[square] - weighted * (claim.w - value)
            }
        }
    }

    /// What (2) `sum_k (prod_j f(j,k_j)) M_k - sum_d w^d X_d = zB` and (3) `w^m J - sum_d w^d Y_d = zU` say of the record's
    /// own points.
    private mutating func addProofPoints(_ claim: Claim) {
        let (record, weights) = (claim.record, claim.weights)
        var (second, third) = (weights.second, weights.third)
        for (x, y) in zip(record.x, record.y) {
            sum.add(-second, x)
            sum.add(-third, y)
            second = second * claim.w
            third = third * claim.w
        }
        sum.add(third, record.j)
        base = base - weights.second * record.z
        petitionBase = petitionBase - weights.third * record.z
    }

    /// The members, each with the sum of its coefficients. The padding counts for the last.
    private mutating func addRing(_ ring: Ring, _ coefficients: [VariableTimeScalar]) {
        let last = ring.members.count - 1
        let padded = coefficients[last...].reduce(.zero, +)
        for (place, member) in ring.decodedMembers.enumerated() {
            sum.add(place == last ? padded : coefficients[place], member)
        }
    }

    /// The value of the whole sum.
    var value: VariableTimeSum.Value {
        var total = sum
        total.add(base, VariableTimePoint(.base))
        total.add(petitionBase, VariableTimePoint(petition.element))
        for (scalar, point) in zip(generators, CommitmentGenerators.points) where scalar != .zero {
            total.add(scalar, point)
        }
        return total.value
    }
}
