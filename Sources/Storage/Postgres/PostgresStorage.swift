import Dispatch
import Foundation
import Platform

/// A database on a PostgreSQL server, in a schema of its own. With synchronous standbys, what a write has changed is on
/// two machines when it returns.
///
/// Writes come one after the other, whatever program or machine they come from, as they do with a file.
public final class PostgresStorage: Storage {
    private static let readers = 8
    /// True: it is asked over the network.
    public let mayWait = true
    /// The oldest version that PostgreSQL's makers still mend.
    private static let oldestVersion = 140_000
    /// How much longer than a commit waits for standbys any other answer may take.
    private static let answering = Duration.seconds(5)
    private let address: PostgresAddress
    private let schema: String
    private let standbys: Int
    /// How long a commit, or what is to be published, waits for standbys.
    private let patience: Duration
    private let migrations: [Migration]
    private let reading: ConnectionPool
    private let writing: ConnectionPool
    private let office = Mutex<Office?>(nil)

    /// What makes this the server that works: a lock that ends with its connection, and a mark that every write finds
    /// unchanged. The lock only says that somebody lives; the mark keeps two from writing.
    private struct Office {
        /// The connection with the lock; nil while it is lost.
        let connection: PostgresConnection?
        let mark: String
    }

    /// The number of who works here, and that of the server's history, which is another after a standby became the
    /// primary.
    private static let mark = "SELECT epoch || ' ' || left(pg_walfile_name(pg_current_wal_lsn()), 8) FROM tenure"

    /// Connects, and brings the tables in `schema` up to date. A schema is made only if `isNew`: an empty database must
    /// not be taken for the one that was there. `standbys` is how many of the server's standbys must have what is
    /// published; a commit waits for them, or for as many as the server says, for `patience`. Throws a
    /// ``StorageError``.
    public init(
        _ address: PostgresAddress, schema: String, isNew: Bool = false, standbys: Int,
        patience: Duration = .seconds(10), migrations: [Migration]
    ) throws {
        (self.address, self.schema, self.standbys, self.migrations) = (address, schema, standbys, migrations)
        self.patience = patience
        let connect = { @Sendable in
            let connection = try Self.connect(address, schema: schema)
            connection.patience = patience + Self.answering
            return connection
        }
        reading = ConnectionPool(count: Self.readers, connect)
        writing = ConnectionPool(count: 1, connect)
        try writing.use("SELECT 1") { connection in
            try Self.check(connection, standbys: standbys)
            try connection.command("BEGIN")
            try bringUpToDate(connection, isNew: isNew)
            try connection.commit(within: patience)
        }
    }

    private static func connect(_ address: PostgresAddress, schema: String) throws -> PostgresConnection {
        let connection = try PostgresConnection.open(address)
        // A server's own settings could make a commit return before it is durable. With sequential scans, look-ups read
        // whole tables while their statistics are old.
        try connection.command(
            """
            SET search_path = "\(schema)"; SET client_min_messages = warning; SET synchronous_commit = on;
            SET lock_timeout = '10s'; SET enable_seqscan = off;
            SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3
            """)
        // What is stored would stand in a log that nobody deletes; who signs, in the order of signing.
        if let setting = try connection.command(logSettings).text {
            throw StorageError.logsParameters(setting: setting)
        }
        return connection
    }

    /// The first setting by which a server writes into its log what is stored.
    private static let logSettings = """
        SELECT name FROM pg_settings WHERE name = 'log_statement' AND setting NOT IN ('none', 'ddl')
        OR name IN ('log_min_duration_statement', 'log_min_duration_sample') AND setting <> '-1'
        OR name IN ('log_transaction_sample_rate', 'log_parameter_max_length_on_error') AND setting <> '0' LIMIT 1
        """

    /// Whether this server does what is needed.
    private static func check(_ connection: PostgresConnection, standbys: Int) throws {
        guard connection.serverVersion >= oldestVersion else {
            throw StorageError.oldServer(version: "\(connection.serverVersion / 10_000)")
        }
        func answer(_ sql: String) throws -> String? { try connection.command(sql).text }
        guard try answer("SELECT pg_is_in_recovery()") == "f" else { throw StorageError.standby }
        for setting in ["fsync", "full_page_writes"] where try answer("SHOW \(setting)") != "on" {
            throw StorageError.notDurable(setting: setting)
        }
        let maySee = "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"
        guard try standbys == 0 || answer(maySee) == "t" else {
            throw StorageError.notAllowed("the user may not see the standbys (pg_monitor)")
        }
    }

    // MARK: Tables

