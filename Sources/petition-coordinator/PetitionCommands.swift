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
import Petitions
import ServerCommands
import ServiceHTTP
import Sodium
import TransparencyLog

struct PetitionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "petition", abstract: "Make and list petitions.", subcommands: [Create.self, List.self])

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

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sign and announce a petition. Its text can never be changed.",
            discussion: """
                Example:

                  petition-coordinator petition create --statement statement.md --title "Keep the harbour open" \\
                    --started-by "Harbour Workers' Union" --addressed-to "The city council" --goal 1000 \\
                    --closes 2027-06-30T22:00:00Z --roll members-2027 \\
                    --aggregator https://count.example=BASE64KEY harbour.petition

                A roll is one of this coordinator, by its name, or another's, by its link; NAME=LABEL shows LABEL for it.
                The aggregator's url and key are what `petition-aggregator init` prints.
                """)
        @OptionGroup var at: FolderOption
        @Option(help: "One line.") var title: String
        @Option(help: "Markdown file with what is petitioned.") var statement: String
        @Option(help: "Who starts the petition.") var startedBy: String
        @Option(help: "Who shall act.") var addressedTo: String
        @Option(help: "A page to read more.") var website: String?
        @Option(help: "Language of the text, such as en or pt-BR.") var language = "en"
        @Option(help: "First moment of signing, such as 2027-01-01T08:00:00Z. Default: now.") var opens: String?
        @Option(help: "Last moment of signing.") var closes: String
        @Option(help: "First goal, in signatures.") var goal: UInt64 = 1000
        @Option(help: "Id of the petition that this one replaces.") var replaces: String?
        @Option(name: .customLong("roll"), help: "Who may sign; repeat it for several rolls.") var rolls: [String]
        @Flag(help: "Admit rings that are sealed after now, too.") var laterRings = false
        @Option(name: .customLong("aggregator"), help: "URL=KEY of an aggregator; repeat it for several.")
        var aggregators: [String]
        @OptionGroup var net: ProxyOption
        @Argument(help: "The .petition file to write.") var file: String

        func run() async throws {
            guard !FileManager.default.fileExists(atPath: file) else {
                throw UserError(.refused, "\(file) exists already", hint: "name a new file")
            }
            let coordinator = try at.open()
            let (text, aggregators) = (try text(), try aggregators.map(aggregator))
            let proxy = try net.proxy
            var references: [Coordinator.PetitionRoll] = []
            for roll in rolls { references.append(try await reference(roll, of: coordinator, proxy: proxy)) }
            let petition = try ServerCommand.writing(file) {
                try coordinator.createPetition(text: text, rolls: references, aggregators: aggregators) {
                    try DurableFile.write($0.note, to: file)
                }
            }
            print("Made the petition \"\(petition.text.title)\" and announced it.")
            print("Id: \(petition.id.hex)")
            print("Wrote \(file). Give it to the aggregator: petition-aggregator add \(file)")
        }

        private func text() throws -> PetitionManifest.Text {
            guard let bytes = DurableFile.read(statement, limit: SignedNote.maximumCount) else {
                throw UserError(.refused, "the statement \(statement) cannot be read, or is too long")
            }
            guard let markdown = String(validating: bytes, as: UTF8.self) else {
                throw UserError(.refused, "the statement \(statement) is not UTF-8 text")
            }
            func time(_ text: String) throws -> UTCTime {
                guard let time = UTCTime(text) else {
                    throw UserError(.usage, "\(text) is not a time", hint: "write it like 2027-01-31T12:00:00Z")
                }
                return time
            }
            let now = UTCTime.now
            let replaced = try replaces.map { text in
                guard let id = PetitionID(hex: text) else {
                    throw UserError(.usage, "\(text) is not a petition's id")
                }
                return id
            }
            return PetitionManifest.Text(
                title: title, statement: markdown, startedBy: startedBy, addressedTo: addressedTo, website: website,
                language: language, opens: try opens.map(time) ?? now, closes: try time(closes), goal: goal,
                replaces: replaced)
        }

        private func aggregator(_ text: String) throws -> PetitionManifest.Aggregator {
            let parts = text.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let url = ServiceURL(String(parts[0])), let key = Base64.decode32(parts[1]) else {
                throw UserError(
                    .usage, "\(text) is not URL=KEY of an aggregator",
                    hint: "copy what petition-aggregator init or status prints")
            }
            return .init(url: url, key: Ed25519PublicKey(key))
        }

        private func reference(
            _ text: String, of coordinator: Coordinator, proxy: SOCKSProxy?
        ) async throws -> Coordinator.PetitionRoll {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            let label = parts.count == 2 ? parts[1] : nil
            let roll: RollReplay
            if let url = ServiceURL(parts[0]) {
                guard let link = RollLink(url) else {
                    throw UserError(
                        .usage, "\(url) is not a roll's link", hint: "it ends in /rolls/ and the roll's name")
                }
                roll = try await HTTPConnection.with(proxy: proxy) { connection in
                    try await ForeignRoll(link: link, connection: connection).read()
                }
            } else {
                roll = try coordinator.roll(parts[0])
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
        guard roll.witnesses == nil else {
            throw UserError(.undecided, "\(link.url) asks for witnesses, which this version does not check")
        }
        do {
            try await checkAnnounced(roll, base)
            return try await replay(roll)
        } catch LogReadError.source(let error) {
            throw error
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
        let members = OfflineCopy.membersLog(roll, source: source, prefix: "members")
        let enrolment = OfflineCopy.enrolmentLog(roll, source: source, prefix: "enrolment")
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

/// The proxy for reading other organisations' rolls.
struct ProxyOption: ParsableArguments {
    @Option(
        name: .customLong("proxy"),
        help: "SOCKS5 proxy for every request, host names included, such as socks5://127.0.0.1:9050.")
    var text: String?

    var proxy: SOCKSProxy? {
        get throws {
            try text.map { text in
                guard let proxy = SOCKSProxy(text) else {
                    throw UserError(
                        .usage, "this is not the address of a SOCKS5 proxy",
                        hint: "write it like socks5://127.0.0.1:9050")
                }
                return proxy
            }
        }
    }
}
