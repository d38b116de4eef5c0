/// A point of the Edwards curve under ristretto255 in extended coordinates, all tight: `x = X/Z`, `y = Y/Z`,
/// `T = XY/Z`. Variable time.
package struct EdwardsPoint: Sendable {
    package var x, y, z, t: FieldElement

    @inline(__always) package init(x: FieldElement, y: FieldElement, z: FieldElement, t: FieldElement) {
        (self.x, self.y, self.z, self.t) = (x, y, z, t)
    }

    @inline(__always) package static var identity: EdwardsPoint {
        EdwardsPoint(x: .zero, y: .one, z: .one, t: .zero)
    }

    /// The point represented by `(E, F, G, H)` in Hisil, Wong, Carter and Dawson (2008).
    @inline(__always) private init(e: FieldElement, f: FieldElement, g: FieldElement, h: FieldElement) {
        self.init(x: e * f, y: g * h, z: f * g, t: e * h)
    }

    /// Marks a bucket without a point: no point has `z = 0`.
    @inline(__always) static var emptyBucket: EdwardsPoint {
        EdwardsPoint(x: .zero, y: .zero, z: .zero, t: .zero)
    }

    @inline(__always) var isEmptyBucket: Bool { z.w0 | z.w1 | z.w2 | z.w3 == 0 }

    /// The point of a cached form, or its negative: `x`, `y` and `t` are `2x`, `2y` and their product, over 4.
    @inline(__always) init(_ point: UnsafePointer<CachedPoint>, isNegative: Bool) {
        let (yPlusX, yMinusX, _) = CachedPoint.coordinates(point, isNegative: isNegative)
        let (twiceX, twiceY) = (yPlusX - yMinusX, yPlusX + yMinusX)
        let two = FieldElement(2, 0, 0, 0)
        self.init(x: twiceX * two, y: twiceY * two, z: FieldElement(4, 0, 0, 0), t: twiceX * twiceY)
    }

    /// Adds a point in cached form, or with `isNegative` subtracts it, in seven multiplications.
    ///
    /// The sign is applied without a branch: half of all digits are negative, so a branch would often be mispredicted.
    @inline(__always) package mutating func add(_ other: UnsafePointer<CachedPoint>, isNegative: Bool) {
        let (yPlusX, yMinusX, xy2d) = CachedPoint.coordinates(other, isNegative: isNegative)
        let a = (y - x) * yMinusX
        let b = (y + x) * yPlusX
        let c = t * xy2d
        let d = z + z
        self = EdwardsPoint(e: b - a, f: d - c, g: d + c, h: b + a)
    }

    /// The sum, in nine multiplications.
    @inline(__always) package static func + (p: EdwardsPoint, q: EdwardsPoint) -> EdwardsPoint {
        let a = (p.y - p.x) * (q.y - q.x)
        let b = (p.y + p.x) * (q.y + q.x)
        let c = p.t * q.t * .twiceD
        let zz = p.z * q.z
        let d = zz + zz
        return EdwardsPoint(e: b - a, f: d - c, g: d + c, h: b + a)
    }

    /// The negative.
    package var negative: EdwardsPoint {
        EdwardsPoint(x: (-x).tight, y: y, z: z, t: (-t).tight)
    }

    /// The double.
    @inline(__always) package var doubled: EdwardsPoint { doubled(withT: true) }

    /// The double. Without `T`, which another doubling does not need, it costs one multiplication less.
    @inline(__always) func doubled(withT: Bool) -> EdwardsPoint {
        let a = x.squared
        let b = y.squared
        let zz = z.squared
        let h = a + b
        let e = h - (x + y).squared
        let g = a - b
        let f = zz + g + zz
        return EdwardsPoint(x: e * f, y: g * h, z: f * g, t: withT ? e * h : .zero)
    }

    /// The sum with a multiple from a table, or with `isNegative` the difference, in eight multiplications.
    @inline(__always) func adding(_ q: borrowing TableMultiple, isNegative: Bool) -> EdwardsPoint {
        let a = (y - x) * (isNegative ? q.yPlusX : q.yMinusX)
        let b = (y + x) * (isNegative ? q.yMinusX : q.yPlusX)
        let c = t * q.t2d
        let d = z * q.z
        let dd = d + d
        let (f, g) = isNegative ? (dd + c, dd - c) : (dd - c, dd + c)
        return EdwardsPoint(e: b - a, f: f, g: g, h: b + a)
    }

    /// True when the point represents the identity of ristretto255: one of the four points of order 1, 2 or 4 that are
    /// equal to it by RFC 9496 section 4.5.
    package var isRistrettoIdentity: Bool { x.isZero || y.isZero }
}

/// A point with `z = 1`, prepared for being added to another: `y + x`, `y - x` and `2dxy`, all tight. 96 bytes.
package struct CachedPoint: Sendable {
    package var yPlusX, yMinusX, xy2d: FieldElement

    @inline(__always) package init(yPlusX: FieldElement, yMinusX: FieldElement, xy2d: FieldElement) {
        (self.yPlusX, self.yMinusX, self.xy2d) = (yPlusX, yMinusX, xy2d)
    }

    /// The identity.
    @inline(__always) package static var identity: CachedPoint {
        CachedPoint(yPlusX: .one, yMinusX: .one, xy2d: .zero)
    }

    /// The coordinates of the point, or of its negative.
    @inline(__always) fileprivate static func coordinates(
        _ point: UnsafePointer<CachedPoint>, isNegative: Bool
    ) -> (FieldElement, FieldElement, FieldElement) {
        let raw = UnsafeRawPointer(point)
        let size = MemoryLayout<FieldElement>.stride
        let yPlusX = raw.load(fromByteOffset: isNegative ? size : 0, as: FieldElement.self)
        let yMinusX = raw.load(fromByteOffset: isNegative ? 0 : size, as: FieldElement.self)
        let xy2d = point.pointee.xy2d
        let mask: UInt64 = isNegative ? .max : 0
        let negative = -xy2d
        return (
            yPlusX, yMinusX,
            FieldElement(
                select(xy2d.w0, negative.w0, mask), select(xy2d.w1, negative.w1, mask),
                select(xy2d.w2, negative.w2, mask), select(xy2d.w3, negative.w3, mask))
        )
    }

    @inline(__always) private static func select(_ first: UInt64, _ second: UInt64, _ mask: UInt64) -> UInt64 {
        first ^ (mask & (first ^ second))
    }
}

/// A point with any `z`, prepared for being added to another: `Y + X`, `Y - X`, `Z` and `2dT`.
struct TableMultiple {
    let yPlusX, yMinusX, z, t2d: FieldElement

    init(_ point: EdwardsPoint) {
        yPlusX = point.y + point.x
        yMinusX = point.y - point.x
        z = point.z
        t2d = point.t * .twiceD
    }
}
