/// The sum over many records of outer products of scalars: `S[h][l] = sum_r left_r[h] right_r[l]`, a matrix product.
///
/// A record's coefficients on a ring's members are such a product of two halves of its digits. Products are added up
/// unreduced, and each sum is reduced once per block: reductions are most of the cost of computing products one by one.
public struct ScalarOuterProducts {
    /// How many records' products are added before a reduction: 64 squares of `l` are below 2^511.
    private static let blockCount = 64

    private let engine: Engine
    private let leftCount: Int
    private let rightCount: Int
    private var sums: [VariableTimeScalar]
    /// Factors not yet multiplied, record by record.
    private var left: [VariableTimeScalar] = []
    private var right: [VariableTimeScalar] = []

    /// An empty sum of products of `leftCount` by `rightCount` scalars.
    public init(leftCount: Int, rightCount: Int) {
        self.init(leftCount: leftCount, rightCount: rightCount, engine: .current)
    }

    /// The same on a given engine.
    package init(leftCount: Int, rightCount: Int, engine: Engine) {
        self.engine = engine
        self.leftCount = leftCount
        self.rightCount = rightCount
        sums = [VariableTimeScalar](repeating: .zero, count: leftCount * rightCount)
    }

    /// Adds the outer product of `left` and `right`.
    public mutating func add(_ left: [VariableTimeScalar], _ right: [VariableTimeScalar]) {
        precondition(left.count == leftCount && right.count == rightCount, "factors of the sum's size")
        self.left += left
        self.right += right
        if self.left.count == leftCount * Self.blockCount { reduceBlock() }
    }

    /// The sums: that of `left[h] right[l]` at `h * rightCount + l`.
    public var values: [VariableTimeScalar] {
        mutating get {
            reduceBlock()
            return sums
        }
    }

    private mutating func reduceBlock() {
        let records = left.count / leftCount
        guard records > 0 else { return }
        let leftColumns = Self.columns(left, of: leftCount)
        let rightColumns = Self.columns(right, of: rightCount)
        switch engine {
        case .portable: addProducts(leftColumns, rightColumns, records)
        case .lanes(let functions): addProducts(leftColumns, rightColumns, records, functions)
        }
        left.removeAll(keepingCapacity: true)
        right.removeAll(keepingCapacity: true)
    }

    private mutating func addProducts(
        _ left: [VariableTimeScalar], _ right: [VariableTimeScalar], _ records: Int, _ functions: LaneFunctions
    ) {
        var limbs = [UInt64](repeating: 0, count: 5 * LaneFunctions.count * records)
        var words = [UInt64](repeating: 0, count: 8 * sums.count)
        left.withUnsafeBytes { left in
            right.withUnsafeBytes { right in
                functions.outerProducts(
                    left.baseAddress?.assumingMemoryBound(to: UInt64.self), leftCount,
                    right.baseAddress?.assumingMemoryBound(to: UInt64.self), rightCount, records, &limbs, &words)
            }
        }
        words.withUnsafeBufferPointer { words in
            for position in sums.indices {
                let w = 8 * position
                sums[position] =
                    sums[position]
                    + VariableTimeScalar(
                        reducing: words[w], words[w + 1], words[w + 2], words[w + 3], words[w + 4], words[w + 5],
                        words[w + 6], words[w + 7])
            }
        }
    }

    private mutating func addProducts(
        _ left: [VariableTimeScalar], _ right: [VariableTimeScalar], _ records: Int
    ) {
        left.withUnsafeBufferPointer { left in
            right.withUnsafeBufferPointer { right in
                for h in 0..<leftCount {
                    for l in 0..<rightCount {
                        let product = Self.innerProduct(
                            UnsafeBufferPointer(rebasing: left[h * records..<(h + 1) * records]),
                            UnsafeBufferPointer(rebasing: right[l * records..<(l + 1) * records]))
                        sums[h * rightCount + l] = sums[h * rightCount + l] + product
                    }
                }
            }
        }
    }

