import Bytes
import Documents
import Foundation
import LogReading
import Petitions
import RingSignatures
import SignerWallet
import Sodium
import Testing
import TransparencyLog
import WalletFiles

/// Signing in a roll that is not read in full each time. The wallets here find a roll of more than 64 members large.
@Suite struct LargeRollTests {
    private let servers: MemoryServers

    init() throws { servers = try MemoryServers() }

    /// Crowds of six wallets: 726 members in 46 rings are 772 entries, so that all rings but one end in full tiles.
    private static let settled = [Int](repeating: 120, count: 6)

    /// One of six wallets, whose ring ends in a full tile.
    private func settledWallet() async throws -> Wallet {
        for wallet in try await sealed(Self.settled) where try await learn(wallet).number < 45 { return wallet }
        throw SignerError.ringNotSealed
    }

    /// Wallets that joined in one round, each with a crowd of its own size.
    private func sealed(_ crowds: [Int], round: UInt32 = 0) async throws -> [Wallet] {
        var wallets: [Wallet] = []
        for crowd in crowds {
            let wallet = Wallet.inMemory()
            wallet.mostMembersReadInFull = 64
            _ = try await wallet.enrol(servers.invite(), network: servers.network, clock: servers.clock)
            servers.enrolCrowd(crowd)
            wallets.append(wallet)
        }
        servers.openJoining(round: round)
        for wallet in wallets {
            _ = try await wallet.join(
                servers.roll, network: servers.network, floor: 2, clock: servers.clock,
                dialogue: JoinDialogue(announce: { _, _, _ in }, ask: { _ in }))
        }
        servers.seal()
        return wallets
    }

    private func nextRound(_ round: UInt32, crowd: Int) {
        servers.openIssuing(round: round)
        servers.enrolCrowd(crowd)
        servers.openJoining(round: round)
        servers.seal()
    }

    private func learn(_ wallet: Wallet) async throws -> FoundRing {
        try await wallet.learnRing(in: servers.roll, network: servers.network, clock: servers.clock)
    }

    private func prepare(_ wallet: Wallet, _ url: ServiceURL) async throws -> SignablePetition {
        try await wallet.prepare(url, network: servers.network, ringFloor: 2, clock: servers.clock)
    }

    /// The requests that `body` makes, each with the position of its connection among those that were used.
    private func asked(_ body: () async throws -> Void) async throws -> [String] {
        let first = servers.visits.count
        try await body()
        let visits = servers.visits[first...]
        return visits.map { "\($0.connection - (visits.first?.connection ?? 0)) \($0.request.url)" }
    }

    @Test func whatIsReadIsTheSameForAllMembersOfTheRoll() async throws {
        let wallets = try await sealed(Self.settled)
        let url = try servers.publishPetition()
        var (rings, lists): (Set<UInt32>, [[String]]) = ([], [])
        // One reads early, and others when the roll has grown.
        for (position, wallet) in wallets.enumerated() {
            if position == 3 { nextRound(1, crowd: 300) }
            rings.insert(try await learn(wallet).number)
        }
        // Whose ring ends in the last tile reads again: that is one ring of 46.
        for wallet in wallets where (try? await prepare(wallet, url)) == nil { _ = try await learn(wallet) }
        for wallet in wallets {
            let first = lists.count
            lists.append(
                try await asked {
                    let petition = try await prepare(wallet, url)
                    #expect(petition.isOfLargeRoll && petition.risks.isEmpty)
                    #expect(petition.ring.members.count > 2)
                    if first == 0 { _ = try wallet.record(for: petition) }
                })
        }
        #expect(rings.count > 1, "all wallets are in one ring")
        #expect(lists.allSatisfy { $0 == lists[0] })
        // No entry of the roll but those around the end of what the petition refers to.
        let bundles = lists[0].filter { $0.contains(servers.roll.id.hex) && $0.contains("/tile/entries/") }
        let end = try #require(servers.petition?.rolls[0].size)
        #expect(bundles.map { $0.split(separator: "/").last.map(String.init) } == [twoDigits(Int(end - 1) / 256)])
    }

    private func twoDigits(_ number: Int) -> String {
        "\(String(repeating: "0", count: 3 - String(number).count))\(number)"
    }

