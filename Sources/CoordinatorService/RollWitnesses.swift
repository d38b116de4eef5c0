import Documents
import Foundation
import LogReading
import LogStorage
import LogWitnessing
import Logging
import Petitions
import Platform
import ServiceLifecycle
import Storage
import TransparencyLog
import Witnessing

/// Has the two logs of every roll with a policy cosigned by the witnesses of the roll. Nothing of them is shown before
/// a quorum has cosigned it.
final class RollWitnesses: Service {
    /// The witnesses of one roll.
    private struct Watch: Sendable {
        let members: LogWitnesses
        let enrolment: LogWitnesses
        let tasks: [Task<Void, Never>]
        /// A members log that waits until this much of the enrolment log, which its seals name, is shown.
        var waiting: (members: StoredLog.Head, enrolmentSize: UInt64)?
    }

    private let coordinator: Coordinator
    private let connection: any RequestConnection
    private let interval: Duration
    private let logger: Logger
    private let watches = Mutex<[Int64: Watch]>([:])

    init(_ coordinator: Coordinator, connection: any RequestConnection, interval: Duration, logger: Logger) {
        self.coordinator = coordinator
        self.connection = connection
        self.interval = interval
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                // The operator may make a roll, invite or seal while the server runs.
                for roll in (try? coordinator.witnessedRolls()) ?? [] { await step(roll) }
                try? await Task.sleep(for: max(interval, .milliseconds(100)))
            }
            for watch in watches.withLock({ Array($0.values) }) { for task in watch.tasks { task.cancel() } }
        }
    }

    /// How long an answer waits for the quorum.
    private var patience: Duration { max(.seconds(10), interval + WitnessSubmission.patience) }

    /// Throws ``Rule/busy`` if nothing may be added to the roll's enrolment log now: no quorum has confirmed what this
    /// server has since it started, or one has been missing for some time.
    func checkMayGrow(_ roll: RollStore) async throws {
        guard roll.descriptor.witnesses != nil else { return }
        guard let state = try watch(roll)?.enrolment.state, state.evidence == nil, state.isConfirmed, !state.isGivenUp
        else { throw Rule.busy }
    }

    /// Waits until a quorum has cosigned what the roll's enrolment log has now, and it is shown. Throws ``Rule/busy``
    /// if that takes too long.
    func waitUntilShown(_ roll: RollStore) async throws {
        // An open roll shows it with its next step.
        guard roll.descriptor.witnesses != nil, !roll.descriptor.admission.isOpen, let watch = try watch(roll) else {
            return
        }
        let head = try coordinator.database.read { try roll.enrolment.head($0) }
        // What a witness has cosigned can never be taken back.
        try coordinator.remember([head])
        do { _ = try await watch.enrolment.cosign(head, within: patience) } catch is LogWitnesses.Failure {
            throw Rule.busy
        }
    }

    /// The metrics of all of them.
    func metrics() async -> [String] {
        var lines: [String] = []
        for (_, watch) in watches.withLock({ $0.sorted { $0.key < $1.key } }) {
            for witnesses in [watch.members, watch.enrolment] { lines += await witnesses.metrics }
        }
        return lines
    }

    /// Aims at what both logs have. A seal names the enrolment log: readers must find that much of it there.
    private func step(_ roll: RollStore) async {
        guard var watch = try? watch(roll) else { return }
        let heads = try? coordinator.database.read { db in
            (try roll.members.head(db), try roll.enrolment.head(db), try roll.publishedEnrolment(db))
        }
        guard let (members, newest, enrolment) = heads, (try? coordinator.remember([members, newest])) != nil else {
            return
        }
        await watch.enrolment.aim(at: enrolment)
        // What waits goes first: a log that grows all the time would never get there.
        let next = watch.waiting ?? (members, enrolment.checkpoint.size)
        let shown = try? coordinator.database.read { try roll.shownSize($0, of: roll.enrolment) }
        if shown ?? 0 >= next.enrolmentSize {
            await watch.members.aim(at: next.members)
            watch.waiting = nil
        } else {
            watch.waiting = next
        }
        watches.withLock { [waiting = watch.waiting] in $0[roll.id]?.waiting = waiting }
        // At the end of the window the witnesses are asked once more, before anything may be sealed.
        let end = try? coordinator.database.read { db in
            try roll.isWindowWitnessed(db) ? nil : try roll.witnessedEnd(db)
        }
        guard let end, UInt64(max(0, coordinator.clock.now.seconds)) >= end else { return }
        for log in [watch.members, watch.enrolment] { await log.renewSoon() }
    }

    /// The witnesses of a roll; nil if it has no policy.
    private func watch(_ roll: RollStore) throws -> Watch? {
        guard let policy = roll.descriptor.witnesses else { return nil }
        return try watches.withLock { watches in
            if let known = watches[roll.id] { return known }
            let endpoints = try coordinator.database.read { try WitnessAddresses.endpoints($0, of: policy) }
            func witnesses(
                _ log: StoredLog, keeping keep: @escaping @Sendable (Transaction, CosignedHead) throws -> Void
            ) throws -> LogWitnesses {
                try LogWitnesses(
                    log, key: VerifierKey(name: log.origin, publicKey: coordinator.publicKey), policy: policy,
                    endpoints: endpoints, database: coordinator.database, connection: connection, interval: interval,
                    evidence: LogEvidence(folder: coordinator.folder), clock: coordinator.clock, logger: logger,
                    hooks: LogWitnesses.Hooks(inTransaction: { db, cosigned, _ in try keep(db, cosigned) }))
            }
            let members = try witnesses(roll.members) { try roll.keepEnd($0, of: roll.members, $1, under: policy) }
            let enrolment = try witnesses(roll.enrolment) { db, cosigned in
                try roll.keepOpenings(db, cosigned)
                try roll.keepEnd(db, of: roll.enrolment, cosigned, under: policy)
            }
            // Always renewed: petitions over this roll may be kept elsewhere, and whoever signs one looks here.
            let tasks = [members, enrolment].map { log in Task { await log.keepAsking { true } } }
            let watch = Watch(members: members, enrolment: enrolment, tasks: tasks)
            watches[roll.id] = watch
            return watch
        }
    }
}

