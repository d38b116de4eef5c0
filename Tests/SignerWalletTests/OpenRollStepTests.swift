import Documents
import LogReading
import Petitions
import SignerWallet
import Testing

/// A coordinator of an open roll that lies to one person. It publishes what happens in steps, so that it could leave a
/// place out, or have it in a round of its choice.
@Suite struct OpenRollStepTests {
    private let servers: MemoryServers
    private let wallet = Wallet.inMemory()

    init() throws { servers = try MemoryServers(joiningSeconds: 7200, admission: .email(domains: [])) }

    private func enrol() async throws {
        _ = try await wallet.enrol(servers.invite(), network: servers.network, clock: servers.clock)
    }

    /// What a look at the roll shows that joins if it can; nil if the key was sent.
    private func join(floor: UInt64 = 4, clock: SignerClock? = nil) async -> SignerError? {
        let dialogue = JoinDialogue(
            announce: { _, _, _ in }, ask: { risk throws(SignerError) in throw .notAgreed(risk) })
        do {
            _ = try await wallet.join(
                servers.roll, network: servers.network, floor: floor, clock: clock ?? servers.clock, dialogue: dialogue)
            return nil
        } catch { return error }
    }

    @Test func aPlaceMustBeInTheLogAfterTwoSteps() async throws {
        try await enrol()
        servers.enrolCrowd(5)
        #expect(await join() == .joiningNotOpen(issued: 5))
        servers.time += 1500
        #expect(await join() == .joiningNotOpen(issued: 5))
        servers.time += 1
        #expect(await join() == .issueNotLogged)
        // Neither is that waited for in silence.
        #expect(!SignerError.issueNotLogged.isWaitedFor && !SignerError.issueNotLogged.endsPlan)
        servers.publishStep()
        servers.openJoining()
        #expect(await join() == nil && servers.pending.count == 6)
    }

    @Test func joiningThatOpensWithoutThePlaceOfThisPersonIsNotJoined() async throws {
        try await enrol()
        servers.enrolCrowd(5)
        servers.openJoining()
        #expect(await join() == .issueNotLogged)
        #expect(servers.pending.count == 5)
    }

    @Test func aPlaceInALaterSmallRoundIsNotJoined() async throws {
        try await enrol()
        servers.enrolCrowd(5)
        servers.openJoining()
        servers.seal()
        servers.openIssuing(round: 1)
        servers.publishStep()
        servers.enrolCrowd(1)
        servers.time += 7200
        servers.openJoining(round: 1)
        let found = await join()
        #expect(found == .roundTooSmall(issued: 2, floor: 4), "\(String(describing: found))")
        #expect(SignerError.roundTooSmall(issued: 2, floor: 4).endsPlan && servers.pending.count == 1)
    }

    /// However often the program begins again, a coordinator that never answers sees the key four times.
    @Test func aKeyIsSentFourTimesInAll() async throws {
        try await enrol()
        servers.enrolCrowd(5)
        servers.publishStep()
        servers.openJoining()
        servers.losesJoins = true
        let dialogue = JoinDialogue(
            announce: { _, _, _ in }, ask: { risk throws(SignerError) in throw .notAgreed(risk) })
        var errors: [SignerError] = []
        for _ in 0..<7 {
            var attempt = JoinAttempt()
            for _ in 0..<2 {
                do {
                    let progress = try await wallet.goOnJoining(
                        &attempt, servers.roll, network: servers.network, floor: 4, clock: servers.early,
                        dialogue: dialogue)
                    if case .waits(let moment) = progress { servers.time = max(servers.time, moment.seconds) }
                } catch { errors.append(error) }
            }
        }
        #expect(servers.visits.count { $0.request.url.hasSuffix("/join") } == 4)
        let unanswered = SignerError.joinUnanswered(link: servers.roll.link.url.text)
        #expect(errors.last == unanswered && !unanswered.isWaitedFor && !unanswered.endsPlan, "\(errors)")
        // A person who asks for it again gets four more.
        servers.losesJoins = false
        #expect(await join(clock: servers.early) == nil)
    }

    @Test func joiningThatIsOpenForOnePersonAloneIsNotJoined() async throws {
        try await enrol()
        servers.enrolCrowd(5)
        servers.publishStep()
        let others = servers.enrolment.entries
        servers.openJoining()
        // Before the key is sent, everything is read again by somebody who might be anybody: they see no opening.
        let clock = SignerClock(
            read: { [servers] in UTCTime(seconds: servers.time) },
            sleep: { [servers] duration in
                servers.time += duration.components.seconds
                servers.enrolment.entries = others
            },
            chance: { $0 - 1 }, elapsed: { [servers] in .seconds(servers.time) })
        guard case .logBroken(let found) = await join(clock: clock) else { throw SignerError.declined }
        #expect(found.isShorter && servers.pending.count == 5)
        // When the others' log goes on, it is another one for ever, and nothing is sent by itself.
        servers.enrolCrowd(1)
        servers.openJoining()
        guard case .logBroken(let fork) = await join() else { throw SignerError.declined }
        #expect(!fork.isShorter && !SignerError.logBroken(fork).isWaitedFor && servers.pending.count == 6)
    }
}
