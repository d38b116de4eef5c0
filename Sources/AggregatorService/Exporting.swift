import LogClient
import LogStorage
import Petitions
import TransparencyLog
import Verification

/// Makes the offline copy of a petition: its own log from the database, everything else from where it is published.
extension Aggregator {
    /// Writes the copy of the petition with this id (or of the only one) to `folder`.
    public func export(
        petition id: String?, to folder: CopyFolder, connection: HTTPConnection,
        progress: @escaping @Sendable (String, UInt64, UInt64) -> Void
    ) async throws -> PetitionManifest {
        let petitions = try petitions()
        let chosen = id.map { id in petitions.first { $0.manifest.id.hex == id } } ?? petitions.first
        guard let petition = chosen, id != nil || petitions.count == 1 else { throw AggregatorError.noSuchPetition }
        let origin = OwnPetition(
            aggregator: self, petition: petition,
            served: ServedPetition(petition.manifest.logURL(aggregator: 0)) { base in
                HTTPSource(connection: connection, base: base)
            })
        let copied = try await PetitionCopier(
            origin: origin, write: { try await folder.write($0, to: $1) }, progress: progress
        ).copy()
        if let problem = copied.problems.first { throw problem }
        return copied.petition
    }
}

private struct OwnPetition: PetitionOrigin {
    let aggregator: Aggregator
    let petition: CollectedPetition
    let served: ServedPetition

    func petition() async throws -> [UInt8]? {
        petition.manifest.note
    }

    func aggregator(_ index: Int, of manifest: PetitionManifest) -> any ResourceSource {
        manifest.aggregators[index].url == aggregator.url
            ? DatabaseSource(aggregator: aggregator, petition: petition) : served.aggregator(index, of: manifest)
    }

    func roll(_ index: Int, of manifest: PetitionManifest) -> any ResourceSource {
        served.roll(index, of: manifest)
    }
}

/// What the server would serve of one petition, read from its database.
private struct DatabaseSource: ResourceSource {
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
        } catch AggregatorError.rollUnknown {
            // No tally was published yet.
            return nil
        } catch {
            throw SourceError.unreachable(location: location(of: path), reason: "the database cannot be read")
        }
    }

    func location(of path: String) -> String { "\(petition.log.origin)/\(path)" }
}
