import Documents
import Petitions

/// The status of a roll's round (`GET R/round`), for pages and people; signers rely only on the log.
public struct RoundStatus: Equatable, Sendable {
    /// The number of the round.
    public let round: UInt32
    /// How many codes were issued in it.
    public let issued: UInt64
    /// When joining opened, according to the log; nil during the issuing phase.
    public let opened: UTCTime?

    /// When the next phase may begin, where phases follow each other by themselves.
    public struct Next: Equatable, Sendable {
        /// Not before this moment, to ten minutes; nil before anybody has enrolled in the round.
        public let notBefore: UTCTime?
        /// How many more must enrol first.
        public let missing: UInt64

        /// What is told of the next phase.
        public init(notBefore: UTCTime?, missing: UInt64) {
            self.notBefore = notBefore
            self.missing = missing
        }
    }

    /// What is known of the next phase; nil where the coordinator's operator begins it.
    public let next: Next?

    /// The status given by the state of an enrolment log, of which so many issues in the round are published.
    public init(_ state: EnrolmentState, issued: UInt64, next: Next?) {
        round = state.round
        self.issued = issued
        opened = state.isJoining ? UTCTime(seconds: Int64(clamping: state.opened)) : nil
        self.next = next
    }

    /// Reads a status. Ignores unknown fields.
    public init(parsing body: [UInt8]) throws(DocumentError) {
        var fields = try JSONFields(parsing: body)
        let phase = try fields.string("phase", limit: DocumentLimits.line)
        round = UInt32(try fields.integer("round", in: 0...UInt64(UInt32.max)))
        issued = try fields.integer("issued", in: 0...JSONValue.maximumInteger)
        switch phase {
        case "issuing": opened = nil
        case "joining": opened = try fields.time("opened")
        default: throw .invalid(field: "phase", reason: "is neither issuing nor joining")
        }
        next = try fields.optionalObject("next").map { parsed throws(DocumentError) in
            var fields = parsed
            return Next(
                notBefore: try fields.optionalTime("notBefore"),
                missing: try fields.integer("missing", in: 0...JSONValue.maximumInteger))
        }
    }

    /// The body.
    public var json: String {
        let fields: [(name: String, value: JSONValue)] = [
            ("phase", .string(opened == nil ? "issuing" : "joining")), ("round", .integer(UInt64(round))),
            ("issued", .integer(issued)),
        ]
        let next = next.map { next in
            let time = next.notBefore.map { [(name: "notBefore", value: JSONValue.string($0.description))] } ?? []
            return [(name: "next", value: JSONValue.object(time + [("missing", .integer(next.missing))]))]
        }
        let time = opened.map { [(name: "opened", value: JSONValue.string($0.description))] } ?? []
        return JSONValue.object(fields + time + (next ?? [])).text(isPretty: false)
    }
}
