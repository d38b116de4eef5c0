import Bytes
import Documents
import Foundation
import GRDB
import Platform
import PostgresCluster
import Sodium
import Testing
import TransparencyLog
import Witnessing

/// `petition-witness` as logs, operators and attackers meet it: over its socket, and in its folder.
@Suite(.serialized, .withinTheRun) struct WitnessTests {
    private let scratch: Scratch
    private let log = MadeLog(origin: "log.example.org/petition-1", seed: 3)

    init() throws { scratch = try Scratch() }

    private func witness(_ name: String = "paper", path: String = "") throws -> TestWitness {
        let witness = try TestWitness(name, in: scratch, path: path)
        let trusted = try witness.run("trust", log.key.vkey)
        try #require(trusted.code == 0, "\(trusted.errors)")
        return witness
    }

    /// The checkpoint and the time that a witness shows of a log; nil if it shows none.
    private func cosigned(_ witness: TestWitness) async throws -> (Checkpoint, UInt64)? {
        let answer = try await witness.shown(log.origin)
        if answer.status == 404 { return nil }
        let note = try SignedNote(parsing: [UInt8](answer.body))
        let line = try #require(note.cosignatures(by: [witness.key]).first, "cosigned by this witness")
        return (try Checkpoint(verifying: note.bytes, key: log.key), line.time)
    }

    // MARK: The protocol

    struct Vectors: Decodable {
        struct Request: Decodable {
            let about, body: String
            let status: Int
            let response: String?
        }
        struct Conversation: Decodable {
            let key: String
            let requests: [Request]
        }
        let witness_conversation: Conversation
    }

