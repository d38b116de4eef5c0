import Bytes
import Documents

// How the contents of a wallet are written: as JSON by the rules of documents, bytes in base64, times in seconds since
// 1970. A field that has no value is left out.

extension WalletContents {
    /// Reads what ``encoded`` wrote.
    init(parsing bytes: [UInt8]) throws(DocumentError) {
        var fields = try JSONFields(parsing: bytes)
        enrolments = try fields.list("enrolments") { fields throws(DocumentError) in try Enrolment(&fields) }
        signatures = try fields.list("signatures") { fields throws(DocumentError) in try Signature(&fields) }
        plans = try fields.list("plans") { fields throws(DocumentError) in try Plan(&fields) }
        visits = try fields.map("visits", by: "errand") { fields throws(DocumentError) in try fields.seconds("at") }
        needsProxy = try fields.boolean("needsProxy")
        seen = try fields.map("seen", by: "log") { fields throws(DocumentError) in try Seen(&fields) }
        oddities = try fields.map("oddities", by: "key") { fields throws(DocumentError) in try Oddity(&fields) }
        try fields.finish()
    }

    /// The contents as JSON.
    var encoded: [UInt8] {
        let json = JSONValue.object([
            ("enrolments", .array(enrolments.map { .fields($0.fields) })),
            ("signatures", .array(signatures.map { .fields($0.fields) })),
            ("plans", .array(plans.map { .fields($0.fields) })),
            ("visits", .map(visits, by: "errand") { [("at", .seconds($0))] }),
            ("needsProxy", .boolean(needsProxy)),
            ("seen", .map(seen, by: "log") { $0.fields }),
            ("oddities", .map(oddities, by: "key") { $0.fields }),
        ])
        return Array(json.text(isPretty: false).utf8)
    }
}

// MARK: What several have in common

private typealias Fields = [(String, JSONValue?)]

extension JSONValue {
    fileprivate static func bytes(_ bytes: [UInt8]) -> JSONValue { .string(Base64.encode(bytes)) }

    fileprivate static func seconds(_ seconds: Int64) -> JSONValue {
        .integer(min(UInt64(clamping: seconds), maximumInteger))
    }

    fileprivate static func count(_ count: Int) -> JSONValue { .integer(UInt64(clamping: count)) }

    fileprivate static func fields(_ fields: Fields) -> JSONValue {
        .object(fields.compactMap { name, value in value.map { (name: name, value: $0) } })
    }

    /// What stands under names, which become a field of each element.
    fileprivate static func map<T>(
        _ values: [String: T], by name: String, _ fields: (T) -> Fields
    ) -> JSONValue {
        .array(values.sorted { $0.key < $1.key }.map { .fields([(name, .string($0.key))] + fields($0.value)) })
    }
}

extension JSONFields {
    fileprivate mutating func seconds(_ name: String) throws(DocumentError) -> Int64 {
        Int64(try integer(name, in: 0...JSONValue.maximumInteger))
    }

    fileprivate mutating func optionalSeconds(_ name: String) throws(DocumentError) -> Int64? {
        try optionalInteger(name, in: 0...JSONValue.maximumInteger).map { Int64($0) }
    }

    fileprivate mutating func count(_ name: String) throws(DocumentError) -> Int {
        Int(try integer(name, in: 0...UInt64(Int32.max)))
    }

    fileprivate mutating func index(_ name: String) throws(DocumentError) -> UInt64 {
        try integer(name, in: 0...JSONValue.maximumInteger)
    }

    fileprivate mutating func small(_ name: String) throws(DocumentError) -> UInt32 {
        UInt32(try integer(name, in: 0...UInt64(UInt32.max)))
    }

    /// A list of objects, each of which `read` reads to its end.
    fileprivate mutating func list<T>(
        _ name: String, _ read: (inout JSONFields) throws(DocumentError) -> T
    ) throws(DocumentError) -> [T] {
        var values: [T] = []
        for var fields in try objects(name, count: 0...Int.max) {
            values.append(try read(&fields))
            try fields.finish()
        }
        return values
    }

