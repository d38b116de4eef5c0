import Bytes
import Ristretto255
import Sodium

/// A proof that two pairs of points have the same ratio (RFC 9497 section 2.2): that the server evaluated with the key
/// it published. 64 bytes on the wire: `c || s`.
public struct DLEQProof: Hashable, Sendable {
    /// Length in bytes: 64.
    public static let count = 2 * Bytes32.count

    /// The challenge.
    public let c: Scalar
    /// The response.
    public let s: Scalar

    private init(c: Scalar, s: Scalar) {
        self.c = c
        self.s = s
    }

    /// Reads 64 bytes. Any other length is a programmer's mistake and traps: callers check it.
    public init(decoding bytes: [UInt8]) throws(DecodingError) {
        precondition(bytes.count == Self.count, "a proof has 64 bytes")
        guard let first = Bytes32(bytes[..<32]), let second = Bytes32(bytes[32...]) else { throw .nonCanonicalScalar }
        c = try Scalar(decoding: first)
        s = try Scalar(decoding: second)
    }

    /// The 64 bytes.
    public var encoding: [UInt8] { c.bytes.array + s.bytes.array }

    /// `GenerateProof`, section 2.2.1, for the key `k` of `publicKey` with nonce `r`.
    package static func generate(
        key k: borrowing SecretScalar, publicKey: GroupElement, blinded: [GroupElement], evaluated: [GroupElement],
        nonce r: borrowing SecretScalar
    ) -> DLEQProof {
        let m = composite(publicKey: publicKey, blinded: blinded, evaluated: evaluated).m
        let z = m.multiplied(by: k)
        let t2 = GroupElement.base.multiplied(by: r)
        let t3 = m.multiplied(by: r)
        let c = challenge(publicKey: publicKey, m: m, z: z, t2: t2, t3: t3)
        let s = r - SecretScalar(c) * k
        return DLEQProof(c: c, s: s.published())
    }

    /// `VerifyProof`, section 2.2.2: true when every `evaluated` is `k` times its `blinded`, with the `k` of `publicKey`.
    package func isValid(publicKey: GroupElement, blinded: [GroupElement], evaluated: [GroupElement]) -> Bool {
        guard !blinded.isEmpty, blinded.count == evaluated.count else { return false }
        let (m, z) = Self.composite(publicKey: publicKey, blinded: blinded, evaluated: evaluated)
        let t2 = GroupElement.base.multiplied(by: s) + publicKey.multiplied(by: c)
        let t3 = m.multiplied(by: s) + z.multiplied(by: c)
        return Self.challenge(publicKey: publicKey, m: m, z: z, t2: t2, t3: t3) == c
    }

    /// `ComputeComposites`, section 2.2.1: the two sides folded into one pair with hashed weights.
    private static func composite(
        publicKey: GroupElement, blinded: [GroupElement], evaluated: [GroupElement]
    ) -> (m: GroupElement, z: GroupElement) {
        var seedTranscript: [UInt8] = []
        seedTranscript.appendPrefixed(publicKey)
        seedTranscript.appendPrefixed(CipherSuite.seed)
        let seed = SHA512.hash(seedTranscript)
        var m = GroupElement.identity
        var z = GroupElement.identity
        for (index, pair) in zip(blinded, evaluated).enumerated() {
            var transcript: [UInt8] = []
            transcript.appendPrefixed(seed)
            transcript.appendInteger(UInt16(index))
            transcript.appendPrefixed(pair.0)
            transcript.appendPrefixed(pair.1)
            transcript += CipherSuite.composite
            let weight = CipherSuite.scalar(transcript)
            m = m + pair.0.multiplied(by: weight)
            z = z + pair.1.multiplied(by: weight)
        }
        return (m, z)
    }

    /// The challenge of section 2.2.1. Prover and verifier call this and nothing else.
    private static func challenge(
        publicKey: GroupElement, m: GroupElement, z: GroupElement, t2: GroupElement, t3: GroupElement
    ) -> Scalar {
        var transcript: [UInt8] = []
        for element in [publicKey, m, z, t2, t3] { transcript.appendPrefixed(element) }
        return CipherSuite.scalar(transcript + CipherSuite.challenge)
    }
}
