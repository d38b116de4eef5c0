import Documents
import Foundation
import Petitions
import Testing

/// The aggregator's interface, used by hostile and honest clients.
@Suite struct AggregatorHTTPTests {
    private func record(_ deployment: Deployment, _ person: Int) throws -> Data {
        let file = "record-\(person)"
        try deployment.expectSigner(
            person, "sign", with: ["--minimum-ring", "4", "--yes", "--out", file, deployment.petition])
        return try Data(contentsOf: deployment.folder.appending(path: file))
    }

    private func post(_ deployment: Deployment, _ record: Data) async throws -> HTTP {
        try await HTTP.post(deployment.petition + "/records", record, type: "application/octet-stream")
    }

    /// Withdrawals of nothing can be made in any number: each costs a look-up, and many of them cost their sender work.
    @Test func withdrawalsOfNothingAreCheapAndSoonCostWork() async throws {
        let deployment = try Deployment(people: 4)
        try deployment.seal(0..<4)
        try deployment.petition()
        // The generator as a tag, and a proof that could not hold.
        var withdrawal = Data([2]) + Ristretto255.generator + Data(count: 64)
        #expect(try await post(deployment, withdrawal).rule == "not-signed")
        // Never remembered: the tag may sign later.
        #expect(try await post(deployment, withdrawal).rule == "not-signed")
        var statuses: [Int] = []
        for number in 0..<40 where !statuses.contains(429) {
            withdrawal[withdrawal.count - 1] = UInt8(number % 16)
            statuses.append(try await post(deployment, withdrawal).status)
        }
        #expect(statuses.contains(429), "\(statuses)")
        #expect(statuses.allSatisfy { [409, 429].contains($0) }, "\(statuses)")
    }

