import Bytes
import TransparencyLog
import Witnessing

/// The head of a log that a reader has recorded, to detect that the log is later rewritten or shortened.
public struct SeenTree: Equatable, Sendable {
    /// The number of entries at that time.
    public let size: UInt64
    /// The root hash at that time.
    public let root: Bytes32

    /// A head with the given size and root.
    public init(size: UInt64, root: Bytes32) {
        self.size = size
        self.root = root
    }

    /// The head in a checkpoint.
    public init(_ checkpoint: Checkpoint) {
        self.init(size: checkpoint.size, root: checkpoint.root)
    }
}

/// A log as it is published: a checkpoint and tiles below one prefix.
public struct PublishedLog: Sendable {
    /// The key that signs its checkpoints; the key's name is the log's origin.
    public let key: VerifierKey
    /// How large the log may be.
    public let bounds: LogBounds
    private let source: any ResourceSource
    private let prefix: String
    private let demand: QuorumDemand?

    /// The log below `prefix` in `source`. With `demand`, only a checkpoint that meets it is one of this log.
    public init(
        key: VerifierKey, bounds: LogBounds, source: any ResourceSource, prefix: String, demand: QuorumDemand? = nil
    ) {
        self.key = key
        self.bounds = bounds
        self.source = source
        self.prefix = prefix
        self.demand = demand
    }

    /// The path of a resource of this log in its source.
    public func path(_ resource: String) -> String {
        prefix.isEmpty ? resource : "\(prefix)/\(resource)"
    }

    /// Reads the checkpoint, and checks its signature, its origin, and the quorum if one is demanded. Also returns the
    /// note as published.
    public func readCheckpoint() async throws(LogReadError) -> (checkpoint: Checkpoint, note: [UInt8]) {
        guard let note = try await fetch("checkpoint", limit: SignedNote.maximumCount) else {
            throw .missing(path: path("checkpoint"))
        }
        let checkpoint: Checkpoint
        do { checkpoint = try Checkpoint(verifying: note, key: key) } catch {
            throw .checkpointInvalid(error)
        }
        guard checkpoint.size <= bounds.mostEntries else {
            throw .tooManyEntries(size: checkpoint.size, limit: bounds.mostEntries)
        }
        do { _ = try demand?.check(note, key: key) } catch { throw .witnesses(error) }
        return (checkpoint, note)
    }

    /// Reads every entry that `tree` does not have yet, up to `checkpoint`, and passes them to `body` in bundles of at
    /// most 256, each with the index of its first entry.
    ///
    /// Recomputes every hash up to the signed root from the entries, and returns the whole tree. Until this returns,
    /// the entries passed to `body` are unauthenticated. `seen` is compared when the tree reaches its size, which must
    /// not be smaller than that of the continued tree.
    ///
    /// With `badHashTiles`, existing hash tiles are compared too (only when starting from the empty tree). If the
    /// entries do not give the signed root, the tiles may show which entry is wrong. If they do, tiles that do not
    /// agree are not a fault of the log, and `badHashTiles` is called with them before this returns.
    ///
    /// When this returns or throws, nothing is being requested any more.
    public func entries(
        upTo checkpoint: Checkpoint, continuing tree: GrowingTree = GrowingTree(), seen: SeenTree? = nil,
        badHashTiles: ((BadHashTiles) -> Void)? = nil,
        _ body: (UInt64, [[UInt8]], LeafHashes) async -> Void
    ) async throws(LogReadError) -> GrowingTree {
        let whole = try await read(
            upTo: checkpoint, continuing: tree, seen: seen, badHashTiles: badHashTiles
        ) { first, entries, leaves in
            await body(first, entries, leaves)
            return true
        }
        guard let whole else { preconditionFailure("nothing ended the reading") }
        return whole
    }

    /// The same, which ends when `body` returns false: then it returns nil.
    private func read(
        upTo checkpoint: Checkpoint, continuing tree: GrowingTree, seen: SeenTree?,
        badHashTiles: ((BadHashTiles) -> Void)?, _ body: (UInt64, [[UInt8]], LeafHashes) async -> Bool
    ) async throws(LogReadError) -> GrowingTree? {
        var bundles = BundleReader(of: self, from: tree.size, to: checkpoint.size)
        do throws(LogReadError) {
            let whole = try await read(
                &bundles, upTo: checkpoint, continuing: tree, seen: seen, badHashTiles: badHashTiles, body)
            await bundles.stop()
            return whole
        } catch {
            await bundles.stop()
            throw error
        }
    }

