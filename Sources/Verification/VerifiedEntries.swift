import Bytes
import Documents
import LogReading
import Petitions
import TransparencyLog

/// Entries of one log whose proofs were verified: their indices, and a hash that identifies them.
public struct VerifiedRange: Equatable, Sendable {
    /// The log's name: its url without scheme.
    public let log: String
    /// Their indices.
    public let entries: Range<UInt64>
    /// The Merkle tree hash (RFC 6962 section 2.1) over these entries alone. It binds the range to what was verified.
    /// For a range that starts at index 0, it is the log's root at that size.
    public let hash: Bytes32
    /// Entries among them that did not verify, or could not be judged, in ascending order. They are checked again each
    /// time. In a range that is not ``isWritable``, some may be missing.
    public let exceptions: [UInt64]
    /// The name of the file that the range was read from, nil for what was verified now. It is not written to a file.
    public let file: String?

    /// A range as it was verified.
    public init(log: String, entries: Range<UInt64>, hash: Bytes32, exceptions: [UInt64], file: String? = nil) {
        self.log = log
        self.entries = entries
        self.hash = hash
        self.exceptions = exceptions
        self.file = file
    }

    /// False for a range with more exceptions than a file of verified entries may have: it would save little work.
    public var isWritable: Bool { exceptions.count <= Self.exceptionLimit }
    static let exceptionLimit = 50_000
}

/// What was verified of a petition and need not be verified again: the file of `verify --state` and of
/// `verify --range`.
///
/// The file is trusted like the program that wrote it, but it saves only the checking of proofs. Every entry is still
/// read, hashed, parsed and counted, and a range whose entries have changed is an error. Ranges of logs without proofs
/// therefore serve to notice that a log was rewritten. A report names each file that its verdict relies on.
public struct VerifiedEntries: Equatable, Sendable {
    private static let format = "roundrobin-verified/v1"
    /// The largest file in bytes: ranges with some 10^6 exceptions.
    public static let maximumCount = 1 << 24

    /// The petition's id.
    public let petition: PetitionID
    /// The ranges, in no particular order; they may overlap.
    public var ranges: [VerifiedRange]

    /// What was verified of a petition.
    public init(petition: PetitionID, ranges: [VerifiedRange]) {
        self.petition = petition
        self.ranges = ranges
    }

    /// Reads the file; `name` is its name in a report.
    public init(parsing bytes: [UInt8], name: String? = nil) throws(DocumentError) {
        var fields = try JSONFields(parsing: bytes)
        try fields.constant("format", Self.format)
        petition = PetitionID(try fields.id("petition"))
        var ranges: [VerifiedRange] = []
        for var range in try fields.objects("ranges", count: 0...100_000) {
            let log = try range.string("log", limit: SignedNote.maximumCount)
            let first = try range.integer("first", in: 0...JSONValue.maximumInteger)
            let end = try range.integer("end", in: first...JSONValue.maximumInteger)
            let hash = try range.bytes32("hash")
            let exceptions = try range.integers("exceptions", in: first...max(first, end))
            guard zip(exceptions, exceptions.dropFirst()).allSatisfy({ $0 < $1 }),
                exceptions.last.map({ $0 < end }) ?? true
            else { throw .invalid(field: "exceptions", reason: "are not ascending indices of the range") }
            try range.finish()
            ranges.append(
                VerifiedRange(log: log, entries: first..<end, hash: hash, exceptions: exceptions, file: name))
        }
        self.ranges = ranges
        try fields.finish()
    }

    /// The file, with the ranges that are ``VerifiedRange/isWritable``.
    public var json: String {
        let written = ranges.filter(\.isWritable)
        let ranges: [JSONValue] = written.map { range in
            .object([
                ("log", .string(range.log)), ("first", .integer(range.entries.lowerBound)),
                ("end", .integer(range.entries.upperBound)), ("hash", .string(Base64.encode(range.hash.array))),
                ("exceptions", .array(range.exceptions.map { .integer($0) })),
            ])
        }
        let object = JSONValue.object([
            ("format", .string(Self.format)), ("petition", .string(petition.hex)), ("ranges", .array(ranges)),
        ])
        return object.text(isPretty: true) + "\n"
    }

}

extension VerifiedEntries? {
    /// A reader that follows the ranges of one log while it is read.
    func reader(of log: String) -> VerifiedRangeReader {
        VerifiedRangeReader(self?.ranges.filter { $0.log == log && !$0.entries.isEmpty } ?? [])
    }
}

/// The entries of a range are not those that were verified, or are missing.
struct OtherEntries: Error {
    let range: VerifiedRange
    /// The number of entries in the log, when it ends before the range does.
    let logSize: UInt64?

    /// A range that starts at index 0 is the log as it was: if it differs, the log was rewritten. A log that is only
    /// shorter may be an older copy, which proves nothing.
    var logError: LogReadError? {
        logSize == nil && range.entries.lowerBound == 0 ? .notAnExtension(seenSize: range.entries.upperBound) : nil
    }

    var explanation: String {
        if let logSize {
            return
                "it has \(logSize) entries, but \(range.entries.upperBound) were there when it was verified before: the "
                + "copy is older, or the log was shortened"
        }
        return
            "its entries \(range.entries.lowerBound)..\(range.entries.upperBound) are not those that were verified before"
    }
}

/// Knows which entries of a log were verified before, and notices when they have changed.
struct VerifiedRangeReader {
    private struct Followed {
        let range: VerifiedRange
        let exceptions: Set<UInt64>
        var tree = GrowingTree()
    }

    private var followed: [Followed]
    /// The index of the next leaf.
    private var next: UInt64 = 0

    init(_ ranges: [VerifiedRange]) {
        followed = ranges.map { Followed(range: $0, exceptions: Set($0.exceptions)) }
    }

    /// The position of the range that says that the entry at `index` was verified, nil if none does.
    func range(verifying index: UInt64) -> Int? {
        // Where ranges overlap, one exception is enough to check again.
        var found: Int?
        for (position, one) in followed.enumerated() where one.range.entries.contains(index) {
            if one.exceptions.contains(index) { return nil }
            found = found ?? position
        }
        return found
    }

    /// The name of the file that the range at `position` came from.
    func file(_ position: Int) -> String { followed[position].range.file ?? "an earlier run" }

    /// Takes the next leaf hashes of the log.
    mutating func append(_ leaves: LeafHashes) throws {
        let read = next..<next + UInt64(leaves.count)
        next = read.upperBound
        for position in followed.indices {
            let entries = followed[position].range.entries
            let common = entries.clamped(to: read)
            guard !common.isEmpty else { continue }
            if common == read {
                followed[position].tree.append(leaves)
            } else {
                for index in common { followed[position].tree.append(leaves[Int(index - read.lowerBound)]) }
            }
            guard common.upperBound == entries.upperBound else { continue }
            guard followed[position].tree.root == followed[position].range.hash else {
                throw OtherEntries(range: followed[position].range, logSize: nil)
            }
        }
    }

    /// To be called at the end of the log: throws if a range has not ended.
    func finish() throws {
        if let longer = followed.first(where: { $0.range.entries.upperBound > next }) {
            throw OtherEntries(range: longer.range, logSize: next)
        }
    }
}
