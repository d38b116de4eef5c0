import Bytes
import Ristretto255
import Sodium
import TransparencyLog

/// A roll's id: the SHA-256 of its descriptor's text as published.
public struct RollID: Hashable, Sendable {
    /// The 32 raw bytes, as used in hashes and logs.
    public let bytes: Bytes32
    /// Wraps raw bytes.
    public init(_ bytes: Bytes32) { self.bytes = bytes }
    /// Reads 64 lower-case hexadecimal digits; nil for anything else.
    public init?(hex: some StringProtocol) {
        guard let bytes = Hex.decode(hex).flatMap({ Bytes32($0) }) else { return nil }
        self.bytes = bytes
    }
    /// 64 lower-case hexadecimal digits.
    public var hex: String { bytes.hex }
}

/// A petition's id: the SHA-256 of its manifest's text as published.
public struct PetitionID: Hashable, Sendable {
    /// The 32 raw bytes, as used in hashes and logs.
    public let bytes: Bytes32
    /// Wraps raw bytes.
    public init(_ bytes: Bytes32) { self.bytes = bytes }
    /// Reads 64 lower-case hexadecimal digits; nil for anything else.
    public init?(hex: some StringProtocol) {
        guard let bytes = Hex.decode(hex).flatMap({ Bytes32($0) }) else { return nil }
        self.bytes = bytes
    }
    /// 64 lower-case hexadecimal digits.
    public var hex: String { bytes.hex }
}

/// The largest lengths in bytes of fields that several documents have.
package enum DocumentLimits {
    package static let line = 200
    package static let statement = 100_000
    static let url = SignedNote.maximumCount
}

/// A document whose note has been checked: it has exactly one signature line by the document's own key, which verifies.
struct CheckedDocument {
    let note: [UInt8]
    let id: Bytes32

    /// Checks the signature of `note` by `key` under the key name `name`.
    init(_ note: SignedNote, name: String, key: Ed25519PublicKey) throws(DocumentError) {
        do {
            try note.verify(by: VerifierKey(name: name, publicKey: key))
        } catch {
            throw .badSignature
        }
        self.note = note.bytes
        id = SHA256.hash(note.text)
    }

    static func open(_ bytes: [UInt8]) throws(DocumentError) -> (note: SignedNote, fields: JSONFields) {
        let note: SignedNote
        do { note = try SignedNote(parsing: bytes) } catch { throw .notSigned }
        return (note, try JSONFields(parsing: note.text))
    }
}
