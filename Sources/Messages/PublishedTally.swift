import Bytes
import Documents
import Petitions

/// The tally as published by an aggregator (`GET P/tally`) and possibly contained in an offline copy.
public struct PublishedTally: Equatable, Sendable {
    /// The counts for one label and one way of admission.
    public struct Label: Equatable, Sendable {
        /// The label, as shown to people, and how they were admitted.
        public let group: TallyGroup
        /// The counts.
        public let count: Tally.Count

        /// Counts of a group.
        public init(group: TallyGroup, count: Tally.Count) {
            self.group = group
            self.count = count
        }
    }

    /// The petition.
    public let id: PetitionID
    /// The petition's title.
    public let title: String
    /// The number of tags with a signature that is not withdrawn.
    public let signatures: UInt64
    /// The number of tags whose signature is withdrawn.
    public let withdrawn: UInt64
    /// The first goal.
    public let goal: UInt64
    /// The goal to show now.
    public let nextGoal: UInt64
    /// The counts for each label, in the order in which the manifest first uses it.
    public let perLabel: [Label]
    /// The number of log entries that were counted.
    public let treeSize: UInt64
    /// The log's root at that size.
    public let rootHash: Bytes32
    /// The first moment at which signing is possible.
    public let opens: UTCTime
    /// The last moment at which signing is possible.
    public let closes: UTCTime

    /// The tally of an aggregator's log at `treeSize`.
    public init(
        _ petition: PetitionManifest, tally: Tally, groups: [TallyGroup], treeSize: UInt64, rootHash: Bytes32
    ) {
        id = petition.id
        title = petition.text.title
        signatures = tally.total.signatures
        withdrawn = tally.total.withdrawn
        goal = petition.text.goal
        nextGoal = Tally.nextGoal(first: goal, signatures: signatures)
        perLabel = tally.perGroup(groups).map { Label(group: $0.group, count: $0.count) }
        self.treeSize = treeSize
        self.rootHash = rootHash
        opens = petition.text.opens
        closes = petition.text.closes
    }

    /// Reads a published tally. `checkpointTime` and `status` depend on the time of the request: their form is checked,
    /// their values are dropped.
    public init(parsing bytes: [UInt8]) throws(DocumentError) {
        var fields = try JSONFields(parsing: bytes)
        let counts = 0...JSONValue.maximumInteger
        id = PetitionID(try fields.id("id"))
        title = try fields.string("title", limit: DocumentLimits.line)
        signatures = try fields.integer("signatures", in: counts)
        withdrawn = try fields.integer("withdrawn", in: counts)
        goal = try fields.integer("goal", in: counts)
        nextGoal = try fields.integer("nextGoal", in: counts)
        var perLabel: [Label] = []
        for var label in try fields.objects("perLabel", count: 0...256) {
            let name = try label.string("label", limit: DocumentLimits.line)
            let way = try label.string("admission", limit: DocumentLimits.line)
            guard let admission = RollAdmission.Kind(rawValue: way) else {
                throw .invalid(field: "admission", reason: "is a way that this version does not know: \(way)")
            }
            perLabel.append(
                Label(
                    group: TallyGroup(label: name, admission: admission),
                    count: Tally.Count(
                        signatures: try label.integer("signatures", in: counts),
                        withdrawn: try label.integer("withdrawn", in: counts))))
            try label.finish()
        }
        self.perLabel = perLabel
        treeSize = try fields.integer("treeSize", in: counts)
        rootHash = try fields.bytes32("rootHash")
        opens = try fields.time("opens")
        closes = try fields.time("closes")
        if fields.optional("checkpointTime").map({ Self.isTime($0) }) == false {
            throw .invalid(field: "checkpointTime", reason: "is not a time")
        }
        if let status = try fields.optionalString("status", limit: DocumentLimits.line),
            PetitionManifest.Status(rawValue: status) == nil
        {
            throw .invalid(field: "status", reason: "is not a status")
        }
        try fields.finish()
    }

    /// The first field in which this tally differs from `recounted`, in words.
    public func difference(from recounted: PublishedTally) -> String {
        guard signatures == recounted.signatures, withdrawn == recounted.withdrawn else {
            return
                "published \(signatures) signatures and \(withdrawn) withdrawn, recounted \(recounted.signatures) and "
                + "\(recounted.withdrawn)"
        }
        let index = zip(fields, recounted.fields).first { published, counted in
            !published.value.text(isPretty: false).utf8.elementsEqual(counted.value.text(isPretty: false).utf8)
        }
        guard let (published, counted) = index else { return "it differs" }
        return "published \(published.name) \(published.value.text(isPretty: false)), recounted "
            + counted.value.text(isPretty: false)
    }

    /// What the total is made of, if that needs to be said: ``Tally/perAdmission(_:)``.
    public var perAdmission: [(admission: RollAdmission.Kind, count: Tally.Count)] {
        Tally.perAdmission(perLabel.map { ($0.group, $0.count) })
    }

    private static func isTime(_ value: JSONValue) -> Bool {
        if case .string(let text) = value { UTCTime(text) != nil } else { false }
    }

    /// The JSON of `GET P/tally`, with the time of the checkpoint and the status; a copy has neither, so that a
    /// verifier can recompute every byte.
    public func json(checkpointTime: UTCTime? = nil, status: PetitionManifest.Status? = nil) -> String {
        var fields = fields
        if let checkpointTime { fields.append(("checkpointTime", .string(checkpointTime.description))) }
        if let status { fields.append(("status", .string(status.rawValue))) }
        return JSONValue.object(fields).text(isPretty: false)
    }

    /// The entity tag for serving this, with its quotes: size, status and root determine everything that may change.
    public func entityTag(status: PetitionManifest.Status) -> String {
        "\"\(treeSize)-\(status.rawValue)-\(rootHash.hex.prefix(16))\""
    }

    private var fields: [(name: String, value: JSONValue)] {
        [
            ("id", .string(id.hex)),
            ("title", .string(title)),
            ("signatures", .integer(signatures)),
            ("withdrawn", .integer(withdrawn)),
            ("goal", .integer(goal)),
            ("nextGoal", .integer(nextGoal)),
            (
                "perLabel",
                .array(
                    perLabel.map { label in
                        .object([
                            ("label", .string(label.group.label)),
                            ("admission", .string(label.group.admission.rawValue)),
                            ("signatures", .integer(label.count.signatures)),
                            ("withdrawn", .integer(label.count.withdrawn)),
                        ])
                    })
            ),
            ("treeSize", .integer(treeSize)),
            ("rootHash", .string(Base64.encode(rootHash.array))),
            ("opens", .string(opens.description)),
            ("closes", .string(closes.description)),
        ]
    }
}