    private func read(
        _ bundles: inout BundleReader, upTo checkpoint: Checkpoint, continuing tree: GrowingTree, seen: SeenTree?,
        badHashTiles: ((BadHashTiles) -> Void)?, _ body: (UInt64, [[UInt8]], LeafHashes) async -> Bool
    ) async throws(LogReadError) -> GrowingTree? {
        if let seen, seen.size > checkpoint.size { throw .notAnExtension(seenSize: seen.size) }
        guard tree.size <= checkpoint.size else { throw .notAnExtension(seenSize: tree.size) }
        var tree = tree
        try Self.compare(tree, with: seen)
        var tiles = badHashTiles != nil && tree.size == 0 ? HashTileAudit() : nil
        while let (first, entries, leaves) = try await bundles.next() {
            var completed: [(TileID, [Bytes32])] = []
            if let seen, tree.size < seen.size, seen.size < tree.size + UInt64(leaves.count) {
                for leaf in leaves {
                    tree.append(leaf) { completed.append(($0, $1)) }
                    try Self.compare(tree, with: seen)
                }
            } else {
                tree.append(leaves) { completed.append(($0, $1)) }
                try Self.compare(tree, with: seen)
            }
            try await tiles?.check(leaves, from: first, completed: completed, in: self)
            guard await body(first, entries, leaves) else { return nil }
        }
        let bad = try await tiles?.finish(tree, checkpoint: checkpoint, in: self)
        guard tree.root == checkpoint.root else { throw .rootMismatch }
        if let bad { badHashTiles?(bad) }
        return tree
    }

    private static func compare(_ tree: GrowingTree, with seen: SeenTree?) throws(LogReadError) {
        if let seen, tree.size == seen.size, tree.root != seen.root { throw .notAnExtension(seenSize: seen.size) }
    }

    /// Reads only the first bundle, up to 256 entries, and proves its inclusion under the signed root from the hash
    /// tiles at the log's edges. Which resources are requested depends only on the log's size.
    public func readFirstBundle(of checkpoint: Checkpoint) async throws(LogReadError) -> [[UInt8]] {
        guard checkpoint.size > 0 else { return [] }
        let entries = try await readBundle(from: 0, size: checkpoint.size)
        var tiles = [TileID(level: 0, index: 0): entries.map(MerkleHash.leaf)]
        var (level, count) = (0, checkpoint.size)
        while count > 0 {
            let (last, width) = count.quotientAndRemainder(dividingBy: UInt64(TileID.fullWidth))
            var ids = [(TileID(level: level, index: 0), last > 0 ? TileID.fullWidth : width == 0 ? 0 : Int(width))]
            if width > 0 { ids.append((TileID(level: level, index: last), Int(width))) }
            for (id, width) in ids where width > 0 && tiles[id] == nil {
                guard let hashes = try await readHashTile(id, width: width) else {
                    throw .missing(path: path(id.path(width: width)))
                }
                tiles[id] = hashes
            }
            try Self.compareFirst(tiles, level: level)
            (level, count) = (level + 1, last)
        }
        let proof: InclusionProof
        do { proof = try MerkleProver(size: checkpoint.size) { tiles[$0] }.inclusion(of: 0) } catch {
            throw .rootMismatch
        }
        do {
            try proof.verify(leaf: MerkleHash.leaf(entries[0]), size: checkpoint.size, root: checkpoint.root)
        } catch { throw .rootMismatch }
        return entries
    }

    /// Checks that the first hash of a tile is the root of the full tile below it. The inclusion proof does not cover
    /// this, and every tile that is used must be right as a whole.
    private static func compareFirst(_ tiles: [TileID: [Bytes32]], level: Int) throws(LogReadError) {
        guard level > 0, let below = tiles[TileID(level: level - 1, index: 0)] else { return }
        guard tiles[TileID(level: level, index: 0)]?.first == MerkleHash.fullRoot(below[...]) else {
            throw .rootMismatch
        }
    }

