import ArgumentParser
import CommandSupport
import Documents
import DurableFiles
import FoundationEssentials
import LogClient
import PetitionCopies
import Petitions
import ReportPage
import TransparencyLog
import Verification

/// The arguments of every verification.
struct VerificationArguments: ParsableArguments {
    @Option(help: "The petition's id, to refuse any other.") var id: String?
    @Option(help: ArgumentHelp("How many cores to use (default: all).", valueName: "number")) var jobs: Int?
    @Option(
        help: ArgumentHelp(
            "A receipt, or a signed checkpoint, of a petition with witnesses: it may show what an aggregator hides.",
            valueName: "file"))
    var receipt: [String] = []
    @Flag(help: "Print one JSON object.") var json = false
    @OptionGroup var net: ProxyOption
    @Argument(help: "The folder of a copy, or the petition's address.") var target: String

    func validate() throws {
        if let jobs, !(1...1024).contains(jobs) { throw ValidationError("--jobs takes a number from 1 to 1024") }
    }

    private func pinnedID() throws -> PetitionID? {
        try id.map(AddressText.petitionID)
    }

    /// True when the id was known before.
    var isPinned: Bool { id != nil || isAddress }

    /// True for what can only be an address: anything that is no file or folder here and has a scheme or a host.
    private var isAddress: Bool {
        guard !FileManager.default.fileExists(atPath: target) else { return false }
        return target.contains("://") || (try? AddressText.petition(target)) != nil
    }

    /// Runs `check` on the copy, or on a new copy of what is at the address, and prints the report.
    func report(
        verified: VerifiedEntries?, _ check: (PetitionVerification) async -> VerificationReport
    ) async throws -> VerificationReport {
        let bar = ProgressBar()
        let evidence = try receipt.map {
            BroughtEvidence(name: $0, try NamedFile.read($0, limit: SignedNote.maximumCount))
        }
        let pinned = try pinnedID()
        let proxy = try net.parsed()
        let report: VerificationReport
        if isAddress {
            let address = try AddressText.petition(target)
            if let pinned, pinned != address.id {
                throw UserError(
                    .usage, "the address is of another petition than --id says", hint: "compare both with the poster")
            }
            let temporary = try TemporaryFolder()
            defer { temporary.remove() }
            let folder = temporary.path
            let copy = try await address.copy(to: try CopyFolder(folder), proxy: proxy, bar: bar)
            // The check decides whether it matters.
            for problem in copy.problems { PetitionVerifier.note(problem.explanation) }
            report = await check(verification(folder, id: address.id, verified, evidence, bar))
        } else {
            guard FileManager.default.fileExists(atPath: target) else {
                throw UserError(
                    .undecided, "there is no folder \(target)",
                    hint: "give the folder of a copy, or a petition's address that ends in its id")
            }
            report = await check(verification(target, id: pinned, verified, evidence, bar))
        }
        bar.finish()
        print(json ? report.json : ReportText.make(report, isPinned: isPinned))
        return report
    }

    private func verification(
        _ folder: String, id: PetitionID?, _ verified: VerifiedEntries?, _ evidence: [BroughtEvidence],
        _ bar: ProgressBar
    ) -> PetitionVerification {
        PetitionVerification(
            source: FolderSource(folder: folder), expectedID: id, verified: verified, evidence: evidence,
            jobs: jobs ?? ProcessInfo.processInfo.activeProcessorCount, now: UTCTime.now, progress: bar.progress)
    }
}

/// The option to write the result as a page.
struct ReportOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Also write the result as an HTML page, for a clerk to read and print.", valueName: "file"))
    var report: String?

    /// Writes the page, if one is wanted.
    func write(_ found: VerificationReport, isPinned: Bool) throws {
        guard let report else { return }
        let page = ReportPage(found, verdict: ReportText.verdict(found), isPinned: isPinned, madeAt: UTCTime.now)
        do { try DurableFile.write(Array(page.html.utf8), to: report) } catch {
            // What is proven wrong outweighs a file that cannot be written.
            guard found.verdict == .invalid else { throw error }
            FileStream.error.write("petition-verifier: error: \(report) cannot be written: \(error.reason)\n")
        }
    }
}

extension VerificationReport {
    /// Ends the program with the exit status for the verdict.
    func end() throws {
        switch verdict {
        case .valid: break
        case .invalid: throw ExitCode(ExitStatus.refused.rawValue)
        case .undecided: throw ExitCode(ExitStatus.undecided.rawValue)
        }
    }
}

/// The file with what was verified before.
enum VerifiedFile {
    /// Reads the file; nil when there is none.
    static func read(_ path: String) throws -> VerifiedEntries? {
        let bytes: [UInt8]
        do { bytes = try DurableFile.read(path, limit: VerifiedEntries.maximumCount) } catch .missing {
            return nil
        }
        do { return try VerifiedEntries(parsing: bytes, name: path) } catch {
            throw UserError(
                .undecided, "\(path) is not a file of verified entries: \(error.explanation)",
                hint: "remove it and verify everything again")
        }
    }

