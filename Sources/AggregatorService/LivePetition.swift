import Bytes
import LogStorage
import Petitions
import Synchronization
import TransparencyLog

/// A petition while the server runs: what is published of it now, kept in memory so that readers cost next to nothing.
///
/// Readers see a checkpoint only once it is durable in the database and remembered outside it.
final class LivePetition: Sendable {
    let collected: CollectedPetition
    private let aggregator: Aggregator
    private let state: Mutex<Published>
    private let watchers = Mutex<[UInt64: AsyncStream<Void>.Continuation]>([:])

    /// What is published.
    struct Published: Sendable {
        let head: StoredLog.Head
        /// Nil until every roll was read once.
        let tally: PublishedTally?
    }

    /// Starts with what the database has, once that is known to continue what was published before. Throws a ``StorageError``
    /// otherwise.
    init(_ collected: CollectedPetition, of aggregator: Aggregator) throws {
        self.collected = collected
        self.aggregator = aggregator
        try aggregator.memory.check(collected.log, key: aggregator.publicKey, in: aggregator.database)
        let published = try Self.read(collected, aggregator)
        try aggregator.memory.remember(published.head, key: aggregator.publicKey)
        state = Mutex(published)
    }

    /// What is published.
    var published: Published { state.withLock { $0 } }

    /// Publishes what the database has: remembers it durably, then shows it. Does nothing when that was done.
    func publish() throws {
        let new = try Self.read(collected, aggregator)
        let old = published
        guard new.head.checkpoint.size > old.head.checkpoint.size || old.tally == nil && new.tally != nil else {
            return
        }
        if new.head.checkpoint.size > old.head.checkpoint.size {
            try aggregator.memory.remember(new.head, key: aggregator.publicKey)
        }
        state.withLock { state in
            if new.head.checkpoint.size >= state.head.checkpoint.size { state = new }
        }
        wakeWatchers()
    }

    /// A sign at each publication, and now and then. Whoever is slow misses signs, and finds what is published at the next.
    func watch() -> AsyncStream<Void> {
        let (signs, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = watchers.withLock { watchers in
            let number = (watchers.keys.max() ?? 0) + 1
            watchers[number] = continuation
            return number
        }
        continuation.onTermination = { [weak self] _ in
            self?.watchers.withLock { $0[number] = nil }
        }
        continuation.yield()
        return signs
    }

    /// How many watch.
    var watcherCount: Int { watchers.withLock { $0.count } }

    /// Gives every watcher a sign.
    func wakeWatchers() {
        for watcher in watchers.withLock({ Array($0.values) }) { watcher.yield() }
    }

    /// How the count grew, in the hours that are over. Kept: it changes with an hour or a checkpoint.
    func history(at now: UTCTime) throws -> GrowthHistory {
        let key = HistoryKey(hour: now.seconds / GrowthPoint.resolution, size: published.head.checkpoint.size)
        if let (known, history) = history.withLock({ $0 }), known == key { return history }
        let fresh = try aggregator.database.read { try collected.history($0, at: now.seconds) }
        history.withLock { $0 = (key, fresh) }
        return fresh
    }

    private struct HistoryKey: Equatable {
        let hour: Int64
        let size: UInt64
    }
    private let history = Mutex<(HistoryKey, GrowthHistory)?>(nil)

    private static func read(_ collected: CollectedPetition, _ aggregator: Aggregator) throws -> Published {
        try aggregator.database.read { db in
            do {
                let (tally, head) = try collected.tally(db)
                return Published(head: head, tally: tally)
            } catch AggregatorError.rollUnknown {
                return Published(head: try collected.log.head(db), tally: nil)
            }
        }
    }
}
