import ArgumentParser
import CommandSupport
import CoordinatorService
import ServerCommands
import ServiceHTTP

struct Fsck: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Rebuild every tile, root, code, phase and ring from the entries, and compare.",
        discussion: """
            It may run while the server does.

              petition-coordinator fsck --folder coordinator
            """)
    @OptionGroup var at: FolderOption
    @Flag(help: "As one JSON object.") var json = false

    func run() throws {
        guard try ServerCommand.check(asJSON: json, at.open().fsck) else { throw ExitCode(ExitStatus.refused.rawValue) }
    }
}

struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy the database, also while the server runs.",
        discussion: """
            It names everybody who was invited: keep it secret. The keys (note.key, enrolment-*.key, mailbox-*.key) are not in it: keep a copy \
            of those once, apart.

              petition-coordinator backup --folder coordinator /backups/coordinator-2026-11-24.sqlite
            """)
    @OptionGroup var at: FolderOption
    @Argument(help: "A new file.") var file: String

    func run() throws {
        print(try ServerCommand.backUp(to: file) { try at.open().backUp(to: $0) })
    }
}

struct Database: ParsableCommand {
    static let configuration = DatabaseCommand.configuration(program: "petition-coordinator")
    @OptionGroup var at: FolderOption
    @OptionGroup var command: DatabaseCommand

    func run() throws { try command.run(in: at.folder) { _ = try at.open() } }
}
