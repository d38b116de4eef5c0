/// Links as mail filters rewrite them, so that a click asks the filter first: Safe Links of Microsoft, and URL Defense
/// of Proofpoint in its three versions.
enum RewrittenLink {
    private static let deepest = 4

    /// What a link was before, also if several filters rewrote it; the same text if none did that is known here.
    static func original(_ text: String) -> String {
        var text = text
        for _ in 0..<deepest {
            guard let inner = unwrapped(text) else { break }
            text = inner
        }
        return text
    }

    private static func unwrapped(_ text: String) -> String? {
        guard let (host, rest) = split(Array(text.utf8)) else { return nil }
        if isBelow(host, "safelinks.protection.outlook.com") || isBelow(host, "safelinks.protection.office365.us") {
            return parameter("url", in: rest).map(withFragment(of: rest))
        }
        guard
            isBelow(host, "urldefense.com") || isBelow(host, "urldefense.us")
                || host == Array("urldefense.proofpoint.com".utf8)
        else { return nil }
        if rest.starts(with: Array("/v3/__".utf8)) { return third(rest.dropFirst(6)) }
        guard let found = parameter("u", in: rest) else { return nil }
        return rest.starts(with: Array("/v2/".utf8)) ? second(found) : withFragment(of: rest)(found)
    }

    /// The host in lower case, and what follows it.
    private static func split(_ text: [UInt8]) -> (host: [UInt8], rest: ArraySlice<UInt8>)? {
        let mark = Array("://".utf8)
        guard let index = text.indices.first(where: { text[$0...].starts(with: mark) }), index <= 5 else { return nil }
        let after = text[(index + mark.count)...]
        let host = after.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
        return (host.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }, after.dropFirst(host.count))
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
            if plain.starts(with: start) { return percentDecoded(plain.dropFirst(start.count)) }
        }
        return nil
    }

    /// The inner link, with the fragment of the outer one if it has none itself: some filters leave that behind.
    private static func withFragment(of rest: ArraySlice<UInt8>) -> ([UInt8]) -> String {
        { inner in
            let hash = UInt8(ascii: "#")
            let fragment = inner.contains(hash) ? [] : rest.drop { $0 != hash }
            return String(decoding: inner + fragment, as: UTF8.self)
        }
    }

    /// Version 2 writes `-` for `%` and `_` for `/`.
    private static func second(_ found: [UInt8]) -> String {
        let written = found.map { byte in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "%")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: byte
            }
        }
        return String(decoding: percentDecoded(written[...]), as: UTF8.self)
    }

    /// Version 3 has the link between `__` and `__;`, with `*` in place of each character that it does not like, or
    /// `**` and a length in place of several; these follow in base 64.
    private static func third(_ rest: ArraySlice<UInt8>) -> String? {
        let end = Array("__;".utf8)
        guard let close = rest.indices.first(where: { rest[$0...].starts(with: end) }) else { return nil }
        let encoded = rest[(close + end.count)...].prefix { $0 != UInt8(ascii: "!") }
        guard var replaced = base64Decoded(encoded)?[...] else { return nil }
        var (link, written) = ([UInt8](), rest[..<close])
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
        return String(decoding: link, as: UTF8.self)
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
