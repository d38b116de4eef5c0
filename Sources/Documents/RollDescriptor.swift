import Bytes
import Ristretto255
import Sodium
import TransparencyLog
import Witnessing

/// A roll's short name: the last segment of its link, `[a-z0-9._-]+`, at most 200 bytes, and never 64 hexadecimal
/// digits, so that a link cannot be mistaken for an address with an id.
public struct RollSlug: Hashable, Sendable {
    /// The segment.
    public let text: String

    /// Reads a slug; nil for anything else.
    public init?(_ text: some StringProtocol) {
        guard ServiceURL.isSegment(text), text.utf8.count <= DocumentLimits.line, RollID(hex: text) == nil else {
            return nil
        }
        self.text = String(text)
    }
}

/// The link of a roll, `C/rolls/<slug>`, used in invitations and by people. It does not determine the descriptor's
/// text; the announcements log records which roll it means.
public struct RollLink: Hashable, Sendable {
    private static let hashLabel = Array("roundrobin-v1 roll link".utf8)
    private static let folder = "rolls"

    /// `C`, the coordinator's base url.
    public let coordinator: ServiceURL
    /// The link's last segment.
    public let slug: RollSlug
    /// The whole link.
    public let url: ServiceURL

    /// The link of a roll with this slug at a coordinator.
    public init(coordinator: ServiceURL, slug: RollSlug) {
        self.coordinator = coordinator
        self.slug = slug
        guard let url = coordinator.appending(Self.folder, slug.text) else {
            preconditionFailure("a checked url and a slug make a url")
        }
        self.url = url
    }

    /// Reads a link; nil for anything else, such as the address of a roll, which ends in its id.
    public init?(_ url: ServiceURL) {
        guard url.segments.dropLast().last == Self.folder, let slug = url.segments.last.flatMap({ RollSlug($0) }),
            let coordinator = url.removingLast(2)
        else { return nil }
        self.init(coordinator: coordinator, slug: slug)
    }

    /// True for the address of a roll, which ends in its id, or for what looks like one.
    static func namesAnID(_ url: ServiceURL) -> Bool {
        url.segments.dropLast().last == folder && url.segments.last.flatMap { RollID(hex: $0) } != nil
    }

    /// `SHA-256("roundrobin-v1 roll link" || link)`, which names the link in an announcement.
    public var hash: Bytes32 { SHA256.hash(Self.hashLabel + Array(url.text.utf8)) }

    /// `R = C/rolls/<rollId>`, the address of a roll.
    public static func address(of roll: RollID, coordinator: ServiceURL) -> ServiceURL {
        guard let url = coordinator.appending(folder, roll.hex) else {
            preconditionFailure("a checked url and an id make a url")
        }
        return url
    }
}

/// The parameters that the keeper of a roll chooses for it.
public struct RollTerms: Equatable, Sendable {
    /// The allowed ring capacities.
    public static let capacities: ClosedRange<Int> = 16...4096
    /// The allowed durations of a joining phase in seconds: up to a week.
    public static let joiningTimes: ClosedRange<Int> = 0...604_800

    /// The largest number of members in a ring.
    public let ringCapacity: Int
    /// The smallest number of members in a ring.
    public let minimumRing: Int
    /// The minimum duration of a joining phase, in seconds.
    public let joiningSeconds: Int

    /// Terms for a new roll; by default, a joining phase lasts at least a day.
    public init(ringCapacity: Int, minimumRing: Int, joiningSeconds: Int = 86_400) {
        self.ringCapacity = ringCapacity
        self.minimumRing = minimumRing
        self.joiningSeconds = joiningSeconds
    }
}

/// A roll's descriptor (`*.roll`): who keeps the roll, with which keys and terms. Its signature has been checked.
public struct RollDescriptor: Sendable {
    private static let format = "roundrobin-roll/v1"

    /// The note as published.
    public let note: [UInt8]
    /// SHA-256 of the note's text.
    public let id: RollID
    /// The roll's name, as shown to people.
    public let name: String
    /// `C/rolls/<slug>`, the roll's link.
    public let link: RollLink
    /// The coordinator's note key.
    public let key: Ed25519PublicKey
    /// `K = kB`.
    public let enrolmentKey: GroupElement
    /// The sizes of rings and the duration of joining.
    public let terms: RollTerms
    /// How people are admitted to the roll.
    public let admission: RollAdmission
    /// Which witnesses must cosign the roll's logs; nil if none must.
    public let witnesses: WitnessPolicy?

