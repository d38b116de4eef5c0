import Bytes
import Sodium

/// Why bytes are not a note signed by the expected key.
public enum NoteError: Error, Equatable, Sendable {
    /// The bytes do not have the layout of a signed note.
    case malformed
    /// The note has more bytes or signature lines than any of ours.
    case tooLarge
    /// No signature line names the expected key.
    case noKnownSignature
    /// A line names the expected key, but its signature does not verify.
    case signatureInvalid
}

/// A signed note (C2SP signed-note): a text, a blank line, and signature lines.
///
/// Parsing checks only the layout. Do not trust the text before ``verify(by:)`` succeeds.
public struct SignedNote: Sendable {
    /// The largest size of a note in bytes, including documents: 256 KiB.
    public static let maximumCount = 256 * 1024
    /// The most signature lines that a note may have.
    public static let maximumSignatures = 64
    /// U+2014 EM DASH and a space.
    package static let signaturePrefix = "\u{2014} "

    /// One signature line.
    package struct Signature: Equatable, Sendable {
        /// The key's name.
        package let name: String
        /// The key's ID.
        package let keyID: UInt32
        /// The signature, which follows the key ID.
        package let bytes: [UInt8]

        /// A line with these parts.
        package init(name: String, keyID: UInt32, bytes: [UInt8]) {
            (self.name, self.keyID, self.bytes) = (name, keyID, bytes)
        }
    }

    /// The whole note as published.
    public let bytes: [UInt8]
    /// The signed text, including its final newline.
    public let text: [UInt8]
    package let signatures: [Signature]

    /// Splits a note at its last blank line.
    public init(parsing bytes: [UInt8]) throws(NoteError) {
        guard bytes.count <= Self.maximumCount else { throw .tooLarge }
        guard String(validating: bytes, as: UTF8.self) != nil, bytes.last == 0x0A,
            bytes.allSatisfy({ $0 >= 0x20 || $0 == 0x0A }), let split = Self.lastBlankLine(bytes)
        else { throw .malformed }
        self.bytes = bytes
        text = Array(bytes[...split])
        let lines = String(decoding: bytes[(split + 2)...], as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
        // The last element is empty: it follows the final newline.
        guard lines.count >= 2 else { throw .malformed }
        guard lines.count - 1 <= Self.maximumSignatures else { throw .tooLarge }
        var signatures: [Signature] = []
        for line in lines.dropLast() {
            guard let signature = Signature(line: line) else { throw .malformed }
            signatures.append(signature)
        }
        self.signatures = signatures
    }

    /// The index of the newline that ends the text.
    private static func lastBlankLine(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 3 else { return nil }
        return (0..<bytes.count - 1).last { bytes[$0] == 0x0A && bytes[$0 + 1] == 0x0A }
    }

    /// Checks that exactly one line names `key`, and that its signature verifies. Ignores lines of other keys, so that
    /// cosignatures can be added.
    public func verify(by key: VerifierKey) throws(NoteError) {
        let named = signatures.filter { $0.names(key.name, id: key.keyID) }
        guard let signature = named.first else { throw .noKnownSignature }
        guard named.count == 1, key.publicKey.isValidSignature(signature.bytes, for: text) else {
            throw .signatureInvalid
        }
    }
}

extension SignedNote {
    /// The lines that say that they are by `key`, each with its newline.
    package func lines(of key: VerifierKey) -> String {
        signatures.filter { $0.names(key.name, id: key.keyID) }.map { $0.line }.joined()
    }
}

extension SignedNote.Signature {
    /// Reads a line without its newline; nil if it is none.
    package init?(line: Substring) {
        // Split by bytes: a name may begin or end with a scalar that forms one `Character` with the adjacent space.
        let prefix = SignedNote.signaturePrefix.utf8
        guard line.utf8.starts(with: prefix) else { return nil }
        let fields = line.utf8.dropFirst(prefix.count)
            .split(separator: 0x20, omittingEmptySubsequences: false).map { Substring($0) }
        guard fields.count == 2, NoteKey.isValidName(fields[0]), let bytes = Base64.decode(fields[1]), bytes.count > 4
        else { return nil }
        var reader = ByteReader(bytes)
        guard let keyID = reader.readInteger(UInt32.self) else { return nil }
        self.init(name: String(fields[0]), keyID: keyID, bytes: Array(bytes.dropFirst(4)))
    }

