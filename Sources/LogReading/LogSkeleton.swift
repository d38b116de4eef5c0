import Bytes
import TransparencyLog

/// The root of every full tile of a log, and the leaf hashes at its right edge: about an eighth of a byte for each
/// entry. The signed root was computed from them, so that they show whether the log continues what is known of it,
/// though no entry was read. What is read for it depends on the log's size alone.
public struct LogSkeleton: Sendable {
    /// What a reader keeps of a log, to ask another skeleton about it later. ``root`` is that of the whole log, and
    /// ``fullTiles`` that of its full tiles alone, the first `size / 256 * 256` entries.
    public struct Point: Equatable, Sendable {
        /// The number of entries.
        public let size: UInt64
        /// The root over all of them.
        public let root: Bytes32
        /// The root over the entries of full tiles.
        public let fullTiles: Bytes32

        /// A point with these roots.
        public init(size: UInt64, root: Bytes32, fullTiles: Bytes32) {
            self.size = size
            self.root = root
            self.fullTiles = fullTiles
        }

        /// The end of a log that was read.
        public init(_ tree: GrowingTree) {
            self.init(size: tree.size, root: tree.root, fullTiles: tree.rootOfFullTiles)
        }

        /// The number of entries in full tiles.
        public var sizeOfFullTiles: UInt64 { size / UInt64(TileID.fullWidth) * UInt64(TileID.fullWidth) }
    }

    /// What a skeleton says about a point of a log that was read before.
    public enum Answer: Equatable, Sendable {
        /// The log continues everything that it had there.
        case continues
        /// The log continues the full tiles that it had there. The entries after them, fewer than 256, are now in a
        /// tile that is full, of which a skeleton has only the root.
        case continuesFullTiles
        /// The log is shorter, or had another root.
        case differs
    }

    private let tiles: [Bytes32]
    private let edge: [Bytes32]
    /// The end of the log.
    public let end: Point

    /// A skeleton of a log with full tiles that have these roots, followed by leaf hashes of less than a tile.
    init(tiles: [Bytes32], edge: [Bytes32]) {
        var tree = GrowingTree()
        for tile in tiles { tree.append(tileRoot: tile) }
        for leaf in edge { tree.append(leaf) }
        (self.tiles, self.edge) = (tiles, edge)
        end = Point(tree)
    }

    /// Whether the log continues what it was at `point`.
    public func answer(about point: Point) -> Answer {
        guard point.size <= end.size else { return .differs }
        let covered = tree(tiles: point.sizeOfFullTiles)
        guard covered.root == point.fullTiles else { return .differs }
        if point.size == point.sizeOfFullTiles { return covered.root == point.root ? .continues : .differs }
        guard point.sizeOfFullTiles == end.sizeOfFullTiles else { return .continuesFullTiles }
        return root(of: covered, and: edge.prefix(Int(point.size - point.sizeOfFullTiles))) == point.root
            ? .continues : .differs
    }

    /// The root over all tiles before `tile` and the first `count` of its leaf hashes. Nil if these are not the log's.
    func root(over count: Int, of leaves: [Bytes32], in tile: UInt64) -> Bytes32? {
        let isLogs =
            tile < UInt64(tiles.count)
            ? leaves.count == TileID.fullWidth && MerkleHash.fullRoot(leaves[...]) == tiles[Int(tile)]
            : tile == UInt64(tiles.count) && leaves == edge
        guard isLogs else { return nil }
        return root(of: tree(tiles: tile * UInt64(TileID.fullWidth)), and: leaves.prefix(count))
    }

    private func tree(tiles size: UInt64) -> GrowingTree {
        tiles.prefix(Int(size) / TileID.fullWidth).reduce(into: GrowingTree()) { $0.append(tileRoot: $1) }
    }

    private func root(of tree: GrowingTree, and leaves: some Sequence<Bytes32>) -> Bytes32 {
        leaves.reduce(into: tree) { $0.append($1) }.root
    }
}

extension PublishedLog {
    /// Reads the roots of all full tiles, which are the hashes of level 1, and the leaf hashes at the right edge, and
    /// checks that they give the signed root.
    public func readSkeleton(of checkpoint: Checkpoint) async throws(LogReadError) -> LogSkeleton {
        let (tiles, width) = checkpoint.size.quotientAndRemainder(dividingBy: UInt64(TileID.fullWidth))
        let rows = Array(TileRow(count: tiles))
        var hashes: [Bytes32] = []
        for start in stride(from: 0, to: rows.count, by: BundleReader.readAhead) {
            hashes += try await read(rows[start..<min(start + BundleReader.readAhead, rows.count)])
        }
        let edge = width == 0 ? [] : try await readThere(TileID(level: 0, index: tiles), width: Int(width))
        let skeleton = LogSkeleton(tiles: hashes, edge: edge)
        guard skeleton.end.root == checkpoint.root else { throw .rootMismatch }
        return skeleton
    }

    /// Reads the last entry of the tree of `size` entries, which must not be empty, and that tree's root, from the
    /// bundle that has it. What is read depends on the two sizes alone.
    public func readLastEntry(
        at size: UInt64, in skeleton: LogSkeleton
    ) async throws(LogReadError) -> (entry: [UInt8], root: Bytes32) {
        guard size > 0, size <= skeleton.end.size else { throw .notAnExtension(seenSize: size) }
        let (tile, offset) = (size - 1).quotientAndRemainder(dividingBy: UInt64(TileID.fullWidth))
        let entries = try await readBundle(from: tile * UInt64(TileID.fullWidth), size: skeleton.end.size)
        let leaves = entries.map(MerkleHash.leaf)
        guard let root = skeleton.root(over: Int(offset) + 1, of: leaves, in: tile) else {
            throw .rootMismatch
        }
        return (entries[Int(offset)], root)
    }

    /// The hashes of some tiles of level 1, read at once.
    private func read(_ row: ArraySlice<TileRow.Element>) async throws(LogReadError) -> [Bytes32] {
        #if hasFeature(Embedded)
            var hashes: [Bytes32] = []
            for (index, width) in row {
                hashes += try await readThere(TileID(level: 1, index: index), width: width)
            }
            return hashes
        #else
            let read = await withTaskGroup(of: (UInt64, Result<[Bytes32], LogReadError>).self) {
                group -> Result<[UInt64: [Bytes32]], LogReadError> in
                for (index, width) in row {
                    group.addTask {
                        do throws(LogReadError) {
                            return (index, .success(try await readThere(TileID(level: 1, index: index), width: width)))
                        } catch { return (index, .failure(error)) }
                    }
                }
                var found: [UInt64: [Bytes32]] = [:]
                for await (index, result) in group {
                    switch result {
                    case .success(let hashes): found[index] = hashes
                    case .failure(let error):
                        group.cancelAll()
                        return .failure(error)
                    }
                }
                return .success(found)
            }
            let found = try read.get()
            return row.flatMap { found[$0.index] ?? [] }
        #endif
    }

    /// A tile that must be there.
    private func readThere(_ tile: TileID, width: Int) async throws(LogReadError) -> [Bytes32] {
        guard let hashes = try await readHashTile(tile, width: width) else {
            throw .missing(path: path(tile.path(width: width)))
        }
        return hashes
    }
}
