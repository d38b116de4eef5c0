import Bytes
import Ristretto255

/// A **public** integer modulo the group's order `l`, for arithmetic in variable time.
///
/// Held as four little-endian words in Montgomery form (times 2^256), below `l`. A secret scalar cannot be converted to
/// this type.
public struct VariableTimeScalar: Equatable, Sendable {
    package var w0, w1, w2, w3: UInt64

    @inline(__always) private init(_ w0: UInt64, _ w1: UInt64, _ w2: UInt64, _ w3: UInt64) {
        (self.w0, self.w1, self.w2, self.w3) = (w0, w1, w2, w3)
    }

    /// `l` = 2^252 + 27742317777372353535851937790883648493; its third word is zero, its fourth 2^60.
    private static var l0: UInt64 { 0x5812_631a_5cf5_d3ed }
    private static var l1: UInt64 { 0x14de_f9de_a2f7_9cd6 }
    private static var l3: UInt64 { 1 << 60 }
    /// `-1/l` modulo 2^64.
    private static var negativeInverse: UInt64 { 0xd2b5_1da3_1254_7e1b }
    /// 2^512 modulo `l`.
    private static var rSquared: VariableTimeScalar {
        VariableTimeScalar(
            0xa406_11e3_449c_0f01, 0xd00e_1ba7_6885_9347, 0xceec_73d2_17f5_be65, 0x0399_411b_7c30_9a3d)
    }

    /// 0.
    public static var zero: VariableTimeScalar { VariableTimeScalar(0, 0, 0, 0) }
    /// 1.
    public static var one: VariableTimeScalar {
        VariableTimeScalar(
            0xd6ec_3174_8d98_951d, 0xc6ef_5bf4_737d_cf70, 0xffff_ffff_ffff_fffe, 0x0fff_ffff_ffff_ffff)
    }

    /// A public scalar.
    public init(_ scalar: Scalar) {
        self = scalar.bytes.withUnsafeBytes { Self(plain: Self.words(at: $0, 0)) * Self.rSquared }
    }

    /// Reads 32 bytes from outside, little-endian, at `offset`. Refuses them unless they are below the order; zero is
    /// canonical. Traps if there are fewer bytes: callers check lengths first.
    public init(decoding bytes: UnsafeRawBufferPointer, at offset: Int) throws(DecodingError) {
        let plain = Self(plain: Self.words(at: bytes, offset))
        guard plain.isBelowOrder else { throw .nonCanonicalScalar }
        self = plain * Self.rSquared
    }

    /// A 128-bit integer.
    public init(low: UInt64, high: UInt64) {
        self = Self(low, high, 0, 0) * Self.rSquared
    }

