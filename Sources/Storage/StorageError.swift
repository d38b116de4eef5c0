/// Why the store failed, distinguished by what the operator has to do.
public enum StorageError: Error, Equatable, Sendable {
    /// The disk is full or failed. The failed change was rolled back completely.
    case full
    /// The file or folder cannot be written.
    case readOnly
    /// The file is not one of our databases, or is damaged.
    case damaged(String)
    /// Another process kept the database locked for too long. The failed change was rolled back completely.
    case busy
    /// The log in the database is shorter than its published checkpoint: the file is an older copy.
    case rolledBack(origin: String, published: UInt64, stored: UInt64)
    /// The log in the database is not the one that was published.
    case otherThanPublished(origin: String, size: UInt64)
    /// A log has entries, but the record of its published checkpoint is missing.
    case memoryLost(path: String)
    /// The record of a log's published checkpoint is not a checkpoint of that log.
    case memoryDamaged(path: String)
    /// The record of a log's published checkpoint cannot be read at the moment.
    case memoryUnreadable(path: String, reason: String)
    /// The change is committed, but its checkpoint could not be recorded outside the database and was not published.
    case notRemembered(String)
    /// The file is on a disk of another machine, where SQLite's write-ahead log is not safe.
    case networkDisk(path: String, system: String)
    /// Any other error of the engine.
    case failed(String)

    /// What is wrong, in words.
    public var explanation: String {
        switch self {
        case .full: "the disk is full, or failed"
        case .readOnly: "the database cannot be written"
        case .damaged(let reason): "the database is damaged: \(reason)"
        case .busy: "the database is in use"
        case .rolledBack(let origin, let published, let stored):
            "the database is older than what was published: \(origin) has \(stored) entries, \(published) were published"
        case .otherThanPublished(let origin, let size):
            "the database is not the one that was published: the first \(size) entries of \(origin) differ"
        case .memoryLost(let path): "what was published is not remembered: \(path) is missing"
        case .memoryDamaged(let path): "\(path) is not a checkpoint of its log"
        case .memoryUnreadable(let path, let reason):
            "what was published cannot be read: \(path): \(reason)"
        case .notRemembered(let reason): "it was done, but what was published cannot be remembered: \(reason)"
        case .networkDisk(let path, let system):
            "\(path) is on a disk of another machine (\(system)), where the write-ahead log loses and mixes up commits"
        case .failed(let reason): "the database failed: \(reason)"
        }
    }
}
