import ArgumentParser
import Bytes
import CommandSupport
import CoordinatorService
import Documents
import DurableFiles
import Foundation
import LogClient
import LogReading
import PetitionCopies
import PetitionPages
import Petitions
import ServerCommands
import ServiceHTTP
import Sodium
import TransparencyLog
import Witnessing

struct PetitionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "petition", abstract: "Make, list and show petitions.",
        subcommands: [Create.self, List.self, Show.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the petitions of this coordinator.")
        @OptionGroup var at: FolderOption
        @Flag(help: "As one JSON array.") var json = false

        func run() throws {
            let petitions = try at.open().petitions()
            if json {
                let list = petitions.map { petition in
                    JSONValue.object([("id", .string(petition.id.hex)), ("title", .string(petition.text.title))])
                }
                return print(JSONValue.array(list).text(isPretty: false))
            }
            for petition in petitions { print("\(petition.id.hex)  \(petition.text.title)") }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a petition, or write its .petition file again.",
            discussion: """
                  petition-coordinator petition show ID
                  petition-coordinator petition show --out harbour.petition ID
                """)
        @OptionGroup var at: FolderOption
        @Option(help: ArgumentHelp("Write the .petition file, a new one or - for standard output.", valueName: "file"))
        var out: String?
        @Argument(help: "The petition's id or address.") var petition: String

        func run() throws {
            let id = try AddressText.petitionID(petition)
            guard let found = try at.open().petitions().first(where: { $0.id == id }) else {
                throw UserError(
                    .refused, "this coordinator has no petition \(id.hex)",
                    hint: "list them with: petition-coordinator petition list")
            }
            guard let out else { return print(DraftText.all(found)) }
            try NamedFile.checkNew(out)
            try NamedFile.write(found.note, to: out)
            FileStream.error.write("Wrote \(out).\n")
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sign and announce a petition. Its text can never be changed.",
            discussion: """
                You are shown what would be signed, and asked. --dry-run stops there, --preview FILE.html writes the page \
                and the poster.

                  petition-coordinator petition create --statement statement.md --title "Keep the harbour open" \\
                    --started-by "Harbour Workers' Union" --addressed-to "The city council" --goal 1000 \\
                    --closes "2027-06-30 Europe/Berlin" --roll members-2027 \\
                    --aggregator https://count.example=BASE64KEY harbour.petition

                A roll is one of this coordinator, by its name, or another's, by its link; NAME=LABEL shows LABEL for it.
                The aggregator's url and key are what `petition-aggregator init` prints.
                """)
        @OptionGroup var at: FolderOption
        @Option(help: "One line.") var title: String
        @Option(help: "Markdown file with what is petitioned; - is standard input.") var statement: String
        @Option(help: "Who starts the petition.") var startedBy: String
        @Option(help: "Who shall act.") var addressedTo: String
        @Option(help: "A page to read more.") var website: String?
        @Option(help: "Language of the text, such as en or pt-BR.") var language = "en"
        @Option(help: "First moment of signing, such as \"2027-01-01 08:00 Europe/Berlin\". Default: now.")
        var opens: String?
        @Option(help: "Last moment of signing, such as \"2027-06-30 Europe/Berlin\" or 2027-06-30T22:00:00Z.")
        var closes: String
        @Option(help: "First goal, in signatures.") var goal: UInt64 = 1000
        @Option(help: "Id of the petition that this one replaces.") var replaces: String?
        @Option(name: .customLong("roll"), help: "Who may sign; repeat it for several rolls.") var rolls: [String]
        @Flag(help: "Admit rings that are sealed after now, too.") var laterRings = false
        @Option(name: .customLong("aggregator"), help: "URL=KEY of an aggregator; repeat it for several.")
        var aggregators: [String]
        @Option(help: ArgumentHelp("A policy of witnesses, which must cosign: see policy check.", valueName: "file"))
        var witnesses: String?
        @OptionGroup var net: ProxyOption
        @Flag(help: "Show what would be signed, and stop.") var dryRun = false
        @Option(help: ArgumentHelp("Write a preview of the page and the poster.", valueName: "file"))
        var preview: String?
        @Flag(help: "Do not ask: you have checked everything.") var yes = false
        @Argument(help: "The .petition file to write.") var file: String

        func run() async throws {
            try NamedFile.checkNew(file)
            let coordinator = try at.open()
            let (author, times) = try author(coordinator)
            let aggregators = try aggregators.map(aggregator)
            let proxy = try net.parsed()
            var references: [Coordinator.PetitionRoll] = []
            for roll in rolls { references.append(try await reference(roll, of: coordinator, proxy: proxy)) }
            let draft = try coordinator.draftPetition(
                text: author.text, rolls: references, aggregators: aggregators,
                witnesses: try witnesses.map(PolicyFile.readForDocument))
            Terminal.show(DraftText.all(draft.manifest, rolls: draft.rolls, times: times))
            for doubt in author.doubts { Terminal.show("CHECK  \(DraftText.words(for: doubt))") }
            if let preview { try write(draft, preview: preview) }
            if dryRun { return print("Nothing was signed or announced.") }
            try Terminal.ask(
                "Sign and announce this petition for ever?", isAgreed: yes,
                hint: "check what is shown above, then add --yes")
            try ServerCommand.delivering(file) { deliver in
                try coordinator.announce(draft) { try deliver($0.note) }
            }
            NamedFile.tell(
                """
                Made the petition "\(draft.manifest.text.title)" and announced it.
                Id: \(draft.manifest.id.hex)
                Wrote \(file). Give it to the aggregator: petition-aggregator add \(file.shellQuoted)
                """, about: file)
        }

        private func write(_ draft: Coordinator.DraftPetition, preview: String) throws {
            let page = Pages(site: draft.manifest.aggregators[0].url, hasList: true).preview(
                draft.manifest, groups: draft.groups)
            try NamedFile.write(Array(page.utf8), to: preview)
            Terminal.show(
                "Wrote \(preview): open it in a browser. Its id and QR code are this run's: the next one makes others.")
        }

        /// What the organiser wrote, checked, and its times in words.
        private func author(_ coordinator: Coordinator) throws -> (AuthorText, DraftText.Times) {
            let now = UTCTime.now
            let opening = try opens.map { try LocalTime($0, option: "opens", edge: .firstMoment) }
            let closing = try LocalTime(closes, option: "closes", edge: .lastMoment)
            let known = try coordinator.petitions().map(\.id)
            let text = PetitionManifest.Text(
                title: title, statement: try NamedFile.readText(statement, limit: SignedNote.maximumCount),
                startedBy: startedBy, addressedTo: addressedTo, website: try website.map(page), language: language,
                opens: opening?.time ?? now, closes: closing.time, goal: goal,
                replaces: try replaces.map(AddressText.petitionID))
            do {
                let author = try AuthorText(text, now: now, known: known)
                return (author, DraftText.Times(opens: opening?.words ?? "now", closes: closing.words))
            } catch { throw DraftText.userError(for: error, statement: statement) }
        }

        /// The address of a page to read more.
        private func page(_ text: String) throws -> String {
            let page = try AddressText.pasted(
                text, expected: "a website's address, such as https://union.example/harbour")
            guard !page.hadQuery, page.fragment == nil else {
                throw UserError(
                    .usage, "--website: \(shown(text)) has a part after ? or #, which documents do not take",
                    hint: "name a page whose address goes without")
            }
            return page.url.text
        }

        private func aggregator(_ text: String) throws -> PetitionManifest.Aggregator {
            let parts = text.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let key = Base64.decode32(parts[1]) else {
                throw UserError(
                    .usage, "\(shown(text)) is not URL=KEY of an aggregator",
                    hint: "copy what petition-aggregator init or status prints")
            }
            return .init(url: try AddressText.server(String(parts[0])), key: Ed25519PublicKey(key))
        }

        private func reference(
            _ text: String, of coordinator: Coordinator, proxy: SOCKSProxy?
        ) async throws -> Coordinator.PetitionRoll {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard let name = parts.first else {
                throw UserError(.usage, "--roll names no roll", hint: "list them with: petition-coordinator status")
            }
            let label: String?
            do { label = parts.count == 2 ? try AuthorText.line(parts[1], "the label of \(name)") : nil } catch {
                throw DraftText.userError(for: error, statement: statement)
            }
            let roll: RollReplay
            if name.contains("/") {
                let link = try AddressText.roll(name)
                roll = try await HTTPConnection.with(proxy: proxy) { connection in
                    try await ForeignRoll(link: link, connection: connection).read()
                }
            } else {
                roll = try coordinator.roll(name)
            }
            return .init(roll: roll, label: label, laterRings: laterRings)
        }
    }
}

