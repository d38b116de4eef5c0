/// Pippenger's method: scalars are cut into windows of `c` bits with signed digits. In each window every point is added
/// to the bucket of its digit, and the window's sum is that of the buckets, each times its digit.
enum MultiscalarMultiplication {
    /// The sum of `scalars` times `points`.
    static func sum(
        _ scalars: [VariableTimeScalar], _ points: [VariableTimePoint], engine: Engine
    ) -> EdwardsPoint {
        guard scalars.count > strausLimit(engine) else { return StrausSum.sum(scalars, points) }
        let windows: [EdwardsPoint]
        let bits: Int
        switch engine {
        case .portable:
            bits = windowBits(terms: scalars.count)
            windows = windowSums(SignedDigits(scalars, windowBits: bits), points)
        case .lanes(let functions):
            bits = laneWindowBits(terms: scalars.count)
            windows = windowSums(SignedDigits(scalars, windowBits: bits), points, functions)
        }
        return windows.reversed().reduce(.identity) { total, window in
            var shifted = total
            for _ in 0..<bits { shifted = shifted.doubled }
            return shifted + window
        }
    }

    /// Up to this many terms, Straus's method is faster than filling buckets. Measured.
    private static func strausLimit(_ engine: Engine) -> Int {
        switch engine {
        case .portable: 190
        case .lanes: 8
        }
    }

    /// The window size with the fewest additions: one for each term, and two for each bucket.
    private static func windowBits(terms: Int) -> Int {
        func cost(_ bits: Int) -> Int {
            // Measured: an addition takes 1.3 times as long when summing buckets as when filling them. The first term
            // of each bucket costs nothing.
            SignedDigits.windows(bits: bits) * (10 * terms + (2 * 13 - 10) << (bits - 1))
        }
        return (4...15).min { cost($0) < cost($1) } ?? 4
    }

    /// The same for lanes, where eight windows cost as much as one. The buckets of more than 11 bits do not fit in the
    /// cache.
    private static func laneWindowBits(terms: Int) -> Int {
        func cost(_ bits: Int) -> Int { SignedDigits.groups(bits: bits) * (10 * terms + 26 << (bits - 1)) }
        return (4...11).min { cost($0) < cost($1) } ?? 4
    }

    /// The sum of each window, eight at a time.
    private static func windowSums(
        _ recoding: SignedDigits, _ points: [VariableTimePoint], _ functions: LaneFunctions
    ) -> [EdwardsPoint] {
        let bucketCount = 1 << (recoding.windowBits - 1)
        var buckets = [UInt64](repeating: 0, count: LaneFunctions.bucketWords(bucketCount))
        var words = [UInt64](repeating: 0, count: LaneFunctions.count * 16)
        var sums: [EdwardsPoint] = []
        for first in stride(from: 0, to: recoding.windows, by: LaneFunctions.count) {
            recoding.withDigits(of: first) { digits, _ in
                points.withUnsafeBytes { raw in
                    let base = raw.baseAddress?.assumingMemoryBound(to: UInt64.self)
                    functions.windowSums(base, digits, points.count, bucketCount, &buckets, &words)
                }
            }
            for lane in 0..<min(LaneFunctions.count, recoding.windows - first) {
                func element(_ position: Int) -> FieldElement {
                    let word = 16 * lane + 4 * position
                    return FieldElement(words[word], words[word + 1], words[word + 2], words[word + 3])
                }
                sums.append(EdwardsPoint(x: element(0), y: element(1), z: element(2), t: element(3)))
            }
        }
        return sums
    }

    /// The sum of each window, one at a time.
    private static func windowSums(_ recoding: SignedDigits, _ points: [VariableTimePoint]) -> [EdwardsPoint] {
        var buckets = [EdwardsPoint](repeating: .emptyBucket, count: 1 << (recoding.windowBits - 1))
        return (0..<recoding.windows).map { window in
            recoding.withDigits(of: window) { digits, stride in
                points.withUnsafeBufferPointer { points in
                    buckets.withUnsafeMutableBufferPointer { buckets in
                        fill(buckets, points, digits, stride)
                        return weightedSum(buckets)
                    }
                }
            }
        }
    }

