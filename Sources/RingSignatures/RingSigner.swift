import Bytes
import CSodium
import Ristretto255
import Sodium

/// Why a signature cannot be made.
public enum SigningError: Error, Equatable, Sendable {
    /// The signer's key is not in the ring.
    case notAMember
}

extension MemberSecret {
    /// Signs `petition` as some member of `ring`: a one-out-of-many proof (`Protocol/ring-signature.md`, "Prover").
    ///
    /// The record is final: store it before sending it, and send the same bytes again on a retry. `roll` is the index
    /// of the ring's roll in the petition.
    public borrowing func sign(
        _ petition: PetitionBase, ring: Ring, roll: UInt8
    ) throws(SigningError) -> SignatureRecord {
        try sign(
            petition, ring: ring, roll: roll, randomness: SystemRandomness.bytes(NonceStream.randomnessCount))
    }

    /// The same with given randomness, for deterministic tests.
    package borrowing func sign(
        _ petition: PetitionBase, ring: Ring, roll: UInt8, randomness: [UInt8]
    ) throws(SigningError) -> SignatureRecord {
        let digits = try SecretDigits(of: key, in: ring)
        var nonces = signatureNonces(petition: petition, ring: ring, roll: roll, randomness: randomness)
        // Once in 2^250 tries, a proof point is the identity or w is zero: the next nonces are as good.
        while true {
            if let record = attempt(petition, ring: ring, roll: roll, digits: digits, nonces: &nonces) {
                return record
            }
        }
    }

    private borrowing func attempt(
        _ petition: PetitionBase, ring: Ring, roll: UInt8, digits: borrowing SecretDigits, nonces: inout NonceStream
    ) -> SignatureRecord? {
        let m = ring.digits
        let a = digits.drawBlinding(&nonces)
        let rA = nonces.next()
        let rB = nonces.next()
        let rho = SecretScalars(count: m) { _ in nonces.next() }

        let commitmentA = digits.commitToBlinding(a, randomness: rA)
        let commitmentB = digits.commitToDigits(a, randomness: rB)
        let tag = tag(for: petition)
        var x = RingFolding.coefficients(of: ring, digits: digits, blinding: a)
        var y: [GroupElement] = []
        var mask = SecretElements(count: 1)
        for d in 0..<m {
            mask.setBaseMultiple(0, by: rho[d])
            x.add(mask, at: 0, to: d)
            y.append(petition.element.multiplied(by: rho[d]))
        }
        let points = [tag.element, commitmentA, commitmentB] + (0..<m).map { x.published($0) } + y
        let head = SignatureRecord.head(roll: roll, ring: ring.number, points: points)
        let w = signatureChallenge(petition: petition, ring: ring, head: head[...])
        guard w != .zero, points.allSatisfy({ !$0.isIdentity }) else { return nil }

        var bytes = head
        for response in digits.responses(challenge: w, blinding: a) { bytes.append(response.bytes) }
        let challenge = SecretScalar(w)
        bytes.append((rB * challenge + rA).published().bytes)
        bytes.append(finalResponse(challenge: challenge, rho: rho).bytes)
        guard let record = try? SignatureRecord(parsing: bytes, digits: m) else {
            preconditionFailure("a finished proof has the layout of a record")
        }
        return record
    }

    /// `z = x w^m - sum_d rho_d w^d`.
    private borrowing func finalResponse(
        challenge w: borrowing SecretScalar, rho: borrowing SecretScalars
    ) -> Scalar {
        var power = SecretScalar(Scalar.one)
        var sum = SecretScalar(Scalar.zero)
        for d in 0..<rho.count {
            sum = sum + rho[d] * power
            power = power * w
        }
        return (x * power - sum).published()
    }
}

/// The signer's position in the ring as digits in base 4, each as four masks (0xFF for the digit's value, else 0).
struct SecretDigits: ~Copyable {
    /// `m`.
    let count: Int
    private let masks: SecretBytes

    /// Finds `key` by looking at every member, without a branch or an index that depends on its position. The position
    /// exists only as masks, in memory that is wiped.
    init(of key: MemberKey, in ring: Ring) throws(SigningError) {
        var masks = SecretBytes(count: ring.digits * Ring.radix)
        let found = masks.withUnsafeMutableBytes { bytes in
            var found: UInt8 = 0
            for (index, member) in ring.members.enumerated() {
                let isEqual = Self.equalityMask(member, key)
                for j in 0..<ring.digits { bytes[j * Ring.radix + (index >> (2 * j) & 3)] |= isEqual }
                found |= isEqual
            }
            return found
        }
        // Whether the key is in the ring at all is not secret: nothing is signed when it is not.
        guard found == 0xFF else { throw .notAMember }
        count = ring.digits
        self.masks = masks
    }

    /// 0xFF when both have the same encoding, else 0.
    private static func equalityMask(_ left: MemberKey, _ right: MemberKey) -> UInt8 {
        let difference = left.encoding.withUnsafeBytes { l in
            right.encoding.withUnsafeBytes { r in (0..<Bytes32.count).reduce(UInt32(0)) { $0 | UInt32(l[$1] ^ r[$1]) } }
        }
        // 0 - 1 borrows into the high bits exactly when there is no difference.
        return UInt8(truncatingIfNeeded: (difference &- 1) >> 8)
    }

    /// The four masks of digit `j`.
    func withMasks(_ j: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
        masks.withUnsafeBytes { bytes in
            body(UnsafeRawBufferPointer(rebasing: bytes[j * Ring.radix..<(j + 1) * Ring.radix]))
        }
    }