    /// The same for what stands under names, of which no two are equal.
    fileprivate mutating func map<T>(
        _ name: String, by key: String, _ read: (inout JSONFields) throws(DocumentError) -> T
    ) throws(DocumentError) -> [String: T] {
        var values: [String: T] = [:]
        for var fields in try objects(name, count: 0...Int.max) {
            let element = try fields.text(key)
            guard values[element] == nil else { throw .invalid(field: name, reason: "has \(element) twice") }
            values[element] = try read(&fields)
            try fields.finish()
        }
        return values
    }

    /// An object that `read` reads to its end, for an optional field.
    fileprivate mutating func optional<T>(
        _ name: String, _ read: (inout JSONFields) throws(DocumentError) -> T
    ) throws(DocumentError) -> T? {
        guard var fields = try optionalObject(name) else { return nil }
        let value = try read(&fields)
        try fields.finish()
        return value
    }
}

// MARK: Each part

extension WalletContents.Enrolment {
    fileprivate init(_ fields: inout JSONFields) throws(DocumentError) {
        descriptor = try fields.bytes("descriptor")
        codeHash = try fields.bytes("codeHash")
        code = try fields.optionalBytes("code")
        token = try fields.optionalBytes("token")
        issuedAt = try fields.optionalSeconds("issuedAt")
        issueIndex = try fields.optionalInteger("issueIndex", in: 0...JSONValue.maximumInteger)
        opening = try fields.optional("opening") { fields throws(DocumentError) in
            try WalletContents.Opening(&fields)
        }
        joining = try fields.optionalText("joining").map { name throws(DocumentError) in
            guard let joining = WalletContents.Joining(rawValue: name) else {
                throw .invalid(field: "joining", reason: "is unknown")
            }
            return joining
        }
        joinMoment = try fields.optional("joinMoment") { fields throws(DocumentError) in
            WalletContents.JoinMoment(opened: try fields.index("opened"), at: try fields.seconds("at"))
        }
        joinSendings = try fields.optionalInteger("joinSendings", in: 0...UInt64(Int32.max)).map { Int($0) }
        ring = try fields.optional("ring") { fields throws(DocumentError) in try WalletContents.OwnRing(&fields) }
    }

    fileprivate var fields: Fields {
        [
            ("descriptor", .bytes(descriptor)), ("codeHash", .bytes(codeHash)), ("code", code.map { .bytes($0) }),
            ("token", token.map { .bytes($0) }), ("issuedAt", issuedAt.map { .seconds($0) }),
            ("issueIndex", issueIndex.map { .integer($0) }), ("opening", opening.map { .fields($0.fields) }),
            ("joining", joining.map { .string($0.rawValue) }),
            ("joinMoment", joinMoment.map { .fields([("opened", .integer($0.opened)), ("at", .seconds($0.at))]) }),
            ("joinSendings", joinSendings.map { .count($0) }), ("ring", ring.map { .fields($0.fields) }),
        ]
    }
}

extension WalletContents.Opening {
    fileprivate init(_ fields: inout JSONFields) throws(DocumentError) {
        index = try fields.index("index")
        round = try fields.small("round")
        opened = try fields.index("opened")
        seenAt = try fields.seconds("seenAt")
        lastWithout = try fields.optionalSeconds("lastWithout")
    }

    fileprivate var fields: Fields {
        [
            ("index", .integer(index)), ("round", .integer(UInt64(round))), ("opened", .integer(opened)),
            ("seenAt", .seconds(seenAt)), ("lastWithout", lastWithout.map { .seconds($0) }),
        ]
    }
}

extension WalletContents.OwnRing {
    fileprivate init(_ fields: inout JSONFields) throws(DocumentError) {
        number = try fields.small("number")
        sealIndex = try fields.index("sealIndex")
        members = try fields.bytes("members")
        logSize = try fields.index("logSize")
        logRoot = try fields.bytes("logRoot")
        logFullTiles = try fields.bytes("logFullTiles")
        fault = try fields.optional("fault") { fields throws(DocumentError) in
            Fault(
                limit: try fields.index("limit"), log: try fields.text("log"), index: try fields.index("index"),
                rule: try fields.text("rule"))
        }
    }

