import Bytes
import Petitions
import TransparencyLog

/// Where the parts of a petition are read from when a copy is made.
public protocol PetitionOrigin: Sendable {
    /// The petition's note.
    func petition() async throws -> [UInt8]?
    /// The place of the log (and tally) of an aggregator, with the log at its root.
    func aggregator(_ index: Int, of petition: PetitionManifest) -> any ResourceSource
    /// The place of a roll: its descriptor at the path `""`, its logs at `members` and `enrolment`.
    func roll(_ index: Int, of petition: PetitionManifest) -> any ResourceSource
    /// The place of the announcements log of the petition's coordinator, with the log at `announcements`.
    func coordinator(of petition: PetitionManifest) -> any ResourceSource
    /// What an aggregator keeps of rolls and announcements, for where they are not good themselves; nil where that is
    /// not to be asked for.
    func kept(byAggregator index: Int, of petition: PetitionManifest) -> CopiedPetition?
}

/// Why a copy is not complete.
public enum CopyError: Error, Sendable {
    /// A part could not be read.
    case source(SourceError)
    /// A part that must be there is not.
    case missing(location: String)
    /// The petition or a roll is not a good document.
    case document(location: String, DocumentError)
    /// A log is not what it should be.
    case log(location: String, LogReadError)

    /// What kept a log in `source` from being read.
    fileprivate init(_ error: LogReadError, of log: PublishedLog, in source: any ResourceSource) {
        self =
            switch error {
            case .source(let error): .source(error)
            case .missing(let path): .missing(location: source.location(of: path))
            default: .log(location: log.key.name, error)
            }
    }

    /// True when something is proven wrong, false when it could only not be read.
    public var isProof: Bool {
        switch self {
        case .source, .missing: false
        case .document: true
        case .log(_, let error): error.isProof
        }
    }

    /// What is wrong, for people.
    public var explanation: String {
        switch self {
        case .source(.unreachable(let location, let reason)): "\(location) cannot be read: \(reason)"
        case .source(.tooLarge(let location)): "\(location) is larger than it can be"
        case .missing(let location): "\(location) is missing"
        case .document(let location, let error): "\(location): \(error.explanation)"
        case .log(let location, let error): "the log \(location) \(Self.words(for: error))"
        }
    }

    private static func words(for error: LogReadError) -> String {
        switch error {
        case .tooManyEntries(let size, let limit):
            "says that it has \(size) entries; no log of its kind has more than \(limit)"
        case .checkpointInvalid: "has a checkpoint that its key did not sign"
        case .bundleMalformed(_, let first): "has no whole entries from \(first) on"
        case .entryMismatch(let index): "has another entry \(index) than was signed"
        case .notAnExtension(let size): "is not a continuation of its first \(size) entries as they are known"
        default: "has entries that do not give the root that was signed"
        }
    }
}

/// What a copy holds.
public struct PetitionCopy: Sendable {
    /// What was copied.
    public let petition: PetitionManifest
    /// Why it is not complete: parts that nobody had good. Of such a part the copy has what was published.
    public fileprivate(set) var problems: [CopyError] = []
    /// Parts that were not good where they are published.
    public fileprivate(set) var replacements: [Replacement] = []

    /// A part that was taken as an aggregator keeps it.
    public struct Replacement: Sendable {
        /// Which, in words.
        public let part: String
        /// Why it was not taken from where it is published.
        public let reason: CopyError
        /// The petition's address at the aggregator.
        public let keeper: ServiceURL
    }

    fileprivate init(_ petition: PetitionManifest) {
        self.petition = petition
    }
}

/// Copies a petition with all it stands on, byte for byte as served. Petition logs come first, then rolls, each with
/// its members log before its enrolment log, then announcements, so that each part covers what refers to it.
///
/// Logs are read as a verifier reads them, so that a roll or announcements log which is not good, or not the one that
/// was seen before, is taken as an aggregator keeps it. What is copied is judged by ``PetitionVerification``, not here.
public struct PetitionCopier: Sendable {
    private static let tallyAttempts = 5
    private let origin: any PetitionOrigin
    private let folder: CopyFolder
    private let progress: @Sendable (String, UInt64, UInt64) -> Void

    /// `progress` is told a log's origin, how many of its entries were copied, and how many there are.
    public init(
        origin: any PetitionOrigin, to folder: CopyFolder,
        progress: @escaping @Sendable (String, UInt64, UInt64) -> Void = { _, _, _ in }
    ) {
        self.origin = origin
        self.folder = folder
        self.progress = progress
    }

