import Bytes
import Foundation
import Petitions
import Ristretto255
import Sodium
import Testing
import TransparencyLog

/// Verification in parts, on several machines and day after day, with the real programs on generated logs.
@Suite struct LargeTallyTests {
    private typealias Made = MadePetition

    private func verifiedBefore(_ report: [String: Any]) -> Int? {
        let checks = report["checks"] as? [[String: Any]] ?? []
        return checks.first { ($0["name"] as? String)?.contains("taken from files") == true }?["count"] as? Int
    }

    private func refusals(_ report: [String: Any]) -> [String] { ReportJSON.refusals(report) }

    @Test func everyNumberOfCoresGivesTheSameReport() throws {
        let made = try Made(records: 320)
        let (code, report) = try made.report("verify", "--id", made.id, "copy")
        #expect(code == 0)
        #expect(report["signatures"] as? Int == 320)
        let texts = try ["1", "2", "7"].map { try made.verifier("verify", "--jobs", $0, "--json", "copy").output }
        #expect(Set(texts).count == 1)
    }

    @Test func badRecordsAreNamedExactly() throws {
        let made = try Made(records: 320, bad: 3)
        let (code, report) = try made.report("verify", "copy")
        #expect(code == 1)
        #expect(report["signatures"] as? Int == 317)
        // The bad records are at even distances.
        #expect(refusals(report) == ["106 proof-invalid", "213 proof-invalid", "319 proof-invalid"])
        // They are not recorded as good, and are found again.
        _ = try made.verifier("verify", "--state", "state", "copy")
        let again = try made.report("verify", "--state", "state", "copy")
        #expect(again.code == 1)
        #expect(verifiedBefore(again.report) == 317)
        #expect(refusals(again.report) == refusals(report))
    }

    @Test func aStateIsContinuedWhenTheLogGrows() throws {
        let made = try Made(records: 320)
        let all = try made.entries()
        try made.rewrite(Array(all[..<200]))
        let first = try made.report("verify", "--state", "state", "copy")
        #expect(first.code == 0)
        #expect(first.report["signatures"] as? Int == 200)
        #expect(verifiedBefore(first.report) == nil)
        try made.rewrite(all)
        let second = try made.report("verify", "--state", "state", "copy")
        #expect(second.code == 0)
        #expect(second.report["signatures"] as? Int == 320)
        #expect(verifiedBefore(second.report) == 200)
        let third = try made.report("verify", "--state", "state", "copy")
        #expect(verifiedBefore(third.report) == 320)
        #expect(ReportJSON.proofsTaken(third.report) == ["state 320"])
        #expect(third.report["signatures"] as? Int == 320)
        // A member that signs again is detected by its tag, whenever its first signature was verified.
        try made.rewrite(all + [all[7]])
        let doubled = try made.report("verify", "--state", "state", "copy")
        #expect(doubled.code == 1)
        #expect(refusals(doubled.report) == ["320 duplicate-tag"])
        #expect(doubled.report["signatures"] as? Int == 320)
    }

    @Test func aLogThatWasRewrittenOrShortenedIsNoticed() throws {
        let made = try Made(records: 320)
        let all = try made.entries()
        #expect(try made.verifier("verify", "--state", "state", "copy").code == 0)
        for other in [Array(all.reversed()), [all[1], all[0]] + all[2...]] {
            try made.rewrite(other)
            // On its own, the log is valid.
            #expect(try made.verifier("verify", "copy").code == 0)
            let (code, report) = try made.report("verify", "--state", "state", "copy")
            #expect(code == 1)
            #expect(refusals(report) == ["- root-mismatch"])
            #expect(report["signatures"] == nil)
        }
        // A log that is only shorter may be an older copy: that proves nothing, but is not a tally either.
        try made.rewrite(Array(all[..<319]))
        let shorter = try made.report("verify", "--state", "state", "copy")
        #expect(shorter.code == 3)
        #expect(refusals(shorter.report).isEmpty)
        #expect(shorter.report["signatures"] == nil)
        // Earlier results are still known.
        try made.rewrite(all)
        #expect(verifiedBefore(try made.report("verify", "--state", "state", "copy").report) == 320)
    }

