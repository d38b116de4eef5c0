import Bytes
import Sodium
import TransparencyLog
import Witnessing

/// A petition's manifest (`*.petition`): what is petitioned, when, which rolls may sign, and who counts. Its signature
/// has been checked. Its text can never be changed, since its hash is the petition's id.
public struct PetitionManifest: Sendable {
    private static let format = "roundrobin-petition/v1"

    /// A roll whose members may sign, at a log size whose root anyone can recompute.
    public struct RollReference: Sendable {
        /// The roll's id.
        public let id: RollID
        /// `C`, the base url of the coordinator that keeps the roll.
        public let coordinator: ServiceURL
        /// Shown instead of the roll's name; the counts of equal labels are added up.
        public let label: String?
        /// The size of the roll log up to which rings are admitted; 0 if only later ones are.
        public let size: UInt64
        /// The roll log's root at `size`.
        public let root: Bytes32
        /// Whether rings sealed after `size` are admitted too.
        public let laterRings: Bool

        /// A reference for a new petition.
        public init(
            id: RollID, coordinator: ServiceURL, label: String?, size: UInt64, root: Bytes32, laterRings: Bool
        ) {
            self.id = id
            self.coordinator = coordinator
            self.label = label
            self.size = size
            self.root = root
            self.laterRings = laterRings
        }

        /// True when the petition fixes the ring that is sealed at this index of the members log.
        public func fixes(sealAt index: UInt64) -> Bool { index < size }

        /// True when members of the ring that is sealed at this index may sign.
        public func admits(sealAt index: UInt64) -> Bool { fixes(sealAt: index) || laterRings }

        /// `R = C/rolls/<rollId>`.
        public var url: ServiceURL { RollLink.address(of: id, coordinator: coordinator) }
    }

    /// An aggregator that may collect signatures.
    public struct Aggregator: Sendable {
        /// `A`, its base url.
        public let url: ServiceURL
        /// The key that signs its checkpoints.
        public let key: Ed25519PublicKey

        /// A reference for a new petition.
        public init(url: ServiceURL, key: Ed25519PublicKey) {
            self.url = url
            self.key = key
        }
    }

    /// The texts for people, the dates and the goal, as given by the petition's author.
    public struct Text: Sendable {
        /// The title, one line.
        public var title: String
        /// The statement, in Markdown.
        public var statement: String
        /// Who is responsible for the petition.
        public var startedBy: String
        /// Who is asked to act.
        public var addressedTo: String
        /// A web page with more information.
        public var website: String?
        /// The language of the text, as a BCP 47 tag.
        public var language: String
        /// The first moment at which signing is possible.
        public var opens: UTCTime
        /// The last moment at which signing is possible.
        public var closes: UTCTime
        /// The first goal, in signatures.
        public var goal: UInt64
        /// The petition that this one replaces.
        public var replaces: PetitionID?

        /// The author's part of a new petition.
        public init(
            title: String, statement: String, startedBy: String, addressedTo: String, website: String?,
            language: String, opens: UTCTime, closes: UTCTime, goal: UInt64, replaces: PetitionID?
        ) {
            self.title = title
            self.statement = statement
            self.startedBy = startedBy
            self.addressedTo = addressedTo
            self.website = website
            self.language = language
            self.opens = opens
            self.closes = closes
            self.goal = goal
            self.replaces = replaces
        }
    }

    /// The status of a petition relative to its dates.
    public enum Status: String, Sendable {
        case notOpen = "not-open"
        case open
        case closed
    }

    /// The note as published.
    public let note: [UInt8]
    /// The signed text, one JSON object: exactly the bytes that the id is the hash of.
    public let document: String
    /// SHA-256 of the note's text.
    public let id: PetitionID
    /// The coordinator's base url.
    public let url: ServiceURL
    /// The coordinator's note key.
    public let key: Ed25519PublicKey
    /// The texts for people, the dates and the goal.
    public let text: Text
    /// The rolls, 1 to 256; a record names one by its index.
    public let rolls: [RollReference]
    /// The aggregators, 1 to 16.
    public let aggregators: [Aggregator]
    /// Which witnesses must cosign the petition's logs; nil if none must.
    public let witnesses: WitnessPolicy?

    /// Reads a published manifest.
    public init(parsing bytes: [UInt8]) throws(DocumentError) {
        let (signed, parsed) = try CheckedDocument.open(bytes)
        var fields = parsed
        try fields.constant("format", Self.format)
        url = try fields.url("url")
        key = Ed25519PublicKey(try fields.bytes32("key"))
        text = try Self.text(&fields)
        rolls = try Self.rolls(&fields)
        aggregators = try Self.aggregators(&fields)
        witnesses = try fields.optionalPolicy("witnesses", notBy: [key] + aggregators.map { $0.key })
        try fields.finish()
        let document = try CheckedDocument(signed, name: url.bare, key: key)
        note = document.note
        id = PetitionID(document.id)
        self.document = String(decoding: signed.text, as: UTF8.self)
    }

