import Documents
import Petitions

/// A server's refusal of a request (RFC 9457, `application/problem+json`).
public struct ProblemDocument: Equatable, Sendable {
    private static let prefix = "urn:roundrobin:error:"
    private static let statuses: ClosedRange<UInt64> = 400...599

    /// The name of the broken rule. It may be unknown to the reader, since servers may be newer.
    public let rule: String
    /// The HTTP status, 400 to 599.
    public let status: Int
    /// What to do about it, for people.
    public let detail: String
    /// The proof of work with which the same request is accepted.
    public let work: ProofOfWorkChallenge?

    /// A refusal by `rule`.
    public init(_ rule: Rule, status: Int, detail: String, work: ProofOfWorkChallenge? = nil) {
        self.rule = rule.rawValue
        self.status = status
        self.detail = detail
        self.work = work
    }

    /// Reads a refusal. Ignores unknown fields, and a challenge that asks for too much work.
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

    /// The body. The title repeats the rule's name; the detail explains it.
    public var json: String {
        let fields: [(name: String, value: JSONValue)] = [
            ("type", .string(Self.prefix + rule)), ("title", .string(rule)), ("status", .integer(UInt64(status))),
            ("detail", .string(detail)),
        ]
        return JSONValue.object(fields + (work?.fields ?? [])).text(isPretty: false)
    }
}
