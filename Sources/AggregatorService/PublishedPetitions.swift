import Petitions
import Platform
import ServiceHTTP
import ServiceLifecycle

/// The petitions that are being counted, each made when it is first asked for.
final class PublishedPetitions: Service {
    /// How often those who watch a petition in which nothing happens are written to, so that who is gone is found.
    private static let pulse = Duration.seconds(15)
    private let resources: AdmissionResources
    private let sequencers = Mutex<[String: RecordSequencer]>([:])

    init(resources: AdmissionResources) {
        self.resources = resources
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

    /// How many watch any of them.
    var watcherCount: Int { all.reduce(0) { $0 + $1.watcherCount } }

    /// Signs of what is new, nil when as many watch as may.
    func watch(_ petition: PublishedPetition) -> AsyncStream<Void>? {
        // One after the other, or many that come at once would all be the last.
        watching.withLock { _ in watcherCount < ServingLimits.watchers ? petition.watch() : nil }
    }
    private let watching = Mutex(())

    /// Where records of the petition with this id go; nil when it is not collected here.
    func sequencer(_ id: String) throws -> RecordSequencer? {
        if let known = sequencers.withLock({ $0[id] }) { return known }
        guard let petition = try resources.aggregator.petition(id) else { return nil }
        // Under the lock: a petition must not be counted by two.
        return try sequencers.withLock { known in
            if let made = known[id] { return made }
            let live = try PublishedPetition(petition, of: resources.aggregator)
            let made = RecordSequencer(petition: live, resources: resources)
            known[id] = made
            return made
        }
    }
}