/// Another organisation's roll in its current published state, read as by any reader.
private struct ForeignRoll {
    let link: RollLink
    let connection: HTTPConnection

    func read() async throws -> RollReplay {
        let base = HTTPSource(connection: connection, base: link.coordinator.text)
        guard let note = try await base.read("rolls/\(link.slug.text)", limit: SignedNote.maximumCount) else {
            throw UserError(.undecided, "there is no roll at \(link.url)")
        }
        let roll: RollDescriptor
        do { roll = try RollDescriptor(parsing: note) } catch {
            throw UserError(.refused, "what \(link.url) answers is no roll: \(error.explanation)")
        }
        guard roll.link == link else { throw UserError(.refused, "\(link.url) answers another roll than it names") }
        do {
            try await checkAnnounced(roll, base)
            return try await replay(roll)
        } catch LogReadError.source(let error) {
            throw error
        } catch LogReadError.witnesses(let error) {
            throw UserError(
                .undecided, "the witnesses of the roll at \(link.url) do not vouch for its logs: \(error.explanation)",
                hint: "try again later; if it stays so, ask the coordinator of that roll")
        } catch let error as LogReadError {
            throw UserError(error.isProof ? .refused : .undecided, "a log of \(link.url) cannot be read: \(error)")
        }
    }

