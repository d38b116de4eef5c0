import AggregatorService
import ArgumentParser
import CommandSupport
import DurableFiles
import ServerCommands
import ServiceHTTP

struct Fsck: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Rebuild every tile, tag, count and root from the entries, and compare.",
        discussion: """
            It may run while the server does. Proofs are not verified again: that is petition-verifier's work.

              petition-aggregator fsck --folder aggregator
            """)
    @OptionGroup var at: FolderOption
    @Flag(help: "As one JSON object.") var json = false

    func run() throws {
        guard try ServerCommand.check(asJSON: json, at.open().fsck) else { throw ExitCode(ExitStatus.refused.rawValue) }
    }
}

struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy the database to a new file, also while the server runs.",
        discussion: """
            The key (note.key) is not in it: keep a copy of that once, apart and secret.

              petition-aggregator backup --folder aggregator /backups/aggregator-2026-11-24.sqlite
            """)
    @OptionGroup var at: FolderOption
    @Argument(help: "A new file.") var file: String

    func run() throws {
        print(try ServerCommand.backUp(to: file) { try at.open().backUp(to: $0) })
    }
}

struct Move: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Move the database to a PostgreSQL server, or back into the folder.",
        discussion: """
            The server must be stopped. Everything is copied in one transaction and compared; then the old database is \
            kept from being used. If this is stopped, the same command goes on. Afterwards run fsck.

              petition-aggregator move --folder aggregator --database postgresql://roundrobin@db.example/petitions
            """)
    @OptionGroup var at: FolderOption
    @OptionGroup var database: DatabaseOptions
    @Flag(help: "Into the folder.") var toFile = false

    func validate() throws {
        guard toFile == database.isFile else {
            throw ValidationError("say where to: --database URL, or --to-file")
        }
    }

    func run() throws {
        try ServerCommand.checkOwner(of: at.folder)
        let lock = try FileLock(path: at.folder + "/serve.lock")
        let location = try database.location(insteadOfThatOf: at.folder)
        try Aggregator.move(folder: at.folder, to: location)
        print("Moved. \(DatabaseOptions.words(location) ?? "The database is in \(at.folder) again.")")
        extendLifetime(lock)
    }
}

struct Database: ParsableCommand {
    static let configuration = DatabaseCommand.configuration(program: "petition-aggregator")
    @OptionGroup var at: FolderOption
    @OptionGroup var command: DatabaseCommand

    func run() throws { try command.run(in: at.folder) { try at.open().check() } }
}
