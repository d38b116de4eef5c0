/// What a mail server answered (RFC 5321 section 4.2).
public struct SMTPReply: Equatable, Sendable, CustomStringConvertible {
    private static let longestText = 200

    /// The three digits.
    public let code: Int
    /// The enhanced status code (RFC 3463), such as `5.1.1`; nil if there is none.
    public let enhanced: String?
    /// What the server says to people: one line of at most 200 bytes without control characters. It may name an
    /// address, so it is shown to the operator and never logged.
    public let text: String

    /// Reads the lines of a reply; nil if they are none.
    public init?(lines: [String]) {
        let replies = lines.compactMap(Self.parts)
        guard let last = replies.last, replies.count == lines.count else { return nil }
        code = last.code
        enhanced = replies.lazy.compactMap { Self.enhancedCode($0.text, class: last.code / 100) }.first
        let words = replies.map { reply in
            Self.enhancedCode(reply.text, class: reply.code / 100).map { String(reply.text.dropFirst($0.utf8.count)) }
                ?? reply.text
        }
        text = Self.kept(words.joined(separator: " "))
    }

    /// A reply with these parts.
    public init(code: Int, enhanced: String?, text: String) {
        (self.code, self.enhanced, self.text) = (code, enhanced, Self.kept(text))
    }

    /// The numbers alone, which name nobody: `550 5.1.1`.
    public var numbers: String { [String(code), enhanced].compactMap { $0 }.joined(separator: " ") }
    /// The numbers and the words.
    public var description: String { text.isEmpty ? numbers : "\(numbers) \(text)" }

    /// Without links and long words, such as a server quotes from a mail: a code or a password may be in them.
    private static func withoutSecrets(_ text: String) -> String {
        text.split(separator: " ").map { word in
            let isName = word.contains("@") || word.contains(".")
            return word.contains("://") || word.contains("#") || word.utf8.count >= 16 && !isName ? "…" : String(word)
        }.joined(separator: " ")
    }

    /// True if the words have a part of `secret`, however it is written.
    public func quotes(_ secret: String) -> Bool { Self.quotes(text, secret) }

    static func quotes(_ text: String, _ secret: String) -> Bool {
        let window = 8
        let plain = Self.letters(text)
        let letters = Array(Self.letters(secret))
        guard letters.count >= window else { return false }
        return (0...(letters.count - window)).contains { plain.contains(String(letters[$0..<$0 + window])) }
    }

    private static func letters(_ text: String) -> String {
        String(text.uppercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber) })
    }

    /// The same without words.
    public var wordless: SMTPReply { SMTPReply(code: code, enhanced: enhanced, text: "") }

    private static func parts(_ line: String) -> (code: Int, text: String)? {
        let bytes = Array(line.utf8)
        guard bytes.count >= 3, bytes[..<3].allSatisfy({ (0x30...0x39).contains($0) }),
            bytes.count == 3 || bytes[3] == UInt8(ascii: " ") || bytes[3] == UInt8(ascii: "-")
        else { return nil }
        let code = bytes[..<3].reduce(0) { $0 * 10 + Int($1 - 0x30) }
        guard (200...599).contains(code) else { return nil }
        return (code, String(decoding: bytes.dropFirst(4), as: UTF8.self))
    }

    /// The code at the start of `text`, if it is of this class.
    static func enhancedCode(_ text: some StringProtocol, class wanted: Int) -> String? {
        let word = text.prefix { $0 != " " }
        let numbers = word.split(separator: ".", omittingEmptySubsequences: false)
        guard numbers.count == 3, numbers[0] == String(wanted), [2, 4, 5].contains(wanted),
            numbers.allSatisfy({ (1...3).contains($0.utf8.count) && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } })
        else { return nil }
        return String(word)
    }

    /// A text from outside as one line of at most 200 bytes, without control characters.
    package static func oneLine(_ text: String) -> String {
        let plain = text.unicodeScalars.map { scalar in
            scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.properties.generalCategory == .format
                ? " " : scalar
        }
        return cut(
            String(String.UnicodeScalarView(plain)).split(separator: " ").joined(separator: " "), to: longestText)
    }

    /// The first scalars of a text, at most so many bytes. By scalars, since a Character of a stranger's text may be
    /// long.
    package static func cut(_ text: String, to limit: Int) -> String {
        var (kept, count) = (String.UnicodeScalarView(), 0)
        for scalar in text.unicodeScalars {
            count += UTF8.width(scalar)
            guard count <= limit else { break }
            kept.append(scalar)
        }
        return String(kept)
    }

    /// What a program or a server says, as it may be kept: one line without what may be a secret.
    static func kept(_ text: String) -> String { withoutSecrets(oneLine(text)) }
}

