/// Crockford's base 32 for 128-bit numbers, with its check symbol: what people copy from a letter by typing.
public enum CrockfordBase32 {
    /// Digits of a 128-bit number, without the check symbol.
    public static let digitCount = 26

    private static let symbols = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U".utf8)
    private static let checkModulus: UInt128 = 37

    /// 26 digits and the check symbol (the number mod 37).
    public static func encode(_ number: UInt128) -> String {
        var text: [UInt8] = []
        for position in (0..<digitCount).reversed() {
            text.append(symbols[Int(truncatingIfNeeded: number >> (5 * position)) & 31])
        }
        text.append(symbols[Int(number % checkModulus)])
        return String(decoding: text, as: UTF8.self)
    }

    /// Why a text is no number with its check symbol.
    public enum Fault: Error, Equatable, Sendable {
        /// It has so many symbols instead of 27.
        case length(Int)
        /// This symbol is none that can be there.
        case symbol(Unicode.Scalar)
        /// A symbol was mistyped: the check symbol is that of another number, or the number has more than 128 bits.
        case check
    }

    /// True for what stands between groups: spaces and hyphens, and what word processors make of a hyphen.
    private static func isBetween(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20, 0x2D, 0x5F, 0xA0, 0xAD, 0x200B, 0x2010...0x2015, 0x2212: true
        default: false
        }
    }

    /// The number. Ignores case, spaces and hyphens, and reads I and L as 1 and O as 0. Throws a ``Fault``.
    public static func decode(_ text: some StringProtocol) throws(Fault) -> UInt128 {
        let typed = text.unicodeScalars.filter { !isBetween($0) }.map(normalised)
        for (position, scalar) in typed.enumerated() {
            let isKnown = symbols.contains { $0 == scalar.value }
            guard isKnown, position >= digitCount || value(of: scalar) < 32 else { throw .symbol(scalar) }
        }
        guard typed.count == digitCount + 1 else { throw .length(typed.count) }
        var number: UInt128 = 0
        for scalar in typed.prefix(digitCount) {
            let (shifted, overflow) = number.multipliedReportingOverflow(by: 32)
            guard !overflow else { throw .check }
            number = shifted | UInt128(value(of: scalar))
        }
        guard number % checkModulus == UInt128(value(of: typed[digitCount])) else { throw .check }
        return number
    }

    /// The value of a symbol; that of no digit for anything else.
    private static func value(of scalar: Unicode.Scalar) -> Int {
        symbols.firstIndex { $0 == scalar.value } ?? symbols.count
    }

    private static func normalised(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        let upper = ("a"..."z").contains(scalar) ? Unicode.Scalar(UInt8(scalar.value - 0x20)) : scalar
        return switch upper {
        case "I", "L": "1"
        case "O": "0"
        default: upper
        }
    }
}
