import Foundation
import GRDB
import Platform

/// A database in one SQLite file, in WAL mode with `synchronous=FULL`: when a write returns, it survives a crash of the
/// program and, as far as the disk keeps its promises, a power failure.
public final class SQLiteStorage: Storage {
    private static let busySeconds = 10.0
    /// False: a file of this machine answers at once.
    public let mayWait = false
    private let pool: DatabasePool

    /// Opens or creates the file, and brings its tables up to date. With `erasesDeleted`, what is deleted is
    /// overwritten in the file.
    public init(path: String, erasesDeleted: Bool = false, migrations: [Migration]) throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(Self.busySeconds)
        if erasesDeleted {
            configuration.prepareDatabase { try $0.execute(sql: "PRAGMA secure_delete = ON") }
        }
        var migrator = DatabaseMigrator()
        for migration in migrations {
            migrator.registerMigration(migration.name) { try migration.body(Transaction($0)) }
        }
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
            guard try !pool.read(migrator.hasBeenSuperseded) else { throw StorageError.newer }
            if let place = try pool.read(Self.retired) { throw StorageError.moved(to: place) }
            try migrator.migrate(pool)
        } catch let error as DatabaseError {
            throw StorageError(error)
        }
    }

    /// Where the database was moved to; nil if it was not.
    private static func retired(_ db: Database) throws -> String? {
        guard try db.tableExists("moved") else { return nil }
        return try String.fetchOne(db, sql: "SELECT place FROM moved")
    }

    /// Passes everything to `body` while nobody writes, and then keeps everybody from using the file any more, since
    /// the database is at `place`: all of that or nothing. Whoever has it open already cannot write any more.
    func moveAway(to place: String, _ body: (Transaction, _ tables: [String]) throws -> Void) throws {
        try write { db in
            let tables = try tables(db)
            try body(db, tables)
            try db.execute(script: "CREATE TABLE moved (place TEXT NOT NULL) STRICT;")
            try db.execute(sql: "INSERT INTO moved (place) VALUES (?)", arguments: [place])
            let words = (Self.movedWords + place).replacingOccurrences(of: "'", with: "''")
            for table in tables {
                for change in ["INSERT", "UPDATE", "DELETE"] {
                    try db.execute(
                        script: """
                            CREATE TRIGGER moved_\(table)_\(change) BEFORE \(change) ON \(table)
                            BEGIN SELECT RAISE(ABORT, '\(words)'); END
                            """)
                }
            }
        }
    }

    /// What a trigger of a file says that is not used any more, before the place.
    fileprivate static let movedWords = "moved to "

    /// Reads one consistent state.
    public func read<T>(_ body: (Transaction) throws -> T) throws -> T {
        try naming { try pool.read { try body(Transaction($0)) } }
    }

    /// A transaction would cost as much as a look-up: each statement sees a consistent state, but two statements may
    /// see different ones.
    public func readOutsideTransaction<T>(_ body: (Transaction) throws -> T) throws -> T {
        try naming { try pool.unsafeRead { try body(Transaction($0)) } }
    }

    /// Changes the state in one transaction. When `body` throws, nothing is kept.
    @discardableResult
    public func write<T>(_ body: (Transaction) throws -> T) throws -> T {
        try naming { try pool.write { try body(Transaction($0)) } }
    }

    /// The same: there is no other machine.
    public func writeConfirmed<T>(_ body: (Transaction) throws -> T) throws -> T { try write(body) }

    /// The same, but what is written may be lost if the machine fails.
    public func writeRepeatable(_ body: (Transaction) throws -> Void) throws {
        try naming {
            try pool.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA synchronous = NORMAL")
                defer { try? db.execute(sql: "PRAGMA synchronous = FULL") }
                try db.inTransaction(.immediate) {
                    try body(Transaction(db))
                    return .commit
                }
            }
        }
    }

    /// The same as ``read(_:)``: what is committed is in the file, and nowhere else.
    public func readConfirmed<T>(_ body: (Transaction) throws -> T) throws -> T { try read(body) }

    /// Nil: a file has none.
    public func standbyCount() -> StandbyCount? { nil }

    /// True: the server whose folder this is keeps others out by a lock.
    public func takeOver() -> Bool { true }

    /// Does nothing, for the same reason.
    public func stayInOffice() {}

    /// Writes the file anew without what was deleted, and empties the write-ahead log, which may have it, too.
    public func compact() throws {
        try naming {
            try pool.vacuum()
            for _ in 0..<100 {
                let isBusy = try pool.writeWithoutTransaction { db in
                    try Int.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
                }
                if isBusy == 0 { return }
                usleep(50_000)
            }
            throw StorageError.busy
        }
    }

    /// Moves the write-ahead log into the database and empties it. While there are readers it is not emptied; then a
    /// later call does it.
    public func forgetOrder() throws {
        do { try naming { _ = try pool.writeWithoutTransaction { try $0.checkpoint(.truncate) } } } catch StorageError
            .busy
        {}
    }

    /// Writes a copy of the whole current state to a new file, durably and atomically, while others read and write.
    public func backUp(to path: String) throws {
        try Self.create(path) { temporary in
            try naming {
                let copy = try DatabaseQueue(path: temporary)
                try pool.backup(to: copy)
                try copy.close()
            }
        }
    }

    /// Writes a copy of what another database has to a new file, durably and atomically.
    static func create(_ path: String, migrations: [Migration], copying source: Transaction) throws {
        try create(path) { temporary in
            let copy = try SQLiteStorage(path: temporary, migrations: migrations)
            try copy.write { try $0.replaceEverything(with: source, tables: copy.tables($0)) }
            // Without its other files, which would be left behind.
            try copy.naming { _ = try copy.pool.writeWithoutTransaction { try $0.checkpoint(.truncate) } }
            try copy.close()
            for suffix in otherFiles { unlink(temporary + suffix) }
        }
    }

    /// The tables, each after those that it refers to.
    func tables(_ db: Transaction) throws -> [String] {
        try String.fetchAll(
            db,
            sql: """
                SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
                AND name != 'grdb_migrations' ORDER BY rowid
                """)
    }

    /// What SQLite appends to the name of a file for those beside it.
    static let otherFiles = ["-wal", "-shm"]

    /// Removes a file that nobody uses, and those beside it.
    static func remove(_ path: String) { for suffix in [""] + otherFiles { unlink(path + suffix) } }

    private static func create(_ path: String, _ write: (String) throws -> Void) throws {
        let temporary = "\(path).\(String(UInt64.random(in: .min ... .max), radix: 36)).new"
        defer { unlink(temporary) }
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path]) }
        defer { Platform.close(descriptor) }
        try write(temporary)
        // Never replaces an existing file: it may be the last good backup.
        guard fsync(descriptor) == 0, link(temporary, path) == 0 else {
            throw CocoaError(.fileWriteFileExists, userInfo: [NSFilePathErrorKey: path])
        }
    }

    /// What SQLite itself finds wrong with the file; empty if it is sound.
    public func integrityProblems() throws -> [String] {
        try read { try String.fetchAll($0, sql: "PRAGMA integrity_check") }.filter { $0 != "ok" }
    }

    /// Closes the file.
    public func close() throws { try pool.close() }

    /// Gives errors of SQLite our names.
    private func naming<T>(_ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as DatabaseError { throw StorageError(error) }
    }
}

