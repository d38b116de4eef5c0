import Documents
import Foundation
import LogReading
import LogStorage
import LogWitnessing
import Logging
import Platform
import Sodium
import Storage
import Testing
import TransparencyLog
import Witnessing

/// A log and its witnesses, with a disk that fails when told to and witnesses whose clocks a test sets.
@Suite struct LogWitnessesTests {
    /// Witnesses that cosign everything, at the time that each has.
    private final class Network: RequestConnection {
        struct Witness: Sendable {
            let name: String
            let seed: UInt8
            var time: UInt64
            var isAway = false

            var secretSeed: [UInt8] { [UInt8](repeating: seed, count: 32) }
            var key: WitnessKey {
                let secret = Ed25519SecretKey(seed: SecretBytes(copying: secretSeed))
                return WitnessKey(name: name, publicKey: secret.publicKey)
            }
        }
        let state: Mutex<[String: Witness]>
        let requests = Mutex(0)

        init(_ witnesses: [(url: String, witness: Witness)]) {
            state = Mutex(Dictionary(uniqueKeysWithValues: witnesses.map { ($0.url, $0.witness) }))
        }

        func set(_ url: String, _ change: (inout Witness) -> Void) {
            state.withLock { state in if var witness = state[url] { change(&witness); state[url] = witness } }
        }

        func send(_ request: OutgoingRequest) async throws(SourceError) -> HTTPAnswer {
            requests.withLock { $0 += 1 }
            let url = String(request.url.dropLast("/add-checkpoint".count))
            guard let witness = state.withLock({ $0[url] }), !witness.isAway, let content = request.content,
                let parsed = AddCheckpointRequest(parsing: content.bytes),
                let checkpoint = try? Checkpoint(verifying: parsed.note, key: LogWitnessesTests.logKey)
            else { throw .unreachable(location: request.url, reason: "away") }
            let secret = Ed25519SecretKey(seed: SecretBytes(copying: witness.secretSeed))
            let line = secret.cosign(checkpoint, name: witness.name, at: witness.time)
            return HTTPAnswer(status: 200, body: Array(line.utf8))
        }

        func close() async {}
    }

    private struct DiskFailed: Error {}
    private static let origin = "localhost:1/log"
    private static let logSeed = [UInt8](repeating: 5, count: 32)
    fileprivate static var logKey: VerifierKey {
        let secret = Ed25519SecretKey(seed: SecretBytes(copying: logSeed))
        return VerifierKey(name: origin, publicKey: secret.publicKey)
    }
    private static let now: Int64 = 1_800_000_000

