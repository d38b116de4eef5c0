/// The address of a mail server, as an operator types it: `smtps://mail.example.org` or `smtp://host:port`.
public struct MailServer: Equatable, Sendable, CustomStringConvertible {
    /// How the connection is encrypted.
    public enum Encryption: Equatable, Sendable {
        /// From the first byte (RFC 8314).
        case implicit
        /// After STARTTLS (RFC 3207), without which nothing is sent.
        case startTLS
        /// Not at all: the server is on this machine.
        case none
    }

    /// A host name in ASCII, or an IP address, one of version 6 in brackets.
    public let host: String
    /// The port.
    public let port: Int
    /// How the connection is encrypted.
    public let encryption: Encryption

    /// Reads an address; nil for anything else. The port is 465 for `smtps`, 587 for `smtp` (RFC 6409), and 25 on this
    /// machine.
    public init?(_ text: String) {
        guard let separator = text.firstRange(of: "://") else { return nil }
        let scheme = text[..<separator.lowerBound].lowercased()
        guard scheme == "smtp" || scheme == "smtps" else { return nil }
        var rest = text[separator.upperBound...]
        if rest.last == "/" { rest = rest.dropLast() }
        let end = rest.first == "[" ? rest.firstIndex(of: "]").map { rest.index(after: $0) } : rest.firstIndex(of: ":")
        let host = rest[..<(end ?? rest.endIndex)].lowercased()
        let behind = end.map { rest[$0...] } ?? ""
        guard Self.isHost(host) else { return nil }
        let isHere = host == "localhost" || Self.isLoopback(host) || host == "[::1]"
        var port = scheme == "smtps" ? 465 : isHere ? 25 : 587
        if !behind.isEmpty {
            guard behind.first == ":", let number = UInt16(behind.dropFirst()), number > 0,
                String(number) == behind.dropFirst()
            else { return nil }
            port = Int(number)
        }
        self.host = host
        self.port = port
        encryption = scheme == "smtps" ? .implicit : isHere ? .none : .startTLS
    }

    /// The address with its port.
    public var description: String { "\(encryption == .implicit ? "smtps" : "smtp")://\(host):\(port)" }

    /// True for addresses of 127.0.0.0/8, and not for names that only begin like one.
    private static func isLoopback(_ host: String) -> Bool {
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
        return numbers.count == 4 && numbers[0] == "127"
            && numbers.allSatisfy { UInt8($0).map(String.init) == String($0) }
    }

    private static func isHost(_ host: String) -> Bool {
        if host.first == "[" {
            return host.last == "]" && host.utf8.count > 3
                && host.dropFirst().dropLast().utf8.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
                        || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
                }
        }
        return (1...253).contains(host.utf8.count) && host.utf8.first != UInt8(ascii: "-")
            && host.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            }
    }
}