    /// Makes the copy of the petition with this id. Parts that fail do not keep the others from being copied. Throws
    /// when the petition itself cannot be read or is another, or the copy cannot be written.
    public func copy(_ id: PetitionID) async throws -> PetitionCopy {
        let petition = try await readPetition(id)
        try folder.write(petition.note, to: OfflineCopy.petition)
        var copy = PetitionCopy(petition)
        var keepers: [Keeper] = []
        for index in petition.aggregators.indices {
            let problems = try await problems { try await copyAggregator(index, of: petition) }
            copy.problems += problems
            // Without its log there is no total, whatever it keeps of others.
            guard problems.isEmpty, let kept = origin.kept(byAggregator: index, of: petition) else { continue }
            keepers.append(Keeper(url: petition.logURL(aggregator: index), kept: kept))
        }
        for (index, reference) in petition.rolls.enumerated() {
            let part = Part(
                name: "the roll \(reference.url)", folder: OfflineCopy.roll(reference.id),
                place: { $0.roll(index, of: petition) },
                copy: { try await copyRoll(reference, from: $0, kept: $1) })
            try await self.copy(part, keepers, &copy)
        }
        let announcements = Part(
            name: "the announcements", folder: OfflineCopy.announcements,
            place: { Subfolder(source: $0.coordinator(of: petition), prefix: OfflineCopy.announcements) },
            copy: { try await copyAnnouncements(of: petition, from: $0, kept: $1) })
        try await self.copy(announcements, keepers, &copy)
        return copy
    }

    private func readPetition(_ id: PetitionID) async throws -> PetitionManifest {
        let location = "the petition"
        let note: [UInt8]?
        do { note = try await origin.petition() } catch let error as SourceError { throw CopyError.source(error) }
        guard let note else { throw CopyError.missing(location: location) }
        let petition: PetitionManifest
        do { petition = try PetitionManifest(parsing: note) } catch {
            throw CopyError.document(location: location, error)
        }
        // Before anything else is asked for: what another manifest names are places of somebody else's choice.
        guard petition.id == id else {
            throw CopyError.document(location: location, .note("its id is \(petition.id.hex) (id-mismatch)"))
        }
        return petition
    }

    /// What `body` throws as a reason why the copy is not complete.
    private func problems(_ body: () async throws -> Void) async throws -> [CopyError] {
        do { try await body() } catch let error as CopyError {
            return [error]
        } catch let error as SourceError {
            return [.source(error)]
        }
        return []
    }

    // MARK: From one place or another

    /// An aggregator that keeps what coordinators published.
    private struct Keeper {
        /// The petition's address there.
        let url: ServiceURL
        let kept: CopiedPetition
    }

    /// What is copied from one place as a whole.
    private struct Part {
        /// Which, in words.
        let name: String
        /// Where it stands in the copy.
        let folder: String
        /// Where it is read from.
        let place: (any PetitionOrigin) -> any ResourceSource
        /// Copies it by reading it, and answers what is not good. What is read must continue what others keep.
        let copy: (_ source: CopyingSource, _ kept: [any ResourceSource]) async throws -> [CopyError]
    }

    /// Copies a part from where it is published, or else from the first keeper that has it good. Where none has, the
    /// copy holds what was published, for whoever judges it.
    private func copy(_ part: Part, _ keepers: [Keeper], _ copy: inout PetitionCopy) async throws {
        let kept = keepers.map { part.place($0.kept) }
        let problems = try await part.copy(
            CopyingSource(source: part.place(origin), target: folder, folder: part.folder), kept)
        guard let reason = problems.first else { return }
        let other = part.folder + ".new"
        for (keeper, place) in zip(keepers, kept) {
            let source = CopyingSource(source: place, target: folder, folder: other)
            guard try await part.copy(source, []).isEmpty else {
                try folder.remove(other)
                continue
            }
            // As a whole: a bundle of another log must not stay beside these.
            try folder.replace(part.folder, by: other)
            copy.replacements.append(.init(part: part.name, reason: reason, keeper: keeper.url))
            return
        }
        copy.problems += problems
    }

    // MARK: Parts

    private func copyAggregator(_ index: Int, of petition: PetitionManifest) async throws {
        let place = origin.aggregator(index, of: petition)
        let source = CopyingSource(source: place, target: folder, folder: OfflineCopy.aggregator(index))
        // Before the log, which then has at least as many entries as the history speaks of.
        _ = try await source.read("history", limit: GrowthHistory.maximumCount)
        let log = OfflineCopy.petitionLog(petition, aggregator: index, source: source, prefix: "")
        // The tally and the checkpoint are two requests: asked again until they speak of the same size.
        for attempt in 1... {
            let tally = try await place.read("tally", limit: SignedNote.maximumCount)
            let published = tally.flatMap { try? PublishedTally(parsing: $0) }
            let head = try await readHead(log, source)
            guard tally == nil || published?.treeSize == head.size || attempt == Self.tallyAttempts else { continue }
            // Without what depends on the moment of asking: every byte of a copy can be recomputed.
            if let bytes = published.map({ Array($0.json().utf8) }) ?? tally {
                try folder.write(bytes, to: OfflineCopy.tally(index))
            }
            return try await copyEntries(log, upTo: head, source)
        }
    }

