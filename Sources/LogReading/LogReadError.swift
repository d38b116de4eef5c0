import TransparencyLog
import Witnessing

/// Why a published log could not be read, or how it is wrong.
public enum LogReadError: Error, Equatable, Sendable {
    /// The source failed: nothing is proven.
    case source(SourceError)
    /// A resource that must exist given the log's size is missing: nothing is proven.
    case missing(path: String)
    /// The checkpoint is not one of this log.
    case checkpointInvalid(CheckpointError)
    /// The checkpoint does not have the quorum that is demanded.
    case witnesses(CosigningError)
    /// The log claims more entries than a log of its kind may have: it is not read, and nothing is proven.
    case tooManyEntries(size: UInt64, limit: UInt64)
    /// A bundle is malformed, or does not have the expected number of entries.
    case bundleMalformed(path: String, firstIndex: UInt64)
    /// An entry is not the one that the signed root covers.
    case entryMismatch(index: UInt64)
    /// A tile of hashes does not agree with the entries.
    case tileMismatch(path: String)
    /// The entries do not give the signed root, and the tiles do not show which entry is wrong.
    case rootMismatch
    /// The log does not extend the tree of `seenSize` entries that was seen before.
    case notAnExtension(seenSize: UInt64)

    /// True if the log is proven wrong, false if it merely could not be read.
    public var isProof: Bool {
        switch self {
        case .source, .missing, .tooManyEntries, .witnesses: false
        default: true
        }
    }
    /// What is wrong, in words that follow the name of the log.
    public var explanation: String {
        switch self {
        case .source(.tooLarge(let location)): "cannot be read: \(location) is larger than it can be"
        case .source(let error): "cannot be read: \(error.location): \(error.reason)"
        case .missing(let path): "lacks \(path)"
        case .witnesses(let error): "has no good cosignatures: \(error.explanation)"
        case .tooManyEntries(let size, let limit):
            "says that it has \(size) entries; no log of its kind has more than \(limit)"
        case .checkpointInvalid: "has a checkpoint that its key did not sign"
        case .bundleMalformed(_, let first): "has no whole entries from \(first) on"
        case .entryMismatch(let index): "has another entry \(index) than was signed"
        case .notAnExtension(let size): "has fewer than the \(size) entries that are known of it, or others"
        case .tileMismatch, .rootMismatch: "has entries that do not give the root that was signed"
        }
    }
}
