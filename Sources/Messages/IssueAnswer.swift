import Bytes
import Documents
import Petitions
import Ristretto255
import VOPRF

/// The answer to `POST R/issue`, 200.
public struct IssueAnswer: Sendable {
    /// The evaluated element, 32 bytes.
    public let evaluated: EvaluatedElement
    /// The proof that it was evaluated with the roll's enrolment key, 64 bytes.
    public let proof: DLEQProof

    /// An answer.
    public init(evaluated: EvaluatedElement, proof: DLEQProof) {
        self.evaluated = evaluated
        self.proof = proof
    }

    /// Reads an answer without verifying the proof. Ignores unknown fields. Throws `malformed-request`, or the rule
    /// that the point or a scalar breaks.
    public init(parsing body: [UInt8]) throws(Rule) {
        var fields = try JSONFields(request: body)
        evaluated = EvaluatedElement(try fields.point("evaluated"))
        let bytes = try fields.requestBytes("proof", count: DLEQProof.count)
        do { proof = try DLEQProof(decoding: bytes) } catch { throw Rule(error) }
    }

    /// The body.
    public var json: String {
        JSONValue.object([
            ("evaluated", .string(Base64.encode(evaluated.element.encoding.array))),
            ("proof", .string(Base64.encode(proof.encoding))),
        ]).text(isPretty: false)
    }
}
