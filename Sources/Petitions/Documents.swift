import Bytes
import Ristretto255
import Sodium
import TransparencyLog

/// A roll's id: the SHA-256 of its descriptor's text as published.
public struct RollID: Hashable, Sendable {
    /// The 32 raw bytes, as hashes and logs hold them.
    public let bytes: Bytes32
    /// Wraps raw bytes.
    public init(_ bytes: Bytes32) { self.bytes = bytes }
    /// 64 lower-case hexadecimal digits.
    public var hex: String { bytes.hex }
}

/// A petition's id: the SHA-256 of its manifest's text as published.
public struct PetitionID: Hashable, Sendable {
    /// The 32 raw bytes, as hashes and logs hold them.
    public let bytes: Bytes32
    /// Wraps raw bytes.
    public init(_ bytes: Bytes32) { self.bytes = bytes }
    /// Reads 64 lower-case hexadecimal digits; nil on anything else.
    public init?(hex: some StringProtocol) {
        guard let bytes = Hex.decode(hex).flatMap({ Bytes32($0) }) else { return nil }
        self.bytes = bytes
    }
    /// 64 lower-case hexadecimal digits.
    public var hex: String { bytes.hex }
}

/// Field lengths that several documents share, in bytes.
enum DocumentLimits {
    static let line = 200
    static let statement = 100_000
    static let url = SignedNote.maximumCount
}

/// A document whose note was checked: exactly one signature line by the document's own key verifies.
struct CheckedDocument {
    let note: [UInt8]
    let id: Bytes32

    /// Checks the signature of `note` by `key` under the key name `name`.
    init(_ note: SignedNote, name: String, key: Ed25519PublicKey) throws(DocumentError) {
        do {
            try note.verify(by: VerifierKey(name: name, publicKey: key))
        } catch {
            throw .note("the signature by the document's own key does not verify")
        }
        self.note = note.bytes
        id = SHA256.hash(note.text)
    }

    static func open(_ bytes: [UInt8]) throws(DocumentError) -> (note: SignedNote, fields: JSONFields) {
        let note: SignedNote
        do { note = try SignedNote(parsing: bytes) } catch { throw .note("it is not a signed note") }
        return (note, try JSONFields(parsing: note.text))
    }
}

/// A roll's descriptor (`*.roll`): who keeps the roll, with which keys and bounds. Its signature was checked.
public struct RollDescriptor: Sendable {
    private static let format = "roundrobin-roll/v1"
    /// The sizes that a ring's capacity may have.
    public static let capacities: ClosedRange<UInt64> = 16...4096

    /// The note as published.
    public let note: [UInt8]
    /// SHA-256 of the note's text.
    public let id: RollID
    /// Shown to people.
    public let name: String
    /// `C/rolls/<slug>`.
    public let url: ServiceURL
    /// `C`, the coordinator's base url.
    public let coordinator: ServiceURL
    /// The coordinator's note key.
    public let key: Ed25519PublicKey
    /// `K = kB`.
    public let enrolmentKey: GroupElement
    /// The most members of one ring.
    public let ringCapacity: Int
    /// The fewest members of one ring.
    public let minimumRing: Int
    /// C2SP tlog-policy text, if the roll's logs must be witnessed.
    public let witnesses: String?

    /// Reads a published descriptor.
    public init(parsing bytes: [UInt8]) throws(DocumentError) {
        let (signed, parsed) = try CheckedDocument.open(bytes)
        var fields = parsed
        try fields.constant("format", Self.format)
        name = try fields.string("name", limit: DocumentLimits.line)
        url = try fields.url("url")
        key = Ed25519PublicKey(try fields.bytes32("key"))
        do { enrolmentKey = try GroupElement(decoding: try fields.bytes32("enrolmentKey")) } catch is DecodingError {
            throw DocumentError.invalid(
                field: "enrolmentKey", reason: "is not a canonical point other than the identity")
        } catch let error as DocumentError {
            throw error
        } catch {
            throw DocumentError.missing(field: "enrolmentKey")
        }
        ringCapacity = Int(try fields.integer("ringCapacity", in: Self.capacities))
        minimumRing = Int(try fields.integer("minimumRing", in: 2...2048))
        witnesses = try fields.optionalString("witnesses", limit: SignedNote.maximumCount, isMultiline: true)
        try fields.finish()
        guard 2 * minimumRing <= ringCapacity + 1 else {
            throw .invalid(field: "minimumRing", reason: "is more than half of ringCapacity")
        }
        guard url.segments.dropLast().last == "rolls", let coordinator = url.removingLast(2) else {
            throw .invalid(field: "url", reason: "does not end in /rolls/<slug>")
        }
        self.coordinator = coordinator
        let document = try CheckedDocument(signed, name: url.bare, key: key)
        note = document.note
        id = RollID(document.id)
    }

    /// Writes and signs a new descriptor, and reads it back: what cannot be read is not published.
    public static func make(
        name: String, url: ServiceURL, enrolmentKey: GroupElement, ringCapacity: Int, minimumRing: Int,
        key: borrowing Ed25519SecretKey
    ) throws(DocumentError) -> RollDescriptor {
        let value = JSONValue.object([
            ("format", .string(format)),
            ("name", .string(name)),
            ("url", .string(url.text)),
            ("key", .string(Base64.encode(key.publicKey.bytes.array))),
            ("enrolmentKey", .string(Base64.encode(enrolmentKey.encoding.array))),
            ("ringCapacity", .integer(UInt64(ringCapacity))),
            ("minimumRing", .integer(UInt64(minimumRing))),
        ])
        let text = Array((value.text(isPretty: true) + "\n").utf8)
        return try RollDescriptor(parsing: key.signNote(text, name: url.bare))
    }

    /// The key of the roll's members log.
    public var membersKey: VerifierKey { VerifierKey(name: url.bare + "/members", publicKey: key) }
    /// The key of the roll's enrolment log.
    public var enrolmentLogKey: VerifierKey { VerifierKey(name: url.bare + "/enrolment", publicKey: key) }
}