    private static func text(_ fields: inout JSONFields) throws(DocumentError) -> Text {
        let replaces = try fields.optionalString("replaces", limit: 64)
        let text = Text(
            title: try fields.string("title", limit: DocumentLimits.line),
            statement: try fields.string("statement", limit: DocumentLimits.statement, isMultiline: true),
            startedBy: try fields.string("startedBy", limit: DocumentLimits.line),
            addressedTo: try fields.string("addressedTo", limit: DocumentLimits.line),
            website: try fields.optionalString("website", limit: DocumentLimits.url),
            language: try fields.string("language", limit: DocumentLimits.line),
            opens: try fields.time("opens"),
            closes: try fields.time("closes"),
            goal: try fields.integer("goal", in: 1...JSONValue.maximumInteger),
            replaces: replaces.flatMap { PetitionID(hex: $0) })
        guard (text.replaces == nil) == (replaces == nil) else {
            throw .invalid(field: "replaces", reason: "is not a petition id")
        }
        guard text.opens < text.closes else { throw .invalid(field: "closes", reason: "is not after opens") }
        if let website = text.website, ServiceURL(website) == nil {
            throw .invalid(field: "website", reason: "is not a url as documents allow it")
        }
        let subtags = text.language.split(separator: "-", omittingEmptySubsequences: false)
        guard
            subtags.allSatisfy({ tag in
                (1...8).contains(tag.count) && tag.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
            })
        else { throw .invalid(field: "language", reason: "is not a language tag such as en or pt-BR") }
        return text
    }

    private static func rolls(_ fields: inout JSONFields) throws(DocumentError) -> [RollReference] {
        var rolls: [RollReference] = []
        for var roll in try fields.objects("rolls", count: 1...256) {
            rolls.append(
                RollReference(
                    id: RollID(try roll.id("id")),
                    coordinator: try roll.url("url"),
                    label: try roll.optionalString("label", limit: DocumentLimits.line),
                    size: try roll.integer("size", in: 0...JSONValue.maximumInteger),
                    root: try roll.bytes32("root"),
                    laterRings: try roll.boolean("laterRings")))
            try roll.finish()
            try check(rolls[rolls.count - 1])
        }
        guard Set(rolls.map { $0.id }).count == rolls.count else {
            throw .invalid(field: "rolls", reason: "names a roll twice")
        }
        return rolls
    }

    /// A roll in which nobody is yet says nothing by its size and root, and is of use only with later rings.
    private static func check(_ roll: RollReference) throws(DocumentError) {
        guard roll.size == 0 else { return }
        guard roll.laterRings else { throw .invalid(field: "size", reason: "is 0, and later rings are not admitted") }
        guard roll.root == MerkleHash.emptyRoot else {
            throw .invalid(field: "root", reason: "is not that of an empty log")
        }
    }

    private static func aggregators(_ fields: inout JSONFields) throws(DocumentError) -> [Aggregator] {
        var aggregators: [Aggregator] = []
        for var aggregator in try fields.objects("aggregators", count: 1...16) {
            aggregators.append(
                Aggregator(
                    url: try aggregator.url("url"), key: Ed25519PublicKey(try aggregator.bytes32("key"))))
            try aggregator.finish()
        }
        guard Set(aggregators.map { $0.url }).count == aggregators.count else {
            throw .invalid(field: "aggregators", reason: "names an aggregator twice")
        }
        return aggregators
    }

    /// Creates and signs a new manifest, and parses it again, so that an unreadable one is never published.
    public static func make(
        url: ServiceURL, text: Text, rolls: [RollReference], aggregators: [Aggregator],
        witnesses: WitnessPolicy? = nil, key: borrowing Ed25519SecretKey
    ) throws(DocumentError) -> PetitionManifest {
        var fields: [(name: String, value: JSONValue)] = [
            ("format", .string(format)),
            ("url", .string(url.text)),
            ("key", .string(Base64.encode(key.publicKey.bytes.array))),
            ("title", .string(text.title)),
            ("statement", .string(text.statement)),
            ("startedBy", .string(text.startedBy)),
            ("addressedTo", .string(text.addressedTo)),
        ]
        if let website = text.website { fields.append(("website", .string(website))) }
        fields += [
            ("language", .string(text.language)),
            ("opens", .string(text.opens.description)),
            ("closes", .string(text.closes.description)),
            ("goal", .integer(text.goal)),
        ]
        if let replaces = text.replaces { fields.append(("replaces", .string(replaces.hex))) }
        fields.append(("rolls", .array(rolls.map(value))))
        fields.append(
            (
                "aggregators",
                .array(
                    aggregators.map { aggregator in
                        .object([
                            ("url", .string(aggregator.url.text)),
                            ("key", .string(Base64.encode(aggregator.key.bytes.array))),
                        ])
                    })
            ))
        if let witnesses { fields.append(("witnesses", .string(String(decoding: witnesses.text, as: UTF8.self)))) }
        let document = Array((JSONValue.object(fields).text(isPretty: true) + "\n").utf8)
        return try PetitionManifest(parsing: key.signNote(document, name: url.bare))
    }

    private static func value(_ roll: RollReference) -> JSONValue {
        var fields: [(name: String, value: JSONValue)] = [
            ("id", .string(roll.id.hex)), ("url", .string(roll.coordinator.text)),
        ]
        if let label = roll.label { fields.append(("label", .string(label))) }
        fields += [
            ("size", .integer(roll.size)),
            ("root", .string(Base64.encode(roll.root.array))),
            ("laterRings", .boolean(roll.laterRings)),
        ]
        return .object(fields)
    }

    /// The status at `now`; open means `opens <= now <= closes`.
    public func status(at now: UTCTime) -> Status {
        now < text.opens ? .notOpen : now > text.closes ? .closed : .open
    }

    /// The key of the log that the aggregator at `index` keeps for this petition.
    public func logKey(aggregator index: Int) -> VerifierKey {
        VerifierKey(name: logURL(aggregator: index).bare, publicKey: aggregators[index].key)
    }

    /// `A/petitions/<id>`, below which the log of the aggregator at `index` is published.
    public func logURL(aggregator index: Int) -> ServiceURL {
        guard let url = aggregators[index].url.appending("petitions", id.hex) else {
            preconditionFailure("a checked url and an id make a url")
        }
        return url
    }
}
