import Documents
import Foundation
import GRDB
import LogReading
import LogStorage
import LogWitnessing
import Logging
import Petitions
import Platform
import ServiceLifecycle
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
        guard roll.descriptor.witnesses != nil, let watch = try watch(roll) else { return }
        let head = try coordinator.database.read { try roll.enrolment.head($0) }
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
        let heads = try? coordinator.database.read { (try roll.members.head($0), try roll.enrolment.head($0)) }
        guard let (members, enrolment) = heads, (try? coordinator.remember([members, enrolment])) != nil else { return }
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
    }

    /// The witnesses of a roll; nil if it has no policy.
    private func watch(_ roll: RollStore) throws -> Watch? {
        guard let policy = roll.descriptor.witnesses else { return nil }
        return try watches.withLock { watches in
            if let known = watches[roll.id] { return known }
            let endpoints = try coordinator.database.read { try WitnessAddresses.endpoints($0, of: policy) }
            func witnesses(_ log: StoredLog) throws -> LogWitnesses {
                try LogWitnesses(
                    log, key: VerifierKey(name: log.origin, publicKey: coordinator.publicKey), policy: policy,
                    endpoints: endpoints, database: coordinator.database, connection: connection, interval: interval,
                    evidence: LogEvidence(folder: coordinator.folder), clock: coordinator.clock, logger: logger,
                    hooks: LogWitnesses.Hooks(inTransaction: { db, cosigned, isNew in
                        if isNew { try roll.keepTimes(db, of: log, cosigned) }
                    }))
            }
            let (members, enrolment) = (try witnesses(roll.members), try witnesses(roll.enrolment))
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

    static func createWitnessTables(_ db: Database) throws {
        try db.execute(
            sql: """
                -- The first cosigned checkpoint after each seal (by its ring) and each opening of joining (by its round).
                CREATE TABLE witnessedEntry (
                    log INTEGER NOT NULL REFERENCES log(id),
                    number INTEGER NOT NULL,
                    note BLOB NOT NULL,
                    PRIMARY KEY (log, number)
                ) STRICT, WITHOUT ROWID;
                CREATE TABLE witnessedUpTo (log INTEGER PRIMARY KEY REFERENCES log(id), size INTEGER NOT NULL) STRICT;
                """)
    }

    /// How many entries of one of the roll's logs are shown under the policy.
    func shownSize(_ db: Database, of log: StoredLog) throws -> UInt64 {
        try log.shown(db, by: [])?.head.checkpoint.size ?? 0
    }

    /// Keeps a checkpoint, just cosigned by a quorum, for every seal or opening of joining that it is the first to
    /// cover.
    func keepTimes(_ db: Database, of log: StoredLog, _ cosigned: CosignedHead) throws {
        let size = cosigned.head.checkpoint.size
        let known = try Int64.fetchOne(db, sql: "SELECT size FROM witnessedUpTo WHERE log = ?", arguments: [log.id])
        let first = UInt64(clamping: known ?? 0)
        guard first < size else { return }
        var ring =
            try Int64.fetchOne(
                db, sql: "SELECT COUNT(*) FROM witnessedEntry WHERE log = ?", arguments: [log.id]) ?? 0
        for start in stride(from: first, to: size, by: Int(Self.chunk)) {
            for entry in try log.entries(db, start..<min(start + Self.chunk, size)) {
                let number: Int64
                if log.origin == members.origin {
                    guard RollEntry.isSeal(entry) else { continue }
                    number = ring
                    ring += 1
                } else {
                    guard case .joiningOpens(let round, _) = try? EnrolmentEntry(parsing: entry) else { continue }
                    number = Int64(round)
                }
                try db.execute(
                    sql: "INSERT OR IGNORE INTO witnessedEntry (log, number, note) VALUES (?, ?, ?)",
                    arguments: [log.id, number, Data(cosigned.earliestNote)])
            }
        }
        try db.execute(
            sql: "INSERT INTO witnessedUpTo (log, size) VALUES (?, ?) ON CONFLICT DO UPDATE SET size = excluded.size",
            arguments: [log.id, Int64(size)])
    }

    /// The note that is kept for a seal or an opening of joining; nil if there is none.
    func keptTime(_ db: Database, of log: StoredLog, number: Int64) throws -> [UInt8]? {
        try Data.fetchOne(
            db, sql: "SELECT note FROM witnessedEntry WHERE log = ? AND number = ?", arguments: [log.id, number]
        ).map { [UInt8]($0) }
    }
}
