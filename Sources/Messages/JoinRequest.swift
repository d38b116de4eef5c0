import Bytes
import Documents
import Petitions
import Ristretto255

/// The body of `POST R/join`: a member's key, and the token that was issued for it (`Protocol/enrolment.md`, "Join").
public struct JoinRequest: Sendable {
    /// X, 32 bytes.
    public let member: GroupElement
    /// W, 32 bytes.
    public let token: GroupElement

    /// A request.
    public init(member: GroupElement, token: GroupElement) {
        self.member = member
        self.token = token
    }

    /// Reads a body. Throws `malformed-request`, or the rule that a point breaks.
    public init(parsing body: [UInt8]) throws(Rule) {
        var fields = try JSONFields(request: body)
        member = try fields.point("member")
        token = try fields.point("token")
        try fields.finishRequest()
    }

    /// The body.
    public var json: String {
        JSONValue.object([
            ("member", .string(Base64.encode(member.encoding.array))),
            ("token", .string(Base64.encode(token.encoding.array))),
        ]).text(isPretty: false)
    }
}