    @Test(arguments: ["", "/under/a-path"]) func answersAreThoseOfTheVectors(path: String) async throws {
        let file = Programs.folder.deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Protocol/vectors/witness-vectors.json")
        let vectors = try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: file)).witness_conversation
        let witness = try TestWitness("paper", in: scratch, path: path)
        #expect(try witness.run("trust", vectors.key).code == 0)
        try witness.start()
        let key = try #require(VerifierKey(parsing: vectors.key))
        #expect(try await witness.shown(key.name).status == 404)
        for vector in vectors.requests {
            let answer = try await witness.add(Data(vector.body.utf8))
            #expect(answer.status == vector.status, "\(vector.about)")
            switch answer.status {
            case 200:
                let request = try #require(AddCheckpointRequest(parsing: Array(vector.body.utf8)))
                let checkpoint = try Checkpoint(verifying: request.note, key: key)
                let lines = checkpoint.cosignatures(inLines: [UInt8](answer.body), by: [witness.key])
                #expect(lines.count == 1 && lines[0].counts(at: UInt64(Date.now.timeIntervalSince1970)))
                let shown = try await witness.shown(key.name)
                let note = try SignedNote(parsing: [UInt8](shown.body))
                #expect(try Checkpoint(verifying: note.bytes, key: key) == checkpoint, "\(vector.about)")
                #expect(try note.cosignatures(by: [witness.key]).count == 1)
                // The lines of others in the note are not passed on.
                #expect(String(decoding: note.bytes, as: UTF8.self).components(separatedBy: "\u{2014}").count == 3)
            case 409:
                #expect(answer.headers["content-type"] == "text/x.tlog.size")
                #expect(String(decoding: answer.body, as: UTF8.self) == vector.response, "\(vector.about)")
            default: break
            }
        }
        // Whatever is at an address that does not exist, it is not an answer that a log could take for a size.
        for path in ["", "/nothing", "/add-checkpoint", "/\(String(repeating: "0", count: 63))/checkpoint"] {
            #expect(try await HTTP.get(witness.url + path).status == 404, "\(path)")
        }
        #expect(try await HTTP.get(witness.url + "/health").status == 200)
    }

    @Test func bodiesThatAreTooLargeOrStrangeAreRefused() async throws {
        let witness = try witness()
        try witness.start()
        let good = try log.request(5, from: 0)
        for body in [
            Data(), Data([0]), Data(repeating: 0x41, count: 130 << 10), Data(good.dropLast()), good + good,
            Data(repeating: 0x0A, count: 1000), Data("old 0\n\n".utf8), Data([0xFF, 0xFE]) + good,
        ] { #expect(try await witness.add(body).status == 400) }
        #expect(try await cosigned(witness) == nil)
        #expect(try await witness.add(good).status == 200)
    }

    /// Eight connections send growing trees of two branches that share their first entry. Whatever the order, all that
    /// is cosigned is of one branch.
    @Test func twoBranchesInARaceAreNeverBothCosigned() async throws {
        for _ in 0..<3 {
            let witness = try witness("race-\(UUID().uuidString.prefix(8).lowercased())")
            try witness.start()
            #expect(try await witness.add(log.request(1, from: 0)).status == 200)
            let branches: [UInt64] = [.max, 1]
            let cosigned = try await withThrowingTaskGroup(of: [(fork: UInt64, size: UInt64)].self) { group in
                for connection in 0..<8 {
                    let log = log
                    let fork = branches[connection % 2]
                    group.addTask {
                        var taken: [(fork: UInt64, size: UInt64)] = []
                        var known: UInt64 = 1
                        for size in stride(from: UInt64(2), to: 60, by: 2) where size > known {
                            let answer = try await witness.add(log.request(size, from: known, fork: fork))
                            if answer.status == 200 {
                                taken.append((fork, size))
                                known = size
                            } else if answer.status == 409 {
                                known = UInt64(String(decoding: answer.body.dropLast(), as: UTF8.self)) ?? known
                            }
                        }
                        return taken
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(Set(cosigned.map(\.fork)).count == 1, "\(cosigned)")
            let (last, _) = try #require(try await self.cosigned(witness))
            #expect(last.size == cosigned.map(\.size).max())
            #expect(last == log.checkpoint(last.size, fork: cosigned[0].fork))
            witness.stop()
        }
    }

    /// Killed at random moments: it never knows less than it gave out, and no two of its cosignatures contradict.
    @Test func killedAtAnyMomentItKeepsWhatItGaveOut() async throws {
        let witness = try witness()
        var acknowledged: UInt64 = 0
        for round in 0..<20 {
            try witness.start()
            let known = try await cosigned(witness)?.0.size ?? 0
            #expect(known >= acknowledged, "nothing that was given out is forgotten")
            let killer = Task {
                // Later and later, since a server of a database takes its time before the first answer.
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...40 * (round + 1))))
                witness.kill()
            }
            var size = known
            while let answer = try? await witness.add(log.request(size + 1, from: size)), answer.status == 200 {
                size += 1
                acknowledged = size
            }
            try await killer.value
            if round == 19 { #expect(acknowledged > 0) }
        }
        try witness.start()
        let (last, _) = try #require(try await cosigned(witness))
        #expect(last.size >= acknowledged && last == log.checkpoint(last.size))
        #expect(try witness.run("fsck").output.hasPrefix("All is well: 1 log"))
    }

    /// A standby that was behind has taken the primary's place: what was cosigned is not there. Nothing is cosigned any
    /// more, neither at once nor after a restart.
    @Test(.onPostgres) func aDatabaseThatForgotCosignsNothing() async throws {
        let witness = try witness()
        try witness.start()
        #expect(try await witness.add(log.request(3, from: 0)).status == 200)
        let place = try String(contentsOf: scratch.url.appending(path: "paper/database"), encoding: .utf8)
        try TestEngine.sql("DELETE FROM witness.cosigned", in: String(place.prefix { $0 != "\n" }))
        #expect(try await witness.add(log.request(2, from: 0)).status == 503)
        witness.stop()
        let asked = try witness.run("database")
        #expect(asked.code == 1 && asked.errors.contains("older than what was published"), "\(asked.errors)")
        try witness.start()
        #expect(try await witness.add(log.request(2, from: 0)).status == 503)
    }

    /// The steps between a request and its answer.
    @Test(
        .onFiles,
        arguments: [
            ("pwrite", "-wal", "kill-before"), ("pwrite", "-wal", "kill-after"), ("sync", "-wal", "kill-before"),
            ("sync", "-wal", "kill-after"),
        ])
    func killedAtEachStepOfACommit(call: String, path: String, action: String) async throws {
        let witness = try witness()
        try witness.start()
        #expect(try await witness.add(log.request(3, from: 0)).status == 200)
        witness.stop()
        let lever = scratch.url.appending(path: "switch")
        try witness.start(faults: [
            "FAULT_CALL": call, "FAULT_PATH": path, "FAULT_AT": "1", "FAULT_ACTION": action,
            "FAULT_SWITCH": lever.path,
        ])
        try Data().write(to: lever)
        #expect((try? await witness.add(log.request(5, from: 3)).status) != 200)
        witness.kill()
        try witness.start()
        // Either it has the new tree or the old one; and it goes on from there on one branch.
        let (last, _) = try #require(try await cosigned(witness))
        #expect([3, 5].contains(last.size) && last == log.checkpoint(last.size))
        #expect(try await witness.add(log.request(9, from: last.size, fork: 2)).status == 422)
        #expect(try await witness.add(log.request(9, from: last.size)).status == 200)
    }

    @Test(.onFiles, arguments: [("pwrite", ENOSPC), ("sync", EIO)]) func onAFullDiskNothingIsCosigned(
        call: String, error: Int32
    ) async throws {
        let witness = try witness()
        let lever = scratch.url.appending(path: "switch")
        try witness.start(faults: [
            "FAULT_CALL": call, "FAULT_PATH": "-wal", "FAULT_AT": "1", "FAULT_ACTION": "\(error)",
            "FAULT_SWITCH": lever.path,
        ])
        #expect(try await witness.add(log.request(3, from: 0)).status == 200)
        try Data().write(to: lever)
        let refused = try await witness.add(log.request(5, from: 3))
        #expect(refused.status == 503 && refused.headers["retry-after"] != nil)
        #expect(try await cosigned(witness)?.0.size == 3)
        #expect(witness.server?.said.contains("the disk is full") == true, "\(witness.server?.said ?? "")")
        try FileManager.default.removeItem(at: lever)
        #expect(try await witness.add(log.request(5, from: 3)).status == 200)
    }

    // MARK: Time

    @Test func theSameCheckpointGetsAFreshTimeButNotAtEveryRequest() async throws {
        let clock = try MovedClock(in: scratch, ahead: 0)
        let witness = try witness()
        try witness.start(faults: ["FAULT_CLOCK": clock.path])
        let first = try await witness.add(log.request(5, from: 0))
        #expect(first.status == 200)
        // Anybody can send a public checkpoint again: that costs no write.
        #expect(try await witness.add(log.request(5, from: 5)).body == first.body)
        try clock.move(ahead: 3600)
        let later = try await witness.add(log.request(5, from: 5))
        let lines = [first, later].map { answer in
            log.checkpoint(5).cosignatures(inLines: [UInt8](answer.body), by: [witness.key]).first?.time ?? 0
        }
        #expect(lines[1] >= lines[0] + 3600, "\(lines)")
    }

    @Test func withAClockThatWasSetBackNothingIsCosigned() async throws {
        let clock = try MovedClock(in: scratch, ahead: 7200)
        let witness = try witness()
        try witness.start(faults: ["FAULT_CLOCK": clock.path])
        let first = try await witness.add(log.request(5, from: 0))
        #expect(first.status == 200)
        try clock.move(ahead: 0)
        #expect(try await witness.add(log.request(7, from: 5)).status == 503)
        #expect(witness.server?.said.contains("the clock is behind") == true)
        // A little behind, it goes on; but a larger tree never has an earlier time.
        try clock.move(ahead: 7000)
        let later = try await witness.add(log.request(7, from: 5))
        #expect(later.status == 200)
        let times = [(UInt64(5), first), (7, later)].map { size, answer in
            log.checkpoint(size).cosignatures(inLines: [UInt8](answer.body), by: [witness.key]).first?.time ?? 0
        }
        #expect(times[0] > 0 && times[1] >= times[0], "\(times)")
        // The clock had been ahead, and is right now: the operator says so.
        try clock.move(ahead: 0)
        #expect(try await witness.add(log.request(9, from: 7)).status == 503)
        let accepted = try witness.run("accept-clock")
        #expect(accepted.output == "This computer's clock is taken for right: 1 log had a later time.\n")
        #expect(try await witness.add(log.request(9, from: 7)).status == 200)
        #expect(try witness.run("fsck").code == 0)
    }

    // MARK: For the operator

    @Test func whatALogSignedAgainstItselfIsKept() async throws {
        let witness = try witness()
        try witness.start()
        #expect(try await witness.add(log.request(5, from: 0)).status == 200)
        for fork in UInt64(0)...4 { #expect(try await witness.add(log.request(5, from: 5, fork: fork)).status == 422) }
        let status = try witness.run("status")
        #expect(status.output.contains("WRONG it contradicts itself, 5 proofs"), "\(status.output)")
        #expect(!status.output.contains("came without a proof"))
        // Both notes are there, of one size with two roots, each with the log's own line.
        let strays = try witness.run("status", "--strays", log.origin).output
        #expect(strays.contains(String(decoding: log.note(5, fork: 4), as: UTF8.self)))
        #expect(strays.contains(String(decoding: log.note(5), as: UTF8.self)))
        let json = try #require(
            JSONSerialization.jsonObject(with: Data(try witness.run("status", "--json").output.utf8)) as? [String: Any])
        let logs = try #require(json["logs"] as? [[String: Any]])
        #expect(logs[0]["contradictions"] as? Int == 5 && logs[0]["size"] as? Int == 5)
    }

    /// Anybody may send a true checkpoint with a wrong proof, and with lines of junk: that accuses nobody, and fills
    /// nothing.
    @Test func nobodyCanAccuseALogFalsely() async throws {
        let witness = try witness()
        try witness.start()
        #expect(try await witness.add(log.request(5, from: 0)).status == 200)
        let wrong = ConsistencyProof(hashes: [Bytes32()])
        func send(_ size: UInt64, lines: Int = 0) async throws -> Int {
            let junk = (0..<lines).map { "\u{2014} junk\($0).example AAAAAAA=\n" }.joined()
            let note = log.note(size) + Array(junk.utf8)
            return try await witness.add(
                Data(AddCheckpointRequest(oldSize: 5, proof: wrong, note: note).encoded)
            ).status
        }
        // The very checkpoint that was cosigned, and one note with ever other lines.
        #expect(try await send(5) == 422)
        for lines in 0..<20 { #expect(try await send(7, lines: lines) == 422) }
        var status = try witness.run("status").output
        #expect(!status.contains("WRONG") && status.contains("1 checkpoint came without a proof"), "\(status)")
        for size in UInt64(8)...40 { #expect(try await send(size) == 422) }
        status = try witness.run("status").output
        #expect(status.contains("16 checkpoints came without a proof"), "\(status)")
        // The oldest stay, and one that is known pushes nothing out.
        #expect(try await send(7) == 422)
        let kept = try witness.run("status", "--strays", log.origin).output
        #expect(kept.contains(String(decoding: log.note(7), as: UTF8.self)))
        #expect(kept.contains(String(decoding: log.note(40), as: UTF8.self)))
        // A real contradiction finds its place all the same, and what is cosigned later is no stray any more.
        #expect(try await witness.add(log.request(5, from: 5, fork: 2)).status == 422)
        #expect(try await witness.add(log.request(40, from: 5)).status == 200)
        status = try witness.run("status").output
        #expect(status.contains("contradicts itself, 1 proof:") && status.contains("15 checkpoints came"), "\(status)")
    }

    @Test(.onFiles) func aLostDatabaseIsNotBegunAgain() throws {
        let witness = try witness()
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: scratch.path("paper/witness.sqlite\(suffix)"))
        }
        for command in [["status"], ["serve"], ["fsck"]] {
            let run = try Programs.run("petition-witness", command + ["--folder", "paper"], in: scratch.url)
            #expect(run.code == 1 && run.errors.contains("no longer knows what it cosigned"), "\(run.errors)")
            #expect(run.errors.contains("never begin again with the same key"))
        }
        let again = try Programs.run(
            "petition-witness", ["init", "--name", "x", "--url", witness.url, "paper"], in: scratch.url)
        #expect(again.code == 1, "the key is never overwritten: \(again.output)")
    }

    @Test(.onFiles) func fsckFindsWhatIsNotAsItWasSigned() async throws {
        let witness = try witness()
        try witness.start()
        #expect(try await witness.add(log.request(5, from: 0)).status == 200)
        let backup = try witness.run("backup", "copy.sqlite")
        #expect(backup.code == 0, "\(backup.errors)")
        witness.stop()
        #expect(try witness.run("fsck").code == 0)
        try await DatabaseQueue(path: scratch.path("paper/witness.sqlite")).write { db in
            try db.execute(sql: "UPDATE cosigned SET size = 3")
        }
        let fsck = try witness.run("fsck")
        #expect(fsck.code == 1 && fsck.output.contains("the log did not sign what is stored"), "\(fsck.output)")
    }
}
