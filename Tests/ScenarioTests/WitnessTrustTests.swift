import Bytes
import Documents
import Foundation
import Platform
import Sodium
import Testing
import TransparencyLog
import Witnessing

/// Which logs a `petition-witness` follows, by whose word, and how often.
@Suite(.serialized, .withinTheRun) struct WitnessTrustTests {
    private let scratch: Scratch
    private let log = MadeLog(origin: "log.example.org/petition-1", seed: 3)

    init() throws { scratch = try Scratch() }

    private func base64(_ log: MadeLog) -> String { Base64.encode(log.key.publicKey.bytes.array) }

    @Test func belowAnAddressOneKeyIsTrustedUpToACap() async throws {
        let witness = try TestWitness("paper", in: scratch)
        #expect(try witness.run("trust", "--logs", "2", base64(log), "https://union.example/a").code == 0)
        try witness.start()
        func status(_ origin: String, seed: UInt8 = 3) async throws -> Int {
            try await witness.add(MadeLog(origin: origin, seed: seed).request(2, from: 0)).status
        }
        #expect(try await status("union.example/ab") == 404, "not below the address")
        #expect(try await status("union.example") == 404)
        #expect(try await status("other.example/union.example/a/x") == 404)
        #expect(try await status("union.example/a/x", seed: 4) == 403, "another key")
        #expect(try await status("union.example/a") == 200)
        #expect(try await status("union.example/a/x/y") == 200)
        #expect(try await status("union.example/a/z") == 429, "more logs than allowed")
        // What is known goes on.
        let known = MadeLog(origin: "union.example/a", seed: 3)
        #expect(try await witness.add(known.request(3, from: 2)).status == 200)
        // The server is told of new rules while it runs, and a narrower one wins.
        let other = MadeLog(origin: "union.example/a/narrow", seed: 9)
        #expect(try witness.run("trust", base64(other), "https://union.example/a/narrow").code == 0)
        #expect(try await witness.add(other.request(2, from: 0)).status == 200)
        #expect(try await status("union.example/a/narrow/x") == 403)
    }

    @Test func logsDoNotChangeKeys() async throws {
        let witness = try TestWitness("paper", in: scratch)
        #expect(try witness.run("trust", log.key.vkey).code == 0)
        try witness.start()
        #expect(try await witness.add(log.request(5, from: 0)).status == 200)
        let thief = MadeLog(origin: log.origin, seed: 7)
        let run = try witness.run("trust", thief.key.vkey)
        #expect(run.code == 1 && run.errors.contains("trusted with another key"), "\(run.errors)")
        // Not even by a rule that reaches it from above.
        #expect(try witness.run("trust", base64(thief), "https://log.example.org").code == 0)
        #expect(try await witness.add(thief.request(7, from: 5)).status == 403)
        #expect(try await witness.add(log.request(7, from: 5)).status == 200)
    }

    @Test func aLogMaySubmitOnlySoOften() async throws {
        let witness = try TestWitness("paper", in: scratch)
        #expect(try witness.run("trust", "--per-minute", "1", log.key.vkey).code == 0)
        try witness.start()
        var statuses: [Int] = []
        for size in UInt64(1)...61 { statuses.append(try await witness.add(log.request(size, from: size - 1)).status) }
        #expect(statuses.prefix(60).allSatisfy { $0 == 200 } && statuses.last == 429)
        // The same again is no new checkpoint.
        #expect(try await witness.add(log.request(60, from: 60)).status == 200)
    }