extension StorageError {
    fileprivate init(_ error: DatabaseError) {
        let text = error.message ?? "no message"
        self =
            switch error.resultCode {
            case .SQLITE_FULL, .SQLITE_IOERR: .full
            case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_CANTOPEN: .readOnly
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: .damaged(text)
            case .SQLITE_BUSY, .SQLITE_LOCKED: .busy
            case .SQLITE_CONSTRAINT where text.hasPrefix(SQLiteStorage.movedWords):
                .moved(to: String(text.dropFirst(SQLiteStorage.movedWords.count)))
            default: .failed(text)
            }
    }
}

extension Transaction {
    fileprivate init(_ db: Database) { self.init(runner: SQLiteRunner(db: db)) }
}

/// Statements on a connection of GRDB. They are prepared once for each connection: there are few different ones.
private struct SQLiteRunner: StatementRunner {
    let db: Database

    func run(_ sql: String, _ arguments: [StoredValue]) throws -> Int {
        let statement = try db.cachedStatement(sql: sql)
        try statement.execute(arguments: StatementArguments(arguments.map(\.databaseValue)))
        return db.changesCount
    }

    func run(script: String) throws { try db.execute(sql: script) }

    func rows(_ sql: String, _ arguments: [StoredValue], isOnlyFirst: Bool) throws -> [Row] {
        try rows(of: db.cachedStatement(sql: sql), arguments, most: isOnlyFirst ? 1 : .max)
    }

    private func rows(of statement: Statement, _ arguments: [StoredValue], most: Int) throws -> [Row] {
        let cursor = try GRDB.Row.fetchCursor(statement, arguments: StatementArguments(arguments.map(\.databaseValue)))
        let names = statement.columnNames
        var rows: [Row] = []
        while rows.count < most, let row = try cursor.next() {
            rows.append(Row(names: names, values: row.databaseValues.map { StoredValue($0) }))
        }
        return rows
    }

    func rows(_ sql: String, _ arguments: [StoredValue], each keys: [Data]) throws -> [Row?] {
        let statement = try db.cachedStatement(sql: sql)
        return try keys.map { try rows(of: statement, arguments + [.bytes($0)], most: 1).first }
    }

    func cursor(_ sql: String, _ arguments: [StoredValue]) throws -> () throws -> Row? {
        // A statement of its own: meanwhile the same one may run for something else.
        let statement = try db.makeStatement(sql: sql)
        let cursor = try GRDB.Row.fetchCursor(statement, arguments: StatementArguments(arguments.map(\.databaseValue)))
        let names = statement.columnNames
        return { try cursor.next().map { Row(names: names, values: $0.databaseValues.map { StoredValue($0) }) } }
    }

    func insert(into table: String, _ columns: [String], _ rows: [[StoredValue]]) throws {
        let marks = columns.map { _ in "?" }.joined(separator: ", ")
        let statement = try db.cachedStatement(
            sql: "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES (\(marks))")
        for row in rows { try statement.execute(arguments: StatementArguments(row.map(\.databaseValue))) }
    }
}

extension StoredValue {
    fileprivate var databaseValue: DatabaseValue {
        switch self {
        case .null: .null
        case .integer(let value): value.databaseValue
        case .text(let text): text.databaseValue
        case .bytes(let data): data.databaseValue
        }
    }

    fileprivate init(_ value: DatabaseValue) {
        self =
            switch value.storage {
            case .null: .null
            case .int64(let value): .integer(value)
            case .double: preconditionFailure("no column holds fractions")
            case .string(let text): .text(text)
            case .blob(let data): .bytes(data)
            }
    }
}
