/// Links as mail filters rewrite them, so that a click asks the filter first: Safe Links of Microsoft, and URL Defense
/// of Proofpoint in its three versions.
enum RewrittenLink {
    private static let deepest = 4
    private static let safeLinks = [
        "safelinks.protection.outlook.com", "safelinks.protection.office365.us", "safelinks.protection.apps.mil",
        "safelinks.protection.partner.outlook.cn", "statics.teams.cdn.office.net",
    ]
    private static let urlDefense = ["urldefense.com", "urldefense.us", "urldefense.proofpoint.com"]

    /// What a link was before, also if several filters rewrote it; the same text if none did that is known here.
    static func original(_ text: String) -> String {
        var text = text
        for _ in 0..<deepest {
            guard let inner = unwrapped(text) ?? decodedWhole(text) else { break }
            text = inner
        }
        return text
    }

    private static func unwrapped(_ text: String) -> String? {
        guard let (host, rest) = split(Array(text.utf8)) else { return nil }
        if safeLinks.contains(where: { isBelow(host, $0) }) {
            return parameter("url", in: rest).map { withFragment($0, of: rest) }
        }
        guard urlDefense.contains(where: { isBelow(host, $0) }) else { return nil }
        if rest.starts(with: Array("/v3/__".utf8)) {
            return third(rest.dropFirst(6)).map { withFragment($0, of: rest) }
        }
        guard let found = parameter("u", in: rest) else { return nil }
        return withFragment(rest.starts(with: Array("/v2/".utf8)) ? second(found) : found, of: rest)
    }

    /// A link whose scheme is percent-encoded is so as a whole.
    private static func decodedWhole(_ text: String) -> String? {
        let start = text.utf8.prefix(8).map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
        guard ["https%3a", "http%3a"].contains(where: { start.starts(with: $0.utf8) }) else { return nil }
        return String(decoding: percentDecoded(Array(text.utf8)[...]), as: UTF8.self)
    }

    /// The host in lower case, and what follows it. Nil for what a browser would not take to this host: everything else
    /// in front of the path could make it another, or look like another.
    private static func split(_ text: [UInt8]) -> (host: [UInt8], rest: ArraySlice<UInt8>)? {
        let lower = text.prefix(512).map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
        guard let scheme = ["https://", "http://"].map({ Array($0.utf8) }).first(where: { lower.starts(with: $0) })
        else { return nil }
        let after = text.dropFirst(scheme.count)
        let ends = Array("/?#\\".utf8)
        let authority = after.prefix { !ends.contains($0) }
        var host = lower.dropFirst(scheme.count).prefix(authority.count)
        if host.suffix(4).elementsEqual(":443".utf8) { host = host.dropLast(4) }
        let isPlain = host.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".")
                || $0 == UInt8(ascii: "-")
        }
        guard isPlain else { return nil }
        return (Array(host), after.dropFirst(authority.count))
    }

    private static func isBelow(_ host: [UInt8], _ domain: String) -> Bool {
        let domain = Array(domain.utf8)
        return host == domain || host.suffix(domain.count + 1).elementsEqual([UInt8(ascii: ".")] + domain)
    }

    /// A parameter of the query, percent-decoded.
    private static func parameter(_ name: String, in rest: ArraySlice<UInt8>) -> [UInt8]? {
        guard let mark = rest.firstIndex(of: UInt8(ascii: "?")) else { return nil }
        let query = rest[(mark + 1)...].prefix { $0 != UInt8(ascii: "#") }
        let start = Array("\(name)=".utf8)
        // As in a page's source, an ampersand may still be written as an entity.
        for field in query.split(separator: UInt8(ascii: "&")) {
            let plain = field.starts(with: Array("amp;".utf8)) ? field.dropFirst(4) : field
            let key = plain.prefix(start.count).map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
            if key == start { return percentDecoded(plain.dropFirst(start.count)) }
        }
        return nil
    }

    /// The inner link, with the fragment of the outer one if it has none itself: some filters leave that behind.
    private static func withFragment(_ inner: [UInt8], of rest: ArraySlice<UInt8>) -> String {
        let hash = UInt8(ascii: "#")
        let hasHash = inner.contains(hash) || inner.indices.contains { inner[$0...].starts(with: Array("%23".utf8)) }
        return String(decoding: inner + (hasHash ? [] : rest.drop { $0 != hash }), as: UTF8.self)
    }

    /// Version 2 writes `-` for `%` and `_` for `/`.
    private static func second(_ found: [UInt8]) -> [UInt8] {
        let written = found.map { byte in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "%")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: byte
            }
        }
        return percentDecoded(written[...])
    }

    /// Version 3 has the link between `__` and `__;`, with `*` in place of each character that it does not like, or
    /// `**` and a length in place of several; these follow in base 64.
    private static func third(_ rest: ArraySlice<UInt8>) -> [UInt8]? {
        let ends = ["__;", "__%3B", "__%3b"].map { Array($0.utf8) }
        for end in ends {
            guard let close = rest.indices.first(where: { rest[$0...].starts(with: end) }) else { continue }
            return third(rest[..<close], rest[(close + end.count)...].prefix { $0 != UInt8(ascii: "!") })
        }
        return nil
    }

    private static func third(_ link: ArraySlice<UInt8>, _ encoded: ArraySlice<UInt8>) -> [UInt8]? {
        guard var replaced = base64Decoded(encoded)?[...] else { return nil }
        var (written, link) = (link, [UInt8]())
        while let byte = written.popFirst() {
            guard byte == UInt8(ascii: "*") else {
                link.append(byte)
                continue
            }
            var count = 1
            if written.first == UInt8(ascii: "*"), let digit = written.dropFirst().first.flatMap(base64Value) {
                count = digit + 2
                written = written.dropFirst(2)
            }
            guard replaced.count >= count else { return nil }
            link += replaced.prefix(count)
            replaced = replaced.dropFirst(count)
        }
        // One of the two slashes after the scheme may be lost.
        for scheme in ["https:/", "http:/"].map({ Array($0.utf8) })
        where link.starts(with: scheme) && !link.dropFirst(scheme.count).starts(with: [UInt8(ascii: "/")]) {
            link.insert(UInt8(ascii: "/"), at: scheme.count)
        }
        return link
    }

    private static func base64Value(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(byte) - 0x41
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(byte) - 0x61 + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte) - 0x30 + 52
        case UInt8(ascii: "-"), UInt8(ascii: "+"): 62
        case UInt8(ascii: "_"), UInt8(ascii: "/"): 63
        default: nil
        }
    }

    /// Base 64 in either alphabet, with or without padding.
    private static func base64Decoded(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var (bytes, bits, count) = ([UInt8](), 0, 0)
        for byte in text where byte != UInt8(ascii: "=") {
            guard let value = base64Value(byte) else { return nil }
            (bits, count) = ((bits << 6 | value) & 0xFFFF, count + 6)
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        return bytes
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - 0x30
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - 0x61 + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - 0x41 + 10
        default: nil
        }
    }

    /// Replaces `%XX` by the byte; leaves a `%` without two digits as it is.
    private static func percentDecoded(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var (bytes, rest) = ([UInt8](), text)
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let high = rest.first.flatMap(hexValue),
                let low = rest.dropFirst().first.flatMap(hexValue)
            {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}
