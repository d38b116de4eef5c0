import Bytes
import Foundation
import Sodium
import Storage
import TransparencyLog

/// The result of checking a server's whole database.
public struct FsckReport: Sendable {
    /// The number of entries read, over all logs.
    public var entries: UInt64 = 0
    /// What does not agree, in words; empty when all is well.
    public var problems: [String] = []

    /// An empty report.
    public init() {}
}

extension StoredLog {
    /// Reads every entry, rebuilds every tile and the root from them, and compares these with what is stored. Returns
    /// what does not agree, in words. Calls `body` with each entry and its index.
    public func check(
        _ db: Transaction, key: Ed25519PublicKey, _ body: (UInt64, [UInt8]) throws -> Void
    ) throws -> [String] {
        let head = try head(db)
        let size = head.checkpoint.size
        var problems: [String] = []
        var tree = GrowingTree()
        var wrong: [TileID] = []
        var tileCount = 0
        func compare(_ tile: TileID, _ hashes: [Bytes32]) throws {
            tileCount += 1
            if try self.hashes(db, tile) != hashes { wrong.append(tile) }
        }
        while tree.size < size {
            let first = tree.size
            let entries = try entries(db, first..<min(first + UInt64(TileID.fullWidth), size))
            var completed: [(TileID, [Bytes32])] = []
            for (offset, entry) in entries.enumerated() {
                tree.append(MerkleHash.leaf(entry)) { completed.append(($0, $1)) }
                try body(first + UInt64(offset), entry)
            }
            for (tile, hashes) in completed { try compare(tile, hashes) }
            guard tree.size == min(first + UInt64(TileID.fullWidth), size) else {
                return problems + ["entry \(tree.size) is missing: the checkpoint is over \(size)"]
            }
        }
        for (tile, hashes) in tree.partialTiles { try compare(tile, hashes) }
        problems += wrong.map { "\($0.path()) is not what the entries give" }
        if try !entries(db, size..<size + 1).isEmpty { problems.append("there are entries beyond the checkpoint") }
        if try tiles(db) != tileCount { problems.append("there are tiles beyond the checkpoint") }
        if tree.root != head.checkpoint.root { problems.append("the root is not that of the entries") }
        let signed = try? Checkpoint(
            verifying: head.note, key: VerifierKey(name: origin, publicKey: key))
        if signed != head.checkpoint { problems.append("the signed checkpoint is not one of this log") }
        return problems
    }
}
