/// The text of a mail that was saved whole, as people drop it on a page: without its headers, and as it was before it
/// was made fit for transport (quoted-printable, RFC 2045 section 6.7).
enum SavedMail {
    /// The text after the headers, if `text` begins with those of a mail; else `text` itself.
    static func text(of text: String) -> String {
        // By bytes: CR LF is one Character.
        let bytes = text.utf8.filter { $0 != UInt8(ascii: "\r") }
        guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: "\n\n".utf8) }) else { return text }
        let head = "\n".utf8 + bytes[..<end].map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
        guard has("\nmime-version:", head) else { return text }
        let body = bytes[(end + 2)...]
        let isQuoted = has("\ncontent-transfer-encoding: quoted-printable", head)
        return String(decoding: isQuoted ? unquoted(body) : Array(body), as: UTF8.self)
    }

    private static func has(_ field: String, _ head: [UInt8]) -> Bool {
        head.indices.contains { head[$0...].starts(with: field.utf8) }
    }

    private static func unquoted(_ body: ArraySlice<UInt8>) -> [UInt8] {
        var (plain, rest) = ([UInt8](), body)
        while let byte = rest.popFirst() {
            if byte != UInt8(ascii: "=") {
                plain.append(byte)
            } else if rest.first == UInt8(ascii: "\n") {
                rest.removeFirst()
            } else if let value = hex(rest.prefix(2)) {
                plain.append(value)
                rest.removeFirst(2)
            } else {
                plain.append(byte)
            }
        }
        return plain
    }

    private static func hex(_ digits: ArraySlice<UInt8>) -> UInt8? {
        // A sign would be read, too.
        guard digits.count == 2, let first = digits.first, ![UInt8(ascii: "+"), UInt8(ascii: "-")].contains(first)
        else {
            return nil
        }
        return UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}
