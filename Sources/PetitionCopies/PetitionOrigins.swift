import Documents
import LogReading
import Petitions
import TransparencyLog
import Witnessing

/// What a ``PetitionOrigin`` holds.
public enum OriginKind: Sendable {
    /// What servers publish now.
    case published
    /// What an aggregator keeps: what others saw later does not make it wrong.
    case kept
    /// A copy, which may hold evidence.
    case copied
}

/// Where the parts of a petition are read from when a copy is made.
public protocol PetitionOrigin: Sendable {
    /// What this origin holds.
    var kind: OriginKind { get }
    /// The petition's note.
    func petition() async throws -> [UInt8]?
    /// The source of an aggregator's log and tally, with the log at its root.
    func aggregator(_ index: Int, of petition: PetitionManifest) -> any ResourceSource
    /// The source of a roll: its descriptor at the path `""`, its logs at `members` and `enrolment`.
    func roll(_ index: Int, of petition: PetitionManifest) -> any ResourceSource
    /// The source of the announcements log of the petition's coordinator, with the log at `announcements`.
    func coordinator(of petition: PetitionManifest) -> any ResourceSource
    /// The proof that a petition with witnesses was announced; nil if there is none yet.
    func announcement(of petition: PetitionManifest) async throws -> [UInt8]?
    /// What the witness with this number in the policy shows of an aggregator's log now; nil if it shows nothing, or is
    /// not to be asked.
    func shown(by witness: Int, aggregator index: Int, of petition: PetitionManifest) async -> [UInt8]?
    /// What an aggregator keeps of rolls and announcements, to use if these are not good where they are published; nil
    /// if it is not to be asked.
    func kept(byAggregator index: Int, of petition: PetitionManifest) -> CopiedPetition?
}

/// A petition as its servers publish it: logs below each aggregator's url, rolls at their addresses.
///
/// Those addresses are what a stranger wrote into a petition. One that was read at a public address leads nobody to
/// addresses of the reader's own network.
public struct ServedPetition: PetitionOrigin {
    private let petitionURL: ServiceURL
    private let source: @Sendable (String) -> any ResourceSource
    private let coordinators: @Sendable (String) -> any ResourceSource
    private let witnesses: (@Sendable (String) -> any ResourceSource)?

    /// The petition at `petitionURL`; `aggregators`, `coordinators` and `witnesses` make a source that reads below a
    /// server's url. Without `witnesses`, none is asked.
    public init(
        _ petitionURL: ServiceURL, aggregators: @escaping @Sendable (String) -> any ResourceSource,
        coordinators: @escaping @Sendable (String) -> any ResourceSource,
        witnesses: (@Sendable (String) -> any ResourceSource)? = nil
    ) {
        func guarded(
            _ make: @escaping @Sendable (String) -> any ResourceSource
        ) -> @Sendable (String) -> any ResourceSource {
            { [isPrivate = petitionURL.isPrivate] url in
                !isPrivate && ServiceURL(url)?.isPrivate ?? false ? PrivateAddress(url: url) : make(url)
            }
        }
        self.petitionURL = petitionURL
        source = guarded(aggregators)
        self.coordinators = guarded(coordinators)
        self.witnesses = witnesses.map(guarded)
    }

    /// An address that is not asked.
    private final class PrivateAddress: ResourceSource {
        private let url: String

        init(url: String) { self.url = url }

        func read(_ path: String, limit: Int) async throws(SourceError) -> [UInt8]? {
            throw .unreachable(
                location: location(of: path), reason: "a public petition names an address of a private network")
        }

        func location(of path: String) -> String { path.isEmpty ? url : "\(url)/\(path)" }
    }

    /// What servers publish.
    public var kind: OriginKind { .published }

    /// The petition's note.
    public func petition() async throws -> [UInt8]? {
        // An aggregator serves the note below its page, a coordinator at the address itself.
        let petition = source(petitionURL.text)
        if let note = try await petition.read(OfflineCopy.petition, limit: SignedNote.maximumCount) { return note }
        return try await petition.read("", limit: SignedNote.maximumCount)
    }

