import Petitions
import Documents

/// Asks for an invitation to an open roll (`POST R/request`): a mail with it goes to the address.
public struct InvitationRequest: Equatable, Sendable {
    /// The longest address in bytes.
    public static let longestAddress = 254

    /// The address, as typed.
    public let address: String
    /// The language of the mail, such as `de`; nil for whatever the server chooses.
    public let language: String?

    /// A request for an address.
    public init(address: String, language: String?) {
        self.address = address
        self.language = language
    }

    /// Reads a request. Ignores unknown fields. Throws `malformed-request`.
    public init(parsing body: [UInt8]) throws(Rule) {
        do throws(DocumentError) {
            var fields = try JSONFields(parsing: body)
            address = try fields.string("address", limit: Self.longestAddress)
            language = try fields.optionalString("language", limit: 35)
        } catch { throw .malformedRequest }
    }

    /// The body.
    public var json: String {
        let language = language.map { [(name: "language", value: JSONValue.string($0))] } ?? []
        return JSONValue.object([("address", .string(address))] + language).text(isPretty: false)
    }
}

/// The answer to a request for an invitation (202): the same whether the mailbox is known or not.
public struct RequestAnswer: Equatable, Sendable {
    /// About how many hours mails to this domain wait, so many ask at the moment; 0 for minutes.
    public let hours: UInt64

    /// An answer.
    public init(hours: UInt64) { self.hours = hours }

    /// Reads an answer. Ignores unknown fields.
    public init(parsing body: [UInt8]) throws(DocumentError) {
        var fields = try JSONFields(parsing: body)
        hours = try fields.integer("hours", in: 0...JSONValue.maximumInteger)
    }

    /// The body.
    public var json: String { JSONValue.object([("hours", .integer(hours))]).text(isPretty: false) }
}
