import Documents
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

/// Has the announcements log cosigned by the witnesses of all petitions that have a policy. No petition's witnesses
/// hold an announcement back: the log is shown at once, with the lines that there are. What a petition needs is one
/// checkpoint over its announcement with its own quorum, which is kept for ever.
final class AnnouncementWitnesses: Service {
    private let coordinator: Coordinator
    private let connection: any RequestConnection
    private let interval: Duration
    private let logger: Logger
    private let shown = Mutex<CosignedHead?>(nil)
    private let current = Mutex<LogWitnesses?>(nil)

    /// The metrics of the log.
    func metrics() async -> [String] { await current.withLock({ $0 })?.metrics ?? [] }

    init(_ coordinator: Coordinator, connection: any RequestConnection, interval: Duration, logger: Logger) {
        self.coordinator = coordinator
        self.connection = connection
        self.interval = interval
        self.logger = logger
    }

    /// The note of a checkpoint of the announcements log, with the lines that there are for it.
    func note(of head: StoredLog.Head) -> [UInt8] {
        let cosigned = shown.withLock { $0 }
        return cosigned?.head.checkpoint == head.checkpoint ? cosigned?.note ?? head.note : head.note
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            var asking: (keys: [WitnessKey], witnesses: LogWitnesses, task: Task<Void, Never>)?
            defer { current.withLock { $0 = nil } }
            while !Task.isCancelled {
                let policies = (try? coordinator.announcementPolicies()) ?? []
                let all = WitnessPolicy(unionOf: policies)
                // The operator may have made a petition while the server runs.
                if all.keys != asking?.keys ?? [], let witnesses = try? witnesses(of: all) {
                    asking?.task.cancel()
                    asking = (all.keys, witnesses, Task { await witnesses.keepAsking { true } })
                    current.withLock { $0 = witnesses }
                }
                if let asking, let head = try? head() { await asking.witnesses.aim(at: head) }
                try? await Task.sleep(for: max(interval, .milliseconds(100)))
            }
            asking?.task.cancel()
        }
    }

    /// The newest checkpoint, recorded before a witness sees it.
    private func head() throws -> StoredLog.Head {
        let head = try coordinator.database.read { try coordinator.announcements($0).head($0) }
        try coordinator.remember([head])
        return head
    }

    private func witnesses(of policy: WitnessPolicy) throws -> LogWitnesses {
        let (log, endpoints) = try coordinator.database.read { db in
            (try coordinator.announcements(db), try WitnessAddresses.endpoints(db, of: policy))
        }
        return try LogWitnesses(
            log, key: Announcement.logKey(coordinator: coordinator.url, key: coordinator.publicKey), policy: policy,
            endpoints: endpoints, database: coordinator.database, connection: connection, interval: interval,
            evidence: LogEvidence(folder: coordinator.folder), clock: coordinator.clock, logger: logger,
            hooks: LogWitnesses.Hooks(afterwards: { [weak self] in self?.take($0) }))
    }

    private func take(_ cosigned: CosignedHead) {
        shown.withLock { $0 = cosigned }
        do { try coordinator.keepWitnessed(cosigned) } catch {
            logger.error("cosignatures cannot be stored", metadata: ["error": "\(error)"])
        }
    }
}
