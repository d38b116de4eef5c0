import ArgumentParser
import CommandSupport
import Documents
import DurableFiles
import FoundationEssentials
import LogClient
import LogReading
import PetitionCopies
import Petitions
import Platform
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
        version: Release.text(of: programName),
        subcommands: [Verify.self, Fetch.self, Merge.self, WebSigner.self])

    static func userError(for error: any Error) -> UserError? {
        switch error {
        case let error as CopyError: words(for: error)
        case let error as SourceError: words(for: CopyError.source(error))
        case let error as CopyFolder.NotEmpty:
            UserError(
                .undecided, "\(error.folder) is not empty",
                hint: "a copy is made in a new folder, or again in one where it was not finished")
        case let error as DurableFile.ReadFailure: userError(for: error)
        case let error as DurableFile.Failure:
            UserError(.undecided, "\(error.path) cannot be written: \(error.reason)")
        case let error as CocoaError:
            UserError(.undecided, "\(error.filePath ?? "a file") cannot be written: \(error.reason)")
        default: nil
        }
    }

    /// A file of one's own that cannot be read says nothing about the petition.
    private static func userError(for error: DurableFile.ReadFailure) -> UserError {
        let words = NamedFile.userError(for: error)
        return UserError(.undecided, words.message, hint: words.hint)
    }

    private static func words(for error: CopyError) -> UserError {
        UserError(error.isProof ? .refused : .undecided, error.explanation, hint: hint(for: error))
    }

    private static func hint(for error: CopyError) -> String? {
        switch error {
        case .source(.unreachable): "try again later, or at another server of the petition"
        case .missing: "compare the address with the poster"
        default: nil
        }
    }

    /// Prints a line that is not a result.
    static func note(_ text: String) { FileStream.error.write("\(programName): note: \(text)\n") }

    /// Prints everything that a copy lacks, and ends the program if there is any.
    static func end(with problems: [CopyError]) throws {
        for problem in problems { FileStream.error.write("\(programName): error: \(problem.explanation)\n") }
        if let hint = problems.compactMap(hint).first { FileStream.error.write("hint: \(hint)\n") }
        // Only the check can tell what this means for the result.
        guard problems.isEmpty else { throw ExitCode(ExitStatus.undecided.rawValue) }
    }
}

/// How a petition on the web is read.
extension PetitionAddress {
    /// How long to wait for a slow coordinator: an aggregator may have what it publishes.
    private static let longestVisit = Duration.seconds(1800)
    /// How long to wait for a witness: what it shows is small, and it may be away.
    private static let longestQuestion = Duration.seconds(10)

    /// Copies the petition to `folder`, from its servers or from a copy that is at the address. Prints what was not
    /// taken from where it is published.
    func copy(to folder: CopyFolder, proxy: SOCKSProxy?, bar: ProgressBar) async throws -> PetitionCopy {
        let visits = Visits(proxy: proxy)
        let copy: PetitionCopy
        do {
            copy = try await HTTPConnection.with(proxy: proxy) { connection in
                let atAddress = HTTPSource(connection: connection, base: url.text)
                let origin: any PetitionOrigin =
                    try await isCopy(at: atAddress)
                    ? CopiedPetition(atAddress)
                    : ServedPetition(
                        url, aggregators: { HTTPSource(connection: connection, base: $0) },
                        coordinators: {
                            HTTPSource(connection: visits.begin(atMost: Self.longestVisit), base: $0)
                        },
                        witnesses: {
                            HTTPSource(connection: visits.begin(atMost: Self.longestQuestion), base: $0)
                        })
                if origin.kind == .copied { PetitionVerifier.note("there is a copy at \(url): no server was asked") }
                return try await PetitionCopier(origin: origin, to: folder, progress: bar.progress)
                    .copy(id)
            }
        } catch {
            await visits.end()
            throw error
        }
        await visits.end()
        bar.finish()
        for other in copy.replacements {
            PetitionVerifier.note(
                "\(other.reason.explanation); copied instead: \(other.part) as kept by \(other.keeper)")
        }
        for found in copy.contradictions {
            let evidence =
                found.hasEvidence ? "the copy has the evidence" : "the log is too long for evidence in a copy"
            PetitionVerifier.note("two heads of \(found.log) were signed that contradict each other; \(evidence)")
        }
        return copy
    }

    /// True when there is a copy at the address, on any web server. A server of the petition is treated as a server,
    /// whatever else it has there.
    private func isCopy(at source: HTTPSource) async throws -> Bool {
        guard let note = try await source.read(OfflineCopy.petition, limit: SignedNote.maximumCount),
            let petition = try? PetitionManifest(parsing: note),
            !petition.aggregators.indices.contains(where: { petition.logURL(aggregator: $0) == url }),
            !url.text.hasPrefix(petition.url.text + "/")
        else { return false }
        return true
    }
}

/// Connections to coordinators and witnesses, one for each part that is read there, each with its own time limit.
private final class Visits: Sendable {
    private let proxy: SOCKSProxy?
    private let open = Mutex<[HTTPConnection]>([])

    init(proxy: SOCKSProxy?) {
        self.proxy = proxy
    }

    func begin(atMost longest: Duration) -> HTTPConnection {
        let connection = HTTPConnection(proxy: proxy, lifetime: longest)
        open.withLock { $0.append(connection) }
        return connection
    }

    func end() async {
        for connection in open.withLock({ $0 }) { await connection.close() }
    }
}

struct Fetch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy a petition and everything it refers to into a folder.",
        discussion: "Rolls and announcements are taken from an aggregator where they are not good themselves.")
    @OptionGroup var net: ProxyOption
    @Argument(help: "The petition's address.") var url: String
    @Argument(help: "A new folder.") var folder: String

    func run() async throws {
        let address = try AddressText.petition(url)
        let proxy = try net.parsed()
        let copy = try await address.copy(to: try CopyFolder(folder), proxy: proxy, bar: ProgressBar())
        print("Copied \"\(copy.petition.text.title)\" to \(folder)\(copy.problems.isEmpty ? "" : ", not whole").")
        print("Verify it with: petition-verifier verify --id \(address.id.hex) \(folder.shellQuoted)")
        try PetitionVerifier.end(with: copy.problems)
    }
}
