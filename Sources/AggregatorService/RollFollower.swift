import Bytes
import Foundation
import GRDB
import LogClient
import LogStorage
import Logging
import Petitions
import RingSignatures
import ServiceLifecycle
import TransparencyLog
import Verification

/// Follows the rolls of the petitions that are collected here: reads what is new, checks it, and keeps it in the database,
/// so that records can be judged while a coordinator does not answer.
actor RollFollower: Service {
    /// Why the rings of a petition are not known.
    enum Failure: Error {
        /// The coordinator does not answer, or its logs are wrong: the reason for the operator's log.
        case unavailable(roll: String, reason: String)
    }

    private static let interval = Duration.seconds(60)
    /// Rings that are not known make a roll be read at once, but not more often than this: anybody can name such rings.
    private static let shortestInterval = Duration.seconds(1)
    /// For which a request waits for a roll to be read. Reading goes on after it.
    private static let patience = Duration.seconds(20)
    /// After which reading is given up, and begun anew: a coordinator may send one byte a minute.
    private static let longestReading = Duration.seconds(3600)
    /// Requests that wait for the next reading of one roll at most: anybody can name rings that nobody knows.
    private static let waiterLimit = 64

    private let aggregator: Aggregator
    private let connection: HTTPConnection
    private let logger: Logger
    private let preparing = PatientThreads(count: 1, name: "preparing")
    private var rolls: [RollID: FollowedRoll] = [:]
    /// Readings that are under way or wanted.
    private var readings: [RollID: Reading] = [:]
    private var waiters: [Int: CheckedContinuation<Void, any Error>] = [:]
    private var nextWaiter = 0

    private struct Reading {
        var isUnderWay = false
        /// Somebody wants one that starts after they came.
        var isWanted = false
        /// Who wants it.
        var waiters: [Int] = []
        var startedAt: ContinuousClock.Instant?
    }

    private struct FollowedRoll {
        let descriptor: RollDescriptor
        var ledger: RollLedger
        var tree = GrowingTree()
        /// The root at each seal, by the size there: petitions name these.
        var roots: [UInt64: Bytes32] = [:]

        init(_ descriptor: RollDescriptor) {
            self.descriptor = descriptor
            ledger = RollLedger(descriptor)
        }

        /// Applies the next entries. Each is a member or a seal before it is kept: what a coordinator may fill memory with is
        /// bounded by its roll.
        mutating func apply(_ entries: [[UInt8]]) throws {
            for (bytes, entry) in zip(entries, RollEntry.parse(entries)) {
                let entry = try entry.get()
                try ledger.apply(entry)
                tree.append(MerkleHash.leaf(bytes))
                if case .seal = entry { roots[tree.size] = tree.root }
            }
        }
    }

    init(aggregator: Aggregator, connection: HTTPConnection, logger: Logger) {
        self.aggregator = aggregator
        self.connection = connection
        self.logger = logger
    }

    /// Reads every roll now and then, until the server stops. None waits for another.
    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                for petition in (try? aggregator.petitions()) ?? [] {
                    for roll in petition.manifest.rolls { await want(roll, waiter: nil) }
                }
                try? await Task.sleep(for: RollFollower.interval)
            }
        }
    }

    /// The sealed rings of a roll that a petition names. With `isFresh`, what the coordinator publishes now; else what is
    /// known, if it is known at all. Throws a ``Failure``.
    func rings(of reference: PetitionManifest.RollReference, isFresh: Bool) async throws -> [SealedRing] {
        do {
            if isFresh || rolls[reference.id] == nil { try await reading(reference) }
            return try checkedRings(reference)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure.unavailable(roll: reference.url.bare, reason: String(describing: error))
        }
    }

    /// The rings of a roll, once its log has the root that the petition names.
    private func checkedRings(_ reference: PetitionManifest.RollReference) throws -> [SealedRing] {
        guard let roll = rolls[reference.id] else {
            throw Failure.unavailable(roll: reference.url.bare, reason: "it was never read")
        }
        guard roll.ledger.size >= reference.size else {
            throw Failure.unavailable(roll: reference.url.bare, reason: "its log is shorter than the petition says")
        }
        guard roll.roots[reference.size] == reference.root else {
            throw Failure.unavailable(
                roll: reference.url.bare, reason: "its log is not the one that the petition names")
        }
        return roll.ledger.rings
    }

    // MARK: When a roll is read

    /// Waits for a reading that starts after this.
    private func reading(_ reference: PetitionManifest.RollReference) async throws {
        guard readings[reference.id]?.waiters.count ?? 0 < Self.waiterLimit else {
            throw Failure.unavailable(roll: reference.url.bare, reason: "many wait for it")
        }
        nextWaiter += 1
        let waiter = nextWaiter
        let impatience = Task {
            try await Task.sleep(for: Self.patience)
            let failure = Failure.unavailable(roll: reference.url.bare, reason: "reading it takes long")
            readings[reference.id]?.waiters.removeAll { $0 == waiter }
            waiters.removeValue(forKey: waiter)?.resume(throwing: failure)
        }
        defer { impatience.cancel() }
        try await withCheckedThrowingContinuation { continuation in
            waiters[waiter] = continuation
            want(reference, waiter: waiter)
        }
    }

    private func want(_ reference: PetitionManifest.RollReference, waiter: Int?) {
        var reading = readings[reference.id] ?? Reading()
        reading.isWanted = true
        if let waiter { reading.waiters.append(waiter) }
        readings[reference.id] = reading
        start(reference)
    }

    /// Starts a reading that is wanted, unless one is under way, at whose end this is called again.
    private func start(_ reference: PetitionManifest.RollReference) {
        guard let reading = readings[reference.id], reading.isWanted, !reading.isUnderWay else { return }
        readings[reference.id]?.isUnderWay = true
        Task {
            if let last = reading.startedAt { try? await Task.sleep(until: last + Self.shortestInterval) }
            // Whoever came until now is served by this one.
            let served = readings[reference.id]?.waiters ?? []
            readings[reference.id] = Reading(isUnderWay: true, startedAt: .now)
            let result = await readInTime(reference)
            readings[reference.id]?.isUnderWay = false
            for waiter in served { waiters.removeValue(forKey: waiter)?.resume(with: result) }
            start(reference)
        }
    }

    private func readInTime(_ reference: PetitionManifest.RollReference) async -> Result<Void, any Error> {
        let reading = Task { try await read(reference) }
        let end = Task {
            try await Task.sleep(for: Self.longestReading)
            reading.cancel()
        }
        defer { end.cancel() }
        let result = await reading.result
        if case .failure(let error) = result {
            // Here and not at each request: when somebody asked is nobody's business.
            logger.warning("roll unavailable", metadata: ["roll": "\(reference.url.bare)", "reason": "\(error)"])
        }
        return result
    }

    // MARK: Reading

    private func read(_ reference: PetitionManifest.RollReference) async throws {
        // A roll that is known stands where its own document says, whatever a petition says.
        let url = rolls[reference.id]?.descriptor.url ?? reference.url
        let source = HTTPSource(connection: connection, base: url.text)
        var roll = try await known(reference, source: source)
        let log = OfflineCopy.membersLog(roll.descriptor, source: source, prefix: "members")
        let checkpoint = try await log.readCheckpoint().checkpoint
        let oldTree = roll.tree
        var fresh: [[UInt8]] = []
        let tree = try await log.readEntries(upTo: checkpoint, continuing: oldTree) { _, entries in
            try roll.apply(entries)
            fresh += entries
        }
        guard roll.ledger.endsOnSeal, roll.tree.root == tree.root else { throw Rule.ringSize }
        try await keep(fresh, from: oldTree.size, of: reference.id)
        rolls[reference.id] = roll
        if !fresh.isEmpty { prepare(roll.ledger.rings) }
    }

    /// Has rings decoded ahead of the first records of them, if there is time: after a start thousands may come at once. What was
    /// decoded before costs nothing.
    private func prepare(_ rings: [SealedRing]) {
        preparing.run { for ring in rings { ring.ring.prepare() } }
    }

    /// The roll as memory or the database has it, or as its descriptor starts it.
    private func known(
        _ reference: PetitionManifest.RollReference, source: HTTPSource
    ) async throws -> FollowedRoll {
        if let roll = rolls[reference.id] { return roll }
        let stored = try aggregator.database.read { db in
            try Data.fetchOne(db, sql: "SELECT note FROM followedRoll WHERE id = ?", arguments: [reference.id.hex])
        }
        if let stored {
            return try load(RollDescriptor(parsing: [UInt8](stored)))
        }
        guard let note = try await source.read("", limit: SignedNote.maximumCount) else {
            throw Failure.unavailable(roll: reference.url.bare, reason: "its coordinator does not have it")
        }
        let descriptor = try RollDescriptor(parsing: note)
        guard descriptor.id == reference.id, descriptor.url == reference.url, descriptor.witnesses == nil else {
            throw Failure.unavailable(
                roll: reference.url.bare, reason: "its descriptor is not the one the petition names")
        }
        try aggregator.database.write { db in
            try db.execute(
                sql: "INSERT OR IGNORE INTO followedRoll (id, note) VALUES (?, ?)",
                arguments: [reference.id.hex, Data(note)])
        }
        return FollowedRoll(descriptor)
    }

    private static let chunk = 4096

    private func load(_ descriptor: RollDescriptor) throws -> FollowedRoll {
        var roll = FollowedRoll(descriptor)
        while true {
            let entries = try aggregator.database.read { db in
                try Data.fetchAll(
                    db,
                    sql:
                        "SELECT bytes FROM followedEntry WHERE roll = ? AND entryIndex >= ? ORDER BY entryIndex LIMIT ?",
                    arguments: [descriptor.id.hex, Int64(roll.tree.size), Self.chunk]
                ).map { [UInt8]($0) }
            }
            try roll.apply(entries)
            if entries.count < Self.chunk { return roll }
        }
    }

    /// Loads what the database has of every roll, so that a restart does not depend on the coordinators.
    func loadStored() throws {
        let notes = try aggregator.database.read { try Data.fetchAll($0, sql: "SELECT note FROM followedRoll") }
        for note in notes {
            let descriptor = try RollDescriptor(parsing: [UInt8](note))
            let roll = try load(descriptor)
            guard roll.tree.size > 0 else { continue }
            rolls[descriptor.id] = roll
            prepare(roll.ledger.rings)
        }
    }

    /// Keeps entries, some at a time: commits of records need the database meanwhile.
    private func keep(_ entries: [[UInt8]], from index: UInt64, of roll: RollID) async throws {
        for start in stride(from: 0, to: entries.count, by: Self.chunk) {
            try aggregator.database.write { db in
                for place in start..<min(start + Self.chunk, entries.count) {
                    try db.execute(
                        sql: "INSERT OR REPLACE INTO followedEntry (roll, entryIndex, bytes) VALUES (?, ?, ?)",
                        arguments: [roll.hex, Int64(index) + Int64(place), Data(entries[place])])
                }
            }
            await Task.yield()
        }
    }
}
