import Documents
import LogReading
import Petitions
import Platform
import RingSignatures
import SignerWallet
import Testing
import TransparencyLog

/// The steps of a signer, answered from memory, with a clock that advances when it waits: what they request, over which
/// connection, and when.
@Suite struct SignerStepTests {
    /// The requests over each connection, as paths below the two servers.
    private func asked(_ servers: MemoryServers, from first: Int = 0) -> [[String]] {
        var connections: [(number: Int, paths: [String])] = []
        for visit in servers.visits[first...] {
            let (url, roll) = (visit.request.url, servers.roll)
            var path = url
            for (base, name) in [
                (servers.petition?.logURL(aggregator: 0).text ?? "-", "petition"), (roll.link.url.text, "link"),
                (roll.url.text, "roll"), (roll.coordinator.text, "coordinator"),
            ] where url.hasPrefix(base) {
                path = name + url.dropFirst(base.count)
                break
            }
            if visit.request.content != nil { path = "POST " + path }
            if connections.last?.number != visit.connection { connections.append((visit.connection, [])) }
            connections[connections.count - 1].paths.append(path)
        }
        #expect(Set(connections.map(\.number)).count == connections.count, "a connection was used again")
        return connections.map(\.paths)
    }

    private func dialogue(_ told: @escaping @Sendable (String) -> Void = { _ in }) -> JoinDialogue {
        JoinDialogue(
            announce: { _, size, moment in told("join of \(size.issued) at \(moment.seconds)") },
            ask: { told("\($0.name.rawValue)") }, trouble: { told("trouble: \($0)") })
    }

    private func enrolled(_ servers: MemoryServers, _ count: Int) async throws -> [Wallet] {
        var wallets: [Wallet] = []
        for _ in 0..<count {
            let wallet = Wallet.inMemory()
            _ = try await wallet.enrol(servers.invite(), network: servers.network, clock: servers.clock)
            wallets.append(wallet)
        }
        return wallets
    }

    private func sealed(_ servers: MemoryServers, _ count: Int) async throws -> [Wallet] {
        let wallets = try await enrolled(servers, count)
        servers.openJoining()
        for wallet in wallets {
            _ = try await wallet.join(
                servers.roll, network: servers.network, floor: 2, clock: servers.clock, dialogue: dialogue())
        }
        servers.seal()
        return wallets
    }

