import Bytes

/// Why a published log cannot be read, or is wrong.
public enum LogReadError: Error, Equatable, Sendable {
    /// The source failed: nothing is proven.
    case source(SourceError)
    /// A resource that the log's size implies is not there: nothing is proven.
    case missing(path: String)
    /// The checkpoint is not one of this log.
    case checkpointInvalid(CheckpointError)
    /// A bundle is not a row of as many entries as it should have.
    case bundleMalformed(path: String, firstIndex: UInt64)
    /// An entry is not the one whose hash the signed root covers.
    case entryMismatch(index: UInt64)
    /// A tile of hashes is not what the entries give.
    case tileMismatch(path: String)
    /// The entries do not give the signed root, and no tile tells which one is wrong.
    case rootMismatch
    /// The log is not a continuation of what was seen before at `seenSize` entries.
    case notAnExtension(seenSize: UInt64)

    /// True when the log was shown to be wrong, false when it could only not be read.
    public var isProof: Bool {
        switch self {
        case .source, .missing: false
        default: true
        }
    }
}

/// The head of a log that a reader remembers, to notice a log that is rewritten or shortened.
public struct SeenTree: Equatable, Sendable {
    /// Entries at that time.
    public let size: UInt64
    /// Root at that time.
    public let root: Bytes32

    /// A head as remembered.
    public init(size: UInt64, root: Bytes32) {
        self.size = size
        self.root = root
    }

    /// The head a checkpoint names.
    public init(_ checkpoint: Checkpoint) {
        self.init(size: checkpoint.size, root: checkpoint.root)
    }
}

/// A log at the place where it is published: a checkpoint and tiles below one prefix.
public struct PublishedLog: Sendable {
    /// The key that signs its checkpoints; the key's name is the log's origin.
    public let key: VerifierKey
    private let source: any ResourceSource
    private let prefix: String
    /// The log below `prefix` in `source`.
    public init(key: VerifierKey, source: any ResourceSource, prefix: String) {
        self.key = key
        self.source = source
        self.prefix = prefix
    }

    /// The path of a resource of this log in its source.
    public func path(_ resource: String) -> String {
        prefix.isEmpty ? resource : "\(prefix)/\(resource)"
    }

    /// Reads the checkpoint and checks its signature and origin. Also gives the note as published. Throws a
    /// ``LogReadError``.
    public func readCheckpoint() async throws -> (checkpoint: Checkpoint, note: [UInt8]) {
        guard let note = try await fetch("checkpoint", limit: SignedNote.maximumCount) else {
            throw LogReadError.missing(path: path("checkpoint"))
        }
        do {
            return (try Checkpoint(verifying: note, key: key), note)
        } catch {
            throw LogReadError.checkpointInvalid(error)
        }
    }

    /// Reads every entry that `tree` does not have yet, up to `checkpoint`, and gives them to `body` bundle by bundle, at
    /// most 256 at a time with the index of the first.
    ///
    /// Every hash up to the signed root is recomputed from the entries. What `body` was given is only believed when this
    /// returns, with the whole tree: until then the bytes are anyone's. With `checkingHashTiles`, hash tiles that are
    /// there are compared too (only from the empty tree on). `seen` is compared when the tree passes its size: it must not be
    /// smaller than the tree that is continued.
    public func readEntries(
        upTo checkpoint: Checkpoint, continuing tree: GrowingTree = GrowingTree(), seen: SeenTree? = nil,
        checkingHashTiles: Bool = false, _ body: (UInt64, [[UInt8]]) async throws -> Void
    ) async throws -> GrowingTree {
        try await readEntries(
            upTo: checkpoint, continuing: tree, seen: seen, checkingHashTiles: checkingHashTiles
        ) { first, entries, _ in try await body(first, entries) }
    }

    /// The same, with the leaf hash of each entry as the third thing that `body` is given.
    public func readEntries(
        upTo checkpoint: Checkpoint, continuing tree: GrowingTree = GrowingTree(), seen: SeenTree? = nil,
        checkingHashTiles: Bool = false, _ body: (UInt64, [[UInt8]], [Bytes32]) async throws -> Void
    ) async throws -> GrowingTree {
        if let seen, seen.size > checkpoint.size { throw LogReadError.notAnExtension(seenSize: seen.size) }
        guard tree.size <= checkpoint.size else { throw LogReadError.notAnExtension(seenSize: tree.size) }
        var tree = tree
        try Self.compare(tree, with: seen)
        var tiles = checkingHashTiles && tree.size == 0 ? HashTileAudit() : nil
        while tree.size < checkpoint.size {
            let first = tree.size
            let entries = try await readBundle(from: first, size: checkpoint.size)
            var completed: [(TileID, [Bytes32])] = []
            let leaves = entries.map(MerkleHash.leaf)
            for leaf in leaves {
                tree.append(leaf) { completed.append(($0, $1)) }
                try Self.compare(tree, with: seen)
            }
            try await tiles?.check(leaves, from: first, completed: completed, in: self)
            try await body(first, entries, leaves)
        }
        try await tiles?.finish(tree, checkpoint: checkpoint, in: self)
        guard tree.root == checkpoint.root else { throw LogReadError.rootMismatch }
        return tree
    }

