import Bytes

/// An invitation as a person copies it from a letter or a mail: the link with its code, however a mail program changed
/// it (``PastedAddress``), perhaps twice or among other words, or link and code apart.
public struct PastedInvitation: Sendable {
    /// Why a text is no invitation.
    public enum Fault: Error, Equatable, Sendable {
        /// It is longer than anybody's invitation.
        case tooLong
        /// It is no address at all.
        case address(PastedAddress.Fault)
        /// It is a code, and the link is missing.
        case onlyCode
        /// It is the address of something else, at this host.
        case notALink(host: String)
        /// It names a roll by its id, not by the link that all people share: it may have been made for one person.
        case namesAnID
        /// The code is none.
        case code(CrockfordBase32.Fault)
        /// There are two links, of different rolls.
        case twoLinks
        /// There are two codes, and they differ.
        case twoCodes
    }

    /// The longest text in bytes: a mail that was saved whole, with the headers of those who passed it on.
    public static let maximumCount = 64 * 1024

    /// The roll to enrol in.
    public let roll: RollLink
    /// The code; nil if the text has none, since it was copied without, or a mail program dropped it.
    public let code: InvitationCode?
    /// True if the host that the text shows is not that of the roll, but of a mail filter.
    public let wasRewritten: Bool

    /// Reads what was copied; `code` is what was typed apart, perhaps in groups, or empty.
    public init(_ pasted: String, code typed: String = "") throws(Fault) {
        guard pasted.utf8.count + typed.utf8.count <= Self.maximumCount else { throw .tooLong }
        let pasted = SavedMail.text(of: pasted)
        let links = Self.links(in: pasted).compactMap { try? Link($0) }
        let apart = Self.codes(in: pasted)
        let hasHash = pasted.utf8.contains(UInt8(ascii: "#")) || pasted.utf8.contains(UInt8(ascii: "%"))
        var found: [Link]
        if links.contains(where: { $0.code != nil }) || !links.isEmpty && !apart.isEmpty && !hasHash {
            found = links
        } else {
            // White space and line breaks may be inside the link: all of it is taken for one.
            do throws(Fault) { found = [try Link(pasted)] } catch {
                guard error != .namesAnID, !links.isEmpty else {
                    throw links.isEmpty && !apart.isEmpty ? .onlyCode : error
                }
                found = links
            }
        }
        let roll = found[0].roll
        guard found.allSatisfy({ $0.roll == roll }) else { throw .twoLinks }
        var codes = found.compactMap { $0.code } + apart
        var fault = found.compactMap { $0.fault }.first
        let bare = Self.bare(typed)
        if !bare.isEmpty {
            do { codes.append(try InvitationCode(typed: bare)) } catch { fault = error }
        }
        guard codes.allSatisfy({ $0.bytes == codes[0].bytes }) else { throw .twoCodes }
        // A code that cannot be read matters only if no other can.
        if codes.isEmpty, let fault { throw .code(fault) }
        self.roll = roll
        code = codes.first
        wasRewritten = found.contains { $0.wasRewritten }
    }

    /// A link of a roll, with its code or why that is none.
    private struct Link {
        let roll: RollLink
        var code: InvitationCode?
        var fault: CrockfordBase32.Fault?
        let wasRewritten: Bool

        init(_ text: String) throws(Fault) {
            let address: PastedAddress
            do { address = try PastedAddress(text) } catch { throw .address(error) }
            guard let roll = RollLink(address.url) else {
                throw RollLink.namesAnID(address.url) ? .namesAnID : .notALink(host: address.url.host)
            }
            self.roll = roll
            wasRewritten = address.wasRewritten
            let fragment = bare(address.fragment ?? "")
            guard !fragment.isEmpty else { return }
            do { code = try InvitationCode(typed: fragment) } catch { fault = error }
        }
    }

    private static let delimiters = "<>()[]{}|\"'“”„‘’‚‹›«»「」`".unicodeScalars

    private static func words(of text: String) -> [String] {
        text.unicodeScalars.split { $0.properties.isWhitespace || delimiters.contains($0) }.map { String($0) }
    }

    /// Where a link begins in a word; nil if it has none.
    private static func start(ofLinkIn word: [UInt8]) -> Int? {
        let lower = word.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
        return lower.indices.first {
            lower[$0...].starts(with: "https://".utf8) || lower[$0...].starts(with: "http://".utf8)
        }
    }

    /// The pieces of a text that begin with a scheme, each up to white space or what stands around links.
    private static func links(in text: String) -> [String] {
        words(of: text).compactMap { word in
            let bytes = Array(word.utf8)
            return start(ofLinkIn: bytes).map { String(decoding: bytes[$0...], as: UTF8.self) }
        }
    }

    /// The codes in a text, each in one word or in up to six.
    private static func codes(in text: String) -> [InvitationCode] {
        let words = words(of: text).filter { start(ofLinkIn: Array($0.utf8)) == nil }.map { bare($0) }
        var (codes, next) = ([InvitationCode](), 0)
        while next < words.count {
            var (joined, count) = ("", 0)
            var code: InvitationCode?
            while code == nil, count < 6, next + count < words.count, joined.utf8.count < 40 {
                joined += words[next + count]
                count += 1
                code = InvitationCode(text: joined)
            }
            if let code { codes.append(code) }
            next += code == nil ? 1 : count
        }
        return codes
    }

    /// A code without what a sentence or a mail program puts around it.
    private static func bare(_ text: String) -> String {
        let around = ".,;:!?#/\\…。，".unicodeScalars
        var scalars = text.unicodeScalars.filter { !PastedAddress.isInvisible($0) && !delimiters.contains($0) }[...]
        while let first = scalars.first, around.contains(first) { scalars.removeFirst() }
        while let last = scalars.last, around.contains(last) { scalars.removeLast() }
        return String(scalars)
    }
}
