import Bytes
import Ristretto255
import Sodium

/// What a client sends: its input hashed to the group and blinded (RFC 9497 section 3.3.2, `Blind`).
public struct BlindedElement: Hashable, Sendable {
    /// The point.
    public let element: GroupElement
    /// Wraps a decoded point.
    public init(_ element: GroupElement) { self.element = element }
}

/// What a server answers: the blinded element times its key (`BlindEvaluate`).
public struct EvaluatedElement: Hashable, Sendable {
    /// The point.
    public let element: GroupElement
    /// Wraps a decoded point.
    public init(_ element: GroupElement) { self.element = element }
}

/// Why an evaluation is not taken.
public enum VOPRFError: Error, Equatable, Sendable {
    /// The server's proof does not hold: it used another key than the one it published.
    case proofInvalid
    /// The input hashes to the identity, which happens to nobody by chance.
    case inputInvalid
}

/// The client's side of RFC 9497 in mode VOPRF.
public enum VOPRFClient {
    /// `Blind`: `blind` times the hash of `input`.
    public static func blind(_ input: [UInt8], with blind: borrowing SecretScalar) throws(VOPRFError) -> BlindedElement
    {
        let element = CipherSuite.element(input)
        guard !element.isIdentity else { throw .inputInvalid }
        return BlindedElement(element.multiplied(by: blind))
    }

    /// Checks the server's proof and removes the blind: `k` times the hash of the input.
    public static func unblind(
        _ evaluated: EvaluatedElement, of blinded: BlindedElement, blind: borrowing SecretScalar, proof: DLEQProof,
        publicKey: GroupElement
    ) throws(VOPRFError) -> GroupElement {
        try verify(evaluated, of: blinded, proof: proof, publicKey: publicKey)
        return evaluated.element.multiplied(by: blind.inverted())
    }

    /// Checks that `evaluated` is `blinded` times the key of `publicKey`. Anyone can, without secrets.
    public static func verify(
        _ evaluated: EvaluatedElement, of blinded: BlindedElement, proof: DLEQProof, publicKey: GroupElement
    ) throws(VOPRFError) {
        guard
            proof.isValid(publicKey: publicKey, blinded: [blinded.element], evaluated: [evaluated.element])
        else { throw .proofInvalid }
    }
}
