import Bytes
import CSodium

/// SHA-256 (FIPS 180-4), computed incrementally.
public struct SHA256Hasher {
    private var state = crypto_hash_sha256_state()

    /// A hash of no bytes yet.
    public init() {
        SodiumLibrary.ready
        SodiumLibrary.require(crypto_hash_sha256_init(&state))
    }

    /// Appends `bytes` to the input.
    public mutating func update(_ bytes: [UInt8]) {
        SodiumLibrary.require(crypto_hash_sha256_update(&state, bytes, UInt64(bytes.count)))
    }

    /// Appends 32 bytes to the input.
    public mutating func update(_ bytes: Bytes32) {
        bytes.withPointer { SodiumLibrary.require(crypto_hash_sha256_update(&state, $0, 32)) }
    }

    /// Appends `integer` to the input, as 8 bytes big-endian.
    public mutating func update(_ integer: UInt64) {
        withUnsafeBytes(of: integer.bigEndian) { raw in
            raw.withMemoryRebound(to: UInt8.self) { bytes in
                SodiumLibrary.require(crypto_hash_sha256_update(&state, bytes.baseAddress, UInt64(bytes.count)))
            }
        }
    }

    /// The digest of everything appended.
    public mutating func finish() -> Bytes32 {
        Bytes32 { SodiumLibrary.require(crypto_hash_sha256_final(&state, $0)) }
    }
}

/// SHA-256 (FIPS 180-4).
public enum SHA256 {
    /// The 32-byte digest of `bytes`.
    public static func hash(_ bytes: [UInt8]) -> Bytes32 {
        SodiumLibrary.ready
        return Bytes32 { SodiumLibrary.require(crypto_hash_sha256($0, bytes, UInt64(bytes.count))) }
    }
}

/// SHA-512 (FIPS 180-4).
public enum SHA512 {
    /// Digest length in bytes.
    public static let digestCount = 64
    /// Block length in bytes.
    public static let blockCount = 128

    /// The 64-byte digest of `bytes`.
    public static func hash(_ bytes: [UInt8]) -> [UInt8] {
        SodiumLibrary.ready
        var digest = [UInt8](repeating: 0, count: digestCount)
        SodiumLibrary.require(crypto_hash_sha512(&digest, bytes, UInt64(bytes.count)))
        return digest
    }
}

/// HMAC-SHA-512 (RFC 2104) with a secret key, used to derive secrets and nonces from secrets.
public enum HMACSHA512 {
    /// Output length in bytes.
    public static let outputCount = 64

    /// The 64-byte authentication code of `message` under `key`, as a secret.
    public static func authenticate(_ message: [UInt8], key: borrowing SecretBytes) -> SecretBytes {
        var state = crypto_auth_hmacsha512_state()
        key.withUnsafeBytes { bytes in
            SodiumLibrary.require(crypto_auth_hmacsha512_init(&state, bytes.bytePointer, bytes.count))
        }
        SodiumLibrary.require(crypto_auth_hmacsha512_update(&state, message, UInt64(message.count)))
        var output = SecretBytes(count: outputCount)
        output.withUnsafeMutableBytes { bytes in
            SodiumLibrary.require(crypto_auth_hmacsha512_final(&state, bytes.bytePointer))
        }
        sodium_memzero(&state, MemoryLayout.size(ofValue: state))
        return output
    }
}
