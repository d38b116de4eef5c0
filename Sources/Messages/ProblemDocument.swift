import Documents
import Petitions

/// A refusal as servers write it (RFC 9457, `application/problem+json`).
public struct ProblemDocument: Equatable, Sendable {
    private static let prefix = "urn:roundrobin:error:"
    private static let statuses: ClosedRange<UInt64> = 400...599

    /// The name of the broken rule. A reader may not know it: servers may be newer.
    public let rule: String
    /// The HTTP status, 400 to 599.
    public let status: Int
    /// What to do about it, for people.
    public let detail: String
    /// The work with which the same is taken.
    public let work: ProofOfWorkChallenge?

    /// A refusal by `rule`.
    public init(_ rule: Rule, status: Int, detail: String, work: ProofOfWorkChallenge? = nil) {
        self.rule = rule.rawValue
        self.status = status
        self.detail = detail
        self.work = work
    }

    /// Reads a refusal. Fields that it does not know are ignored, and so is work that is more than anybody does.
    public init(parsing body: [UInt8]) throws(DocumentError) {
        var fields = try JSONFields(parsing: body)
        let type = try fields.string("type", limit: DocumentLimits.line)
        guard type.hasPrefix(Self.prefix) else { throw .invalid(field: "type", reason: "is not one of ours") }
        rule = String(type.dropFirst(Self.prefix.count))
        _ = try fields.string("title", limit: DocumentLimits.line)
        status = Int(try fields.integer("status", in: Self.statuses))
        detail = try fields.string("detail", limit: 1000)
        work = ProofOfWorkChallenge(&fields)
    }

    /// The body. The title is the rule's name once more: what it means is in the detail.
    public var json: String {
        let fields: [(name: String, value: JSONValue)] = [
            ("type", .string(Self.prefix + rule)), ("title", .string(rule)), ("status", .integer(UInt64(status))),
            ("detail", .string(detail)),
        ]
        return JSONValue.object(fields + (work?.fields ?? [])).text(isPretty: false)
    }
}
