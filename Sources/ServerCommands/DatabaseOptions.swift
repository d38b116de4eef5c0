import ArgumentParser
import CommandSupport
import Storage

/// Where a new server keeps its database.
public struct DatabaseOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Keep the database on a PostgreSQL server, such as postgresql://roundrobin@db.example/petitions, not in the folder.",
            valueName: "url"))
    var database: String?
    @Option(
        help: ArgumentHelp(
            "How many of its standbys must have what is published. Default: as before, or as many as a commit waits for.",
            valueName: "number"))
    var standbys: Int?

    /// For the argument parser.
    public init() {}

    /// Refuses what goes with a server only.
    public func validate() throws {
        guard standbys == nil || database != nil else { throw ValidationError("--standbys goes with --database") }
        guard standbys.map(DatabaseLocation.standbysRange.contains) ?? true else {
            throw ValidationError("--standbys takes a number from 0 to \(DatabaseLocation.standbysRange.upperBound)")
        }
    }

    /// True if no server is named.
    public var isFile: Bool { database == nil }

    /// Where it is. How many standbys there are is what is said, what `folder` says so far, or else what the server
    /// says. Throws a ``StorageError``.
    public func location(insteadOfThatOf folder: String? = nil) throws -> DatabaseLocation {
        guard let database else { return .file }
        let address = try PostgresAddress(database)
        let old = try folder.map { try DatabaseLocation.of(folder: $0) }
        let known: Int? = if case .server(_, let number) = old { number } else { nil }
        return .server(address, standbys: try standbys ?? known ?? PostgresStorage.synchronousStandbys(of: address))
    }

    /// What is said of it, once it is made; nil for a file.
    public static func words(_ location: DatabaseLocation) -> String? {
        switch location {
        case .file: nil
        case .server(let address, standbys: 0):
            """
            Its database is \(address.text), on that server alone: if its disk is lost, so is what was acknowledged.
            A synchronous standby makes it two machines: see Protocol/postgresql.md.
            """
        case .server(let address, let standbys):
            """
            Its database is \(address.text).
            Nothing is published that is not on \(counted(standbys, "standby", "standbys")), too.
            """
        }
    }
}
