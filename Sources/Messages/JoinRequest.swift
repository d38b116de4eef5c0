import Bytes
import Documents
import Petitions
import RingSignatures
import Ristretto255
import VOPRF

/// The body of `POST R/join`: a member's key, and the token that was issued for it (`Protocol/enrolment.md`, "Join").
public struct JoinRequest: Sendable {
    /// `X`, 32 bytes.
    public let member: MemberKey
    /// `W`, 32 bytes.
    public let token: EnrolmentToken

    /// A request.
    public init(member: MemberKey, token: EnrolmentToken) {
        self.member = member
        self.token = token
    }

    /// Reads a body. Throws `malformed-request`, or the rule that a point breaks.
    public init(parsing body: [UInt8]) throws(Rule) {
        var fields = try JSONFields(request: body)
        member = MemberKey(try fields.point("member"))
        token = EnrolmentToken(try fields.point("token"))
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
