import Bytes
import MailDelivery

/// A message that came to the mailbox for bounces: about which mail it is, and what it says (RFC 3464). Anybody can
/// write one, so it is believed for nothing but a mark.
public struct BounceReport: Equatable, Sendable {
    /// How much of a message is read, in bytes.
    public static let readLimit = 1 << 20

    /// What a message says.
    public enum Meaning: Equatable, Sendable {
        /// The mail was not delivered, and will not be.
        case failed
        /// It is not delivered yet.
        case delayed
        /// Something else: an absence note, an answer, a confirmation.
        case other
    }

    /// The mail that it is about.
    public let token: MailToken
    /// What it says.
    public let meaning: Meaning
    /// The enhanced status code and what the server said, as one line; may be empty.
    public let text: String

    /// Reads a message that came to `bounces`, with a token after a `+`. Nil if no such address is in it.
    public init?(_ message: [UInt8], bounces: MailAddress) {
        let bytes = message.prefix(Self.readLimit)
        guard let token = Self.token(in: bytes, bounces) else { return nil }
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
            String(decoding: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self)
        }
        self.token = token
        let action = Self.value(of: "action", in: lines)?.lowercased()
        let status = Self.value(of: "status", in: lines) ?? ""
        let diagnostic = Self.value(of: "diagnostic-code", in: lines) ?? ""
        text = SMTPReply.oneLine("\(status) \(diagnostic)")
        meaning =
            switch action?.prefix(while: { $0.isLetter }) {
            case "failed": .failed
            case "delayed": .delayed
            case nil: Self.isFromMailer(lines) ? .failed : .other
            default: .other
            }
    }

    /// The first `bounces+TOKEN@domain` in the message, whichever header or part has it.
    private static func token(in bytes: ArraySlice<UInt8>, _ bounces: MailAddress) -> MailToken? {
        let start = Array("\(bounces.localPart)+".lowercased().utf8)
        let end = Array("@\(bounces.domain)".utf8)
        let digits = 2 * MailToken.count
        let folded = bytes.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
        guard folded.count >= start.count + digits + end.count, let first = start.first else { return nil }
        var index = 0
        while let found = folded[index...].firstIndex(of: first) {
            index = found + 1
            let rest = folded[found...]
            guard rest.starts(with: start) else { continue }
            let behind = rest.dropFirst(start.count)
            guard behind.dropFirst(digits).starts(with: end),
                let token = MailToken(text: String(decoding: behind.prefix(digits), as: UTF8.self))
            else { continue }
            return token
        }
        return nil
    }

    /// The value of the first field of this name in any part.
    private static func value(of name: String, in lines: [String]) -> String? {
        for line in lines where line.utf8.count > name.utf8.count {
            guard line.prefix(name.count).lowercased() == name, line.dropFirst(name.count).first == ":" else {
                continue
            }
            return String(line.dropFirst(name.count + 1).drop { $0 == " " || $0 == "\t" })
        }
        return nil
    }

    /// True for what a mail system wrote that makes no reports. That there is no return path tells nothing: notes of
    /// absence have none either (RFC 3834).
    private static func isFromMailer(_ lines: [String]) -> Bool {
        let head = lines.prefix { !$0.isEmpty }.map { $0.lowercased() }
        return head.contains { $0.hasPrefix("from:") && $0.contains("mailer-daemon") }
            && !head.contains { $0.hasPrefix("auto-submitted: auto-replied") }
    }
}
