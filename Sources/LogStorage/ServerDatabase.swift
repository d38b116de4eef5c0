import Foundation
import GRDB
import Platform

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
    /// Any other error of SQLite.
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

    /// Classifies an error of SQLite.
    init(_ error: DatabaseError) {
        let text = error.message ?? "no message"
        self =
            switch error.resultCode {
            case .SQLITE_FULL, .SQLITE_IOERR: .full
            case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_CANTOPEN: .readOnly
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: .damaged(text)
            case .SQLITE_BUSY, .SQLITE_LOCKED: .busy
            default: .failed(text)
            }
    }
}

/// A server's SQLite file, in WAL mode with `synchronous=FULL`: when a write returns, it survives a crash of the
/// program and, as far as the disk keeps its promises, a power failure.
///
/// Durability: everything that one call of ``write(_:)`` changes becomes durable together, by the time it returns and
/// not before. If it throws, nothing was kept, and the caller must not answer as if it were.
public final class ServerDatabase: Sendable {
    private static let busySeconds = 10.0
    private let pool: DatabasePool

    /// Opens or creates the file, and brings its tables up to date with `migrate`. `hasLogs` makes the tables of
    /// ``StoredLog``, too. With `erasesDeleted`, what is deleted is overwritten in the file.
    public init(
        path: String, hasLogs: Bool = true, erasesDeleted: Bool = false, migrate: (inout DatabaseMigrator) -> Void
    ) throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(Self.busySeconds)
        if erasesDeleted {
            configuration.prepareDatabase { try $0.execute(sql: "PRAGMA secure_delete = ON") }
        }
        var migrator = DatabaseMigrator()
        if hasLogs { migrator.registerMigration("transparency log") { try StoredLog.createTables($0) } }
        migrate(&migrator)
        // We create the file first, since SQLite would make it readable by every user of the machine. SQLite's other
        // files get the same mode.
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StorageError.readOnly }
        Platform.close(descriptor)
        // SQLite's write-ahead log needs memory that all its users share (sqlite.org/wal.html).
        if let system = NetworkDisk.type(of: path) { throw StorageError.networkDisk(path: path, system: system) }
        do {
            pool = try DatabasePool(path: path, configuration: configuration)
            // GRDB chooses NORMAL for WAL files, which may lose the last commits in a power failure.
            try pool.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA synchronous = FULL")
                guard try Int.fetchOne(db, sql: "PRAGMA synchronous") == 2 else {
                    throw StorageError.failed("SQLite refuses synchronous=FULL")
                }
            }
            try migrator.migrate(pool)
        } catch let error as DatabaseError {
            throw StorageError(error)
        }
    }

    /// Reads one consistent state.
    public func read<T>(_ body: (Database) throws -> T) throws -> T {
        do { return try pool.read(body) } catch let error as DatabaseError { throw StorageError(error) }
    }

    /// Reads without a transaction, which would cost as much as a look-up: each statement sees a consistent state, but
    /// two statements may see different ones. For data that never changes once written.
    public func readOutsideTransaction<T>(_ body: (Database) throws -> T) throws -> T {
        do { return try pool.unsafeRead(body) } catch let error as DatabaseError { throw StorageError(error) }
    }

    /// Changes the state in one transaction. When `body` throws, nothing is kept.
    public func write<T>(_ body: (Database) throws -> T) throws -> T {
        do { return try pool.write(body) } catch let error as DatabaseError { throw StorageError(error) }
    }

    /// Changes the state in one transaction that survives a crash of the program, but perhaps not of the machine: for
    /// what may be done again.
    public func writeRepeatable(_ body: (Database) throws -> Void) throws {
        do {
            try pool.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA synchronous = NORMAL")
                defer { try? db.execute(sql: "PRAGMA synchronous = FULL") }
                try db.inTransaction(.immediate) {
                    try body(db)
                    return .commit
                }
            }
        } catch let error as DatabaseError {
            throw StorageError(error)
        }
    }

    /// Writes the file anew without what was deleted, and empties the write-ahead log, which may have it, too. Throws
    /// ``StorageError/busy`` if somebody reads all the time.
    public func compact() throws {
        do {
            try pool.vacuum()
            for _ in 0..<100 {
                let row = try pool.writeWithoutTransaction { db in
                    try Row.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
                }
                if row?[0] as Int? == 0 { return }
                usleep(50_000)
            }
        } catch let error as DatabaseError {
            throw StorageError(error)
        }
        throw StorageError.busy
    }

    /// Moves the write-ahead log into the database and empties it, so that it does not reveal the order of changes.
    /// While there are readers it is not emptied; then a later call does it.
    public func truncateWriteAheadLog() throws {
        do { _ = try pool.writeWithoutTransaction { try $0.checkpoint(.truncate) } } catch let error as DatabaseError
            where error.resultCode == .SQLITE_BUSY || error.resultCode == .SQLITE_LOCKED
        {
            return
        } catch let error as DatabaseError {
            throw StorageError(error)
        }
    }

    /// Writes a copy of the whole current state to a new file, durably and atomically, while others read and write.
    public func backUp(to path: String) throws {
        let temporary = "\(path).\(String(UInt64.random(in: .min ... .max), radix: 36)).new"
        defer { unlink(temporary) }
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path]) }
        defer { Platform.close(descriptor) }
        do {
            let copy = try DatabaseQueue(path: temporary)
            try pool.backup(to: copy)
            try copy.close()
        } catch let error as DatabaseError {
            throw StorageError(error)
        }
        // Never replaces an existing file: it may be the last good backup.
        guard fsync(descriptor) == 0, link(temporary, path) == 0 else {
            throw CocoaError(.fileWriteFileExists, userInfo: [NSFilePathErrorKey: path])
        }
    }

    /// What SQLite itself finds wrong with the file; empty if it is sound.
    public func integrityProblems() throws -> [String] {
        try read { db in try String.fetchAll(db, sql: "PRAGMA integrity_check") }.filter { $0 != "ok" }
    }

    /// Closes the file.
    public func close() throws {
        try pool.close()
    }
}
