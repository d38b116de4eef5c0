import ArgumentParser
import CommandSupport
import CoordinatorService
import Documents
import DurableFiles
import Foundation
import InvitationMail
import LogStorage
import Logging
import PetitionPages
import Petitions
import ServerCommands
import ServiceHTTP

@main
enum Main {
    static func main() async {
        await PetitionCoordinator.runProgram()
    }
}

struct PetitionCoordinator: Program {
    static let programName = "petition-coordinator"
    static let configuration = CommandConfiguration(
        commandName: programName,
        abstract: "Keep the roll of those who may sign, without learning who signs.",
        discussion: """
            Example, from nothing to a roll whose members can be invited:

              petition-coordinator init --name "Harbour Workers' Union" --url https://union.example coordinator
              petition-coordinator roll create --folder coordinator --name "Members 2027" members-2027
              petition-coordinator invite --folder coordinator members-2027 people.csv letters.csv
              petition-coordinator serve --folder coordinator

            Exit codes: 0 fine, 1 refused or invalid, 2 wrong usage, 3 cannot decide.
            """,
        version: Release.text(of: programName),
        subcommands: [
            Initialise.self, RollCommand.self, Invite.self, People.self, VoidCommand.self, Serve.self, Joining.self,
            Issuing.self,
            Seal.self, RoundsCommand.self, EnrolmentCommand.self, MailCommand.self, PetitionCommand.self,
            PolicyCommand.self,
            WitnessCommand.self, Status.self,
            Fsck.self,
            Backup.self, Database.self,
        ])

    static func userError(for error: any Error) -> UserError? {
        switch error {
        case let error as CoordinatorError: words(for: error)
        case let error as PeopleList.Fault: PeopleListText.userError(for: error)
        case let rule as Rule: UserError(.refused, "a rule of the roll forbids this: \(rule.rawValue)")
        default: ServerErrorText.about(error)
        }
    }

