import Bytes
import Petitions
import Platform

/// Why tags could not be stored: the temporary file for those that do not fit in memory failed.
public struct TagStorageError: Error, Equatable, Sendable {
    /// The system's error message.
    public let reason: String

    init() {
        reason = String(cString: strerror(errno))
    }
}

/// One entry of a petition log, reduced to what counting needs: its tag, position, act and ring. 40 bytes.
///
/// Everything but the tag is packed into one number, so that sorting by it gives the order in which entries are judged.
/// From the highest bits to the lowest:
///
/// | bits | what | why so many |
/// | ---: | --- | --- |
/// | 4 | log | a petition has at most 16 logs |
/// | 31 | index | a petition log has at most 2^31 entries (``LogBounds``) |
/// | 2 | flags | signature, withdrawal, or unjudged |
/// | 8 | roll | a petition has at most 256 rolls |
/// | 19 | ring | a members log has at most 2^20 entries, and a ring at least two members and a seal |
public struct TagEntry: Sendable {
    private static let logBits = 4
    private static let indexBits = 31
    private static let ringBits = 19
    private static let rollShift = UInt64(ringBits)
    private static let flagsShift = UInt64(ringBits + 8)
    private static let indexShift = UInt64(ringBits + 8 + 2)
    private static let logShift = UInt64(64 - logBits)
    /// Replaces a number that does not fit: no roll has a ring with this number.
    private static let noRing: UInt32 = 1 << ringBits - 1

    /// What the entry requests.
    public enum Act: Equatable, Sendable {
        /// A verified signature or withdrawal.
        case verified(RecordAct)
        /// A signature that names a roll that could not be read: entries after it under the same tag cannot be judged.
        case unjudged
    }

    private enum Flags {
        static let sign: UInt64 = 0
        static let withdraw: UInt64 = 1
        static let unjudged: UInt64 = 2
    }

    /// `J`, 32 bytes.
    public let tag: Bytes32
    private let position: UInt64

    /// An entry. `ring` is the number of the ring that a signature names; nil for a withdrawal, which names none. Traps
    /// on an index of 2^31 or more: no log that is read is that long. `ring` may be any number: one that does not fit
    /// is in no electorate.
    public init(tag: Bytes32, log: Int, index: UInt64, act: Act, ring: UInt32?) {
        precondition(log < 1 << Self.logBits && index < 1 << Self.indexBits, "a log and an index that fit")
        self.tag = tag
        let (flags, roll): (UInt64, UInt8) =
            switch act {
            case .verified(.sign(let roll)): (Flags.sign, roll)
            case .verified(.withdraw): (Flags.withdraw, 0)
            case .unjudged: (Flags.unjudged, 0)
            }
        position =
            UInt64(log) << Self.logShift | index << Self.indexShift | flags << Self.flagsShift
            | UInt64(roll) << Self.rollShift | UInt64(min(ring ?? Self.noRing, Self.noRing))
    }

    /// The log's index in the manifest.
    public var log: Int { Int(position >> Self.logShift) }
    /// The entry's index in that log.
    public var index: UInt64 { position >> Self.indexShift & (1 << Self.indexBits - 1) }
    /// What the entry requests.
    public var act: Act {
        switch position >> Self.flagsShift & 3 {
        case Flags.sign: .verified(.sign(roll: UInt8(truncatingIfNeeded: position >> Self.rollShift)))
        case Flags.withdraw: .verified(.withdraw)
        default: .unjudged
        }
    }
    /// The number of the ring that a verified signature names; nil for any other entry, and for a ring that cannot
    /// exist.
    public var ring: UInt32? {
        let number = UInt32(truncatingIfNeeded: position) & Self.noRing
        guard position >> Self.flagsShift & 3 == Flags.sign, number != Self.noRing else { return nil }
        return number
    }

    static func < (left: TagEntry, right: TagEntry) -> Bool {
        left.tag == right.tag ? left.position < right.position : left.tag < right.tag
    }
}

/// Every tag of every log of a petition, exactly, in bounded memory: 40 bytes per entry, and beyond the bound in sorted
/// runs in an unnamed temporary file. Sorting makes duplicates adjacent.
public struct TagLedger: ~Copyable {
    /// The default number of entries in memory: 2^19, 21 MB.
    public static let memoryLimit = 1 << 19

    private let limit: Int
    private var entries: [TagEntry] = []
    private var file: TemporaryFile?
    /// The number of entries in each run of the file.
    private var runs: [Int] = []

