import ArgumentParser
import CommandSupport
import Documents
import DurableFiles
import LogStorage
import ServerCommands
import TransparencyLog
import WitnessService
import Witnessing

@main
enum Main {
    static func main() async {
        await PetitionWitness.runProgram()
    }
}

struct PetitionWitness: Program {
    static let programName = "petition-witness"
    static let configuration = CommandConfiguration(
        commandName: programName,
        abstract: "Cosign the logs of petitions, so that nobody is shown another log than everybody.",
        discussion: """
            Example, from nothing to a witness of a union's rolls and petitions:

              petition-witness init --name paper.example/witness --url https://witness.paper.example witness
              petition-witness trust 7UyeO8wzpIbQ5jBqfvQh6xu9KGtvEYbV4Yt9d0BOd0s= https://union.example
              petition-witness serve

            A witness sees no signer, and learns nothing that is not public.

            Exit codes: 0 fine, 1 refused or invalid, 2 wrong usage, 3 cannot decide.
            """,
        version: Release.text(of: programName),
        subcommands: [
            Initialise.self, Trust.self, Serve.self, Status.self, AcceptClock.self, Fsck.self, Backup.self,
            Database.self,
        ])

    static func userError(for error: any Error) -> UserError? {
        switch error {
        case let error as WitnessError: words(for: error)
        case let error as LogList.Fault:
            UserError(.refused, "line \(error.line) is not as in a list of logs", hint: "see c2sp.org/tlog-list")
        default: ServerErrorText.about(error)
        }
    }

    private static func words(for error: WitnessError) -> UserError {
        switch error {
        case .alreadyInitialised(let folder):
            UserError(.refused, "there is a witness in \(folder) already", hint: "choose another folder")
        case .notInitialised(let folder):
            UserError(
                .refused, "there is no witness in \(folder)",
                hint: "make one with: petition-witness init --name NAME --url URL \(folder)")
        case .databaseLost(let path):
            UserError(
                .refused, "the database \(path) is lost: this witness no longer knows what it cosigned",
                hint: "never begin again with the same key: make a new witness, and tell those who name the old one")
        case .badName(let name):
            UserError(
                .usage, "\(shown(name)) cannot be the name of a witness",
                hint: "an address without https:// is usual, such as paper.example/witness; no spaces, no +")
        case .otherKey(let name):
            UserError(
                .refused, "\(shown(name, limit: 200)) is trusted with another key already, and logs do not change keys",
                hint: "ask its operator; a server with a new key has new addresses")
        }
    }
}

/// The option for the witness's folder.
struct FolderOption: ParsableArguments {
    @Option(help: "The witness's folder.") var folder = "witness"

    func open() throws -> Witness {
        try ServerCommand.checkOwner(of: folder)
        return try Witness(folder: folder)
    }
}

struct Initialise: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a witness: its folder, key (mode 0600) and database.")
    @Option(help: "The name of its key, in policies and signatures, such as paper.example/witness.") var name: String
    @Option(help: "The base url under which logs reach it, such as https://witness.paper.example.") var url: String
    @OptionGroup var database: DatabaseOptions
    @Argument(help: "The folder to make.") var folder = "witness"

    func run() throws {
        let url = try AddressText.server(url)
        let location = try database.location()
        try FolderText.prepare(folder)
        let witness = try Witness.initialise(folder: folder, name: name, url: url, database: location)
        if let words = DatabaseOptions.words(location) { print(words) }
        print("Made a witness in \(folder). The line for policies; its second word may be any:")
        print(StatusText.policyLine(of: witness))
        print("It follows no log yet. Next: petition-witness trust --help")
    }
}

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Cosign over HTTP what the logs submit (C2SP tlog-witness).")
    @OptionGroup var at: FolderOption
    @OptionGroup var net: ProxyOption
    @Option(help: "host:port to listen on. Default: this machine only, at the url's port if it is local, else 8080.")
    var listen: String?
    @OptionGroup var metrics: MetricsOption

    func run() async throws {
        let witness = try at.open()
        let lock = try FileLock(path: at.folder + "/serve.lock")
        let address = try ServerCommand.address(listen, for: witness.url)
        let metricsAddress = try metrics.address()
        let url = witness.url
        let logger = ServerCommand.logger(PetitionWitness.programName)
        let lists = try ListReader(witness, proxy: net.parsed(), logger: logger)
        let server = WitnessServer(witness, lists: lists, logger: logger)
        try await server.run(on: address, metricsOn: metricsAddress) { port in
            ServerCommand.announce("Serving \(url) on port \(port).")
        }
        extendLifetime(lock)
    }
}

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the witness's key, what it follows, and what it cosigned.")
    @OptionGroup var at: FolderOption
    @Option(
        help: ArgumentHelp(
            "Print what this log signed and was not shown to follow from what was cosigned.", valueName: "origin"))
    var strays: String?
    @Flag(help: "As one JSON object.") var json = false

    func run() throws {
        let witness = try at.open()
        if let strays {
            let found = try witness.strays(of: strays)
            print(found.isEmpty ? "There is none." : found.map(StatusText.stray).joined(separator: "\n"))
            return
        }
        let status = try witness.status()
        print(json ? StatusText.json(witness, status) : StatusText.people(witness, status))
    }
}