/// What became of one attempt to hand a mail to a server.
public enum Delivery: Equatable, Sendable {
    /// The server has it, and answers for it from now on.
    case accepted(SMTPReply)
    /// Not now: 4xx for this mail.
    case later(SMTPReply)
    /// Never: 5xx for this recipient or this text.
    case refused(SMTPReply)
    /// The connection ended inside the transaction: the server may have it.
    case unknown(String)
    /// The server could not be spoken with, so that nobody's mail was tried.
    case unreachable(String)
    /// The server takes no mail of ours, or must not be given any, until the operator does something.
    case halted(Halt)
    /// It was told to stop meanwhile.
    case stopped

    /// The same, without the words of a server that quotes `secret`.
    public func without(_ secret: String) -> Delivery {
        switch self {
        case .later(let reply) where reply.quotes(secret): .later(reply.wordless)
        case .refused(let reply) where reply.quotes(secret): .refused(reply.wordless)
        case .accepted(let reply) where reply.quotes(secret): .accepted(reply.wordless)
        case .unknown(let reason) where SMTPReply.quotes(reason, secret): .unknown("")
        case .unreachable(let reason) where SMTPReply.quotes(reason, secret):
            .unreachable("no reason that can be shown")
        case .halted(let halt) where SMTPReply.quotes(halt.explanation, secret):
            .halted(.program("it says what cannot be shown"))
        default: self
        }
    }
}

/// Why no mail may be sent until the operator has looked.
public enum Halt: Equatable, Sendable {
    /// The server's certificate is not one of its name, or not trusted.
    case certificate(String)
    /// The server offers no encryption. Somebody between may have taken the offer away.
    case noEncryption
    /// The user name or the password is wrong.
    case authentication(SMTPReply?)
    /// The server refuses this sender, whoever the recipient is.
    case sender(SMTPReply)
    /// The program that was named cannot be run, or is not set up.
    case program(String)
    /// A file of the settings cannot be read.
    case settings(String)
    /// So many mails in a row were refused: perhaps the sender is refused, and not the recipients.
    case refusals(Int, SMTPReply)

    /// What is wrong, in words. It names no recipient except in the words of a server.
    public var explanation: String {
        switch self {
        case .certificate(let reason): "the server's certificate is not accepted: \(reason)"
        case .noEncryption: "the server offers no encryption (STARTTLS), and nothing is sent without"
        case .authentication(let reply): "the server does not accept user and password\(Self.said(reply))"
        case .sender(let reply): "the server takes no mail from this sender\(Self.said(reply))"
        case .program(let reason): "the program cannot send: \(reason)"
        case .settings(let reason): reason
        case .refusals(let count, let reply): "\(count) mails in a row were refused, the last with \(reply.numbers)"
        }
    }

    /// The same without any words of a server, for logs.
    public var numbers: String {
        switch self {
        case .certificate: "certificate"
        case .noEncryption: "no encryption"
        case .authentication(let reply): "authentication \(reply?.numbers ?? "")"
        case .sender(let reply): "sender \(reply.numbers)"
        case .program: "program"
        case .settings: "settings"
        case .refusals(let count, let reply): "\(count) refusals \(reply.numbers)"
        }
    }

    private static func said(_ reply: SMTPReply?) -> String { reply.map { ": \($0)" } ?? "" }
}

/// When a mail that was not accepted is tried again.
public enum RetrySchedule {
    /// For how many seconds it is tried.
    public static let longest: Int64 = 3 * 86_400
    /// The longest wait between two tries, in seconds.
    public static let longestWait: Int64 = 12 * 3600
    private static let waits: [Int64] = [60, 300, 900, 3600, 4 * 3600, longestWait]

    /// When to try again after so many tries of a mail that was first due at `since`; nil if that would be later than
    /// three days and there were six tries: then it has failed.
    public static func next(afterTries tries: Int, since: Int64, now: Int64) -> Int64? {
        let next = now + waits[max(0, min(tries, waits.count) - 1)]
        // A machine that was off for days has not tried.
        return next - since <= longest || tries < waits.count ? next : nil
    }
}