    private static func compare(_ tree: GrowingTree, with seen: SeenTree?) throws(LogReadError) {
        if let seen, tree.size == seen.size, tree.root != seen.root { throw .notAnExtension(seenSize: seen.size) }
    }

    /// The entries from `first` to the end of its bundle or of the log.
    private func readBundle(from first: UInt64, size: UInt64) async throws -> [[UInt8]] {
        let full = UInt64(TileID.fullWidth)
        let (index, offset) = first.quotientAndRemainder(dividingBy: full)
        let width = Int(min(full, size - index * full))
        let path = TileID.bundlePath(index: index, width: width)
        // The longest bundle that tlog-tiles knows: an entry that is too long for this log is for its rules to refuse.
        let limit = EntryBundle.maximumBundleCount
        let bytes = try await fetchPartial(path, full: TileID.bundlePath(index: index), limit: limit)
        guard let bytes else { throw LogReadError.missing(path: self.path(path)) }
        guard let entries = EntryBundle.decode(bytes.bytes), entries.count == (bytes.isFull ? TileID.fullWidth : width)
        else { throw LogReadError.bundleMalformed(path: self.path(path), firstIndex: index * full) }
        return Array(entries[Int(offset)..<width])
    }

    /// The hashes of a tile of the given width, or nil when there is none.
    fileprivate func readHashTile(_ tile: TileID, width: Int) async throws -> [Bytes32]? {
        let limit = TileID.fullWidth * Bytes32.count
        guard let bytes = try await fetchPartial(tile.path(width: width), full: tile.path(), limit: limit) else {
            return nil
        }
        guard let hashes = HashTile.decode(bytes.bytes), hashes.count == (bytes.isFull ? TileID.fullWidth : width)
        else { throw LogReadError.tileMismatch(path: path(tile.path(width: width))) }
        return Array(hashes.prefix(width))
    }

    /// A partial resource, or the full one that replaced it.
    private func fetchPartial(
        _ partial: String, full: String, limit: Int
    ) async throws -> (bytes: [UInt8], isFull: Bool)? {
        if let bytes = try await fetch(partial, limit: limit) { return (bytes, partial == full) }
        guard partial != full, let bytes = try await fetch(full, limit: limit) else { return nil }
        return (bytes, true)
    }

    private func fetch(_ resource: String, limit: Int) async throws -> [UInt8]? {
        do {
            return try await source.read(path(resource), limit: limit)
        } catch let error as SourceError {
            throw LogReadError.source(error)
        }
    }
}

/// Compares published hash tiles with the entries, and finds the wrong entry when the root does not come out.
private struct HashTileAudit {
    private var tileTree = GrowingTree()
    private var isTileTreeComplete = true
    private var firstBadLeaf: UInt64?
    private var firstBadTile: String?

    mutating func check(
        _ leaves: [Bytes32], from first: UInt64, completed: [(TileID, [Bytes32])], in log: PublishedLog
    ) async throws {
        let tile = TileID(level: 0, index: first / UInt64(TileID.fullWidth))
        try await compare(tile, with: leaves, in: log)
        for (tile, hashes) in completed where tile.level > 0 { try await compare(tile, with: hashes, in: log) }
    }

    /// The tiles at the right edge, then the verdict: which entry or which tile is wrong, if one is.
    mutating func finish(
        _ tree: GrowingTree, checkpoint: Checkpoint, in log: PublishedLog
    ) async throws {
        for (tile, hashes) in tree.partialTiles where tile.level > 0 { try await compare(tile, with: hashes, in: log) }
        if tree.root == checkpoint.root {
            if let firstBadTile { throw LogReadError.tileMismatch(path: firstBadTile) }
        } else if isTileTreeComplete, tileTree.root == checkpoint.root, let firstBadLeaf {
            throw LogReadError.entryMismatch(index: firstBadLeaf)
        }
    }

    private mutating func compare(
        _ tile: TileID, with hashes: [Bytes32], in log: PublishedLog
    ) async throws {
        let path = log.path(tile.path(width: hashes.count))
        let published: [Bytes32]?
        do {
            published = try await log.readHashTile(tile, width: hashes.count)
        } catch LogReadError.tileMismatch {
            firstBadTile = firstBadTile ?? path
            published = nil
        }
        if tile.level == 0 {
            isTileTreeComplete = isTileTreeComplete && published != nil
            for hash in published ?? [] { tileTree.append(hash) }
        }
        guard let published, published != hashes else { return }
        firstBadTile = firstBadTile ?? path
        if tile.level == 0, firstBadLeaf == nil,
            let place = zip(published, hashes).enumerated()
                .first(where: { $0.element.0 != $0.element.1 })?.offset
        {
            firstBadLeaf = tile.index * UInt64(TileID.fullWidth) + UInt64(place)
        }
    }
}
