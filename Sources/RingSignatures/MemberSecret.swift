import Bytes
import Ristretto255
import Sodium

/// What a member signs with: the secret `x` of its roll key, and the keys of its nonce streams.
public struct MemberSecret: ~Copyable, Sendable {
    /// `X = xB`, as it appears in the roll.
    public let key: MemberKey
    let x: SecretScalar
    private let signatureNonceKey: SecretBytes
    private let withdrawalNonceKey: SecretBytes

    /// Takes the member's scalar, and the seed from which the nonce keys are derived.
    public init(x: consuming SecretScalar, seed: borrowing SecretBytes) {
        key = MemberKey(GroupElement.base.multiplied(by: x))
        signatureNonceKey = HMACSHA512.authenticate(Labels.signatureNonceKey, key: seed)
        withdrawalNonceKey = HMACSHA512.authenticate(Labels.withdrawalNonceKey, key: seed)
        self.x = x
    }

    /// `J = xU`: this member's one tag under a petition.
    public borrowing func tag(for petition: PetitionBase) -> Tag {
        Tag(petition.element.multiplied(by: x))
    }

    /// The nonces of one signature, from the input listed in `Protocol/ring-signature.md`.
    borrowing func signatureNonces(
        petition: PetitionBase, ring: Ring, roll: UInt8, randomness: [UInt8]
    ) -> NonceStream {
        var context = petition.petition.array + ring.digest.array + [roll]
        context.appendInteger(ring.number)
        return NonceStream(key: signatureNonceKey, randomness: randomness, context: context)
    }

    /// The nonces of one withdrawal.
    borrowing func withdrawalNonces(petition: PetitionBase, tag: Tag, randomness: [UInt8]) -> NonceStream {
        NonceStream(
            key: withdrawalNonceKey, randomness: randomness, context: petition.petition.array + tag.encoding.array)
    }
}
