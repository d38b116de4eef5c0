import Bytes
import Documents
import LogClient
import LogReading
import LogStorage
import Logging
import PetitionCopies
import Petitions
import Platform
import RingSignatures
import ServiceLifecycle
import Sodium
import Storage
import TransparencyLog
import Witnessing

/// Follows the rolls of the petitions that are collected here, and the announcements of their coordinators: reads what
/// is new and keeps it in the database, then updates memory from there. Records can therefore be judged, and petitions
/// exported, while a coordinator does not answer or shows something else than before.
actor RollFollower: Service {
    /// Why the rings of a petition are not known.
    enum Failure: Error {
        /// The coordinator does not answer, or its logs are wrong. The reason is for the operator's log.
        case unavailable(roll: String, reason: String)
    }

    private static let interval = Duration.seconds(60)
    /// How long a request waits for a roll; reading continues afterwards.
    private static let patience = Duration.seconds(20)
    /// How long until a reading is abandoned and started again: a coordinator may send one byte a minute.
    private static let longestReading = Duration.seconds(3600)
    /// How long a log is not read again while it shows the same bad head: otherwise the whole log would be read,
    /// written and removed every minute.
    private static let rest = Duration.seconds(3600)
    /// The same when a part is missing or cannot be reached, which may soon be over.
    private static let shortRest = Duration.seconds(10)

    /// What is read separately, by one reading at a time.
    private enum Subject: Hashable {
        case roll(RollID)
        /// The announcements log of the coordinator with this url and key.
        case announcements(ServiceURL, Ed25519PublicKey)
    }

    private let aggregator: Aggregator
    private let proxy: SOCKSProxy?
    private let logger: Logger
    private let preparing = LowPriorityThreadPool(count: 1, name: "preparing")
    /// Rolls as they were in the database at the last look-up.
    private var rolls: [RollID: RollReplay] = [:]
    /// Look-ups in progress.
    private var updates: [RollID: Task<Void, any Error>] = [:]
    private var queue = ReadingQueue<Subject>()
    private var waiters: [Int: CheckedContinuation<Void, any Error>] = [:]
    private var nextWaiter = 0

    /// Heads whose entries were read and found not to be good, by log.
    private var badHeads: [VerifierKey: BadHead] = [:]

    /// A head that a coordinator signed, but whose entries it does not serve.
    private struct BadHead {
        let checkpoint: Checkpoint
        let error: LogReadError
        /// When the entries are read again: something in between may have been at fault.
        let until: ContinuousClock.Instant
    }

    private let duty: Duty

    /// Reads through `proxy`, if there is one, as long as this server has the duty.
    init(aggregator: Aggregator, duty: Duty, proxy: SOCKSProxy?, logger: Logger) {
        self.aggregator = aggregator
        self.duty = duty
        self.proxy = proxy
        self.logger = logger
    }

    /// Reads everything periodically, until the server stops. No subject waits for another.
    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            await duty.waitUntilActive()
            while !Task.isCancelled {
                for petition in (try? aggregator.petitions().map(\.manifest)) ?? [] {
                    for roll in petition.rolls { await want(.roll(roll.id), waiter: nil) }
                    await want(.announcements(petition.url, petition.key), waiter: nil)
                }
                try? await Task.sleep(for: RollFollower.interval)
            }
        }
    }

    /// The sealed rings of a roll that a petition may admit. With `isFresh`, after reading what the coordinator
    /// publishes now; otherwise as already known. Throws a ``Failure``.
    func rings(of reference: PetitionManifest.RollReference, isFresh: Bool) async throws -> [SealedRing] {
        do {
            // The petition may have been added while the server runs.
            if !isKnown(reference) { try await catchUp(reference.id) }
            if isFresh { try await reading(reference) }
            return try checkedRings(reference)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure.unavailable(
                roll: reference.url.bare, reason: Self.words(for: error, readingFrom: reference.url))
        }
    }

    private func isKnown(_ reference: PetitionManifest.RollReference) -> Bool {
        rolls[reference.id].map { $0.tree.size >= reference.size } ?? false
    }

    /// The rings of a roll, once its log has the root that the petition names.
    private func checkedRings(_ reference: PetitionManifest.RollReference) throws -> [SealedRing] {
        guard let roll = rolls[reference.id] else {
            throw Failure.unavailable(roll: reference.url.bare, reason: "it was never read")
        }
        guard roll.isReferred(by: reference) else {
            throw Failure.unavailable(
                roll: reference.url.bare, reason: "its log is not the one that the petition names")
        }
        return roll.rings(under: reference)
    }

    // MARK: When something is read

    /// Waits for a reading that starts after this call.
    private func reading(_ reference: PetitionManifest.RollReference) async throws {
        let subject = Subject.roll(reference.id)
        guard queue.hasRoom(for: subject) else {
            throw Failure.unavailable(roll: reference.url.bare, reason: "many wait for it")
        }
        nextWaiter += 1
        let waiter = nextWaiter
        let impatience = Task {
            try await Task.sleep(for: Self.patience)
            let failure = Failure.unavailable(roll: reference.url.bare, reason: "reading it takes long")
            queue.forget(waiter, of: subject)
            waiters.removeValue(forKey: waiter)?.resume(throwing: failure)
        }
        defer { impatience.cancel() }
        try await withCheckedThrowingContinuation { continuation in
            waiters[waiter] = continuation
            want(subject, waiter: waiter)
        }
    }

    private func want(_ subject: Subject, waiter: Int?) {
        start(subject, at: queue.want(subject, waiter: waiter, now: .now))
    }

    /// Starts a reading at `moment`, unless that is nil.
    private func start(_ subject: Subject, at moment: ContinuousClock.Instant?) {
        guard let moment else { return }
        Task {
            try? await Task.sleep(until: moment)
            let served = queue.begin(subject, now: .now)
            let result = await readInTime(subject)
            let next = queue.end(subject, now: .now)
            for waiter in served { waiters.removeValue(forKey: waiter)?.resume(with: result) }
            start(subject, at: next)
        }
    }

    private func readInTime(_ subject: Subject) async -> Result<Void, any Error> {
        // A new connection for each reading: through a proxy, each appears as another user.
        let connection = HTTPConnection(proxy: proxy)
        let reading = Task { try await read(subject, connection) }
        let end = Task {
            try await Task.sleep(for: Self.longestReading)
            reading.cancel()
        }
        defer { end.cancel() }
        let result = await reading.result
        await connection.close()
        if case .failure(let error) = result {
            // Logged here and not at each request, so that the log does not reveal when somebody asked.
            switch subject {
            case .roll(let id):
                let url = rolls[id]?.descriptor.url
                let reason = Self.words(for: error, readingFrom: url)
                logger.warning("roll unavailable", metadata: ["roll": "\(url?.bare ?? id.hex)", "reason": "\(reason)"])
            case .announcements(let url, _):
                let reason = Self.words(for: error, readingFrom: url)
                logger.warning(
                    "announcements unavailable", metadata: ["coordinator": "\(url.bare)", "reason": "\(reason)"])
            }
        }
        return result
    }

    /// Why something of a coordinator could not be read, for the operator's log.
    private static func words(for error: any Error, readingFrom url: ServiceURL?) -> String {
        switch error {
        case let error as SourceError: CopyError.source(error).explanation
        case LogReadError.source(let error): CopyError.source(error).explanation
        case let error as LogReadError: CopyError.log(location: url?.bare ?? "roll", error).explanation
        case let error as StorageError: error.explanation
        case Failure.unavailable(_, let reason): reason
        case is CancellationError: "reading took too long, and was stopped"
        default: String(describing: error)
        }
    }

    // MARK: Reading

    private func read(_ subject: Subject, _ connection: HTTPConnection) async throws {
        switch subject {
        case .roll(let id): try await readRoll(id, connection)
        case .announcements(let url, let key): try await readAnnouncements(of: url, key, connection)
        }
    }

    /// Reads the members log first, so that the enrolment log has the entries that every seal names.
    private func readRoll(_ id: RollID, _ connection: HTTPConnection) async throws {
        try await catchUp(id)
        guard let roll = rolls[id] else { throw Failure.unavailable(roll: id.hex, reason: "it is not followed") }
        let source = HTTPSource(connection: connection, base: roll.descriptor.url.text)
        // No ring is admitted that the roll's witnesses have not seen.
        let demand = QuorumDemand(roll.descriptor.witnesses, now: UInt64(clamping: aggregator.clock.now.seconds))
        let members = OfflineCopy.membersLog(roll.descriptor, source: source, prefix: "members", demand: demand)
        let enrolment = OfflineCopy.enrolmentLog(roll.descriptor, source: source, prefix: "enrolment", demand: demand)
        try await readOn(members, roll.tree)
        try await readOn(enrolment, roll.enrolment?.tree ?? GrowingTree())
        try await catchUp(id)
        if let demand, let roll = rolls[id] { try await readTimes(of: roll, demand, from: source) }
    }

    /// How many notes of one roll are asked for in one reading at most: records wait for it.
    private static let mostNotes = 8

    /// Keeps what the roll's witnesses saw at the start and at the end of each joining window: it shows how long that
    /// was, also when the coordinator is gone. What cannot be had is asked for again in the next reading.
    private func readTimes(of roll: RollReplay, _ demand: QuorumDemand, from source: HTTPSource) async throws {
        let rounds = Set(roll.enrolment?.sealsThatHold.map(\.round) ?? []).filter { $0 < OfflineCopy.mostRounds }
        let wanted = rounds.flatMap { OfflineCopy.joining($0, of: roll.descriptor) }
        let missing = try aggregator.database.read { db in
            try wanted.filter { try FollowedLog(key: $0.key).keptNote(db, at: $0.path) == nil }
        }
        // In any order: some may never come, such as those of a round that ended early since everybody had joined.
        for (key, log, path) in missing.shuffled().prefix(Self.mostNotes) {
            let note: [UInt8]?
            do { note = try await source.read("\(log)/\(path)", limit: SignedNote.maximumCount) } catch { return }
            guard let note, (try? demand.check(note, key: key)) != nil else { continue }
            try aggregator.database.write { try FollowedLog(key: key).keep($0, note, at: path) }
        }
    }

    private func readAnnouncements(
        of url: ServiceURL, _ key: Ed25519PublicKey, _ connection: HTTPConnection
    ) async throws {
        let log = OfflineCopy.announcementsLog(
            coordinator: url, key: key, source: HTTPSource(connection: connection, base: url.text),
            prefix: OfflineCopy.announcements)
        var tree = GrowingTree()
        try await FollowedLog(key: log.key).forEachBatch(from: 0, in: aggregator.database) { entries in
            for entry in entries { tree.append(MerkleHash.leaf(entry)) }
        }
        try await readOn(log, tree)
    }

    /// Keeps the entries of a log that follow those already kept. Nothing changes when they are not good.
    private func readOn(_ log: PublishedLog, _ tree: GrowingTree) async throws {
        let head = try await log.readCheckpoint()
        if let bad = badHeads[log.key], bad.checkpoint == head.checkpoint, .now < bad.until { throw bad.error }
        badHeads[log.key] = nil
        let database = aggregator.database
        let draft: FollowedDraft?
        do {
            draft = try await FollowedDraft.read(log, upTo: head, continuing: tree, into: database)
        } catch let error as LogReadError {
            // What is only missing may appear soon.
            let rest = error.isLasting ? Self.rest : Self.shortRest
            badHeads[log.key] = BadHead(checkpoint: head.checkpoint, error: error, until: .now + rest)
            throw error
        }
        guard let draft else { return }
        defer { draft.discard(in: database) }
        try database.write { try draft.keep($0) }
    }

    // MARK: What is kept

    /// Looks up every roll in the database, so that a restart does not depend on the coordinators.
    func loadStored() async throws {
        for petition in try aggregator.petitions() {
            for roll in petition.manifest.rolls where rolls[roll.id] == nil { try await catchUp(roll.id) }
        }
    }

    /// Brings memory up to date with the database, which other programs change too.
    private func catchUp(_ id: RollID) async throws {
        // A look-up in progress may have begun before the last change.
        _ = await updates[id]?.result
        let update =
            updates[id]
            ?? Task {
                defer { updates[id] = nil }
                let known = rolls[id]
                guard let roll = try await Self.lookUp(id, known: known, in: aggregator.database) else { return }
                rolls[id] = roll
                if roll.ledger.rings.count > known?.ledger.rings.count ?? 0 { prepare(roll.ledger.rings) }
            }
        updates[id] = update
        try await update.value
    }

    /// The roll as stored in the database, continuing what is `known`; nil when it is not followed. Runs outside the
    /// actor: a new ring requires reading the whole enrolment log again, and requests for rings must not wait for that.
    private static func lookUp(
        _ id: RollID, known: RollReplay?, in database: any Storage
    ) async throws -> RollReplay? {
        let descriptor = try known?.descriptor ?? database.read { try RollDescriptor.followed($0, id) }
        guard let descriptor else { return nil }
        var roll = known ?? RollReplay(descriptor)
        try await roll.catchUpMembers(with: database)
        try await roll.catchUpEnrolment(with: database)
        // Until there is a new ring, for which they are made again.
        roll.endMembers()
        roll.endEnrolment()
        // Of a million members, 58 MB.
        Environment.returnFreedMemory()
        return roll
    }

    /// Decodes rings in the background before the first records that name them: after a start thousands may come at
    /// once. Rings that were already decoded cost nothing.
    private func prepare(_ rings: [SealedRing]) {
        preparing.run { for ring in rings { ring.ring.prepare() } }
    }
}

extension LogReadError {
    /// True when reading the same head again would give the same error.
    fileprivate var isLasting: Bool {
        if case .source(.tooLarge) = self { true } else { isProof }
    }
}
