import Bytes

/// The right edge of a log's tree: all that appending needs, at most 255 hashes a level.
public struct GrowingTree: Equatable, Sendable {
    /// How many entries the tree has.
    public private(set) var size: UInt64 = 0
    /// For each level, the hashes of its last, partial tile.
    private var edge: [[Bytes32]] = []
    /// The roots of the full subtrees, the largest first: one for each bit of the size.
    private var peaks: [Bytes32] = []

    /// The empty tree.
    public init() {}

    /// Continues a tree of `size` entries from its partial tiles; nil unless each tile has exactly the hashes it
    /// should.
    public init?(size: UInt64, partialTile: (TileID) throws -> [Bytes32]?) rethrows {
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

    /// The full subtrees of a partial tile from left to right: the largest is leftmost, as the bits of a number are.
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

    /// Appends a leaf hash and tells `completed` about every tile that became full, lowest level first.
    public mutating func append(_ leaf: Bytes32, completed: (TileID, [Bytes32]) -> Void = { _, _ in }) {
        var hash = leaf
        var height = 0
        appendToTile(hash, level: 0, completed)
        // Subtrees of one height are joined, as the ones at the end of a number carry when one is added.
        while size >> UInt64(height) & 1 == 1 {
            hash = MerkleHash.node(peaks.removeLast(), hash)
            height += 1
            if height % TileID.height == 0 { appendToTile(hash, level: height / TileID.height, completed) }
        }
        peaks.append(hash)
        size += 1
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
        var tiles: [(TileID, [Bytes32])] = []
        var count = size
        for (level, hashes) in edge.enumerated() {
            let index = count / UInt64(TileID.fullWidth)
            if !hashes.isEmpty { tiles.append((TileID(level: level, index: index), hashes)) }
            count = index
        }
        return tiles
    }

    /// The root hash over all entries.
    public var root: Bytes32 {
        guard let smallest = peaks.last else { return MerkleHash.emptyRoot }
        return peaks.dropLast().reversed().reduce(smallest) { MerkleHash.node($1, $0) }
    }
}

/// Makes proofs from a log's tiles. Subtrees that several proofs have in common are hashed once.
public final class MerkleProver {
    /// Why no proof can be made.
    public enum Failure: Error, Equatable, Sendable {
        /// The proof asked for does not exist.
        case outOfRange
        /// A tile is missing or too short.
        case tileMissing(TileID)
    }

    private let size: UInt64
    private let tile: (TileID) throws -> [Bytes32]?
    private var roots: [Range<UInt64>: Bytes32] = [:]

    /// A prover for the tree with `size` entries; `tile` gives the hashes of a tile, more than are asked for or fewer.
    public init(size: UInt64, tile: @escaping (TileID) throws -> [Bytes32]?) {
        self.size = size
        self.tile = tile
    }

    /// The root over all entries.
    public func root() throws -> Bytes32 {
        size == 0 ? MerkleHash.emptyRoot : try root(of: 0..<size)
    }

    /// The proof that the entry at `index` stands in the tree.
    public func inclusion(of index: UInt64) throws -> InclusionProof {
        guard index < size else { throw Failure.outOfRange }
        return InclusionProof(index: index, hashes: try path(index, in: 0..<size))
    }

    /// The proof that the tree with `oldSize` entries is the beginning of this one.
    public func consistency(from oldSize: UInt64) throws -> ConsistencyProof {
        guard oldSize <= size else { throw Failure.outOfRange }
        guard oldSize > 0, oldSize < size else { return ConsistencyProof(hashes: []) }
        return ConsistencyProof(hashes: try subproof(oldSize, in: 0..<size, isWhole: true))
    }

    /// `PATH(m, D)`, RFC 6962 section 2.1.1.
    private func path(_ index: UInt64, in range: Range<UInt64>) throws -> [Bytes32] {
        guard range.count > 1 else { return [] }
        let (left, right) = Self.split(range)
        return index < left.upperBound
            ? try path(index, in: left) + [root(of: right)] : try path(index, in: right) + [root(of: left)]
    }

    /// `SUBPROOF(m, D, b)`, RFC 6962 section 2.1.2.
    private func subproof(_ oldSize: UInt64, in range: Range<UInt64>, isWhole: Bool) throws -> [Bytes32] {
        if oldSize == range.upperBound { return isWhole ? [] : [try root(of: range)] }
        let (left, right) = Self.split(range)
        return oldSize <= left.upperBound
            ? try subproof(oldSize, in: left, isWhole: isWhole) + [root(of: right)]
            : try subproof(oldSize, in: right, isWhole: false) + [root(of: left)]
    }

    /// The hash of the subtree over `range`, which starts where such a subtree can start.
    private func root(of range: Range<UInt64>) throws -> Bytes32 {
        if let known = roots[range] { return known }
        let count = UInt64(range.count)
        let height = count.trailingZeroBitCount
        let root: Bytes32
        if count.nonzeroBitCount == 1, height % TileID.height == 0 {
            root = try storedHash(level: height / TileID.height, at: range.lowerBound >> UInt64(height))
        } else {
            let (left, right) = Self.split(range)
            root = MerkleHash.node(try self.root(of: left), try self.root(of: right))
        }
        roots[range] = root
        return root
    }

    /// The hash of a full subtree of 256^level entries, as its tile has it.
    private func storedHash(level: Int, at position: UInt64) throws -> Bytes32 {
        let (index, offset) = position.quotientAndRemainder(dividingBy: UInt64(TileID.fullWidth))
        let id = TileID(level: level, index: index)
        guard let hashes = try tile(id), hashes.count > Int(offset) else { throw Failure.tileMissing(id) }
        return hashes[Int(offset)]
    }

    /// Splits at the largest power of two below the count.
    private static func split(_ range: Range<UInt64>) -> (Range<UInt64>, Range<UInt64>) {
        let count = UInt64(range.count)
        let k = UInt64(1) << UInt64(63 - (count - 1).leadingZeroBitCount)
        let middle = range.lowerBound + k
        return (range.lowerBound..<middle, middle..<range.upperBound)
    }
}
