import Bytes
import Documents
import Petitions
import Ristretto255
import VOPRF

/// The body of `POST R/issue`: a code, and the blinded element to be evaluated for it (`Protocol/enrolment.md`,
/// "Issue").
public struct IssueRequest: Sendable {
    /// The invitation's code, 16 bytes.
    public let code: InvitationCode
    /// The blinded element, 32 bytes.
    public let blinded: BlindedElement

    /// A request.
    public init(code: InvitationCode, blinded: BlindedElement) {
        self.code = code
        self.blinded = blinded
    }

    /// Reads a body. Throws `malformed-request`, or the rule that the point breaks.
    public init(parsing body: [UInt8]) throws(Rule) {
        var fields = try JSONFields(request: body)
        let code = InvitationCode(try fields.requestBytes("code", count: InvitationCode.count))
        blinded = BlindedElement(try fields.point("blinded"))
        try fields.finishRequest()
        guard let code else { throw .malformedRequest }
        self.code = code
    }

    /// The body.
    public var json: String {
        JSONValue.object([
            ("code", .string(Base64.encode(code.bytes))),
            ("blinded", .string(Base64.encode(blinded.element.encoding.array))),
        ]).text(isPretty: false)
    }
}
