import Bytes
import Documents
import Foundation
import Petitions
import Platform
import Sodium
import Testing
import TransparencyLog
import Witnessing

/// An aggregator whose petition names three witnesses, of which two must cosign: the real programs, over sockets, with
/// witnesses that are away, lie, or forget.
@Suite(.serialized, .withinTheRun) struct WitnessedAggregatorTests {
    /// Three witnesses and a petition under a policy of two of them. The aggregator reaches each through a proxy of its
    /// own, which may lie.
    private final class Town {
        let scratch: Scratch
        let witnesses: [TestWitness]
        let liars: [TamperingProxy]
        let presigned: PresignedAggregator
        let policy: WitnessPolicy

        init(records: Int = 64, clock: MovedClock? = nil, scratch: Scratch) throws {
            self.scratch = scratch
            witnesses = try (0..<3).map { try TestWitness("w\($0)", in: scratch) }
            let names = (0..<3).map { "w\($0)" }.joined(separator: " ")
            let lines = witnesses.enumerated().map { number, witness in
                "witness w\(number) \(witness.key.vkey) \(witness.url)\n"
            }
            let text = lines.joined() + "group two 2 \(names)\nquorum two\n"
            policy = try WitnessPolicy(parsing: Array(text.utf8))
            try scratch.write(text, to: "policy")
            var liars: [TamperingProxy] = []
            var addresses: [(String, String)] = []
            for witness in witnesses {
                let address = "http://localhost:\(try freePort())"
                liars.append(try TamperingProxy(publicURL: address, backend: witness.url))
                addresses.append((witness.key.vkey, address))
            }
            self.liars = liars
            presigned = try PresignedAggregator(records: records, policy: "policy", in: scratch)
            faults = clock.map { ["FAULT_CLOCK": $0.path] } ?? [:]
            for witness in witnesses {
                try witness.trust(presigned.petition)
                try witness.start(faults: faults)
            }
            try presigned.add(addresses)
        }
        private let faults: [String: String]

        /// The aggregator, which asks a witness up to ten times a second.
        func serve(_ more: [String: String] = [:]) throws -> Server {
            try presigned.serve(options: ["--witness-every", "0.1"], faults: faults.merging(more) { $1 })
        }

        /// The checkpoint that is shown, with the time of its quorum; nil if it has none.
        func shown() async throws -> (checkpoint: Checkpoint, quorum: UInt64?) {
            try read([UInt8](try await presigned.get("checkpoint").body))
        }

        func read(_ bytes: [UInt8]) throws -> (checkpoint: Checkpoint, quorum: UInt64?) {
            let note = try SignedNote(parsing: bytes)
            let checkpoint = try Checkpoint(verifying: bytes, key: presigned.petition.logKey(aggregator: 0))
            return (checkpoint, policy.quorumTime(try note.cosignatures(by: policy.keys)))
        }

        /// The number of entries in the database, whatever is shown.
        func stored() throws -> Int {
            let status = try Programs.run("petition-aggregator", ["status", "--json"], in: scratch.url)
            let json = try JSONSerialization.jsonObject(with: Data(status.output.utf8)) as? [String: Any]
            return (json?["petitions"] as? [[String: Any]])?.first?["treeSize"] as? Int ?? -1
        }

        /// Waits until so many entries are shown with a quorum.
        func waits(for size: UInt64) async throws -> Bool {
            for _ in 0..<200 {
                let (checkpoint, quorum) = try await shown()
                if checkpoint.size >= size, quorum != nil { return true }
                try await Task.sleep(for: .milliseconds(100))
            }
            return false
        }