    @Test func partsOfSeveralMachinesJoin() throws {
        let made = try Made(records: 320, bad: 2)
        let whole = try made.report("verify", "copy")
        let ranges = [("0..100", 0), ("100..256", 1), ("256..320", 1)]
        for (index, (range, code)) in ranges.enumerated() {
            let (found, report) = try made.report("verify", "--range", range, "--part", "part\(index)", "copy")
            #expect(Int(found) == code)
            #expect(report["signatures"] == nil)
            #expect(refusals(report).count == code)
        }
        let merged = try made.report("merge", "--id", made.id, "copy", "part2", "part0", "part1")
        #expect(merged.code == 1)
        #expect(refusals(merged.report) == refusals(whole.report))
        #expect(refusals(merged.report) == ["159 proof-invalid", "319 proof-invalid"])
        #expect(merged.report["signatures"] as? Int == 318)
        #expect(verifiedBefore(merged.report) == 318)
        #expect(ReportJSON.proofsTaken(merged.report) == ["part2 63", "part0 100", "part1 155"])
        // Records that no part covers are verified now.
        let partial = try made.report("merge", "copy", "part1")
        #expect(verifiedBefore(partial.report) == 155)
        #expect(refusals(partial.report) == refusals(whole.report))
    }

    @Test func tagsAreComparedAcrossParts() throws {
        let made = try Made(records: 300)
        let all = try made.entries()
        try made.rewrite(all + [all[3]])
        // The last of many ranges of one size ends behind the log.
        for (part, range) in [("first", "0..160"), ("second", "160..320")] {
            #expect(try made.verifier("verify", "--range", range, "--part", part, "copy").code == 0)
        }
        let (code, report) = try made.report("merge", "copy", "first", "second")
        #expect(code == 1)
        #expect(refusals(report) == ["300 duplicate-tag"])
        #expect(report["signatures"] as? Int == 300)
    }

    @Test func aPartOfOtherEntriesIsNotBelieved() throws {
        let made = try Made(records: 320, bad: 1)
        let all = try made.entries()
        #expect(try made.verifier("verify", "--range", "100..200", "--part", "middle", "copy").code == 0)
        #expect(try made.verifier("verify", "--range", "0..100", "--part", "start", "copy").code == 0)
        // The bad record moves to a place that the parts claim to be verified.
        try made.rewrite(Array(all[..<150]) + [all[319]] + all[150..<319])
        let middle = try made.report("merge", "copy", "middle")
        #expect(middle.code == 3)
        #expect(middle.report["signatures"] == nil)
        let merged = try made.report("merge", "--report", "report.html", "copy", "start")
        #expect(merged.report["signatures"] as? Int == 319)
        let page = try String(contentsOf: made.scratch.url.appending(path: "report.html"), encoding: .utf8)
        #expect(page.contains("<!doctype html>") && page.contains("319"))
        #expect(page.contains("The proofs of 100 records were taken from start, not checked now."))
        try made.rewrite([all[319]] + all[..<319])
        #expect(refusals(try made.report("merge", "copy", "start").report) == ["- root-mismatch"])
    }

    // MARK: What a verdict rests on

