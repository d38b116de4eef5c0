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
    /// The address of a database is none, or has what must not be in it.
    case address(String)
    /// The database's server cannot be reached, or does not let this user in.
    case unreachable(String, reason: String)
    /// The connection to the server was lost. Nothing was changed.
    case connectionLost(String)
    /// The user of the database may not do what is needed.
    case notAllowed(String)
    /// The server only reads: it is a standby.
    case standby
    /// The server may lose what it has acknowledged, because of this setting.
    case notDurable(setting: String)
    /// The server writes what is stored into its log, by this setting.
    case logsParameters(setting: String)
    /// The server's version is one that its makers mend no more.
    case oldServer(version: String)
    /// The tables are those of a newer program.
    case newer
    /// The change may be committed, but not on as many machines as it must be, or nobody knows: it is not acknowledged.
    case unconfirmed(String)
    /// The database was moved to another place.
    case moved(to: String)
    /// There is no database of this kind of server here.
    case absent(place: String)
    /// A server works on the database.
    case atWork(place: String)
    /// The database is that of a server with another key.
    case otherKey
    /// There is a database already where one is to be moved to.
    case occupied(place: String)
    /// Another folder is being moved to this place.
    case moving(to: String)
    /// What was moved is not what there was: the reason. Nothing was retired.
    case movedWrong(String)
    /// Another server of the same kind has taken over, or this one cannot tell any more that none has.
    case deposed
    /// Any other error of the engine.
    case failed(String)

    /// True if the database does not continue what was shown.
    public var isOfAnotherLog: Bool {
        switch self {
        case .rolledBack, .otherThanPublished: true
        default: false
        }
    }

    /// True for what may be over by itself, so that the same may be tried again.
    public var isPassing: Bool {
        switch self {
        case .unreachable, .connectionLost, .unconfirmed, .deposed, .busy, .standby, .full, .notRemembered: true
        default: false
        }
    }

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
        case .address(let reason): "the address of the database is not good: \(reason)"
        case .unreachable(let address, let reason): "the database \(address) cannot be reached: \(reason)"
        case .connectionLost(let reason): "the connection to the database was lost: \(reason)"
        case .notAllowed(let reason): "the database does not let its user do this: \(reason)"
        case .standby: "the database's server only reads: it is a standby"
        case .notDurable(let setting): "the database's server may lose what it acknowledges: \(setting) is off"
        case .logsParameters(let setting):
            "the database's server writes what is stored into its log: \(setting) is on"
        case .oldServer(let version): "the database's server is PostgreSQL \(version), which nobody mends any more"
        case .newer: "the database is one of a newer version of this program"
        case .unconfirmed(let reason): "it may be done, but is not confirmed: \(reason)"
        case .moved(let place): "the database was moved to \(place), and must not be used here any more"
        case .absent(let place): "there is no database of this server at \(place)"
        case .atWork(let place): "a server works on the database at \(place)"
        case .otherKey: "the database is that of a server with another key"
        case .occupied(let place): "there is a database at \(place) already"
        case .moving(let place): "another folder is being moved to \(place)"
        case .movedWrong(let reason): "the copy is not like the original, which stays as it is: \(reason)"
        case .deposed: "another server has taken over on this database, or may have"
        case .failed(let reason): "the database failed: \(reason)"
        }
    }
}
