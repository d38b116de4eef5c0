import Foundation
import Platform

/// With `ROUNDROBIN_TEST_ENGINE=postgresql`, servers under test keep their databases on a PostgreSQL server, and not in
/// their folders.
public enum TestEngine {
    /// Whether they do.
    public static let isPostgres = ProcessInfo.processInfo.environment["ROUNDROBIN_TEST_ENGINE"] == "postgresql"

    /// One server for all tests of a run.
    private static let cluster = Result {
        let cluster = try PostgresCluster(["max_connections = 1000"])
        // A value that lives as long as the process is never released.
        atexit { TestEngine.end() }
        return cluster
    }

    private static func end() { try? cluster.get().destroy() }

    /// The address of a new database.
    public static func newDatabase() throws -> String { try cluster.get().newDatabase() }

    /// Changes something in a database, as its server's operator.
    public static func sql(_ text: String, in address: String) throws {
        let database = address.split(separator: "/").last.map { String($0) } ?? ""
        try cluster.get().sql(text, database: database)
    }

    /// What `init` of a server program is given besides its other arguments. Ends the tests if there is no server.
    public static func options(for arguments: [String]) -> [String] {
        guard isPostgres, arguments.first == "init", !arguments.contains("--database") else { return [] }
        do { return ["--database", try newDatabase()] } catch { preconditionFailure("\(error)") }
    }
}
