import Documents
import LogStorage
import LogWitnessing
import Petitions
import Platform
import ServiceHTTP
import ServiceLifecycle
import TransparencyLog

/// The petitions that are being counted, each created when it is first requested.
final class PublishedPetitions: Service {
    /// How often something is sent to the watchers of a petition even if nothing happens, to find those that are gone.
    private static let pulse = Duration.seconds(15)
    private let resources: AdmissionResources
    private let sequencers = Mutex<[String: RecordSequencer]>([:])
    private let access: WitnessAccess
    private let duty: Duty

    init(resources: AdmissionResources, access: WitnessAccess, duty: Duty) {
        self.resources = resources
        self.access = access
        self.duty = duty
    }

    /// Shows what another server on this database has published.
    func follow() async {
        // From their beginning: what this server has never recorded, it could not take over.
        for petition in (try? resources.aggregator.petitions()) ?? [] { _ = try? sequencer(petition.manifest.id.hex) }
        for petition in all { await resources.follow(petition) }
    }

    /// Publishes what is committed, by whatever server. Throws a ``StorageError`` if that cannot be.
    func publish() async throws {
        for petition in all { try await resources.publish(petition) }
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.pulse)
                for petition in all { petition.wakeWatchers() }
            }
        }
    }

    private var all: [PublishedPetition] { sequencers.withLock { $0.values.map(\.petition) } }

    /// What is published of each, in the order of their origins.
    var heads: [StoredLog.Head] {
        all.map(\.published.head).sorted { $0.checkpoint.origin < $1.checkpoint.origin }
    }

    /// The logs under a policy, for the metrics: since when each waits, and which witnesses are absent.
    func witnessMetrics() async -> [String] {
        var lines: [String] = []
        for petition in all.sorted(by: { $0.collected.log.origin < $1.collected.log.origin }) {
            if let witnesses = petition.witnesses { lines += await witnesses.metrics }
        }
        return lines
    }

    /// The number of watchers of all petitions together.
    var watcherCount: Int { all.reduce(0) { $0 + $1.watcherCount } }

    /// A new watcher of a petition; nil when there are as many watchers as allowed.
    func watch(_ petition: PublishedPetition) -> PublishedPetition.Watch? {
        // One at a time, or many that arrive at once would all take the last place.
        watching.withLock { _ in watcherCount < ServingLimits.watchers ? petition.watch() : nil }
    }
    private let watching = Mutex(())

    /// The sequencer for records of the petition with this id; nil when it is not collected here.
    func sequencer(_ id: String) throws -> RecordSequencer? {
        if let known = sequencers.withLock({ $0[id] }) { return known }
        guard let petition = try resources.aggregator.petition(id) else { return nil }
        // Under the lock: a petition must not have two sequencers.
        return try sequencers.withLock { known in
            if let made = known[id] { return made }
            let live = try PublishedPetition(petition, of: resources.aggregator, access)
            if live.witnesses != nil {
                Task { [duty] in
                    await duty.waitUntilActive()
                    await live.keepAskingWitnesses()
                }
            }
            let made = RecordSequencer(petition: live, resources: resources)
            known[id] = made
            return made
        }
    }
}
