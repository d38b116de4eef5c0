import ArgumentParser
import CommandSupport
import DurableFiles
import Foundation
import LogClient
import Petitions
import TransparencyLog
import Verification

@main
enum Main {
    static func main() async {
        await PetitionVerifier.runProgram()
    }
}

struct PetitionVerifier: Program {
    static let programName = "petition-verifier"
    static let configuration = CommandConfiguration(
        commandName: programName,
        abstract: "Re-check a petition's number, trusting nobody.",
        discussion: """
            Example, from the address on the poster, or from a copy that somebody gave you:

              petition-verifier verify https://count.example/petitions/0123…cdef
              petition-verifier fetch https://count.example/petitions/0123…cdef copy
              petition-verifier verify --id 0123…cdef copy

            A large tally is continued with --state, or shared by several machines with --range and merge. \
            Every command takes --proxy socks5://127.0.0.1:9050 to go through Tor.
            Exit codes: 0 valid, 1 invalid, 2 wrong usage, 3 cannot decide.
            """,
        subcommands: [Verify.self, Fetch.self, Merge.self])

    static func complaint(about error: any Error) -> Complaint? {
        switch error {
        case let error as CopyError: words(for: error)
        case let error as SourceError: words(for: CopyError.source(error))
        case let error as CopyFolder.NotEmpty:
            Complaint(.refused, "\(error.folder) is not empty", hint: "a copy is made in a new folder")
        case let error as DurableFile.Failure:
            Complaint(.undecided, "\(error.path) cannot be written: \(error.reason)")
        case let error as CocoaError: Complaint(.refused, "a file cannot be written: \(error.localizedDescription)")
        default: nil
        }
    }

    private static func words(for error: CopyError) -> Complaint {
        switch error {
        case .source(.unreachable(let location, let reason)):
            Complaint(.undecided, "\(location) cannot be read: \(reason)", hint: "try again later")
        case .source(.tooLarge(let location)): Complaint(.undecided, "\(location) is larger than it can be")
        case .missing(let location): Complaint(.undecided, "\(location) is missing")
        case .document(let location, let error): Complaint(.refused, "\(location): \(error.explanation)")
        case .log(let location, .tooManyEntries(let size, let limit)):
            Complaint(
                .undecided,
                "the log \(location) says that it has \(size) entries; no log of its kind has more than \(limit)")
        case .log(let location, let error):
            Complaint(error.isProof ? .refused : .undecided, "the log \(location): \(error)")
        }
    }
}

/// A petition on the web: its address, which pins its id, and how it is read.
struct PetitionAddress {
    let url: ServiceURL
    let id: PetitionID

    init?(_ text: String) {
        guard let url = ServiceURL(text), let id = url.segments.last.flatMap({ PetitionID(hex: $0) }) else {
            return nil
        }
        self.url = url
        self.id = id
    }

    /// Copies the petition to `folder`, from its servers or from a copy that stands at the address.
    func copy(
        to folder: CopyFolder, proxy: SOCKSProxy?, bar: ProgressBar
    ) async throws -> (petition: PetitionManifest, problems: [CopyError]) {
        let (url, id) = (url, id)
        return try await HTTPConnection.with(proxy: proxy) { connection in
            let atAddress = HTTPSource(connection: connection, base: url.text)
            let copied = try await atAddress.read(OfflineCopy.aggregator(0) + "/checkpoint", limit: 1 << 18)
            let origin: any PetitionOrigin =
                copied != nil
                ? CopiedPetition(atAddress)
                : ServedPetition(url) { HTTPSource(connection: connection, base: $0) }
            let copier = PetitionCopier(origin: origin, write: { try await folder.write($0, to: $1) }) {
                bar.update($0, done: $1, of: $2)
            }
            return try await copier.copy(id)
        }
    }
}

struct Fetch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Copy a petition with all it stands on into a folder.")
    @OptionGroup var net: ProxyOption
    @Argument(help: "The petition's address.") var url: String
    @Argument(help: "A new folder.") var folder: String

    func run() async throws {
        guard let address = PetitionAddress(url) else {
            throw Complaint(.usage, "\(url) is not a petition's address", hint: "its last part is the petition's id")
        }
        let proxy = try net.parsed()
        let bar = ProgressBar()
        let copied = try await address.copy(to: try CopyFolder(folder), proxy: proxy, bar: bar)
        bar.finish()
        if let problem = copied.problems.first { throw problem }
        print("Copied \"\(copied.petition.text.title)\" to \(folder).")
        print("Verify it with: petition-verifier verify --id \(address.id.hex) \(folder)")
    }
}