    private func bringUpToDate(_ connection: PostgresConnection, isNew: Bool) throws {
        // Two programs may start at once.
        try connection.command("SELECT pg_advisory_xact_lock(hashtextextended('roundrobin \(schema)', 0))")
        if try !PostgresSchemas.has(schema, connection) {
            guard isNew else {
                if let place = try PostgresSchemas.retired(schema, connection) { throw StorageError.moved(to: place) }
                throw StorageError.absent(place: address.text)
            }
            try connection.command("CREATE SCHEMA \"\(schema)\"")
        }
        try connection.command(
            """
            CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY);
            CREATE TABLE IF NOT EXISTS tenure (id BIGINT PRIMARY KEY CHECK (id = 1), epoch BIGINT NOT NULL);
            INSERT INTO tenure (id, epoch) VALUES (1, 0) ON CONFLICT DO NOTHING
            """)
        let db = Transaction(runner: PostgresRunner(connection: connection))
        let done = try String.fetchAll(db, sql: "SELECT name FROM migration")
        guard Set(done).isSubset(of: migrations.map(\.name)) else { throw StorageError.newer }
        for migration in migrations where !done.contains(migration.name) {
            try migration.body(db)
            try db.execute(sql: "INSERT INTO migration (name) VALUES (?)", arguments: [migration.name])
        }
    }

    // MARK: Reading and writing

    /// Reads one consistent state.
    public func read<T>(_ body: (Transaction) throws -> T) throws -> T {
        try reading.use("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") { connection in
            let value = try body(Transaction(runner: PostgresRunner(connection: connection)))
            try connection.command("COMMIT")
            return value
        }
    }

    /// A transaction would cost one more question to the server: each statement sees a consistent state, but two
    /// statements may see different ones.
    public func readOutsideTransaction<T>(_ body: (Transaction) throws -> T) throws -> T {
        // The empty question finds out whether the server is still there.
        try reading.use("") { try body(Transaction(runner: PostgresRunner(connection: $0))) }
    }

    /// Changes the state in one transaction. When `body` throws, nothing is kept. When ``StorageError/unconfirmed(_:)``
    /// is thrown it may be kept, and must not be answered as if it were.
    @discardableResult
    public func write<T>(_ body: (Transaction) throws -> T) throws -> T {
        // A program that stands still must not keep the others from writing.
        try write(with: "SET LOCAL idle_in_transaction_session_timeout = '60s';", body)
    }

    /// The same, and the standbys are asked, on the same connection: another may lead to another server.
    public func writeConfirmed<T>(_ body: (Transaction) throws -> T) throws -> T {
        try write(with: "SET LOCAL idle_in_transaction_session_timeout = '60s';", isConfirmed: true, body)
    }

    /// The same, without waiting for the disk.
    public func writeRepeatable(_ body: (Transaction) throws -> Void) throws {
        try write(with: "SET LOCAL synchronous_commit = off;", body)
    }

    private func write<T>(
        with setting: String, isConfirmed: Bool = false, _ body: (Transaction) throws -> T
    ) throws -> T {
        do {
            // Locks out every other writer, so that what was read stays true.
            return try writing.use("BEGIN; \(setting) \(Self.mark) FOR UPDATE") { connection, mark in
                if let mine = office.withLock({ $0?.mark }), mine != mark { throw StorageError.deposed }
                let value = try body(Transaction(runner: PostgresRunner(connection: connection)))
                try connection.commit(within: patience)
                if isConfirmed { try confirmCommit(on: connection) }
                return value
            }
        } catch StorageError.busy where isHeldUpByStandbys {
            throw StorageError.unconfirmed("an earlier commit waits for a standby")
        }
    }

    private func confirmCommit(on connection: PostgresConnection) throws {
        do { try connection.confirm(standbys: standbys, within: patience) } catch let error as StorageError {
            // It is committed, whatever became of the question.
            if case .unconfirmed = error { throw error }
            throw StorageError.unconfirmed(error.explanation)
        }
    }

    /// Whether somebody's commit waits for standbys: also that of a program that is gone, for as long as they are away.
    private var isHeldUpByStandbys: Bool {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()"
        return (try? Self.connect(address, schema: schema).command(sql).text) ?? "0" != "0"
    }

    /// Reads one consistent state, and makes sure that enough standbys have it. Throws
    /// ``StorageError/unconfirmed(_:)``.
    public func readConfirmed<T>(_ body: (Transaction) throws -> T) throws -> T {
        try reading.use("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") { connection in
            let value = try body(Transaction(runner: PostgresRunner(connection: connection)))
            try connection.command("COMMIT")
            // On the same connection: another may lead to another server, after one of several was replaced.
            try connection.confirm(standbys: standbys, within: patience)
            return value
        }
    }

    /// How many standbys stream from the server. It asks on a connection of its own, within seconds.
    public func standbyCount() throws -> StandbyCount? {
        try reading.checkTrouble()
        let connection = try Self.connect(address, schema: schema)
        return StandbyCount(present: try connection.standbyCount(), needed: standbys)
    }

    // MARK: Office