    /// The members log first: so the enrolment log has what every seal names.
    private func copyRoll(
        _ reference: PetitionManifest.RollReference, from source: CopyingSource, kept: [any ResourceSource]
    ) async throws -> [CopyError] {
        var read: RollDescriptor?
        var found = try await problems { read = try await readDescriptor(reference, source) }
        guard let descriptor = read else { return found }
        var enrolmentRoots: [UInt64: Bytes32] = [:]
        found += try await problems {
            try await copyLog(
                from: source, kept: kept, roots: [reference.size: reference.root],
                { OfflineCopy.membersLog(descriptor, source: $0, prefix: "members") },
                entries: { first, entries in
                    // What the petition refers to ends with a seal, which fixes the enrolment log as far.
                    guard reference.size > first, reference.size - first <= UInt64(entries.count),
                        case .seal(let size, let root) = try? RollEntry(
                            parsing: entries[Int(reference.size - first) - 1])
                    else { return }
                    enrolmentRoots[size] = root
                })
        }
        found += try await problems {
            try await copyLog(from: source, kept: kept, roots: enrolmentRoots) {
                OfflineCopy.enrolmentLog(descriptor, source: $0, prefix: "enrolment")
            }
        }
        return found
    }

    private func readDescriptor(
        _ reference: PetitionManifest.RollReference, _ source: CopyingSource
    ) async throws -> RollDescriptor {
        let location = source.location(of: "")
        guard let note = try await source.read("", limit: SignedNote.maximumCount) else {
            throw CopyError.missing(location: location)
        }
        let descriptor: RollDescriptor
        do { descriptor = try RollDescriptor(parsing: note) } catch {
            throw CopyError.document(location: location, error)
        }
        guard descriptor.id == reference.id else {
            throw CopyError.document(location: location, .note("it is not the roll that the petition names"))
        }
        return descriptor
    }

    private func copyAnnouncements(
        of petition: PetitionManifest, from source: CopyingSource, kept: [any ResourceSource]
    ) async throws -> [CopyError] {
        try await problems {
            try await copyLog(from: source, kept: kept) {
                OfflineCopy.announcementsLog(coordinator: petition.url, key: petition.key, source: $0, prefix: "")
            }
        }
    }

    // MARK: Logs

    /// Copies a log, which must have `roots` at these sizes, and continue what is kept of it: a coordinator may show
    /// another one than it showed the aggregators.
    private func copyLog(
        from source: CopyingSource, kept: [any ResourceSource], roots: [UInt64: Bytes32] = [:],
        _ log: (any ResourceSource) -> PublishedLog, entries: (UInt64, [[UInt8]]) -> Void = { _, _ in }
    ) async throws {
        var roots = roots
        for place in kept {
            // Where nothing good is kept nothing is known.
            guard let head = try? await log(place).readCheckpoint().checkpoint else { continue }
            roots.merge([head.size: head.root]) { fixed, _ in fixed }
        }
        let published = log(source)
        try await copyEntries(published, upTo: try await readHead(published, source), source, roots, entries)
    }

    private func readHead(_ log: PublishedLog, _ source: CopyingSource) async throws -> Checkpoint {
        do { return try await log.readCheckpoint().checkpoint } catch let error as LogReadError {
            throw CopyError(error, of: log, in: source)
        }
    }

    /// Reads every entry and every tile of hashes, to the first bundle that is not good: a log's size may be a lie.
    private func copyEntries(
        _ log: PublishedLog, upTo head: Checkpoint, _ source: CopyingSource, _ roots: [UInt64: Bytes32] = [:],
        _ body: (UInt64, [[UInt8]]) -> Void = { _, _ in }
    ) async throws {
        var broken = roots.keys.filter { $0 > head.size }.min()
        var tree = GrowingTree()
        do {
            _ = try await log.readEntries(upTo: head, badHashTiles: { _ in }) { first, entries, leaves in
                for leaf in leaves {
                    tree.append(leaf)
                    // Read to its end all the same: it is for others to judge.
                    if let root = roots[tree.size], root != tree.root { broken = broken ?? tree.size }
                }
                body(first, entries)
                progress(log.key.name, first + UInt64(entries.count), head.size)
            }
            if let broken { throw LogReadError.notAnExtension(seenSize: broken) }
        } catch let error as LogReadError { throw CopyError(error, of: log, in: source) }
    }
}

/// Writes down what is read: whoever reads a log through it has copied it, byte for byte as served.
private struct CopyingSource: ResourceSource {
    let source: any ResourceSource
    let target: CopyFolder
    /// Where in the copy.
    let folder: String

    func read(_ path: String, limit: Int) async throws -> [UInt8]? {
        guard let bytes = try await source.read(path, limit: limit) else { return nil }
        try target.write(bytes, to: "\(folder)/\(path.isEmpty ? OfflineCopy.descriptor : path)")
        return bytes
    }

    func location(of path: String) -> String { source.location(of: path) }
}