    /// The source of an aggregator's log and tally.
    public func aggregator(_ index: Int, of petition: PetitionManifest) -> any ResourceSource {
        source(petition.logURL(aggregator: index).text)
    }

    /// The source of a roll.
    public func roll(_ index: Int, of petition: PetitionManifest) -> any ResourceSource {
        coordinators(petition.rolls[index].url.text)
    }

    /// The source of the coordinator's announcements log.
    public func coordinator(of petition: PetitionManifest) -> any ResourceSource {
        coordinators(petition.url.text)
    }

    /// The announcement's proof, which coordinator and aggregators serve below the petition's address at each.
    public func announcement(of petition: PetitionManifest) async throws -> [UInt8]? {
        let atCoordinator = coordinators(Announcement.proofAddress(of: petition))
        // Whoever has it: it proves itself.
        if let proof = try? await atCoordinator.read("", limit: SignedNote.maximumCount) { return proof }
        return try await source(petitionURL.text).read(OfflineCopy.announcement, limit: SignedNote.maximumCount)
    }

    /// What a witness shows at its monitoring address, which our witnesses have below the url of the policy.
    public func shown(by witness: Int, aggregator index: Int, of petition: PetitionManifest) async -> [UInt8]? {
        guard let witnesses, let url = petition.witnesses?.witnesses[witness].url.flatMap({ ServiceURL($0) }) else {
            return nil
        }
        let path = AddCheckpointRequest.monitoringPath(of: petition.logKey(aggregator: index).name)
        return try? await witnesses(url.text).read(path, limit: SignedNote.maximumCount)
    }

    /// Below a petition's address, an aggregator serves what it keeps in the layout of an offline copy.
    public func kept(byAggregator index: Int, of petition: PetitionManifest) -> CopiedPetition? {
        CopiedPetition(aggregator(index, of: petition))
    }
}

/// A petition in an offline copy, wherever that is: in a folder, or on a static web server.
public struct CopiedPetition: PetitionOrigin {
    private let source: any ResourceSource

    /// The copy at the root of `source`.
    public init(_ source: any ResourceSource) {
        self.source = source
    }

    /// A copy.
    public var kind: OriginKind { .copied }

    /// The petition's note.
    public func petition() async throws -> [UInt8]? {
        try await source.read(OfflineCopy.petition, limit: SignedNote.maximumCount)
    }

    /// The source of an aggregator's log and tally.
    public func aggregator(_ index: Int, of petition: PetitionManifest) -> any ResourceSource {
        Subfolder(source: source, prefix: OfflineCopy.aggregator(index))
    }

    /// The source of a roll.
    public func roll(_ index: Int, of petition: PetitionManifest) -> any ResourceSource {
        Subfolder(source: source, prefix: OfflineCopy.roll(petition.rolls[index].id), root: OfflineCopy.descriptor)
    }

    /// The announcement's proof in the copy.
    public func announcement(of petition: PetitionManifest) async throws -> [UInt8]? {
        try await source.read(OfflineCopy.announcement, limit: SignedNote.maximumCount)
    }

    /// What the copy has of a witness.
    public func shown(by witness: Int, aggregator index: Int, of petition: PetitionManifest) async -> [UInt8]? {
        try? await source.read(OfflineCopy.shown(index, by: witness), limit: SignedNote.maximumCount)
    }

    /// The source of the announcements log: the copy itself.
    public func coordinator(of petition: PetitionManifest) -> any ResourceSource { source }

    /// Nil: a copy is a single place.
    public func kept(byAggregator index: Int, of petition: PetitionManifest) -> CopiedPetition? { nil }
}

/// A part of a source. The empty path means the file named `root`.
final class Subfolder: ResourceSource {
    private let source: any ResourceSource
    private let prefix: String
    private let root: String

    init(source: any ResourceSource, prefix: String, root: String = "") {
        (self.source, self.prefix, self.root) = (source, prefix, root)
    }

    func read(_ path: String, limit: Int) async throws(SourceError) -> [UInt8]? {
        try await source.read("\(prefix)/\(path.isEmpty ? root : path)", limit: limit)
    }

    func location(of path: String) -> String {
        source.location(of: "\(prefix)/\(path.isEmpty ? root : path)")
    }
}
