import Bytes
import Documents

/// A mail of plain text for one person (RFC 5322), from a program that nobody can talk with (RFC 3834).
///
/// Nothing in it is loaded from elsewhere or tells the sender that it was read.
public struct MailMessage: Sendable {
    /// The most bytes of a line, without its end (RFC 5322 section 2.1.1).
    public static let longestLine = 998
    /// The most bytes of a text.
    public static let largestText = 64 * 1024

    /// Why a mail cannot be made.
    public enum Fault: Error, Equatable, Sendable {
        /// The subject has a line break or another control character, or is longer than 900 bytes.
        case subject
        /// This line of the text is longer than 998 bytes, or has a control character other than a tab.
        case line(Int)
        /// The text has more than 64 KiB.
        case tooLarge
    }

    /// Who sends it.
    public let from: Mailbox
    /// Who gets it.
    public let to: MailAddress
    /// The subject.
    public let subject: String
    /// The lines of the text.
    public let lines: [String]
    /// When it was written. The same on each try.
    public let date: UTCTime
    /// The part of the Message-ID before the `@`: letters and digits. The same on each try.
    public let id: String
    /// A language tag (RFC 5646).
    public let language: String
    /// An address at which one POST stops further mails (RFC 8058).
    public let unsubscribe: ServiceURL?

    /// A mail with these parts. Throws a ``Fault`` if it could not be sent as it is.
    public init(
        from: Mailbox, to: MailAddress, subject: String, text: String, date: UTCTime, id: String, language: String,
        unsubscribe: ServiceURL? = nil
    ) throws(Fault) {
        guard Self.isPlain(subject), (1...900).contains(subject.utf8.count) else { throw .subject }
        guard text.utf8.count <= Self.largestText else { throw .tooLarge }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for (index, line) in lines.enumerated() {
            guard line.utf8.count <= Self.longestLine, Self.isPlain(line.replacing("\t", with: " ")) else {
                throw .line(index + 1)
            }
        }
        (self.from, self.to, self.subject, self.lines) = (from, to, subject, lines)
        (self.date, self.id, self.language, self.unsubscribe) = (date, id, language, unsubscribe)
    }

    static func isPlain(_ text: String) -> Bool {
        // U+2028 and U+2029 are line breaks to some programs.
        text.unicodeScalars.allSatisfy {
            $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) && $0 != "\u{2028}" && $0 != "\u{2029}"
        }
    }

    /// The mail as it is sent, each line ended by `lineEnd`.
    public func bytes(lineEnd: String = "\r\n") -> [UInt8] {
        // What ends with a space or begins with "From " is changed by some programs on the way.
        let isSafe = lines.allSatisfy { line in
            line.utf8.allSatisfy { $0 < 0x80 } && line.utf8.last != UInt8(ascii: " ")
                && !line.utf8.starts(with: "From ".utf8)
        }
        var head = [
            "Date: \(Self.text(of: date))",
            "From: \(Self.mailbox(from))",
            "To: <\(to.text)>",
            "Subject: \(EncodedWords.text(subject, after: "Subject: ".utf8.count))",
            "Message-ID: <\(id)@\(from.address.domain)>",
            "Auto-Submitted: auto-generated",
        ]
        if let unsubscribe {
            head += ["List-Unsubscribe: <\(unsubscribe.text)>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"]
        }
        head += [
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: \(isSafe ? "7bit" : "quoted-printable")",
            "Content-Language: \(language)",
            "",
        ]
        let body = isSafe ? lines : lines.flatMap(QuotedPrintable.lines)
        let folded = head.flatMap { $0.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
        return Array((folded + body).map { $0 + lineEnd }.joined().utf8)
    }

    private static func mailbox(_ mailbox: Mailbox) -> String {
        guard !mailbox.name.isEmpty else { return "<\(mailbox.address.text)>" }
        // A quoted string (RFC 5322 section 3.2.4), or words that are encoded, the address in a line of its own.
        let quoted = mailbox.name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        let name =
            mailbox.name.utf8.allSatisfy { $0 < 0x80 }
            ? "\"\(quoted)\"" : EncodedWords.text(mailbox.name, after: "From: ".utf8.count, always: true) + "\n"
        return "\(name) <\(mailbox.address.text)>"
    }

    /// RFC 5322 section 3.3, in UTC.
    static func text(of time: UTCTime) -> String {
        let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let date = time.date
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        // The first of January 1970 was a Thursday.
        let days = (time.seconds - (date.hour * 3600 + date.minute * 60 + date.second)) / 86_400
        let weekday = weekdays[Int(((days % 7) + 7) % 7)]
        return "\(weekday), \(date.day) \(months[Int(date.month) - 1]) \(date.year) "
            + "\(two(date.hour)):\(two(date.minute)):\(two(date.second)) +0000"
    }
}

/// Words of headers that are not in ASCII (RFC 2047, encoding B).
enum EncodedWords {
    /// The most bytes of text in one word, so that no line is longer than 75.
    private static let bytesPerWord = 36

    /// `text`, encoded if it has to be or `always`; it comes after so many bytes of its line. Has `\n` where it folds.
    static func text(_ text: String, after: Int, always: Bool = false) -> String {
        let isPlain =
            text.utf8.allSatisfy { $0 < 0x80 } && !text.contains("=?") && text.utf8.count + after <= 76
            && text.first != " " && text.last != " "
        guard always || !isPlain else { return text }
        var words: [[UInt8]] = [[]]
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            // A word holds whole characters.
            if let last = words.last, last.count + bytes.count > bytesPerWord { words.append([]) }
            words[words.count - 1] += bytes
        }
        return words.map { "=?utf-8?B?\(Base64.encode($0))?=" }.joined(separator: "\n ")
    }
}

/// Lines that pass every mail server unchanged (RFC 2045 section 6.7).
enum QuotedPrintable {
    private static let longest = 76
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// The lines that stand for one line of text.
    static func lines(_ line: String) -> [String] {
        var lines: [String] = []
        var current: [UInt8] = []
        let bytes = Array(line.utf8)
        for (index, byte) in bytes.enumerated() {
            let isLast = index == bytes.count - 1
            let isSpace = byte == 0x20 || byte == 0x09
            // "From" and a dot at the start of a line are changed by some servers.
            let isRisky = current.isEmpty && (byte == UInt8(ascii: "F") || byte == UInt8(ascii: "."))
            let isPlain = (0x20..<0x7F).contains(byte) && byte != UInt8(ascii: "=") || byte == 0x09
            let isLiteral = isPlain && !isRisky && !(isSpace && isLast)
            let encoded = isLiteral ? [byte] : [UInt8(ascii: "="), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            // One column is left for the "=" of a line that goes on.
            if current.count + encoded.count > longest - (isLast ? 0 : 1) {
                lines.append(String(decoding: current + [UInt8(ascii: "=")], as: UTF8.self))
                current = []
            }
            current += encoded
        }
        return lines + [String(decoding: current, as: UTF8.self)]
    }
}