    /// True if the line says that it is by the key of this name and ID. Names are bytes: two spellings of one
    /// `Character` are two names.
    package func names(_ name: String, id: UInt32) -> Bool {
        keyID == id && self.name.utf8.elementsEqual(name.utf8)
    }

    /// The line with its newline.
    package var line: String {
        var content: [UInt8] = []
        content.appendInteger(keyID)
        return "\(SignedNote.signaturePrefix)\(name) \(Base64.encode(content + bytes))\n"
    }
}

/// What all keys of notes have, of whatever type: a name, a type and a public key (C2SP signed-note, "Verifier keys").
package struct NoteKey: Hashable, Sendable {
    /// The key's name.
    package let name: String
    /// The signature type, such as 0x01 for Ed25519.
    package let type: UInt8
    /// The public key.
    package let bytes: [UInt8]

    /// A key with a name. Traps on an invalid name: names come from checked urls and vkeys.
    package init(name: String, type: UInt8, bytes: [UInt8]) {
        precondition(Self.isValidName(name), "not a key name")
        (self.name, self.type, self.bytes) = (name, type, bytes)
    }

    /// Reads the text form `<name>+<key id>+<base64 of type and key>`; nil if it is malformed or the ID is wrong.
    package init?(vkey: some StringProtocol) {
        // Split by bytes: a name may end with a scalar that forms one `Character` with the plus sign.
        let parts = String(vkey).utf8.split(
            separator: UInt8(ascii: "+"), maxSplits: 2, omittingEmptySubsequences: false
        )
        .map { String(Substring($0)) }
        guard parts.count == 3, Self.isValidName(parts[0]), let key = Base64.decode(parts[2]), let type = key.first
        else { return nil }
        self.init(name: parts[0], type: type, bytes: Array(key.dropFirst()))
        guard parts[1] == idText else { return nil }
    }

    /// The first four bytes of `SHA256(name || 0x0A || type || key)`.
    package var id: UInt32 {
        SHA256.hash(Array(name.utf8) + [0x0A, type] + bytes).array.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    private var idText: String {
        var bytes: [UInt8] = []
        bytes.appendInteger(id)
        return Hex.encode(bytes)
    }

    /// The text form.
    package var vkey: String { "\(name)+\(idText)+\(Base64.encode([type] + bytes))" }

    /// True for a non-empty name without Unicode whitespace, plus signs and control characters.
    package static func isValidName(_ name: some StringProtocol) -> Bool {
        !name.isEmpty
            && !name.unicodeScalars.contains {
                $0.properties.isWhitespace || $0 == "+" || $0.value < 0x20 || $0.value == 0x7F
            }
    }
}

/// A key that verifies signed notes: a name and an Ed25519 public key (signature type 0x01).
public struct VerifierKey: Hashable, Sendable {
    private static let ed25519: UInt8 = 0x01

    /// The key's name; for a log, its origin.
    public let name: String
    /// The public key.
    public let publicKey: Ed25519PublicKey

    /// The first four bytes of `SHA256(name || 0x0A || type || key)`.
    public var keyID: UInt32 { noteKey.id }

    private var noteKey: NoteKey { NoteKey(name: name, type: Self.ed25519, bytes: publicKey.bytes.array) }

    /// A key with a name. Traps on an invalid name: names come from checked urls.
    public init(name: String, publicKey: Ed25519PublicKey) {
        precondition(NoteKey.isValidName(name), "not a key name")
        self.name = name
        self.publicKey = publicKey
    }

    /// Reads the text form `<name>+<key id>+<base64 of type and key>`; nil if it is malformed or the key is of another
    /// type.
    public init?(parsing vkey: some StringProtocol) {
        guard let key = NoteKey(vkey: vkey), key.type == Self.ed25519, let bytes = Bytes32(key.bytes) else {
            return nil
        }
        name = key.name
        publicKey = Ed25519PublicKey(bytes)
    }

    /// The text form that operators of witnesses ask for.
    public var vkey: String { noteKey.vkey }
}

extension Ed25519SecretKey {
    /// The note with `text` and one signature line by this key under `name`. Traps unless the text ends in a newline.
    public borrowing func signNote(_ text: [UInt8], name: String) -> [UInt8] {
        precondition(text.last == 0x0A, "the text of a note ends in a newline")
        let key = VerifierKey(name: name, publicKey: publicKey)
        let signature = SignedNote.Signature(name: name, keyID: key.keyID, bytes: sign(text))
        return text + Array("\n\(signature.line)".utf8)
    }
}