    @Test func enrolmentAsksTheSameOfEverybodyAndSendsTheCodeLast() async throws {
        let servers = try MemoryServers()
        for count in 1...2 {
            let (link, first) = (servers.invite(), servers.visits.count)
            _ = try await Wallet.inMemory().enrol(link, network: servers.network, clock: servers.clock)
            #expect(
                asked(servers, from: first) == [
                    ["link", "coordinator/announcements/checkpoint", "coordinator/announcements/tile/entries/000.p/1"],
                    [
                        "roll/enrolment/checkpoint", "roll/members/checkpoint", "POST roll/issue",
                        "roll/enrolment/checkpoint", "roll/enrolment/tile/entries/000.p/\(2 * count)",
                    ],
                ])
        }
        #expect(servers.closed == [1, 2, 3, 4])
    }

    @Test func anotherRollThanWasShownGetsNoCode() async throws {
        let (shown, servers) = (try MemoryServers(joiningSeconds: 3600), try MemoryServers())
        #expect(shown.roll.link == servers.roll.link && shown.roll.id != servers.roll.id)
        let (link, wallet) = (servers.invite(), Wallet.inMemory())
        await #expect(throws: SignerError.self) {
            _ = try await wallet.enrol(
                link, expecting: shown.roll, network: servers.network, clock: servers.clock)
        }
        #expect(asked(servers) == [["link"]])
        _ = try await wallet.enrol(link, expecting: servers.roll, network: servers.network, clock: servers.clock)
    }

    @Test func aLostAnswerIsAskedForAgainWithTheSameBytes() async throws {
        let servers = try MemoryServers()
        let (link, wallet) = (servers.invite(), Wallet.inMemory())
        servers.lies["/issue"] = HTTPAnswer(status: 502, body: [])
        await #expect(throws: SignerError.self) {
            _ = try await wallet.enrol(link, network: servers.network, clock: servers.clock)
        }
        _ = try await wallet.enrol(link, network: servers.network, clock: servers.clock)
        let sent = servers.visits.filter { $0.request.content != nil }
        #expect(sent.count == 2)
        #expect(sent[0].request == sent[1].request)
        #expect(sent[0].connection != sent[1].connection)
    }

    @Test func joiningWaitsForItsMomentAndLooksAgainBeforeTheKeyIsSentAlone() async throws {
        let servers = try MemoryServers()
        let wallets = try await enrolled(servers, 2)
        servers.openJoining()
        let (told, first) = (Told(), servers.visits.count)
        _ = try await wallets[0].join(
            servers.roll, network: servers.network, floor: 2, clock: servers.clock, dialogue: dialogue(told.add))
        // The random number chose the end of the window.
        #expect(told.words == ["join of 2 at \(MemoryServers.start + 86_400)"])
        #expect(servers.time == MemoryServers.start + 86_400)
        let look = [
            ["link"], ["coordinator/announcements/checkpoint", "coordinator/announcements/tile/entries/000.p/1"],
            ["roll/members/checkpoint"], ["roll/enrolment/checkpoint", "roll/enrolment/tile/entries/000.p/5"],
        ]
        #expect(asked(servers, from: first) == look + look + [["POST roll/join"]])
    }

    @Test func whoWaitsForJoiningLooksNowAndThenUntilItIsOpen() async throws {
        let servers = try MemoryServers()
        let wallets = try await enrolled(servers, 2)
        let (told, first) = (Told(), servers.visits.count)
        // Joining opens while the signer waits, which it notices at its third look.
        let clock = SignerClock(
            read: { UTCTime(seconds: servers.time) },
            sleep: { duration in
                servers.time += duration.components.seconds
                let due = MemoryServers.start + 50_000
                if servers.time >= due, servers.time - duration.components.seconds < due { servers.openJoining() }
            },
            chance: { $0 - 1 }, elapsed: { .seconds(servers.time) })
        _ = try await wallets[0].join(
            servers.roll, waits: true, network: servers.network, floor: 2, clock: clock, dialogue: dialogue(told.add))
        // The longest pause is a quarter of the window, so it looks at 21,600, 43,200 and 64,800 seconds.
        let looks = servers.visits[first...].filter { $0.request.url == servers.roll.link.url.text }
        #expect(looks.count == 4)
        #expect(told.words == ["join of 2 at \(MemoryServers.start + 50_000 + 86_400)"])
        #expect(servers.pending.count == 1)
    }

    /// The moment is kept for the next start. One that was slept through is drawn again.
    @Test func aMomentToJoinOutlastsTheProgram() async throws {
        let servers = try MemoryServers()
        let wallet = try await enrolled(servers, 2)[0]
        servers.openJoining()
        let told = Told()
        func look() async throws -> Int64? {
            var attempt = JoinAttempt()
            let progress = try await wallet.goOnJoining(
                &attempt, servers.roll, network: servers.network, floor: 2, clock: servers.early,
                dialogue: dialogue(told.add))
            guard case .waits(let moment) = progress else { return nil }
            return moment.seconds
        }
        let drawn = try #require(try await look())
        #expect(drawn == MemoryServers.start + 43_200)
        servers.time += 43_000
        #expect(try await look() == drawn)
        servers.time = drawn + 600 + 1
        let again = try #require(try await look())
        #expect(again == servers.time + 60 && told.words.count == 3)
        servers.time += 60
        #expect(try await look() == nil && servers.pending.count == 1)
    }

    @Test func aKeyWhoseAnswerIsLostIsSentFourTimesAtMostEachAfterANewLook() async throws {
        let servers = try MemoryServers()
        let wallets = try await enrolled(servers, 2)
        servers.openJoining()
        let clock = SignerClock(
            read: { UTCTime(seconds: servers.time) },
            sleep: { servers.time += $0.components.seconds },
            // The beginning of every span, so that there is time to send the request again.
            chance: { _ in 0 }, elapsed: { .seconds(servers.time) })
        let first = servers.visits.count
        let told = Told()
        let wallet = wallets[0]
        servers.losesJoins = true
        await #expect(throws: SignerError.self) {
            _ = try await wallet.join(
                servers.roll, network: servers.network, floor: 2, clock: clock, dialogue: dialogue(told.add))
        }
        let sent = servers.visits[first...].filter { $0.request.url.hasSuffix("/join") }
        #expect(sent.count == 4)
        #expect(Set(sent.map(\.connection)).count == 4)
        #expect(sent.allSatisfy { $0.request == sent[0].request })
        #expect(servers.time < MemoryServers.start + 86_400)
    }

    @Test func signingAsksTheSameOfEveryMemberAndKeepsAReceipt() async throws {
        let servers = try MemoryServers()
        let wallets = try await sealed(servers, 4)
        let url = try servers.publishPetition()
        var paths: [[[String]]] = []
        let other = try MemoryServers(name: "Another").roll.id
        await #expect(throws: SignerError.notInRolls) {
            _ = try await wallets[0].prepare(
                url, as: other, network: servers.network, ringFloor: 4, clock: servers.clock)
        }
        for wallet in wallets {
            let first = servers.visits.count
            let petition = try await wallet.prepare(
                url, network: servers.network, ringFloor: 4, clock: servers.clock)
            #expect(petition.ring.members.count == 4)
            #expect(petition.risks.isEmpty)
            _ = try wallet.record(for: petition)
            let before = try #require(servers.records?.entries.count)
            #expect(
                try await wallet.submit(petition, network: servers.network, clock: servers.clock)
                    == .counted(index: UInt64(before)))
            // The log of signatures has a different size for each signer.
            paths.append(asked(servers, from: first).map { $0.filter { !$0.hasPrefix("petition/tile") } })
        }
        #expect(paths.allSatisfy { $0 == paths[0] })
        #expect(paths[0].first == ["petition/petition"])
        #expect(paths[0].last == ["POST petition/records"])
        for wallet in wallets {
            let signed = try #require(try wallet.signatures().first)
            let check = ReceiptCheck(
                petition: signed.manifest, aggregator: signed.aggregator, clock: servers.clock)
            _ = try check.check(try #require(signed.receipt), entry: try #require(signed.entry))
        }
    }

    @Test func withdrawingSendsOneRecordUnderTheSameTag() async throws {
        let servers = try MemoryServers()
        let wallets = try await sealed(servers, 2)
        let url = try servers.publishPetition()
        let petition = try await wallets[0].prepare(url, network: servers.network, ringFloor: 2, clock: servers.clock)
        _ = try wallets[0].record(for: petition)
        _ = try await wallets[0].submit(petition, network: servers.network, clock: servers.clock)
        let first = servers.visits.count
        #expect(
            try await wallets[0].withdraw(
                petition.manifest.id, network: servers.network, clock: servers.clock) == .counted(index: 1))
        #expect(asked(servers, from: first) == [["POST petition/records"]])
        let records = try #require(servers.records?.entries)
        #expect(RecordTag.of(records[0]) == RecordTag.of(records[1]))
    }

    @Test func aLogThatForgetsTheOwnEntryIsNoticed() async throws {
        let servers = try MemoryServers()
        let wallets = try await enrolled(servers, 3)
        servers.enrolment.entries.removeLast()
        servers.openJoining()
        await #expect {
            _ = try await wallets[2].join(
                servers.roll, network: servers.network, floor: 2, clock: servers.clock, dialogue: dialogue())
        } throws: { error in
            guard case .logBroken = error as? SignerError else { return false }
            return true
        }
        #expect(servers.pending.isEmpty)
    }
}

/// The messages shown to a person.
private final class Told: Sendable {
    private let said = Mutex<[String]>([])
    var words: [String] { said.withLock { $0 } }
    func add(_ word: String) { said.withLock { $0.append(word) } }
}
