import Documents
import Petitions

/// Addresses that a person types or pastes, and what is said when they are none.
public enum AddressText {
    /// The base url of a server.
    public static func server(_ text: String) throws -> ServiceURL {
        try pasted(text, expected: "the address of a server, such as https://union.example").url
    }

    /// The address of a petition at one of its servers or of a copy on the web: it ends in the petition's id.
    public static func petition(_ text: String) throws -> PetitionAddress {
        let expected = "a petition's address, which ends in its id of 64 digits"
        let url = try pasted(text, expected: expected).url
        for (index, segment) in url.segments.enumerated() {
            // Links on a page go on after the id: the poster, the check of a receipt.
            guard let id = PetitionID(hex: lowercasedHex(segment)) else { continue }
            guard let base = url.removingLast(url.segments.count - index), let whole = base.appending(id.hex) else {
                break
            }
            return PetitionAddress(url: whole, id: id)
        }
        if url.segments.dropLast().last == "p" {
            throw UserError(
                .usage, "\(shown(text)) is the short address for browsers, not \(expected)",
                hint: "open it in a browser, and copy the address that it leads to")
        }
        throw UserError(.usage, "\(shown(text)) is not \(expected)", hint: "copy it from the petition's page")
    }

    /// A petition's id, or the one in its address.
    public static func petitionID(_ text: String) throws -> PetitionID {
        let digits = String(text.unicodeScalars.filter { !$0.properties.isWhitespace })
        if let id = PetitionID(hex: lowercasedHex(digits)) { return id }
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "/") }) else {
            throw UserError(
                .usage, "\(shown(text)) is neither a petition's address nor its id",
                hint: "an id has 64 digits from 0 to 9 and a to f; this has \(digits.unicodeScalars.count) characters")
        }
        return try petition(text).id
    }

    /// A roll's link.
    public static func roll(_ text: String) throws -> RollLink {
        let expected = "a roll's link, which ends in /rolls/ and the roll's name"
        guard let link = RollLink(try pasted(text, expected: expected).url) else {
            throw UserError(
                .usage, "\(shown(text)) is not \(expected)", hint: "copy it from the invitation, up to the #")
        }
        return link
    }

    /// Reads an address, which a message calls `expected`.
    public static func pasted(_ text: String, expected: String) throws -> PastedAddress {
        do { return try PastedAddress(text) } catch {
            let (why, hint) = words(for: error)
            throw UserError(.usage, "\(shown(text)) is not \(expected): \(why)", hint: hint)
        }
    }

    private static func words(for fault: PastedAddress.Fault) -> (why: String, hint: String) {
        switch fault {
        case .empty: ("nothing is left of it", "copy the whole address")
        case .scheme(let scheme): ("it begins with \(shown(scheme)):", "addresses begin with https://")
        case .plain:
            (
                "http can be read and changed on the way",
                "write https://; http is only for this machine and for .onion addresses"
            )
        case .user: ("it names a user", "leave out what stands before the @")
        case .international(let host):
            ("\(shown(host)) is not in ASCII", "write the host in its ASCII form, which begins with xn--")
        case .host(let host): ("\(shown(host)) is no host", "an address looks like https://union.example")
        case .segment(let segment):
            (
                "its part \(shown(segment)) has characters that no such address has",
                "lower-case letters, digits, . _ and - are all there are: copy the address again"
            )
        }
    }

    private static func lowercasedHex(_ text: String) -> String {
        text.utf8.count == 64 ? text.lowercased() : text
    }
}

/// A petition on the web: its address, and the id that it ends in.
public struct PetitionAddress: Equatable, Sendable {
    /// The address, as one writes it.
    public let url: ServiceURL
    /// The id.
    public let id: PetitionID
}
