import CIDN2

/// An address that mail is sent to, in the plain form of RFC 5321 section 4.1.2: a dot-atom in ASCII, `@`, and a
/// domain.
///
/// Everything else that RFC 5322 allows is refused: quoted names, comments and address literals are of no use to
/// people, and are how one address becomes two commands of a mail server.
public struct MailAddress: Hashable, Sendable, CustomStringConvertible {
    /// The most bytes of an address (RFC 5321 section 4.5.3.1.3, without the brackets).
    public static let longest = 254
    private static let longestLocalPart = 64

    /// Why a text is no address that mail is sent to.
    public enum Fault: Error, Equatable, Sendable {
        /// There is no `@`, or nothing before or behind it.
        case incomplete
        /// There are several `@`.
        case severalAts
        /// A line break, a NUL or another control character.
        case controlCharacter
        /// A space, a quotation mark, a comment, angle brackets, a comma and the like.
        case symbol(Unicode.Scalar)
        /// The part before the `@` is not in ASCII, which few servers take.
        case notASCII
        /// A dot at an end of the part before the `@`, or two together.
        case dots
        /// An address of a machine in brackets, instead of a domain.
        case literal
        /// This is no domain.
        case domain(String)
        /// More than 254 bytes, or 64 before the `@`.
        case tooLong
    }

    /// The part before the `@`, as written.
    public let localPart: String
    /// The domain in lower case, each label in ASCII (RFC 5890: A-labels).
    public let domain: String

    /// Reads an address, with white space around it ignored. The domain may be written in any script.
    public init(_ text: some StringProtocol) throws(Fault) {
        var scalars = text.unicodeScalars[...]
        while let last = scalars.last, Self.isSpace(last) { scalars.removeLast() }
        while let first = scalars.first, Self.isSpace(first) { scalars.removeFirst() }
        guard scalars.count <= Self.longest else { throw .tooLong }
        if scalars.contains(where: { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }) { throw .controlCharacter }
        let parts = scalars.split(separator: "@", omittingEmptySubsequences: false).map { part in
            String(String.UnicodeScalarView(part))
        }
        guard parts.count <= 2 else { throw .severalAts }
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { throw .incomplete }
        localPart = try Self.checkedLocalPart(parts[0])
        domain = try Self.asciiDomain(parts[1])
        guard localPart.utf8.count + 1 + domain.utf8.count <= Self.longest else { throw .tooLong }
    }

    init(localPart: String, domain: String) {
        self.localPart = localPart
        self.domain = domain
    }

    /// `local@domain`.
    public var text: String { "\(localPart)@\(domain)" }
    /// The same.
    public var description: String { text }

    /// The address by which two are compared: domains and, as people use them, names do not distinguish case.
    public var folded: String { text.lowercased() }

    /// The address of this mailbox that has `detail` after a `+` (RFC 5233). Nil if that would be too long.
    public func with(detail: String) -> MailAddress? {
        let extended = "\(localPart)+\(detail)"
        return extended.utf8.count <= Self.longestLocalPart
            ? MailAddress(localPart: extended, domain: domain) : nil
    }

    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\u{A0}" }

    /// RFC 5322 section 3.2.3: `atext`.
    private static func isAtomText(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9": true
        case "!", "#", "$", "%", "&", "'", "*", "+", "-", "/", "=", "?", "^", "_", "`", "{", "|", "}", "~": true
        default: false
        }
    }

    private static func checkedLocalPart(_ text: String) throws(Fault) -> String {
        for scalar in text.unicodeScalars where scalar != "." {
            guard scalar.isASCII else { throw .notASCII }
            guard isAtomText(scalar) else { throw .symbol(scalar) }
        }
        guard text.utf8.count <= longestLocalPart else { throw .tooLong }
        let atoms = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard atoms.allSatisfy({ !$0.isEmpty }) else { throw .dots }
        return text
    }

    /// A domain in lower case, each label in ASCII (RFC 5890: A-labels), however it is written. Throws if it is none.
    public static func asciiDomain(_ text: String) throws(Fault) -> String {
        guard text.utf8.first != UInt8(ascii: "[") else { throw .literal }
        var output: UnsafeMutablePointer<CChar>?
        let flags = Int32(IDN2_NFC_INPUT.rawValue) | Int32(IDN2_NONTRANSITIONAL.rawValue)
        guard idn2_to_ascii_8z(text, &output, flags) == IDN2_OK.rawValue, let output else { throw .domain(text) }
        defer { idn2_free(output) }
        let ascii = String(cString: output).lowercased()
        let labels = ascii.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        // This machine has a name without a dot; every other is a name that was cut off.
        guard labels.count > 1 || ascii == "localhost", labels.allSatisfy(isLabel), !isNumber(labels.last) else {
            throw .domain(text)
        }
        return ascii
    }

    /// RFC 1123 section 2.1: letters, digits and hyphens, the last not at an end.
    private static func isLabel(_ label: Substring.UTF8View) -> Bool {
        let hyphen = UInt8(ascii: "-")
        return (1...63).contains(label.count) && label.first != hyphen && label.last != hyphen
            && label.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || isDigit(byte) || byte == hyphen
            }
    }

    /// True for the end of an IP address, which is no domain.
    private static func isNumber(_ label: Substring.UTF8View?) -> Bool { label?.allSatisfy(isDigit) ?? true }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}

/// An address and the name that is shown with it, as after `From:`.
public struct Mailbox: Equatable, Sendable {
    private static let longestName = 100

    /// Why a text is no mailbox.
    public enum Fault: Error, Equatable, Sendable {
        /// The address is at fault.
        case address(MailAddress.Fault)
        /// The name has a control character, or more than 100 of any.
        case name
    }

    /// The name, without quotation marks; empty if there is none.
    public let name: String
    /// The address.
    public let address: MailAddress

    /// Reads `address` or `Name <address>`; the name may be in quotation marks.
    public init(_ text: String) throws(Fault) {
        var (name, address) = ("", text)
        if let open = text.lastIndex(of: "<"), text.last == ">" {
            name = String(text[..<open])
            address = String(text[text.index(after: open)...].dropLast())
        }
        name = String(name.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        if name.utf8.count > 1, name.first == "\"", name.last == "\"" { name = String(name.dropFirst().dropLast()) }
        guard name.unicodeScalars.count <= Self.longestName,
            MailMessage.isPlain(name)
        else { throw .name }
        self.name = name
        do { self.address = try MailAddress(address) } catch { throw .address(error) }
    }

    /// `Name <address>`, as typed.
    public var text: String { name.isEmpty ? address.text : "\(name) <\(address.text)>" }
}
