import Bytes
import Ristretto255
import Sodium

/// The server's side of RFC 9497 in mode VOPRF: holds the key `k`.
public struct VOPRFServer: ~Copyable, Sendable {
    /// The length in bytes of the seed from which a key is derived: 32.
    public static let seedCount = 32

    /// `kB`, against which proofs are verified.
    public let publicKey: GroupElement
    private let key: SecretScalar
    private let nonceKey: SecretBytes

    /// `DeriveKeyPair` (RFC 9497 section 3.2.1) from a 32-byte seed and public `info`.
    public init(seed: borrowing SecretBytes, info: [UInt8]) {
        precondition(seed.count == Self.seedCount, "a key seed has 32 bytes")
        var deriveInput: [UInt8] = []
        deriveInput.appendPrefixed(info)
        var counter: UInt8 = 0
        var key = HashToGroup.secretScalar(seed, deriveInput + [counter], dst: CipherSuite.deriveKeyPair)
        while key.isZero() {
            counter += 1
            key = HashToGroup.secretScalar(seed, deriveInput + [counter], dst: CipherSuite.deriveKeyPair)
        }
        self.init(key: key)
    }

    /// Uses `key`, which must not be zero.
    package init(key: consuming SecretScalar) {
        publicKey = GroupElement.base.multiplied(by: key)
        nonceKey = HMACSHA512.authenticate(Array("roundrobin-v1 enrolment nonce key".utf8), key: key.secretBytes())
        self.key = key
    }

    /// `BlindEvaluate`: the blinded element times `k`, with a proof.
    ///
    /// The proof's nonce is hedged: it depends on fresh randomness, on `k` and on the complete input, so that neither a
    /// bad random number generator nor a repeated request reveals the key.
    public borrowing func blindEvaluate(_ blinded: BlindedElement) -> (EvaluatedElement, DLEQProof) {
        let evaluated = blinded.element.multiplied(by: key)
        let input = SystemRandomness.bytes(32) + blinded.element.encoding.array + evaluated.encoding.array
        let nonce = SecretScalar(reducing: HMACSHA512.authenticate(input, key: nonceKey))
        return (EvaluatedElement(evaluated), prove(blinded: [blinded.element], evaluated: [evaluated], nonce: nonce))
    }

    /// The proof for elements evaluated with this key, with a given nonce.
    package borrowing func prove(
        blinded: [GroupElement], evaluated: [GroupElement], nonce: borrowing SecretScalar
    ) -> DLEQProof {
        DLEQProof.generate(
            key: key, publicKey: publicKey, blinded: blinded, evaluated: evaluated, nonce: nonce)
    }

    /// True when `token` is `k` times the hash of `input`. The comparison takes constant time: learning how far a wrong
    /// token agrees with the right one would help to forge it.
    public borrowing func isValid(token: EnrolmentToken, for input: [UInt8]) -> Bool {
        let expected = CipherSuite.element(input).multiplied(by: key)
        return ConstantTime.areEqual(expected.encoding, token.encoding)
    }
}
