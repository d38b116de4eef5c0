import Bytes
import Sodium

/// The hashes of RFC 6962 section 2.1 with SHA-256.
public enum MerkleHash {
    /// The root of the empty tree: the hash of the empty string.
    public static let emptyRoot = SHA256.hash([])

    private static let leafPrefix: [UInt8] = [0x00]
    private static let nodePrefix: [UInt8] = [0x01]

    /// `SHA256(0x00 || entry)`.
    public static func leaf(_ entry: [UInt8]) -> Bytes32 {
        var hasher = SHA256Hasher()
        hasher.update(leafPrefix)
        hasher.update(entry)
        return hasher.finish()
    }

    /// `SHA256(0x01 || left || right)`.
    public static func node(_ left: Bytes32, _ right: Bytes32) -> Bytes32 {
        var hasher = SHA256Hasher()
        hasher.update(nodePrefix)
        hasher.update(left)
        hasher.update(right)
        return hasher.finish()
    }

    /// The root over a full subtree. Traps unless the number of hashes is a power of two.
    package static func fullRoot(_ hashes: ArraySlice<Bytes32>) -> Bytes32 {
        precondition(hashes.count.nonzeroBitCount == 1, "a full subtree has 2^n leaves")
        var level = Array(hashes)
        while level.count > 1 {
            level = stride(from: 0, to: level.count, by: 2).map { node(level[$0], level[$0 + 1]) }
        }
        return level[0]
    }
}

/// Why a proof was refused.
public enum ProofFailure: Error, Equatable, Sendable {
    /// The index or sizes are impossible.
    case outOfRange
    /// There are too few or too many hashes, or they give another root.
    case mismatch
}

/// A proof that a leaf is at an index of a tree (RFC 9162 section 2.1.3).
public struct InclusionProof: Equatable, Sendable {
    /// The leaf's index, from 0.
    public let index: UInt64
    /// The sibling hashes, from the leaf up.
    public let hashes: [Bytes32]

    /// A proof that has not been checked.
    public init(index: UInt64, hashes: [Bytes32]) {
        self.index = index
        self.hashes = hashes
    }

    /// Checks that `leaf` (a leaf hash) is at the index in the tree with this size and root.
    public func verify(leaf: Bytes32, size: UInt64, root: Bytes32) throws(ProofFailure) {
        guard index < size else { throw .outOfRange }
        var fn = index
        var sn = size - 1
        var running = leaf
        for hash in hashes {
            guard sn != 0 else { throw .mismatch }
            if fn & 1 == 1 || fn == sn {
                running = MerkleHash.node(hash, running)
                while fn & 1 == 0, fn != 0 {
                    fn >>= 1
                    sn >>= 1
                }
            } else {
                running = MerkleHash.node(running, hash)
            }
            fn >>= 1
            sn >>= 1
        }
        guard sn == 0, running == root else { throw .mismatch }
    }
}

/// A proof that one tree extends another (RFC 9162 section 2.1.4).
public struct ConsistencyProof: Equatable, Sendable {
    /// The hashes, in the order of RFC 6962, which witnesses use too.
    public let hashes: [Bytes32]

    /// A proof that has not been checked.
    public init(hashes: [Bytes32]) {
        self.hashes = hashes
    }

    /// Checks that the tree with `newSize` and `newRoot` extends the one with `oldSize` and `oldRoot`.
    public func verify(
        oldSize: UInt64, oldRoot: Bytes32, newSize: UInt64, newRoot: Bytes32
    ) throws(ProofFailure) {
        guard oldSize <= newSize else { throw .outOfRange }
        if oldSize == newSize || oldSize == 0 {
            guard hashes.isEmpty, oldSize == 0 || oldRoot == newRoot else { throw .mismatch }
            return
        }
        var path = hashes
        if oldSize.nonzeroBitCount == 1 { path.insert(oldRoot, at: 0) }
        guard let first = path.first else { throw .mismatch }
        var fn = oldSize - 1
        var sn = newSize - 1
        while fn & 1 == 1 {
            fn >>= 1
            sn >>= 1
        }
        var (old, new) = (first, first)
        for hash in path.dropFirst() {
            guard sn != 0 else { throw .mismatch }
            if fn & 1 == 1 || fn == sn {
                old = MerkleHash.node(hash, old)
                new = MerkleHash.node(hash, new)
                while fn & 1 == 0, fn != 0 {
                    fn >>= 1
                    sn >>= 1
                }
            } else {
                new = MerkleHash.node(new, hash)
            }
            fn >>= 1
            sn >>= 1
        }
        guard sn == 0, old == oldRoot, new == newRoot else { throw .mismatch }
    }
}
