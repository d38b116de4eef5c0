/// An integer modulo p = 2^255-19, for **public data only**: the time of an operation may depend on the value.
///
/// Four little-endian words. Any value below 2^256 represents its residue modulo p, so that 2^256 = 38. Products and
/// constants are *tight*: below 2^255 + 2^13. Factors may have any value. At least one of the two terms of a sum must
/// be tight, and so must the subtrahend of a difference: then neither carries or borrows a second time. Constants are
/// computed properties, since a stored one would go through an accessor on every use.
package struct FieldElement: Sendable {
    package var w0, w1, w2, w3: UInt64

    @inline(__always) package init(_ w0: UInt64, _ w1: UInt64, _ w2: UInt64, _ w3: UInt64) {
        (self.w0, self.w1, self.w2, self.w3) = (w0, w1, w2, w3)
    }

    /// `INVSQRT_A_MINUS_D` of RFC 9496.
    @inline(__always) static var inverseSquareRootOfAMinusD: FieldElement {
        FieldElement(0x99c8_fdaa_805d_40ea, 0x9d2f_1617_5a41_72be, 0x16c2_7b91_fe01_d840, 0x786c_8905_cfaf_fca2)
    }

    /// Reads 32 bytes, little-endian, at `offset`.
    @inline(__always) init(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        func word(_ index: Int) -> UInt64 {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 8 * index, as: UInt64.self))
        }
        self.init(word(0), word(1), word(2), word(3))
    }

    @inline(__always) package static var zero: FieldElement { FieldElement(0, 0, 0, 0) }
    @inline(__always) package static var one: FieldElement { FieldElement(1, 0, 0, 0) }

    /// `d`, the constant of the curve.
    @inline(__always) package static var d: FieldElement {
        FieldElement(0x75eb_4dca_1359_78a3, 0x0070_0a4d_4141_d8ab, 0x8cc7_4079_7779_e898, 0x5203_6cee_2b6f_fe73)
    }
    /// `2d`.
    @inline(__always) package static var twiceD: FieldElement {
        FieldElement(0xebd6_9b94_26b2_f159, 0x00e0_149a_8283_b156, 0x198e_80f2_eef3_d130, 0x2406_d9dc_56df_fce7)
    }
    /// `SQRT_M1` of RFC 9496: the even square root of -1.
    @inline(__always) package static var squareRootOfMinusOne: FieldElement {
        FieldElement(0xc4ee_1b27_4a0e_a0b0, 0x2f43_1806_ad2f_e478, 0x2b4d_0099_3dfb_d7a7, 0x2b83_2480_4fc1_df0b)
    }

    /// `a + b + carry` as word and carry.
    @inline(__always) private static func add(_ a: UInt64, _ b: UInt64, _ carry: UInt64) -> (UInt64, UInt64) {
        let sum =
            UInt128(truncatingIfNeeded: a) &+ UInt128(truncatingIfNeeded: b) &+ UInt128(truncatingIfNeeded: carry)
        return (UInt64(truncatingIfNeeded: sum), UInt64(truncatingIfNeeded: sum >> 64))
    }

    /// The four words of a sum, and the carry out of them. There is no branch here or in the callers: on random values,
    /// half of the predictions would be wrong.
    @inline(__always) private static func add(
        _ a: FieldElement, _ b: FieldElement, _ carry: UInt64
    ) -> (FieldElement, UInt64) {
        let (r0, c0) = add(a.w0, b.w0, carry)
        let (r1, c1) = add(a.w1, b.w1, c0)
        let (r2, c2) = add(a.w2, b.w2, c1)
        let (r3, c3) = add(a.w3, b.w3, c2)
        return (FieldElement(r0, r1, r2, r3), c3)
    }

    /// The sum with a number so small that the result stays below 2^256.
    @inline(__always) private func adding(_ small: UInt64) -> FieldElement {
        Self.add(self, FieldElement(small, 0, 0, 0), 0).0
    }

    /// The sum; at least one of the two must be tight.
    @inline(__always) package static func + (a: FieldElement, b: FieldElement) -> FieldElement {
        let (sum, carry) = add(a, b, 0)
        return sum.adding((0 &- carry) & 38)
    }

    /// The difference, as `a + (2^256 - 1 - b) + 1` less 2^256: without a carry, 38 is subtracted instead of 2^256. `b`
    /// must be tight.
    @inline(__always) package static func - (a: FieldElement, b: FieldElement) -> FieldElement {
        let (sum, carry) = add(a, FieldElement(~b.w0, ~b.w1, ~b.w2, ~b.w3), 1)
        let borrow = carry &- 1
        return add(sum, FieldElement(borrow & (0 &- 38), borrow, borrow, borrow), 0).0
    }

    /// The same element, below 2^255 + 19, since bit 255 is worth 19.
    @inline(__always) package var tight: FieldElement {
        FieldElement(w0, w1, w2, w3 & .max >> 1).adding((0 &- (w3 >> 63)) & 19)
    }

    /// The negative; `a` must be tight.
    @inline(__always) package static prefix func - (a: FieldElement) -> FieldElement { zero - a }

    /// `a + b c + carry` as low and high words; it cannot overflow.
    @inline(__always) private static func multiplyAdd(
        _ a: UInt64, _ b: UInt64, _ c: UInt64, _ carry: UInt64
    ) -> (UInt64, UInt64) {
        let sum =
            UInt128(truncatingIfNeeded: b) &* UInt128(truncatingIfNeeded: c) &+ UInt128(truncatingIfNeeded: a)
            &+ UInt128(truncatingIfNeeded: carry)
        return (UInt64(truncatingIfNeeded: sum), UInt64(truncatingIfNeeded: sum >> 64))
    }

    /// Eight words modulo p, tight.
    @inline(__always) private init(
        reducing r0: UInt64, _ r1: UInt64, _ r2: UInt64, _ r3: UInt64, _ r4: UInt64, _ r5: UInt64, _ r6: UInt64,
        _ r7: UInt64
    ) {
        let (s0, c0) = Self.multiplyAdd(r0, r4, 38, 0)
        let (s1, c1) = Self.multiplyAdd(r1, r5, 38, c0)
        let (s2, c2) = Self.multiplyAdd(r2, r6, 38, c1)
        let (s3, c3) = Self.multiplyAdd(r3, r7, 38, c2)
        // c3 is at most 38. Together with bit 255 it remains to be folded in.
        self = Self(s0, s1, s2, s3 & .max >> 1).adding((c3 << 1 | s3 >> 63) &* 19)
    }

    /// The product.
    @inline(__always) package static func * (a: FieldElement, b: FieldElement) -> FieldElement {
        var carry: UInt64
        var (r0, r1, r2, r3, r4): (UInt64, UInt64, UInt64, UInt64, UInt64)
        var (r5, r6, r7): (UInt64, UInt64, UInt64)
        (r0, carry) = multiplyAdd(0, a.w0, b.w0, 0)
        (r1, carry) = multiplyAdd(0, a.w0, b.w1, carry)
        (r2, carry) = multiplyAdd(0, a.w0, b.w2, carry)
        (r3, r4) = multiplyAdd(0, a.w0, b.w3, carry)
        (r1, carry) = multiplyAdd(r1, a.w1, b.w0, 0)
        (r2, carry) = multiplyAdd(r2, a.w1, b.w1, carry)
        (r3, carry) = multiplyAdd(r3, a.w1, b.w2, carry)
        (r4, r5) = multiplyAdd(r4, a.w1, b.w3, carry)
        (r2, carry) = multiplyAdd(r2, a.w2, b.w0, 0)
        (r3, carry) = multiplyAdd(r3, a.w2, b.w1, carry)
        (r4, carry) = multiplyAdd(r4, a.w2, b.w2, carry)
        (r5, r6) = multiplyAdd(r5, a.w2, b.w3, carry)
        (r3, carry) = multiplyAdd(r3, a.w3, b.w0, 0)
        (r4, carry) = multiplyAdd(r4, a.w3, b.w1, carry)
        (r5, carry) = multiplyAdd(r5, a.w3, b.w2, carry)
        (r6, r7) = multiplyAdd(r6, a.w3, b.w3, carry)
        return FieldElement(reducing: r0, r1, r2, r3, r4, r5, r6, r7)
    }

    /// The square: each product of two different words once, doubled, and the squares of the words.
    @inline(__always) package var squared: FieldElement {
        var carry: UInt64
        var (r1, r2, r3, r4, r5, r6): (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)
        (r1, carry) = Self.multiplyAdd(0, w0, w1, 0)
        (r2, carry) = Self.multiplyAdd(0, w0, w2, carry)
        (r3, r4) = Self.multiplyAdd(0, w0, w3, carry)
        (r3, carry) = Self.multiplyAdd(r3, w1, w2, 0)
        (r4, r5) = Self.multiplyAdd(r4, w1, w3, carry)
        (r5, r6) = Self.multiplyAdd(r5, w2, w3, 0)
        let r7 = r6 >> 63
        r6 = r6 << 1 | r5 >> 63
        r5 = r5 << 1 | r4 >> 63
        r4 = r4 << 1 | r3 >> 63
        r3 = r3 << 1 | r2 >> 63
        r2 = r2 << 1 | r1 >> 63
        r1 = r1 << 1
        let (s0, c0) = Self.multiplyAdd(0, w0, w0, 0)
        let (s1, c1) = Self.multiplyAdd(r1, c0, 1, 0)
        let (s2, c2) = Self.multiplyAdd(r2, w1, w1, c1)
        let (s3, c3) = Self.multiplyAdd(r3, c2, 1, 0)
        let (s4, c4) = Self.multiplyAdd(r4, w2, w2, c3)
        let (s5, c5) = Self.multiplyAdd(r5, c4, 1, 0)
        let (s6, c6) = Self.multiplyAdd(r6, w3, w3, c5)
        return FieldElement(reducing: s0, s1, s2, s3, s4, s5, s6, r7 &+ c6)
    }

    /// The one representative below p.
    package var canonical: FieldElement {
        // A tight value is at least p exactly when adding 19 reaches 2^255.
        let folded = tight
        let tested = folded.adding(19)
        guard tested.w3 >> 63 == 1 else { return folded }
        return FieldElement(tested.w0, tested.w1, tested.w2, tested.w3 & .max >> 1)
    }

    /// True for zero.
    package var isZero: Bool {
        let v = canonical
        return v.w0 | v.w1 | v.w2 | v.w3 == 0
    }

    /// True when the representative below p is odd: `IS_NEGATIVE` of RFC 9496.
    package var isNegative: Bool { canonical.w0 & 1 == 1 }
}