    /// `C`, the coordinator's base url.
    public var coordinator: ServiceURL { link.coordinator }
    /// `R = C/rolls/<rollId>`, below which all resources of this roll are published.
    public var url: ServiceURL { RollLink.address(of: id, coordinator: coordinator) }

    /// Reads a published descriptor.
    public init(parsing bytes: [UInt8]) throws(DocumentError) {
        let (signed, parsed) = try CheckedDocument.open(bytes)
        var fields = parsed
        try fields.constant("format", Self.format)
        name = try fields.string("name", limit: DocumentLimits.line)
        let coordinator = try fields.url("url")
        guard let slug = RollSlug(try fields.string("slug", limit: DocumentLimits.line)) else {
            throw .invalid(
                field: "slug",
                reason: "is not made of lower-case letters, digits, . _ and -, or is 64 digits as an id is")
        }
        link = RollLink(coordinator: coordinator, slug: slug)
        key = Ed25519PublicKey(try fields.bytes32("key"))
        enrolmentKey = try Self.enrolmentKey(&fields)
        terms = try Self.terms(&fields)
        admission = try Self.admission(&fields)
        witnesses = try fields.optionalPolicy("witnesses", notBy: [key])
        try fields.finish()
        let document = try CheckedDocument(signed, name: coordinator.bare, key: key)
        note = document.note
        id = RollID(document.id)
    }

    private static func enrolmentKey(_ fields: inout JSONFields) throws(DocumentError) -> GroupElement {
        let encoding = try fields.bytes32("enrolmentKey")
        do { return try GroupElement(decoding: encoding) } catch {
            throw .invalid(field: "enrolmentKey", reason: "is not a canonical point other than the identity")
        }
    }

    private static func terms(_ fields: inout JSONFields) throws(DocumentError) -> RollTerms {
        func integer(_ name: String, in range: ClosedRange<Int>) throws(DocumentError) -> Int {
            Int(try fields.integer(name, in: UInt64(range.lowerBound)...UInt64(range.upperBound)))
        }
        let terms = RollTerms(
            ringCapacity: try integer("ringCapacity", in: RollTerms.capacities),
            minimumRing: try integer("minimumRing", in: 2...2048),
            joiningSeconds: try integer("joiningSeconds", in: RollTerms.joiningTimes))
        guard 2 * terms.minimumRing <= terms.ringCapacity + 1 else {
            throw .invalid(field: "minimumRing", reason: "is more than half of ringCapacity")
        }
        return terms
    }

    private static func admission(_ fields: inout JSONFields) throws(DocumentError) -> RollAdmission {
        var admission = try fields.object("admission")
        return try RollAdmission(&admission)
    }

    /// Creates and signs a new descriptor, and parses it again, so that an unreadable one is never published.
    public static func make(
        name: String, link: RollLink, enrolmentKey: GroupElement, terms: RollTerms,
        admission: RollAdmission = .list, witnesses: WitnessPolicy? = nil, key: borrowing Ed25519SecretKey
    ) throws(DocumentError) -> RollDescriptor {
        func integer(_ name: String, _ value: Int) throws(DocumentError) -> JSONValue {
            guard let value = UInt64(exactly: value) else { throw .invalid(field: name, reason: "is below zero") }
            return .integer(value)
        }
        var fields: [(name: String, value: JSONValue)] = [
            ("format", .string(format)),
            ("name", .string(name)),
            ("url", .string(link.coordinator.text)),
            ("slug", .string(link.slug.text)),
            ("key", .string(Base64.encode(key.publicKey.bytes.array))),
            ("enrolmentKey", .string(Base64.encode(enrolmentKey.encoding.array))),
            ("ringCapacity", try integer("ringCapacity", terms.ringCapacity)),
            ("minimumRing", try integer("minimumRing", terms.minimumRing)),
            ("joiningSeconds", try integer("joiningSeconds", terms.joiningSeconds)),
            ("admission", admission.json),
        ]
        if let witnesses { fields.append(("witnesses", .string(String(decoding: witnesses.text, as: UTF8.self)))) }
        let text = Array((JSONValue.object(fields).text(isPretty: true) + "\n").utf8)
        return try RollDescriptor(parsing: key.signNote(text, name: link.coordinator.bare))
    }

    /// The key of the roll's members log.
    public var membersKey: VerifierKey { VerifierKey(name: url.bare + "/members", publicKey: key) }
    /// The key of the roll's enrolment log.
    public var enrolmentLogKey: VerifierKey { VerifierKey(name: url.bare + "/enrolment", publicKey: key) }
}
