import Dispatch
import Documents
import LogReading
import LogStorage
import Logging
import Platform
import Storage
import TransparencyLog
import Witnessing

/// Has one log cosigned by the witnesses of a policy, and knows what of it may be shown.
///
/// A checkpoint is submitted to all witnesses at once, and shown when a quorum has cosigned it; the others finish in
/// the background. Whatever a witness answers, the log goes on with the others. It stops for one reason only: a
/// checkpoint that its own key signed and that its entries do not give.
public actor LogWitnesses {
    /// Why a checkpoint cannot be shown now.
    public enum Failure: Error, Equatable, Sendable {
        /// No quorum has cosigned it yet; it is tried again and again.
        case noQuorum
        /// The log contradicts itself: this file is the evidence.
        case ended(evidence: String)
    }

    /// A witness that counts as absent.
    public struct Absence: Equatable, Sendable {
        /// The name of its key.
        public let name: String
        /// Why.
        public let trouble: WitnessTrouble

        /// The name as the value of a label of Prometheus: names are chosen by others.
        public var label: String {
            String(
                name.unicodeScalars.filter { $0.isASCII && $0 != "\"" && $0 != "\\" && $0.value >= 0x20 }.map(
                    Character.init))
        }
    }

    /// What is done with a cosigned checkpoint. Both are called on a queue of their own.
    public struct Hooks: Sendable {
        let inTransaction: @Sendable (Transaction, CosignedHead, Bool) throws -> Void
        let afterwards: @Sendable (CosignedHead) -> Void

        /// `inTransaction` is called in the transaction in which a checkpoint becomes the one that is shown (then with
        /// true), or gets more lines; `afterwards` when that is durable.
        public init(
            inTransaction: @escaping @Sendable (Transaction, CosignedHead, Bool) throws -> Void = { _, _, _ in },
            afterwards: @escaping @Sendable (CosignedHead) -> Void = { _ in }
        ) {
            self.inTransaction = inTransaction
            self.afterwards = afterwards
        }
    }

    private struct Waiter {
        let number: Int
        let size: UInt64
        let continuation: CheckedContinuation<CosignedHead, any Error>
    }

    private let log: StoredLog
    private let key: VerifierKey
    private let policy: WitnessPolicy
    private let endpoints: [WitnessEndpoint]
    private let database: any Storage
    private let client: WitnessClient
    private let evidence: LogEvidence
    private let clock: WallClock
    private let logger: Logger
    private let hooks: Hooks
    /// Writes wait for the disk, which tasks must not do.
    private let disk = DispatchQueue(label: "roundrobin.cosignatures")

    private var submissions: [WitnessSubmission]
    /// The newest checkpoint that is to be cosigned.
    private var target: StoredLog.Head?
    /// The lines for it, and for what is shown, that are not stored yet.
    private var arrived: [Cosignature] = []
    private var shown: CosignedHead?
    private var waiters: [Waiter] = []
    private var nextWaiter = 0
    private var isSettling = false

    /// The witnesses of `policy` for `log`, which `key` signs. `endpoints` are those whose address is known; each is
    /// asked no more often than every `interval`.
    public init(
        _ log: StoredLog, key: VerifierKey, policy: WitnessPolicy, endpoints: [WitnessEndpoint],
        database: any Storage, connection: any RequestConnection, interval: Duration, evidence: LogEvidence,
        clock: WallClock, logger: Logger, hooks: Hooks = Hooks()
    ) throws {
        (self.log, self.key, self.policy, self.endpoints) = (log, key, policy, endpoints)
        (self.database, self.clock, self.logger, self.hooks) = (database, clock, logger, hooks)
        self.evidence = evidence
        client = WitnessClient(connection: connection)
        submissions = endpoints.map { _ in WitnessSubmission(interval: interval, now: .now) }
        shown = try database.read { try log.shown($0, by: policy.keys) }
        let file = evidence.file(against: log.origin)
        published.withLock { $0.evidence = file }
    }

    // MARK: For the server

    /// Has `head` cosigned, and returns when a quorum did. Throws a ``Failure`` if none did by then; the witnesses are
    /// asked on.
    public func cosign(_ head: StoredLog.Head, within patience: Duration) async throws -> CosignedHead {
        if let ended { throw Failure.ended(evidence: ended) }
        if let shown, shown.head.checkpoint == head.checkpoint, hasQuorum { return shown }
        aim(at: head)
        nextWaiter += 1
        let number = nextWaiter
        return try await withCheckedThrowingContinuation { continuation in
            waiters.append(Waiter(number: number, size: head.checkpoint.size, continuation: continuation))
            Task {
                try? await Task.sleep(for: patience)
                giveUp(number)
            }
            ask()
        }
    }

    /// Aims at `head` without waiting: what the witnesses cosign of it is shown when they do. A checkpoint on its way
    /// to a quorum is not given up for a newer one at once: a log that grows all the time would never get there.
    public func aim(at head: StoredLog.Head) {
        let newest = queued ?? target
        guard newest.map({ $0.checkpoint.size < head.checkpoint.size }) ?? true else { return }
        waitsSince = waitsSince ?? clock.now
        queued = head
        advance()
        ask()
    }

    private func advance() {
        guard let queued else { return }
        let isSettled = target == nil || hasQuorum && target?.checkpoint == shown?.head.checkpoint
        guard isSettled || ContinuousClock.now - targetSince > Self.persistence else { return }
        (target, self.queued, targetSince) = (queued, nil, .now)
        arrived = []
    }
    private var queued: StoredLog.Head?
    private var targetSince = ContinuousClock.now
    private static let persistence = Duration.seconds(10)

    /// What may be done with the log now.
    public struct State: Sendable {
        /// True once a quorum cosigned something since this server started. Until then nothing new may be signed: what
        /// this server has may be a restored backup.
        public var isConfirmed = false
        /// Since when a checkpoint waits for its quorum; nil if none does.
        public var waitsSince: UTCTime?
        /// True if somebody waited for that quorum in vain.
        public var isGivenUp = false
        /// The file that proves that the log contradicts itself; nil if there is none.
        public var evidence: String?
    }

    /// What may be done with the log now.
    public nonisolated var state: State { published.withLock { $0 } }
    private let published = Mutex(State())

    private var hasQuorum: Bool { state.isConfirmed }
    private var waitsSince: UTCTime? {
        get { state.waitsSince }
        set { published.withLock { $0.waitsSince = newValue } }
    }
    private var ended: String? {
        get { state.evidence }
        set { published.withLock { $0.evidence = newValue } }
    }

    /// The witnesses that count as absent now.
    public var absences: [Absence] {
        zip(endpoints, submissions).compactMap { endpoint, submission in
            submission.trouble.map { Absence(name: endpoint.name, trouble: $0) }
        } + unknown
    }

    /// The metrics of this log, as lines of Prometheus' text format.
    public var metrics: [String] {
        let (name, state) = (log.origin, state)
        let waits = state.waitsSince.map { max(0, clock.now.seconds - $0.seconds) } ?? 0
        return ["roundrobin_log_waits_for_witnesses_seconds{log=\"\(name)\"} \(waits)"]
            + absences.map { "roundrobin_witness_absent{log=\"\(name)\",witness=\"\($0.label)\"} 1" }
            + (state.evidence == nil ? [] : ["roundrobin_log_contradicts_itself{log=\"\(name)\"} 1"])
    }

    /// Witnesses whose address nobody named.
    private var unknown: [Absence] {
        let known = Set(endpoints.flatMap(\.keys))
        return policy.keys.filter { $0.ed25519 != nil && !known.contains($0) }.map {
            Absence(name: $0.name, trouble: .unavailable("its address is not known here: witness add VKEY URL"))
        }
    }

    /// Asks again what is due, until cancelled. `renews` says whether an idle log is submitted again every hour, so
    /// that a stale view of it is seen.
    public func keepAsking(renews: @escaping @Sendable () -> Bool) async {
        while !Task.isCancelled {
            if hasQuorum, renews() { renew(after: Self.renewal) }
            await settle()
            advance()
            ask()
            try? await Task.sleep(for: Self.pulse)
        }
    }
    private static let pulse = Duration.milliseconds(500)
    private static let renewal: Int64 = 3600
    private var renewedAt: Int64 = 0

    private func renew(after seconds: Int64) {
        let now = clock.now.seconds
        // A clock that was set back counts, too.
        guard !(0..<seconds).contains(now - renewedAt) else { return }
        renewedAt = now
        for index in submissions.indices { submissions[index].renew() }
    }

    /// Submits the log again for a fresh time, though it is idle, unless that was done in the last seconds. To be
    /// called until the time is what it must be: the clock of a witness may be behind.
    public func renewSoon() { if hasQuorum { renew(after: Self.shortRenewal) } }
    private static let shortRenewal: Int64 = 5

    // MARK: Asking

    private func ask() {
        guard ended == nil, let target else { return }
        for index in endpoints.indices {
            let old = submissions[index].begin(size: target.checkpoint.size, now: .now)
            guard let old else { continue }
            Task { await submit(target, from: old, to: index) }
        }
        wake(for: target.checkpoint.size)
    }

    /// Asks again when the next witness is due.
    private func wake(for size: UInt64) {
        guard let moment = submissions.compactMap({ $0.next(size: size) }).min() else { return }
        guard wakesAt.map({ moment < $0 }) ?? true else { return }
        wakesAt = moment
        Task {
            try? await Task.sleep(until: moment)
            if wakesAt == moment { wakesAt = nil }
            ask()
        }
    }
    private var wakesAt: ContinuousClock.Instant?

    private func submit(_ head: StoredLog.Head, from oldSize: UInt64, to index: Int) async {
        let endpoint = endpoints[index]
        let (log, database, size) = (log, database, head.checkpoint.size)
        let answer: WitnessAnswer
        do {
            let proof = try await onDisk { try database.read { try log.consistency($0, from: oldSize, to: size) } }
            answer = await client.submit(
                head.checkpoint, note: head.note, proof: proof, from: oldSize, to: endpoint)
        } catch {
            answer = .unavailable("this server cannot make the proof: \(error)")
        }
        let counted = counting(answer)
        let before = submissions[index].trouble
        let step = submissions[index].end(counted, size: size, now: .now)
        report(submissions[index].trouble, before: before, of: endpoint)
        if case .cosigned(let lines) = counted { await take(lines, for: head) }
        if step == .look { await look(at: endpoint) }
        ask()
    }

    /// The answer without lines that are ahead of this computer's clock. A witness of which nothing is left is asked
    /// again: one of the two clocks is wrong, and may be put right.
    private func counting(_ answer: WitnessAnswer) -> WitnessAnswer {
        guard case .cosigned(let lines) = answer else { return answer }
        let now = UInt64(max(0, clock.now.seconds))
        let counting = lines.filter { $0.counts(at: now) }
        return counting.isEmpty ? .unavailable("its clock is ahead of this computer's") : .cosigned(counting)
    }

    /// Logs what changed about a witness, once.
    private func report(_ trouble: WitnessTrouble?, before: WitnessTrouble?, of endpoint: WitnessEndpoint) {
        guard trouble != before else { return }
        let metadata: Logger.Metadata = [
            "witness": "\(endpoint.name)", "log": "\(log.origin)", "problem": "\(trouble?.explanation ?? "none")",
        ]
        guard let trouble else { return logger.warning("witness is back", metadata: metadata) }
        logger.log(
            level: trouble.isAlarming ? .error : .warning, "witness counts as absent", metadata: metadata)
    }

    // MARK: What they cosigned

    private func take(_ lines: [Cosignature], for head: StoredLog.Head) async {
        guard head.checkpoint == target?.checkpoint else { return }
        arrived += lines
        await settle()
    }

    /// Stores what arrived, once it is a quorum or belongs to what is shown. If it cannot be stored, it is tried again
    /// at the next pulse.
    private func settle() async {
        guard !isSettling else { return }
        isSettling = true
        defer { isSettling = false }
        while !arrived.isEmpty, let target, ended == nil {
            let isShown = shown?.head.checkpoint == target.checkpoint
            let quorum = Set(arrived.map(\.key))
            // After a start, what is shown counts only when a quorum has taken it again.
            guard isShown && hasQuorum || policy.isMet(by: quorum.contains) else { return }
            let lines = arrived
            do { try await store(lines, for: target, isNew: !isShown) } catch {
                logger.error("cosignatures cannot be stored", metadata: ["error": "\(error)"])
                return
            }
            arrived.removeAll { lines.contains($0) }
        }
    }

    private func store(_ lines: [Cosignature], for head: StoredLog.Head, isNew: Bool) async throws {
        let (log, database, keys, hooks) = (log, database, policy.keys, hooks)
        let stored = try await onDisk {
            let stored = try database.write { db in
                try log.keep(db, lines, for: head.checkpoint)
                let cosigned = try log.cosigned(db, head, by: keys)
                if isNew { try log.show(db, head) }
                try hooks.inTransaction(db, cosigned, isNew)
                return cosigned
            }
            hooks.afterwards(stored)
            return stored
        }
        shown = stored
        if isNew || !hasQuorum { renewedAt = clock.now.seconds }
        published.withLock { $0.isConfirmed = true }
        if head.checkpoint == target?.checkpoint, queued == nil {
            published.withLock { ($0.waitsSince, $0.isGivenUp) = (nil, false) }
        }
        advance()
        let served = waiters.filter { $0.size <= head.checkpoint.size }
        waiters.removeAll { $0.size <= head.checkpoint.size }
        for waiter in served { waiter.continuation.resume(returning: stored) }
    }

    private func giveUp(_ number: Int) {
        guard let index = waiters.firstIndex(where: { $0.number == number }) else { return }
        published.withLock { $0.isGivenUp = true }
        waiters.remove(at: index).continuation.resume(throwing: ended.map { Failure.ended(evidence: $0) } ?? .noQuorum)
    }

    // MARK: Evidence

    /// A witness claims that this log is another. If what it shows was signed by the log's own key, and the entries do
    /// not give it, the log has contradicted itself.
    private func look(at endpoint: WitnessEndpoint) async {
        guard let note = await client.shown(of: log.origin, at: endpoint),
            let claimed = try? Checkpoint(verifying: note, key: key)
        else { return }
        let (log, database, evidence) = (log, database, evidence)
        let file: String?
        do {
            file = try await onDisk { () -> String? in
                let isOurs = try database.read { db in
                    let head = try log.head(db).checkpoint
                    guard claimed.size <= head.size else { return false }
                    return try log.root(db, ofFirst: claimed.size) == claimed.root
                }
                return isOurs ? nil : try evidence.keep(note, against: log.origin)
            }
        } catch {
            logger.critical(
                "evidence against the log cannot be kept", metadata: ["log": "\(log.origin)", "error": "\(error)"])
            return
        }
        guard let file else { return }
        ended = file
        logger.critical(
            "the log contradicts itself and ends", metadata: ["log": "\(log.origin)", "evidence": "\(file)"])
        let all = waiters
        waiters = []
        for waiter in all { waiter.continuation.resume(throwing: Failure.ended(evidence: file)) }
    }

    private func onDisk<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            disk.async { continuation.resume(with: Result { try body() }) }
        }
    }
}