    /// `first` where digit j is i, else `second`: `s(j,i)` is 1 or 0.
    private func select(_ first: Scalar, or second: Scalar, _ j: Int, _ i: Int) -> SecretScalar {
        masks.withUnsafeBytes { SecretScalar(first, or: second, mask: $0[j * Ring.radix + i]) }
    }

    /// `a(j,i)` at index 4 j + i: random for i = 1..3, and minus their sum for i = 0.
    func drawBlinding(_ nonces: inout NonceStream) -> SecretScalars {
        let random = SecretScalars(count: 3 * count) { _ in nonces.next() }
        return SecretScalars(count: Ring.radix * count) { position in
            let (j, i) = position.quotientAndRemainder(dividingBy: Ring.radix)
            if i > 0 { return random[3 * j + i - 1].duplicate() }
            let zero = SecretScalar(Scalar.zero)
            return zero - random[3 * j] - random[3 * j + 1] - random[3 * j + 2]
        }
    }

    /// `A = Com(a, -a*a; r)`.
    func commitToBlinding(_ a: borrowing SecretScalars, randomness r: borrowing SecretScalar) -> GroupElement {
        var sum = SecretElements(count: 2)
        sum.setBaseMultiple(0, by: r)
        let zero = SecretScalar(Scalar.zero)
        for j in 0..<count {
            for i in 0..<Ring.radix {
                let position = Ring.radix * j + i
                sum.set(1, to: CommitmentGenerators.element(0, j, i))
                sum.multiply(1, by: a[position])
                sum.add(1, to: 0)
                sum.set(1, to: CommitmentGenerators.element(1, j, i))
                sum.multiply(1, by: zero - a[position] * a[position])
                sum.add(1, to: 0)
            }
        }
        return sum.published(0)
    }

    /// `Bc = Com(s, a(1-2s); r)`. Since one `s(j,i)` of each digit is 1 and the others 0, its generator is selected.
    func commitToDigits(_ a: borrowing SecretScalars, randomness r: borrowing SecretScalar) -> GroupElement {
        var sum = SecretElements(count: 2)
        sum.setBaseMultiple(0, by: r)
        for j in 0..<count {
            let generators = SecretElements((0..<Ring.radix).map { CommitmentGenerators.element(0, j, $0) })
            withMasks(j) { sum.select(from: generators, first: 0, stride: 1, masks: $0, into: 1) }
            sum.add(1, to: 0)
            for i in 0..<Ring.radix {
                sum.set(1, to: CommitmentGenerators.element(1, j, i))
                sum.multiply(1, by: a[Ring.radix * j + i] * select(-Scalar.one, or: .one, j, i))
                sum.add(1, to: 0)
            }
        }
        return sum.published(0)
    }

    /// `f(j,i) = s(j,i) w + a(j,i)` for i = 1..3.
    func responses(challenge w: Scalar, blinding a: borrowing SecretScalars) -> [Scalar] {
        var responses: [Scalar] = []
        for j in 0..<count {
            for i in 1..<Ring.radix {
                responses.append((select(w, or: .zero, j, i) + a[Ring.radix * j + i]).published())
            }
        }
        return responses
    }
}

/// The coefficients `sum_k p(k,d) M_k` of the prover, computed digit by digit.
///
/// The ring is a polynomial in `w` with points as coefficients: after digit j is folded in, each group of 4^(j+1)
/// members has become one polynomial of degree j+1. Since `a(j,0)` is minus the sum of the others, a group of four
/// costs three multiplications per coefficient, 4/3 N in all, instead of m N.
enum RingFolding {
    /// The coefficients of w^0 .. w^{m-1}; that of w^m is the signer's own key.
    static func coefficients(
        of ring: Ring, digits: borrowing SecretDigits, blinding a: borrowing SecretScalars
    ) -> SecretElements {
        let members = ring.members.map { $0.element }
        let last = members[members.count - 1]
        let padding = [GroupElement](repeating: last, count: ring.paddedSize - members.count)
        var level = SecretElements(members + padding)
        for j in 0..<ring.digits {
            level = fold(level, digit: j, isLast: j == ring.digits - 1, digits: digits, blinding: a)
        }
        return level
    }

    /// Folds in one digit: polynomials of degree j become a quarter as many of degree j+1. The top coefficient of the
    /// last one is not needed.
    private static func fold(
        _ level: borrowing SecretElements, digit j: Int, isLast: Bool, digits: borrowing SecretDigits,
        blinding a: borrowing SecretScalars
    ) -> SecretElements {
        let width = j + 1
        let groups = level.count / (width * Ring.radix)
        let newWidth = isLast ? width : width + 1
        var folded = SecretElements(count: groups * newWidth)
        var product = SecretElements(count: 1)
        for group in 0..<groups {
            let first = group * Ring.radix * width
            // sum_i s(j,i) w P_i: the selected polynomial, one power higher.
            for e in 1..<max(newWidth, 1) {
                digits.withMasks(j) { masks in
                    folded.select(
                        from: level, first: first + e - 1, stride: width, masks: masks, into: group * newWidth + e)
                }
            }
            // sum_i a(j,i) P_i = sum over i = 1..3 of a(j,i) (P_i - P_0).
            for e in 0..<width {
                let target = group * newWidth + e
                for i in 1..<Ring.radix {
                    let scalar = Ring.radix * j + i
                    product.subtract(level, first + i * width + e, first + e, into: 0)
                    if e == 0, i == 1 {
                        // The lowest coefficient is still empty.
                        folded.set(target, to: product, at: 0, times: a[scalar])
                    } else {
                        product.multiply(0, by: a[scalar])
                        folded.add(product, at: 0, to: target)
                    }
                }
            }
        }
        return folded
    }
}
