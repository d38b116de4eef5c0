import Documents
import Foundation
import Messages
import Petitions
import Testing
import TransparencyLog

/// An aggregator that dies, or whose disk fails, under load: nothing acknowledged is lost, nothing is logged twice, and
/// no two checkpoints contradict each other.
@Suite(.serialized, .withinTheRun) struct CrashTests {
    /// SIGKILL at random times, from immediately to long after the start. `ROUNDROBIN_KILLS` gives the number (default
    /// 60).
    @Test func killedAtAnyMoment() async throws {
        let kills = ProcessInfo.processInfo.environment["ROUNDROBIN_KILLS"].flatMap { Int($0) } ?? 60
        let presigned = try PresignedAggregator(records: 64 * 64)
        let sending = Task { await presigned.sendAll(parallel: 4) }
        defer { sending.cancel() }
        for _ in 0..<kills {
            let server = try presigned.serve()
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...120)))
            server.kill()
        }
        let server = try presigned.serve()
        await sending.value
        #expect(presigned.received == presigned.records.count)
        try await presigned.checkEverything(expecting: presigned.records.count)
        server.stop()
    }

    /// The steps of a commit: pages are written to the database's log (-wal) and made durable; the checkpoint is
    /// written beside the database, made durable and renamed into place; only then is it published and are requests
    /// answered.
    @Test(arguments: [
        ("pwrite", "-wal", "kill-before"), ("pwrite", "-wal", "kill-after"), ("sync", "-wal", "kill-before"),
        ("sync", "-wal", "kill-after"), ("pwrite", "/published/", "kill-before"),
        ("pwrite", "/published/", "kill-after"), ("sync", "/published/", "kill-before"),
        ("sync", "/published/", "kill-after"), ("rename", "/published/", "kill-before"),
        ("rename", "/published/", "kill-after"),
    ])
    func killedAtEachStepOfACommit(call: String, path: String, action: String) async throws {
        let presigned = try PresignedAggregator(records: 64)
        var deaths = 0
        for at in [1, 2, 3, 7] {
            let server = try? presigned.serve(faults: [
                "FAULT_CALL": call, "FAULT_PATH": path, "FAULT_AT": "\(at)", "FAULT_ACTION": action,
            ])
            let sending = Task { await presigned.sendAll(parallel: 4) }
            for _ in 0..<100 where server?.process.isRunning == true && !presigned.isDone {
                try await Task.sleep(for: .milliseconds(20))
            }
            sending.cancel()
            await sending.value
            if server?.process.isRunning != true { deaths += 1 }
            server?.kill()
        }
        #expect(deaths == 4)
        let server = try presigned.serve()
        await presigned.sendAll()
        try await presigned.checkEverything(expecting: 64)
        server.stop()
    }

    /// A disk that is full, fails or is read-only: requests are refused, with the reason in the server's log, and
    /// nothing is published that is not stored. Once there is room, the same server continues.
    @Test(arguments: [
        ("pwrite", "-wal", ENOSPC, "full"), ("sync", "-wal", EIO, "full"),
        ("pwrite", "/published/", ENOSPC, "No space"),
        ("sync", "/published/", EIO, "published"), ("rename", "/published/", EROFS, "Read-only"),
    ])
    func theDiskFails(call: String, path: String, error: Int32, reason: String) async throws {
        let presigned = try PresignedAggregator(records: 64)
        let lever = presigned.scratch.url.appending(path: "switch")
        let server = try presigned.serve(faults: [
            "FAULT_CALL": call, "FAULT_PATH": path, "FAULT_AT": "1", "FAULT_ACTION": "\(error)",
            "FAULT_SWITCH": lever.path,
        ])
        for index in 0..<5 { #expect(await presigned.send(index) == 201) }
        try Data().write(to: lever)
        for index in 5..<8 { #expect(await presigned.send(index) == 503) }
        #expect(server.said.contains(reason), "\(server.said)")
        #expect(try await presigned.get("tally").json["signatures"] as? Int == 5)
        let metrics = try await presigned.metrics()
        #expect(metrics.contains("roundrobin_failed_commits_total 3"))
        // There is room again: the same server continues, and publishes what it had stored but could not announce.
        try FileManager.default.removeItem(at: lever)
        if path == "/published/" {
            for _ in 0..<150 where try await presigned.get("tally").json["signatures"] as? Int != 8 {
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(try await presigned.get("tally").json["signatures"] as? Int == 8)
        }
        await presigned.sendAll()
        try await presigned.checkEverything(expecting: 64)
        server.stop()
    }

    /// A real file system that is too small, and is enlarged while the server runs.
    @Test(.enabled(if: getuid() == 0, "only root may mount")) func theFileSystemIsTooSmall() async throws {
        let presigned = try PresignedAggregator(records: 64 * 32, megabytes: 2)
        let server = try presigned.serve()
        let sending = Task { await presigned.sendAll() }
        for _ in 0..<600 where !server.said.contains("error=the disk is full") {
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(server.said.contains("error=the disk is full"), "\(server.said)")
        let received = presigned.received
        #expect(received < presigned.records.count && server.process.isRunning)
        #expect(try await presigned.get("tally").status == 200)
        try presigned.resize(megabytes: 64)
        await sending.value
        try await presigned.checkEverything(expecting: presigned.records.count)
        server.stop()
    }

    @Test func anOlderOrAnotherDatabaseIsNotServed() async throws {
        let presigned = try PresignedAggregator(records: 64)
        let folder = presigned.scratch.url.appending(path: "aggregator")
        func database(_ body: (URL) throws -> Void) throws {
            for suffix in ["-wal", "-shm"] {
                try? FileManager.default.removeItem(at: folder.appending(path: "aggregator.sqlite\(suffix)"))
            }
            try body(folder.appending(path: "aggregator.sqlite"))
        }
        func refusal() throws -> String {
            let run = try Programs.run("petition-aggregator", ["serve"], in: presigned.scratch.url)
            #expect(run.code == 1)
            return run.errors
        }
        let empty = presigned.scratch.url.appending(path: "empty.sqlite")
        let first = try presigned.serve()
        #expect(try Programs.run("petition-aggregator", ["backup", empty.path], in: presigned.scratch.url).code == 0)
        for index in 0..<3 { #expect(await presigned.send(index) == 201) }
        let three = presigned.scratch.url.appending(path: "three.sqlite")
        // While it runs.
        #expect(try Programs.run("petition-aggregator", ["backup", three.path], in: presigned.scratch.url).code == 0)
        #expect(try Programs.run("petition-aggregator", ["backup", three.path], in: presigned.scratch.url).code == 1)
        for index in 3..<5 { #expect(await presigned.send(index) == 201) }
        // Not the server's own file: when it stops, the newest commits may still be in the log beside it.
        let whole = presigned.scratch.url.appending(path: "five.sqlite")
        #expect(try Programs.run("petition-aggregator", ["backup", whole.path], in: presigned.scratch.url).code == 0)
        first.stop()
        let five = try Data(contentsOf: whole)
        try database { try Data(contentsOf: three).write(to: $0) }
        #expect(try refusal().contains("older than what was published"))
        // The same length, but other entries: made by a server without its record of published checkpoints.
        let memory = folder.appending(path: "published")
        let kept = presigned.scratch.url.appending(path: "kept")
        try FileManager.default.moveItem(at: memory, to: kept)
        try database { try Data(contentsOf: empty).write(to: $0) }
        let second = try presigned.serve()
        for index in 10..<15 { #expect(await presigned.send(index) == 201) }
        second.stop()
        let forgotten = folder.appending(path: "published")
        try FileManager.default.removeItem(at: forgotten)
        #expect(try refusal().contains("is not remembered"))
        try FileManager.default.moveItem(at: kept, to: memory)
        #expect(try refusal().contains("is not the one that was published"))
        // A damaged database.
        try database { url in
            var bytes = five
            for page in stride(from: 4096, to: bytes.count, by: 4096) where page % 8192 == 0 {
                bytes.replaceSubrange(page..<page + 64, with: Data(repeating: 0xA5, count: 64))
            }
            try bytes.write(to: url)
        }
        #expect(try refusal().contains("damaged"))
        // The right database.
        try database { try five.write(to: $0) }
        let last = try presigned.serve()
        #expect(await presigned.send(3) == 200)
        #expect(await presigned.send(5) == 201)
        last.stop()
    }

    /// A request that needs no new checkpoint is answered within about a second. Identical bytes are verified only
    /// once, however often they come.
    @Test func whatIsInTheLogIsAnsweredSoonAndCopiesCountOnce() async throws {
        let presigned = try PresignedAggregator(records: 64)
        let server = try presigned.serve(publishEvery: "20")
        #expect(await presigned.send(0) == 201)
        let start = ContinuousClock.now
        for _ in 0..<3 { #expect(await presigned.send(0) == 200) }
        #expect(ContinuousClock.now - start < .seconds(10))
        server.stop()
        let prompt = try presigned.serve()
        var wrong = presigned.records[1]
        wrong[wrong.count - 32] ^= 1
        let (url, body) = (presigned.petition.logURL(aggregator: 0).text + "/records", Data(wrong))
        let answers = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<64 { group.addTask { try await HTTP.post(url, body, type: "x/y").status } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0 == 422 })
        #expect(try await presigned.metrics().contains("roundrobin_work_bits 0"))
        #expect(await presigned.send(1) == 201)
        prompt.stop()
    }

    /// Checkpoints have the distance that the operator chose, and no request waits for more than two.
    @Test func checkpointsKeepTheirDistance() async throws {
        let presigned = try PresignedAggregator(records: 64)
        let interval = 2.0
        let server = try presigned.serve(publishEvery: "\(Int(interval))")
        #expect(await presigned.send(0) == 201)
        let start = ContinuousClock.now
        let waits = try await withThrowingTaskGroup(of: [Duration].self) { group in
            for person in 0..<6 {
                group.addTask {
                    try await Task.sleep(for: .milliseconds(300 * person))
                    var waits: [Duration] = []
                    for index in person * 4 + 1..<person * 4 + 5 {
                        let sent = ContinuousClock.now
                        #expect(await presigned.send(index) == 201)
                        waits.append(ContinuousClock.now - sent)
                    }
                    return waits
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        // A record that just missed a cutoff waits one interval for the next, and then for its commit.
        #expect(waits.allSatisfy { $0 < .seconds(3 * interval) }, "\(waits)")
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let key = presigned.petition.logKey(aggregator: 0)
        let sizes = Set(try presigned.receipts().map { try Checkpoint(verifying: $0.checkpoint, key: key).size })
        #expect(Double(sizes.count) < seconds / interval + 2.5, "\(sizes.sorted())")
        server.stop()
    }

    /// The aggregator stores what it knows of a roll: the coordinator may be unreachable, even when the server starts.
    @Test func theCoordinatorIsAway() async throws {
        let presigned = try PresignedAggregator(records: 64)
        let first = try presigned.serve()
        #expect(await presigned.send(0) == 201)
        presigned.stopCoordinator()
        #expect(await presigned.send(1) == 201)
        first.kill()
        let again = try presigned.serve()
        await presigned.sendAll()
        try await presigned.checkEverything(expecting: 64)
        again.stop()
    }

    /// The coordinator is not needed even for the first start: everything was stored when the petition was added.
    @Test func theCoordinatorIsAwayFromTheStart() async throws {
        let presigned = try PresignedAggregator(records: 64)
        presigned.stopCoordinator()
        let server = try presigned.serve()
        #expect(try await presigned.get("tally").json["signatures"] as? Int == 0)
        await presigned.sendAll()
        try await presigned.checkEverything(expecting: 64)
        server.stop()
    }

    /// Wrong proofs are the most expensive to detect: when many come, records need proof of work, and are counted with
    /// it.
    @Test func manyWrongProofsMakeWorkNecessary() async throws {
        let presigned = try PresignedAggregator(records: 64)
        let server = try presigned.serve()
        #expect(await presigned.send(0) == 201)
        let url = presigned.petition.logURL(aggregator: 0).text + "/records"
        func post(_ record: [UInt8], work: String? = nil) async throws -> HTTP {
            try await HTTP.send(
                "POST", url, body: Data(record), headers: work.map { [ProofOfWorkChallenge.header: $0] } ?? [:])
        }
        func wrong(_ index: Int) -> [UInt8] {
            var record = presigned.records[index]
            record[record.count - 32] ^= 1
            return record
        }
        for index in 1..<12 where try await post(wrong(index)).status == 422 {}
        let refused = try await post(presigned.records[20])
        #expect(refused.status == 429 && refused.rule == "busy")
        let demand = try #require(try ProblemDocument(parsing: [UInt8](refused.body)).work)
        #expect(demand.bits >= 10)
        let work = demand.work(for: presigned.records[20], petition: presigned.petition.id)
        // The work is not valid for another record, nor is another nonce.
        #expect(try await post(presigned.records[21], work: work).status == 429)
        #expect(try await post(presigned.records[20], work: "x").status == 429)
        #expect(try await post(presigned.records[20], work: work).status == 201)
        #expect(try await post(presigned.records[20], work: work).status == 200)
        // Wrong records that come with work raise the demand.
        for index in 30..<40 {
            let record = wrong(index)
            _ = try await post(record, work: demand.work(for: record, petition: presigned.petition.id))
        }
        let more = try #require(try ProblemDocument(parsing: [UInt8](try await post(presigned.records[21]).body)).work)
        #expect(more.bits > demand.bits)
        // Choose a record for which the old work is not enough: by chance, it would be for half of them.
        let id = presigned.petition.id
        let record = try #require(
            presigned.records[40...].first {
                !more.isMet(by: demand.work(for: $0, petition: id), for: $0, petition: id)
            })
        #expect(try await post(record, work: demand.work(for: record, petition: id)).status == 429)
        #expect(try await post(record, work: more.work(for: record, petition: id)).status == 201)
        // Records known to be wrong are refused with or without work.
        #expect(try await post(wrong(1)).status == 422)
        #expect(try await presigned.get("tally").json["signatures"] as? Int == 3)
        #expect(try await presigned.metrics().contains("roundrobin_work_bits \(more.bits)\n"))
        server.stop()
    }

    /// Wrong proofs sent before work was demanded do not raise the demand, which would cost signers for nothing.
    @Test func whatWasWrongBeforeDoesNotRaiseTheWork() async throws {
        let presigned = try PresignedAggregator(records: 64)
        let server = try presigned.serve(publishEvery: "1")
        #expect(await presigned.send(0) == 201)
        let log = presigned.petition.logURL(aggregator: 0)
        // More than one batch, all sent before any is examined.
        let connections = try (0..<200).map { number in
            var wrong = presigned.records[number % 64]
            wrong[wrong.count - 32] ^= UInt8(1 + number / 64)
            let connection = try Sockets.connect(UInt16(log.port))
            Sockets.write(
                Array("POST \(log.path)/records HTTP/1.1\r\nhost: a\r\ncontent-length: \(wrong.count)\r\n\r\n".utf8)
                    + wrong, to: connection)
            return connection
        }
        let answers = connections.map { connection in
            defer { close(connection) }
            return String(decoding: Sockets.readMessage(connection) ?? [], as: UTF8.self)
        }
        #expect(answers.filter { $0.hasPrefix("HTTP/1.1 422") }.count > 4)
        #expect(answers.allSatisfy { $0.hasPrefix("HTTP/1.1 422") || $0.contains("\"workBits\":10") })
        #expect(try await presigned.metrics().contains("roundrobin_work_bits 10\n"))
        server.stop()
    }

    /// SIGTERM: accepted requests are answered, then the server exits.
    @Test func toldToStopItFinishesWhatItAccepted() async throws {
        let presigned = try PresignedAggregator(records: 64)
        let server = try presigned.serve(publishEvery: "1")
        #expect(await presigned.send(0) == 201)
        // These wait for the next checkpoint; the client has eight connections.
        async let answers = withTaskGroup(of: Int?.self) { group in
            for index in 1..<9 { group.addTask { await presigned.send(index) } }
            return await group.reduce(into: [Int?]()) { $0.append($1) }
        }
        try await Task.sleep(for: .milliseconds(300))
        server.stop()
        #expect(server.process.terminationStatus == 0)
        #expect(await answers.allSatisfy { $0 == 201 })
        let again = try presigned.serve()
        try await presigned.checkEverything(expecting: 9)
        again.stop()
    }

    /// With a clock that is wrong by a day, signatures count, and no age is negative.
    @Test func theClockIsSetBack() async throws {
        let presigned = try PresignedAggregator(records: 64)
        let first = try presigned.serve()
        for index in 0..<3 { #expect(await presigned.send(index) == 201) }
        first.stop()
        let late = try presigned.serve(faults: ["FAULT_CLOCK": "-86400"])
        for index in 2..<5 { #expect(await presigned.send(index) == (index == 2 ? 200 : 201)) }
        let metrics = try await presigned.metrics()
        #expect(metrics.contains("roundrobin_checkpoint_age_seconds") && !metrics.contains("} -"))
        late.stop()
        // Before the petition opens and after it closes, records are refused, but receipts are given.
        for years in [-20, 20] {
            let wrong = try presigned.serve(faults: ["FAULT_CLOCK": "\(years * 366 * 86_400)"])
            #expect(await presigned.send(6) == 403)
            #expect(await presigned.send(0) == 200)
            wrong.stop()
        }
        let right = try presigned.serve()
        try await presigned.checkEverything(expecting: 5)
        right.stop()
    }
}
