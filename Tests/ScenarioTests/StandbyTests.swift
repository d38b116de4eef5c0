import Foundation
import Petitions
import PostgresCluster
import Testing

/// Two aggregators on one database: one takes records, the other is ready to.
@Suite(.serialized, .withinTheRun, .onPostgres) struct StandbyTests {
    /// A deployment whose aggregator has a twin: the same folder, as it would be copied to another machine.
    private struct Twins {
        let deployment: Deployment
        let port: Int
        private(set) var second: Server
        var url: String { "http://127.0.0.1:\(port)" }
        var petition: String { "\(url)/petitions/\(deployment.id)" }

        init(people: Int, database: [String] = []) throws {
            deployment = try Deployment(people: people)
            try deployment.seal(0..<people)
            try deployment.petition(database: database)
            port = try freePort()
            let folder = deployment.folder
            try FileManager.default.copyItem(
                at: folder.appending(path: "aggregator"), to: folder.appending(path: "second"))
            second = try Self.serve("second", port, in: deployment)
        }

        static func serve(_ folder: String, _ port: Int, in deployment: Deployment) throws -> Server {
            try Server(
                "petition-aggregator",
                command: [
                    "serve", "--folder", folder, "--listen", "127.0.0.1:\(port)", "--publish-every", "0",
                ], in: deployment.folder)
        }

        /// A person's record, made while the first server answers.
        func record(of person: Int) throws -> Data {
            let run = try deployment.signer(
                person, "sign",
                with: ["--minimum-ring", "4", "--yes", "--out", "record-\(person)", deployment.petition])
            try #require(run.code == 0, "\(run.errors)")
            return try Data(contentsOf: deployment.folder.appending(path: "record-\(person)"))
        }

        func signatures() async throws -> Int? {
            let tally = try await HTTP.get(petition + "/tally")
            let json = try JSONSerialization.jsonObject(with: tally.body) as? [String: Any]
            return json?["signatures"] as? Int
        }

        func takesRecords() async throws -> Bool? {
            let health = try await HTTP.get(url + "/health")
            return (try JSONSerialization.jsonObject(with: health.body) as? [String: Any])?["takesRecords"] as? Bool
        }
    }

