/// How large a log of one kind may be, so that a hostile one fills no memory.
public struct LogBounds: Equatable, Sendable {
    /// The longest entry in bytes.
    public let longestEntry: Int
    /// The most entries.
    public let mostEntries: UInt64

    /// Bounds of a kind of log.
    public init(longestEntry: Int, mostEntries: UInt64) {
        self.longestEntry = longestEntry
        self.mostEntries = mostEntries
    }

    /// The longest bundle in bytes: 256 of the longest entries, each after its length.
    public var longestBundle: Int { TileID.fullWidth * (2 + longestEntry) }
}