    /// Makes this the one server that works on the database: with a lock, and then with a higher number, which is
    /// committed before anything is read.
    public func takeOver() throws -> Bool {
        let connection = try Self.connect(address, schema: schema)
        guard try lock(connection) else { return false }
        office.withLock { $0 = nil }
        let mark = try write { db in
            try db.execute(sql: "UPDATE tenure SET epoch = epoch + 1")
            return try String.fetchOne(db, sql: Self.mark)
        }
        // The two connections may lead to two servers.
        guard let mark, try connection.command(Self.mark).text == mark else { return false }
        office.withLock { $0 = Office(connection: connection, mark: mark) }
        return true
    }

    /// Makes sure that nobody has taken over. A server that was restarted has forgotten the lock, which is taken again
    /// if nothing happened in between. Throws ``StorageError/busy`` while somebody else has the lock, but has not taken
    /// over: most likely this program's own connection, of which the server has not noticed yet that it is gone.
    public func stayInOffice() throws {
        guard let mark = office.withLock({ $0?.mark }) else { throw StorageError.deposed }
        if isHolding(mark) { return }
        office.withLock { $0 = Office(connection: nil, mark: mark) }
        let connection = try Self.connect(address, schema: schema)
        let isLocked = try lock(connection)
        guard try connection.command(Self.mark).text == mark else { throw StorageError.deposed }
        guard isLocked else { throw StorageError.busy }
        office.withLock { $0 = Office(connection: connection, mark: mark) }
    }

    private func isHolding(_ mark: String) -> Bool {
        guard let connection = office.withLock({ $0?.connection }), connection.isStillThere else { return false }
        return (try? connection.command(Self.mark).text) == mark
    }

    private func lock(_ connection: PostgresConnection) throws -> Bool {
        try connection.command(
            "SELECT pg_try_advisory_lock(hashtextextended('roundrobin \(schema) at work', 0))"
        ).text == "t"
    }

    // MARK: Moving

    /// Passes everything to `body` while nobody writes, and then keeps everybody from using the schema any more, since
    /// it is at `place`: all of that or nothing.
    func moveAway(to place: String, _ body: (Transaction) throws -> Void) throws {
        try writing.use("BEGIN; \(Self.mark) FOR UPDATE") { connection, mark in
            if let mine = office.withLock({ $0?.mark }), mine != mark { throw StorageError.deposed }
            try connection.withoutHurry {
                try body(Transaction(runner: PostgresRunner(connection: connection)))
                try connection.command(PostgresSchemas.retirement(of: schema, to: place))
            }
            try connection.commit(within: patience)
        }
    }

    /// Fills the tables, however long that takes. From then on they are those of `owner`.
    func fill(of owner: String, _ body: (Transaction) throws -> Void) throws {
        try writing.use("BEGIN") { connection in
            try connection.command(PostgresSchemas.ownership(of: schema, owner))
            try connection.withoutHurry {
                let db = Transaction(runner: PostgresRunner(connection: connection))
                try body(db)
                try adjustNumbers(db)
            }
            try connection.commit(within: patience)
        }
    }

    /// Lets numbers that are given to new rows begin after those that were moved here.
    private func adjustNumbers(_ db: Transaction) throws {
        let columns = try Row.fetchAll(
            db,
            sql: """
                SELECT table_name AS name, column_name AS number FROM information_schema.columns
                WHERE table_schema = ? AND is_identity = 'YES'
                """, arguments: [schema])
        for column in columns {
            let (table, number) = (column["name"] as String, column["number"] as String)
            _ = try Int.fetchOne(
                db,
                sql: """
                    SELECT setval(pg_get_serial_sequence('\(table)', '\(number)'), MAX(\(number))) FROM \(table)
                    HAVING MAX(\(number)) IS NOT NULL
                    """)
        }
    }

    // MARK: Upkeep

    /// Writes every table anew without what was deleted. The server's write-ahead log, its backups and its standbys'
    /// logs have it for as long as the operator keeps them.
    public func compact() throws {
        try writing.use(nil) { connection in
            let tables = try PostgresRunner(connection: connection).rows(
                "SELECT tablename FROM pg_tables WHERE schemaname = ?", [.text(schema)], isOnlyFirst: false)
            try connection.withoutHurry {
                for table in tables { try connection.command("VACUUM (FULL) \"\(table["tablename"] as String)\"") }
            }
        }
    }

    /// Does nothing: the order of commits is in the server's write-ahead log, whatever a program does.
    public func forgetOrder() throws {}

    /// Writes a copy of the whole current state to a new SQLite file, durably and atomically, while others read and
    /// write.
    public func backUp(to path: String) throws {
        try read { try SQLiteStorage.create(path, migrations: migrations, copying: $0) }
    }

    /// Pages of the database that the server found damaged.
    public func integrityProblems() throws -> [String] {
        let sql = "SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()"
        let count = try read { try Int.fetchOne($0, sql: sql) } ?? 0
        return count > 0 ? ["the server found \(count) damaged pages"] : []
    }

    /// Closes the connections that nobody uses.
    public func close() throws {
        office.withLock { $0 = nil }
        reading.close()
        writing.close()
    }
}