    /// The factors, grouped by position instead of by record.
    private static func columns(_ factors: [VariableTimeScalar], of count: Int) -> [VariableTimeScalar] {
        let records = factors.count / count
        var columns: [VariableTimeScalar] = []
        columns.reserveCapacity(factors.count)
        for position in 0..<count {
            for record in 0..<records { columns.append(factors[record * count + position]) }
        }
        return columns
    }

    @inline(__always) private static func multiplyAdd(
        _ a: inout UInt64, _ b: UInt64, _ c: UInt64, _ carry: UInt64
    ) -> UInt64 {
        let sum =
            UInt128(truncatingIfNeeded: b) &* UInt128(truncatingIfNeeded: c) &+ UInt128(truncatingIfNeeded: a)
            &+ UInt128(truncatingIfNeeded: carry)
        a = UInt64(truncatingIfNeeded: sum)
        return UInt64(truncatingIfNeeded: sum >> 64)
    }

    /// `sum_r a[r] b[r]`, by rows of four words. The carries out of the rows are summed in separate columns of 128
    /// bits, so that no carry runs through all words.
    private static func innerProduct(
        _ a: UnsafeBufferPointer<VariableTimeScalar>, _ b: UnsafeBufferPointer<VariableTimeScalar>
    ) -> VariableTimeScalar {
        var (s0, s1, s2, s3, s4, s5, s6): (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (
            0, 0, 0, 0, 0, 0, 0
        )
        var (c4, c5, c6, c7): (UInt128, UInt128, UInt128, UInt128) = (0, 0, 0, 0)
        for index in a.indices {
            let (x, y) = (a[index], b[index])
            var carry = multiplyAdd(&s0, x.w0, y.w0, 0)
            carry = multiplyAdd(&s1, x.w0, y.w1, carry)
            carry = multiplyAdd(&s2, x.w0, y.w2, carry)
            carry = multiplyAdd(&s3, x.w0, y.w3, carry)
            c4 = c4 &+ UInt128(truncatingIfNeeded: carry)
            carry = multiplyAdd(&s1, x.w1, y.w0, 0)
            carry = multiplyAdd(&s2, x.w1, y.w1, carry)
            carry = multiplyAdd(&s3, x.w1, y.w2, carry)
            carry = multiplyAdd(&s4, x.w1, y.w3, carry)
            c5 = c5 &+ UInt128(truncatingIfNeeded: carry)
            carry = multiplyAdd(&s2, x.w2, y.w0, 0)
            carry = multiplyAdd(&s3, x.w2, y.w1, carry)
            carry = multiplyAdd(&s4, x.w2, y.w2, carry)
            carry = multiplyAdd(&s5, x.w2, y.w3, carry)
            c6 = c6 &+ UInt128(truncatingIfNeeded: carry)
            carry = multiplyAdd(&s3, x.w3, y.w0, 0)
            carry = multiplyAdd(&s4, x.w3, y.w1, carry)
            carry = multiplyAdd(&s5, x.w3, y.w2, carry)
            carry = multiplyAdd(&s6, x.w3, y.w3, carry)
            c7 = c7 &+ UInt128(truncatingIfNeeded: carry)
        }
        c4 = c4 &+ UInt128(truncatingIfNeeded: s4)
        c5 = c5 &+ UInt128(truncatingIfNeeded: s5) &+ c4 >> 64
        c6 = c6 &+ UInt128(truncatingIfNeeded: s6) &+ c5 >> 64
        c7 = c7 &+ c6 >> 64
        return VariableTimeScalar(
            reducing: s0, s1, s2, s3, UInt64(truncatingIfNeeded: c4), UInt64(truncatingIfNeeded: c5),
            UInt64(truncatingIfNeeded: c6), UInt64(truncatingIfNeeded: c7))
    }
}
