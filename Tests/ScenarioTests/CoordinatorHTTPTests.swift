import Bytes
import Documents
import Foundation
import Petitions
import Ristretto255
import Sodium
import Testing
import VOPRF

/// The coordinator's interface, used by hostile and honest clients.
@Suite struct CoordinatorHTTPTests {
    private struct Client {
        let code: InvitationCode
        let roll: RollDescriptor
        let url: String

        init(_ deployment: Deployment, _ person: Int) async throws {
            let link = try InvitationLink(parsing: deployment.links[person])
            code = link.code
            roll = try RollDescriptor(parsing: [UInt8](try await HTTP.get(link.roll.url.text).body))
            url = roll.url.text
        }

        func blinded(_ number: UInt64) throws -> BlindedElement {
            try VOPRFClient.blind([1, 2, 3], with: SecretScalar(Scalar(number)))
        }

        func issue(_ blinded: BlindedElement) async throws -> HTTP {
            try await issue(Base64.encode(code.bytes), Base64.encode(blinded.element.encoding.array))
        }

        func issue(_ code: String, _ blinded: String) async throws -> HTTP {
            try await HTTP.post(url + "/issue", Data("{\"code\":\"\(code)\",\"blinded\":\"\(blinded)\"}".utf8))
        }
    }

    @Test func oneCodeTwoBlindedElementsAtOnceOneSucceeds() async throws {
        let deployment = try Deployment(people: 8)
        for person in 0..<8 {
            let client = try await Client(deployment, person)
            let elements = try (1...8).map { try client.blinded($0) }
            let answers = try await withThrowingTaskGroup(of: HTTP.self) { group in
                for element in elements { group.addTask { try await client.issue(element) } }
                return try await group.reduce(into: [HTTP]()) { $0.append($1) }
            }
            #expect(answers.filter { $0.status == 200 }.count == 1)
            #expect(answers.filter { $0.status == 409 && $0.rule == "code-already-used" }.count == 7)
        }
        #expect(try deployment.expect("petition-coordinator", "status", "--json").contains("\"issued\":8,"))
    }

    @Test func theSameQuestionGetsTheSameAnswerInAnyPhase() async throws {
        let deployment = try Deployment(people: 5)
        for person in 0..<4 { try deployment.expectSigner(person, "enrol", with: [deployment.links[person]]) }
        let client = try await Client(deployment, 4)
        let first = try await client.issue(client.blinded(5))
        #expect(first.status == 200)
        try deployment.expect("petition-coordinator", "joining", "open", "people")
        let second = try await client.issue(client.blinded(5))
        #expect(second.status == 200 && second.body == first.body)
        #expect(try await client.issue(client.blinded(6)).rule == "code-already-used")
    }

