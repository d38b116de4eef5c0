import Bytes
import Petitions
import Sodium
import TransparencyLog

/// Where everything stands in an offline copy of a petition (`Protocol/log.md`, "The offline copy"). The layout is
/// written here once, for whoever writes a copy and whoever reads one.
public enum OfflineCopy {
    /// The petition's note.
    public static let petition = "petition"

    /// The folder of a roll.
    static func roll(_ id: RollID) -> String { "rolls/\(id.hex)" }
    /// A roll's descriptor.
    public static func descriptor(_ id: RollID) -> String { "\(roll(id))/roll" }
    /// The prefix of a roll's members log.
    public static func members(_ id: RollID) -> String { "\(roll(id))/members" }
    /// The prefix of a roll's enrolment log.
    public static func enrolment(_ id: RollID) -> String { "\(roll(id))/enrolment" }
    /// The prefix of the log of the aggregator with this index in the manifest.
    public static func aggregator(_ index: Int) -> String { "aggregators/\(index)" }
    /// The tally that this aggregator published, if the copy holds it.
    public static func tally(_ index: Int) -> String { "\(aggregator(index))/tally" }

    /// The history of the count that this aggregator published, if the copy holds it.
    public static func history(_ index: Int) -> String { "\(aggregator(index))/history" }

    /// The prefix of the announcements log of the manifest's coordinator.
    public static let announcements = "announcements"

    /// The announcements log of a coordinator below `prefix` in `source`.
    public static func announcementsLog(
        coordinator url: ServiceURL, key: Ed25519PublicKey, source: any ResourceSource, prefix: String
    ) -> PublishedLog {
        PublishedLog(
            key: Announcement.logKey(coordinator: url, key: key), bounds: .announcements, source: source,
            prefix: prefix)
    }

    /// The members log of `descriptor` below `prefix` in `source`.
    public static func membersLog(
        _ descriptor: RollDescriptor, source: any ResourceSource, prefix: String
    ) -> PublishedLog {
        PublishedLog(
            key: descriptor.membersKey, bounds: .members, source: source, prefix: prefix)
    }

    /// The enrolment log of `descriptor` below `prefix` in `source`.
    public static func enrolmentLog(
        _ descriptor: RollDescriptor, source: any ResourceSource, prefix: String
    ) -> PublishedLog {
        PublishedLog(
            key: descriptor.enrolmentLogKey, bounds: .enrolment, source: source, prefix: prefix)
    }

    /// The log of the aggregator with this index below `prefix` in `source`.
    public static func petitionLog(
        _ petition: PetitionManifest, aggregator index: Int, source: any ResourceSource, prefix: String
    ) -> PublishedLog {
        PublishedLog(
            key: petition.logKey(aggregator: index), bounds: .petition, source: source, prefix: prefix)
    }
}

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
}

/// Why a copy is not complete.
public enum CopyError: Error, Sendable {
    /// A part could not be read.
    case source(SourceError)
    /// A part that must be there is not.
    case missing(location: String)
    /// The petition or a roll is not a good document.
    case document(location: String, DocumentError)
    /// A checkpoint is not one of its log.
    case log(location: String, LogReadError)
}

/// Copies a petition with all it stands on, byte for byte as served. Petition logs come first, then rolls, then
/// enrolment logs, then announcements, so that each part covers what refers to it. What is copied is judged by
/// ``PetitionVerification``, not here.
public struct PetitionCopier: Sendable {
    private static let tallyAttempts = 5
    private let origin: any PetitionOrigin
    private let write: @Sendable ([UInt8], String) async throws -> Void
    private let progress: @Sendable (String, UInt64, UInt64) -> Void

    /// `write` puts bytes to a path below the copy's folder. `progress` is told the log's origin, how many entries were
    /// copied, and how many there are.
    public init(
        origin: any PetitionOrigin, write: @escaping @Sendable ([UInt8], String) async throws -> Void,
        progress: @escaping @Sendable (String, UInt64, UInt64) -> Void = { _, _, _ in }
    ) {
        self.origin = origin
        self.write = write
        self.progress = progress
    }

