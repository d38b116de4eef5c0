import Bytes
import Ristretto255
import Sodium

/// Hedged nonces: one HMAC-SHA-512 stream over fresh randomness and everything the proof is about, under a key derived
/// from the signer's seed. Neither a bad generator alone nor a stolen key alone makes a nonce repeat or leak.
struct NonceStream: ~Copyable {
    /// Length in bytes of the fresh randomness.
    static let randomnessCount = 32

    private let key: SecretBytes
    private let prefix: [UInt8]
    private var counter: UInt32 = 0

    /// A stream for one proof. `context` has a fixed length for each `key`, so that no two inputs collide.
    init(key: borrowing SecretBytes, randomness: [UInt8], context: [UInt8]) {
        precondition(randomness.count == Self.randomnessCount, "32 bytes of fresh randomness")
        self.key = key.duplicate()
        prefix = randomness + context
    }

    /// The next scalar, from its own block.
    mutating func next() -> SecretScalar {
        precondition(counter < .max, "a nonce block is used once")
        var input = prefix
        input.appendInteger(counter)
        counter += 1
        return SecretScalar(reducing: HMACSHA512.authenticate(input, key: key))
    }
}