    private func eventually(_ isSo: () async throws -> Bool) async throws -> Bool {
        // Standbys are waited for 10 s at a time.
        for _ in 0..<800 {
            if try await isSo() { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    @Test func oneTakesRecordsAndTheOtherIsReadyTo() async throws {
        let twins = try Twins(people: 5)
        let deployment = twins.deployment
        #expect(try await eventually { twins.second.said.contains("this one is ready to") })
        let records = try [1, 2].map { try twins.record(of: $0) }
        #expect(try deployment.sign(0).code == 0)
        // What one has published, the other shows.
        #expect(try await eventually { try await twins.signatures() == 1 })
        #expect(try await twins.takesRecords() == false)
        let refused = try await HTTP.post(twins.petition + "/records", records[0], type: "application/octet-stream")
        #expect(refused.status == 503 && refused.headers["retry-after"] == "1" && refused.rule == "busy")

        let killed = ContinuousClock.now
        deployment.aggregator?.kill()
        #expect(try await eventually { try await twins.takesRecords() == true })
        #expect(ContinuousClock.now - killed < .seconds(20))
        for record in records {
            let answer = try await HTTP.post(twins.petition + "/records", record, type: "application/octet-stream")
            #expect(answer.status == 201)
        }
        // The one that comes back waits.
        let back = try Twins.serve("aggregator", freePort(), in: deployment)
        #expect(try await eventually { back.said.contains("this one is ready to") })
        try deployment.expect("petition-aggregator", "export", "--folder", "second", "copy")
        let (code, report) = try deployment.verify("copy")
        #expect(code == 0 && report["signatures"] as? Int == 3, "\(report)")
    }

    /// Nothing is taken over, and nothing new shown, while what the other server stored is on one machine.
    @Test func whatIsOnOneMachineIsNotTakenOver() async throws {
        let primary = try PostgresCluster()
        let standby = try PostgresCluster(name: "s1", standbyOf: primary)
        try primary.set("synchronous_standby_names", "'s1'")
        try primary.wait(until: "sync", to: "SELECT sync_state FROM pg_stat_replication")
        let twins = try Twins(people: 4, database: ["--database", primary.address])
        let record = try twins.record(of: 1)
        #expect(try twins.deployment.sign(0).code == 0)
        #expect(try await eventually { try await twins.signatures() == 1 })
        try standby.pauseReceiver()
        let stored = try await HTTP.post(
            twins.deployment.petition + "/records", record, type: "application/octet-stream")
        #expect(stored.status == 503)
        #expect(try primary.sql("SELECT size FROM aggregator.log", database: PostgresCluster.user) == "2")
        // "To make it go on."
        try primary.set("synchronous_standby_names", "''")
        twins.deployment.aggregator?.kill()
        #expect(try await eventually { twins.second.said.contains("0 of 1 standbys have it") })
        #expect(try await twins.takesRecords() == false)
        #expect(try await twins.signatures() == 1)
        // Also when it starts, or is asked what it shows.
        let again = try twins.deployment.run("petition-aggregator", "serve", "--publish-every", "0")
        #expect(again.code == 3, "\(again.errors)")
        try standby.stop("immediate")
        try standby.start()
        #expect(try await eventually { try await twins.takesRecords() == true })
        #expect(try await twins.signatures() == 2)
        let answer = try await HTTP.post(twins.petition + "/records", record, type: "application/octet-stream")
        #expect(answer.status == 200)
    }

    /// What an operator gets wrong is said in words, with what to do next.
    @Test func mistakesAreSaid() throws {
        let deployment = try Deployment(people: 4)
        try deployment.seal(0..<4)
        func refusal(_ address: String) throws -> Run {
            try deployment.run(
                "petition-aggregator", "init", "--url", "http://localhost:1", "--database", address, "new")
        }
        for (address, code, words, hint) in [
            ("postgresql://u:secret@localhost/x", 1, "it has a password", "with the password in a file"),
            ("aggregator.sqlite", 1, "not written like postgresql://", "with the password in a file"),
            ("postgresql://u@127.0.0.1:1/x", 3, "cannot be reached", "see that it runs"),
        ] {
            let run = try refusal(address)
            #expect(run.code == code && !run.errors.contains("secret"), "\(run.errors)")
            #expect(run.errors.contains("petition-aggregator: error: ") && run.errors.contains(words), "\(run.errors)")
            #expect(run.errors.contains("hint: ") && run.errors.contains(hint), "\(run.errors)")
        }
        try deployment.petition()
        deployment.aggregator?.stop()
        // Another server's key, and another server's database.
        let folder = deployment.folder
        try FileManager.default.copyItem(
            at: folder.appending(path: "aggregator"), to: folder.appending(path: "mixed"))
        try deployment.expect("petition-aggregator", "init", "--url", "http://localhost:1", "other")
        try FileManager.default.removeItem(at: folder.appending(path: "mixed/note.key"))
        try FileManager.default.copyItem(
            at: folder.appending(path: "other/note.key"), to: folder.appending(path: "mixed/note.key"))
        let mixed = try deployment.run("petition-aggregator", "status", "--folder", "mixed")
        #expect(mixed.code == 1 && mixed.errors.contains("server with another key"), "\(mixed.errors)")
        let place = try String(contentsOf: folder.appending(path: "other/database"), encoding: .utf8)
        let other = try deployment.run(
            "petition-aggregator", "database", "--database", String(place.prefix { $0 != "\n" }))
        #expect(other.code == 1 && other.errors.contains("server with another key"), "\(other.errors)")
        // Nothing has changed.
        #expect(try deployment.expect("petition-aggregator", "fsck").contains("All is well"))
        let shown = try deployment.expect("petition-aggregator", "database")
        #expect(shown.contains("Its database is postgresql://"))
    }

    /// A petition goes on after its database was moved, there and back; the old one is not used any more.
    @Test func aDatabaseIsMovedThereAndBack() async throws {
        let deployment = try Deployment(people: 5)
        try deployment.seal(0..<5)
        try deployment.petition()
        #expect(try deployment.sign(0).code == 0)
        // Not while a server runs.
        let busy = try deployment.run("petition-aggregator", "move", "--to-file")
        #expect(busy.code == 1 && busy.errors.contains("another server runs on this folder"))
        deployment.aggregator?.stop()
        let moved = try deployment.expect("petition-aggregator", "move", "--to-file")
        #expect(moved.contains("is in aggregator again"))
        #expect(try deployment.expect("petition-aggregator", "fsck").contains("All is well"))
        try deployment.restartAggregator()
        #expect(try deployment.sign(1).code == 0)
        deployment.aggregator?.stop()
        let place = try TestEngine.newDatabase()
        try deployment.expect("petition-aggregator", "move", "--database", place)
        #expect(try deployment.expect("petition-aggregator", "fsck").contains("All is well"))
        try deployment.restartAggregator()
        #expect(try deployment.sign(2).code == 0)
        try deployment.expect("petition-aggregator", "export", "copy")
        let (code, report) = try deployment.verify("copy")
        #expect(code == 0 && report["signatures"] as? Int == 3, "\(report)")
        deployment.aggregator?.stop()
        // Whoever loses the note of where it is does not go on with the old one.
        try FileManager.default.removeItem(at: deployment.folder.appending(path: "aggregator/database"))
        let old = try deployment.run("petition-aggregator", "status")
        #expect(old.code == 1 && old.errors.contains("was moved to \(place)"), "\(old.errors)")
        // Nor is anything moved over something else.
        let other = try deployment.run("petition-aggregator", "move", "--database", TestEngine.newDatabase())
        #expect(other.code == 1 && other.errors.contains("was moved to"), "\(other.errors)")
    }
}
