import Bytes
import Sodium

/// Why bytes are not a checkpoint of the expected log.
public enum CheckpointError: Error, Equatable, Sendable {
    /// The enclosing note was refused.
    case note(NoteError)
    /// The text is not the three lines origin, size and root.
    case malformed
    /// The text is that of another log.
    case unexpectedOrigin

    /// What is wrong, for people.
    public var explanation: String {
        switch self {
        case .note: "the log's key did not sign it"
        case .unexpectedOrigin: "it is another log's"
        case .malformed: "it is signed, and not three lines of origin, size and root"
        }
    }
}

/// The head of a log (C2SP tlog-checkpoint): its origin, size and root hash. Exactly three lines, no extensions.
public struct Checkpoint: Hashable, Sendable {
    /// The log's name: its url without the scheme.
    public let origin: String
    /// The number of entries of the log.
    public let size: UInt64
    /// The root hash over all entries (RFC 6962 section 2.1).
    public let root: Bytes32

    /// A checkpoint to be signed.
    public init(origin: String, size: UInt64, root: Bytes32) {
        self.origin = origin
        self.size = size
        self.root = root
    }

    /// Reads a signed checkpoint of the log whose origin is the name of `key`, and checks the signature by `key`.
    public init(verifying note: [UInt8], key: VerifierKey) throws(CheckpointError) {
        let signed: SignedNote
        do {
            signed = try SignedNote(parsing: note)
            try signed.verify(by: key)
        } catch { throw .note(error) }
        self = try Self(parsing: signed.text)
        // By bytes: two spellings of one Character are two names.
        guard origin.utf8.elementsEqual(key.name.utf8) else { throw .unexpectedOrigin }
    }

    /// Reads the three lines, whoever signed them or not.
    package init(parsing text: [UInt8]) throws(CheckpointError) {
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 4, lines[3].isEmpty, !lines[0].isEmpty, let size = Self.decimal(lines[1]),
            let root = Base64.decode32(lines[2])
        else { throw .malformed }
        self.init(origin: String(lines[0]), size: size, root: root)
    }

    /// The value of a decimal number without sign or leading zero, below 2^63; nil for anything else.
    package static func decimal(_ text: some StringProtocol) -> UInt64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            text.count == 1 || text.utf8.first != 0x30, let value = UInt64(text), value <= UInt64(Int64.max)
        else { return nil }
        return value
    }

    /// The three lines that are signed.
    public var text: [UInt8] {
        Array("\(origin)\n\(size)\n\(Base64.encode(root.array))\n".utf8)
    }

    /// The signed note.
    public func signed(by key: borrowing Ed25519SecretKey) -> [UInt8] {
        key.signNote(text, name: origin)
    }
}
