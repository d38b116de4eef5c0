import AggregatorService
import ArgumentParser
import CommandSupport
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