    @Test func requestsAreRefusedByTheRuleTheyBreak() async throws {
        let deployment = try Deployment(people: 1)
        let client = try await Client(deployment, 0)
        let good = Base64.encode(try client.blinded(7).element.encoding.array)
        let code = Base64.encode(client.code.bytes)
        var high = try client.blinded(7).element.encoding.array
        high[31] |= 0x80
        let zero = Base64.encode([UInt8](repeating: 0, count: 32))
        let issue = client.url + "/issue"
        #expect(try await client.issue(code, Base64.encode(high)).rule == "non-canonical-point")
        #expect(try await client.issue(code, zero).rule == "identity-point")
        #expect(try await client.issue(Base64.encode([UInt8](repeating: 9, count: 16)), good).rule == "unknown-code")
        for body in [
            "", "{", "[]", "{\"code\":\"\(code)\"}", "{\"code\":1,\"blinded\":\"\(good)\"}", "null",
            "{\"code\":\"\(code)\",\"blinded\":\"\(good)\",\"more\":1}",
            "{\"code\":\"\(code)\",\"code\":\"\(code)\",\"blinded\":\"\(good)\"}",
        ] {
            let answer = try await HTTP.post(issue, Data(body.utf8))
            #expect(answer.status == 400 && answer.rule == "malformed-request", "\(body)")
            #expect(answer.headers["content-type"] == "application/problem+json")
        }
        let large = try await HTTP.post(issue, Data(repeating: 0x20, count: 17 * 1024))
        #expect(large.status == 413 && large.rule == "too-large")
        #expect(try await HTTP.get(deployment.coordinatorURL + "/rolls/none").rule == "not-found")
        #expect(try await HTTP.get(client.url + "/members/tile/0/000").status == 404)
        // Everything but the document is only at the address with the id.
        for path in ["members/checkpoint", "enrolment/checkpoint", "round"] {
            #expect(try await HTTP.get(deployment.coordinatorURL + "/rolls/people/" + path).status == 404)
            #expect(try await HTTP.get(client.url + "/" + path).status == 200)
        }
        #expect(try await HTTP.get(deployment.coordinatorURL + "/nothing%20here").status == 404)
        let join = client.url + "/join"
        let member = "{\"member\":\"\(good)\",\"token\":\"\(good)\"}"
        #expect(try await HTTP.post(join, Data(member.utf8)).rule == "token-invalid")
        // Bit 255 of a member's key or token would be a second name of the same point.
        let twisted = Base64.encode(high)
        for body in [
            "{\"member\":\"\(twisted)\",\"token\":\"\(good)\"}", "{\"member\":\"\(good)\",\"token\":\"\(twisted)\"}",
        ] { #expect(try await HTTP.post(join, Data(body.utf8)).rule == "non-canonical-point") }
        let metrics = String(decoding: try await HTTP.get(deployment.coordinatorMetrics).body, as: UTF8.self)
        #expect(metrics.contains("roundrobin_refusals_total{rule=\"token-invalid\"} 1\n"), "\(metrics)")
        #expect(metrics.contains("/rolls/\(client.roll.id.hex)/members\"} 0\n"))
        for path in ["/metrics", "/metrics/", "//metrics"] {
            #expect(try await HTTP.get(deployment.coordinatorURL + path).status == 404, "\(path)")
        }
        // None of this was recorded, and the server continues to work.
        #expect(try await client.issue(client.blinded(7)).status == 200)
        #expect(try await client.issue(code, good).status == 200)
    }

    @Test func logsAndDocumentsAreServedAsTlogTilesAsks() async throws {
        let deployment = try Deployment(people: 3)
        let client = try await Client(deployment, 0)
        let checkpoint = try await HTTP.get(client.url + "/enrolment/checkpoint")
        #expect(checkpoint.headers["content-type"] == "text/plain; charset=utf-8")
        #expect(checkpoint.headers["access-control-allow-origin"] == "*")
        let tile = try await HTTP.get(client.url + "/enrolment/tile/entries/000.p/3")
        #expect(tile.status == 200 && tile.body.count == 3 * 35)
        #expect(tile.headers["content-type"] == "application/octet-stream")
        #expect(tile.headers["cache-control"]?.contains("immutable") == true)
        let missing = try await HTTP.get(client.url + "/enrolment/tile/entries/000.p/4")
        #expect(missing.status == 404 && missing.headers["cache-control"]?.contains("immutable") == false)
        let page = try await HTTP.get(client.url, headers: ["accept": "text/html"])
        #expect(page.headers["content-type"] == "text/html; charset=utf-8")
        let preflight = try await HTTP.send(
            "OPTIONS", client.url + "/issue", body: nil, headers: ["origin": "https://x"])
        #expect(preflight.status == 204 && preflight.headers["access-control-allow-methods"]?.contains("POST") == true)
    }

    @Test func aKilledCoordinatorKeepsWhatItAcknowledged() async throws {
        let deployment = try Deployment(people: 12)
        for person in 0..<12 {
            let client = try await Client(deployment, person)
            let element = try client.blinded(UInt64(person + 1))
            async let answer = try? client.issue(element)
            usleep(UInt32.random(in: 0...8000))
            deployment.coordinator?.kill()
            let first = await answer
            try deployment.restartCoordinator()
            let second = try await client.issue(element)
            #expect(second.status == 200)
            if let first, first.status == 200 { #expect(first.body == second.body) }
        }
        #expect(try deployment.expect("petition-coordinator", "status", "--json").contains("\"issued\":12,"))
    }

    /// The disk reveals no more than which keys came within one interval, and an answer means that the key is on the
    /// disk.
    @Test(.onFiles) func joinsAreWrittenTogetherAndTheWriteAheadLogIsEmptied() async throws {
        let deployment = try Deployment(people: 4)
        for person in 0..<4 { try deployment.expectSigner(person, "enrol", with: [deployment.links[person]]) }
        try deployment.expect("petition-coordinator", "joining", "open", "people")
        deployment.coordinator?.stop()
        let server = try Server("petition-coordinator", ["--commit-joins-every", "4"], in: deployment.folder)
        func join(_ person: Int) throws -> Running {
            try Running(
                "petition-signer",
                ["join", "--wallet", "wallet-\(person)", "--passphrase-fd", "0"] + Deployment.joinNow,
                in: deployment.folder, passphrase: "passphrase of \(person)")
        }
        let people = try (0..<3).map { try join($0) }
        usleep(1_500_000)
        #expect(try deployment.expect("petition-coordinator", "status", "--json").contains("\"pending\":0,"))
        for person in people { #expect(person.end() == 0, "\(person.said)") }
        // Checked before another program opens the database and thereby writes to its log.
        let log = try FileManager.default.attributesOfItem(
            atPath: deployment.scratch.path("coordinator/coordinator.sqlite-wal"))
        #expect(log[.size] as? Int == 0)
        #expect(try deployment.expect("petition-coordinator", "status", "--json").contains("\"pending\":3,"))
        // A server told to stop keeps no client waiting, and loses nothing.
        let last = try join(3)
        usleep(1_500_000)
        server.stop()
        #expect(last.end() == 0, "\(last.said)")
        try deployment.restartCoordinator()
        #expect(try deployment.expect("petition-coordinator", "status", "--json").contains("\"pending\":4,"))
    }

    @Test func aRollIsAskedForItsRound() async throws {
        let deployment = try Deployment(people: 4)
        let url = try await deployment.roll().url.text
        for person in 0..<4 { try deployment.expectSigner(person, "enrol", with: [deployment.links[person]]) }
        let issuing = try await HTTP.get(url + "/round").json
        #expect(issuing["phase"] as? String == "issuing" && issuing["issued"] as? Int == 4 && issuing["opened"] == nil)
        try deployment.expect("petition-coordinator", "joining", "open", "people")
        let joining = try await HTTP.get(url + "/round").json
        #expect(joining["phase"] as? String == "joining" && joining["issued"] as? Int == 4)
        #expect(joining["round"] as? Int == 0 && (joining["opened"] as? String).flatMap { UTCTime($0) } != nil)
    }

    /// Death before and after each step of a commit.
    private static let deaths: [[String: String]] = [
        ("pwrite", "-wal"), ("sync", "-wal"), ("pwrite", "/published/"), ("sync", "/published/"),
        ("rename", "/published/"),
    ].flatMap { call, path in
        ["kill-before", "kill-after"].map {
            ["FAULT_CALL": call, "FAULT_PATH": path, "FAULT_AT": "1", "FAULT_ACTION": $0]
        }
    }

    /// Issuing, joining and sealing, each killed at each step: repeating them gives the same result, and nothing is
    /// stored twice.
    @Test(.onFiles, .withinTheRun) func aCoordinatorKilledAtEachStepGoesOn() async throws {
        let deployment = try Deployment(people: 12)
        // The faults begin only with the switch; otherwise start-up would be killed first.
        let lever = deployment.scratch.path("switch")
        func withFaults(_ faults: [String: String], _ body: () async throws -> Void) async throws {
            try? FileManager.default.removeItem(atPath: lever)
            deployment.coordinator?.kill()
            try deployment.restartCoordinator(faults: faults.merging(["FAULT_SWITCH": lever]) { $1 })
            try deployment.scratch.write("", to: "switch")
            try await body()
            #expect(deployment.coordinator?.process.isRunning == false)
            try deployment.restartCoordinator()
        }
        for (person, faults) in Self.deaths.enumerated() {
            try await withFaults(faults) {
                let run = try deployment.signer(person, "enrol", with: [deployment.links[person]])
                #expect(run.code == 3)
            }
            try deployment.expectSigner(person, "enrol", with: [deployment.links[person]])
        }
        #expect(try deployment.expect("petition-coordinator", "status", "--json").contains("\"issued\":10,"))
        try deployment.expect("petition-coordinator", "joining", "open", "people")
        for (person, faults) in Self.deaths.enumerated() {
            // Joining signs no checkpoint.
            if faults["FAULT_PATH"] == "-wal" {
                try await withFaults(faults) {
                    let run = try deployment.signer(
                        person, "join", with: Deployment.joinNow)
                    #expect(run.code == 3)
                }
            }
            try deployment.expectSigner(person, "join", with: Deployment.joinNow)
        }
        #expect(try deployment.expect("petition-coordinator", "status", "--json").contains("\"pending\":10,"))
        for faults in Self.deaths {
            let run = try Programs.run(
                "petition-coordinator", ["seal", "people"], in: deployment.folder, environment: Programs.faults(faults))
            // After sealing, there is no member left to seal.
            #expect([-SIGKILL, 1].contains(run.code), "\(run.errors)")
        }
        let status = try deployment.expect("petition-coordinator", "status", "--json")
        #expect(status.contains("\"pending\":0,") && status.contains("\"members\":10"), "\(status)")
        try deployment.expect("petition-coordinator", "fsck")
        try deployment.petition()
        for person in 0..<10 { #expect(try deployment.sign(person).code == 0) }
        try deployment.expect("petition-aggregator", "export", "copy")
        let (code, report) = try deployment.verify("copy")
        #expect(code == 0)
        #expect(report["signatures"] as? Int == 10)
    }
}
