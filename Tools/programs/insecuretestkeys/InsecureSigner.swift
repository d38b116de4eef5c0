import Bytes
import RingSignatures
import Ristretto255
import Sodium

/// **INSECURE. For test logs only.** Signs as any member of rings whose secrets are all known, in variable time, and
/// with the same blinding values in all records: any two of its records reveal who signed them.
///
/// The records verify like any others. Since the members' secrets are known, the sums over a ring are sums of scalars,
/// and with fixed blinding values they can be looked up in a table made once per ring.
package struct InsecureSigner {
    private let petition: PetitionBase
    private let digits: Int
    /// `a(j,i)`, the same in every record.
    private let a: [[Scalar]]
    /// `Com(a, -a*a; 0)`.
    private let blindingCommitment: GroupElement
    /// The contribution of digit j with value v to `Com(s, a(1-2s); 0)`.
    private let digitCommitments: [[GroupElement]]

    /// A signer for rings with `digits` digits.
    package init(petition: PetitionBase, digits: Int) {
        self.petition = petition
        self.digits = digits
        a = (0..<digits).map { _ in
            let random = (0..<3).map { _ in Self.randomScalar() }
            return [-(random[0] + random[1] + random[2])] + random
        }
        let a = a
        blindingCommitment = (0..<digits).reduce(GroupElement.identity) { sum, j in
            (0..<4).reduce(sum) { sum, i in
                sum + CommitmentGenerators.element(0, j, i).multiplied(by: a[j][i])
                    + CommitmentGenerators.element(1, j, i).multiplied(by: -(a[j][i] * a[j][i]))
            }
        }
        digitCommitments = (0..<digits).map { j in
            (0..<4).map { value in
                (0..<4).reduce(CommitmentGenerators.element(0, j, value)) { sum, i in
                    sum + CommitmentGenerators.element(1, j, i).multiplied(by: i == value ? -a[j][i] : a[j][i])
                }
            }
        }
    }

    static func randomScalar() -> Scalar { Scalar(reducing: SystemRandomness.bytes(64)) }

    /// A ring with its members' secrets, in the order of the ring.
    package struct KnownRing: Sendable {
        package let ring: Ring
        let secrets: [Scalar]
        /// Sums of the secrets, indexed by a value for each digit: 0..3, or 4 for the sum over all values weighted by
        /// `a`.
        fileprivate let sums: [Scalar]
    }

    /// Makes the table of a ring.
    package func know(_ ring: Ring, secrets: [Scalar]) -> KnownRing {
        let padding = [Scalar](repeating: secrets[secrets.count - 1], count: 1 << (2 * digits) - secrets.count)
        // Extends one digit after the other from four values to five, the lowest first; the digits below have five
        // already.
        var sums = secrets + padding
        var below = 1
        for j in 0..<digits {
            var next: [Scalar] = []
            next.reserveCapacity(sums.count / 4 * 5)
            for group in stride(from: 0, to: sums.count, by: 4 * below) {
                next += sums[group..<group + 4 * below]
                for index in 0..<below {
                    next.append(
                        (0..<4).reduce(Scalar.zero) { $0 + a[j][$1] * sums[group + $1 * below + index] })
                }
            }
            sums = next
            below *= 5
        }
        return KnownRing(ring: ring, secrets: secrets, sums: sums)
    }

    /// The record of the member at `position`.
    package func sign(_ known: KnownRing, position: Int, roll: UInt8) -> [UInt8] {
        let values = (0..<digits).map { position >> (2 * $0) & 3 }
        let (rA, rB) = (Self.randomScalar(), Self.randomScalar())
        let rho = (0..<digits).map { _ in Self.randomScalar() }
        let x = known.secrets[position]
        let commitmentA = blindingCommitment + GroupElement.base.multiplied(by: rA)
        let commitmentB = (0..<digits).reduce(GroupElement.base.multiplied(by: rB)) {
            $0 + digitCommitments[$1][values[$1]]
        }
        let coefficients = coefficients(known, values)
        let points =
            [petition.element.multiplied(by: x), commitmentA, commitmentB]
            + zip(coefficients, rho).map { GroupElement.base.multiplied(by: $0 + $1) }
            + rho.map { petition.element.multiplied(by: $0) }
        var bytes = SignatureRecord.head(roll: roll, ring: known.ring.number, points: points)
        let w = signatureChallenge(petition: petition, ring: known.ring, head: bytes[...])
        for j in 0..<digits {
            for i in 1..<4 { bytes.append((a[j][i] + (i == values[j] ? w : .zero)).bytes) }
        }
        bytes.append((rB * w + rA).bytes)
        var (power, sum) = (Scalar.one, Scalar.zero)
        for d in 0..<digits {
            sum = sum + rho[d] * power
            power = power * w
        }
        bytes.append((x * power - sum).bytes)
        return bytes
    }

    /// `sum_k p(k,d) x_k` for d below m: the sum over all choices of d digits to be taken at their values, with the
    /// others taken at their sums.
    private func coefficients(_ known: KnownRing, _ values: [Int]) -> [Scalar] {
        var result = [Scalar](repeating: .zero, count: digits)
        for chosen in 0..<(1 << digits) - 1 {
            var (index, scale) = (0, 1)
            for j in 0..<digits {
                index += (chosen >> j & 1 == 1 ? values[j] : 4) * scale
                scale *= 5
            }
            result[chosen.nonzeroBitCount] = result[chosen.nonzeroBitCount] + known.sums[index]
        }
        return result
    }
}