    private static func words(for error: CoordinatorError) -> UserError {
        switch error {
        case .alreadyInitialised(let folder):
            UserError(.refused, "there is a coordinator in \(folder) already", hint: "choose another folder")
        case .notInitialised(let folder):
            UserError(
                .refused, "there is no coordinator in \(folder)",
                hint: "make one with: petition-coordinator init --name NAME --url URL \(folder)")
        case .databaseLost(let path):
            UserError(
                .refused, "the database \(path) is lost: the key beside it signed logs that it held",
                hint: "put the database back, with its -wal file: see \"Restoring\" in Protocol/operating.md")
        case .noSuchRoll(let slug):
            UserError(.refused, "there is no roll \(slug)", hint: "list them with: petition-coordinator status")
        case .rollExists(let slug): UserError(.refused, "there is a roll \(slug) already")
        case .badSlug(let slug):
            UserError(
                .usage, "\(slug) cannot be the last part of a roll's link",
                hint: "use lower-case letters, digits, . _ and -, but not 64 digits as an id has")
        case .unusedChanged(let before, let now):
            UserError(
                .refused,
                "\(now) codes are unused now, and not the \(before) that were asked about: nothing was voided",
                hint: "somebody enrolled or was invited meanwhile: run the same command again")
        case .labelNotUnique(let label, 0):
            UserError(.refused, "no unused code has the label \(label)", hint: "a code that was used cannot be voided")
        case .labelNotUnique(let label, let matches):
            UserError(.refused, "\(matches) unused codes have the label \(label)")
        case .invitedBefore(let line, let value):
            UserError(
                .refused, "line \(line): \(shown(value)) was invited to this roll before",
                hint: "two codes are two votes: leave the line out, void the first code, or say --again")
        case .wantNoMail(let lines):
            UserError(
                .refused,
                "\(counted(lines.count, "person wants", "people want")) no more mail from this coordinator: line "
                    + lines.prefix(50).map(String.init).joined(separator: ", ") + (lines.count > 50 ? ", …" : ""),
                hint: "take the lines into a list of their own, and invite these people by letters")
        case .addressTaken(let address):
            UserError(
                .refused, "somebody was invited to this roll at \(shown(address)) before",
                hint: "two codes are two votes: see who with people, and void one of the codes first")
        case .noMailOfThis:
            UserError(
                .refused, "no mail can be made of this text and the names of roll and coordinator",
                hint: "use a template with a shorter subject: petition-coordinator mail template")
        case .noAddress(let label):
            UserError(
                .refused, "\(shown(label)) was not invited by mail", hint: "say where to with --to ADDRESS")
        case .forgotten(let roll):
            UserError(
                .refused, "the people of \(roll) are forgotten: whoever is invited now may have a code already",
                hint: "make a new roll")
        case .tooFew(let have, let need):
            UserError(
                .refused, "there are \(have), and it takes at least \(need) so that members hide among enough others",
                hint: "wait for more people to enrol or join")
        case .wrongPhase(true):
            UserError(.refused, "joining is open", hint: "open issuing first: petition-coordinator issuing open SLUG")
        case .wrongPhase(false):
            UserError(.refused, "issuing is open", hint: "open joining first: petition-coordinator joining open SLUG")
        case .nothingSealed(let roll):
            UserError(
                .refused, "the roll \(roll) has no sealed ring yet",
                hint: "seal the members who joined, or admit rings that are sealed later: --later-rings")
        case .joiningTakesTime(let until, let joined, let issued):
            UserError(
                .refused, "joining goes on until \(until): \(joined) of \(issued) who enrolled have joined",
                hint: "who is slow must not be left alone: wait until then, or until everybody has joined")
        case .windowNotWitnessed:
            UserError(
                .refused, "no quorum of the roll's witnesses has seen yet that joining was open for its time",
                hint: "the server asks them: leave it running, and try again in some seconds. It logs which are absent")
        case .rollAtFault(let log, let fault):
            UserError(
                .refused, "entry \(fault.index) of the log \(log) breaks the rule \(fault.rule.rawValue)",
                hint: "a petition over this roll would not be valid: ask the coordinator of the roll")
        case .rollsShare(.enrolmentKeyReused, let roll, let other):
            UserError(
                .refused, "the rolls \(roll) and \(other) have one enrolment key (enrolment-key-reused)",
                hint: "each roll needs a key of its own: leave one of them out")
        case .rollsShare(let rule, let roll, let other):
            UserError(
                .refused, "a member's key is in the rolls \(roll) and \(other) (\(rule.rawValue))",
                hint: "one of them was made from the other: leave one of them out")
        case .admitsByList(let slug):
            UserError(
                .refused, "people are invited to \(slug) by a list, and nobody can ask for an invitation",
                hint: "invite them: petition-coordinator invite; or make another roll with roll create --by-email")
        case .stillAsking(let slug):
            UserError(
                .refused, "invitations to \(slug) can still be asked for: whoever asked again would get a second place",
                hint: "end that first, for ever: petition-coordinator enrolment close \(slug)")
        case .admitsByMail(let slug):
            UserError(
                .refused, "people get onto \(slug) by e-mail, and nobody is invited to it by a list",
                hint: "they ask for an invitation on its page; a roll by a list is another roll")
        case .labelOfTwoAdmissions(let label):
            UserError(
                .refused,
                "the label \(shown(label)) is of rolls whose people are admitted in different ways: a count of both "
                    + "would say what neither is worth",
                hint: "give them different labels: --roll NAME=LABEL")
        case .linkTaken(let link):
            UserError(
                .refused, "another roll was announced here as \(link) before",
                hint: "ask the coordinator of that roll which of the two is theirs")
        case .document(let error): UserError(.refused, "the document breaks a rule: \(describe(error))")
        }
    }

    private static func describe(_ error: DocumentError) -> String {
        switch error {
        case .malformed(let reason), .note(let reason): reason
        case .missing(let field): "\(field) is missing"
        case .unknown(let field): "\(field) is unknown"
        case .invalid(let field, let reason): "\(field) \(reason)"
        }
    }
}

/// The option for the coordinator's folder.
struct FolderOption: ParsableArguments {
    @Option(help: "The coordinator's folder.") var folder = "coordinator"

    func open() throws -> Coordinator {
        try ServerCommand.checkOwner(of: folder)
        return try Coordinator(folder: folder)
    }
}