    /// Makes the copy of the petition with this id. Answers the petition, and what is missing: parts that fail do not
    /// keep the others from being copied. Throws when the petition itself cannot be read or is another, or the copy
    /// cannot be written.
    public func copy(_ id: PetitionID) async throws -> (petition: PetitionManifest, problems: [CopyError]) {
        let note: [UInt8]?
        do { note = try await origin.petition() } catch let error as SourceError { throw CopyError.source(error) }
        guard let note else { throw CopyError.missing(location: "the petition") }
        let petition: PetitionManifest
        do { petition = try PetitionManifest(parsing: note) } catch {
            throw CopyError.document(location: "the petition", error)
        }
        // Before anything else is asked for: what another manifest names are places of somebody else's choice.
        guard petition.id == id else {
            throw CopyError.document(location: "the petition", .note("its id is \(petition.id.hex) (id-mismatch)"))
        }
        try await write(note, OfflineCopy.petition)
        var problems: [CopyError] = []
        for index in petition.aggregators.indices {
            try await collect(&problems) { try await copyAggregator(index, of: petition) }
        }
        var rolls: [RollDescriptor?] = []
        for index in petition.rolls.indices {
            var descriptor: RollDescriptor?
            try await collect(&problems) { descriptor = try await copyMembers(index, of: petition) }
            rolls.append(descriptor)
        }
        for (index, descriptor) in rolls.enumerated() {
            guard let descriptor else { continue }
            let source = origin.roll(index, of: petition)
            let log = OfflineCopy.enrolmentLog(descriptor, source: source, prefix: "enrolment")
            try await collect(&problems) {
                try await copy(log, source: source, from: "enrolment/", to: OfflineCopy.enrolment(descriptor.id))
            }
        }
        try await collect(&problems) { try await copyAnnouncements(of: petition) }
        return (petition, problems)
    }

    private func collect(_ problems: inout [CopyError], _ body: () async throws -> Void) async throws {
        do { try await body() } catch let error as CopyError {
            problems.append(error)
        } catch let error as SourceError {
            problems.append(.source(error))
        }
    }

    private func copyAggregator(_ index: Int, of petition: PetitionManifest) async throws {
        let source = origin.aggregator(index, of: petition)
        // Before the log, which then has at least as many entries as the history speaks of.
        if let history = try await source.read("history", limit: GrowthHistory.maximumCount) {
            try await write(history, OfflineCopy.history(index))
        }
        let log = OfflineCopy.petitionLog(petition, aggregator: index, source: source, prefix: "")
        let target = OfflineCopy.aggregator(index)
        // The tally and the checkpoint are two requests: asked again until they speak of the same size.
        for attempt in 1... {
            let tally = try await source.read("tally", limit: SignedNote.maximumCount)
            let published = tally.flatMap { try? PublishedTally(parsing: $0) }
            let head = try await readCheckpoint(log, source: source, target: target)
            guard tally == nil || published?.treeSize == head.checkpoint.size || attempt == Self.tallyAttempts else {
                continue
            }
            // Without what depends on the moment of asking: every byte of a copy can be recomputed.
            if let bytes = published.map({ Array($0.json().utf8) }) ?? tally {
                try await write(bytes, OfflineCopy.tally(index))
            }
            return try await copyTiles(log, head: head, source: source, from: "", to: target)
        }
    }

    private func copyMembers(_ index: Int, of petition: PetitionManifest) async throws -> RollDescriptor {
        let source = origin.roll(index, of: petition)
        let location = petition.rolls[index].url.text
        guard let note = try await source.read("", limit: SignedNote.maximumCount) else {
            throw CopyError.missing(location: location)
        }
        try await write(note, OfflineCopy.descriptor(petition.rolls[index].id))
        let descriptor: RollDescriptor
        do { descriptor = try RollDescriptor(parsing: note) } catch {
            throw CopyError.document(location: location, error)
        }
        guard descriptor.id == petition.rolls[index].id else {
            throw CopyError.document(location: location, .note("it is not the roll that the petition names"))
        }
        let log = OfflineCopy.membersLog(descriptor, source: source, prefix: "members")
        try await copy(log, source: source, from: "members/", to: OfflineCopy.members(descriptor.id))
        return descriptor
    }