    @Test func wrongRecordsAreRefusedByTheRuleTheyBreakAndNothingIsAdmitted() async throws {
        let deployment = try Deployment(people: 4)
        try deployment.seal(0..<4)
        try deployment.petition()
        let good = try record(deployment, 0)
        func changed(_ index: Int, _ value: (UInt8) -> UInt8) -> Data {
            var bytes = good
            bytes[index] = value(bytes[index])
            return bytes
        }
        let cases: [(String, Data, Int)] = [
            ("malformed-record", Data(), 400),
            ("malformed-record", Data([1]), 400),
            ("malformed-record", changed(0) { _ in 3 }, 400),
            ("malformed-record", good.dropLast(), 400),
            ("malformed-record", good + [0], 400),
            ("ring-not-admitted", changed(1) { _ in 1 }, 403),
            ("ring-not-admitted", changed(5) { _ in 9 }, 403),
            // Bit 255 of the tag: the same point to libsodium, but a second name for it to us.
            ("non-canonical-point", changed(37) { $0 | 0x80 }, 400),
            ("identity-point", good.prefix(6) + Data(count: 32) + good.dropFirst(38), 400),
            ("non-canonical-scalar", changed(good.count - 1) { _ in 0xFF }, 400),
            ("proof-invalid", changed(good.count - 32) { $0 ^ 1 }, 422),
            ("too-large", Data(count: 1127), 413),
        ]
        for (rule, bytes, status) in cases {
            let answer = try await post(deployment, bytes)
            #expect(
                answer.rule == rule && answer.status == status, "\(rule): \(answer.rule ?? "none") \(answer.status)")
        }
        for _ in 0..<200 {
            let junk = Data((0..<Int.random(in: 0...1126)).map { _ in UInt8.random(in: 0...255) })
            #expect(try await post(deployment, junk).status >= 400)
        }
        #expect(try await HTTP.get(deployment.petition + "/tally").json["treeSize"] as? Int == 0)
        #expect(try await post(deployment, good).status == 201)
    }

    @Test func sixtyFourClientsWithOneRecordGetOneEntryAndTheSameReceiptIndex() async throws {
        let deployment = try Deployment(people: 4)
        try deployment.seal(0..<4)
        try deployment.petition()
        let first = try record(deployment, 0)
        // The same member's second record, from a wallet that does not know the first.
        try deployment.expectSigner(1, "export", with: ["backup"])
        let other = try record(deployment, 1)
        _ = try Programs.run(
            "petition-signer", ["import", "--wallet", "wallet-50", "--passphrase-fd", "0", "backup"],
            in: deployment.folder,
            passphrase: "passphrase of 1")
        let fresh = try Programs.run(
            "petition-signer",
            [
                "sign", "--wallet", "wallet-50", "--passphrase-fd", "0", "--minimum-ring", "4", "--yes", "--despite",
                "restored-wallet", "--out", "fresh", deployment.petition,
            ],
            in: deployment.folder, passphrase: "passphrase of 1")
        #expect(fresh.code == 0, "\(fresh.errors)")
        let twin = try Data(contentsOf: deployment.folder.appending(path: "fresh"))
        #expect(twin != other && twin[6..<38] == other[6..<38])
        let records = (0..<64).map { [first, other, twin, other][$0 % 4] }
        let answers = try await withThrowingTaskGroup(of: (Data, HTTP).self) { group in
            for record in records { group.addTask { (record, try await self.post(deployment, record)) } }
            return try await group.reduce(into: [(Data, HTTP)]()) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0.1.status == 200 || $0.1.status == 201 })
        #expect(answers.filter { $0.1.status == 201 }.count == 2)
        func indexes(_ tag: Data) -> Set<String> {
            Set(
                answers.filter { $0.0[6..<38] == tag }.map { answer in
                    String(decoding: answer.1.body, as: UTF8.self).split(separator: "\n")[1].description
                })
        }
        #expect(indexes(first[6..<38]).count == 1 && indexes(other[6..<38]).count == 1)
        let tally = try await HTTP.get(deployment.petition + "/tally")
        #expect(tally.json["signatures"] as? Int == 2 && tally.json["treeSize"] as? Int == 2)
    }

    @Test func tallyAndLogAreServedAsDocumented() async throws {
        let deployment = try Deployment(people: 4)
        try deployment.seal(0..<4)
        try deployment.petition()
        #expect(try deployment.sign(0).code == 0)
        let tally = try await HTTP.get(deployment.petition + "/tally")
        for field in [
            "id", "title", "signatures", "withdrawn", "goal", "nextGoal", "perLabel", "treeSize", "rootHash",
            "checkpointTime", "opens", "closes", "status",
        ] {
            #expect(tally.json[field] != nil, "\(field)")
        }
        #expect(tally.json["status"] as? String == "open")
        let tag = try #require(tally.headers["etag"])
        #expect(try await HTTP.get(deployment.petition + "/tally", headers: ["if-none-match": tag]).status == 304)
        #expect(
            try await HTTP.get(deployment.petition, headers: ["accept": "application/json"]).json["signatures"] as? Int
                == 1)
        let page = try await HTTP.get(deployment.petition, headers: ["accept": "text/html"])
        #expect(String(decoding: page.body, as: UTF8.self).contains("Please <strong>act</strong>."))
        #expect(try await HTTP.get(deployment.petition + "/checkpoint").status == 200)
        #expect(try await HTTP.get(deployment.petition + "/tile/0/000.p/1").body.count == 32)
        #expect(try await HTTP.get(deployment.aggregatorURL + "/health").json["status"] as? String == "ok")
        #expect(try await HTTP.get(deployment.aggregatorURL + "/petitions/none/tally").rule == "not-found")
        let receipt = try await HTTP.get(deployment.coordinatorURL + "/petitions/\(deployment.id)/announcement")
        #expect(String(decoding: receipt.body, as: UTF8.self).hasPrefix("c2sp.org/tlog-proof@v1\nindex 1\n"))
    }

    @Test func petitionsThatAreNotOpenTakeNothing() async throws {
        for (opens, closes, rule) in [
            ("2090-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "petition-not-open"),
            ("2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z", "petition-closed"),
        ] {
            let deployment = try Deployment(people: 4)
            try deployment.seal(0..<4)
            // Nobody makes a petition that is closed already: one was made years ago.
            try deployment.petition(opens: opens, closes: closes, clock: "\(-6 * 366 * 86_400)")
            let run = try deployment.sign(0)
            #expect(run.code == 1 && run.errors.contains(rule == "petition-closed" ? "closed at" : "opens at"))
            // An insistent client: a well-formed withdrawal, refused because of the time before its proof is examined.
            var withdrawal = Data([2])
            withdrawal += Ristretto255.generator
            withdrawal += Data(count: 64)
            let answer = try await post(deployment, withdrawal)
            #expect(answer.rule == rule && answer.status == 403)
            let page = String(decoding: try await HTTP.get(deployment.petition).body, as: UTF8.self)
            #expect(
                page.contains(rule == "petition-closed" ? "Closed since January 1, 2021" : "Opens on January 1, 2090"))
        }
    }

    @Test func anAggregatorKilledAtAnyMomentKeepsWhatItAcknowledged() async throws {
        let deployment = try Deployment(people: 10)
        try deployment.seal(0..<10)
        try deployment.petition()
        let records = try (0..<10).map { try record(deployment, $0) }
        for record in records {
            async let answer = try? post(deployment, record)
            usleep(UInt32.random(in: 0...25_000))
            deployment.aggregator?.kill()
            let first = await answer
            try deployment.restartAggregator()
            let second = try await post(deployment, record)
            #expect(second.status == 200 || second.status == 201)
            // A record acknowledged before the kill is in the log after it.
            if first?.status == 201 { #expect(second.status == 200) }
        }
        try deployment.expect("petition-aggregator", "export", "copy")
        let (code, report) = try deployment.verify("copy")
        #expect(code == 0 && report["signatures"] as? Int == 10)
    }

    /// One connection carries only one fruitless write per second, even if requests are pipelined. A duplicate takes no
    /// less time than a refusal.
    @Test func oneConnectionCarriesOneFruitlessRecordASecond() async throws {
        let presigned = try PresignedAggregator(records: 64)
        let server = try presigned.serve(publishEvery: "1")
        #expect(await presigned.send(0) == 201)
        let log = presigned.petition.logURL(aggregator: 0)
        func request(_ body: [UInt8]) -> [UInt8] {
            Array("POST \(log.path)/records HTTP/1.1\r\nhost: a\r\ncontent-length: \(body.count)\r\n\r\n".utf8) + body
        }
        var wrong = presigned.records[1]
        wrong[wrong.count - 32] ^= 1
        let cases: [([UInt8], String)] = [([9, 9], "400"), (presigned.records[0], "200"), ([], "400"), (wrong, "422")]
        let connection = try Sockets.connect(UInt16(log.port))
        defer { close(connection) }
        let start = ContinuousClock.now
        Sockets.write(cases.flatMap { request($0.0) }, to: connection)
        for (index, (_, status)) in cases.enumerated() {
            let head = String(decoding: try #require(Sockets.readMessage(connection)).prefix(12), as: UTF8.self)
            #expect(head == "HTTP/1.1 \(status)")
            #expect(ContinuousClock.now - start > .seconds(index + 1))
        }
        // Once told to stop, the server does not delay answers.
        Sockets.write((0..<16).flatMap { _ in request([9, 9]) }, to: connection)
        try await Task.sleep(for: .milliseconds(500))
        let stopping = ContinuousClock.now
        server.stop()
        #expect(ContinuousClock.now - stopping < .seconds(8))
    }

    /// The number of unanswered requests on each connection is bounded.
    @Test func requestsOnTheirWayOnOneConnectionAreBounded() async throws {
        let presigned = try PresignedAggregator(records: 64)
        let server = try presigned.serve()
        let port = UInt16(presigned.petition.logURL(aggregator: 0).port)
        for (count, isServed) in [(16, true), (200, false)] {
            let connection = try Sockets.connect(port)
            defer { close(connection) }
            let requests = String(
                repeating: "PUT /health HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n", count: count)
            Sockets.write(requests.utf8, to: connection)
            let answers = (0..<count).prefix { _ in Sockets.readMessage(connection) != nil }
            #expect((answers.count == count) == isServed, "\(answers.count) of \(count)")
        }
        server.stop()
    }

    /// Rings are sealed while members of earlier rings sign, and each new member signs at once.
    @Test func theRollGrowsWhileItsMembersSign() async throws {
        let deployment = try Deployment(people: 24)
        try deployment.seal(0..<8)
        try deployment.petition(laterRings: true)
        for round in 1...2 {
            async let signing = (8 * round - 8..<8 * round).filter { try deployment.sign($0).code == 0 }.count
            try deployment.expect("petition-coordinator", "issuing", "open", "people")
            try deployment.seal(8 * round..<8 * round + 8)
            #expect(try await signing == 8)
        }
        // All at once, and of a ring that the server has not read yet.
        let answers = try await withThrowingTaskGroup(of: Int.self) { group in
            let records = try (16..<24).map { try record(deployment, $0) }
            for record in records { group.addTask { try await self.post(deployment, record).status } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0 == 201 }, "\(answers)")
        for program in ["petition-coordinator", "petition-aggregator"] { try deployment.expect(program, "fsck") }
        try deployment.expect("petition-aggregator", "export", "copy")
        let (code, report) = try deployment.verify("copy")
        #expect(code == 0 && report["signatures"] as? Int == 24)
    }

    @Test func theCountGoesOnWhileTheCoordinatorIsAway() async throws {
        let deployment = try Deployment(people: 4)
        try deployment.seal(0..<4)
        try deployment.petition(laterRings: true)
        let records = try (0..<2).map { try record(deployment, $0) }
        #expect(try await post(deployment, records[0]).status == 201)
        deployment.coordinator?.kill()
        deployment.aggregator?.kill()
        try deployment.restartAggregator()
        #expect(try await post(deployment, records[1]).status == 201)
        // An unknown ring could be a new one: the answer must wait for the roll.
        var unknown = records[0]
        unknown[5] = 7
        let answer = try await post(deployment, unknown)
        #expect(answer.status == 503 && answer.rule == "roll-unreachable" && answer.headers["retry-after"] != nil)
    }
}

private enum Ristretto255 {
    /// The encoding of the generator (RFC 9496, appendix A.1), which is no member's tag.
    static let generator = Data([
        0xe2, 0xf2, 0xae, 0x0a, 0x6a, 0xbc, 0x4e, 0x71, 0xa8, 0x84, 0xa9, 0x61, 0xc5, 0x00, 0x51, 0x5f,
        0x58, 0xe3, 0x0b, 0x6a, 0xa5, 0x82, 0xdd, 0x8d, 0xb6, 0xa6, 0x59, 0x45, 0xe0, 0x8d, 0x2d, 0x76,
    ])
}
