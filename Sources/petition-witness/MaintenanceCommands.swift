import ArgumentParser
import CommandSupport
import ServerCommands
import WitnessService

struct Fsck: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the database: what each log signed, and what this witness cosigned.",
        discussion: """
            It may run while the server does.

              petition-witness fsck --folder witness
            """)
    @OptionGroup var at: FolderOption
    @Flag(help: "As one JSON object.") var json = false

    func run() throws {
        let witness = try at.open()
        guard
            try ServerCommand.check(
                asJSON: json, things: ("log", "logs"),
                advice: """
                    Stop the server, keep the folder as it is, and never continue from a backup: make a new witness with a \
                    new key
                    """,
                { _ in try witness.fsck() })
        else {
            throw ExitCode(ExitStatus.refused.rawValue)
        }
    }
}

struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy the database to a new file, also while the server runs.",
        discussion: """
            The copy shows later what was cosigned. NEVER continue a witness from it: a witness that has forgotten what \
            it cosigned may be made to cosign another log. If the database is lost, make a new witness with a new key.

              petition-witness backup --folder witness /backups/witness-2027-01-31.sqlite
            """)
    @OptionGroup var at: FolderOption
    @Argument(help: "A new file.") var file: String

    func run() throws {
        print(try ServerCommand.backUp(to: file) { try at.open().backUp(to: $0) })
    }
}

struct AcceptClock: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Go on after this computer's clock was ahead, and is right again.",
        discussion: """
            A witness does not cosign with a clock that is behind what it cosigned before. If that was cosigned with a clock \
            that was ahead, put the clock right, and then:

              petition-witness accept-clock --folder witness
            """)
    @OptionGroup var at: FolderOption

    func run() throws {
        let count = try at.open().acceptClock()
        print("This computer's clock is taken for right: \(counted(count, "log", "logs")) had a later time.")
    }
}

struct Database: ParsableCommand {
    static let configuration = DatabaseCommand.configuration(program: "petition-witness")
    @OptionGroup var at: FolderOption
    @OptionGroup var command: DatabaseCommand

    func run() throws { try command.run(in: at.folder) { try at.open().check() } }
}