    private static func fill(
        _ buckets: UnsafeMutableBufferPointer<EdwardsPoint>, _ points: UnsafeBufferPointer<VariableTimePoint>,
        _ digits: UnsafePointer<Int16>, _ stride: Int
    ) {
        guard let buckets = buckets.baseAddress else { return }
        points.withMemoryRebound(to: CachedPoint.self) { points in
            guard let base = points.baseAddress else { return }
            for index in points.indices {
                let digit = Int(digits[index * stride])
                guard digit != 0 else { continue }
                let bucket = buckets + (abs(digit) - 1)
                if bucket.pointee.isEmptyBucket {
                    bucket.pointee = EdwardsPoint(base + index, isNegative: digit < 0)
                } else {
                    bucket.pointee.add(base + index, isNegative: digit < 0)
                }
            }
        }
    }

    /// The sum of each bucket times its position, counted from 1. Empties the buckets.
    private static func weightedSum(_ buckets: UnsafeMutableBufferPointer<EdwardsPoint>) -> EdwardsPoint {
        var running = EdwardsPoint.identity
        var sum = EdwardsPoint.identity
        for position in buckets.indices.reversed() {
            if !buckets[position].isEmptyBucket {
                running = running + buckets[position]
                buckets[position] = .emptyBucket
            }
            sum = sum + running
        }
        return sum
    }
}

/// Scalars as signed digits, at most `2^(c-1)` in absolute value, in groups of eight windows: within a group, the eight
/// digits of a scalar are adjacent, so that a vector of eight lanes loads them at once.
struct SignedDigits {
    /// `c`.
    let windowBits: Int
    /// Windows with digits in them.
    let windows: Int
    private let count: Int
    private let digits: [Int16]

    /// How many windows of `bits` bits a scalar has. The scalar or its negative is at most 2^251 + 2^125. If the last
    /// window begins at bit 252 - c, its digit is at most 2^(c-1), since then nothing is carried into it.
    static func windows(bits: Int) -> Int { (252 + bits - 1) / bits }

    /// How many groups those windows make.
    static func groups(bits: Int) -> Int { (windows(bits: bits) + LaneFunctions.count - 1) / LaneFunctions.count }

    /// Recodes scalars for windows of 4 to 15 bits.
    init(_ scalars: [VariableTimeScalar], windowBits: Int) {
        self.windowBits = windowBits
        windows = Self.windows(bits: windowBits)
        count = scalars.count
        let groups = Self.groups(bits: windowBits)
        digits = [Int16](unsafeUninitializedCapacity: groups * LaneFunctions.count * scalars.count) { digits, filled in
            digits.initialize(repeating: 0)
            for (index, scalar) in scalars.enumerated() {
                Self.recode(scalar, windowBits) { window, digit in
                    let (group, lane) = (window / LaneFunctions.count, window % LaneFunctions.count)
                    digits[(group * scalars.count + index) * LaneFunctions.count + lane] = digit
                }
            }
            filled = digits.count
        }
    }

    @inline(__always) private static func recode(
        _ scalar: VariableTimeScalar, _ windowBits: Int, _ store: (Int, Int16) -> Void
    ) {
        // The next bits are always the lowest: the words are shifted down as bits are used.
        var (words, isNegative) = scalar.absoluteWords
        let half = 1 << (windowBits - 1)
        let mask: UInt64 = (1 << UInt64(windowBits)) - 1
        let (down, up) = (UInt64(windowBits), UInt64(64 - windowBits))
        var carry = 0
        for window in 0..<windows(bits: windowBits) {
            var digit = Int(truncatingIfNeeded: words.0 & mask) + carry
            carry = digit > half ? 1 : 0
            digit -= carry << windowBits
            store(window, Int16(truncatingIfNeeded: isNegative ? -digit : digit))
            words.0 = words.0 >> down | words.1 << up
            words.1 = words.1 >> down | words.2 << up
            words.2 = words.2 >> down | words.3 << up
            words.3 >>= down
        }
    }

    /// Passes `body` the digits of a window and the distance from one scalar's digit to the next scalar's.
    func withDigits<R>(of window: Int, _ body: (UnsafePointer<Int16>, Int) -> R) -> R {
        digits.withUnsafeBufferPointer { buffer in
            let (group, lane) = (window / LaneFunctions.count, window % LaneFunctions.count)
            guard let base = buffer.baseAddress else { preconditionFailure("digits of at least one scalar") }
            return body(base + group * count * LaneFunctions.count + lane, LaneFunctions.count)
        }
    }
}