    /// A roll that its own coordinator does not announce under this link may have been made for us alone.
    private func checkAnnounced(_ roll: RollDescriptor, _ source: HTTPSource) async throws {
        let log = OfflineCopy.announcementsLog(
            coordinator: roll.coordinator, key: roll.key, source: source, prefix: OfflineCopy.announcements)
        var announced = AnnouncementLedger()
        _ = try await log.readEntries(upTo: log.readCheckpoint().checkpoint) { _, entries in
            for entry in entries { announced.append(entry) }
        }
        guard announced.isAnnounced(roll) else {
            throw UserError(
                .refused, "the roll at \(link.url) is not the one that its coordinator announced (not-announced)",
                hint: "ask the coordinator of that roll")
        }
    }

    private func replay(_ roll: RollDescriptor) async throws -> RollReplay {
        let source = HTTPSource(connection: connection, base: roll.url.text)
        let demand = QuorumDemand(roll.witnesses, now: UInt64(clamping: UTCTime.now.seconds))
        let members = OfflineCopy.membersLog(roll, source: source, prefix: "members", demand: demand)
        let enrolment = OfflineCopy.enrolmentLog(roll, source: source, prefix: "enrolment", demand: demand)
        var replay = RollReplay(roll)
        _ = try await members.readEntries(upTo: members.readCheckpoint().checkpoint) { _, entries, leaves in
            replay.appendMembers(RollEntry.parse(entries), leaves: leaves)
        }
        replay.beginEnrolment()
        _ = try await enrolment.readEntries(upTo: enrolment.readCheckpoint().checkpoint) { _, entries, leaves in
            replay.appendEnrolment(entries, leaves: leaves)
        }
        return replay
    }
}