struct Initialise: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a coordinator: its folder, keys (mode 0600) and database.")
    @Option(help: "Shown to people.") var name: String
    @Option(help: "The base url under which it will be reached, such as https://union.example.") var url: String
    @OptionGroup var database: DatabaseOptions
    @Argument(help: "The folder to make.") var folder = "coordinator"

    func run() throws {
        let url = try AddressText.server(url)
        let location = try database.location()
        try FolderText.prepare(folder)
        let coordinator = try Coordinator.initialise(folder: folder, name: name, url: url, database: location)
        if let words = DatabaseOptions.words(location) { print(words) }
        print("Made a coordinator in \(folder) for \(coordinator.url).")
        print("Back up this folder: anyone who has it can act as this coordinator, and without it nobody can.")
        print("Leave out outbox.sqlite and mail-keys, which have addresses, and what unused codes are made of.")
    }
}

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve invitations, rolls and petitions over HTTP.")
    @OptionGroup var at: FolderOption
    @Option(help: "host:port to listen on. Default: this machine only, at the url's port if it is local, else 8080.")
    var listen: String?
    @Option(
        help: ArgumentHelp(
            "Joins that come within this time are written to the disk together, so that it tells no order.",
            valueName: "seconds"))
    var commitJoinsEvery = 60
    @Option(
        help: ArgumentHelp(
            "Shortest time between two questions to one witness about one log: 10 for public witnesses.",
            valueName: "seconds"))
    var witnessEvery = 1.0
    @Option(help: ArgumentHelp("The most mails in an hour to people who ask for invitations.", valueName: "count"))
    var mailsPerHour = Outbox.RequestLimits.perHour
    @OptionGroup var net: ProxyOption
    @OptionGroup var metrics: MetricsOption
    @OptionGroup var offer: ProgramsOptions

    func validate() throws {
        guard (1...100_000).contains(mailsPerHour) else {
            throw ValidationError("--mails-per-hour takes 1 to 100000")
        }
        // Signers wait at most three minutes for the answer.
        guard (0...60).contains(commitJoinsEvery) else {
            throw ValidationError("--commit-joins-every takes 0 to 60 seconds")
        }
        guard (0...30).contains(witnessEvery) else { throw ValidationError("--witness-every takes 0 to 30 seconds") }
    }

    func run() async throws {
        let coordinator = try at.open()
        let lock = try FileLock(path: at.folder + "/serve.lock")
        let address = try ServerCommand.address(listen, for: coordinator.url)
        let metricsAddress = try metrics.address()
        let url = coordinator.url
        let programs = try offer.offer()
        try warnOfOtherHash(in: coordinator, programs)
        let server = CoordinatorServer(
            coordinator, joinInterval: .seconds(commitJoinsEvery), witnessInterval: .seconds(witnessEvery),
            proxy: try net.parsed(), logger: ServerCommand.logger(PetitionCoordinator.programName),
            programs: programs, mailsPerHour: mailsPerHour)
        try await server.run(on: address, metricsOn: metricsAddress) { port in
            ServerCommand.announce("Serving \(url) on port \(port).")
        }
        extendLifetime(lock)
    }

    /// Says it if pages and mails name different signers for browsers: people would take the right one for a false one.
    private func warnOfOtherHash(in coordinator: Coordinator, _ programs: ProgramsOffer?) throws {
        guard let mailed = try coordinator.existingOutbox()?.settings()?.browserSigner,
            let shown = programs.flatMap({ ProgramsOffer.browserSigner(in: $0.files) }), mailed != shown
        else { return }
        ServerCommand.announce("Mails name another roundrobin-signer.html than pages do: run mail setup again.")
    }
}

struct Joining: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Open the joining phase of a round.", subcommands: [Open.self])
    struct Open: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "From now on members join, and no code is issued.")
        @OptionGroup var at: FolderOption
        @Argument(help: "The roll.") var slug: String

        func run() throws {
            let coordinator = try at.open()
            let state = try coordinator.openJoining(roll: slug)
            let seconds = try coordinator.roll(named: slug).terms.joiningSeconds
            let end = UTCTime(seconds: Int64(clamping: state.opened) + Int64(seconds))
            print(
                "Joining is open, round \(state.round), until \(end). Until then, seal works only once everybody has joined."
            )
            print("Tell everybody now, at the same time and by the same way: who is told alone is recognised.")
        }
    }
}

struct Issuing: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Open the issuing phase of the next round.", subcommands: [Open.self])
    struct Open: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "From now on codes are issued, and nobody joins.")
        @OptionGroup var at: FolderOption
        @Argument(help: "The roll.") var slug: String

        func run() throws {
            print("Issuing is open, round \(try at.open().openIssuing(roll: slug)).")
        }
    }
}

struct Seal: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Seal the members who joined into rings.")
    @OptionGroup var at: FolderOption
    @Argument(help: "The roll.") var slug: String

    func run() throws {
        let rings = try at.open().seal(roll: slug)
        let sizes = rings.map(String.init).joined(separator: ", ")
        print(
            rings.count == 1
                ? "Sealed \(sizes) members into one ring."
                : "Sealed \(rings.reduce(0, +)) members into \(rings.count) rings of \(sizes).")
    }
}

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show every roll and petition.")
    @OptionGroup var at: FolderOption
    @Flag(help: "As one JSON object.") var json = false

    func run() throws {
        let coordinator = try at.open()
        let rolls = try coordinator.rollStatus()
        let petitions = try coordinator.petitions()
        print(json ? StatusText.json(coordinator, rolls, petitions) : StatusText.people(coordinator, rolls, petitions))
    }
}
