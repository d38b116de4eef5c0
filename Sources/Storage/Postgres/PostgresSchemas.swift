import Foundation

/// The schemas in a PostgreSQL database, one for each kind of server. Names are ours: they need no quoting.
struct PostgresSchemas {
    private static let patience = Duration.seconds(10)
    private let connection: PostgresConnection

    /// Connects. Throws a ``StorageError``.
    init(_ address: PostgresAddress) throws { connection = try PostgresConnection.open(address) }

    static func has(_ name: String, _ connection: PostgresConnection) throws -> Bool {
        try connection.command("SELECT to_regnamespace('\(name)')").text != nil
    }

    /// Whether there is a schema with this name.
    func has(_ name: String) throws -> Bool { try Self.has(name, connection) }

    /// Where the newest schema that had this name was moved to; nil if none was.
    static func retired(_ name: String, _ connection: PostgresConnection) throws -> String? {
        try connection.command(
            """
            SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname ~ '^\(name)_moved_[0-9]+$'
            ORDER BY nspname DESC LIMIT 1
            """
        ).text
    }

    /// Keeps others from moving a database to this name as long as this value lives. Returns false if somebody does. It
    /// asks for three seconds: an attempt that failed just now may not be over for the server.
    func reserve(_ name: String) throws -> Bool {
        let lock = "SELECT pg_try_advisory_lock(hashtextextended('roundrobin \(name) moving', 0))"
        for attempt in 0..<30 {
            if attempt > 0 { usleep(100_000) }
            if try connection.command(lock).text == "t" { return true }
        }
        return false
    }

    /// The statement by which a schema is that of a server, named by its key.
    static func ownership(of name: String, _ owner: String) -> String { "COMMENT ON SCHEMA \(name) IS '\(owner)'" }

    /// True if a schema is that of another server. One that nobody owns was left unfinished.
    func isOfAnother(_ name: String, than owner: String) throws -> Bool {
        let sql = "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = '\(name)'"
        return try connection.command(sql).text.map { !$0.isEmpty && $0 != owner } ?? false
    }

    /// Deletes a schema, if there is one.
    func drop(_ name: String) throws { try change("DROP SCHEMA IF EXISTS \(name) CASCADE") }

    /// Gives a schema its name, if it still has the other one.
    func rename(_ old: String, to new: String) throws {
        if try has(old) { try change("ALTER SCHEMA \(old) RENAME TO \(new)") }
    }

    /// Makes sure that so many standbys have everything.
    func confirm(standbys: Int) throws { try connection.confirm(standbys: standbys, within: Self.patience) }

    /// The statements that keep everybody from using a schema any more, since its tables are at another place: it gets
    /// another name.
    static func retirement(of name: String, to place: String) -> String {
        // In milliseconds: it may have been here twice within a second.
        let retired = "\(name)_moved_\(Int(Date().timeIntervalSince1970 * 1000))"
        let quoted = place.replacingOccurrences(of: "'", with: "''")
        return "ALTER SCHEMA \(name) RENAME TO \(retired); COMMENT ON SCHEMA \(retired) IS '\(quoted)'"
    }

    private func change(_ sql: String) throws {
        try connection.command("BEGIN; \(sql)")
        try connection.commit(within: Self.patience)
    }
}
