import Documents
import Petitions

/// The state of a petition's log at the end of an hour by its aggregator's clock; unproven. Not published at a finer
/// resolution, in order not to reveal when each signature came in.
public struct GrowthPoint: Hashable, Sendable {
    /// The minimum distance of two points in seconds: an hour.
    public static let resolution: Int64 = 3600

    /// The end of the hour, in seconds since 1970.
    public let until: Int64
    /// The number of entries of the log at that time.
    public let treeSize: UInt64
    /// The number of signatures that counted at that time.
    public let signatures: UInt64

    /// A point of the history.
    public init(until: Int64, treeSize: UInt64, signatures: UInt64) {
        self.until = until
        self.treeSize = treeSize
        self.signatures = signatures
    }
}

/// The published history of a petition's count (`GET P/history`), oldest first.
public struct GrowthHistory: Equatable, Sendable {
    /// The largest number of points: over seven years of hours.
    private static let limit = 1 << 16
    /// The largest size of a history in bytes: 8 MiB.
    public static let maximumCount = 8 << 20
    /// The points, in ascending order of time and size.
    public let points: [GrowthPoint]

    /// A history of points that are in order.
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

    /// The history as CSV (RFC 4180).
    public var csv: String {
        CSVText.table(
            [["until", "treeSize", "signatures"]]
                + points.map {
                    [UTCTime(seconds: $0.until).description, String($0.treeSize), String($0.signatures)]
                })
    }
}