extension Coordinator {
    /// The rolls that have a policy.
    func witnessedRolls() throws -> [RollStore] {
        try database.read { db in
            try String.fetchAll(db, sql: "SELECT slug FROM roll ORDER BY id").compactMap { slug in
                try RollStore(db, slug: slug).flatMap { $0.descriptor.witnesses == nil ? nil : $0 }
            }
        }
    }

    /// What is shown of a log of a roll: under a policy, what a quorum has cosigned, or that the log is empty.
    func shownNote(_ roll: RollStore, of log: StoredLog, under policy: WitnessPolicy) throws -> [UInt8] {
        if let shown = try database.read({ try log.shown($0, by: policy.keys) }) { return shown.note }
        return Checkpoint(origin: log.origin, size: 0, root: MerkleHash.emptyRoot).signed(by: noteKey)
    }
}

extension RollStore {
    private static let chunk: UInt64 = 4096

    static func createWitnessTables(_ db: Transaction) throws {
        try db.execute(
            script: """
                -- Of the enrolment log, the first cosigned checkpoint with the opening of a round's joining; of both
                -- logs, the first that was cosigned at the end of its window, with joining open and nothing sealed.
                CREATE TABLE witnessedRound (
                    log INTEGER NOT NULL REFERENCES log(id),
                    moment TEXT NOT NULL,
                    round INTEGER NOT NULL,
                    note BLOB NOT NULL,
                    PRIMARY KEY (log, moment, round)
                ) STRICT, WITHOUT ROWID;
                CREATE TABLE witnessedUpTo (log INTEGER PRIMARY KEY REFERENCES log(id), size INTEGER NOT NULL) STRICT;
                """)
    }

