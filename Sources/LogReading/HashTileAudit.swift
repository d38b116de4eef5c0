import Bytes
import TransparencyLog

/// Tiles of hashes that do not agree with the entries, while the entries give the signed root: a fault of the server or
/// copy that has the tiles.
public struct BadHashTiles: Equatable, Sendable {
    /// The path of the first such tile.
    public let path: String
    /// The number of such tiles.
    public internal(set) var count: UInt64
}

/// Compares published hash tiles with the entries, and finds the wrong entry if the entries do not give the signed
/// root.
struct HashTileAudit {
    private var tileTree = GrowingTree()
    private var isTileTreeComplete = true
    private var firstBadLeaf: UInt64?
    private var bad: BadHashTiles?

    mutating func check(
        _ leaves: LeafHashes, from first: UInt64, completed: [(TileID, [Bytes32])], in log: PublishedLog
    ) async throws(LogReadError) {
        let tile = TileID(level: 0, index: first / UInt64(TileID.fullWidth))
        let published = try await compare(tile, with: leaves.array, in: log)
        isTileTreeComplete = isTileTreeComplete && published != nil
        if published == leaves.array {
            tileTree.append(leaves)
        } else {
            for hash in published ?? [] { tileTree.append(hash) }
        }
        for (tile, hashes) in completed where tile.level > 0 {
            _ = try await compare(tile, with: hashes, in: log)
        }
    }

    /// Compares the tiles at the right edge, and then decides what is wrong. Throws if the tiles show which entry is
    /// wrong; returns the bad tiles if the entries give the signed root.
    mutating func finish(
        _ tree: GrowingTree, checkpoint: Checkpoint, in log: PublishedLog
    ) async throws(LogReadError) -> BadHashTiles? {
        for (tile, hashes) in tree.partialTiles where tile.level > 0 {
            _ = try await compare(tile, with: hashes, in: log)
        }
        if tree.root == checkpoint.root { return bad }
        if isTileTreeComplete, tileTree.root == checkpoint.root, let firstBadLeaf {
            throw LogReadError.entryMismatch(index: firstBadLeaf)
        }
        return nil
    }

    /// Compares a tile with what it must be, and returns it as published; nil if there is none of that size.
    private mutating func compare(
        _ tile: TileID, with hashes: [Bytes32], in log: PublishedLog
    ) async throws(LogReadError) -> [Bytes32]? {
        let published: [Bytes32]?
        do throws(LogReadError) {
            published = try await log.readHashTile(tile, width: hashes.count)
        } catch {
            switch error {
            case .tileMismatch, .source(.tooLarge):
                addBad(tile, width: hashes.count, in: log)
                published = nil
            default: throw error
            }
        }
        guard let published, published != hashes else { return published }
        addBad(tile, width: hashes.count, in: log)
        if tile.level == 0, firstBadLeaf == nil,
            let position = zip(published, hashes).enumerated()
                .first(where: { $0.element.0 != $0.element.1 })?.offset
        {
            firstBadLeaf = tile.index * UInt64(TileID.fullWidth) + UInt64(position)
        }
        return published
    }

    private mutating func addBad(_ tile: TileID, width: Int, in log: PublishedLog) {
        if bad == nil { bad = BadHashTiles(path: log.path(tile.path(width: width)), count: 0) }
        bad?.count += 1
    }
}
