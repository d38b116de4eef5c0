/// An address as a person pastes it from a page, a mail or a poster: perhaps with brackets around it, a full stop after
/// it, a query, a slash at the end, capitals in the host, without its scheme, with `%23` for `#`, or inside the link of
/// a mail filter. What it means is one ``ServiceURL``.
public struct PastedAddress: Equatable, Sendable {
    /// Why a text is no address.
    public enum Fault: Error, Equatable, Sendable {
        /// Nothing is left of it.
        case empty
        /// It begins with another scheme than `https` or `http`.
        case scheme(String)
        /// It is `http`, where everybody on the way could read and change what is sent.
        case plain
        /// It names a user or a password.
        case user
        /// The host is not in ASCII.
        case international(host: String)
        /// The host or port is no such thing.
        case host(String)
        /// This part of the path has characters that no address of Roundrobin has.
        case segment(String)
    }

    /// The address itself.
    public let url: ServiceURL
    /// What followed the `#`; nil if there was none.
    public let fragment: String?
    /// True if it had a query, which is not part of ``url``.
    public let hadQuery: Bool
    /// True if it was inside the link of a mail filter, which has another host.
    public let wasRewritten: Bool

    private static let open = "<(\"'“”„‘’«»`".unicodeScalars
    private static let close = ">)\"'“”‘’«»`.,;:!".unicodeScalars

    /// Reads what was pasted.
    public init(_ pasted: String) throws(Fault) {
        let outer = Self.bare(pasted.unicodeScalars.filter { !Self.isInvisible($0) }[...])
        let inner = RewrittenLink.original(outer)
        wasRewritten = inner != outer
        let scalars = Self.withHash(
            inner == outer ? outer : Self.bare(inner.unicodeScalars.filter { !Self.isInvisible($0) }[...])
        )
        .unicodeScalars
        let hash = scalars.firstIndex(of: "#")
        // What counts clicks is added at the end, also after a fragment.
        fragment = hash.map { String(scalars[scalars.index(after: $0)...].prefix { $0 != "?" && $0 != "&" }) }
        let whole = scalars[..<(hash ?? scalars.endIndex)]
        let rest = whole.prefix { $0 != "?" }
        hadQuery = rest.count < whole.count
        guard !rest.isEmpty else { throw .empty }
        url = try Self.url(String(rest))
    }

    /// The text without what stands around an address.
    private static func bare(_ text: String.UnicodeScalarView.SubSequence) -> String {
        var scalars = text
        while let first = scalars.first, open.contains(first) { scalars.removeFirst() }
        for prefix in ["URL:", "url:"] where String(scalars).hasPrefix(prefix) { scalars = scalars.dropFirst(4) }
        while let last = scalars.last, close.contains(last) { scalars.removeLast() }
        return String(scalars)
    }

    /// The text with a `#`, if that was written as `%23`, or as that with its `%` written as `%25`, and so on.
    private static func withHash(_ text: String) -> String {
        let bytes = Array(text.utf8)
        guard !bytes.contains(UInt8(ascii: "#")) else { return text }
        let (percent, again, hash) = (UInt8(ascii: "%"), Array("25".utf8), Array("23".utf8))
        for start in bytes.indices where bytes[start] == percent {
            var rest = bytes[(start + 1)...]
            while rest.starts(with: again) { rest = rest.dropFirst(2) }
            guard rest.starts(with: hash) else { continue }
            return String(decoding: bytes[..<start] + [UInt8(ascii: "#")] + rest.dropFirst(2), as: UTF8.self)
        }
        return text
    }

    /// True for white space, also inside, since mails break long lines, and for what no screen shows.
    static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20, 0x09...0x0D, 0x85, 0xA0, 0xAD, 0x034F, 0x1680, 0x180E, 0x2000...0x200F, 0x2028...0x202F,
            0x205F...0x206F, 0x3000, 0xFE0F, 0xFEFF, 0xFFFC:
            true
        default: false
        }
    }

    private static func url(_ text: String) throws(Fault) -> ServiceURL {
        let (scheme, rest) = try split(text)
        var parts = rest.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let written = parts.removeFirst()
        let authority = lowercased(written)
        guard !authority.utf8.contains(UInt8(ascii: "@")) else { throw .user }
        guard authority.utf8.allSatisfy({ $0 < 0x80 }) else { throw .international(host: authority) }
        while parts.last == "" { parts.removeLast() }
        let isLocal = ["localhost", "127.0.0.1", "[::1]"].contains { authority == $0 || authority.hasPrefix($0 + ":") }
        let chosen = scheme ?? (isLocal ? "http" : "https")
        let bare = withoutDefaultPort(authority, chosen)
        guard ServiceURL("https://\(bare)") != nil || ServiceURL("http://\(bare)") != nil else { throw .host(written) }
        guard let base = ServiceURL("\(chosen)://\(bare)") else { throw .plain }
        if let odd = parts.first(where: { !ServiceURL.isSegment($0) }) { throw .segment(odd) }
        guard let url = ServiceURL(([base.text] + parts).joined(separator: "/")) else { throw .host(written) }
        return url
    }

    private static func split(_ text: String) throws(Fault) -> (scheme: String?, rest: String) {
        let bytes = Array(text.utf8)
        let mark = Array("://".utf8)
        guard let index = bytes.indices.first(where: { bytes[$0...].starts(with: mark) }) else {
            // A scheme without slashes, such as mailto:, but not host:8080.
            guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon + 1 < bytes.count,
                !(0x30...0x39).contains(bytes[colon + 1]), bytes[0] != UInt8(ascii: "[")
            else { return (nil, text) }
            throw .scheme(String(decoding: bytes[..<colon], as: UTF8.self))
        }
        let scheme = lowercased(String(decoding: bytes[..<index], as: UTF8.self))
        guard scheme == "https" || scheme == "http" else { throw .scheme(scheme) }
        return (scheme, String(decoding: bytes[(index + mark.count)...], as: UTF8.self))
    }

    /// The host and port without a final dot of the host and without the port that the scheme has anyway.
    private static func withoutDefaultPort(_ authority: String, _ scheme: String) -> String {
        var text = authority
        let port = scheme == "https" ? ":443" : ":80"
        if text.hasSuffix(port) { text = String(text.dropLast(port.count)) }
        if text.hasSuffix(".") { text = String(text.dropLast()) }
        return text
    }

    private static func lowercased(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { (0x41...0x5A).contains($0.value) ? Unicode.Scalar(UInt8($0.value + 32)) : $0 }
            ))
    }
}
