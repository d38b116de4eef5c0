import Bytes
import Ristretto255
import Sodium

/// What a client sends: its input, hashed to the group and blinded (RFC 9497 section 3.3.2, `Blind`).
public struct BlindedElement: Hashable, Sendable {
    /// The point.
    public let element: GroupElement
    /// Wraps a decoded point.
    public init(_ element: GroupElement) { self.element = element }
}

/// What a server returns: the blinded element times its key (`BlindEvaluate`).
public struct EvaluatedElement: Hashable, Sendable {
    /// The point.
    public let element: GroupElement
    /// Wraps a decoded point.
    public init(_ element: GroupElement) { self.element = element }
}

/// What a member presents when it joins: the unblinded product of the server's key and the hash of the member's key.
/// The server recognises its own token, but not when or for whom it was issued.
public struct EnrolmentToken: Hashable, Sendable {
    /// The token as an element of the group.
    public let element: GroupElement

    /// Wraps an element that was computed, or whose encoding was checked.
    public init(_ element: GroupElement) { self.element = element }

    /// Reads 32 bytes from outside, which must encode an element other than the identity. Throws the rule that they
    /// break.
    public init(decoding encoding: Bytes32) throws(DecodingError) {
        element = try GroupElement(decoding: encoding)
    }

    /// The 32 bytes.
    public var encoding: Bytes32 { element.encoding }
}

/// Why an input or an evaluation was refused.
public enum VOPRFError: Error, Equatable, Sendable {
    /// The server's proof is invalid: it used a key other than the one it published.
    case proofInvalid
    /// The input hashes to the identity, which does not happen by chance.
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

    /// Checks the server's proof and removes the blind. The result is `k` times the hash of the input.
    public static func unblind(
        _ evaluated: EvaluatedElement, of blinded: BlindedElement, blind: borrowing SecretScalar, proof: DLEQProof,
        publicKey: GroupElement
    ) throws(VOPRFError) -> EnrolmentToken {
        try verify(evaluated, of: blinded, proof: proof, publicKey: publicKey)
        return EnrolmentToken(evaluated.element.multiplied(by: blind.inverted()))
    }

    /// Checks that `evaluated` is `blinded` times the key of `publicKey`. Needs no secrets, so anyone can check.
    public static func verify(
        _ evaluated: EvaluatedElement, of blinded: BlindedElement, proof: DLEQProof, publicKey: GroupElement
    ) throws(VOPRFError) {
        guard
            proof.isValid(publicKey: publicKey, blinded: [blinded.element], evaluated: [evaluated.element])
        else { throw .proofInvalid }
    }
}