    @Test func inventedRecordsAreRefusedWithState() throws {
        let made = try Made(records: 20)
        // Type, roll, ring and a tag: such records were once counted if a file said that they were verified.
        let short = (0..<1000).map { [1, 0, 0, 0, 0, UInt8($0 % 5)] + SHA256.hash(Array("\($0)".utf8)).array }
        try made.rewrite(short)
        for arguments in [["verify", "--state", "state", "copy"], ["merge", "copy", "state"]] {
            try made.claimVerified(in: "state")
            let run = try Programs.run("petition-verifier", arguments + ["--json"], in: made.scratch.url)
            let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
            let report = try #require(object as? [String: Any])
            #expect(run.code == 1)
            #expect(refusals(report) == (0..<1000).map { "\($0) malformed-record" })
            #expect(report["signatures"] as? Int == 0)
            #expect(ReportJSON.proofsTaken(report).isEmpty)
        }

        // Well-formed records are believed as far as the file is, but never more of them than the ring has members.
        for (count, isMore) in [(64, false), (70, true)] {
            let records = (0..<UInt64(count)).map { MadePetition.invented($0, ring: 2) }
            try made.rewrite(records)
            #expect(try made.verifier("verify", "copy").code == 1)
            try made.claimVerified(in: "state")
            let (code, report) = try made.report("verify", "--state", "state", "copy")
            #expect(code == (isMore ? 1 : 0))
            #expect(refusals(report) == (isMore ? ["- ring-exceeded"] : []))
            #expect(report["signatures"] as? Int == (isMore ? nil : count))
            #expect(ReportJSON.proofsTaken(report) == ["state \(count)"])
            #expect(ReportJSON.rolls(report) == [isMore ? "invalid" : "valid"])
            #expect(ReportJSON.details(report) == (isMore ? ["ring 2 has 64 members, 70 tags"] : []))
            let run = try made.verifier("merge", "--report", "report.html", "copy", "state")
            let words = "The proofs of \(count) records were taken from state, not checked now."
            #expect(run.code == code && run.output.contains(words), "\(run.output)")
            let page = try String(contentsOf: made.scratch.url.appending(path: "report.html"), encoding: .utf8)
            #expect(page.contains(words) && page.contains("There is no total.") == isMore)
        }
        // Without a file everything is checked, and the report mentions no file.
        let good = try Made(records: 20)
        #expect(try !good.verifier("verify", "copy").output.contains("not checked now"))
    }

    /// A withdrawn signature was made by a member of the ring, and counts towards its members.
    @Test func withdrawnSignaturesAreOfTheRingToo() throws {
        let made = try Made(records: 0)
        let records = (0..<UInt64(65)).map { MadePetition.invented($0, ring: 4) }
        let withdrawal = [2] + GroupElement.base.encoding.array + [UInt8](repeating: 0, count: 64)
        try made.rewrite(records + [withdrawal])
        try made.claimVerified(in: "state")
        let (code, report) = try made.report("merge", "copy", "state")
        #expect(code == 1)
        #expect(refusals(report) == ["- ring-exceeded"])
        #expect(report["signatures"] == nil && report["withdrawn"] == nil)
    }

    /// The published tally contains the roll's name, which is unknown then: that is not a mismatch.
    @Test func aMissingRollDoesNotMakeTheTallyWrong() throws {
        for records in [0, 20] {
            let made = try Made(records: records)
            #expect(try made.verifier("verify", "copy").code == 0)
            try FileManager.default.removeItem(at: made.scratch.url.appending(path: "copy/rolls"))
            let (code, report) = try made.report("verify", "copy")
            #expect(code == 3)
            #expect(refusals(report).isEmpty)
            #expect(report["signatures"] == nil)
        }
    }

    /// Only whole logs are signed: for entries that no signed root covers, no part is written.
    @Test func aPartOfEntriesThatAreNotTheLogsIsNotMade() throws {
        let made = try Made(records: 320)
        let bundle = made.scratch.path("copy/aggregators/0/\(TileID.bundlePath(index: 0))")
        var bytes = try #require(FileManager.default.contents(atPath: bundle))
        bytes[200] ^= 1
        try bytes.write(to: URL(filePath: bundle))
        for range in ["0..10", "300..320"] {
            let (code, report) = try made.report("verify", "--range", range, "--part", "part", "copy")
            #expect(code == 1)
            #expect(refusals(report).allSatisfy { $0.hasSuffix("root-mismatch") })
            #expect(!FileManager.default.fileExists(atPath: made.scratch.path("part")))
        }
    }