    @Test func itsRecordsCount() async throws {
        let wallets = try await sealed([400, 100])
        let url = try servers.publishPetition()
        for (position, wallet) in wallets.enumerated() {
            _ = try await learn(wallet)
            let petition = try await prepare(wallet, url)
            #expect(petition.entries == UInt64(position))
            _ = try wallet.record(for: petition)
            #expect(
                try await wallet.submit(petition, network: servers.network, clock: servers.clock)
                    == .counted(index: UInt64(position)))
        }
    }

    /// Who knows one ring can judge only its records: whether that stops a signer would tell its ring.
    @Test func recordsOfOthersAreNeitherReadNorJudged() async throws {
        let wallets = try await sealed([400, 100])
        let url = try servers.publishPetition()
        servers.count([UInt8](repeating: 1, count: 200))
        for wallet in wallets {
            _ = try await learn(wallet)
            let asked = try await asked {
                let petition = try await prepare(wallet, url)
                #expect(petition.entries == 1 && petition.checkedSignatures == nil)
            }
            #expect(asked.filter { $0.contains(url.text) }.map { $0.hasSuffix("checkpoint") } == [false, true])
        }
    }

    @Test func whoDoesNotKnowItsRingIsToldToReadTheRollFirst() async throws {
        let wallets = try await sealed([200, 100])
        let url = try servers.publishPetition()
        let link = servers.roll.link.url.text
        let first = servers.visits.count
        await #expect(throws: SignerError.ringNotKnown(link: link)) { _ = try await prepare(wallets[0], url) }
        #expect(!servers.visits[first...].contains { $0.request.url.hasSuffix("/tile/entries/000") })
        #expect(try await learn(wallets[0]).isOfLargeRoll)
        _ = try await prepare(wallets[0], url)
    }

    @Test func aSmallRollIsReadInFullAndNothingIsKept() async throws {
        let wallets = try await sealed([20, 10])
        let url = try servers.publishPetition()
        #expect(try await learn(wallets[0]).isOfLargeRoll == false)
        #expect(try await prepare(wallets[1], url).isOfLargeRoll == false)
        // When it has grown, the ring is not known any more.
        nextRound(1, crowd: 300)
        await #expect(throws: SignerError.ringNotKnown(link: servers.roll.link.url.text)) {
            _ = try await prepare(wallets[0], url)
        }
    }

    @Test func aRingAtTheEndOfWhatWasReadIsReadAgainWhenMoreFollowed() async throws {
        let wallets = try await sealed([Int](repeating: 24, count: 16))
        let url = try servers.publishPetition()
        let covered = UInt64(servers.members.entries.count) / 256 * 256
        let ledger = try ledger()
        var lasts: [Bool] = []
        for wallet in wallets {
            let ring = try await learn(wallet)
            lasts.append(ledger.rings[Int(ring.number)].sealIndex >= covered)
            _ = try await prepare(wallet, url)
        }
        // A third of the rings end in the last tile: only one time in a thousand is none of these wallets in one.
        try #require(lasts.contains(true) && lasts.contains(false))
        nextRound(1, crowd: 300)
        for (wallet, isLast) in zip(wallets, lasts) {
            if isLast {
                await #expect(throws: SignerError.ringOutgrown(link: servers.roll.link.url.text)) {
                    _ = try await prepare(wallet, url)
                }
                _ = try await learn(wallet)
            }
            _ = try await prepare(wallet, url)
        }
    }

    private func ledger() throws -> RollLedger {
        var ledger = RollLedger(servers.roll)
        for entry in servers.members.entries { try ledger.apply(RollEntry(parsing: entry)) }
        return ledger
    }

    @Test(arguments: [true, false]) func aRewrittenLogIsSeenWithoutItsEntriesAndProvenWithThem(
        isEnrolment: Bool
    ) async throws {
        let wallets = try await sealed([400, 300])
        let url = try servers.publishPetition()
        _ = try await learn(wallets[0])
        // The same size, or larger: with another entry at the beginning.
        let path = isEnrolment ? \MemoryServers.enrolment : \MemoryServers.members
        servers[keyPath: path].entries[3] = servers[keyPath: path].entries[4]
        servers[keyPath: path].entries += servers[keyPath: path].entries.prefix(300)
        let key = servers[keyPath: path].key.name
        await #expect { _ = try await prepare(wallets[0], url) } throws: {
            guard case .logBroken(let found) = $0 as? SignerError else { return false }
            return found.log == key && !found.hasEvidence && !found.isShorter
        }
        await #expect { _ = try await learn(wallets[0]) } throws: {
            guard case .logBroken(let found) = $0 as? SignerError else { return false }
            return found.log == key && found.hasEvidence
        }
    }

    @Test func aShorterLogIsNoticed() async throws {
        let wallets = try await sealed([400, 300])
        let url = try servers.publishPetition()
        _ = try await learn(wallets[0])
        servers.enrolment.entries.removeLast(10)
        await #expect { _ = try await prepare(wallets[0], url) } throws: {
            guard case .logBroken(let found) = $0 as? SignerError else { return false }
            return found.isShorter
        }
    }

    /// A roll that was made for one person has another root than the petition names.
    @Test func aRollOtherThanThePetitionsIsRefused() async throws {
        let wallets = try await sealed([400, 300])
        let url = try servers.publishPetition()
        servers.members.entries[0] = servers.members.entries[1]
        // The wallet never saw the other one.
        await #expect(throws: SignerError.rollMismatch) { _ = try await prepare(wallets[0], url) }
    }

    @Test(arguments: [1, 5, 20, (1 << 53) - 1] as [UInt64]) func aPetitionThatFixesNoEndOfTheRollIsRefused(
        size: UInt64
    ) async throws {
        let wallets = try await sealed([400, 300])
        _ = try await learn(wallets[0])
        var tree = GrowingTree()
        for entry in servers.members.entries.prefix(Int(min(size, 1000))) { tree.append(MerkleHash.leaf(entry)) }
        let url = try servers.publishPetition(size: size, root: tree.root)
        await #expect(throws: SignerError.rollMismatch) { _ = try await prepare(wallets[0], url) }
    }

    /// What was seen before is compared to its last entry when the roll is read in full, also if a look at hashes,
    /// which could not compare that, came in between.
    @Test(arguments: [true, false]) func aPrivateJoiningPhaseIsNoticedWhatever(comesFirst isSign: Bool) async throws {
        let wallet = Wallet.inMemory()
        wallet.mostMembersReadInFull = 64
        _ = try await wallet.enrol(servers.invite(), network: servers.network, clock: servers.clock)
        servers.enrolCrowd(200)
        // Shown to this person only: everybody else's log has another opening.
        let everybodys = servers.enrolment.entries
        servers.openJoining()
        _ = try await wallet.join(
            servers.roll, network: servers.network, floor: 2, clock: servers.clock,
            dialogue: JoinDialogue(announce: { _, _, _ in }, ask: { _ in }))
        servers.enrolment.entries = everybodys
        servers.time += 1
        servers.openJoining()
        servers.seal()
        let url = try servers.publishPetition()
        // Enough follows that the tile with the opening is full.
        nextRound(1, crowd: 300)
        if isSign {
            await #expect(throws: SignerError.ringNotKnown(link: servers.roll.link.url.text)) {
                _ = try await prepare(wallet, url)
            }
        }
        for _ in 0..<2 {
            await #expect { _ = try await learn(wallet) } throws: {
                guard case .logBroken(let found) = $0 as? SignerError else { return false }
                return found.hasEvidence && !found.isShorter
            }
        }
        await #expect(throws: SignerError.ringNotKnown(link: servers.roll.link.url.text)) {
            _ = try await prepare(wallet, url)
        }
    }

    /// A fork that is shown once, to somebody who reads only hashes, is proven at the next reading in full.
    @Test(arguments: [true, false]) func aForkThatOnlyHashesShowIsProvenLater(isTakenBack: Bool) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "large-roll-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let wallet = try Wallet.create(
            at: folder.appending(path: "wallet").path, passphrase: SecretBytes(copying: [1, 2, 3]))
        wallet.mostMembersReadInFull = 64
        _ = try wallet.supposeMembership(of: servers.roll)
        servers.enrolCrowd(400)
        servers.openJoining()
        servers.seal()
        let url = try servers.publishPetition()
        await #expect(throws: SignerError.ringNotSealedYet) { _ = try await learn(wallet) }
        let honest = servers.members.entries
        servers.members.entries[3] = servers.members.entries[4]
        servers.members.entries.append(servers.members.entries[0])
        await #expect { _ = try await prepare(wallet, url) } throws: {
            guard case .logBroken(let found) = $0 as? SignerError else { return false }
            return !found.hasEvidence
        }
        let fork = servers.members.entries
        let log = servers.members.key.name
        if isTakenBack {
            servers.members.entries = honest
            #expect(throws: SignerError.evidenceIncomplete(logs: [log])) { _ = try wallet.evidence() }
            // The log has to be as long as the fork was.
            await #expect(throws: SignerError.ringNotSealedYet) { _ = try await learn(wallet) }
            #expect(throws: SignerError.evidenceIncomplete(logs: [log])) { _ = try wallet.evidence() }
            nextRound(1, crowd: 100)
            await #expect(throws: SignerError.ringNotSealedYet) { _ = try await learn(wallet) }
        } else {
            await #expect(throws: SignerError.self) { _ = try await learn(wallet) }
        }
        let (bytes, unproven) = try wallet.evidence()
        #expect(try Evidence(parsing: bytes).isContradiction(of: servers.members.key) && unproven.isEmpty)
        // A newer one that cannot be proven yet hides nothing, and is not hidden. What is longer than the log ever gets
        // does not take the place of what can be proven.
        if isTakenBack { servers.members.entries[3] = fork[3] } else { servers.members.entries = honest }
        servers.members.entries += fork.prefix(isTakenBack ? 20 : 300)
        guard isTakenBack else { return }
        await #expect(throws: SignerError.self) { _ = try await prepare(wallet, url) }
        #expect(try wallet.evidence().unproven == [log])
    }

    /// A coordinator that spoils later rings stops nobody from signing what was fixed before, and everybody from
    /// signing what fixes them.
    @Test func aBadSealBehindTheRingStopsWhatFixesIt() async throws {
        let wallets = try await sealed([400, 300])
        let before = try servers.publishPetition()
        let rings = try ledger().rings.count
        servers.openIssuing(round: 1)
        servers.enrolCrowd(20)
        servers.openJoining(round: 1)
        servers.seal(root: SHA256.hash([]))
        let bad = try ledger().rings[rings].sealIndex
        for wallet in wallets {
            let found = try await learn(wallet)
            let error = SignerError.entryInvalid(log: servers.members.key.name, index: bad, .rootMismatch)
            #expect(found.fault == error)
            _ = try await prepare(wallet, before)
            let after = try servers.publishPetition()
            await #expect(throws: error) { _ = try await prepare(wallet, after) }
            servers.unpublishPetition()
        }
    }

    /// Else only those would sign who read the roll before a bad ring was added, and these are few.
    @Test func whoReadLessThanThePetitionFixesReadsAgain() async throws {
        let wallets = try await sealed([400, 300])
        _ = try await learn(wallets[0])
        nextRound(1, crowd: 100)
        let url = try servers.publishPetition()
        await #expect(throws: SignerError.ringOutgrown(link: servers.roll.link.url.text)) {
            _ = try await prepare(wallets[0], url)
        }
        _ = try await learn(wallets[0])
        _ = try await prepare(wallets[0], url)
    }

    /// A log that was shown in the middle of a ring, or an enrolment log in an old state, is no fault for ever.
    @Test(arguments: [true, false]) func anOldStateIsNoFault(ofEnrolment: Bool) async throws {
        let wallets = try await sealed([400, 300])
        servers.openIssuing(round: 1)
        servers.enrolCrowd(40)
        servers.openJoining(round: 1)
        servers.seal()
        let (members, enrolment) = (servers.members.entries, servers.enrolment.entries)
        if ofEnrolment { servers.enrolment.entries.removeLast(5) } else { servers.members.entries.removeLast(5) }
        #expect(try await learn(wallets[0]).fault == nil)
        (servers.members.entries, servers.enrolment.entries) = (members, enrolment)
        let url = try servers.publishPetition()
        if !ofEnrolment { _ = try await learn(wallets[0]) }
        _ = try await prepare(wallets[0], url)
    }

    /// Several looks at hashes between two readings in full: each is remembered until it is compared.
    @Test func aForkBetweenTwoLooksIsNoticed() async throws {
        let wallet = try await settledWallet()
        let url = try servers.publishPetition()
        nextRound(1, crowd: 100)
        let honest = servers.members.entries
        // Shown once, to this signer: other last entries.
        servers.members.entries[honest.count - 2] = honest[0]
        _ = try await prepare(wallet, url)
        servers.members.entries = honest
        nextRound(2, crowd: 300)
        _ = try await prepare(wallet, url)
        await #expect { _ = try await learn(wallet) } throws: {
            guard case .logBroken(let found) = $0 as? SignerError else { return false }
            return found.hasEvidence && !found.isShorter
        }
    }

    /// Hashes of entries that never existed, shown once, do not stop a signer for ever: a person is asked.
    @Test func aLogOfHashesAloneStopsNobodyForEver() async throws {
        let wallet = try await settledWallet()
        let url = try servers.publishPetition()
        let honest = servers.members.entries
        servers.members.entries += honest.prefix(300)
        _ = try await prepare(wallet, url)
        servers.members.entries = honest
        let risks = try await prepare(wallet, url).risks
        guard risks.count == 1, case .seenOlderLog(let what, _) = risks[0] else { throw SignerError.declined }
        #expect(what == SignerOddity(.fewerEntries, of: servers.members.key.name))
        _ = try await learn(wallet)
    }

    @Test func aHashTileThatIsNotTheLogsIsRefused() async throws {
        let wallets = try await sealed([400, 300])
        let url = try servers.publishPetition()
        _ = try await learn(wallets[0])
        let tile = "/members/tile/1/000.p/\(servers.members.entries.count / 256)"
        servers.lies[tile] = HTTPAnswer(
            status: 200, body: [UInt8](repeating: 7, count: servers.members.entries.count / 256 * 32))
        await #expect(throws: SignerError.logInvalid(log: servers.members.key.name, .rootMismatch)) {
            _ = try await prepare(wallets[0], url)
        }
        _ = try await prepare(wallets[0], url)
    }
}
