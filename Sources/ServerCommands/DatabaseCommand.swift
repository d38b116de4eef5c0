import ArgumentParser
import CommandSupport
import DurableFiles
import Storage

/// What the command `database` of a server takes: shows where the database is, or says that it has another address.
public struct DatabaseCommand: ParsableArguments {
    @OptionGroup var database: DatabaseOptions

    /// For the argument parser.
    public init() {}

    /// What its help says. `program` is the program's name.
    public static func configuration(program: String) -> CommandConfiguration {
        CommandConfiguration(
            commandName: "database",
            abstract: "Show where the database is, or change its address.",
            discussion: """
                With --database, the server must be stopped. Nothing is copied: what is there must continue what was \
                published, or the old address stays.

                  \(program) database --database postgresql://roundrobin@db2.example/petitions --standbys 1
                """)
    }

    /// Runs it in a folder. `check` opens what the folder names.
    public func run(in folder: String, check: () throws -> Void) throws {
        try ServerCommand.checkOwner(of: folder)
        guard !database.isFile else {
            let location = try DatabaseLocation.of(folder: folder)
            print(DatabaseOptions.words(location) ?? "It is in \(folder).")
            try check()
            return try tellState(of: location)
        }
        let lock = try FileLock(path: folder + "/serve.lock")
        let location = try database.location(insteadOfThatOf: folder)
        try ServerDatabase.change(location, in: folder, check: check)
        if let words = DatabaseOptions.words(location) { print(words) }
        try tellState(of: location)
        extendLifetime(lock)
    }

    /// What was checked, and whether there are the standbys that it needs.
    private func tellState(of location: DatabaseLocation) throws {
        print("It continues what was published.")
        guard case .server(let address, let needed) = location, needed > 0 else { return }
        let present = try PostgresStorage.standbyCount(of: address)
        print("\(counted(present, "standby follows", "standbys follow")) it now.")
    }
}
