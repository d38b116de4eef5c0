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
    }

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