    private static func words(at bytes: UnsafeRawBufferPointer, _ offset: Int) -> (UInt64, UInt64, UInt64, UInt64) {
        func word(_ index: Int) -> UInt64 {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 8 * index, as: UInt64.self))
        }
        return (word(0), word(1), word(2), word(3))
    }

    private init(plain words: (UInt64, UInt64, UInt64, UInt64)) {
        self.init(words.0, words.1, words.2, words.3)
    }

    private var isBelowOrder: Bool {
        if w3 != Self.l3 { return w3 < Self.l3 }
        if w2 != 0 { return false }
        if w1 != Self.l1 { return w1 < Self.l1 }
        return w0 < Self.l0
    }

    /// Subtracts `l` until the rest is below it: a few times at most.
    @inline(__always) private static func reduced(
        _ w0: UInt64, _ w1: UInt64, _ w2: UInt64, _ w3: UInt64
    ) -> VariableTimeScalar {
        var value = VariableTimeScalar(w0, w1, w2, w3)
        while !value.isBelowOrder { value = value.minusOrder }
        return value
    }

    @inline(__always) private var minusOrder: VariableTimeScalar {
        let (r0, b0) = w0.subtractingReportingOverflow(Self.l0)
        let (r1, b1) = Self.subtract(w1, Self.l1, b0)
        let (r2, b2) = Self.subtract(w2, 0, b1)
        return VariableTimeScalar(r0, r1, r2, w3 &- Self.l3 &- (b2 ? 1 : 0))
    }

    @inline(__always) private static func subtract(_ a: UInt64, _ b: UInt64, _ borrow: Bool) -> (UInt64, Bool) {
        let (first, b1) = a.subtractingReportingOverflow(b)
        let (second, b2) = first.subtractingReportingOverflow(borrow ? 1 : 0)
        return (second, b1 || b2)
    }

    @inline(__always) private static func add(_ a: UInt64, _ b: UInt64, _ carry: UInt64) -> (UInt64, UInt64) {
        let sum =
            UInt128(truncatingIfNeeded: a) &+ UInt128(truncatingIfNeeded: b)
            &+ UInt128(truncatingIfNeeded: carry)
        return (UInt64(truncatingIfNeeded: sum), UInt64(truncatingIfNeeded: sum >> 64))
    }

    /// `a + b c + carry` as low and high words.
    @inline(__always) private static func multiplyAdd(
        _ a: UInt64, _ b: UInt64, _ c: UInt64, _ carry: UInt64
    ) -> (UInt64, UInt64) {
        let sum =
            UInt128(truncatingIfNeeded: b) &* UInt128(truncatingIfNeeded: c)
            &+ UInt128(truncatingIfNeeded: a) &+ UInt128(truncatingIfNeeded: carry)
        return (UInt64(truncatingIfNeeded: sum), UInt64(truncatingIfNeeded: sum >> 64))
    }

    /// The sum modulo the order.
    public static func + (a: VariableTimeScalar, b: VariableTimeScalar) -> VariableTimeScalar {
        let (r0, c0) = add(a.w0, b.w0, 0)
        let (r1, c1) = add(a.w1, b.w1, c0)
        let (r2, c2) = add(a.w2, b.w2, c1)
        return reduced(r0, r1, r2, a.w3 &+ b.w3 &+ c2)
    }

    /// The negative modulo the order.
    public static prefix func - (a: VariableTimeScalar) -> VariableTimeScalar {
        if a == .zero { return a }
        let (r0, b0) = l0.subtractingReportingOverflow(a.w0)
        let (r1, b1) = subtract(l1, a.w1, b0)
        let (r2, b2) = subtract(0, a.w2, b1)
        return VariableTimeScalar(r0, r1, r2, l3 &- a.w3 &- (b2 ? 1 : 0))
    }

    /// The difference modulo the order.
    public static func - (a: VariableTimeScalar, b: VariableTimeScalar) -> VariableTimeScalar {
        a + -b
    }

    /// The product modulo the order.
    public static func * (a: VariableTimeScalar, b: VariableTimeScalar) -> VariableTimeScalar {
        var t: (UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0)
        @inline(__always) func step(_ factor: UInt64) {
            var carry: UInt64
            (t.0, carry) = multiplyAdd(t.0, factor, b.w0, 0)
            (t.1, carry) = multiplyAdd(t.1, factor, b.w1, carry)
            (t.2, carry) = multiplyAdd(t.2, factor, b.w2, carry)
            (t.3, carry) = multiplyAdd(t.3, factor, b.w3, carry)
            reduceStep(&t, carry)
        }
        step(a.w0)
        step(a.w1)
        step(a.w2)
        step(a.w3)
        return reduced(t.0, t.1, t.2, t.3)
    }

    /// Adds the multiple of `l` that makes the lowest word zero, and drops that word. `top` is the word above the four;
    /// the fifth word of `t` receives the carry out of it.
    @inline(__always) private static func reduceStep(
        _ t: inout (UInt64, UInt64, UInt64, UInt64, UInt64), _ top: UInt64
    ) {
        let m = t.0 &* negativeInverse
        var (_, carry) = multiplyAdd(t.0, m, l0, 0)
        (t.0, carry) = multiplyAdd(t.1, m, l1, carry)
        (t.1, carry) = add(t.2, 0, carry)
        (t.2, carry) = multiplyAdd(t.3, m, l3, carry)
        (t.3, t.4) = add(top, 0, carry)
    }

    /// Montgomery reduction of eight words, lowest first, that are below 2^511: their value divided by 2^256, modulo
    /// the order. It turns a sum of products of values in Montgomery form into the Montgomery form of that sum.
    @inline(__always) init(
        reducing w0: UInt64, _ w1: UInt64, _ w2: UInt64, _ w3: UInt64, _ w4: UInt64, _ w5: UInt64, _ w6: UInt64,
        _ w7: UInt64
    ) {
        var t: (UInt64, UInt64, UInt64, UInt64, UInt64) = (w0, w1, w2, w3, 0)
        @inline(__always) func step(_ word: UInt64) {
            // Adds the carry from the words below. The last word carries nothing.
            let (top, carry) = Self.add(word, t.4, 0)
            Self.reduceStep(&t, top)
            t.4 &+= carry
        }
        step(w4)
        step(w5)
        step(w6)
        step(w7)
        self = Self.reduced(t.0, t.1, t.2, t.3)
    }

    /// The four words of the integer itself, lowest first; or, if it is 2^251 or more, those of its negative, and true.
    /// They are at most 2^251 + 2^125.
    var absoluteWords: ((UInt64, UInt64, UInt64, UInt64), isNegative: Bool) {
        var plain = self * Self(1, 0, 0, 0)
        let isNegative = plain.w3 >> 59 != 0
        if isNegative { plain = -plain }
        return ((plain.w0, plain.w1, plain.w2, plain.w3), isNegative)
    }
}