    /// The entries from `first` to the end of its bundle or of the log, whichever comes first.
    func readBundle(from first: UInt64, size: UInt64) async throws(LogReadError) -> [[UInt8]] {
        let (path, index, width) = Self.bundle(of: first, size: size)
        let bytes = try await fetchPartial(
            path, full: TileID.bundlePath(index: index), limit: bounds.longestBundle)
        guard let bytes else { throw .missing(path: self.path(path)) }
        guard let entries = EntryBundle.decode(bytes.bytes), entries.count == (bytes.isFull ? TileID.fullWidth : width)
        else { throw .bundleMalformed(path: self.path(path), firstIndex: index * UInt64(TileID.fullWidth)) }
        return Array(entries[Int(first % UInt64(TileID.fullWidth))..<width])
    }

    /// Says that the bundles from the entry `first` on are read next, at most `count` of them.
    func expectBundles(from first: UInt64, size: UInt64, count: Int) {
        let starts = sequence(first: first) { ($0 / UInt64(TileID.fullWidth) + 1) * UInt64(TileID.fullWidth) }
        let paths = starts.prefix(count).prefix { $0 < size }.map { path(Self.bundle(of: $0, size: size).path) }
        source.expect(paths, limit: bounds.longestBundle)
    }

    /// The bundle that has the entry `first` of a log of `size` entries.
    private static func bundle(of first: UInt64, size: UInt64) -> (path: String, index: UInt64, width: Int) {
        let full = UInt64(TileID.fullWidth)
        let index = first / full
        let width = Int(min(full, size - index * full))
        return (TileID.bundlePath(index: index, width: width), index, width)
    }

    /// The hashes of a tile of the given width, or nil if there is no such tile.
    func readHashTile(_ tile: TileID, width: Int) async throws(LogReadError) -> [Bytes32]? {
        let limit = TileID.fullWidth * Bytes32.count
        guard let bytes = try await fetchPartial(tile.path(width: width), full: tile.path(), limit: limit) else {
            return nil
        }
        guard let hashes = HashTile.decode(bytes.bytes), hashes.count == (bytes.isFull ? TileID.fullWidth : width)
        else { throw .tileMismatch(path: path(tile.path(width: width))) }
        return Array(hashes.prefix(width))
    }

    /// A partial resource, or the full one that replaced it.
    private func fetchPartial(
        _ partial: String, full: String, limit: Int
    ) async throws(LogReadError) -> (bytes: [UInt8], isFull: Bool)? {
        if let bytes = try await fetch(partial, limit: limit) { return (bytes, partial == full) }
        guard partial != full, let bytes = try await fetch(full, limit: limit) else { return nil }
        return (bytes, true)
    }

    private func fetch(_ resource: String, limit: Int) async throws(LogReadError) -> [UInt8]? {
        do { return try await source.read(path(resource), limit: limit) } catch { throw .source(error) }
    }
}

#if !hasFeature(Embedded)
    extension PublishedLog {
        /// The same as ``entries(upTo:continuing:seen:badHashTiles:_:)`` for a `body` that may throw, which ends the
        /// reading. Throws that, or a ``LogReadError``.
        public func readEntries(
            upTo checkpoint: Checkpoint, continuing tree: GrowingTree = GrowingTree(), seen: SeenTree? = nil,
            badHashTiles: ((BadHashTiles) -> Void)? = nil,
            _ body: (UInt64, [[UInt8]], LeafHashes) async throws -> Void
        ) async throws -> GrowingTree {
            var failure: (any Error)?
            let whole = try await read(
                upTo: checkpoint, continuing: tree, seen: seen, badHashTiles: badHashTiles
            ) { first, entries, leaves in
                do { try await body(first, entries, leaves) } catch { failure = error }
                return failure == nil
            }
            if let failure { throw failure }
            guard let whole else { preconditionFailure("nothing ended the reading") }
            return whole
        }

        /// The same without leaf hashes.
        public func readEntries(
            upTo checkpoint: Checkpoint, continuing tree: GrowingTree = GrowingTree(), seen: SeenTree? = nil,
            badHashTiles: ((BadHashTiles) -> Void)? = nil, _ body: (UInt64, [[UInt8]]) async throws -> Void
        ) async throws -> GrowingTree {
            try await readEntries(
                upTo: checkpoint, continuing: tree, seen: seen, badHashTiles: badHashTiles
            ) { first, entries, _ in try await body(first, entries) }
        }
    }
#endif
