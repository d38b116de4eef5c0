import Bytes
import Documents
import Foundation
import Petitions
import Sodium
import Testing
import TransparencyLog

/// A coordinator that signs two versions of a log: what an aggregator saw is counted, and the contradiction is
/// reported.
@Suite struct ContradictionTests {
    private static let words = "signed two logs that contradict each other"

    private func collected() async throws -> LyingDeployment {
        let lying = try await LyingDeployment(people: 4)
        try lying.deployment.seal(0..<4)
        try lying.deployment.petition()
        #expect(try lying.deployment.sign(0).code == 0)
        return lying
    }

    private func verify(_ deployment: Deployment, _ arguments: String...) throws -> (run: Run, report: [String: Any]) {
        let run = try Programs.run("petition-verifier", ["verify", "--json"] + arguments, in: deployment.folder)
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
        return (run, try #require(object as? [String: Any]))
    }

    private func reservations(_ report: [String: Any]) -> [String] { report["reservations"] as? [String] ?? [] }

    @Test func twoSignedLogsAreSaidWhereverTheCopyGoes() async throws {
        let lying = try await collected()
        let deployment = lying.deployment
        // Everyone else is shown announcements in which the link means another roll, and without the petition.
        lying.lie("/announcements", [Announcement.roll(try lying.twin()).bytes])
        let (run, report) = try verify(deployment, deployment.petition)
        #expect(run.code == 0 && report["signatures"] as? Int == 1, "\(run.errors)")
        #expect(run.errors.contains("were signed that contradict each other"), "\(run.errors)")
        #expect(reservations(report).contains { $0.contains(Self.words) }, "\(report)")
        try deployment.expect("petition-verifier", "fetch", deployment.petition, "copy")
        let copied = try verify(deployment, "copy")
        #expect(copied.run.code == 0 && reservations(copied.report).contains { $0.contains(Self.words) })
        let remarks = ReportJSON.details(copied.report)
        #expect(remarks.count == 1 && remarks[0].contains("announcements-evidence"), "\(remarks)")
        let file = deployment.folder.appending(path: "copy/announcements/announcements-evidence")
        let evidence = try Evidence(parsing: [UInt8](try Data(contentsOf: file)))
        let key = Announcement.logKey(coordinator: lying.roll.coordinator, key: lying.roll.key)
        #expect(evidence.isContradiction(of: key) && !evidence.isContradiction(of: lying.roll.membersKey))
        // Signature lines of other keys may contain anything, and hide nothing.
        let line = Array("\u{2014} wit\u{200E}ness AAAAAAAAAAAA\n".utf8)
        let odd = Evidence(
            what: evidence.what, seen: evidence.seen + line, shown: evidence.shown, leaves: evidence.leaves)
        #expect(try Evidence(parsing: Array(odd.json.utf8)).isContradiction(of: key))
        #expect(throws: DocumentError.self) {
            try Evidence(parsing: Array("{\"leaves\":[\(String(repeating: "1,", count: 300_000))1]}".utf8))
        }
        // Evidence must prove itself: whatever shows no contradiction is not evidence.
        for false_ in [
            Evidence(what: evidence.what, seen: evidence.shown, shown: evidence.shown, leaves: evidence.leaves),
            Evidence(what: evidence.what, seen: evidence.seen, shown: evidence.shown, leaves: []),
            Evidence(
                what: evidence.what, seen: evidence.seen, shown: evidence.shown, leaves: evidence.leaves.reversed()),
        ] {
            #expect(!false_.isContradiction(of: key))
            try Data(false_.json.utf8).write(to: file)
            let report = try verify(deployment, "copy").report
            #expect(ReportJSON.remarks(report).isEmpty && !reservations(report).contains { $0.contains(Self.words) })
        }
    }

    /// A log that is longer, and differs from its beginning on.
    @Test func aRewrittenRollIsShownByItsEvidence() async throws {
        let lying = try await collected()
        let deployment = lying.deployment
        var entries = try await lying.entries(lying.enrolmentPath)
        entries.swapAt(0, 1)
        let code = SHA256.hash([7])
        lying.lie(lying.enrolmentPath, entries + [EnrolmentEntry.invited(codeHash: code).bytes])
        try deployment.expect("petition-verifier", "fetch", deployment.petition, "copy")
        let (run, report) = try verify(deployment, "copy")
        #expect(run.code == 0 && report["signatures"] as? Int == 1, "\(report)")
        #expect(reservations(report).contains { $0.contains("/enrolment \(Self.words)") }, "\(report)")
        #expect(ReportJSON.details(report).contains { $0.contains("enrolment-evidence") })
    }

    /// Each aggregator keeps what it was shown beyond the petition's size, so a copy of both reveals the contradiction.
    @Test func twoAggregatorsThatWereShownDifferentLogsShowIt() async throws {
        let lying = try await LyingDeployment(people: 4)
        let deployment = lying.deployment
        try deployment.seal(0..<4)
        let honest = try await lying.entries(lying.membersPath)
        let two = try TwoAggregators(deployment, laterRings: true) { index in
            // The second log is longer, and neither extends the other.
            lying.lie(lying.membersPath, honest + [[UInt8]](repeating: [UInt8(index)], count: index + 1))
        }
        let servers = try ["aggregator", "aggregator2"].map {
            try Server("petition-aggregator", ["--publish-every", "0", "--folder", $0], in: deployment.folder)
        }
        defer { for server in servers { server.stop() } }
        let signed = try deployment.signer(0, "sign", with: ["--minimum-ring", "4", "--yes", two.first])
        #expect(signed.code == 0, "\(signed.errors)")
        for address in [two.first, two.second] {
            let (run, report) = try verify(deployment, address)
            #expect(run.code == 0 && report["signatures"] as? Int == 1, "\(run.errors)")
            #expect(reservations(report).contains { $0.contains("/members \(Self.words)") }, "\(report)")
        }
        // An export keeps the aggregator's own log, by which its records were admitted, and reports the contradiction
        // too.
        try deployment.expect("petition-aggregator", "export", "copy")
        let note = try Data(
            contentsOf: deployment.folder.appending(path: "copy/rolls/\(lying.roll.id.hex)/members/checkpoint"))
        #expect(try Checkpoint(verifying: [UInt8](note), key: lying.roll.membersKey).size == UInt64(honest.count) + 1)
        let copied = try verify(deployment, "copy")
        #expect(copied.run.code == 0 && reservations(copied.report).contains { $0.contains("/members \(Self.words)") })
    }

    /// Entries that were verified before, but never fixed by the petition, may change: the total remains.
    @Test func whatWasKnownBehindThePetitionIsARemark() async throws {
        let lying = try await collected()
        let deployment = lying.deployment
        let honest = try await lying.entries(lying.membersPath)
        for (junk, isFirst) in [([UInt8](repeating: 9, count: 9), true), ([8, 8], false)] {
            lying.lie(lying.membersPath, honest + [junk])
            let (run, report) = try verify(deployment, "--state", "state", deployment.petition)
            #expect(run.code == 0 && report["signatures"] as? Int == 1, "\(report)")
            #expect(
                ReportJSON.details(report).contains { $0.contains("not a continuation of its first") } == !isFirst)
        }
        lying.tamperingProxy.stopLying()
        let (run, report) = try verify(deployment, "--state", "state", deployment.petition)
        #expect(run.code == 0 && report["signatures"] as? Int == 1, "\(report)")
    }
}
