import AggregatorService
import ArgumentParser
import Bytes
import CommandSupport
import Documents
import DurableFiles
import Foundation
import LogClient
import LogReading
import Messages
import PetitionCopies
import Petitions
import ServerCommands
import ServiceHTTP
import Sodium
import TransparencyLog
import Witnessing

@main
enum Main {
    static func main() async {
        await PetitionAggregator.runProgram()
    }
}

struct PetitionAggregator: Program {
    static let programName = "petition-aggregator"
    static let configuration = CommandConfiguration(
        commandName: programName,
        abstract: "Count signatures, each member once, without learning who signed.",
        discussion: """
            Example, from nothing to a petition that collects:

              petition-aggregator init --url https://count.example aggregator
              petition-aggregator add --folder aggregator harbour.petition
              petition-aggregator serve --folder aggregator

            Exit codes: 0 fine, 1 refused or invalid, 2 wrong usage, 3 cannot decide.
            """,
        version: Release.text(of: programName),
        subcommands: [
            Initialise.self, Add.self, Serve.self, Status.self, Export.self, WitnessCommand.self, Fsck.self,
            Backup.self, Database.self, Move.self,
        ])

    static func userError(for error: any Error) -> UserError? {
        switch error {
        case let error as AggregatorError: words(for: error)
        case let error as PetitionRefusal: RefusalText.userError(for: error)
        case let error as CopyError: UserError(error.isProof ? .refused : .undecided, error.explanation)
        case let error as CopyFolder.NotEmpty:
            UserError(
                .refused, "\(error.folder) is not empty",
                hint: "a copy is made in a new folder, or again in one where it was not finished")
        default: ServerErrorText.about(error)
        }
    }

    private static func words(for error: AggregatorError) -> UserError {
        switch error {
        case .alreadyInitialised(let folder):
            UserError(.refused, "there is an aggregator in \(folder) already", hint: "choose another folder")
        case .notInitialised(let folder):
            UserError(
                .refused, "there is no aggregator in \(folder)",
                hint: "make one with: petition-aggregator init --url URL \(folder)")
        case .notNamed(let url):
            UserError(
                .refused, "the petition does not name \(url) with this aggregator's key",
                hint: "give the coordinator what petition-aggregator status prints")
        case .ownKeyAsWitness(let name):
            UserError(
                .refused, "the witness \(shown(name)) has the key of a server of this petition, and is no witness",
                hint: "ask the petition's organisers: nobody can vouch for themselves")
        case .witnessUnknown(let key, let url):
            UserError(
                .refused, "nobody said where the witness \(shown(key.name)) is",
                hint: "petition-aggregator witness add \(key.vkey.shellQuoted) \((url ?? "URL").shellQuoted)")
        case .severalPetitions(let ids):
            UserError(
                .usage, "there are \(ids.count) petitions here: \(ids.map(\.hex).joined(separator: ", "))",
                hint: "name one: --petition ID")
        case .databaseLost(let path):
            UserError(
                .refused, "the database \(path) is lost: the key beside it signed logs that it held",
                hint: "put the database back, with its -wal file: see \"Restoring\" in Protocol/operating.md")
        case .noSuchPetition:
            UserError(.refused, "there is no such petition here", hint: "list them with: petition-aggregator status")
        }
    }
}

/// Where the aggregator is.
struct FolderOption: ParsableArguments {
    @Option(help: "The aggregator's folder.") var folder = "aggregator"

    func open() throws -> Aggregator {
        try ServerCommand.checkOwner(of: folder)
        return try Aggregator(folder: folder)
    }
}

struct Initialise: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make an aggregator: its folder, key (mode 0600) and database.")
    @Option(help: "The base url under which it will be reached, such as https://count.example.") var url: String
    @OptionGroup var database: DatabaseOptions
    @Argument(help: "The folder to make.") var folder = "aggregator"

    func run() throws {
        let url = try AddressText.server(url)
        let location = try database.location()
        try FolderText.prepare(folder)
        let aggregator = try Aggregator.initialise(folder: folder, url: url, database: location)
        if let words = DatabaseOptions.words(location) { print(words) }
        print("Made an aggregator in \(folder). For the coordinator's petition create:")
        print(aggregator.option)
    }
}

extension Aggregator {
    /// The option that `petition-coordinator petition create` takes.
    fileprivate var option: String { "--aggregator \(url.text)=\(Base64.encode(publicKey.bytes.array))" }
}

struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take a petition, also while the server runs.",
        discussion: "Its rolls and the announcements of its coordinator are read, checked and kept first.")
    @OptionGroup var at: FolderOption
    @OptionGroup var net: ProxyOption
    @Flag(help: "Do not ask where the petition's witnesses are: you have checked their addresses.") var yes = false
    @Argument(help: "The .petition file.") var file: String

    func run() async throws {
        let note = try NamedFile.read(file, limit: SignedNote.maximumCount)
        let petition: PetitionManifest
        do { petition = try PetitionManifest(parsing: note) } catch {
            throw UserError(.refused, "\(file) is no petition: \(error.explanation)")
        }
        let aggregator = try at.open()
        try WitnessCommand.confirmAddresses(of: petition, in: aggregator, isAgreed: yes)
        try await take(petition, aggregator)
        print("Collecting \"\(petition.text.title)\" at \(aggregator.url.text)/petitions/\(petition.id.hex)")
    }

    private func take(_ petition: PetitionManifest, _ aggregator: Aggregator) async throws {
        let bar = ProgressBar()
        defer { bar.finish() }
        try await HTTPConnection.with(proxy: net.parsed()) { connection in
            let source = { @Sendable (base: String) in HTTPSource(connection: connection, base: base) }
            let origin = ServedPetition(petition.url, aggregators: source, coordinators: source)
            try await aggregator.add(petition, from: origin, progress: bar.progress)
        }
    }
}

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Collect signatures and serve tallies and logs over HTTP.")
    @OptionGroup var at: FolderOption
    @OptionGroup var net: ProxyOption
    @Option(help: "host:port to listen on. Default: this machine only, at the url's port if it is local, else 8080.")
    var listen: String?
    @Option(
        help: ArgumentHelp(
            "Shortest time between two checkpoints. Receipts wait for it; longer hides better who signed when.",
            valueName: "seconds"))
    var publishEvery = 1.0
    @Option(
        help: ArgumentHelp(
            "Shortest time between two questions to one witness about one log: 10 for public witnesses.",
            valueName: "seconds"))
    var witnessEvery = 1.0
    @Option(help: ArgumentHelp("Cores that verify (default: all).", valueName: "number")) var jobs: Int?
    @OptionGroup var metrics: MetricsOption
    @OptionGroup var offer: ProgramsOptions

    func validate() throws {
        // Signers and proxies wait a minute for an answer.
        guard (0...30).contains(publishEvery) else {
            throw ValidationError("--publish-every takes 0 to 30 seconds")
        }
        guard (0...30).contains(witnessEvery) else { throw ValidationError("--witness-every takes 0 to 30 seconds") }
        if let jobs, !(1...1024).contains(jobs) { throw ValidationError("--jobs takes a number from 1 to 1024") }
    }

    func run() async throws {
        let aggregator = try at.open()
        let lock = try FileLock(path: at.folder + "/serve.lock")
        let address = try ServerCommand.address(listen, for: aggregator.url)
        let metricsAddress = try metrics.address()
        let url = aggregator.url
        let server = try AggregatorServer(
            aggregator, publishInterval: .seconds(publishEvery), witnessInterval: .seconds(witnessEvery),
            cores: jobs ?? ProcessInfo.processInfo.activeProcessorCount, proxy: net.parsed(),
            logger: ServerCommand.logger("petition-aggregator"), programs: try offer.offer())
        try await server.run(on: address, metricsOn: metricsAddress) { port in
            ServerCommand.announce("Serving \(url) on port \(port).")
            if server.isWaiting {
                ServerCommand.announce("Another server takes signatures on this database; this one is ready to.")
            }
        }
        extendLifetime(lock)
    }
}

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show every petition and its count.")
    @OptionGroup var at: FolderOption
    @Flag(help: "As one JSON object.") var json = false

    func run() throws {
        let aggregator = try at.open()
        let petitions = try aggregator.status()
        if json {
            print(
                "{\"url\":\"\(aggregator.url.text)\",\"petitions\":[\(petitions.map { $0.json() }.joined(separator: ","))]}"
            )
            return
        }
        print(aggregator.url.text)
        print(aggregator.option)
        for petition in petitions {
            print("\n\(petition.title)\n  id          \(petition.id.hex)")
            print(
                "  signatures  \(petition.signatures), withdrawn \(petition.withdrawn), next goal \(petition.nextGoal)")
            print("  log         \(petition.treeSize) entries, \(try aggregator.vkey(of: petition.id))")
            guard let shown = try aggregator.cosigners(of: petition.id) else { continue }
            print("  witnesses   \(shown.size) entries are shown, cosigned by \(names(shown.cosigned))")
            if !shown.missing.isEmpty { print("              without \(names(shown.missing))") }
        }
    }
}

extension Status {
    private func names(_ keys: [WitnessKey]) -> String {
        keys.isEmpty ? "nobody" : keys.map { shown($0.name) }.joined(separator: ", ")
    }
}

struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the offline copy of a petition, which anybody can verify.",
        discussion: """
            Nothing is read from elsewhere but the logs of the petition's other aggregators, and what these keep of \
            rolls where they saw more. Where such a log cannot be read or is bad, the copy has everything else, and the \
            exit code is 3.
            """)
    @OptionGroup var at: FolderOption
    @OptionGroup var net: ProxyOption
    @Option(help: "Id or address of the petition, if there are several.") var petition: String?
    @Argument(help: "A new folder.") var target: String

    func run() async throws {
        let chosen = try petition.map(AddressText.petitionID)
        let aggregator = try at.open()
        let folder = try CopyFolder(target)
        let bar = ProgressBar()
        let copy = try await HTTPConnection.with(proxy: net.parsed()) { connection in
            try await aggregator.export(
                petition: chosen, to: folder, connection: connection, progress: bar.progress)
        }
        bar.finish()
        print("Copied \"\(copy.petition.text.title)\" to \(target)\(copy.problems.isEmpty ? "" : ", not whole").")
        print("Verify it with: petition-verifier verify --id \(copy.petition.id.hex) \(target.shellQuoted)")
        func say(_ text: String) { FileStream.error.write("\(PetitionAggregator.programName): \(text)\n") }
        for other in copy.replacements {
            say("note: \(other.reason.explanation); copied instead: \(other.part) as kept by \(other.keeper)")
        }
        for problem in copy.problems {
            say("warning: \(problem.explanation); the copy is not whole, and a verifier will say what that means")
        }
        guard copy.problems.isEmpty else { throw ExitCode(ExitStatus.undecided.rawValue) }
    }
}
