import Bytes

/// The leaf hashes of consecutive entries. If they fill a tile, its root is known, so that trees need not hash it
/// again: the most of a log is hashed wherever this is made, on any core.
public struct LeafHashes: Sendable, RandomAccessCollection, ExpressibleByArrayLiteral {
    private let hashes: [Bytes32]
    /// The root over all of them, if they are as many as a tile has.
    let tileRoot: Bytes32?

    /// Hashes entries.
    public init(of entries: [[UInt8]]) { self.init(entries.map(MerkleHash.leaf)) }

    /// Leaf hashes that are known.
    public init(_ hashes: [Bytes32]) {
        self.hashes = hashes
        tileRoot = hashes.count == TileID.fullWidth ? MerkleHash.fullRoot(hashes[...]) : nil
    }

    /// Leaf hashes that are known.
    public init(arrayLiteral hashes: Bytes32...) { self.init(hashes) }

    /// The hashes.
    public var array: [Bytes32] { hashes }

    /// 0.
    public var startIndex: Int { 0 }
    /// The number of hashes.
    public var endIndex: Int { hashes.count }
    /// The hash at a position.
    public subscript(position: Int) -> Bytes32 { hashes[position] }
}