        /// Sends a record until it is accepted, at most for so many seconds; returns the last status.
        func send(_ index: Int, for seconds: Int = 30) async throws -> Int? {
            var status: Int?
            for _ in 0..<seconds * 5 {
                status = await presigned.send(index)
                if status == 201 || status == 200 { return status }
                try await Task.sleep(for: .milliseconds(200))
            }
            return status
        }
    }

    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func receiptsAndEverythingShownHaveTheQuorum() async throws {
        let town = try Town(scratch: scratch)
        let server = try town.serve()
        #expect(try await town.waits(for: 0), "\(server.said)")
        for index in 0..<10 { #expect(try await town.send(index) == 201) }
        #expect(try await town.waits(for: 10))
        let now = UInt64(Date.now.timeIntervalSince1970)
        for receipt in try town.presigned.receipts() {
            let (_, quorum) = try town.read(receipt.checkpoint)
            let time = try #require(quorum, "a receipt has the quorum")
            #expect(time <= now && time > now - 600)
        }
        #expect(try await town.presigned.get("tally").json["signatures"] as? Int == 10)
        // The server's list names the log, so that a witness needs no more than that.
        let list = try LogList(
            parsing: [UInt8](try await HTTP.get("\(town.presigned.petition.aggregators[0].url.text)/log-list").body))
        #expect(list.entries.map(\.key) == [town.presigned.petition.logKey(aggregator: 0)])
        #expect(try await town.presigned.get("closing").status == 404, "it has not closed")
        // Each submission had the log's own line alone, and was of the size that the witness knew.
        for liar in town.liars {
            for request in liar.requests where request.path == "/add-checkpoint" {
                let body = try #require(AddCheckpointRequest(parsing: request.body))
                #expect(String(decoding: body.note, as: UTF8.self).components(separatedBy: "\u{2014}").count == 2)
            }
        }
        try await town.presigned.checkEverything(expecting: 10)
        server.stop()
    }

    @Test func oneWitnessAwayStopsNothingAndTwoStopEverything() async throws {
        let town = try Town(scratch: scratch)
        let server = try town.serve()
        #expect(try await town.send(0) == 201)
        town.witnesses[0].kill()
        for index in 1..<5 { #expect(try await town.send(index) == 201) }
        town.witnesses[1].kill()
        // What is under way waits; it is not shown, and nothing new is taken.
        let lost = await town.presigned.send(5)
        #expect(lost == 503)
        let (shown, quorum) = try await town.shown()
        #expect(shown.size == 5 && quorum != nil)
        #expect(try await town.presigned.get("tally").json["signatures"] as? Int == 5)
        let before = try town.stored()
        let refused = try await town.presigned.answer(to: 6)
        #expect(try town.stored() == before && before == 6, "nothing more is admitted, not even stored")
        #expect(refused.status == 503 && refused.rule == "busy" && refused.headers["retry-after"] != nil)
        #expect((refused.json["detail"] as? String)?.contains("witnesses") == true, "\(refused.json)")
        #expect(server.said.contains("counts as absent"), "\(server.said)")
        // Whoever looks is told since when; that is minutes at most, so the page needs some seconds to say so.
        var page = ""
        for _ in 0..<150 where !page.contains("Signatures wait for their witnesses since") {
            try await Task.sleep(for: .milliseconds(100))
            let url = town.presigned.petition.logURL(aggregator: 0).text
            page = String(decoding: try await HTTP.get(url, headers: ["accept": "text/html"]).body, as: UTF8.self)
        }
        #expect(page.contains("Signatures wait for their witnesses since"))
        let metrics = try await town.presigned.metrics()
        #expect(metrics.contains("roundrobin_witness_absent{") && metrics.contains("w1.example/w"), "\(metrics)")
        // Nor is more to be read, or to be copied: an export has what is shown, with its lines.
        for path in ["tile/entries/000.p/6", "tile/0/000.p/6"] {
            #expect(try await town.presigned.get(path).status == 404, "\(path)")
        }
        #expect(try await town.presigned.get("tile/entries/000.p/5").status == 200)
        let export = try Programs.run("petition-aggregator", ["export", "copy"], in: scratch.url)
        #expect(export.code == 0, "\(export.errors)")
        let copied = try town.read(
            [UInt8](Data(contentsOf: scratch.url.appending(path: "copy/aggregators/0/checkpoint"))))
        #expect(copied.checkpoint.size == 5 && copied.quorum != nil)
        // One is back: everything goes on by itself, and the record that waited has its receipt.
        try town.witnesses[1].start()
        #expect(try await town.send(5) == 200)
        #expect(try await town.send(6) == 201)
        #expect(try await town.waits(for: 7))
        try await town.presigned.checkEverything(expecting: 7)
        server.stop()
    }

    /// Whatever one witness answers, the log goes on with the other two.
    @Test(arguments: [
        (404, ""), (403, ""), (500, "no"), (429, ""), (409, "999\n"), (409, "0\n"), (409, ""),
        (409, "18446744073709551616\n"),
        (422, ""), (400, ""), (301, ""), (200, ""), (200, "\u{2014} w0.example/w AAAAAAAAAAAA\n"),
    ])
    func oneHostileWitnessStopsNothing(status: Int, body: String) async throws {
        let town = try Town(scratch: scratch)
        town.liars[0].lie(at: "/add-checkpoint", status: status, Array(body.utf8))
        let server = try town.serve()
        for index in 0..<4 { #expect(try await town.send(index) == 201, "\(server.said)") }
        #expect(try await town.waits(for: 4))
        #expect(server.said.contains("counts as absent"), "\(server.said)")
        // It is asked again, but ever more rarely: nobody makes this server busy.
        #expect(town.liars[0].requests.count < 20, "\(town.liars[0].requests.count)")
        let note = try SignedNote(parsing: [UInt8](try await town.presigned.get("checkpoint").body))
        #expect(
            try note.cosignatures(by: town.policy.keys).map(\.key) == [town.witnesses[1].key, town.witnesses[2].key])
        server.stop()
    }

    @Test func linesThatDoNotVerifyAreNeverShown() async throws {
        let town = try Town(scratch: scratch)
        let server = try town.serve()
        #expect(try await town.send(0) == 201)
        // A line of another checkpoint by the right key, and one of the right checkpoint by a wrong key.
        let (old, _) = try await town.shown()
        // A quorum is enough to be answered; the first witness may come a moment later.
        var note = try SignedNote(parsing: [UInt8](try await town.presigned.get("checkpoint").body))
        for _ in 0..<200 where try note.cosignatures(by: [town.witnesses[0].key]).isEmpty {
            try await Task.sleep(for: .milliseconds(50))
            note = try SignedNote(parsing: [UInt8](try await town.presigned.get("checkpoint").body))
        }
        let stale = try #require(try note.cosignatures(by: [town.witnesses[0].key]).first)
        let thief = Ed25519SecretKey(seed: SecretBytes(copying: [UInt8](repeating: 77, count: 32)))
        let forged = thief.cosign(old, name: "w0.example/w", at: stale.time)
        town.liars[0].lie(at: "/add-checkpoint", Array((stale.line + forged).utf8))
        #expect(try await town.send(1) == 201)
        let shown = String(decoding: try await town.presigned.get("checkpoint").body, as: UTF8.self)
        #expect(!shown.contains(stale.line) && !shown.contains(forged))
        server.stop()
    }

    /// A claim is looked into: what the log's own key signed and its entries do not give ends the log.
    @Test func aLogEndsForEvidenceAndForNothingElse() async throws {
        let town = try Town(scratch: scratch)
        let server = try town.serve()
        #expect(try await town.send(0) == 201)
        let key = town.presigned.petition.logKey(aggregator: 0)
        let path = "/\(SHA256.hash(Array(key.name.utf8)).hex)/checkpoint"
        let seed = [UInt8](try Data(contentsOf: scratch.url.appending(path: "aggregator/note.key")))
        let secret = Ed25519SecretKey(seed: SecretBytes(copying: seed))
        // Two witnesses claim; what they show is not signed by the log, or is the log itself.
        let stranger = MadeLog(origin: key.name, seed: 5)
        town.liars[0].lie(at: "/add-checkpoint", status: 409, Array("7\n".utf8))
        town.liars[0].lie(at: path, stranger.note(7))
        #expect(try await town.send(1) == 201)
        let honest = [UInt8](try await town.presigned.get("checkpoint").body)
        town.liars[0].lie(at: path, honest)
        #expect(try await town.send(2) == 201)
        #expect(!FileManager.default.fileExists(atPath: scratch.path("aggregator/evidence")))
        // Now it shows what the log's own key signed: another tree of a size that the log has.
        let fork = Checkpoint(origin: key.name, size: 2, root: MerkleHash.leaf(Array("fork".utf8)))
        town.liars[1].lie(at: "/add-checkpoint", status: 422, [])
        town.liars[1].lie(at: path, fork.signed(by: secret))
        for _ in 0..<50 where !FileManager.default.fileExists(atPath: scratch.path("aggregator/evidence")) {
            _ = await town.presigned.send(3)
            try await Task.sleep(for: .milliseconds(200))
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: scratch.path("aggregator/evidence"))
        #expect(files.count == 1)
        let evidence = try Data(contentsOf: scratch.url.appending(path: "aggregator/evidence/\(files[0])"))
        #expect([UInt8](evidence) == fork.signed(by: secret))
        let refused = try await town.presigned.answer(to: 4)
        #expect(refused.status == 503 && (refused.json["detail"] as? String)?.contains("has ended") == true)
        server.stop()
        // It stays ended.
        let again = try town.serve()
        #expect(try await town.presigned.answer(to: 4).status == 503)
        again.stop()
    }

    /// A backup that is restored together with what was published looks consistent to itself. The witnesses know more.
    @Test(.onFiles) func aRestoredBackupSignsNothing() async throws {
        let town = try Town(scratch: scratch)
        var server = try town.serve()
        #expect(try await town.send(0) == 201)
        server.stop()
        let folder = scratch.path("aggregator"), copy = scratch.path("aggregator-copy")
        try FileManager.default.copyItem(atPath: folder, toPath: copy)
        server = try town.serve()
        for index in 1..<4 { #expect(try await town.send(index) == 201) }
        #expect(try await town.waits(for: 4))
        server.stop()
        try FileManager.default.removeItem(atPath: folder)
        try FileManager.default.moveItem(atPath: copy, toPath: folder)
        server = try town.serve()
        for index in 4..<8 { #expect(await town.presigned.send(index) == 503) }
        #expect(server.said.contains("claims to have cosigned 4 entries"), "\(server.said)")
        for witness in town.witnesses {
            #expect(!(try witness.run("status").output.contains("WRONG")), "nothing was signed over it")
        }
        server.stop()
    }

    @Test func killedAtAnyMomentItShowsWhatItShowed() async throws {
        let town = try Town(records: 64 * 4, scratch: scratch)
        let presigned = town.presigned
        let sending = Task { await presigned.sendAll(parallel: 4) }
        defer { sending.cancel() }
        var shown: UInt64 = 0
        for _ in 0..<12 {
            let server = try town.serve()
            for _ in 0..<Int.random(in: 1...8) {
                if let (checkpoint, quorum) = try? await town.shown() {
                    #expect(checkpoint.size >= shown, "what was shown is shown again")
                    #expect(checkpoint.size == 0 || quorum != nil)
                    shown = max(shown, checkpoint.size)
                }
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...60)))
            }
            server.kill()
        }
        let server = try town.serve()
        await sending.value
        #expect(town.presigned.received == town.presigned.records.count)
        try await town.presigned.checkEverything(expecting: town.presigned.records.count)
        for receipt in try town.presigned.receipts() { #expect(try town.read(receipt.checkpoint).quorum != nil) }
        server.stop()
    }

    // MARK: Time

    @Test func anIdleLogIsRenewedEveryHourAndReceiptsKeepTheEarliestTime() async throws {
        let clock = try MovedClock(in: scratch, ahead: 0)
        let town = try Town(clock: clock, scratch: scratch)
        let server = try town.serve()
        #expect(try await town.send(0) == 201)
        let first = try #require(try await town.shown().quorum)
        // The hour is that of the clock of the machine, which moves for witnesses and aggregator alike.
        try clock.move(ahead: 3700)
        var newest = first
        for _ in 0..<100 where newest < first + 3600 {
            newest = try await town.shown().quorum ?? 0
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(newest >= first + 3600, "\(newest - first)")
        let again = try await town.presigned.answer(to: 0)
        let receipt = try LogProof(parsing: [UInt8](again.body))
        #expect(try town.read(receipt.checkpoint).quorum == first, "a receipt says since when")
        server.stop()
    }

    @Test func inTheLastSecondsNothingIsTakenAndTheClosingNoteStays() async throws {
        let clock = try MovedClock(in: scratch, ahead: 0)
        let town = try Town(clock: clock, scratch: scratch)
        let server = try town.serve()
        #expect(try await town.send(0) == 201)
        let closes = town.presigned.petition.text.closes.seconds
        let now = Int64(Date.now.timeIntervalSince1970)
        try clock.move(ahead: Int(closes - now) - 8)
        #expect(try await town.presigned.answer(to: 1).rule == "petition-closed")
        #expect(try await town.presigned.get("closing").status == 404)
        try clock.move(ahead: Int(closes - now) + 60)
        let note = try await town.presigned.get("closing")
        #expect(note.status == 200)
        let (checkpoint, quorum) = try town.read([UInt8](note.body))
        #expect(checkpoint.size == 1 && quorum.map { Int64($0) <= closes } == true)
        #expect(await town.presigned.send(0) == 200, "the receipt of what is in the log is still given")
        server.stop()
    }

    @Test func whatWasInTimeGetsATimelyReceiptAlsoAfterTheEnd() async throws {
        let clock = try MovedClock(in: scratch, ahead: 0)
        let town = try Town(clock: clock, scratch: scratch)
        let server = try town.serve()
        #expect(try await town.send(0) == 201)
        // The next record is stored, and its quorum comes only after the petition has closed.
        for witness in town.witnesses.prefix(2) { witness.kill() }
        #expect(await town.presigned.send(1) == 503)
        let closes = town.presigned.petition.text.closes.seconds
        try clock.move(ahead: Int(closes - Int64(Date.now.timeIntervalSince1970)) + 60)
        for witness in town.witnesses.prefix(2) { try witness.start(faults: ["FAULT_CLOCK": clock.path]) }
        #expect(try await town.waits(for: 2))
        for (index, isTimely) in [(0, true), (1, false)] {
            let answer = try await town.presigned.answer(to: index)
            #expect(answer.status == 200, "\(answer.json)")
            let (checkpoint, quorum) = try town.read(try LogProof(parsing: [UInt8](answer.body)).checkpoint)
            #expect(checkpoint.size == (isTimely ? 1 : 2))
            #expect(try (Int64(#require(quorum)) <= closes) == isTimely, "\(index): \(String(describing: quorum))")
        }
        server.stop()
    }

    // MARK: Operators

    @Test func nobodyIsCalledUnasked() async throws {
        let witness = try TestWitness("w", in: scratch)
        try scratch.write("witness w \(witness.key.vkey) \(witness.url)\nquorum w\n", to: "policy")
        let presigned = try PresignedAggregator(records: 64, policy: "policy", in: scratch)
        try witness.trust(presigned.petition)
        try witness.start()
        let asked = try Programs.run("petition-aggregator", ["add", "load/petition"], in: scratch.url)
        #expect(asked.code == 2 && asked.errors.contains("there is no terminal to ask: Call these addresses?"))
        #expect(asked.errors.contains("w.example/w at \(witness.url)"), "\(asked.errors)")
        let agreed = try Programs.run("petition-aggregator", ["add", "--yes", "load/petition"], in: scratch.url)
        #expect(agreed.code == 0, "\(agreed.errors)")
    }
}
