import Bytes
import Petitions
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

    /// The members log of `descriptor` below `prefix` in `source`.
    public static func membersLog(
        _ descriptor: RollDescriptor, source: any ResourceSource, prefix: String
    ) -> PublishedLog {
        PublishedLog(
            key: descriptor.membersKey, source: source, prefix: prefix, maximumEntryCount: RollEntry.maximumCount)
    }

    /// The enrolment log of `descriptor` below `prefix` in `source`.
    public static func enrolmentLog(
        _ descriptor: RollDescriptor, source: any ResourceSource, prefix: String
    ) -> PublishedLog {
        PublishedLog(
            key: descriptor.enrolmentLogKey, source: source, prefix: prefix,
            maximumEntryCount: EnrolmentEntry.maximumCount)
    }

    /// The log of the aggregator with this index below `prefix` in `source`.
    public static func petitionLog(
        _ petition: PetitionManifest, aggregator index: Int, source: any ResourceSource, prefix: String
    ) -> PublishedLog {
        PublishedLog(
            key: petition.logKey(aggregator: index), source: source, prefix: prefix,
            maximumEntryCount: SubmittedRecord.maximumCount)
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
}

/// Why no copy can be made.
public enum CopyError: Error, Sendable {
    /// A part could not be read.
    case source(SourceError)
    /// A part that must be there is not.
    case missing(location: String)
    /// The petition or a roll is not a good document.
    case document(location: String, DocumentError)
    /// A log is wrong or cannot be read.
    case log(location: String, LogReadError)
}

/// Copies a petition with all it stands on. Petition logs come first, then rolls, then enrolment logs, so that each part
/// covers what refers to it. Every log is checked up to its signed root while it is copied.
public struct PetitionCopier: Sendable {
    private static let tallyAttempts = 5
    private static let tallyLimit = 64 * 1024
    private let origin: any PetitionOrigin
    private let write: @Sendable ([UInt8], String) async throws -> Void
    private let progress: @Sendable (String, UInt64, UInt64) -> Void

    /// `write` puts bytes to a path below the copy's folder. `progress` is told the log's origin, how many entries were copied, and how many there are.
    public init(
        origin: any PetitionOrigin, write: @escaping @Sendable ([UInt8], String) async throws -> Void,
        progress: @escaping @Sendable (String, UInt64, UInt64) -> Void = { _, _, _ in }
    ) {
        self.origin = origin
        self.write = write
        self.progress = progress
    }

    /// Makes the copy. Answers the petition.
    public func copy() async throws -> PetitionManifest {
        guard let note = try await origin.petition() else { throw CopyError.missing(location: "petition") }
        let petition: PetitionManifest
        do { petition = try PetitionManifest(parsing: note) } catch {
            throw CopyError.document(location: "petition", error)
        }
        try await write(note, OfflineCopy.petition)
        for index in petition.aggregators.indices { try await copyAggregator(index, of: petition) }
        var rolls: [(RollDescriptor, any ResourceSource)] = []
        for index in petition.rolls.indices { rolls.append(try await copyMembers(index, of: petition)) }
        for (descriptor, source) in rolls {
            let log = OfflineCopy.enrolmentLog(descriptor, source: source, prefix: "enrolment")
            try await copy(log, source: source, from: "enrolment", to: OfflineCopy.enrolment(descriptor.id))
        }
        return petition
    }

    private func copyAggregator(_ index: Int, of petition: PetitionManifest) async throws {
        let source = origin.aggregator(index, of: petition)
        let log = OfflineCopy.petitionLog(petition, aggregator: index, source: source, prefix: "")
        // The tally and the checkpoint are two requests: taken again until they speak of the same size.
        var attempt = 1
        while true {
            let head = try await readCheckpoint(log)
            let tally = try await source.read("tally", limit: Self.tallyLimit)
            let published = tally.flatMap { try? PublishedTally(parsing: $0) }
            if tally == nil || published?.treeSize == head.checkpoint.size || attempt == Self.tallyAttempts {
                try await copy(log, head: head, source: source, from: "", to: OfflineCopy.aggregator(index))
                if let published {
                    try await write(Array(published.json().utf8), OfflineCopy.tally(index))
                } else if let tally {
                    // Not a tally at all: the verifier shall see it.
                    try await write(tally, OfflineCopy.tally(index))
                }
                return
            }
            attempt += 1
        }
    }

    private func copyMembers(
        _ index: Int, of petition: PetitionManifest
    ) async throws -> (RollDescriptor, any ResourceSource) {
        let source = origin.roll(index, of: petition)
        let location = petition.rolls[index].url.text
        guard let note = try await source.read("", limit: SignedNote.maximumCount) else {
            throw CopyError.missing(location: location)
        }
        let descriptor: RollDescriptor
        do { descriptor = try RollDescriptor(parsing: note) } catch {
            throw CopyError.document(location: location, error)
        }
        try await write(note, OfflineCopy.descriptor(descriptor.id))
        let log = OfflineCopy.membersLog(descriptor, source: source, prefix: "members")
        try await copy(log, source: source, from: "members", to: OfflineCopy.members(descriptor.id))
        return (descriptor, source)
    }

    private func readCheckpoint(_ log: PublishedLog) async throws -> (checkpoint: Checkpoint, note: [UInt8]) {
        do {
            return try await log.readCheckpoint()
        } catch let error as LogReadError {
            throw CopyError.log(location: log.key.name, error)
        }
    }

    private func copy(
        _ log: PublishedLog, source: any ResourceSource, from prefix: String, to target: String
    ) async throws {
        let head = try await readCheckpoint(log)
        try await copy(log, head: head, source: source, from: prefix, to: target)
    }

    private func copy(
        _ log: PublishedLog, head: (checkpoint: Checkpoint, note: [UInt8]), source: any ResourceSource,
        from prefix: String, to target: String
    ) async throws {
        let size = head.checkpoint.size
        var completed: [(TileID, [Bytes32])] = []
        var tree = GrowingTree()
        do {
            _ = try await log.readEntries(upTo: head.checkpoint) { first, entries in
                for entry in entries { tree.append(MerkleHash.leaf(entry)) { completed.append(($0, $1)) } }
                let path = TileID.bundlePath(index: first / UInt64(TileID.fullWidth), width: entries.count)
                try await write(EntryBundle.encode(entries), "\(target)/\(path)")
                progress(log.key.name, first + UInt64(entries.count), size)
            }
        } catch let error as LogReadError {
            throw CopyError.log(location: log.key.name, error)
        }
        // Hash tiles follow from the entries; the signed root was just recomputed from them.
        for (tile, hashes) in completed + tree.partialTiles {
            try await write(HashTile.encode(hashes), "\(target)/\(tile.path(width: hashes.count))")
        }
        try await write(head.note, "\(target)/checkpoint")
    }
}
