import TransparencyLog

/// Why a published log cannot be read, or is wrong.
public enum LogReadError: Error, Equatable, Sendable {
    /// The source failed: nothing is proven.
    case source(SourceError)
    /// A resource that the log's size implies is not there: nothing is proven.
    case missing(path: String)
    /// The checkpoint is not one of this log.
    case checkpointInvalid(CheckpointError)
    /// The log says that it has more entries than a log of its kind may have: it is not read, and nothing is proven.
    case tooManyEntries(size: UInt64, limit: UInt64)
    /// A bundle is not a row of as many entries as it should have.
    case bundleMalformed(path: String, firstIndex: UInt64)
    /// An entry is not the one whose hash the signed root covers.
    case entryMismatch(index: UInt64)
    /// A tile of hashes is not what the entries give.
    case tileMismatch(path: String)
    /// The entries do not give the signed root, and no tile tells which one is wrong.
    case rootMismatch
    /// The log is not a continuation of what was seen before at `seenSize` entries.
    case notAnExtension(seenSize: UInt64)

    /// True when the log was shown to be wrong, false when it could only not be read.
    public var isProof: Bool {
        switch self {
        case .source, .missing, .tooManyEntries: false
        default: true
        }
    }
}
