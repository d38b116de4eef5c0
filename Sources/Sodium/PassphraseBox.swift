import CSodium

/// Secret bytes sealed under a passphrase: Argon2id (RFC 9106) for the key, XChaCha20-Poly1305 for the box.
///
/// Layout: salt (16) || nonce (24) || ciphertext || tag (16). The cost is fixed by ``Cost``, and bound to the box as
/// associated data together with the caller's header.
public enum PassphraseBox {
    /// How much work a guess at the passphrase costs.
    public struct Cost: Sendable, Equatable {
        /// Argon2id passes.
        public let passes: UInt32
        /// Argon2id memory in mebibytes.
        public let mebibytes: UInt32

        /// A cost as read from a header; check it with ``isAcceptable`` before use.
        public init(passes: UInt32, mebibytes: UInt32) {
            self.passes = passes
            self.mebibytes = mebibytes
        }

        /// libsodium's "moderate" cost: 3 passes over 256 MiB, most of a second.
        public static let moderate = Cost(passes: 3, mebibytes: 256)

        /// False for a header that would make opening trivial for a guesser, or exhaust this machine.
        public var isAcceptable: Bool { (2...16).contains(passes) && (64...2048).contains(mebibytes) }
    }

    /// Why a box could not be sealed or opened.
    public enum Failure: Error, Equatable {
        /// The passphrase is wrong or the box was changed: the two cannot be told apart.
        case wrongPassphraseOrDamaged
        /// The box is shorter than its fixed parts.
        case truncated
        /// Argon2id found too little memory on this machine.
        case notEnoughMemory
    }

    private static let saltCount = Int(crypto_pwhash_SALTBYTES)
    private static let nonceCount = Int(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES)
    private static let tagCount = Int(crypto_aead_xchacha20poly1305_ietf_ABYTES)
    private static let keyCount = Int(crypto_aead_xchacha20poly1305_ietf_KEYBYTES)

    /// Seals `secret` with a fresh salt and nonce; `header` is authenticated, not stored.
    public static func seal(
        _ secret: borrowing SecretBytes, header: [UInt8], passphrase: borrowing SecretBytes, cost: Cost
    ) throws(Failure) -> [UInt8] {
        let salt = SystemRandomness.bytes(saltCount)
        let nonce = SystemRandomness.bytes(nonceCount)
        let key = try derive(passphrase: passphrase, salt: salt, cost: cost)
        var ciphertext = [UInt8](repeating: 0, count: secret.count + tagCount)
        key.withUnsafeBytes { keyBytes in
            secret.withUnsafeBytes { plain in
                _ = crypto_aead_xchacha20poly1305_ietf_encrypt(
                    &ciphertext, nil, plain.bytePointer, UInt64(plain.count),
                    header, UInt64(header.count), nil, nonce, keyBytes.bytePointer)
            }
        }
        return salt + nonce + ciphertext
    }

    /// Opens what ``seal(_:header:passphrase:cost:)`` made with the same header, passphrase and cost.
    public static func open(
        _ box: [UInt8], header: [UInt8], passphrase: borrowing SecretBytes, cost: Cost
    ) throws(Failure) -> SecretBytes {
        guard box.count >= saltCount + nonceCount + tagCount else { throw .truncated }
        let salt = Array(box[..<saltCount])
        let nonce = Array(box[saltCount..<saltCount + nonceCount])
        let ciphertext = Array(box[(saltCount + nonceCount)...])
        let key = try derive(passphrase: passphrase, salt: salt, cost: cost)
        var secret = SecretBytes(count: ciphertext.count - tagCount)
        let opened = secret.withUnsafeMutableBytes { plain in
            key.withUnsafeBytes { keyBytes in
                crypto_aead_xchacha20poly1305_ietf_decrypt(
                    plain.bytePointer, nil, nil, ciphertext, UInt64(ciphertext.count),
                    header, UInt64(header.count), nonce, keyBytes.bytePointer) == 0
            }
        }
        guard opened else { throw .wrongPassphraseOrDamaged }
        return secret
    }

    private static func derive(
        passphrase: borrowing SecretBytes, salt: [UInt8], cost: Cost
    ) throws(Failure) -> SecretBytes {
        var key = SecretBytes(count: keyCount)
        let derived = key.withUnsafeMutableBytes { output in
            passphrase.withUnsafeBytes { phrase in
                crypto_pwhash(
                    output.bytePointer, UInt64(keyCount),
                    UnsafeRawPointer(phrase.bytePointer).assumingMemoryBound(to: CChar.self), UInt64(phrase.count), salt, UInt64(cost.passes),
                    Int(cost.mebibytes) << 20, crypto_pwhash_ALG_ARGON2ID13) == 0
            }
        }
        guard derived else { throw .notEnoughMemory }
        return key
    }
}
