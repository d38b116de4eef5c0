import Bytes
import Ristretto255

/// The state of `ENCODE` (RFC 9496 section 4.3.2) on both sides of the exponentiation, which takes nearly all the time.
struct EncodingCandidate {
    private let point: EdwardsPoint
    private let u1, u2, v, v3: FieldElement
    /// The value to be raised to the power `(p-5)/8`.
    let powerBase: FieldElement

    init(_ point: EdwardsPoint) {
        self.point = point
        u1 = (point.z + point.y) * (point.z - point.y)
        u2 = point.x * point.y
        v = u1 * u2.squared
        v3 = v.squared * v
        powerBase = v3.squared * v
    }

    /// The encoded element, given `powerBase` to the power `(p-5)/8`.
    func element(power: FieldElement) -> GroupElement {
        // Either inverse square root of v will do: `inverseZ` contains its square, and s is made non-negative. For the
        // identity v is zero, and so is everything that follows.
        var root = v3 * power
        if (v * root.squared + .one).isZero { root = root * .squareRootOfMinusOne }
        let (denominator1, denominator2) = (root * u1, root * u2)
        let inverseZ = denominator1 * denominator2 * point.t
        var (x, y, denominator) = (point.x, point.y, denominator2)
        if (point.t * inverseZ).isNegative {
            (x, y) = (point.y * .squareRootOfMinusOne, point.x * .squareRootOfMinusOne)
            denominator = denominator1 * .inverseSquareRootOfAMinusD
        }
        if (x * inverseZ).isNegative { y = (-y).tight }
        let s = denominator * (point.z - y)
        let canonical = (s.isNegative ? -s : s).canonical
        return GroupElement(
            trusted: Bytes32 { bytes in
                for (index, word) in [canonical.w0, canonical.w1, canonical.w2, canonical.w3].enumerated() {
                    for offset in 0..<8 { bytes[8 * index + offset] = UInt8(truncatingIfNeeded: word >> (8 * offset)) }
                }
            })
    }
}
