import Bytes
import Documents
import TransparencyLog

/// Two statements under one key that cannot both be true (`Protocol/log.md`, "Evidence").
public struct Evidence: Sendable {
    private static let format = "roundrobin-evidence/v1"
    /// The longest file in bytes: evidence on a log of 2^18 entries.
    public static let maximumCount = 16 << 20
    /// The most leaf hashes of evidence: there is none on a longer log.
    public static let mostLeaves = 1 << 18
    private static let mostValues = mostLeaves + 16

    /// What the evidence shows, in words.
    public let what: String
    /// The signed note that was seen first.
    public let seen: [UInt8]
    /// The signed note that was shown later.
    public let shown: [UInt8]
    /// For a log: the leaf hashes of all entries of `shown`. Empty where the notes alone contradict each other.
    public let leaves: [Bytes32]

    /// Two notes, and what else is needed to show that they contradict each other.
    public init(what: String, seen: [UInt8], shown: [UInt8], leaves: [Bytes32]) {
        self.what = what
        self.seen = seen
        self.shown = shown
        self.leaves = leaves
    }

    /// Reads an evidence file. ``isContradiction(of:)`` decides whether it shows anything.
    public init(parsing bytes: [UInt8]) throws(DocumentError) {
        // A value takes far more memory than its text.
        guard bytes.count <= Self.maximumCount, bytes.count(where: { $0 == UInt8(ascii: ",") }) <= Self.mostValues
        else {
            throw .malformed("too long")
        }
        var fields = try JSONFields(parsing: bytes)
        try fields.constant("format", Self.format)
        what = try fields.string("what", limit: DocumentLimits.statement)
        seen = Array(try fields.text("seen").utf8)
        shown = Array(try fields.text("shown").utf8)
        leaves = try fields.hashes("leaves")
        try fields.finish()
    }

    /// The file: one JSON object.
    public var json: String {
        JSONValue.object([
            ("format", .string(Self.format)), ("what", .string(what)),
            ("seen", .string(String(decoding: seen, as: UTF8.self))),
            ("shown", .string(String(decoding: shown, as: UTF8.self))),
            ("leaves", .array(leaves.map { .string(Base64.encode($0.array)) })),
        ]).text(isPretty: true) + "\n"
    }

    /// True when the log with this key signed two tree heads of which neither continues the other.
    public func isContradiction(of log: VerifierKey) -> Bool {
        guard let first = try? Checkpoint(verifying: seen, key: log),
            let second = try? Checkpoint(verifying: shown, key: log)
        else { return false }
        if first.size == second.size { return first.root != second.root }
        guard first.size < second.size, UInt64(leaves.count) == second.size else { return false }
        var tree = TreeWithRoots(sizes: [first.size])
        for leaf in leaves { tree.append(leaf) }
        return tree.root == second.root && !tree.continues(first)
    }
}
