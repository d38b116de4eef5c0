import Bytes

/// The right edge of a log's tree, which is all that appending needs: at most 255 hashes per level.
public struct GrowingTree: Equatable, Sendable {
    /// The number of entries of the tree.
    public private(set) var size: UInt64 = 0
    /// For each level, the hashes of its last, partial tile.
    private var edge: [[Bytes32]] = []
    /// The roots of the full subtrees, the largest first: one for each 1 bit of the size.
    private var peaks: [Bytes32] = []

    /// The empty tree.
    public init() {}

    /// Continues a tree of `size` entries from its partial tiles; nil unless each tile has exactly the number of hashes
    /// that the size implies.
    public init?<Failure: Error>(
        size: UInt64, partialTile: (TileID) throws(Failure) -> [Bytes32]?
    ) throws(Failure) {
        self.size = size
        var count = size
        var level = 0
        while count > 0 {
            let (index, width) = count.quotientAndRemainder(dividingBy: UInt64(TileID.fullWidth))
            var hashes: [Bytes32] = []
            if width > 0 {
                guard let tile = try partialTile(TileID(level: level, index: index)), tile.count == width else {
                    return nil
                }
                hashes = tile
            }
            edge.append(hashes)
            peaks = Self.subtrees(of: hashes) + peaks
            count = index
            level += 1
        }
    }

    /// The roots of the full subtrees of a partial tile, from left to right. Like the bits of a number, the largest is
    /// leftmost.
    private static func subtrees(of hashes: [Bytes32]) -> [Bytes32] {
        var roots: [Bytes32] = []
        var rest = hashes[...]
        while !rest.isEmpty {
            let width = 1 << (Int.bitWidth - 1 - rest.count.leadingZeroBitCount)
            roots.append(MerkleHash.fullRoot(rest.prefix(width)))
            rest = rest.dropFirst(width)
        }
        return roots
    }

    /// Appends a leaf hash, and calls `completed` with every tile that this makes full, lowest level first.
    public mutating func append(_ leaf: Bytes32, completed: (TileID, [Bytes32]) -> Void = { _, _ in }) {
        join(leaf, height: 0, completed)
        size += 1
    }

    /// Appends leaf hashes, and calls `completed` in the same way.
    public mutating func append(_ leaves: LeafHashes, completed: (TileID, [Bytes32]) -> Void = { _, _ in }) {
        guard let root = leaves.tileRoot, size % UInt64(TileID.fullWidth) == 0 else {
            for leaf in leaves { append(leaf, completed: completed) }
            return
        }
        if edge.isEmpty { edge.append([]) }
        completed(TileID(level: 0, index: size / UInt64(TileID.fullWidth)), leaves.array)
        join(root, height: TileID.height, completed)
        size += UInt64(TileID.fullWidth)
    }

    /// Appends 256 entries of which only the root of their tile is known. Traps unless the size is a multiple of 256.
    /// The tree cannot give the hashes of that tile.
    package mutating func append(tileRoot root: Bytes32) {
        precondition(size % UInt64(TileID.fullWidth) == 0, "a tile begins at a multiple of 256")
        if edge.isEmpty { edge.append([]) }
        join(root, height: TileID.height) { _, _ in }
        size += UInt64(TileID.fullWidth)
    }

    /// Adds a full subtree of the given height, and joins it with those before it.
    private mutating func join(_ subtree: Bytes32, height: Int, _ completed: (TileID, [Bytes32]) -> Void) {
        var (hash, height) = (subtree, height)
        if height % TileID.height == 0 { appendToTile(hash, level: height / TileID.height, completed) }
        // Subtrees of equal height are joined, as trailing 1 bits carry when a number is incremented.
        while size >> UInt64(height) & 1 == 1 {
            hash = MerkleHash.node(peaks.removeLast(), hash)
            height += 1
            if height % TileID.height == 0 { appendToTile(hash, level: height / TileID.height, completed) }
        }
        peaks.append(hash)
    }

    private mutating func appendToTile(_ hash: Bytes32, level: Int, _ completed: (TileID, [Bytes32]) -> Void) {
        if level == edge.count { edge.append([]) }
        edge[level].append(hash)
        guard edge[level].count == TileID.fullWidth else { return }
        completed(TileID(level: level, index: size >> UInt64(TileID.height * (level + 1))), edge[level])
        edge[level] = []
    }

    /// The partial tiles at the right edge, lowest level first.
    public var partialTiles: [(tile: TileID, hashes: [Bytes32])] {
        var tiles: [(tile: TileID, hashes: [Bytes32])] = []
        var count = size
        for (level, hashes) in edge.enumerated() {
            let index = count / UInt64(TileID.fullWidth)
            if !hashes.isEmpty { tiles.append((TileID(level: level, index: index), hashes)) }
            count = index
        }
        return tiles
    }

    /// The root hash over all entries.
    public var root: Bytes32 { Self.root(of: peaks[...]) }

    /// The root hash over the entries of full tiles: the first `size / 256 * 256`.
    package var rootOfFullTiles: Bytes32 {
        // The last peaks belong to the partial tile.
        Self.root(of: peaks.dropLast(Int(size % UInt64(TileID.fullWidth)).nonzeroBitCount))
    }

    private static func root(of peaks: ArraySlice<Bytes32>) -> Bytes32 {
        guard let smallest = peaks.last else { return MerkleHash.emptyRoot }
        return peaks.dropLast().reversed().reduce(smallest) { MerkleHash.node($1, $0) }
    }
}
