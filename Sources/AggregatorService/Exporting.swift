import Documents
import LogClient
import LogReading
import LogStorage
import Messages
import PetitionCopies
import Petitions
import Storage
import TransparencyLog

/// Makes the offline copy of a petition: its own log, its rolls and the announcements from the database, as they were
/// seen and kept, and the logs of other aggregators from where they are published.
extension Aggregator {
    /// Writes the copy of the petition with this id (or of the only one) to `folder`.
    public func export(
        petition id: PetitionID?, to folder: CopyFolder, connection: HTTPConnection,
        progress: WorkProgress
    ) async throws -> PetitionCopy {
        let petitions = try petitions()
        let chosen = id.map { id in petitions.first { $0.manifest.id == id } } ?? petitions.first
        guard let petition = chosen else { throw AggregatorError.noSuchPetition }
        guard id != nil || petitions.count == 1 else {
            throw AggregatorError.severalPetitions(petitions.map(\.manifest.id))
        }
        let source = { @Sendable (base: String) in HTTPSource(connection: connection, base: base) }
        let served = ServedPetition(
            petition.manifest.logURL(aggregator: 0), aggregators: source, coordinators: source)
        let origin = try KeptPetition(petition, of: self, others: served)
        return try await PetitionCopier(origin: origin, to: folder, progress: progress).copy(petition.manifest.id)
    }
}

/// A petition as this aggregator has it.
private struct KeptPetition: PetitionOrigin {
    private let aggregator: Aggregator
    private let petition: CollectedPetition
    private let grounds: CopiedPetition
    private let others: ServedPetition

    /// `others` knows where the logs of other aggregators are.
    init(_ petition: CollectedPetition, of aggregator: Aggregator, others: ServedPetition) throws {
        self.aggregator = aggregator
        self.petition = petition
        self.others = others
        let kept = try aggregator.database.read { try KeptGrounds($0, of: petition) }
        grounds = CopiedPetition(KeptSource(database: aggregator.database, grounds: kept))
    }

    var kind: OriginKind { .kept }

    func petition() async throws -> [UInt8]? { petition.manifest.note }

    func aggregator(_ index: Int, of manifest: PetitionManifest) -> any ResourceSource {
        manifest.aggregators[index].url == aggregator.url
            ? OwnLogSource(aggregator: aggregator, petition: petition) : others.aggregator(index, of: manifest)
    }

    func roll(_ index: Int, of manifest: PetitionManifest) -> any ResourceSource { grounds.roll(index, of: manifest) }

    func coordinator(of manifest: PetitionManifest) -> any ResourceSource { grounds.coordinator(of: manifest) }

    func announcement(of manifest: PetitionManifest) async throws -> [UInt8]? {
        try await grounds.announcement(of: manifest)
    }

    /// Nobody is asked: what a witness shows is for those who check.
    func shown(by witness: Int, aggregator index: Int, of manifest: PetitionManifest) async -> [UInt8]? { nil }

    /// What another aggregator, which may have seen more, keeps.
    func kept(byAggregator index: Int, of manifest: PetitionManifest) -> CopiedPetition? {
        manifest.aggregators[index].url == aggregator.url ? nil : others.kept(byAggregator: index, of: manifest)
    }
}

/// What a petition depends on, read from the database.
private final class KeptSource: ResourceSource {
    private let database: any Storage
    private let grounds: KeptGrounds

    init(database: any Storage, grounds: KeptGrounds) { (self.database, self.grounds) = (database, grounds) }

    func read(_ path: String, limit: Int) async throws(SourceError) -> [UInt8]? {
        switch grounds.resource(at: path) {
        case nil: return nil
        case .document(let note): return note
        case .part(let log, let path):
            do { return try database.read { try log.resource($0, path: path) } } catch {
                throw SourceError.unreachable(location: log.key.name, reason: "the database cannot be read")
            }
        }
    }

    func location(of path: String) -> String { "\(path) as it is kept" }
}

/// What the server would serve of one petition, read from its database.
private final class OwnLogSource: ResourceSource {
    private let aggregator: Aggregator
    private let petition: CollectedPetition

    init(aggregator: Aggregator, petition: CollectedPetition) {
        (self.aggregator, self.petition) = (aggregator, petition)
    }

    func read(_ path: String, limit: Int) async throws(SourceError) -> [UInt8]? {
        do {
            return try aggregator.database.read { db in
                let now = aggregator.clock.now
                // Under a policy, the copy has what a quorum has cosigned, as readers are shown it.
                let shown = try petition.manifest.witnesses.map { try petition.shown(db, under: $0) } ?? nil
                if petition.manifest.witnesses != nil, shown == nil, path != "history" { return nil }
                switch path {
                case "tally": return Array(try (shown?.tally ?? petition.tally(db).published).json().utf8)
                case "history":
                    let size = shown?.head.head.checkpoint.size ?? .max
                    let stored = try petition.history(db, at: now.seconds)
                    return Array(GrowthHistory(stored.points.filter { $0.treeSize <= size }).json.utf8)
                case "checkpoint" where shown != nil: return shown?.head.note
                case "closing": return try petition.finalNote(db, at: now)
                default: return try petition.log.resource(db, path: path)
                }
            }
        } catch {
            throw SourceError.unreachable(location: location(of: path), reason: "the database cannot be read")
        }
    }

    func location(of path: String) -> String { "\(petition.log.origin)/\(path)" }
}
