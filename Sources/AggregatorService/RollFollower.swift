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

    private let aggregator: Aggregator
    private let connection: HTTPConnection
    private let logger: Logger
    private var rolls: [RollID: FollowedRoll] = [:]
    /// Requests that wait for a refresh of one roll at most: anybody can name rings that nobody knows.
    private static let waiterLimit = 64
    private var waiters: [RollID: Int] = [:]
    /// The refresh under way for a roll.
    private var refreshes: [RollID: Task<Void, any Error>] = [:]
    /// When the last one started.
    private var refreshedAt: [RollID: ContinuousClock.Instant] = [:]

    private struct FollowedRoll {
        let descriptor: RollDescriptor
        var ledger: RollLedger
        var tree: GrowingTree
        /// Roots at the sizes that petitions name; nil where no ring ends.
        var roots: [UInt64: Bytes32?] = [:]
    }

    init(aggregator: Aggregator, connection: HTTPConnection, logger: Logger) {
        self.aggregator = aggregator
        self.connection = connection
        self.logger = logger
    }

    /// Refreshes every roll now and then, until the server stops.
    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                for petition in (try? aggregator.petitions()) ?? [] {
                    for index in petition.manifest.rolls.indices {
                        try? await refresh(petition.manifest.rolls[index])
                    }
                }
                try? await Task.sleep(for: RollFollower.interval)
            }
        }
    }

    /// The sealed rings of a roll that a petition names. With `isFresh`, what the coordinator publishes now; else what is
    /// known, if it is known at all. Throws a ``Failure``.
    func rings(of reference: PetitionManifest.RollReference, isFresh: Bool) async throws -> [SealedRing] {
        do {
            if isFresh || rolls[reference.id] == nil {
                guard waiters[reference.id, default: 0] < Self.waiterLimit else {
                    throw Failure.unavailable(roll: reference.url.bare, reason: "many wait for it")
                }
                waiters[reference.id, default: 0] += 1
                defer { waiters[reference.id, default: 1] -= 1 }
                try await refresh(reference)
            }
            return try checkedRings(reference)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure.unavailable(roll: reference.url.bare, reason: String(describing: error))
        }
    }

    /// The rings of a roll, once its log has the root that the petition names.
    private func checkedRings(_ reference: PetitionManifest.RollReference) throws -> [SealedRing] {
        guard var roll = rolls[reference.id] else {
            throw Failure.unavailable(roll: reference.url.bare, reason: "it was never read")
        }
        if roll.roots[reference.size] == nil {
            guard roll.ledger.size >= reference.size else {
                throw Failure.unavailable(roll: reference.url.bare, reason: "its log is shorter than the petition says")
            }
            var tree = GrowingTree()
            for entry in try entries(of: reference.id, below: reference.size) { tree.append(MerkleHash.leaf(entry)) }
            let isSealed = roll.ledger.rings.contains { $0.sealIndex == reference.size - 1 }
            roll.roots[reference.size] = .some(isSealed ? tree.root : nil)
            rolls[reference.id] = roll
        }
        guard let root = roll.roots[reference.size] ?? nil, root == reference.root else {
            throw Failure.unavailable(
                roll: reference.url.bare, reason: "its log is not the one that the petition names")
        }
        return roll.ledger.rings
    }

    private func entries(of roll: RollID, below size: UInt64) throws -> [[UInt8]] {
        try aggregator.database.read { db in
            try Data.fetchAll(
                db, sql: "SELECT bytes FROM followedEntry WHERE roll = ? AND entryIndex < ? ORDER BY entryIndex",
                arguments: [roll.hex, Int64(size)]
            ).map { [UInt8]($0) }
        }
    }

    /// Reads what is new of a roll. Requests that come while another reads wait for one refresh that starts after them.
    private func refresh(_ reference: PetitionManifest.RollReference) async throws {
        if let underway = refreshes[reference.id] {
            _ = await underway.result
            if let next = refreshes[reference.id] { return try await next.value }
        }
        let task = Task {
            defer { refreshes[reference.id] = nil }
            if let last = refreshedAt[reference.id] {
                try? await Task.sleep(until: last + Self.shortestInterval)
            }
            refreshedAt[reference.id] = .now
            do { try await read(reference) } catch {
                // Here and not at each request: when somebody asked is nobody's business.
                logger.warning(
                    "roll unavailable", metadata: ["roll": "\(reference.url.bare)", "reason": "\(error)"])
                throw error
            }
        }
        refreshes[reference.id] = task
        try await task.value
    }

    private func read(_ reference: PetitionManifest.RollReference) async throws {
        let source = HTTPSource(connection: connection, base: reference.url.text)
        var roll = try await known(reference, source: source)
        let log = OfflineCopy.membersLog(roll.descriptor, source: source, prefix: "members")
        let checkpoint = try await log.readCheckpoint().checkpoint
        let oldSize = roll.tree.size
        var fresh: [[UInt8]] = []
        var ledger = roll.ledger
        roll.tree = try await log.readEntries(upTo: checkpoint, continuing: roll.tree) { _, entries in
            // Each is a member or a seal before it is kept: what a coordinator may fill memory with is bounded by its roll.
            for entry in RollEntry.parse(entries[...]) { try ledger.apply(try entry.get()) }
            fresh += entries
        }
        roll.ledger = ledger
        guard roll.ledger.endsOnSeal else { throw Rule.ringSize }
        if !fresh.isEmpty { try keep(fresh, from: oldSize, of: reference.id) }
        rolls[reference.id] = roll
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
        return FollowedRoll(descriptor: descriptor, ledger: RollLedger(descriptor), tree: GrowingTree())
    }

    private func load(_ descriptor: RollDescriptor) throws -> FollowedRoll {
        var roll = FollowedRoll(descriptor: descriptor, ledger: RollLedger(descriptor), tree: GrowingTree())
        for entry in try entries(of: descriptor.id, below: UInt64(Int64.max)) {
            roll.tree.append(MerkleHash.leaf(entry))
            try roll.ledger.apply(RollEntry(parsing: entry))
        }
        return roll
    }

    /// Loads what the database has of every roll, so that a restart does not depend on the coordinators.
    func loadStored() throws {
        let notes = try aggregator.database.read { try Data.fetchAll($0, sql: "SELECT note FROM followedRoll") }
        for note in notes {
            let descriptor = try RollDescriptor(parsing: [UInt8](note))
            let roll = try load(descriptor)
            if roll.tree.size > 0 { rolls[descriptor.id] = roll }
        }
    }

    private func keep(_ entries: [[UInt8]], from index: UInt64, of roll: RollID) throws {
        try aggregator.database.write { db in
            for (offset, entry) in entries.enumerated() {
                try db.execute(
                    sql: "INSERT INTO followedEntry (roll, entryIndex, bytes) VALUES (?, ?, ?)",
                    arguments: [roll.hex, Int64(index) + Int64(offset), Data(entry)])
            }
        }
    }
}
