import Bytes

/// An invitation as a person copies it from a letter or a mail: the link with its code, however a mail program changed
/// it (``PastedAddress``), or link and code apart.
public struct PastedInvitation: Sendable {
    /// Why a text is no invitation.
    public enum Fault: Error, Equatable, Sendable {
        /// It is no address at all.
        case address(PastedAddress.Fault)
        /// It is the address of something else.
        case notALink
        /// It names a roll by its id, not by the link that all people share: it may have been made for one person.
        case namesAnID
        /// The code is none.
        case code(CrockfordBase32.Fault)
        /// There are two codes, and they differ.
        case twoCodes
    }

    /// The roll to enrol in.
    public let roll: RollLink
    /// The code; nil if the text has none, since it was copied without, or a mail program dropped it.
    public let code: InvitationCode?

    /// Reads what was copied; `code` is what was typed apart, perhaps in groups, or empty.
    public init(_ pasted: String, code typed: String = "") throws(Fault) {
        let (link, behind) = Self.apart(pasted)
        let address: PastedAddress
        do { address = try PastedAddress(link) } catch { throw .address(error) }
        guard let roll = RollLink(address.url) else {
            throw RollLink.namesAnID(address.url) ? .namesAnID : .notALink
        }
        self.roll = roll
        var codes: [InvitationCode] = []
        for text in [address.fragment ?? "", behind, typed] {
            let text = Self.bare(text)
            guard !text.isEmpty else { continue }
            do { codes.append(try InvitationCode(typed: text)) } catch { throw .code(error) }
        }
        guard codes.allSatisfy({ $0.bytes == codes[0].bytes }) else { throw .twoCodes }
        code = codes.first
    }

    /// Divides a text in which a code follows a link without one: after white space and perhaps a word.
    private static func apart(_ pasted: String) -> (link: String, code: String) {
        let scalars = pasted.unicodeScalars
        guard !scalars.contains("#") else { return (pasted, "") }
        for index in scalars.indices where scalars[index].properties.isWhitespace {
            let behind = String(scalars[index...])
            if InvitationCode(text: bare(behind)) != nil { return (words(scalars[..<index]), behind) }
        }
        return (pasted, "")
    }

    /// What is before a code, without a last word such as `Code:`.
    private static func words(_ text: Substring.UnicodeScalarView) -> String {
        var text = text
        while let last = text.last, last.properties.isWhitespace { text.removeLast() }
        guard text.last == ":", let space = text.lastIndex(where: { $0.properties.isWhitespace }) else {
            return String(text)
        }
        return String(text[..<space])
    }

    /// A code without what a sentence or a mail program puts around it.
    private static func bare(_ text: String) -> String {
        let around = "<>()[]\"'“”„‘’«»`.,;:!".unicodeScalars
        var scalars = text.unicodeScalars.filter {
            !$0.properties.isWhitespace && $0.value != 0xAD && $0.value != 0x200B
        }[...]
        while let first = scalars.first, around.contains(first) { scalars.removeFirst() }
        while let last = scalars.last, around.contains(last) { scalars.removeLast() }
        return String(scalars)
    }
}
