import Documents
import Petitions

/// The answer to `POST R/join`.
public enum JoinAnswer: Equatable, Sendable {
    /// 202: the key is stored, and will be in one of the next rings.
    case pending
    /// 200: the key is in the ring with this number.
    case sealed(ring: UInt32)

    /// Reads an answer. Ignores unknown fields.
    public init(parsing body: [UInt8]) throws(DocumentError) {
        var fields = try JSONFields(parsing: body)
        switch try fields.string("status", limit: DocumentLimits.line) {
        case "pending": self = .pending
        case "sealed": self = .sealed(ring: UInt32(try fields.integer("ring", in: 0...UInt64(UInt32.max))))
        default: throw .invalid(field: "status", reason: "is neither pending nor sealed")
        }
    }

    /// The body.
    public var json: String {
        let fields: [(name: String, value: JSONValue)] =
            switch self {
            case .pending: [("status", .string("pending"))]
            case .sealed(let ring): [("status", .string("sealed")), ("ring", .integer(UInt64(ring)))]
            }
        return JSONValue.object(fields).text(isPretty: false)
    }
}
