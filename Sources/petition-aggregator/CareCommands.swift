import AggregatorService
import ArgumentParser
import CommandSupport
import Foundation
import Petitions

struct Fsck: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Rebuild every tile, tag, count and root from the entries, and compare.",
        discussion: """
            It may run while the server does. Proofs are not verified again: that is petition-verifier's work.

              petition-aggregator fsck --folder aggregator
            """)
    @OptionGroup var at: FolderOption
    @Flag(help: "As one JSON object.") var json = false

    func run() throws {
        let aggregator = try at.open()
        let bar = ProgressBar()
        let report = try aggregator.fsck { bar.update($0, done: $1, of: $2) }
        bar.finish()
        if json {
            let problems = JSONValue.array(report.problems.map { .string($0) }).text(isPretty: false)
            print("{\"entries\":\(report.entries),\"problems\":\(problems)}")
        } else {
            for problem in report.problems { print("WRONG  \(problem)") }
            print(
                report.problems.isEmpty
                    ? "All is well: \(report.entries) entries, and everything that follows from them."
                    : "\(report.problems.count) problems in \(report.entries) entries. Stop the server, keep the folder as it is, "
                        + "and restore a backup: see \"Restoring\" in Protocol/operating.md.")
        }
        if !report.problems.isEmpty { throw ExitCode(Ending.refused.rawValue) }
    }
}

struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy the database to a new file, also while the server runs.",
        discussion: """
            The key (note.key) is not in it: keep a copy of that once, apart and secret.

              petition-aggregator backup --folder aggregator /backups/aggregator-2026-11-24.sqlite
            """)
    @OptionGroup var at: FolderOption
    @Argument(help: "A new file.") var file: String

    func run() throws {
        guard !FileManager.default.fileExists(atPath: file) else {
            throw Complaint(.refused, "\(file) is there already", hint: "a backup is made in a new file")
        }
        try at.open().backUp(to: file)
        print("Copied the database to \(file).")
    }
}
