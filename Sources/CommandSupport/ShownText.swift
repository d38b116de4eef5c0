/// Text from elsewhere as it is shown in a message: on one line, at most `limit` characters, and without what steers a
/// terminal or turns the direction of writing.
public func shown(_ text: String, limit: Int = 80) -> String {
    var scalars = String.UnicodeScalarView()
    for scalar in text.unicodeScalars.prefix(limit) {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: scalars.append("\u{FFFD}")
        default: scalars.append(scalar)
        }
    }
    return String(scalars) + (text.unicodeScalars.count > limit ? "…" : "")
}

/// A number of things in words, such as "1 entry" or "2 entries".
public func counted(_ number: some BinaryInteger, _ one: String, _ many: String) -> String {
    "\(number) \(number == 1 ? one : many)"
}

extension String {
    /// The text as one word of a shell's command line.
    public var shellQuoted: String {
        let plain = utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-_./:=@%+,".utf8.contains(byte)
            }
        }
        if plain, !isEmpty { return self }
        // Inside single quotes only the quote itself is special.
        let parts = utf8.split(separator: UInt8(ascii: "'"), omittingEmptySubsequences: false)
        return "'" + parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "'\\''") + "'"
    }
}