/// Two field elements that undergo the same operations. The processor works on both in parallel, where the steps of one
/// alone would have to wait for each other.
package struct FieldPair {
    package var first, second: FieldElement

    @inline(__always) package init(_ first: FieldElement, _ second: FieldElement) {
        (self.first, self.second) = (first, second)
    }

    @inline(__always) static func * (a: FieldPair, b: FieldPair) -> FieldPair {
        FieldPair(a.first * b.first, a.second * b.second)
    }

    @inline(__always) private func squared(times count: Int) -> FieldPair {
        var value = self
        for _ in 0..<count { value = FieldPair(value.first.squared, value.second.squared) }
        return value
    }

    /// The 2^252-3rd power, `(p-5)/8` of RFC 9496: 251 squarings and 11 products.
    package var powerForSquareRoot: FieldPair {
        let x2 = squared(times: 1)
        let x9 = self * x2.squared(times: 2)
        let x11 = x2 * x9
        let ones5 = x9 * x11.squared(times: 1)
        let ones10 = ones5.squared(times: 5) * ones5
        let ones20 = ones10.squared(times: 10) * ones10
        let ones40 = ones20.squared(times: 20) * ones20
        let ones50 = ones40.squared(times: 10) * ones10
        let ones100 = ones50.squared(times: 50) * ones50
        let ones200 = ones100.squared(times: 100) * ones100
        let ones250 = ones200.squared(times: 50) * ones50
        return ones250.squared(times: 2) * self
    }
}
