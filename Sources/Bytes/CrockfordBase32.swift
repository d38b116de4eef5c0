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

    /// The number, or nil for a wrong symbol, length or check symbol, or a number of more than 128 bits. Ignores case,
    /// spaces and hyphens, and reads I and L as 1 and O as 0.
    public static func decode(_ text: some StringProtocol) -> UInt128? {
        let typed = text.utf8.filter { $0 != 0x20 && $0 != 0x2D }.map(normalised)
        guard typed.count == digitCount + 1, let check = symbols.firstIndex(of: typed[digitCount]) else { return nil }
        var number: UInt128 = 0
        for symbol in typed.prefix(digitCount) {
            guard let digit = symbols.prefix(32).firstIndex(of: symbol) else { return nil }
            let (shifted, overflow) = number.multipliedReportingOverflow(by: 32)
            guard !overflow else { return nil }
            number = shifted | UInt128(digit)
        }
        return number % checkModulus == UInt128(check) ? number : nil
    }

    private static func normalised(_ character: UInt8) -> UInt8 {
        let upper = (0x61...0x7A).contains(character) ? character - 0x20 : character
        switch upper {
        case UInt8(ascii: "I"), UInt8(ascii: "L"): return UInt8(ascii: "1")
        case UInt8(ascii: "O"): return UInt8(ascii: "0")
        default: return upper
        }
    }
}
