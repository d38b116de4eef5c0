import Bytes
import Foundation
import GRDB
import Sodium
import TransparencyLog

/// A log in a server's database: entries, tiles of hashes, and the newest signed checkpoint.
///
/// Every function runs inside the caller's transaction. A checkpoint is signed before its transaction commits, and is
/// shown to nobody before: what was never committed was never published.
public struct StoredLog: Sendable {
    /// The log's origin.
    public let origin: String
    private let id: Int64

    static func createTables(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE log (
                    id INTEGER PRIMARY KEY,
                    origin TEXT NOT NULL UNIQUE,
                    size INTEGER NOT NULL,
                    root BLOB NOT NULL,
                    checkpoint BLOB NOT NULL,
                    signedAt INTEGER NOT NULL
                ) STRICT;
                CREATE TABLE logEntry (
                    log INTEGER NOT NULL REFERENCES log(id),
                    entryIndex INTEGER NOT NULL,
                    bytes BLOB NOT NULL,
                    PRIMARY KEY (log, entryIndex)
                ) STRICT, WITHOUT ROWID;
                CREATE TABLE logTile (
                    log INTEGER NOT NULL REFERENCES log(id),
                    level INTEGER NOT NULL,
                    tileIndex INTEGER NOT NULL,
                    hashes BLOB NOT NULL,
                    PRIMARY KEY (log, level, tileIndex)
                ) STRICT, WITHOUT ROWID;
                """)
    }

    /// The newest checkpoint of a log.
    public struct Head: Sendable {
        /// Size and root.
        public let checkpoint: Checkpoint
        /// The signed note.
        public let note: [UInt8]
        /// When it was signed, in seconds since 1970: as this server's clock said, unproven.
        public let signedAt: Int64
    }

    /// Starts a log without entries, whose first checkpoint is signed at once.
    public static func create(
        _ db: Database, origin: String, key: borrowing Ed25519SecretKey, now: Int64
    ) throws -> StoredLog {
        let checkpoint = Checkpoint(origin: origin, size: 0, root: MerkleHash.emptyRoot)
        try db.execute(
            sql: "INSERT INTO log (origin, size, root, checkpoint, signedAt) VALUES (?, 0, ?, ?, ?)",
            arguments: [origin, Data(checkpoint.root.array), Data(checkpoint.signed(by: key)), now])
        return StoredLog(origin: origin, id: db.lastInsertedRowID)
    }

    /// The log with this origin, nil when there is none.
    public static func find(_ db: Database, origin: String) throws -> StoredLog? {
        guard let id = try Int64.fetchOne(db, sql: "SELECT id FROM log WHERE origin = ?", arguments: [origin]) else {
            return nil
        }
        return StoredLog(origin: origin, id: id)
    }

    private init(origin: String, id: Int64) {
        self.origin = origin
        self.id = id
    }

    /// The newest checkpoint.
    public func head(_ db: Database) throws -> Head {
        let row = try Row.fetchOne(
            db, sql: "SELECT size, root, checkpoint, signedAt FROM log WHERE id = ?", arguments: [id])
        guard let row, let size = UInt64(exactly: row["size"] as Int64), let root = Bytes32(row["root"] as Data)
        else { throw StorageError.damaged("log \(origin) has no head") }
        return Head(
            checkpoint: Checkpoint(origin: origin, size: size, root: root),
            note: [UInt8](row["checkpoint"] as Data), signedAt: row["signedAt"])
    }

    /// Appends `entries` in order, and signs a checkpoint that covers them.
    public func append(
        _ db: Database, _ entries: [[UInt8]], key: borrowing Ed25519SecretKey, now: Int64
    ) throws -> Head {
        var tree = try growingTree(db)
        let insertEntry = try db.cachedStatement(
            sql: "INSERT INTO logEntry (log, entryIndex, bytes) VALUES (?, ?, ?)")
        var completed: [(TileID, [Bytes32])] = []
        for entry in entries {
            try insertEntry.execute(arguments: [id, Int64(tree.size), Data(entry)])
            tree.append(MerkleHash.leaf(entry)) { completed.append(($0, $1)) }
        }
        let writeTile = try db.cachedStatement(
            sql: "INSERT OR REPLACE INTO logTile (log, level, tileIndex, hashes) VALUES (?, ?, ?, ?)")
        for (tile, hashes) in completed + tree.partialTiles {
            try writeTile.execute(
                arguments: [id, tile.level, Int64(tile.index), Data(HashTile.encode(hashes))])
        }
        let checkpoint = Checkpoint(origin: origin, size: tree.size, root: tree.root)
        let note = checkpoint.signed(by: key)
        try db.execute(
            sql: "UPDATE log SET size = ?, root = ?, checkpoint = ?, signedAt = ? WHERE id = ?",
            arguments: [Int64(tree.size), Data(checkpoint.root.array), Data(note), now, id])
        return Head(checkpoint: checkpoint, note: note, signedAt: now)
    }

    /// The right edge of the tree, as the stored tiles give it; checked against the stored root.
    private func growingTree(_ db: Database) throws -> GrowingTree {
        let head = try head(db)
        guard let tree = try GrowingTree(size: head.checkpoint.size, partialTile: { try hashes(db, $0) }),
            tree.root == head.checkpoint.root
        else { throw StorageError.damaged("the tiles of log \(origin) do not give its root") }
        return tree
    }

    private func hashes(_ db: Database, _ tile: TileID) throws -> [Bytes32]? {
        let bytes = try Data.fetchOne(
            db, sql: "SELECT hashes FROM logTile WHERE log = ? AND level = ? AND tileIndex = ?",
            arguments: [id, tile.level, Int64(tile.index)])
        return bytes.flatMap { HashTile.decode([UInt8]($0)) }
    }

    /// One entry, nil when the log is shorter.
    public func entry(_ db: Database, at index: UInt64) throws -> [UInt8]? {
        try Data.fetchOne(
            db, sql: "SELECT bytes FROM logEntry WHERE log = ? AND entryIndex = ?",
            arguments: [id, Int64(index)]
        ).map { [UInt8]($0) }
    }

    /// The entries of a range, as far as there are any.
    public func entries(_ db: Database, _ range: Range<UInt64>) throws -> [[UInt8]] {
        try Data.fetchAll(
            db,
            sql: "SELECT bytes FROM logEntry WHERE log = ? AND entryIndex >= ? AND entryIndex < ? ORDER BY entryIndex",
            arguments: [id, Int64(range.lowerBound), Int64(range.upperBound)]
        ).map { [UInt8]($0) }
    }

    /// The receipt for the entry at `index`: its inclusion in the newest checkpoint.
    public func receipt(_ db: Database, at index: UInt64) throws -> LogProof {
        let head = try head(db)
        let prover = MerkleProver(size: head.checkpoint.size) { try hashes(db, $0) }
        return LogProof(inclusion: try prover.inclusion(of: index), checkpoint: head.note)
    }

    /// The bytes of `checkpoint` or of a tile or bundle, as tlog-tiles publishes them; nil when there is no such resource.
    public func resource(_ db: Database, path: String) throws -> [UInt8]? {
        if path == "checkpoint" { return try head(db).note }
        let full = UInt64(TileID.fullWidth)
        switch TileRequest(path: path) {
        case .hashes(let tile, let width):
            guard tile.index < UInt64(Int64.max), let hashes = try hashes(db, tile), hashes.count >= width else {
                return nil
            }
            return HashTile.encode(hashes.prefix(width))
        case .entries(let index, let width):
            guard index < UInt64(Int64.max) / full else { return nil }
            let entries = try entries(db, index * full..<index * full + UInt64(width))
            return entries.count == width ? EntryBundle.encode(entries) : nil
        case nil:
            return nil
        }
    }
}
