/// A url in the form that documents allow: with only one spelling, and compared byte for byte (`Protocol/documents.md`,
/// "Urls").
///
/// `https`, or `http` for this machine and onion services; a lower-case ASCII host; the port only if it is not the
/// default; path segments `[a-z0-9._-]+`; no trailing slash, user, query or fragment.
public struct ServiceURL: Hashable, Sendable, CustomStringConvertible {
    private static let localHosts: Set<String> = ["localhost", "127.0.0.1", "[::1]"]

    private static let privateDomains: Set<String> = ["localhost", "local", "internal", "lan", "arpa"]

    /// The url as written.
    public let text: String
    /// True for `http`, which is allowed only where traffic stays on the machine or Tor protects it.
    public let isPlain: Bool
    /// The host as written, including brackets.
    public let host: String
    /// The port, explicit or the scheme's default.
    public let port: Int
    /// The path's segments.
    public let segments: [String]

    /// Reads a url; nil unless it is in the allowed form.
    public init?(_ text: String) {
        guard let isPlain = text.hasPrefix("https://") ? false : text.hasPrefix("http://") ? true : nil else {
            return nil
        }
        let parts = text.dropFirst(isPlain ? 7 : 8).split(separator: "/", omittingEmptySubsequences: false)
        guard let authority = parts.first, let (host, explicitPort) = Self.authority(authority) else { return nil }
        guard !isPlain || Self.localHosts.contains(host) || host.hasSuffix(".onion") else { return nil }
        let defaultPort = isPlain ? 80 : 443
        guard explicitPort != defaultPort else { return nil }
        guard parts.dropFirst().allSatisfy(Self.isSegment) else { return nil }
        self.text = text
        self.isPlain = isPlain
        self.host = host
        port = explicitPort ?? defaultPort
        segments = parts.dropFirst().map(String.init)
    }

    private static func authority(_ text: Substring) -> (host: String, port: Int?)? {
        guard let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") else {
            return isHost(text) ? (String(text), nil) : nil
        }
        let digits = text[text.index(after: colon)...]
        guard isHost(text[..<colon]), !digits.isEmpty, digits.first != "0",
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(digits), port <= 65_535
        else { return nil }
        return (String(text[..<colon]), port)
    }

    private static func isHost(_ text: Substring) -> Bool {
        if text == "[::1]" { return true }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        // Resolvers take any text that ends in a number for an address: `127.1`, `0177.0.0.1`, `10.0x1`.
        if let last = labels.last, isNumber(last) { return isAddress(labels) }
        return text.utf8.count <= 253
            && labels.allSatisfy { label in
                !label.isEmpty && label.utf8.count <= 63 && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy { isLowerOrDigit($0) || $0 == UInt8(ascii: "-") }
            }
    }

    private static func isNumber(_ label: Substring) -> Bool {
        label.utf8.first.map { (0x30...0x39).contains($0) } ?? false
            && (label.hasPrefix("0x") || label.utf8.allSatisfy { (0x30...0x39).contains($0) })
    }

    /// True for four decimal numbers up to 255 without leading zeros.
    private static func isAddress(_ labels: [Substring]) -> Bool {
        labels.count == 4 && labels.allSatisfy { label in UInt8(label).map { String($0) == label } ?? false }
    }

    /// True for `[a-z0-9._-]+`, but neither `.` nor `..`.
    static func isSegment(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text != "." && text != ".."
            && text.utf8.allSatisfy { isLowerOrDigit($0) || [0x2E, 0x5F, 0x2D].contains($0) }
    }

    private static func isLowerOrDigit(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
    }

    /// True for a host that is, or is only known, in a network of its own: this machine, a private address, a name
    /// without a dot or under a domain for such networks (RFC 1918, 6762, 6890, 8375). A name that is public may still
    /// lead there.
    public var isPrivate: Bool {
        if Self.localHosts.contains(host) { return true }
        let labels = host.split(separator: ".")
        let numbers = labels.compactMap { UInt8($0) }
        guard labels.count == 4, numbers.count == 4 else {
            return labels.count < 2 || Self.privateDomains.contains(String(labels[labels.count - 1]))
        }
        return switch (numbers[0], numbers[1]) {
        case (0, _), (10, _), (127, _), (100, 64...127), (169, 254), (172, 16...31), (192, 168): true
        default: numbers[0] >= 224
        }
    }

    /// The url without its scheme, which serves as the name of keys and logs.
    public var bare: String { String(text.dropFirst(isPlain ? 7 : 8)) }

    /// Scheme, host and port, as browsers name where a page comes from (RFC 6454).
    public var origin: String { String(text.dropLast(path.utf8.count)) }

    /// The path, empty or starting with a slash.
    public var path: String { segments.map { "/" + $0 }.joined() }

    /// The url with more segments; nil if one of them is not allowed.
    public func appending(_ more: String...) -> ServiceURL? {
        guard more.allSatisfy(Self.isSegment) else { return nil }
        return ServiceURL(([text] + more).joined(separator: "/"))
    }

    /// The url without its last `count` segments; nil if it has fewer.
    public func removingLast(_ count: Int) -> ServiceURL? {
        guard segments.count >= count else { return nil }
        let length = segments.suffix(count).reduce(0) { $0 + $1.utf8.count + 1 }
        return ServiceURL(String(text.dropLast(length)))
    }

    /// The url as written.
    public var description: String { text }
}
