import Documents
import Petitions

/// An entry of the list of petitions that coordinators and aggregators serve (`GET C/petitions`, `GET A/petitions`).
/// Nothing in it is proven; it only serves to find addresses.
public struct PetitionListing: Equatable, Sendable {
    /// The petition's id.
    public let id: PetitionID
    /// The title.
    public let title: String
    /// The first moment at which signing is possible.
    public let opens: UTCTime
    /// The last moment at which signing is possible.
    public let closes: UTCTime
    /// The petition's address.
    public let url: ServiceURL

    /// The entry of `petition`, whose address is `url`.
    public init(_ petition: PetitionManifest, url: ServiceURL) {
        id = petition.id
        title = petition.text.title
        opens = petition.text.opens
        closes = petition.text.closes
        self.url = url
    }

    private init(_ fields: JSONFields) throws(DocumentError) {
        var fields = fields
        id = PetitionID(try fields.id("id"))
        title = try fields.string("title", limit: DocumentLimits.line)
        opens = try fields.time("opens")
        closes = try fields.time("closes")
        url = try fields.url("url")
    }

    /// Reads a list. Ignores unknown fields.
    public static func list(parsing body: [UInt8]) throws(DocumentError) -> [PetitionListing] {
        var list: [PetitionListing] = []
        for fields in try JSONFields.list(parsing: body) { list.append(try PetitionListing(fields)) }
        return list
    }

    /// The body of the answer with the list.
    public static func json(_ list: [PetitionListing]) -> String {
        JSONValue.array(
            list.map { entry in
                .object([
                    ("id", .string(entry.id.hex)), ("title", .string(entry.title)),
                    ("opens", .string(entry.opens.description)), ("closes", .string(entry.closes.description)),
                    ("url", .string(entry.url.text)),
                ])
            }
        ).text(isPretty: false)
    }
}
