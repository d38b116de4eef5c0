import Bytes
import Documents
import LogStorage
import Messages
import NIOCore
import Petitions
import Platform
import TransparencyLog

/// A petition while the server runs: what is published of it now, kept in memory so that readers cost almost nothing.
///
/// Readers see a checkpoint only once it is durable in the database and recorded outside it.
final class PublishedPetition: Sendable {
    let collected: CollectedPetition
    /// What the petition depends on.
    let grounds: KeptGrounds
    private let aggregator: Aggregator
    private let state: Mutex<Published>
    private let watchers = Mutex<[UInt64: AsyncStream<Void>.Continuation]>([:])

    /// What is published.
    struct Published: Sendable {
        let head: StoredLog.Head
        let tally: PublishedTally
    }

    /// Starts with what the database has, after checking that it continues what was published before. Throws a
    /// ``StorageError`` otherwise.
    init(_ collected: CollectedPetition, of aggregator: Aggregator) throws {
        self.collected = collected
        self.aggregator = aggregator
        grounds = try aggregator.database.read { try KeptGrounds($0, of: collected.manifest) }
        try aggregator.memory.check(collected.log, key: aggregator.publicKey, in: aggregator.database)
        let published = try Self.read(collected, aggregator)
        try aggregator.memory.remember(published.head, key: aggregator.publicKey)
        state = Mutex(published)
    }

    /// What is published.
    var published: Published { state.withLock { $0 } }

    /// Publishes what the database has: first records it durably, then shows it. Does nothing if that was already done.
    func publish() throws {
        let new = try Self.read(collected, aggregator)
        guard new.head.checkpoint.size > published.head.checkpoint.size else { return }
        try aggregator.memory.remember(new.head, key: aggregator.publicKey)
        state.withLock { state in
            if new.head.checkpoint.size >= state.head.checkpoint.size { state = new }
        }
        wakeWatchers()
    }

    /// A watcher's connection.
    struct Watch: Sendable {
        /// A signal at each publication, and periodically. A slow watcher misses signals, and finds what is published
        /// at the next one.
        let signals: AsyncStream<Void>
        /// Ends the signals.
        let end: @Sendable () -> Void
    }

    /// A new watcher.
    func watch() -> Watch {
        let (signals, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = watchers.withLock { watchers in
            let number = (watchers.keys.max() ?? 0) + 1
            watchers[number] = continuation
            return number
        }
        continuation.onTermination = { [weak self] _ in
            self?.watchers.withLock { $0[number] = nil }
        }
        continuation.yield()
        return Watch(signals: signals) { continuation.finish() }
    }

    /// The number of watchers.
    var watcherCount: Int { watchers.withLock { $0.count } }

    /// Sends every watcher a signal.
    func wakeWatchers() {
        for watcher in watchers.withLock({ Array($0.values) }) { watcher.yield() }
    }

    /// How the count grew, in the hours that are over. Cached, and looked up again with each new hour or checkpoint: a
    /// commit of the hour before may have come in since.
    func history(at now: UTCTime) throws -> GrowthHistory {
        let key = HistoryKey(hour: now.seconds / GrowthPoint.resolution, size: published.head.checkpoint.size)
        let known = history.withLock { $0 }
        if let known, known.key == key { return known.history }
        let fresh = try aggregator.database.read { db in
            // Years of hours are not read for each checkpoint: while the newest point is the same, so are earlier ones.
            if let known, try collected.newestGrowth(db, at: now.seconds) == known.history.points.last {
                return known.history
            }
            // A commit may be in the database but not published yet.
            let stored = try collected.history(db, at: now.seconds)
            return GrowthHistory(stored.points.filter { $0.treeSize <= key.size })
        }
        history.withLock { $0 = (key, fresh) }
        return fresh
    }

    /// What is sent to watchers: the tally's JSON as a server-sent event. Cached, since there are many watchers: it
    /// changes only with a checkpoint, and with opening and closing.
    func event(at now: UTCTime) -> Event {
        let published = published
        let (size, status) = (published.head.checkpoint.size, collected.manifest.status(at: now))
        if let known = event.withLock({ $0 }), known.size == size, known.status == status { return known }
        let json = published.tally.json(checkpointTime: UTCTime(seconds: published.head.signedAt), status: status)
        let fresh = Event(size: size, status: status, bytes: ByteBuffer(string: "id: \(size)\ndata: \(json)\n\n"))
        event.withLock { $0 = fresh }
        return fresh
    }

    /// A server-sent event.
    struct Event {
        /// The log's size, which is the event's id.
        let size: UInt64
        let status: PetitionManifest.Status
        let bytes: ByteBuffer

        /// True for a watcher that was last sent `other`.
        func isNews(after other: Event?) -> Bool { other?.size != size || other?.status != status }
    }
    private let event = Mutex<Event?>(nil)

    private struct HistoryKey: Equatable {
        let hour: Int64
        let size: UInt64
    }
    private let history = Mutex<(key: HistoryKey, history: GrowthHistory)?>(nil)

    private static func read(_ collected: CollectedPetition, _ aggregator: Aggregator) throws -> Published {
        try aggregator.database.read { db in
            let (tally, head) = try collected.tally(db)
            return Published(head: head, tally: tally)
        }
    }
}
