import Bytes
import Multiscalar
import Ristretto255
import Sodium

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
        guard holds([(record, ring)]) else { throw .invalid }
        return VerifiedSignature(record)
    }

    /// Verifies many records at once; the answer at each place is for the record at that place. A batch that fails is
    /// halved until the bad records are found, so each answer is exact.
    public func verify(_ batch: [(SignatureRecord, Ring)]) -> [Result<VerifiedSignature, ProofError>] {
        if batch.isEmpty { return [] }
        if holds(batch) { return batch.map { .success(VerifiedSignature($0.0)) } }
        if batch.count == 1 { return [.failure(.invalid)] }
        let middle = batch.count / 2
        return verify(Array(batch[..<middle])) + verify(Array(batch[middle...]))
    }

    /// True when every equation of every record holds. Each equation is taken times a random weight of its own, drawn
    /// after all records are fixed, so that wrong ones cannot cancel (an error passes with probability 2^-128).
    private func holds(_ batch: [(SignatureRecord, Ring)]) -> Bool {
        var sum = WeightedEquations(petition: petition)
        for (record, ring) in batch {
            guard sum.add(record, ring: ring) else { return false }
        }
        return sum.value.isIdentity
    }
}

/// The sum of weighted equations. Points that many equations share collect their scalars before anything is multiplied.
private struct WeightedEquations {
    private let petition: PetitionBase
    private var sum = VariableTimeSum()
    private var base = Scalar.zero
    private var petitionBase = Scalar.zero
    private var generators = [Scalar](repeating: .zero, count: 2 * CommitmentGenerators.maximumDigits * Ring.radix)
    private var rings: [Bytes32: (ring: Ring, coefficients: [Scalar])] = [:]

    init(petition: PetitionBase) {
        self.petition = petition
    }

    /// Adds the three equations of one record; false if it cannot be a proof at all.
    mutating func add(_ record: SignatureRecord, ring: Ring) -> Bool {
        guard record.digits == ring.digits, record.ring == ring.number else { return false }
        let w = signatureChallenge(petition: petition, ring: ring, head: record.head)
        guard w != .zero else { return false }
        let f = fullResponses(record, w: w)
        let (first, second, third) = (Self.weight(), Self.weight(), Self.weight())
        addCommitment(record, f: f, w: w, weight: first)
        addRing(record, ring: ring, f: f, weight: second)
        var power = Scalar.one
        for d in 0..<record.digits {
            sum.add(-(second * power), record.x[d])
            sum.add(-(third * power), record.y[d])
            power = power * w
        }
        base = base - second * record.z
        sum.add(third * power, record.tag)
        petitionBase = petitionBase - third * record.z
        return true
    }

    /// `f(j,i)` for i = 0..3, where `f(j,0) = w - f(j,1) - f(j,2) - f(j,3)`.
    private func fullResponses(_ record: SignatureRecord, w: Scalar) -> [[Scalar]] {
        (0..<record.digits).map { j in
            let given = Array(record.f[3 * j..<3 * j + 3])
            return [w - given[0] - given[1] - given[2]] + given
        }
    }

    /// (1) `A + wBc = Com(f, f(w-f); zA)`.
    private mutating func addCommitment(_ record: SignatureRecord, f: [[Scalar]], w: Scalar, weight: Scalar) {
        sum.add(weight, record.a)
        sum.add(weight * w, record.b)
        base = base - weight * record.zA
        for j in 0..<record.digits {
            for i in 0..<Ring.radix {
                let value = f[j][i]
                let place = Ring.radix * j + i
                let square = CommitmentGenerators.maximumDigits * Ring.radix + place
                generators[place] = generators[place] - weight * value
                generators[square] = generators[square] - weight * value * (w - value)
            }
        }
    }

    /// The ring's part of (2): `prod_j f(j,k_j)` for each member, the padding counted for the last.
    private mutating func addRing(_ record: SignatureRecord, ring: Ring, f: [[Scalar]], weight: Scalar) {
        var products = [weight]
        for digit in f {
            products = digit.flatMap { value in products.map { $0 * value } }
        }
        var coefficients =
            rings[ring.digest]?.coefficients ?? [Scalar](repeating: .zero, count: ring.members.count)
        for (k, product) in products.enumerated() {
            let place = min(k, ring.members.count - 1)
            coefficients[place] = coefficients[place] + product
        }
        rings[ring.digest] = (ring, coefficients)
    }

    /// The value of the whole sum, the identity when every equation holds.
    var value: GroupElement {
        var total = sum
        total.add(base, .base)
        total.add(petitionBase, petition.element)
        for (index, scalar) in generators.enumerated() {
            let (h, rest) = index.quotientAndRemainder(dividingBy: CommitmentGenerators.maximumDigits * Ring.radix)
            let (j, i) = rest.quotientAndRemainder(dividingBy: Ring.radix)
            total.add(scalar, CommitmentGenerators.element(h, j, i))
        }
        for (ring, coefficients) in rings.values {
            for (member, scalar) in zip(ring.members, coefficients) { total.add(scalar, member) }
        }
        return total.value
    }

    /// A fresh non-zero random 128-bit weight.
    private static func weight() -> Scalar {
        while true {
            let bytes = SystemRandomness.bytes(16)
            if bytes.contains(where: { $0 != 0 }) { return Scalar(littleEndian: bytes) }
        }
    }
}
