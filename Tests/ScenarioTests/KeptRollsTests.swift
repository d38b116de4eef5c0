import Bytes
import Documents
import Foundation
import Petitions
import Testing
import TransparencyLog

/// The copies that an aggregator keeps of its coordinators' logs replace what they publish, if that is bad.
@Suite struct KeptRollsTests {
    /// What a coordinator can do to its readers.
    private enum Trick: CaseIterable {
        case tooLong, tooMany, unsigned, rewritten, shortened, gone
    }

    private static let logs = ["members", "enrolment", "announcements"]

    private func path(_ log: String, in lying: LyingDeployment) -> String {
        log == "announcements" ? "/announcements" : "/rolls/\(lying.roll.id.hex)/\(log)"
    }

    /// A deployment with a petition that has `signatures` signatures.
    private func collected(signatures: Int, laterRings: Bool = false) async throws -> LyingDeployment {
        let lying = try await LyingDeployment(people: 4)
        try lying.deployment.seal(0..<4)
        try lying.deployment.petition(laterRings: laterRings)
        for person in 0..<signatures {
            let run = try lying.deployment.sign(person)
            #expect(run.code == 0, "\(run.errors)")
        }
        return lying
    }

    /// Plays the trick with every log of the coordinator.
    private func play(_ trick: Trick, _ lying: LyingDeployment, honest: [String: [[UInt8]]]) async throws {
        for log in Self.logs {
            let (path, entries) = (path(log, in: lying), try #require(honest[log]))
            switch trick {
            case .tooLong: lying.lie(path, entries + [[UInt8](repeating: 9, count: 20_000)])
            case .tooMany:
                let origin = String(lying.deployment.coordinatorURL.dropFirst("http://".count)) + path
                let head = Checkpoint(origin: origin, size: 1 << 40, root: MerkleHash.emptyRoot)
                lying.tamperingProxy.lie(at: path + "/checkpoint", head.signed(by: lying.key))
            case .unsigned:
                var note = [UInt8](try await HTTP.get(lying.deployment.coordinatorURL + path + "/checkpoint").body)
                note[note.count - 20] = note[note.count - 20] == 0x41 ? 0x42 : 0x41
                lying.tamperingProxy.lie(at: path + "/checkpoint", note)
            // These are all properly signed.
            case .rewritten: lying.lie(path, Array(entries.reversed()))
            case .shortened: lying.lie(path, entries.dropLast())
            case .gone: lying.tamperingProxy.lie(at: path + "/checkpoint", status: 502, [UInt8]())
            }
        }
    }

    private func honest(_ lying: LyingDeployment) async throws -> [String: [[UInt8]]] {
        var honest: [String: [[UInt8]]] = [:]
        for log in Self.logs { honest[log] = try await lying.entries(path(log, in: lying)) }
        return honest
    }

    private func verify(_ deployment: Deployment, _ target: String) throws -> (run: Run, report: [String: Any]) {
        let run = try deployment.run("petition-verifier", "verify", "--json", target)
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
        return (run, try #require(object as? [String: Any]))
    }

    @Test func whatACoordinatorShowsLaterDoesNotStopWhoeverCountsAgain() async throws {
        let lying = try await collected(signatures: 2)
        let deployment = lying.deployment
        let entries = try await honest(lying)
        let plain = try verify(deployment, deployment.petition)
        #expect(plain.run.code == 0 && !plain.run.errors.contains("note:"), "\(plain.run.errors)")
        for trick in Trick.allCases {
            try await play(trick, lying, honest: entries)
            let (run, report) = try verify(deployment, deployment.petition)
            #expect(run.code == 0 && report["valid"] as? Bool == true, "\(trick): \(report)")
            #expect(report["signatures"] as? Int == 2, "\(trick)")
            // Signed logs that contradict earlier ones are reported; nobody can be blamed for the rest.
            let evidence = ReportJSON.details(report).filter { $0.contains("-evidence is the evidence") }
            #expect(evidence.count == (trick == .rewritten ? 3 : 0), "\(trick) \(evidence)")
            #expect(ReportJSON.remarks(report).count == evidence.count, "\(trick)")
            for part in ["the roll \(lying.roll.url)", "the announcements"] {
                #expect(
                    run.errors.contains("; copied instead: \(part) as kept by \(deployment.petition)\n"),
                    "\(trick): \(run.errors)")
            }
            lying.tamperingProxy.stopLying()
        }
        deployment.coordinator?.kill()
        let (run, report) = try verify(deployment, deployment.petition)
        #expect(run.code == 0 && report["signatures"] as? Int == 2, "\(run.errors)")
        #expect(run.errors.contains("\(lying.roll.url) cannot be read: "), "\(run.errors)")
        // The copy is like any other, without traces of the attempts.
        try deployment.expect("petition-verifier", "fetch", deployment.petition, "fetched")
        let files = try #require(FileManager.default.subpaths(atPath: deployment.scratch.path("fetched")))
        #expect(files.contains("rolls/\(lying.roll.id.hex)/enrolment/checkpoint"))
        #expect(!files.contains { $0.contains(".new") }, "\(files)")
        #expect(try verify(deployment, "fetched").run.code == 0)
    }

    @Test func whatNobodyHasGoodIsCopiedAsItIsPublished() async throws {
        let lying = try await collected(signatures: 1)
        let deployment = lying.deployment
        let aggregator = try #require(deployment.aggregatorLiar)
        try await play(.tooLong, lying, honest: try await honest(lying))
        let kept = "/petitions/\(deployment.id)"
        aggregator.lie(
            at: "\(kept)/rolls/\(lying.roll.id.hex)/members/tile/entries/000.p/5", EntryBundle.encode([[9], [9]]))
        aggregator.lie(at: "\(kept)/announcements/checkpoint", status: 404, [UInt8]())
        let (run, report) = try verify(deployment, deployment.petition)
        #expect(run.code == 3 && report["valid"] is NSNull, "\(report)")
        #expect(run.errors.contains("is larger than it can be") && !run.errors.contains("instead"), "\(run.errors)")
        let fetched = try deployment.run("petition-verifier", "fetch", deployment.petition, "fetched")
        #expect(fetched.code == 3 && fetched.output.contains("not whole"), "\(fetched.errors)")
        for log in Self.logs {
            let words = "error: \(deployment.coordinatorURL)\(path(log, in: lying))/tile/entries/000.p/"
            #expect(fetched.errors.contains(words), "\(fetched.errors)")
        }
        // For each log it has the checkpoint that the coordinator currently publishes.
        for (log, folder) in [("members", "rolls/\(lying.roll.id.hex)/members"), ("announcements", "announcements")] {
            let shown = try await HTTP.get(deployment.coordinatorURL + path(log, in: lying) + "/checkpoint").body
            #expect(
                try Data(contentsOf: deployment.folder.appending(path: "fetched/\(folder)/checkpoint")) == shown,
                "\(log)")
        }
        #expect(try verify(deployment, "fetched").run.code == 3)
    }

