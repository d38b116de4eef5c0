import Foundation
import Testing
import TransparencyLog

/// What the verifier reports for logs and copies that are damaged or filled with junk.
@Suite struct HostileLogTests {
    /// For each rule, the number of entries not named, as "count rule".
    private func omitted(_ report: [String: Any], in log: String) -> [String] {
        (report["refusalsOmitted"] as? [[String: Any]] ?? []).filter { $0["log"] as? String == log }.map {
            "\($0["count"] ?? "-") \($0["rule"] ?? "-")"
        }
    }

    private func count(_ report: [String: Any], check name: String) -> Int? {
        let checks = report["checks"] as? [[String: Any]] ?? []
        return checks.first { $0["name"] as? String == name }?["count"] as? Int
    }

    // MARK: Many refused entries

    /// Empty entries cost two bytes each: the first are named, all are counted, and none is kept in memory.
    @Test func ofManyRefusedEntriesTheFirstAreNamedAndAllAreCounted() throws {
        let made = try MadePetition(records: 20)
        let good = try made.entries()
        let log = try made.location(.petition).origin
        // A roll that the petition does not have.
        let elsewhere: [UInt8] = [1, 9, 0, 0, 0, 0]
        try made.rewrite(
            [[UInt8]](repeating: [], count: 10_000) + good + [[UInt8]](repeating: elsewhere, count: 10_000))
        let named = (0..<1000).map { "\($0) malformed-record" }
        let rest = ["9000 malformed-record", "10000 ring-not-admitted"]
        let (code, report) = try made.report("verify", "--report", "report.html", "copy")
        #expect(code == 1)
        #expect(ReportJSON.refusals(report) == named)
        #expect(omitted(report, in: log) == rest)
        #expect(count(report, check: "records of \(log)") == 20_020)
        #expect(report["signatures"] as? Int == 20)
        let texts = try ["1", "3"].map { try made.verifier("verify", "--jobs", $0, "--json", "copy").output }
        #expect(Set(texts).count == 1)
        let text = try made.verifier("verify", "copy").output
        #expect(text.contains("  and 9000 more of \(log): malformed-record\n"))
        #expect(text.contains("  and 10000 more of \(log): ring-not-admitted\n"))
        #expect(text.contains("INVALID: what is published breaks the rules."))
        let page = try String(contentsOf: made.scratch.url.appending(path: "report.html"), encoding: .utf8)
        #expect(page.contains("and 9,000 more of \(log)") && page.contains("and 10,000 more of \(log)"))

        // Each is examined again the next time, and found again.
        for arguments in [["verify", "--state", "state", "copy"], ["merge", "copy", "part"]] {
            _ = try made.verifier("verify", "--state", "state", "copy")
            let part = try made.report("verify", "--range", "0..20020", "--part", "part", "copy")
            #expect(part.code == 1 && omitted(part.report, in: log) == rest)
            let again = try Programs.run("petition-verifier", arguments + ["--json"], in: made.scratch.url)
            let object = try JSONSerialization.jsonObject(with: Data(again.output.utf8))
            let found = try #require(object as? [String: Any])
            #expect(again.code == 1)
            #expect(ReportJSON.refusals(found) == named && omitted(found, in: log) == rest)
            #expect(ReportJSON.proofsTaken(found) == ["\(arguments.last == "part" ? "part" : "state") 20"])
            #expect(found["signatures"] as? Int == 20)
        }
    }

    /// The file of verified entries would be too long to be worthwhile.
    @Test func aLogOfAlmostOnlyRefusedEntriesIsNotRemembered() throws {
        let made = try MadePetition(records: 20)
        let log = try made.location(.petition).origin
        try made.rewrite([[UInt8]](repeating: [], count: 60_000) + made.entries())
        for _ in 0..<2 {
            let run = try made.verifier("verify", "--state", "state", "--json", "copy")
            let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
            let report = try #require(object as? [String: Any])
            #expect(run.code == 1)
            #expect(run.errors.contains("state says nothing new of \(log)"))
            #expect(omitted(report, in: log) == ["59000 malformed-record"])
            #expect(report["signatures"] as? Int == 20)
            #expect(ReportJSON.proofsTaken(report).isEmpty)
        }
    }

    // MARK: Damaged copies

    /// A damaged copy cannot be distinguished from a forged one: neither proves anything against the signers of the
    /// original.
    @Test func aDamagedCopyIsCalledOne() throws {
        let made = try MadePetition(records: 320)
        let damage = "the copy is damaged or was changed: fetch it again)"
        for log in MadePetition.Log.allCases {
            let folder = try made.location(log).folder
            let width = min(256, try made.entries(log).count)
            let bundle = "\(folder)/\(TileID.bundlePath(index: 0, width: width))"
            let hashes = "\(folder)/\(TileID(level: 0, index: 0).path(width: width))"
            let (good, tile) = (try made.read(bundle), try made.read(hashes))
            func judge(_ words: String, _ what: String) throws {
                let run = try made.verifier("verify", "copy")
                #expect(run.code == 1, "\(what)")
                #expect(run.output.contains("\(words); \(damage)"), "\(what): \(run.output)")
                #expect(run.output.contains("INVALID: this copy is not what was signed."), "\(what)")
                #expect(!run.output.contains("breaks the rules"), "\(what)")
            }
            var flipped = good
            flipped[10] ^= 1
            try made.write(flipped, bundle)
            try judge("this copy's entry is not the one that was signed", "\(log), an entry")
            try FileManager.default.removeItem(at: made.url(hashes))
            try judge("this copy's entries do not give the root that was signed", "\(log), without tiles")
            try made.write(Array(good.dropLast()), bundle)
            try judge("\(bundle): not as many entries as there should be", "\(log), a bundle")
            try made.write(good, bundle)
            try made.write(tile, hashes)
            let head = try made.read("\(folder)/checkpoint")
            flipped = head
            flipped[3] ^= 1
            try made.write(flipped, "\(folder)/checkpoint")
            try judge("the log's key did not sign it", "\(log), the checkpoint")
            try made.write(head, "\(folder)/checkpoint")
        }
        #expect(try made.verifier("verify", "copy").code == 0)
        // Signed entries that break a rule are not damage.
        try made.rewrite([[]])
        let run = try made.verifier("verify", "copy")
        #expect(run.code == 1 && run.output.contains("INVALID: what is published breaks the rules."))
        #expect(!run.output.contains("fetch it again"))
    }
}