    /// A copy made by a stranger may contain a pipe that is never written to.
    @Test func aPipeIsNotWaitedFor() throws {
        let made = try Made(records: 20)
        let bundle = made.scratch.path("copy/aggregators/0/\(TileID.bundlePath(index: 0, width: 20))")
        try FileManager.default.removeItem(atPath: bundle)
        #expect(mkfifo(bundle, 0o600) == 0)
        let run = try made.verifier("verify", "copy")
        #expect(run.code == 3)
        #expect(run.output.contains("it is not a file"))
    }

    @Test func aTallyThatSaysOtherwiseIsToldApart() throws {
        let made = try Made(records: 20)
        let tally = made.scratch.url.appending(path: "copy/aggregators/0/tally")
        let good = try String(contentsOf: tally, encoding: .utf8)
        for (old, new, words) in [
            ("\"signatures\":20", "\"signatures\":21", "published 21 signatures"),
            ("\"title\":\"", "\"title\":\"No ", "published title \"No "),
            ("\"nextGoal\":", "\"nextGoal\":1", "published nextGoal 1"),
        ] {
            let bad = good.replacing(old, with: new, maxReplacements: 1)
            #expect(bad != good, "\(old)")
            try Data(bad.utf8).write(to: tally)
            let run = try made.verifier("verify", "copy")
            #expect(run.code == 1)
            #expect(run.output.contains("tally-mismatch (\(words)"), "\(run.output)")
        }
    }

    @Test func aSizeThatIsALieIsOnlyMissingEntries() throws {
        let made = try Made(records: 320)
        for size in ["321", "9223372036854775807", "4611686018427387904"] {
            try made.claim(size: size)
            let (code, report) = try made.report("verify", "copy")
            #expect(code == 3, "\(size)")
            #expect(report["signatures"] == nil)
        }
    }

    @Test func mistakesAreExplained() throws {
        let made = try Made(records: 20)
        let other = try Made(records: 20, rings: 6)
        #expect(
            try other.verifier("verify", "--range", "0..20", "--part", made.scratch.path("other"), "copy").code == 0)
        for (arguments, code, words) in [
            (["verify", "--range", "0..10", "copy"], 2, "--part"), (["verify", "--part", "p", "copy"], 2, "--range"),
            (["verify", "--range", "10..0", "--part", "p", "copy"], 2, "range"),
            (["verify", "--range", "+1..+3", "--part", "p", "copy"], 2, "range"),
            (["verify", "--range", "0..3", "--part", "nowhere/p", "copy"], 3, "nowhere/p cannot be written"),
            (["verify", "--range", "0..3", "--part", "copy", "copy"], 3, "copy cannot be written: it is a folder"),
            (["verify", "--state", "nowhere/s", "copy"], 3, "nowhere/s cannot be written"),
            (["verify", "--range", "0..10", "--part", "p", "--state", "s", "copy"], 2, "--state"),
            (["verify", "--jobs", "0", "copy"], 2, "--jobs"), (["merge", "copy"], 2, "part"),
            (["merge", "copy", "nothing"], 3, "there is no file nothing"),
            (["merge", "copy", "copy/petition"], 3, "not a file of verified entries"),
            (["verify", "--range", "20..40", "--part", "p", "copy"], 3, "20 entries, the range begins at 20"),
            (["verify", "--range", "0..2", "--aggregator", "1", "--part", "p", "copy"], 3, "1 aggregators"),
            (["merge", "copy", "other"], 3, "another petition"),
            (["verify", "--proxy", "http://127.0.0.1:9050", "copy"], 2, "is not a proxy"),
            (["merge", "--proxy", "127.0.0.1:9050", "copy", "other"], 2, "is not a proxy"),
            (["fetch", "--proxy", "tor", "https://count.example/petitions/\(made.id)", "new"], 2, "is not a proxy"),
        ] as [([String], Int32, String)] {
            let run = try Programs.run("petition-verifier", arguments, in: made.scratch.url)
            #expect(run.code == code, "\(arguments): \(run.errors)")
            #expect((run.errors + run.output).contains(words), "\(arguments): \(run.errors) \(run.output)")
        }
        #expect(!FileManager.default.fileExists(atPath: made.scratch.path("p")), "a failed run leaves no file behind")
    }
}
