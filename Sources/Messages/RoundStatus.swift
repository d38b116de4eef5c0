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

    /// The status given by the state of an enrolment log.
    public init(_ state: EnrolmentState) {
        round = state.round
        issued = state.issuedInRound
        opened = state.isJoining ? UTCTime(seconds: Int64(clamping: state.opened)) : nil
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
    }

    /// The body.
    public var json: String {
        let fields: [(name: String, value: JSONValue)] = [
            ("phase", .string(opened == nil ? "issuing" : "joining")), ("round", .integer(UInt64(round))),
            ("issued", .integer(issued)),
        ]
        let time = opened.map { [(name: "opened", value: JSONValue.string($0.description))] } ?? []
        return JSONValue.object(fields + time).text(isPretty: false)
    }
}
