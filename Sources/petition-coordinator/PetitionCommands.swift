import ArgumentParser
import Bytes
import CommandSupport
import CoordinatorService
import DurableFiles
import Foundation
import LogClient
import Petitions
import ServiceHTTP
import Sodium
import TransparencyLog
import Verification

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

                A roll is one of this coordinator, by its name, or another's, by its url; NAME=LABEL shows LABEL for it.
                The aggregator's url and key are what `petition-aggregator init` prints.
                """)
        @OptionGroup var at: FolderOption
        @Option(help: "One line.") var title: String
        @Option(help: "Markdown file with what is petitioned.") var statement: String
        @Option(help: "Who stands for the petition.") var startedBy: String
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
        @Argument(help: "The .petition file to write.") var file: String

        func run() async throws {
            guard !FileManager.default.fileExists(atPath: file) else {
                throw Complaint(.refused, "\(file) exists already", hint: "name a new file")
            }
            let coordinator = try at.open()
            var references: [PetitionManifest.RollReference] = []
            for roll in rolls { references.append(try await reference(roll, of: coordinator)) }
            let (text, aggregators) = (try text(), try aggregators.map(aggregator))
            let petition = try Words.writing(file) {
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
                throw Complaint(.refused, "the statement \(statement) cannot be read, or is too long")
            }
            guard let markdown = String(validating: bytes, as: UTF8.self) else {
                throw Complaint(.refused, "the statement \(statement) is not UTF-8 text")
            }
            func time(_ text: String) throws -> UTCTime {
                guard let time = UTCTime(text) else {
                    throw Complaint(.usage, "\(text) is not a time", hint: "write it like 2027-01-31T12:00:00Z")
                }
                return time
            }
            let now = UTCTime.now
            let replaced = try replaces.map { text in
                guard let id = PetitionID(hex: text) else {
                    throw Complaint(.usage, "\(text) is not a petition's id")
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
                throw Complaint(
                    .usage, "\(text) is not URL=KEY of an aggregator",
                    hint: "copy what petition-aggregator init or status prints")
            }
            return .init(url: url, key: Ed25519PublicKey(key))
        }

        private func reference(_ text: String, of coordinator: Coordinator) async throws
            -> PetitionManifest.RollReference
        {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            let label = parts.count == 2 ? parts[1] : nil
            guard let url = ServiceURL(parts[0]) else {
                return try coordinator.reference(roll: parts[0], label: label, laterRings: laterRings)
            }
            return try await HTTPConnection.with(proxy: nil) { connection in
                try await foreignReference(url, label: label, connection: connection)
            }
        }

        /// Another organisation's roll as it is published now, after the checks that anybody makes of it.
        private func foreignReference(
            _ url: ServiceURL, label: String?, connection: HTTPConnection
        ) async throws -> PetitionManifest.RollReference {
            let source = HTTPSource(connection: connection, base: url.text)
            guard let note = try await source.read("", limit: SignedNote.maximumCount) else {
                throw Complaint(.undecided, "there is no roll at \(url)")
            }
            let roll = try RollDescriptor(parsing: note)
            let log = OfflineCopy.membersLog(roll, source: source, prefix: "members")
            let checkpoint = try await log.readCheckpoint().checkpoint
            var ledger = RollLedger(roll)
            _ = try await log.readEntries(upTo: checkpoint) { _, entries in
                for entry in entries { try ledger.apply(RollEntry(parsing: entry)) }
            }
            guard roll.url == url, ledger.size > 0, ledger.endsOnSeal else {
                throw Complaint(.refused, "the roll at \(url) has no sealed ring, or is not the one it says")
            }
            return .init(
                id: roll.id, url: url, label: label, size: checkpoint.size, root: checkpoint.root,
                laterRings: laterRings)
        }
    }
}
