import Bytes

/// The position of a tile (C2SP tlog-tiles): `index` tiles from the left, among the hashes of level `level` or the
/// bundles of entries.
public struct TileID: Hashable, Comparable, Sendable {
    /// The number of hashes or entries in a full tile: 256.
    public static let fullWidth = 1 << height
    /// The number of tree levels in a tile: 8.
    static let height = 8

    /// The level, 0 to 63; level L holds the roots of full subtrees of 256^L entries.
    public let level: Int
    /// The index, from 0.
    public let index: UInt64

    /// The tile at a position.
    public init(level: Int, index: UInt64) {
        self.level = level
        self.index = index
    }

    /// The order by level, then from left to right.
    public static func < (left: TileID, right: TileID) -> Bool {
        (left.level, left.index) < (right.level, right.index)
    }

    /// `tile/<L>/<N>`, with `.p/<W>` unless the width is full.
    public func path(width: Int = fullWidth) -> String {
        "tile/\(level)/\(Self.path(index: index, width: width))"
    }

    /// `tile/entries/<N>`, with `.p/<W>` unless the width is full: the bundle that belongs to the level-0 tile of that
    /// index.
    public static func bundlePath(index: UInt64, width: Int = fullWidth) -> String {
        "tile/entries/\(path(index: index, width: width))"
    }

    /// The index in groups of three digits, each but the last prefixed with `x`.
    private static func path(index: UInt64, width: Int) -> String {
        var groups: [String] = []
        var rest = index
        repeat {
            let digits = String(rest % 1000)
            groups.insert(String(repeating: "0", count: 3 - digits.count) + digits, at: 0)
            rest /= 1000
        } while rest > 0
        let number = groups.dropLast().map { "x\($0)/" }.joined() + groups[groups.count - 1]
        return width == fullWidth ? number : "\(number).p/\(width)"
    }
}

/// The resource that a path below a log's prefix names.
public enum TileRequest: Equatable, Sendable {
    /// The first `width` hashes of a tile.
    case hashes(TileID, width: Int)
    /// The first `width` entries of a bundle.
    case entries(index: UInt64, width: Int)

    /// Reads a path such as `tile/0/x001/000.p/5`; nil unless it is exactly in the form of tlog-tiles.
    public init?(path: String) {
        var parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 3, parts.count <= 12, parts[0] == "tile" else { return nil }
        let level = parts[1]
        parts.removeFirst(2)
        var width = TileID.fullWidth
        if parts.count >= 2, parts[parts.count - 2].hasSuffix(".p") {
            guard let partial = Checkpoint.decimal(parts[parts.count - 1]), (1..<256).contains(partial) else {
                return nil
            }
            width = Int(partial)
            parts.removeLast()
            parts[parts.count - 1].removeLast(2)
        }
        guard let index = Self.index(parts) else { return nil }
        if level == "entries" {
            self = .entries(index: index, width: width)
        } else {
            guard let number = Checkpoint.decimal(level), number < 64 else { return nil }
            self = .hashes(TileID(level: Int(number), index: index), width: width)
        }
        guard self.path == path else { return nil }
    }

    /// True if a log with `size` entries has all of it.
    public func isWithin(_ size: UInt64) -> Bool {
        let full = UInt64(TileID.fullWidth)
        let (index, width, count) =
            switch self {
            case .entries(let index, let width): (index, width, size)
            case .hashes(let tile, let width): (tile.index, width, tile.level < 8 ? size >> UInt64(8 * tile.level) : 0)
            }
        let (first, overflow) = index.multipliedReportingOverflow(by: full)
        return !overflow && first <= count && count - first >= UInt64(width)
    }

    /// The path of this request.
    public var path: String {
        switch self {
        case .hashes(let tile, let width): tile.path(width: width)
        case .entries(let index, let width): TileID.bundlePath(index: index, width: width)
        }
    }

    private static func index(_ groups: [Substring]) -> UInt64? {
        var index: UInt64 = 0
        for (position, group) in groups.enumerated() {
            let digits = position == groups.count - 1 ? group : group.dropFirst()
            guard digits.count == 3, position == groups.count - 1 || group.first == "x", let number = UInt64(digits)
            else { return nil }
            let (scaled, overflow) = index.multipliedReportingOverflow(by: 1000)
            let (sum, carry) = scaled.addingReportingOverflow(number)
            guard !overflow, !carry else { return nil }
            index = sum
        }
        return index
    }

    /// All tiles of a log with `size` entries: hash tiles level by level, then bundles.
    public static func all(size: UInt64) -> [TileRequest] {
        var requests: [TileRequest] = []
        var count = size
        var level = 0
        while count > 0 {
            requests += TileRow(count: count).map { .hashes(TileID(level: level, index: $0.index), width: $0.width) }
            count /= UInt64(TileID.fullWidth)
            level += 1
        }
        return requests + TileRow(count: size).map { .entries(index: $0.index, width: $0.width) }
    }
}

/// The tiles of a level with `count` hashes or entries, from left to right: full ones, then possibly a partial one.
public struct TileRow: Sequence, IteratorProtocol, Sendable {
    private let count: UInt64
    private var position: UInt64 = 0

    /// The row for `count` hashes or entries.
    public init(count: UInt64) {
        self.count = count
    }

    /// The next tile's index and width.
    public mutating func next() -> (index: UInt64, width: Int)? {
        let full = UInt64(TileID.fullWidth)
        guard position * full < count else { return nil }
        defer { position += 1 }
        return (position, Int(Swift.min(full, count - position * full)))
    }
}

/// Up to 256 entries, each preceded by its two-byte length (C2SP tlog-tiles, "Log entries").
public enum EntryBundle {
    /// The largest size of an entry in bytes.
    public static let maximumEntryCount = 65_535

    /// The bundle of `entries`. Traps on an entry of more than 65,535 bytes.
    public static func encode(_ entries: some Sequence<[UInt8]>) -> [UInt8] {
        var bytes: [UInt8] = []
        for entry in entries {
            bytes.appendInteger(UInt16(entry.count))
            bytes += entry
        }
        return bytes
    }

    /// The entries, or nil unless the bytes are exactly a sequence of entries with their lengths.
    public static func decode(_ bytes: [UInt8]) -> [[UInt8]]? {
        var reader = ByteReader(bytes)
        var entries: [[UInt8]] = []
        while !reader.isAtEnd {
            guard let count = reader.readInteger(UInt16.self), let entry = reader.read(Int(count)) else { return nil }
            entries.append(entry)
        }
        return entries
    }
}

/// A tile of hashes as bytes.
public enum HashTile {
    /// The concatenated hashes.
    public static func encode(_ hashes: some Sequence<Bytes32>) -> [UInt8] {
        hashes.reduce(into: []) { $0.append($1) }
    }

    /// 1 to 256 hashes, or nil unless the bytes are exactly that.
    public static func decode(_ bytes: [UInt8]) -> [Bytes32]? {
        guard bytes.count.isMultiple(of: 32), (1...TileID.fullWidth).contains(bytes.count / 32) else { return nil }
        return bytes.withUnsafeBytes { raw in (0..<bytes.count / 32).map { Bytes32(raw, at: 32 * $0) } }
    }
}
