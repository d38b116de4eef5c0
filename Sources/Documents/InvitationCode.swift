import Bytes
import Sodium

/// The 16 random bytes that let one person enrol once (`Protocol/enrolment.md`, "Invite").
///
/// A code is a secret known only from the coordinator's letter. The coordinator keeps only ``hash``.
public struct InvitationCode: Sendable {
    /// The length of a code in bytes: 16.
    public static let count = 16
    private static let hashLabel = Array("roundrobin-v1 invitation".utf8)

    /// The raw bytes, as sent when the code is used.
    public let bytes: [UInt8]

    /// A fresh random code, whose check symbol is a letter or a digit: five others exist, and what makes links of
    /// addresses in a mail ends a link before most of them. That costs 0.2 bits.
    public static func random() -> InvitationCode { drawn { _ in SystemRandomness.bytes(count) } }

    /// The first of the codes that `draw` makes of 0, 1, … whose check symbol is a letter or a digit. Each has 16
    /// bytes.
    public static func drawn(_ draw: (UInt8) -> [UInt8]) -> InvitationCode {
        for number in UInt8.min ... .max {
            let bytes = draw(number)
            precondition(bytes.count == count, "a code has 16 bytes")
            let code = InvitationCode(unchecked: bytes)
            if code.symbols.utf8.last.map(Self.isPlain) ?? false { return code }
        }
        // Seven of eight are: 256 others in a row do not happen.
        preconditionFailure("no code was drawn")
    }

    /// True for the check symbols that are also digits of the code.
    private static func isPlain(_ symbol: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(symbol)
            || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(symbol) && symbol != UInt8(ascii: "U")
    }

    private init(unchecked bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Takes 16 bytes; nil for any other length.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.count else { return nil }
        self.bytes = bytes
    }

    /// Reads what a person typed: 27 symbols in any case, with or without spaces and hyphens; nil for anything else or
    /// if the check symbol is wrong.
    public init?(text: some StringProtocol) {
        guard let code = try? InvitationCode(typed: text) else { return nil }
        self = code
    }

    /// The same. Throws why it is no code.
    public init(typed text: some StringProtocol) throws(CrockfordBase32.Fault) {
        let number = try CrockfordBase32.decode(text)
        var bytes: [UInt8] = []
        bytes.appendInteger(number)
        self.bytes = bytes
    }

    /// 27 symbols without hyphens, as in a link.
    public var symbols: String {
        CrockfordBase32.encode(bytes.reduce(0) { $0 << 8 | UInt128($1) })
    }

    /// The symbols in groups of 5-5-5-5-5-2, for a letter.
    public var text: String {
        let symbols = Array(symbols)
        return stride(from: 0, to: symbols.count, by: 5)
            .map { String(symbols[$0..<min($0 + 5, symbols.count)]) }
            .joined(separator: "-")
    }

    /// `codeHash = SHA-256("roundrobin-v1 invitation" || code)`.
    public var hash: Bytes32 {
        SHA256.hash(Self.hashLabel + bytes)
    }
}

/// Why a text is not an invitation link.
public enum InvitationLinkError: Error, Equatable, Sendable {
    /// It is not a roll's link with a `#`.
    case notALink
    /// It names a roll by its id, not by the link that all people share: it may have been made for one person.
    case namesAnID
    /// What follows the `#` is not a code, or was mistyped.
    case badCode
}

/// The link (and QR code) of an invitation: a roll's link, with the code after `#`, which browsers do not send.
public struct InvitationLink: Sendable {
    /// The roll to enrol in.
    public let roll: RollLink
    /// The code.
    public let code: InvitationCode

    /// A link for a letter.
    public init(roll: RollLink, code: InvitationCode) {
        self.roll = roll
        self.code = code
    }

    /// Reads a link: a roll's link, `#`, and a valid code.
    public init(parsing text: String) throws(InvitationLinkError) {
        let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let url = ServiceURL(String(parts[0])) else { throw .notALink }
        guard let roll = RollLink(url) else {
            throw RollLink.namesAnID(url) ? .namesAnID : .notALink
        }
        guard let code = InvitationCode(text: parts[1]) else { throw .badCode }
        self.init(roll: roll, code: code)
    }

    /// `<C>/rolls/<slug>#<27 symbols>`.
    public var text: String { "\(roll.url.text)#\(code.symbols)" }
}
