import Bytes
import Multiscalar
import Ristretto255
import Sodium

/// A proof that two pairs of points have the same discrete logarithm (RFC 9497 section 2.2), hence that the server
/// evaluated with the key it published. Encoded as 64 bytes: `c || s`.
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

    /// Reads 64 bytes. Traps on any other length: callers check it first.
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
        let weights = weights(publicKey: publicKey, blinded: blinded, evaluated: evaluated)
        let m = zip(blinded, weights).reduce(GroupElement.identity) { $0 + $1.0.multiplied(by: $1.1) }
        let z = m.multiplied(by: k)
        let t2 = GroupElement.base.multiplied(by: r)
        let t3 = m.multiplied(by: r)
        let c = challenge(publicKey: publicKey, m: m, z: z, t2: t2, t3: t3)
        let s = r - SecretScalar(c) * k
        return DLEQProof(c: c, s: s.published())
    }

    /// `VerifyProof`, section 2.2.2: true when every `evaluated` is `k` times its `blinded`, with the `k` of
    /// `publicKey`. All inputs are public, so this runs in variable time.
    package func isValid(publicKey: GroupElement, blinded: [GroupElement], evaluated: [GroupElement]) -> Bool {
        guard !blinded.isEmpty, blinded.count == evaluated.count,
            !(blinded + evaluated + [publicKey]).contains(where: { $0.isIdentity })
        else { return false }
        let weights = Self.weights(publicKey: publicKey, blinded: blinded, evaluated: evaluated).map(
            VariableTimeScalar.init)
        let (c, s) = (VariableTimeScalar(c), VariableTimeScalar(s))
        // t2 = sB + cK, and t3 = sM + cZ as a sum over the terms of M and Z.
        var (m, z, t2, t3) = (VariableTimeSum(), VariableTimeSum(), VariableTimeSum(), VariableTimeSum())
        t2.add(s, .base)
        t2.add(c, VariableTimePoint(publicKey))
        for (index, weight) in weights.enumerated() {
            let pair = VariableTimePoint.pair(blinded[index], evaluated[index])
            m.add(weight, pair.0)
            z.add(weight, pair.1)
            t3.add(s * weight, pair.0)
            t3.add(c * weight, pair.1)
        }
        let composites = VariableTimeSum.Value.elements(of: m.value, z.value)
        let commitments = VariableTimeSum.Value.elements(of: t2.value, t3.value)
        return Self.challenge(
            publicKey: publicKey, m: composites.0, z: composites.1, t2: commitments.0, t3: commitments.1) == self.c
    }

    /// The weights of `ComputeComposites`, section 2.2.1, which combine all pairs into one.
    private static func weights(
        publicKey: GroupElement, blinded: [GroupElement], evaluated: [GroupElement]
    ) -> [Scalar] {
        var seedTranscript: [UInt8] = []
        seedTranscript.appendPrefixed(publicKey)
        seedTranscript.appendPrefixed(CipherSuite.seed)
        let seed = SHA512.hash(seedTranscript)
        return zip(blinded, evaluated).enumerated().map { index, pair in
            var transcript: [UInt8] = []
            transcript.appendPrefixed(seed)
            transcript.appendInteger(UInt16(index))
            transcript.appendPrefixed(pair.0)
            transcript.appendPrefixed(pair.1)
            transcript += CipherSuite.composite
            return CipherSuite.scalar(transcript)
        }
    }

    /// The challenge of section 2.2.1. Prover and verifier both use this function.
    private static func challenge(
        publicKey: GroupElement, m: GroupElement, z: GroupElement, t2: GroupElement, t3: GroupElement
    ) -> Scalar {
        var transcript: [UInt8] = []
        for element in [publicKey, m, z, t2, t3] { transcript.appendPrefixed(element) }
        return CipherSuite.scalar(transcript + CipherSuite.challenge)
    }
}
