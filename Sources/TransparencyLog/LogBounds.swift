/// How large a log of a certain kind may be, so that a hostile one cannot exhaust memory.
public struct LogBounds: Equatable, Sendable {
    /// The length of the longest entry in bytes.
    public let longestEntry: Int
    /// The largest number of entries.
    public let mostEntries: UInt64

    /// Bounds for a kind of log.
    public init(longestEntry: Int, mostEntries: UInt64) {
        self.longestEntry = longestEntry
        self.mostEntries = mostEntries
    }

    /// The length of the longest bundle in bytes: 256 entries of the longest length, each preceded by its two-byte
    /// length.
    public var longestBundle: Int { TileID.fullWidth * (2 + longestEntry) }
}
