import Bytes
import Documents
import LogStorage
import LogWitnessing
import Messages
import NIOCore
import Petitions
import Platform
import Storage
import TransparencyLog
import Witnessing

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

    /// What is published. Under a policy, that is what a quorum has cosigned.
    struct Published: Sendable {
        /// The checkpoint, with the newest lines of its witnesses.
        let head: StoredLog.Head
        /// The same with their earliest lines, for receipts: they say since when the entries were there.
        private let receiptHead: StoredLog.Head
        /// The newest that a quorum cosigned before the petition closed; nil if there is none.
        private let timelyHead: StoredLog.Head?
        let tally: PublishedTally

        init(head: StoredLog.Head, tally: PublishedTally) {
            (self.head, receiptHead, timelyHead, self.tally) = (head, head, nil, tally)
        }

        init(cosigned: CosignedHead, timely: StoredLog.Head?, tally: PublishedTally) {
            let (checkpoint, signedAt) = (cosigned.head.checkpoint, cosigned.head.signedAt)
            head = StoredLog.Head(checkpoint: checkpoint, note: cosigned.note, signedAt: signedAt)
            receiptHead = StoredLog.Head(checkpoint: checkpoint, note: cosigned.earliestNote, signedAt: signedAt)
            timelyHead = timely
            self.tally = tally
        }

        /// The receipts for the entries at `indices`, which are all shown. What was in time gets a receipt that says
        /// so, whenever it is asked for.
        func receipts(_ db: Transaction, of log: StoredLog, at indices: [UInt64]) throws -> [LogProof] {
            let timelySize = timelyHead?.checkpoint.size ?? 0
            let inTime = indices.filter { $0 < timelySize }
            var timely = try timelyHead.map { try log.receipts(db, at: inTime, in: $0) } ?? []
            var others = try log.receipts(db, at: indices.filter { $0 >= timelySize }, in: receiptHead)
            timely.reverse()
            others.reverse()
            return indices.compactMap { $0 < timelySize ? timely.popLast() : others.popLast() }
        }
    }

    /// Starts with what the database has, after checking that it continues what was published before. Throws a
    /// ``StorageError`` otherwise.
    init(_ collected: CollectedPetition, of aggregator: Aggregator, _ access: WitnessAccess) throws {
        self.collected = collected
        self.aggregator = aggregator
        patience = access.patience
        grounds = try aggregator.database.read { try KeptGrounds($0, of: collected) }
        try aggregator.memory.check(collected.log, key: aggregator.publicKey, in: aggregator.database)
        let newest = try Self.read(collected, aggregator)
        try aggregator.memory.remember(newest.head, key: aggregator.publicKey, in: aggregator.database)
        state = Mutex(try Self.shown(collected, aggregator) ?? newest)
        guard let policy = collected.manifest.witnesses else { return }
        let witnesses = try access.witnesses(of: collected, under: policy, for: aggregator) { [weak self] cosigned in
            self?.show(cosigned)
        }
        made.withLock { $0 = witnesses }
    }

    /// The witnesses of the petition's policy; nil if it has none.
    var witnesses: LogWitnesses? { made.withLock { $0 } }
    private let made = Mutex<LogWitnesses?>(nil)

    /// What is published.
    var published: Published { state.withLock { $0 } }

    /// False for a tile or bundle, at its path of tlog-tiles, that has more than what is published.
    func isPublished(_ path: String) -> Bool {
        TileRequest(path: path)?.isWithin(published.head.checkpoint.size) ?? true
    }

    /// Publishes what the database has: first records it durably, then shows it. Does nothing if that was already done.
    /// Under a policy it is shown when a quorum has cosigned it.
    func publish() throws {
        let new = try Self.read(collected, aggregator)
        guard try isNews(new) else { return }
        try aggregator.memory.remember(new.head, key: aggregator.publicKey, in: aggregator.database)
        if let witnesses {
            Task { await witnesses.aim(at: new.head) }
            return
        }
        state.withLock { state in
            if new.head.checkpoint.size >= state.head.checkpoint.size { state = new }
        }
        wakeWatchers()
    }

    /// Shows what another server on this database has published, once this one remembers it, too.
    func follow() throws {
        let new = try Self.shown(collected, aggregator) ?? Self.read(collected, aggregator)
        guard try isNews(new) else { return }
        try aggregator.memory.remember(new.head, key: aggregator.publicKey, in: aggregator.database)
        state.withLock { state in
            if new.head.checkpoint.size >= state.head.checkpoint.size { state = new }
        }
        wakeWatchers()
    }

    /// True if this is more than what is published. Throws a ``StorageError`` if the database has lost some of that,
    /// or has something else in its place.
    private func isNews(_ new: Published) throws -> Bool {
        let (new, old) = (new.head.checkpoint, published.head.checkpoint)
        // What was read before somebody else published is less, and no fault.
        if new.size <= old.size, new != old {
            try aggregator.memory.check(collected.log, key: aggregator.publicKey, in: aggregator.database)
        }
        return new.size > old.size
    }

    /// Waits until a quorum has cosigned what the database has, and it is shown. Throws a ``RecordRefusal``.
    func waitUntilShown() async throws {
        guard let witnesses else { return }
        let head = try rememberedHead()
        do { _ = try await witnesses.cosign(head, within: patience) } catch LogWitnesses.Failure.noQuorum {
            throw RecordRefusal.awaitsWitnesses(since: witnesses.state.waitsSince)
        } catch LogWitnesses.Failure.ended {
            throw RecordRefusal.logEnded
        }
        // It may have been impossible to show it when it was cosigned.
        if published.head.checkpoint.size < head.checkpoint.size { try showCosigned() }
    }

    /// What the database has, recorded: what a witness has cosigned can never be taken back.
    private func rememberedHead() throws -> StoredLog.Head {
        let head = try aggregator.database.read { try collected.log.head($0) }
        try aggregator.memory.remember(head, key: aggregator.publicKey, in: aggregator.database)
        return head
    }

    /// How long a record waits for the quorum, and how long before closing the last one is taken.
    private let patience: Duration

    /// True if records are taken at this time.
    func takesRecords(at now: UTCTime) -> Bool {
        collected.takesRecords(at: now, secondsForWitnesses: patience.components.seconds)
    }

    /// Under a policy, throws the ``RecordRefusal`` for a new record if none may be taken now: no quorum has confirmed
    /// what this server has since it started, or one has been missing for some time.
    func checkMayGrow() throws {
        guard let state = witnesses?.state else { return }
        guard state.evidence == nil else { throw RecordRefusal.logEnded }
        guard state.isConfirmed, !state.isGivenUp else {
            throw RecordRefusal.awaitsWitnesses(since: state.waitsSince)
        }
    }

    /// Since when the quorum is missing, if somebody waited for it in vain.
    var lateSince: UTCTime? {
        guard let state = witnesses?.state, state.isGivenUp || !state.isConfirmed else { return nil }
        return state.waitsSince
    }

    /// Asks the witnesses for as long as the server runs. An idle log is renewed while the petition is open.
    func keepAskingWitnesses() async {
        guard let witnesses else { return }
        if let head = try? rememberedHead() { await witnesses.aim(at: head) }
        let (manifest, clock) = (collected.manifest, aggregator.clock)
        await witnesses.keepAsking { manifest.status(at: clock.now) == .open }
    }

    /// Shows what a quorum has cosigned, or more lines for it. It is durable.
    private func show(_ cosigned: CosignedHead) { try? showCosigned() }

    private func showCosigned() throws {
        guard let new = try Self.shown(collected, aggregator) else { return }
        try aggregator.memory.remember(new.head, key: aggregator.publicKey, in: aggregator.database)
        let isNews = state.withLock { state in
            let isNews = new.head.checkpoint.size > state.head.checkpoint.size
            if new.head.checkpoint.size >= state.head.checkpoint.size { state = new }
            return isNews
        }
        if isNews { wakeWatchers() }
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

    /// What is shown under a policy; nil if the petition has none.
    private static func shown(_ collected: CollectedPetition, _ aggregator: Aggregator) throws -> Published? {
        guard let policy = collected.manifest.witnesses else { return nil }
        return try aggregator.database.read { db in
            if let (tally, head) = try collected.shown(db, under: policy) {
                let key = VerifierKey(name: collected.log.origin, publicKey: aggregator.publicKey)
                let timely = try collected.timelyNote(db).map { note in
                    StoredLog.Head(
                        checkpoint: try Checkpoint(verifying: note, key: key), note: note,
                        signedAt: head.head.signedAt)
                }
                return Published(cosigned: head, timely: timely, tally: tally)
            }
            // Nobody has cosigned anything yet: then nothing is shown but that the log is empty.
            let empty = Checkpoint(origin: collected.log.origin, size: 0, root: MerkleHash.emptyRoot)
            let note = empty.signed(by: aggregator.noteKey)
            return Published(
                head: StoredLog.Head(checkpoint: empty, note: note, signedAt: aggregator.clock.now.seconds),
                tally: try collected.emptyTally(db))
        }
    }

    private static func read(_ collected: CollectedPetition, _ aggregator: Aggregator) throws -> Published {
        try aggregator.database.read { db in
            let (tally, head) = try collected.tally(db)
            return Published(head: head, tally: tally)
        }
    }
}
