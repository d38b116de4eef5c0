import Bytes
import Sodium
import TransparencyLog

/// The key of a witness: a name and a public key (C2SP tlog-cosignature).
public struct WitnessKey: Hashable, Sendable {
    /// A public key, of one of the two types that cosign.
    public enum PublicKey: Hashable, Sendable {
        /// Type 0x04.
        case ed25519(Ed25519PublicKey)
        /// Type 0x06, 1312 bytes. Such keys are read; nothing here can check what they sign.
        case mlDSA44([UInt8])
    }

    private static let ed25519Type: UInt8 = 0x04
    private static let mlDSA44Type: UInt8 = 0x06
    private static let mlDSA44Count = 1312

    /// The witness's name. It need not be an address.
    public let name: String
    /// The public key.
    public let publicKey: PublicKey
    /// The first four bytes of `SHA256(name || 0x0A || type || key)`.
    public let keyID: UInt32

    /// An Ed25519 key with a name. Traps on an invalid name: see ``isName(_:)``.
    public init(name: String, publicKey: Ed25519PublicKey) {
        self.init(
            NoteKey(name: name, type: Self.ed25519Type, bytes: publicKey.bytes.array), publicKey: .ed25519(publicKey))
    }

    private init(_ key: NoteKey, publicKey: PublicKey) {
        name = key.name
        self.publicKey = publicKey
        keyID = key.id
    }

    /// Reads a vkey; nil if it is malformed or of a type that does not cosign.
    public init?(parsing vkey: some StringProtocol) {
        guard let key = NoteKey(vkey: vkey) else { return nil }
        switch key.type {
        case Self.ed25519Type:
            guard let bytes = Bytes32(key.bytes) else { return nil }
            self.init(key, publicKey: .ed25519(Ed25519PublicKey(bytes)))
        case Self.mlDSA44Type:
            guard key.bytes.count == Self.mlDSA44Count else { return nil }
            self.init(key, publicKey: .mlDSA44(key.bytes))
        default: return nil
        }
    }

    /// The text form, as in a policy.
    public var vkey: String {
        switch publicKey {
        case .ed25519(let key): NoteKey(name: name, type: Self.ed25519Type, bytes: key.bytes.array).vkey
        case .mlDSA44(let bytes): NoteKey(name: name, type: Self.mlDSA44Type, bytes: bytes).vkey
        }
    }

    /// The Ed25519 key; nil for a key whose cosignatures cannot be checked here, and count as absent.
    public var ed25519: Ed25519PublicKey? {
        if case .ed25519(let key) = publicKey { key } else { nil }
    }

    /// True for a text that can be the name of a key: not empty, without white space and plus signs.
    public static func isName(_ text: String) -> Bool { NoteKey.isValidName(text) }
}