    /// Checks `path` before the work: an hour of work must not end at a folder that does not exist.
    static func checkWritable(_ path: String) throws {
        try DurableFile.checkWritable(path)
    }

    /// Writes what `report` verified. For logs that could not be read this time, what was known before is kept.
    static func write(_ report: VerificationReport, before: VerifiedEntries?, to path: String) throws {
        guard let petition = report.petition else { return }
        let writable = report.verified.filter(\.isWritable)
        for range in report.verified where !range.isWritable {
            FileStream.error.write(
                "petition-verifier: note: \(path) says nothing new of \(range.log): too many of its entries do not verify\n"
            )
        }
        let written = Set(writable.map(\.log))
        let kept = before?.ranges.filter { !written.contains($0.log) } ?? []
        let all = VerifiedEntries(petition: petition.id, ranges: kept + writable)
        do { try DurableFile.write(Array(all.json.utf8), to: path) } catch {
            // What is proven wrong outweighs a file that cannot be written.
            if report.verdict == .invalid {
                FileStream.error.write("petition-verifier: error: \(path) cannot be written: \(error.reason)\n")
                try report.end()
            }
            throw error
        }
    }
}

struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check everything, count again, and say what the result does and does not prove.",
        discussion: """
            With --state, proofs that an earlier run verified are not verified again, and the result says so. \
            With --range, only the proofs of some records are, for merge.

              petition-verifier verify --id 0123…cdef copy
              petition-verifier verify --report report.html copy
              petition-verifier verify --state harbour.state copy
              petition-verifier verify --range 0..500000 --part first.part copy
            """)
    @OptionGroup var arguments: VerificationArguments
    @Option(
        help: ArgumentHelp("Remembers in this file what was verified.", valueName: "file"))
    var state: String?
    @OptionGroup var page: ReportOption
    @Option(
        help: ArgumentHelp("Verify only the records from index A to before B.", valueName: "A..B"))
    var range: IndexRange?
    @Option(help: ArgumentHelp("With --range: the file to write for merge.", valueName: "file")) var part: String?
    @Option(
        help: ArgumentHelp("With --range: which aggregator's log.", valueName: "number"))
    var aggregator = 0

    func validate() throws {
        if range != nil && part == nil { throw ValidationError("--range needs --part FILE, which merge takes") }
        if range == nil && part != nil { throw ValidationError("--part goes with --range") }
        if range != nil && page.report != nil {
            throw ValidationError("--range and --report do not go together: a part is no tally")
        }
        if range != nil && state != nil { throw ValidationError("--range and --state do not go together") }
        if aggregator < 0 || range == nil && aggregator != 0 {
            throw ValidationError("--aggregator goes with --range and counts from 0")
        }
    }

    func run() async throws {
        if let range, let part {
            try VerifiedFile.checkWritable(part)
            let report = try await arguments.report(verified: nil) {
                await $0.run(aggregator: aggregator, range: range.indices)
            }
            if report.part != nil { try VerifiedFile.write(report, before: nil, to: part) }
            return try report.end()
        }
        for path in [state, page.report].compactMap({ $0 }) { try VerifiedFile.checkWritable(path) }
        let before = try state.flatMap { try VerifiedFile.read($0) }
        let found = try await arguments.report(verified: before) { await $0.run() }
        try page.write(found, isPinned: arguments.isPinned)
        if let state { try VerifiedFile.write(found, before: before, to: state) }
        try found.end()
    }
}

struct Merge: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check and count everything, with proofs that other machines verified.",
        discussion: """
            Every entry is read, hashed, parsed and compared here, tags across all parts too; only the proofs that the \
            parts speak of are not verified again. So take parts from machines that you trust: the result names them. \
            What no part covers is verified here.

              petition-verifier merge copy first.part second.part
            """)
    @OptionGroup var arguments: VerificationArguments
    @OptionGroup var page: ReportOption
    @Argument(help: "Parts, as verify --range writes them.") var parts: [String]

    func run() async throws {
        if let report = page.report { try VerifiedFile.checkWritable(report) }
        var all: VerifiedEntries?
        for path in parts {
            guard let part = try VerifiedFile.read(path) else {
                throw UserError(.undecided, "there is no file \(path)")
            }
            guard all == nil || all?.petition == part.petition else {
                throw UserError(.undecided, "\(path) is of another petition than \(parts[0])")
            }
            all = VerifiedEntries(petition: part.petition, ranges: (all?.ranges ?? []) + part.ranges)
        }
        let found = try await arguments.report(verified: all) { await $0.run() }
        try page.write(found, isPinned: arguments.isPinned)
        try found.end()
    }
}

/// Indices as `A..B`: from A up to but not including B.
struct IndexRange: ExpressibleByArgument {
    let indices: Range<UInt64>

    init?(argument: String) {
        let parts = argument.split(separator: "..", omittingEmptySubsequences: false)
        guard parts.count == 2, argument.utf8.allSatisfy({ $0 == 0x2E || (0x30...0x39).contains($0) }),
            let first = UInt64(parts[0]), let end = UInt64(parts[1]), first < end, end <= 1 << 48
        else { return nil }
        indices = first..<end
    }
}