    /// How many entries of one of the roll's logs are shown under the policy.
    func shownSize(_ db: Transaction, of log: StoredLog) throws -> UInt64 {
        try log.shown(db, by: [])?.head.checkpoint.size ?? 0
    }

    /// Keeps a checkpoint of the enrolment log, just cosigned by a quorum, for every opening of joining that it is the
    /// first to cover.
    func keepOpenings(_ db: Transaction, _ cosigned: CosignedHead) throws {
        let size = cosigned.head.checkpoint.size
        let known = try Int64.fetchOne(
            db, sql: "SELECT size FROM witnessedUpTo WHERE log = ?", arguments: [enrolment.id])
        let first = UInt64(clamping: known ?? 0)
        guard first < size else { return }
        for start in stride(from: first, to: size, by: Int(Self.chunk)) {
            for entry in try enrolment.entries(db, start..<min(start + Self.chunk, size)) {
                guard case .joiningOpens(let round, _) = try? EnrolmentEntry(parsing: entry) else { continue }
                try keep(db, cosigned.earliestNote, of: enrolment, .opening, round: round)
            }
        }
        try db.execute(
            sql: """
                INSERT INTO witnessedUpTo (log, size) VALUES (?, ?) ON CONFLICT (log) DO UPDATE SET size = excluded.size
                """,
            arguments: [enrolment.id, Int64(size)])
    }

    /// Keeps a checkpoint of either log that a quorum has cosigned when the joining window was over, while joining was
    /// open and before anything was sealed in it: it shows that the window was as long as promised.
    func keepEnd(_ db: Transaction, of log: StoredLog, _ cosigned: CosignedHead, under policy: WitnessPolicy) throws {
        // The state may have changed since this roll was read.
        guard let roll = try RollStore(db, id: descriptor.id), let end = try roll.witnessedEnd(db),
            let time = policy.newestQuorumTime(cosigned.newest), time >= end
        else { return }
        try keep(db, cosigned.note, of: log, .end, round: roll.state.round)
    }

    /// Which moment of a round's joining a checkpoint is kept for.
    enum WitnessedMoment: String {
        case opening, end
    }

    private func keep(
        _ db: Transaction, _ note: [UInt8], of log: StoredLog, _ moment: WitnessedMoment, round: UInt32
    ) throws {
        try db.execute(
            sql: "INSERT INTO witnessedRound (log, moment, round, note) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            arguments: [log.id, moment.rawValue, round, Data(note)])
    }

    /// When the joining window that is open is over, in seconds since 1970, counted from when witnesses saw it open;
    /// nil if joining is not open, no quorum has seen it yet, or the roll has no policy.
    func witnessedEnd(_ db: Transaction) throws -> UInt64? {
        guard state.isJoining, let policy = descriptor.witnesses,
            let note = try keptNote(db, of: enrolment, .opening, round: state.round)
        else { return nil }
        let key = VerifierKey(name: enrolment.origin, publicKey: descriptor.key)
        let opened = try CosignedCheckpoint(verifying: note, key: key, policy: policy, now: .max).quorumTime
        let (end, isBeyondTime) = opened.addingReportingOverflow(UInt64(descriptor.terms.joiningSeconds))
        return isBeyondTime ? nil : end
    }

    /// Whether witnesses have seen that joining was open, and nothing sealed, when the round's window was over.
    func isWindowWitnessed(_ db: Transaction) throws -> Bool {
        try [members, enrolment].allSatisfy { try keptNote(db, of: $0, .end, round: state.round) != nil }
    }

    /// The note that is kept of a log for a round; nil if there is none.
    func keptNote(
        _ db: Transaction, of log: StoredLog, _ moment: WitnessedMoment, round: UInt32
    ) throws -> [UInt8]? {
        try Data.fetchOne(
            db, sql: "SELECT note FROM witnessedRound WHERE log = ? AND moment = ? AND round = ?",
            arguments: [log.id, moment.rawValue, round]
        ).map { [UInt8]($0) }
    }
}