    @Test func listsAreReadFromFilesAndAddresses() async throws {
        let witness = try TestWitness("paper", in: scratch)
        let others = (1...3).map { MadeLog(origin: "list.example/\($0)", seed: UInt8($0)) }
        let list = LogList(others.map { LogList.Entry(key: $0.key, perDay: 1000, contact: "ops@list.example") })
        try scratch.write(list.text, to: "logs.txt")
        let read = try witness.run("trust", "--list", "logs.txt")
        #expect(read.code == 0 && read.output == "Follows 3 logs of logs.txt.\n", "\(read.errors)")
        try scratch.write("logs/v0\nvkey nothing\n", to: "bad.txt")
        let bad = try witness.run("trust", "--list", "bad.txt")
        #expect(bad.code == 1 && bad.errors.contains("line 2"), "\(bad.errors)")
        // A list that gives a known log another key changes nothing, and says so.
        let taken = MadeLog(origin: "list.example/1", seed: 50)
        let fourth = MadeLog(origin: "list.example/4", seed: 4)
        let more = LogList([taken, fourth].map { LogList.Entry(key: $0.key, perDay: 1000, contact: "x") })
        let address = "http://localhost:\(try freePort())"
        let server = try TamperingProxy(publicURL: address, backend: address)
        server.lie(at: "/log-list", Array(more.text.utf8))
        #expect(try witness.run("trust", "--list", "\(address)/log-list").code == 0)
        try witness.start()
        for _ in 0..<100 where try await witness.add(fourth.request(2, from: 0)).status != 200 { usleep(50_000) }
        #expect(try await witness.add(fourth.request(2, from: 2)).status == 200)
        #expect(try await witness.add(others[0].request(2, from: 0)).status == 200)
        #expect(try await witness.add(taken.request(3, from: 2)).status == 403)
        let status = try witness.run("status")
        #expect(
            status.output.contains("not followed, as their key or name is another: list.example/1"), "\(status.output)")
    }

    /// A list is made by others: it overrules nothing that the operator said.
    @Test func aListDoesNotOverruleTheOperator() async throws {
        let witness = try TestWitness("paper", in: scratch)
        #expect(try witness.run("trust", base64(log), "https://union.example").code == 0)
        let single = MadeLog(origin: "log.example.org/petition-1", seed: 3)
        #expect(try witness.run("trust", "--per-minute", "7", single.key.vkey).code == 0)
        let stolen = MadeLog(origin: "union.example/announcements", seed: 66)
        let renamed = "vkey \(single.key.vkey)\norigin other.example log\nqpd 5\ncontact x\n"
        let entries = [stolen, single].map { LogList.Entry(key: $0.key, perDay: 2_000_000_000, contact: "x") }
        try scratch.write(LogList(entries).text + renamed, to: "evil.txt")
        let run = try witness.run("trust", "--list", "evil.txt")
        #expect(run.code == 1 && run.errors.contains("union.example/announcements, other.example log"), "\(run.errors)")
        let status = try witness.run("status").output
        #expect(status.contains("at most 10080 checkpoints a day") && !status.contains("2000000000"), "\(status)")
        try witness.start()
        let honest = MadeLog(origin: "union.example/announcements", seed: 3)
        #expect(try await witness.add(honest.request(2, from: 0)).status == 200)
        #expect(try await witness.add(stolen.request(3, from: 2)).status == 403)
    }

    /// Origins are chosen by whoever sends a request: none of them may end the witness, or keep it busy.
    @Test func originsThatNoKeyCanHaveHarmNobody() async throws {
        let witness = try TestWitness("paper", in: scratch)
        #expect(try witness.run("trust", base64(log), "https://union.example").code == 0)
        try witness.start()
        let root = Base64.encode(MerkleHash.emptyRoot.array)
        for origin in [
            "union.example/a b", "union.example/a+b", "union.example/\u{2028}",
            "union.example/" + String(repeating: "/", count: 100_000),
            "union.example/" + String(repeating: "a", count: 600), "+", "/", String(repeating: "/", count: 500),
        ] {
            let note = "\(origin)\n0\n\(root)\n\n\u{2014} x AAAAAAA=\n"
            let body = AddCheckpointRequest(oldSize: 0, proof: ConsistencyProof(hashes: []), note: Array(note.utf8))
            let answer = try await witness.add(Data(body.encoded))
            #expect([400, 403, 404].contains(answer.status), "\(origin.prefix(40)): \(answer.status)")
        }
        let honest = MadeLog(origin: "union.example/announcements", seed: 3)
        #expect(try await witness.add(honest.request(2, from: 0)).status == 200)
        #expect(witness.server?.process.isRunning == true)
    }
}