    private func copyAnnouncements(of petition: PetitionManifest) async throws {
        let source = origin.coordinator(of: petition)
        let log = OfflineCopy.announcementsLog(
            coordinator: petition.url, key: petition.key, source: source, prefix: OfflineCopy.announcements)
        try await copy(
            log, source: source, from: "\(OfflineCopy.announcements)/", to: OfflineCopy.announcements)
    }

    private func copy(
        _ log: PublishedLog, source: any ResourceSource, from prefix: String, to target: String
    ) async throws {
        let head = try await readCheckpoint(log, source: source, target: target)
        try await copyTiles(log, head: head, source: source, from: prefix, to: target)
    }

    /// Reads the checkpoint, and writes it whatever it is: the verifier shall see it.
    private func readCheckpoint(
        _ log: PublishedLog, source: any ResourceSource, target: String
    ) async throws -> (checkpoint: Checkpoint, note: [UInt8]) {
        do {
            let head = try await log.readCheckpoint()
            try await write(head.note, "\(target)/checkpoint")
            return head
        } catch let error as LogReadError {
            switch error {
            case .checkpointInvalid, .tooManyEntries:
                if let note = try await source.read(log.path("checkpoint"), limit: SignedNote.maximumCount) {
                    try await write(note, "\(target)/checkpoint")
                }
            default: break
            }
            throw CopyError.log(location: log.key.name, error)
        }
    }

    /// Copies every bundle, then every tile of hashes. The first bundle that is missing ends the log: its size may be a
    /// lie.
    private func copyTiles(
        _ log: PublishedLog, head: (checkpoint: Checkpoint, note: [UInt8]), source: any ResourceSource,
        from prefix: String, to target: String
    ) async throws {
        let size = head.checkpoint.size
        for tile in TileRow(count: size) {
            let path = TileID.bundlePath(index: tile.index, width: tile.width)
            let full = TileID.bundlePath(index: tile.index)
            guard
                let bytes = try await read(
                    path, full: full, source: source, prefix: prefix, limit: log.bounds.longestBundle,
                    cut: { bytes in
                        EntryBundle.decode(bytes).map { EntryBundle.encode($0.prefix(tile.width)) }
                    })
            else { throw CopyError.missing(location: source.location(of: prefix + path)) }
            try await write(bytes, "\(target)/\(path)")
            progress(log.key.name, tile.index * UInt64(TileID.fullWidth) + UInt64(tile.width), size)
        }
        var count = size
        var level = 0
        while count > 0 {
            for tile in TileRow(count: count) {
                let id = TileID(level: level, index: tile.index)
                let path = id.path(width: tile.width)
                // Tiles of hashes may be missing: they follow from the entries.
                guard
                    let bytes = try await read(
                        path, full: id.path(), source: source, prefix: prefix,
                        limit: TileID.fullWidth * Bytes32.count,
                        cut: { bytes in
                            Array(bytes.prefix(tile.width * Bytes32.count))
                        })
                else { break }
                try await write(bytes, "\(target)/\(path)")
            }
            count /= UInt64(TileID.fullWidth)
            level += 1
        }
    }

    /// A tile or bundle as served; where only the full one is there still, the part of it that belongs to this size.
    private func read(
        _ path: String, full: String, source: any ResourceSource, prefix: String, limit: Int,
        cut: ([UInt8]) -> [UInt8]?
    ) async throws -> [UInt8]? {
        if let bytes = try await source.read(prefix + path, limit: limit) { return bytes }
        guard path != full, let bytes = try await source.read(prefix + full, limit: limit) else { return nil }
        return cut(bytes) ?? bytes
    }
}
