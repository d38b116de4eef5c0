import Bytes
import CSodium

/// An Ed25519 public key (RFC 8032), 32 bytes.
public struct Ed25519PublicKey: Hashable, Sendable {
    /// The encoded key.
    public let bytes: Bytes32

    /// Any 32 bytes; under a key that is not a point, no signature is valid.
    public init(_ bytes: Bytes32) {
        self.bytes = bytes
    }

    /// True when `signature` (64 bytes) is this key's signature on `message`, exactly as decided by libsodium's
    /// `crypto_sign_verify_detached`.
    public func isValidSignature(_ signature: [UInt8], for message: [UInt8]) -> Bool {
        SodiumLibrary.ready
        guard signature.count == Int(crypto_sign_BYTES) else { return false }
        return bytes.withPointer { key in
            crypto_sign_verify_detached(signature, message, UInt64(message.count), key) == 0
        }
    }
}

/// An Ed25519 secret key (RFC 8032), made from a 32-byte seed.
public struct Ed25519SecretKey: ~Copyable, Sendable {
    /// The seed's length in bytes: 32.
    public static let seedCount = 32
    /// A signature's length in bytes: 64.
    public static let signatureCount = 64

    /// The key that verifies this key's signatures.
    public let publicKey: Ed25519PublicKey
    private let expanded: SecretBytes

    /// Expands `seed`. Traps unless it has 32 bytes: another length is a programming error.
    public init(seed: borrowing SecretBytes) {
        precondition(seed.count == Self.seedCount, "an Ed25519 seed has 32 bytes")
        var expanded = SecretBytes(count: Int(crypto_sign_SECRETKEYBYTES))
        var publicKey = Bytes32()
        expanded.withUnsafeMutableBytes { secret in
            let secretPointer = secret.bytePointer
            publicKey = Bytes32 { publicPointer in
                seed.withUnsafeBytes { bytes in
                    SodiumLibrary.require(
                        crypto_sign_seed_keypair(
                            publicPointer, secretPointer, bytes.bytePointer))
                }
            }
        }
        self.expanded = expanded
        self.publicKey = Ed25519PublicKey(publicKey)
    }

    /// The 64-byte signature on `message`.
    public borrowing func sign(_ message: [UInt8]) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: Self.signatureCount)
        expanded.withUnsafeBytes { secret in
            SodiumLibrary.require(
                crypto_sign_detached(
                    &signature, nil, message, UInt64(message.count), secret.bytePointer))
        }
        return signature
    }
}