    /// An empty ledger that keeps at most `limit` entries in memory.
    public init(memoryLimit limit: Int = memoryLimit) {
        precondition(limit > 0, "room for an entry")
        self.limit = limit
    }

    /// Adds an entry, in any order.
    public mutating func append(_ entry: TagEntry) throws(TagStorageError) {
        entries.append(entry)
        if entries.count == limit { try spill() }
    }

    private mutating func spill() throws(TagStorageError) {
        entries.sort(by: <)
        if file == nil { file = try TemporaryFile() }
        try file?.append(entries)
        runs.append(entries.count)
        entries.removeAll(keepingCapacity: true)
    }

    /// Calls `body` with the entries of each tag, in the order of tags; the entries of one tag are in the order of logs
    /// and indices.
    public mutating func forEachTag(_ body: (ArraySlice<TagEntry>) -> Void) throws(TagStorageError) {
        entries.sort(by: <)
        guard !runs.isEmpty else {
            var rest = entries[...]
            while let first = rest.first {
                let same = rest.prefix { $0.tag == first.tag }
                body(same)
                rest = rest[same.endIndex...]
            }
            return
        }
        try spill()
        try file?.merge(runs, body)
    }
}

/// The rest of a sorted run, of which a few entries are buffered in memory.
private struct RunCursor {
    private static let bufferCount = 4096
    private var buffer: [TagEntry] = []
    private var position = 0
    private var rest: Range<Int>

    init(range: Range<Int>) {
        rest = range
    }

    var first: TagEntry? { position < buffer.count ? buffer[position] : nil }

    mutating func removeFirst() { position += 1 }

    mutating func refill(from file: borrowing TemporaryFile) throws(TagStorageError) {
        guard position == buffer.count, !rest.isEmpty else { return }
        let next = rest.prefix(Self.bufferCount)
        buffer = try file.read(next)
        position = 0
        rest = next.upperBound..<rest.upperBound
    }
}

/// An unnamed file in `TMPDIR` or `/tmp`, which exists as long as this value.
struct TemporaryFile: ~Copyable {
    private let descriptor: Int32

    init() throws(TagStorageError) {
        let folder = Environment.variable("TMPDIR") ?? "/tmp"
        var path = Array("\(folder)/roundrobin-tags-XXXXXX".utf8CString)
        descriptor = mkstemp(&path)
        guard descriptor >= 0 else { throw TagStorageError() }
        unlink(path)
    }

    deinit { close(descriptor) }

    func append(_ entries: [TagEntry]) throws(TagStorageError) {
        var offset = 0
        let total = entries.count * MemoryLayout<TagEntry>.stride
        while offset < total {
            let count = entries.withUnsafeBytes {
                write(descriptor, $0.baseAddress.map { $0 + offset }, total - offset)
            }
            guard count > 0 else { throw TagStorageError() }
            offset += count
        }
    }

    func read(_ range: Range<Int>) throws(TagStorageError) -> [TagEntry] {
        let size = MemoryLayout<TagEntry>.stride
        var count = 0
        let entries = [TagEntry](unsafeUninitializedCapacity: range.count) { buffer, filled in
            count = pread(descriptor, buffer.baseAddress, range.count * size, off_t(range.lowerBound * size))
            filled = max(count, 0) / size
        }
        guard entries.count == range.count else { throw TagStorageError() }
        return entries
    }

    /// Merges sorted runs: the next entry is the least of the first entries of all runs.
    func merge(_ runs: [Int], _ body: (ArraySlice<TagEntry>) -> Void) throws(TagStorageError) {
        var start = 0
        var cursors: [RunCursor] = []
        for count in runs {
            cursors.append(RunCursor(range: start..<start + count))
            start += count
        }
        for position in cursors.indices { try cursors[position].refill(from: self) }
        var same: [TagEntry] = []
        while true {
            var least: (entry: TagEntry, cursor: Int)?
            for (position, cursor) in cursors.enumerated() {
                guard let entry = cursor.first else { continue }
                if let found = least, !(entry < found.entry) { continue }
                least = (entry, position)
            }
            guard let (entry, position) = least else { break }
            if let last = same.last, last.tag != entry.tag {
                body(same[...])
                same.removeAll(keepingCapacity: true)
            }
            same.append(entry)
            cursors[position].removeFirst()
            try cursors[position].refill(from: self)
        }
        if !same.isEmpty { body(same[...]) }
    }
}
