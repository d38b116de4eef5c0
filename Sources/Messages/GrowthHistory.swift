import Documents
import Petitions

/// How far a petition's log had come at the end of an hour, as its aggregator's clock said: unproven. Published no
/// finer than that, since when each signature came in is nobody's business.
public struct GrowthPoint: Hashable, Sendable {
    /// Seconds between two points at least: an hour.
    public static let resolution: Int64 = 3600

    /// The end of the hour, in seconds since 1970.
    public let until: Int64
    /// Entries of the log then.
    public let treeSize: UInt64
    /// Signatures that counted then.
    public let signatures: UInt64

    /// A point.
    public init(until: Int64, treeSize: UInt64, signatures: UInt64) {
        self.until = until
        self.treeSize = treeSize
        self.signatures = signatures
    }
}

/// The published history of a petition's count (`GET P/history`), oldest first.
public struct GrowthHistory: Equatable, Sendable {
    /// The longest history in points: seven years of hours.
    private static let limit = 1 << 16
    /// The longest history in bytes: 8 MiB.
    public static let maximumCount = 8 << 20
    /// The points, in ascending order of time and size.
    public let points: [GrowthPoint]

    /// Points in order.
    public init(_ points: [GrowthPoint]) {
        self.points = points
    }

    /// Reads a history. Refuses times that are not full hours, and points that are not in order.
    public init(parsing bytes: [UInt8]) throws(DocumentError) {
        var fields = try JSONFields(parsing: bytes)
        var points: [GrowthPoint] = []
        for var point in try fields.objects("hours", count: 0...Self.limit) {
            let next = GrowthPoint(
                until: try point.time("until").seconds,
                treeSize: try point.integer("treeSize", in: 0...JSONValue.maximumInteger),
                signatures: try point.integer("signatures", in: 0...JSONValue.maximumInteger))
            try point.finish()
            guard next.until % GrowthPoint.resolution == 0 else {
                throw .invalid(field: "until", reason: "is not a full hour")
            }
            if let last = points.last {
                guard last.until < next.until, last.treeSize < next.treeSize else {
                    throw .invalid(field: "hours", reason: "are not in ascending order")
                }
            }
            points.append(next)
        }
        self.points = points
        try fields.finish()
    }

    /// The JSON of `GET P/history`.
    public var json: String {
        JSONValue.object([
            (
                "hours",
                .array(
                    points.map { point in
                        .object([
                            ("until", .string(UTCTime(seconds: point.until).description)),
                            ("treeSize", .integer(point.treeSize)), ("signatures", .integer(point.signatures)),
                        ])
                    })
            )
        ]).text(isPretty: false)
    }

    /// The same as CSV (RFC 4180).
    public var csv: String {
        (["until,treeSize,signatures"]
            + points.map { "\(UTCTime(seconds: $0.until)),\($0.treeSize),\($0.signatures)" })
            .joined(separator: "\r\n") + "\r\n"
    }
}
