import CSodium

/// A key derived from a passphrase by Argon2id (RFC 9106), which seals secret bytes with XChaCha20-Poly1305.
///
/// Layout of a box: salt (16) || nonce (24) || ciphertext || tag (16). A header is bound to the box as associated data.
/// Deriving the key takes most of a second, so it can seal repeatedly under its salt, each time with a fresh nonce.
public struct PassphraseKey: ~Copyable, Sendable {
    /// How much work one guess at the passphrase costs.
    public struct Cost: Sendable, Equatable {
        /// Argon2id passes.
        public let passes: UInt32
        /// Argon2id memory in mebibytes.
        public let mebibytes: UInt32

        /// A cost, possibly read from a header: check it with ``isAcceptable`` before use.
        public init(passes: UInt32, mebibytes: UInt32) {
            self.passes = passes
            self.mebibytes = mebibytes
        }

        /// libsodium's "moderate" cost: 3 passes over 256 MiB.
        public static let moderate = Cost(passes: 3, mebibytes: 256)

        /// False for a cost that would make guessing trivial or exhaust this machine.
        public var isAcceptable: Bool { (2...16).contains(passes) && (64...2048).contains(mebibytes) }
    }

    /// Why a key could not be derived or a box could not be opened.
    public enum Failure: Error, Equatable, Sendable {
        /// The passphrase is wrong or the box was changed: the two cannot be distinguished.
        case wrongPassphraseOrDamaged
        /// The box is shorter than its fixed parts.
        case truncated
        /// This machine has too little memory for Argon2id.
        case notEnoughMemory
    }

    private static let saltCount = Int(crypto_pwhash_SALTBYTES)
    private static let nonceCount = Int(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES)
    private static let tagCount = Int(crypto_aead_xchacha20poly1305_ietf_ABYTES)
    private static let keyCount = Int(crypto_aead_xchacha20poly1305_ietf_KEYBYTES)

    private let salt: [UInt8]
    private let key: SecretBytes

    /// Derives a key with a fresh salt, for a new box.
    public init(passphrase: borrowing SecretBytes, cost: Cost) throws(Failure) {
        try self.init(passphrase: passphrase, salt: SystemRandomness.bytes(Self.saltCount), cost: cost)
    }

    /// Derives the key that sealed `box`.
    public init(passphrase: borrowing SecretBytes, cost: Cost, opening box: [UInt8]) throws(Failure) {
        guard box.count >= Self.saltCount + Self.nonceCount + Self.tagCount else { throw .truncated }
        try self.init(passphrase: passphrase, salt: Array(box[..<Self.saltCount]), cost: cost)
    }

    private init(passphrase: borrowing SecretBytes, salt: [UInt8], cost: Cost) throws(Failure) {
        var key = SecretBytes(count: Self.keyCount)
        let isDerived = key.withUnsafeMutableBytes { output in
            passphrase.withUnsafeBytes { phrase in
                crypto_pwhash(
                    output.bytePointer, UInt64(Self.keyCount),
                    UnsafeRawPointer(phrase.bytePointer).assumingMemoryBound(to: CChar.self), UInt64(phrase.count),
                    salt, UInt64(cost.passes), Int(cost.mebibytes) << 20, crypto_pwhash_ALG_ARGON2ID13) == 0
            }
        }
        guard isDerived else { throw .notEnoughMemory }
        self.salt = salt
        self.key = key
    }

    /// Seals `secret`. `header` is authenticated but not stored in the box.
    public borrowing func seal(_ secret: borrowing SecretBytes, header: [UInt8]) -> [UInt8] {
        let nonce = SystemRandomness.bytes(Self.nonceCount)
        var ciphertext = [UInt8](repeating: 0, count: secret.count + Self.tagCount)
        key.withUnsafeBytes { keyBytes in
            secret.withUnsafeBytes { plain in
                SodiumLibrary.require(
                    crypto_aead_xchacha20poly1305_ietf_encrypt(
                        &ciphertext, nil, plain.bytePointer, UInt64(plain.count), header, UInt64(header.count), nil,
                        nonce,
                        keyBytes.bytePointer))
            }
        }
        return salt + nonce + ciphertext
    }

    /// Opens a box that this key sealed with the same header.
    public borrowing func open(_ box: [UInt8], header: [UInt8]) throws(Failure) -> SecretBytes {
        let overhead = Self.saltCount + Self.nonceCount + Self.tagCount
        guard box.count >= overhead else { throw .truncated }
        let nonce = Array(box[Self.saltCount..<Self.saltCount + Self.nonceCount])
        let ciphertext = Array(box[(Self.saltCount + Self.nonceCount)...])
        var secret = SecretBytes(count: box.count - overhead)
        let isOpened = secret.withUnsafeMutableBytes { plain in
            key.withUnsafeBytes { keyBytes in
                crypto_aead_xchacha20poly1305_ietf_decrypt(
                    plain.bytePointer, nil, nil, ciphertext, UInt64(ciphertext.count), header, UInt64(header.count),
                    nonce, keyBytes.bytePointer) == 0
            }
        }
        guard isOpened else { throw .wrongPassphraseOrDamaged }
        return secret
    }
}