    /// Reading a log known to be bad costs only one request, until its head changes.
    @Test func theEntriesOfABadHeadAreReadOnce() async throws {
        let lying = try await collected(signatures: 0, laterRings: true)
        let deployment = lying.deployment
        try deployment.expectSigner(
            0, "sign", with: ["--minimum-ring", "4", "--yes", "--out", "record", deployment.petition])
        var unknown = try Data(contentsOf: deployment.folder.appending(path: "record"))
        unknown[5] = 7
        func post(accept: String = "*/*") async throws -> HTTP {
            try await HTTP.send(
                "POST", deployment.petition + "/records", body: unknown,
                headers: ["accept": accept, "content-type": "application/octet-stream"])
        }
        let path = lying.membersPath
        let entries = try await lying.entries(path)
        lying.lie(path, entries + [[9]])
        let origin = String(deployment.coordinatorURL.dropFirst("http://".count)) + path
        let head = Checkpoint(origin: origin, size: UInt64(entries.count) + 1, root: MerkleHash.emptyRoot)
        lying.tamperingProxy.lie(at: path + "/checkpoint", head.signed(by: lying.key))
        let bundle = "GET \(path)/\(TileID.bundlePath(index: 0, width: entries.count + 1))"
        let first = try await post()
        #expect(first.status == 503 && first.rule == "roll-unreachable", "\(first.status)")
        #expect(lying.tamperingProxy.requests.contains { $0.line == bundle })
        lying.tamperingProxy.forget()
        // A browser gets a page.
        let second = try await post(accept: "text/html")
        #expect(second.status == 503 && String(decoding: second.body, as: UTF8.self).contains("<html"))
        #expect(lying.tamperingProxy.requests.contains { $0.line == "GET \(path)/checkpoint" })
        #expect(!lying.tamperingProxy.requests.contains { $0.line == bundle })
        lying.lie(path, entries + [[9]])
        let third = try await post()
        #expect(third.status == 403 && third.rule == "ring-not-admitted", "\(third.status)")
        #expect(lying.tamperingProxy.requests.contains { $0.line == bundle })
        // What it keeps now is what others are shown, even though the coordinator has changed the log since.
        lying.lie(path, entries + [[8]])
        let (run, report) = try verify(deployment, deployment.petition)
        #expect(run.code == 0 && ReportJSON.remarks(report).contains("\(entries.count) entry-malformed"), "\(report)")
        #expect(run.errors.contains("has fewer than the \(entries.count + 1) entries that are known"), "\(run.errors)")
    }
}
