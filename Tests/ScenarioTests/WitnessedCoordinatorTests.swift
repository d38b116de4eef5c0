import Bytes
import Documents
import Foundation
import Petitions
import Sodium
import Testing
import TransparencyLog
import Witnessing

/// A coordinator whose petitions name witnesses: the announcement of each gets its quorum once, and keeps it, and no
/// petition's witnesses hold back what others announce.
@Suite(.serialized, .withinTheRun) struct WitnessedCoordinatorTests {
    private let deployment: Deployment
    private let witnesses: [TestWitness]
    private let option: String

    init() throws {
        deployment = try Deployment(people: 5)
        try deployment.seal(0..<5)
        let made = try deployment.expect(
            "petition-aggregator", "init", "--url", "http://localhost:\(try freePort())", "aggregator")
        option = String(made.split(separator: "--aggregator ").last ?? "").trimmingCharacters(
            in: .whitespacesAndNewlines)
        let scratch = deployment.scratch
        witnesses = try (0..<3).map { try TestWitness("w\($0)", in: scratch) }
        let status = try deployment.expect("petition-coordinator", "status")
        let key = try #require(status.firstMatch(of: /Key of all logs +(\S+=)/)?.1)
        for witness in witnesses {
            #expect(try witness.run("trust", String(key), deployment.coordinatorURL).code == 0)
            try witness.start()
        }
        let lines = witnesses.enumerated().map { "witness w\($0) \($1.key.vkey) \($1.url)\n" }.joined()
        try scratch.write(lines + "group two 2 w0 w1 w2\nquorum two\n", to: "policy")
        try scratch.write("Keep it.\n", to: "statement.md")
    }

    private func policy() throws -> WitnessPolicy {
        try WitnessPolicy(parsing: [UInt8](Data(contentsOf: deployment.folder.appending(path: "policy"))))
    }

    /// Makes a petition, and returns its id.
    private func create(_ name: String, _ more: String...) throws -> PetitionID {
        let run = try Programs.run(
            "petition-coordinator",
            [
                "petition", "create", "--yes", "--title", name, "--statement", "statement.md", "--started-by", "X",
                "--addressed-to", "Y", "--closes", "2099-01-01T00:00:00Z", "--roll", "people", "--aggregator", option,
                "\(name).petition",
            ] + more, in: deployment.folder)
        try #require(run.code == 0, "\(run.errors)")
        return try #require(run.output.firstMatch(of: /Id: ([0-9a-f]{64})/).flatMap { PetitionID(hex: String($0.1)) })
    }

    private func announcement(_ id: PetitionID) async throws -> HTTP {
        try await HTTP.get("\(deployment.coordinatorURL)/petitions/\(id.hex)/announcement")
    }

    /// The announcement's proof, once it has the quorum.
    private func proof(_ id: PetitionID) async throws -> LogProof {
        for _ in 0..<100 where try await announcement(id).status != 200 {
            try await Task.sleep(for: .milliseconds(100))
        }
        let answer = try await announcement(id)
        try #require(answer.status == 200)
        return try LogProof(parsing: [UInt8](answer.body))
    }

    private func check(_ proof: LogProof, of id: PetitionID) async throws {
        let roll = try await deployment.roll()
        let key = Announcement.logKey(coordinator: roll.coordinator, key: roll.key)
        _ = try proof.verify(leaf: MerkleHash.leaf(Announcement.petition(id).bytes), key: key)
        let lines = try SignedNote(parsing: proof.checkpoint).cosignatures(by: policy().keys)
        #expect(try policy().quorumTime(lines) != nil)
    }

