import Bytes
import Documents
import RingSignatures
import Ristretto255
import Sodium
import VOPRF

/// What a signer derives from its seed for one roll (`Protocol/enrolment.md`, "Issue").
public struct MemberIdentity: ~Copyable, Sendable {
    /// Length of a seed in bytes: 32.
    public static let seedCount = 32

    private enum Labels {
        static let memberKey = Array("roundrobin-v1 member key".utf8)
        static let blind = Array("roundrobin-v1 blind".utf8)
        static let member = Array("roundrobin-v1 member".utf8)
    }

    /// Signs petitions as this member.
    public let secret: MemberSecret
    /// The roll this key is for.
    public let roll: RollID
    private let seed: SecretBytes

    /// `X`, as it will appear in the roll.
    public var key: MemberKey { secret.key }

    /// Derives `x = H2S("roundrobin-v1 member key", seed || rollId)`; nil if it is zero, which never happens by chance.
    public init?(seed: borrowing SecretBytes, roll: RollID) {
        precondition(seed.count == Self.seedCount, "a seed has 32 bytes")
        let x = HashToGroup.secretScalar(seed, roll.bytes.array, dst: Labels.memberKey)
        guard !x.isZero() else { return nil }
        secret = MemberSecret(x: x, seed: seed)
        self.roll = roll
        self.seed = seed.duplicate()
    }

    /// `blind = H2S("roundrobin-v1 blind", seed || rollId || codeHash || X)`: the same for the same code, so that a
    /// lost response can be requested again.
    public borrowing func blind(codeHash: Bytes32) -> SecretScalar? {
        let message = roll.bytes.array + codeHash.array + key.encoding.array
        let blind = HashToGroup.secretScalar(seed, message, dst: Labels.blind)
        guard !blind.isZero() else { return nil }
        return blind
    }

    /// The token's input, `"roundrobin-v1 member" || rollId || X`.
    public static func tokenInput(roll: RollID, member: MemberKey) -> [UInt8] {
        Labels.member + roll.bytes.array + member.encoding.array
    }
}