    fileprivate var fields: Fields {
        [
            ("number", .integer(UInt64(number))), ("sealIndex", .integer(sealIndex)), ("members", .bytes(members)),
            ("logSize", .integer(logSize)), ("logRoot", .bytes(logRoot)), ("logFullTiles", .bytes(logFullTiles)),
            (
                "fault",
                fault.map {
                    .fields([
                        ("limit", .integer($0.limit)), ("log", .string($0.log)), ("index", .integer($0.index)),
                        ("rule", .string($0.rule)),
                    ])
                }
            ),
        ]
    }
}

extension WalletContents.Signature {
    fileprivate init(_ fields: inout JSONFields) throws(DocumentError) {
        petition = try fields.bytes("petition")
        aggregator = try fields.count("aggregator")
        record = try fields.bytes("record")
        receipt = try fields.optionalBytes("receipt")
        receiptRecord = try fields.optionalBytes("receiptRecord")
        withdrawal = try fields.optionalBytes("withdrawal")
        withdrawalReceipt = try fields.optionalBytes("withdrawalReceipt")
        isOfLargeRoll = try fields.boolean("isOfLargeRoll")
    }

    fileprivate var fields: Fields {
        [
            ("petition", .bytes(petition)), ("aggregator", .count(aggregator)), ("record", .bytes(record)),
            ("receipt", receipt.map { .bytes($0) }), ("receiptRecord", receiptRecord.map { .bytes($0) }),
            ("withdrawal", withdrawal.map { .bytes($0) }),
            ("withdrawalReceipt", withdrawalReceipt.map { .bytes($0) }),
            ("isOfLargeRoll", .boolean(isOfLargeRoll)),
        ]
    }
}

extension WalletContents.Plan {
    fileprivate init(_ fields: inout JSONFields) throws(DocumentError) {
        roll = try fields.bytes("roll")
        code = try fields.optionalBytes("code")
        petition = try fields.optionalBytes("petition")
        address = try fields.optionalText("address")
        ringFloor = try fields.count("ringFloor")
        roundFloor = try fields.index("roundFloor")
        within = try fields.count("within")
        stopped = try fields.optionalText("stopped")
        stoppedByRisk = try fields.optionalText("stoppedByRisk")
        ended = try fields.optionalText("ended")
        isDone = try fields.boolean("isDone")
    }

    fileprivate var fields: Fields {
        [
            ("roll", .bytes(roll)), ("code", code.map { .bytes($0) }), ("petition", petition.map { .bytes($0) }),
            ("address", address.map { .string($0) }), ("ringFloor", .count(ringFloor)),
            ("roundFloor", .integer(roundFloor)), ("within", .count(within)),
            ("stopped", stopped.map { .string($0) }), ("stoppedByRisk", stoppedByRisk.map { .string($0) }),
            ("ended", ended.map { .string($0) }), ("isDone", .boolean(isDone)),
        ]
    }
}

extension WalletContents.Head {
    fileprivate init(_ fields: inout JSONFields) throws(DocumentError) {
        note = try fields.bytes("note")
        at = try fields.seconds("at")
        fullTiles = try fields.bytes("fullTiles")
    }

    fileprivate var fields: Fields {
        [("note", .bytes(note)), ("at", .seconds(at)), ("fullTiles", .bytes(fullTiles))]
    }
}

extension WalletContents.Seen {
    fileprivate init(_ fields: inout JSONFields) throws(DocumentError) {
        var known = try fields.list("heads") { fields throws(DocumentError) in try WalletContents.Head(&fields) }
        guard !known.isEmpty else { throw .invalid(field: "heads", reason: "is empty") }
        head = known.removeFirst()
        outlines = known
        disputed = try fields.optionalBytes("disputed")
    }

    fileprivate var fields: Fields {
        [
            ("heads", .array(([head] + outlines).map { .fields($0.fields) })),
            ("disputed", disputed.map { .bytes($0) }),
        ]
    }
}

extension WalletContents.Oddity {
    fileprivate init(_ fields: inout JSONFields) throws(DocumentError) {
        guard let kind = SignerOddity.Kind(rawValue: try fields.text("kind")) else {
            throw .invalid(field: "kind", reason: "is unknown")
        }
        what = SignerOddity(kind, of: try fields.text("name"))
        at = try fields.seconds("at")
    }

    fileprivate var fields: Fields {
        [("kind", .string(what.kind.rawValue)), ("name", .string(what.name)), ("at", .seconds(at))]
    }
}