    private let folder: URL
    private let database: any Storage
    private let log: StoredLog
    private let network: Network
    private let policy: WitnessPolicy
    private let urls = (0..<3).map { "https://w\($0).example" }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "roundrobin-witnesses-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        database = try SQLiteStorage(
            path: folder.appending(path: "test.sqlite").path, migrations: [StoredLog.tables, WitnessAddresses.tables])
        log = try database.write { db in
            let secret = Ed25519SecretKey(seed: SecretBytes(copying: Self.logSeed))
            return try StoredLog.create(db, origin: Self.origin, key: secret, now: Self.now)
        }
        let witnesses = urls.enumerated().map { index, url in
            (
                url: url,
                witness: Network.Witness(name: "w\(index).example", seed: UInt8(40 + index), time: UInt64(Self.now))
            )
        }
        network = Network(witnesses)
        let lines = witnesses.enumerated().map { "witness w\($0) \($1.witness.key.vkey)\n" }.joined()
        policy = try WitnessPolicy(parsing: Array((lines + "group two 2 w0 w1 w2\nquorum two\n").utf8))
        for (key, url) in zip(policy.keys, urls) {
            let url = try #require(ServiceURL(url))
            try database.write { try WitnessAddresses.set($0, key, to: url) }
        }
    }

    private func witnesses(clock: Int64 = now, hooks: LogWitnesses.Hooks = .init()) throws -> LogWitnesses {
        let time = UTCTime(seconds: clock)
        return try LogWitnesses(
            log, key: Self.logKey, policy: policy,
            endpoints: database.read { try WitnessAddresses.endpoints($0, of: policy) }, database: database,
            connection: network, interval: .milliseconds(10), evidence: LogEvidence(folder: folder.path),
            clock: WallClock { time }, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, hooks: hooks)
    }

    private func append(_ entries: Int) throws -> StoredLog.Head {
        let secret = Ed25519SecretKey(seed: SecretBytes(copying: Self.logSeed))
        let size = try database.read { try log.head($0).checkpoint.size }
        return try database.write { db in
            try log.append(
                db, (0..<entries).map { Array("entry-\(size + UInt64($0))".utf8) }, key: secret, now: Self.now)
        }
    }

    /// Runs the witnesses' pulse beside `body`.
    private func running<T: Sendable>(
        _ witnesses: LogWitnesses, _ body: () async throws -> T
    ) async rethrows -> T {
        let pulse = Task { await witnesses.keepAsking { false } }
        defer { pulse.cancel() }
        return try await body()
    }

    @Test func whatAQuorumCosignedIsShownAndLaterLinesAreAdded() async throws {
        let witnesses = try witnesses()
        network.set(urls[2]) { $0.isAway = true }
        let head = try append(3)
        let cosigned = try await witnesses.cosign(head, within: .seconds(900))
        #expect(Set(cosigned.newest.map(\.key)) == Set(policy.keys.prefix(2)))
        #expect(witnesses.state.isConfirmed && witnesses.state.waitsSince == nil)
        network.set(urls[2]) { $0.isAway = false }
        try await running(witnesses) {
            for _ in 0..<100 where try shown().newest.count < 3 { try await Task.sleep(for: .milliseconds(50)) }
        }
        #expect(try shown().newest.count == 3)
    }

    private func shown() throws -> CosignedHead {
        try #require(try database.read { try log.shown($0, by: policy.keys) })
    }

    /// A disk that fails once must not make a log stand still although all witnesses have answered.
    @Test func whatCouldNotBeStoredIsStoredAtTheNextPulse() async throws {
        let failures = Mutex(2)
        let witnesses = try witnesses(
            hooks: .init(inTransaction: { _, _, _ in
                let fails = failures.withLock { count in
                    count -= 1
                    return count >= 0
                }
                if fails { throw DiskFailed() }
            }))
        let head = try append(2)
        try await running(witnesses) {
            await #expect(throws: LogWitnesses.Failure.noQuorum) {
                try await witnesses.cosign(head, within: .milliseconds(100))
            }
            #expect(witnesses.state.isGivenUp && !witnesses.state.isConfirmed)
            for _ in 0..<100 where !witnesses.state.isConfirmed { try await Task.sleep(for: .milliseconds(50)) }
        }
        #expect(witnesses.state.isConfirmed && !witnesses.state.isGivenUp)
        #expect(try shown().head.checkpoint == head.checkpoint)
    }

    /// One of the two clocks is wrong, and may be put right: nobody is forgotten.
    @Test func aWitnessWhoseClockIsAheadIsAskedAgain() async throws {
        for url in urls { network.set(url) { $0.time = UInt64(Self.now) + 400 } }
        let witnesses = try witnesses()
        let head = try append(1)
        try await running(witnesses) {
            await #expect(throws: LogWitnesses.Failure.noQuorum) {
                try await witnesses.cosign(head, within: .milliseconds(200))
            }
            let absences = await witnesses.absences
            #expect(absences.count == 3 && absences[0].trouble.explanation.contains("clock is ahead"))
            for url in urls { network.set(url) { $0.time = UInt64(Self.now) } }
            for _ in 0..<100 where !witnesses.state.isConfirmed { try await Task.sleep(for: .milliseconds(50)) }
        }
        #expect(witnesses.state.isConfirmed)
    }

    /// A line that arrives after the quorum may say that the quorum was earlier.
    @Test func alsoLaterLinesReachTheHook() async throws {
        let seen = Mutex<[(isNew: Bool, quorum: UInt64?)]>([])
        let policy = policy
        let witnesses = try witnesses(
            hooks: .init(inTransaction: { _, cosigned, isNew in
                seen.withLock { $0.append((isNew, policy.quorumTime(cosigned.earliest))) }
            }))
        network.set(urls[0]) { $0.time = UInt64(Self.now) + 250 }
        network.set(urls[1]) { $0.time = UInt64(Self.now) - 3 }
        network.set(urls[2]) { ($0.time, $0.isAway) = (UInt64(Self.now) - 2, true) }
        _ = try await witnesses.cosign(try append(1), within: .seconds(900))
        network.set(urls[2]) { $0.isAway = false }
        try await running(witnesses) {
            for _ in 0..<100 where try shown().newest.count < 3 { try await Task.sleep(for: .milliseconds(50)) }
        }
        let calls = seen.withLock { $0 }
        #expect(calls.first?.isNew == true && calls.first?.quorum == UInt64(Self.now) + 250)
        #expect(calls.last?.isNew == false && calls.last?.quorum == UInt64(Self.now) - 2)
    }

    /// After a start, nothing counts before a quorum has taken it again; and what waits is not given up for what grows.
    @Test func aRestartAsksForTheSameAgain() async throws {
        let head = try append(4)
        _ = try await witnesses().cosign(head, within: .seconds(900))
        let again = try witnesses()
        #expect(!again.state.isConfirmed)
        for url in urls { network.set(url) { $0.isAway = true } }
        await #expect(throws: LogWitnesses.Failure.noQuorum) {
            try await again.cosign(head, within: .milliseconds(100))
        }
        let larger = try append(1)
        await again.aim(at: larger)
        for url in urls { network.set(url) { $0.isAway = false } }
        try await running(again) {
            for _ in 0..<300 where try shown().head.checkpoint != larger.checkpoint {
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        #expect(try shown().head.checkpoint == larger.checkpoint)
    }
}
