import Bytes

/// Makes proofs from a log's tiles. Subtrees shared by several proofs are hashed once.
public final class MerkleProver {
    /// Why a proof cannot be made.
    public enum Failure: Error, Equatable, Sendable {
        /// The requested index or size is beyond the tree.
        case outOfRange
        /// A tile is missing or too short.
        case tileMissing(TileID)
    }

    private let size: UInt64
    private let tile: (TileID) -> [Bytes32]?
    private var roots: [Range<UInt64>: Bytes32] = [:]

    /// A prover for the tree with `size` entries. `tile` returns the hashes of a tile, or nil if there is none; it may
    /// return more or fewer than the tree needs.
    public init(size: UInt64, tile: @escaping (TileID) -> [Bytes32]?) {
        self.size = size
        self.tile = tile
    }

    /// The root over all entries.
    public func root() throws(Failure) -> Bytes32 {
        size == 0 ? MerkleHash.emptyRoot : try root(of: 0..<size)
    }

    /// The proof that the entry at `index` is in the tree.
    public func inclusion(of index: UInt64) throws(Failure) -> InclusionProof {
        guard index < size else { throw .outOfRange }
        return InclusionProof(index: index, hashes: try path(index, in: 0..<size))
    }

    /// The proof that this tree extends the one with `oldSize` entries.
    public func consistency(from oldSize: UInt64) throws(Failure) -> ConsistencyProof {
        guard oldSize <= size else { throw .outOfRange }
        guard oldSize > 0, oldSize < size else { return ConsistencyProof(hashes: []) }
        return ConsistencyProof(hashes: try subproof(oldSize, in: 0..<size, isWhole: true))
    }

    /// `PATH(m, D)`, RFC 6962 section 2.1.1.
    private func path(_ index: UInt64, in range: Range<UInt64>) throws(Failure) -> [Bytes32] {
        guard range.count > 1 else { return [] }
        let (left, right) = Self.split(range)
        return index < left.upperBound
            ? try path(index, in: left) + [root(of: right)] : try path(index, in: right) + [root(of: left)]
    }

    /// `SUBPROOF(m, D, b)`, RFC 6962 section 2.1.2.
    private func subproof(_ oldSize: UInt64, in range: Range<UInt64>, isWhole: Bool) throws(Failure) -> [Bytes32] {
        if oldSize == range.upperBound { return isWhole ? [] : [try root(of: range)] }
        let (left, right) = Self.split(range)
        return oldSize <= left.upperBound
            ? try subproof(oldSize, in: left, isWhole: isWhole) + [root(of: right)]
            : try subproof(oldSize, in: right, isWhole: false) + [root(of: left)]
    }

    /// The hash of the subtree over `range`, which must be the range of a subtree of this tree.
    private func root(of range: Range<UInt64>) throws(Failure) -> Bytes32 {
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

    /// The hash of a full subtree of 256^level entries, read from its tile.
    private func storedHash(level: Int, at position: UInt64) throws(Failure) -> Bytes32 {
        let (index, offset) = position.quotientAndRemainder(dividingBy: UInt64(TileID.fullWidth))
        let id = TileID(level: level, index: index)
        guard let hashes = tile(id), hashes.count > Int(offset) else { throw .tileMissing(id) }
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
