import LogClient
import LogStorage
import Petitions
import TransparencyLog
import Verification

/// Makes the offline copy of a petition: its own log, its rolls and the announcements from the database, as they were
/// seen and kept; the logs of other aggregators from where they are published.
extension Aggregator {
    /// Writes the copy of the petition with this id (or of the only one) to `folder`.
    public func export(
        petition id: String?, to folder: CopyFolder, connection: HTTPConnection,
        progress: @escaping @Sendable (String, UInt64, UInt64) -> Void
    ) async throws -> PetitionManifest {
        let petitions = try petitions()
        let chosen = id.map { id in petitions.first { $0.manifest.id.hex == id } } ?? petitions.first
        guard let petition = chosen, id != nil || petitions.count == 1 else { throw AggregatorError.noSuchPetition }
        let served = ServedPetition(petition.manifest.logURL(aggregator: 0)) { base in
            HTTPSource(connection: connection, base: base)
        }
        let copied = try await PetitionCopier(
            origin: try KeptPetition(petition, of: self, others: served),
            write: { try await folder.write($0, to: $1) }, progress: progress
        ).copy(petition.manifest.id)
        if let problem = copied.problems.first { throw problem }
        return copied.petition
    }
}

/// A petition as this aggregator has it.
private struct KeptPetition: PetitionOrigin {
    private let aggregator: Aggregator
    private let petition: CollectedPetition
    private let rolls: [KeptSource]
    private let others: ServedPetition

    /// `others` knows where the logs of other aggregators are.
    init(_ petition: CollectedPetition, of aggregator: Aggregator, others: ServedPetition) throws {
        self.aggregator = aggregator
        self.petition = petition
        self.others = others
        rolls = try petition.manifest.rolls.map { reference in
            guard let roll = try aggregator.database.read({ try RollDescriptor.followed($0, reference.id) }) else {
                throw StorageError.damaged("the roll \(reference.url.bare) is not there")
            }
            return KeptSource(
                database: aggregator.database, place: roll.url, note: roll.note,
                logs: ["members": roll.membersKey, "enrolment": roll.enrolmentLogKey])
        }
    }

    func petition() async throws -> [UInt8]? { petition.manifest.note }

    func aggregator(_ index: Int, of manifest: PetitionManifest) -> any ResourceSource {
        manifest.aggregators[index].url == aggregator.url
            ? OwnLogSource(aggregator: aggregator, petition: petition) : others.aggregator(index, of: manifest)
    }

    func roll(_ index: Int, of manifest: PetitionManifest) -> any ResourceSource { rolls[index] }

    func coordinator(of manifest: PetitionManifest) -> any ResourceSource {
        KeptSource(
            database: aggregator.database, place: manifest.url, note: nil,
            logs: [
                OfflineCopy.announcements: Announcement.logKey(coordinator: manifest.url, key: manifest.key)
            ])
    }
}

/// What a coordinator published below one url, as it was kept.
private struct KeptSource: ResourceSource {
    let database: ServerDatabase
    let place: ServiceURL
    /// What stood at the url itself.
    let note: [UInt8]?
    /// The logs, by the folder in which they stood.
    let logs: [String: VerifierKey]

    func read(_ path: String, limit: Int) async throws -> [UInt8]? {
        if path.isEmpty { return note }
        let parts = path.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2, let key = logs[parts[0]] else { return nil }
        do { return try database.read { try FollowedLog(key: key).resource($0, path: parts[1]) } } catch {
            throw SourceError.unreachable(location: location(of: path), reason: "the database cannot be read")
        }
    }

    func location(of path: String) -> String { path.isEmpty ? place.text : "\(place.text)/\(path)" }
}

/// What the server would serve of one petition, read from its database.
private struct OwnLogSource: ResourceSource {
    let aggregator: Aggregator
    let petition: CollectedPetition

    func read(_ path: String, limit: Int) async throws -> [UInt8]? {
        do {
            return try aggregator.database.read { db in
                switch path {
                case "tally": Array(try petition.tally(db).published.json().utf8)
                case "history": Array(try petition.history(db, at: UTCTime.now.seconds).json.utf8)
                default: try petition.log.resource(db, path: path)
                }
            }
        } catch {
            throw SourceError.unreachable(location: location(of: path), reason: "the database cannot be read")
        }
    }

    func location(of path: String) -> String { "\(petition.log.origin)/\(path)" }
}
