import Bytes

/// A log's tree while the log is read from its beginning, with its roots at the sizes that the reader asks about.
public struct TreeWithRoots: Sendable {
    /// The tree of what was read so far.
    public private(set) var tree = GrowingTree()
    private let sizes: Set<UInt64>
    private var roots: [UInt64: Bytes32] = [:]

    /// The empty tree, whose roots at `sizes` will be kept.
    public init(sizes: Set<UInt64>) {
        self.sizes = sizes
        if sizes.contains(0) { roots[0] = tree.root }
    }

    /// Entries read so far.
    public var size: UInt64 { tree.size }

    /// The root over everything read so far.
    public var root: Bytes32 { tree.root }

    /// Reads the next leaf hash. With `keepsRoot`, the root behind it is kept though its size is not one of those asked
    /// about.
    public mutating func append(_ leaf: Bytes32, keepsRoot: Bool = false) {
        tree.append(leaf)
        if keepsRoot || sizes.contains(tree.size) { roots[tree.size] = tree.root }
    }

    /// Reads the next leaf hashes. The roots at `more` sizes are kept, too.
    public mutating func append(_ leaves: LeafHashes, keepingRootsAt more: Set<UInt64> = []) {
        let end = size + UInt64(leaves.count)
        guard (size..<end).dropFirst().contains(where: { sizes.contains($0) || more.contains($0) }) else {
            tree.append(leaves)
            if sizes.contains(end) || more.contains(end) { roots[end] = tree.root }
            return
        }
        for leaf in leaves { append(leaf, keepsRoot: more.contains(tree.size + 1)) }
    }

    /// The root at this size; nil for a size that was not read, or not asked about.
    public func root(at size: UInt64) -> Bytes32? { roots[size] }

    /// True when the log had this root at this size. False for a size that was not read, or not asked about.
    public func had(_ root: Bytes32, at size: UInt64) -> Bool { roots[size] == root }

    /// The same for a signed head.
    public func continues(_ head: Checkpoint) -> Bool { had(head.root, at: head.size) }
}
