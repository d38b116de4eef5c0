import Bytes
import Ristretto255

/// An element of ristretto255, decoded for sums in **variable time**: public points only.
///
/// A value exists only if its encoding passed ``decode(_:)``. It does not keep the encoding, which is not needed again.
public struct VariableTimePoint: Sendable {
    package let cached: CachedPoint

    fileprivate init(_ cached: CachedPoint) {
        self.cached = cached
    }

    /// The point of an element that is not the identity. Traps on the identity, which is not a term of any sum here.
    public init(_ element: GroupElement) {
        let decoded = element.encoding.withUnsafeBytes { try? Self.decode($0) }
        guard let point = decoded?.first else { preconditionFailure("an element of the group, and not the identity") }
        self = point
    }

    /// `B`.
    public static let base = VariableTimePoint(GroupElement.base)

    /// The points of two elements, decoded faster than one after the other. Traps if either is the identity.
    public static func pair(_ first: GroupElement, _ second: GroupElement) -> (VariableTimePoint, VariableTimePoint) {
        let encodings = first.encoding.array + second.encoding.array
        guard let points = encodings.withUnsafeBytes({ try? decode($0) }) else {
            preconditionFailure("elements of the group, and not the identity")
        }
        return (points[0], points[1])
    }

    /// Decodes consecutive 32-byte encodings from outside with the test of `Protocol/README.md`: each must be the
    /// canonical encoding of a point, and not of the identity. Throws the rule that the first bad encoding violates.
    /// Traps unless the number of bytes is a multiple of 32.
    public static func decode(_ encodings: UnsafeRawBufferPointer) throws(DecodingError) -> [VariableTimePoint] {
        try decode(encodings, engine: .current)
    }

    /// True when ``decode(_:)`` throws nothing.
    public static func areEncodings(_ encodings: UnsafeRawBufferPointer) -> Bool {
        do { _ = try decode(encodings) } catch { return false }
        return true
    }

    /// Decodes on a given engine.
    package static func decode(
        _ encodings: UnsafeRawBufferPointer, engine: Engine
    ) throws(DecodingError) -> [VariableTimePoint] {
        precondition(encodings.count.isMultiple(of: Bytes32.count), "encodings have 32 bytes")
        switch engine {
        case .portable: return try decodePairs(encodings)
        case .lanes(let functions): return try decodeLanes(encodings, functions)
        }
    }

    /// Decodes two at a time, and the last one twice if their number is odd.
    private static func decodePairs(_ encodings: UnsafeRawBufferPointer) throws(DecodingError) -> [VariableTimePoint] {
        var points: [VariableTimePoint] = []
        points.reserveCapacity(encodings.count / Bytes32.count)
        for offset in stride(from: 0, to: encodings.count, by: 2 * Bytes32.count) {
            let next = min(offset + Bytes32.count, encodings.count - Bytes32.count)
            let pair = (Candidate(encodings, at: offset), Candidate(encodings, at: next))
            let powers = FieldPair(pair.0.powerBase, pair.1.powerBase).powerForSquareRoot
            points.append(try pair.0.point(power: powers.first))
            if next > offset { points.append(try pair.1.point(power: powers.second)) }
        }
        return points
    }

    private static func decodeLanes(
        _ encodings: UnsafeRawBufferPointer, _ functions: LaneFunctions
    ) throws(DecodingError) -> [VariableTimePoint] {
        let count = encodings.count / Bytes32.count
        // All empty arrays of the process share one storage, which filling would write to.
        guard count > 0 else { return [] }
        var isValid = [UInt8](repeating: 0, count: count)
        let points = [VariableTimePoint](unsafeUninitializedCapacity: count) { points, filled in
            points.withWords { functions.decode(encodings.bytePointer, count, $0, &isValid) }
            filled = count
        }
        for index in 0..<count {
            if let refusal = Candidate.refusal(FieldElement(encodings, at: index * Bytes32.count)) { throw refusal }
            guard isValid[index] == 1 else { throw .nonCanonicalPoint }
        }
        return points
    }
}

extension UnsafeMutableBufferPointer<VariableTimePoint> {
    /// The points as words, twelve each, in the layout that the lane functions use.
    func withWords(_ body: (UnsafeMutablePointer<UInt64>?) -> Void) {
        body(UnsafeMutableRawPointer(baseAddress)?.assumingMemoryBound(to: UInt64.self))
    }
}

extension UnsafeRawBufferPointer {
    fileprivate var bytePointer: UnsafePointer<UInt8>? { baseAddress?.assumingMemoryBound(to: UInt8.self) }
}

/// The state of `DECODE` (RFC 9496 section 4.3.1) on both sides of the exponentiation, which takes nearly all the time.
private struct Candidate {
    private let refusal: DecodingError?
    private let s, u1, u2, v, w, w3: FieldElement
    /// The value to be raised to the power `(p-5)/8`.
    let powerBase: FieldElement

    @inline(__always) init(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        s = FieldElement(bytes, at: offset)
        refusal = Self.refusal(s)
        let ss = s.squared
        u1 = .one - ss
        u2 = .one + ss
        let u2Squared = u2.squared
        v = -(.d * u1.squared) - u2Squared
        w = v * u2Squared
        w3 = w.squared * w
        powerBase = w3.squared * w
    }

    /// Nil if `s` is below p = 2^255-19, even (steps 1 to 3) and not the identity.
    static func refusal(_ s: FieldElement) -> DecodingError? {
        let isHighest = s.w3 == .max >> 1 && s.w2 == .max && s.w1 == .max
        guard s.w0 & 1 == 0, s.w3 >> 63 == 0, !(isHighest && s.w0 >= .max - 18) else { return .nonCanonicalPoint }
        return s.w0 | s.w1 | s.w2 | s.w3 == 0 ? .identityPoint : nil
    }

    /// The point, given `powerBase` to the power `(p-5)/8`.
    @inline(__always) func point(power: FieldElement) throws(DecodingError) -> VariableTimePoint {
        if let refusal { throw refusal }
        // Either inverse square root of w will do: its sign cancels in y, and x is made non-negative.
        var root = w3 * power
        let check = w * root.squared
        if (check + .one).isZero {
            root = root * .squareRootOfMinusOne
        } else if !(check - .one).isZero {
            throw .nonCanonicalPoint
        }
        let denominatorX = root * u2
        let denominatorY = root * denominatorX * v
        var x = (s + s) * denominatorX
        if x.isNegative { x = (-x).tight }
        let y = u1 * denominatorY
        let t = x * y
        guard !t.isNegative, !y.isZero else { throw .nonCanonicalPoint }
        return VariableTimePoint(CachedPoint(yPlusX: (y + x).tight, yMinusX: (y - x).tight, xy2d: t * .twiceD))
    }
}
