/// Sums of few terms, by Straus's method: all terms share the doublings, and for each non-zero digit of its scalar a
/// term adds an odd multiple from a table of its own.
enum StrausSum {
    /// Non-zero digits are odd and below 16 in absolute value, with at least four zeros after each.
    private static let width = 5

    /// The sum of `scalars` times `points`.
    static func sum(_ scalars: [VariableTimeScalar], _ points: [VariableTimePoint]) -> EdwardsPoint {
        let digits = scalars.map(nonAdjacentForm)
        let tables = points.map { oddMultiples($0.cached) }
        guard let highest = digits.compactMap({ form in form.lastIndex { $0 != 0 } }).max() else { return .identity }
        var total = EdwardsPoint.identity
        for index in (0...highest).reversed() {
            let isAddedTo = digits.contains { $0[index] != 0 }
            total = total.doubled(withT: isAddedTo || index == 0)
            guard isAddedTo else { continue }
            for (form, table) in zip(digits, tables) where form[index] != 0 {
                total = total.adding(table[Int(abs(form[index])) / 2], isNegative: form[index] < 0)
            }
        }
        return total
    }

    /// P, 3P, .. 15P.
    private static func oddMultiples(_ point: CachedPoint) -> [TableMultiple] {
        var multiple = withUnsafePointer(to: point) { EdwardsPoint($0, isNegative: false) }
        let double = multiple.doubled
        var multiples = [TableMultiple(multiple)]
        for _ in 1..<1 << (width - 2) {
            multiple = multiple + double
            multiples.append(TableMultiple(multiple))
        }
        return multiples
    }

    /// The scalar as digits at the powers of two: its own digits, or those of its negative with the signs reversed.
    private static func nonAdjacentForm(_ scalar: VariableTimeScalar) -> [Int8] {
        let (words, isNegative) = scalar.absoluteWords
        var form = [Int8](repeating: 0, count: 256)
        var index = 0
        var carry: UInt64 = 0
        let parts = [words.0, words.1, words.2, words.3, 0]
        // What remains from `index` on is the bits there plus the carry.
        while index < 254 {
            let (word, bit) = (index / 64, UInt64(index % 64))
            let bits = parts[word] >> bit | (bit == 0 ? 0 : parts[word + 1] << (64 - bit))
            let window = (bits & (1 << UInt64(width) - 1)) + carry
            guard window & 1 == 1 else {
                index += 1
                continue
            }
            carry = window >= 1 << UInt64(width - 1) ? 1 : 0
            let digit = Int8(truncatingIfNeeded: Int(window) - Int(carry) << width)
            form[index] = isNegative ? -digit : digit
            index += width
        }
        return form
    }
}