    @Test func anAnnouncementGetsItsQuorumOnceAndKeepsIt() async throws {
        let id = try create("Witnessed", "--witnesses", "policy")
        let proof = try await proof(id)
        try await check(proof, of: id)
        // The log itself shows the lines that there are.
        let log = "\(deployment.coordinatorURL)/announcements/checkpoint"
        let note = try SignedNote(parsing: [UInt8](try await HTTP.get(log).body))
        #expect(try note.cosignatures(by: policy().keys).count >= 2)

        // The proof for one document has lines of its own witnesses only, however many others ask for.
        let line = witnesses[0].key.vkey
        try deployment.scratch.write("witness w0 \(line) \(witnesses[0].url)\nquorum w0\n", to: "policy-of-one")
        let single = try create("Single", "--witnesses", "policy-of-one")
        let lines = try SignedNote(parsing: try await self.proof(single).checkpoint)
        #expect(try lines.cosignatures(by: policy().keys).map(\.key) == [witnesses[0].key])

        // All witnesses are gone: what others announce is shown at once, and the first petition keeps its proof.
        for witness in witnesses { witness.stop() }
        let shown = try SignedNote(parsing: [UInt8](try await HTTP.get(log).body))
        let before = try #require(String(decoding: shown.text, as: UTF8.self).split(separator: "\n").dropFirst().first)
        let plain = try create("Plain")
        let after = String(decoding: try await HTTP.get(log).body, as: UTF8.self).split(separator: "\n")[1]
        #expect(Int(after) == Int(before).map { $0 + 1 }, "nothing is held back")
        #expect(try await announcement(plain).status == 200)
        #expect(
            try await HTTP.get("\(deployment.coordinatorURL)/petitions/\(id.hex)/announcement").body
                == Data(proof.encoded))

        // A second one under the policy waits, and says so; with two witnesses it gets its own.
        let second = try create("Second", "--witnesses", "policy")
        try await Task.sleep(for: .seconds(1))
        let waiting = try await announcement(second)
        #expect(waiting.status == 503 && waiting.rule == "busy" && waiting.headers["retry-after"] != nil)
        try witnesses[0].start()
        try witnesses[2].start()
        try await check(self.proof(second), of: second)
    }

    @Test func theListOfLogsIsWhatAWitnessFollows() async throws {
        let list = try await HTTP.get("\(deployment.coordinatorURL)/log-list")
        let logs = try LogList(parsing: [UInt8](list.body)).entries
        let roll = try await deployment.roll()
        #expect(
            Set(logs.map(\.key)) == [
                roll.membersKey, roll.enrolmentLogKey,
                Announcement.logKey(coordinator: roll.coordinator, key: roll.key),
            ])
        let fourth = try TestWitness("w4", in: deployment.scratch)
        #expect(try fourth.run("trust", "--list", "\(deployment.coordinatorURL)/log-list").code == 0)
        try fourth.start()
        for _ in 0..<100 where !(try fourth.run("status").output.contains("announcements")) { usleep(50_000) }
        let status = try fourth.run("status").output
        #expect(status.contains("\(roll.membersKey.name), from \(deployment.coordinatorURL)/log-list"), "\(status)")
    }

    @Test func policiesThatProtectNobodyAreNotSigned() throws {
        func refused(_ policy: String, _ words: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
            try deployment.scratch.write(policy, to: "bad-policy")
            let run = try Programs.run(
                "petition-coordinator",
                [
                    "petition", "create", "--dry-run", "--title", "T", "--statement", "statement.md", "--started-by",
                    "X", "--addressed-to", "Y", "--closes", "2099-01-01T00:00:00Z", "--roll", "people", "--aggregator",
                    option, "--witnesses", "bad-policy", "new.petition",
                ], in: deployment.folder)
            #expect(run.code == 1 && run.errors.contains(words), "\(run.errors)", sourceLocation: sourceLocation)
        }
        let lines = witnesses.enumerated().map { "witness w\($0) \($1.key.vkey)\n" }.joined()
        try refused("quorum none\n", "could see another log")
        try refused(lines + "group g any w0 w1\nquorum g\n", "could see another log")
        try refused(lines + "group g 2 w0 w1 w2\n", "line 4 is the last, and no line says what the quorum is")
        try refused("witness w x\nquorum w\n", "line 1 has no vkey of the right type")
        let status = try deployment.expect("petition-coordinator", "status")
        let key = try #require(
            status.firstMatch(of: /Key of all logs +(\S+=)/).flatMap { Base64.decode32(String($0.1)) })
        let own = WitnessKey(name: "own.example/w", publicKey: .init(key))
        try refused("witness w \(own.vkey)\nquorum w\n", "nobody can vouch for themselves")
    }
}
