import Bytes
import Foundation
import Sodium
import Storage
import TransparencyLog

/// A log in a server's database: entries, tiles of hashes, and the newest signed checkpoint.
///
/// Every function runs inside the caller's transaction. A checkpoint is signed before its transaction commits, but
/// published only afterwards: what was never committed was never published.
public struct StoredLog: Sendable {
    /// The log's origin.
    public let origin: String
    package let id: Int64

    /// The tables of logs.
    public static var tables: Migration { Migration("transparency log") { try createTables($0) } }

    private static func createTables(_ db: Transaction) throws {
        try db.execute(
            script: """
                CREATE TABLE log (
                    id INTEGER PRIMARY KEY,
                    origin TEXT NOT NULL UNIQUE,
                    size INTEGER NOT NULL,
                    root BLOB NOT NULL,
                    checkpoint BLOB NOT NULL,
                    signedAt INTEGER NOT NULL
                ) STRICT;
                -- place: log * 2^40 + index. A table by row id packs entries of any length; one without would give those of
                -- over 1,002 bytes a page each.
                CREATE TABLE logEntry (place INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
                CREATE TABLE logTile (
                    log INTEGER NOT NULL REFERENCES log(id),
                    level INTEGER NOT NULL,
                    tileIndex INTEGER NOT NULL,
                    hashes BLOB NOT NULL,
                    PRIMARY KEY (log, level, tileIndex)
                ) STRICT, WITHOUT ROWID;
                """)
        try CosignedHead.createTables(db)
    }

    /// The newest checkpoint of a log.
    public struct Head: Sendable {
        /// Size and root.
        public let checkpoint: Checkpoint
        /// The signed note.
        public let note: [UInt8]
        /// When it was signed, in seconds since 1970 by this server's clock; unproven.
        public let signedAt: Int64

        /// A checkpoint with its note, which may have more lines than the log's own.
        public init(checkpoint: Checkpoint, note: [UInt8], signedAt: Int64) {
            self.checkpoint = checkpoint
            self.note = note
            self.signedAt = signedAt
        }
    }

    /// Creates a log without entries, and signs its first checkpoint.
    public static func create(
        _ db: Transaction, origin: String, key: borrowing Ed25519SecretKey, now: Int64
    ) throws -> StoredLog {
        let checkpoint = Checkpoint(origin: origin, size: 0, root: MerkleHash.emptyRoot)
        let id = try Int64.fetchOne(
            db, sql: "INSERT INTO log (origin, size, root, checkpoint, signedAt) VALUES (?, 0, ?, ?, ?) RETURNING id",
            arguments: [origin, Data(checkpoint.root.array), Data(checkpoint.signed(by: key)), now])
        guard let id else { throw StorageError.failed("a new row has no number") }
        return StoredLog(origin: origin, id: id)
    }

    /// The log with this origin; nil if there is none.
    public static func find(_ db: Transaction, origin: String) throws -> StoredLog? {
        guard let id = try Int64.fetchOne(db, sql: "SELECT id FROM log WHERE origin = ?", arguments: [origin]) else {
            return nil
        }
        return StoredLog(origin: origin, id: id)
    }

    /// All logs of the database.
    public static func all(_ db: Transaction) throws -> [StoredLog] {
        try Row.fetchAll(db, sql: "SELECT id, origin FROM log ORDER BY id").map {
            StoredLog(origin: $0["origin"], id: $0["id"])
        }
    }

    private init(origin: String, id: Int64) {
        self.origin = origin
        self.id = id
    }

    /// The newest checkpoint.
    public func head(_ db: Transaction) throws -> Head {
        let row = try Row.fetchOne(
            db, sql: "SELECT size, root, checkpoint, signedAt FROM log WHERE id = ?", arguments: [id])
        guard let row, let size = UInt64(exactly: row["size"] as Int64), let root = Bytes32(row["root"] as Data)
        else { throw StorageError.damaged("log \(origin) has no head") }
        return Head(
            checkpoint: Checkpoint(origin: origin, size: size, root: root),
            note: [UInt8](row["checkpoint"] as Data), signedAt: row["signedAt"])
    }

    /// Checks that this has a checkpoint that was published, or extends it. Throws a ``StorageError``.
    public func check(_ db: Transaction, has checkpoint: Checkpoint) throws {
        let head = try head(db).checkpoint
        guard head.size >= checkpoint.size else {
            throw StorageError.rolledBack(origin: origin, published: checkpoint.size, stored: head.size)
        }
        let root = try checkpoint.size == head.size ? head.root : root(db, ofFirst: checkpoint.size)
        guard root == checkpoint.root else {
            throw StorageError.otherThanPublished(origin: origin, size: checkpoint.size)
        }
    }

    /// Appends `entries` in order, and signs a checkpoint that includes them.
    public func append(
        _ db: Transaction, _ entries: [[UInt8]], key: borrowing Ed25519SecretKey, now: Int64
    ) throws -> Head {
        try append(db, entries.map { (bytes: $0, leaf: MerkleHash.leaf($0)) }, key: key, now: now)
    }

    /// The same for entries whose leaf hashes are known.
    public func append(
        _ db: Transaction, _ entries: [(bytes: [UInt8], leaf: Bytes32)], key: borrowing Ed25519SecretKey, now: Int64
    ) throws -> Head {
        let head = try head(db).checkpoint
        var tree = try growingTree(db, from: head)
        var completed: [(TileID, [Bytes32])] = []
        let first = tree.size
        for entry in entries { tree.append(entry.leaf) { completed.append(($0, $1)) } }
        try db.insert(
            into: "logEntry", ["place", "bytes"],
            entries.enumerated().map { [rowID(first + UInt64($0)), Data($1.bytes)] })
        for (tile, hashes) in completed + tree.partialTiles {
            try db.execute(
                sql: """
                    INSERT INTO logTile (log, level, tileIndex, hashes) VALUES (?, ?, ?, ?)
                    ON CONFLICT (log, level, tileIndex) DO UPDATE SET hashes = excluded.hashes
                    """,
                arguments: [id, tile.level, Int64(tile.index), Data(HashTile.encode(hashes))])
        }
        let checkpoint = Checkpoint(origin: origin, size: tree.size, root: tree.root)
        let note = checkpoint.signed(by: key)
        // Whatever the engine promises: nothing is signed over a head that another has moved on.
        let changed = try db.execute(
            sql: """
                UPDATE log SET size = ?, root = ?, checkpoint = ?, signedAt = ? WHERE id = ? AND size = ? AND root = ?
                """,
            arguments: [
                Int64(tree.size), Data(checkpoint.root.array), Data(note), now, id, Int64(head.size),
                Data(head.root.array),
            ])
        guard changed == 1 else { throw StorageError.deposed }
        return Head(checkpoint: checkpoint, note: note, signedAt: now)
    }

    /// The right edge of the tree, from the stored tiles, checked against the stored root.
    private func growingTree(_ db: Transaction, from head: Checkpoint) throws -> GrowingTree {
        guard let tree = try GrowingTree(size: head.size, partialTile: { try hashes(db, $0) }), tree.root == head.root
        else { throw StorageError.damaged("the tiles of log \(origin) do not give its root") }
        return tree
    }

    /// The number of stored tiles of hashes.
    func tiles(_ db: Transaction) throws -> Int {
        try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM logTile WHERE log = ?", arguments: [id]) ?? 0
    }

    func hashes(_ db: Transaction, _ tile: TileID) throws -> [Bytes32]? {
        let bytes = try Data.fetchOne(
            db, sql: "SELECT hashes FROM logTile WHERE log = ? AND level = ? AND tileIndex = ?",
            arguments: [id, tile.level, Int64(tile.index)])
        return bytes.flatMap { HashTile.decode([UInt8]($0)) }
    }

    /// The row of the entry at `index`.
    private func rowID(_ index: UInt64) -> Int64 {
        precondition(index < 1 << Self.indexBits, "an index that a log can have")
        return id << Self.indexBits | Int64(index)
    }

    /// A log has fewer than 2^40 entries.
    private static let indexBits: Int64 = 40

    /// The entry at `index`; nil if the log is shorter.
    public func entry(_ db: Transaction, at index: UInt64) throws -> [UInt8]? {
        guard index < 1 << Self.indexBits else { return nil }
        return try Data.fetchOne(
            db, sql: "SELECT bytes FROM logEntry WHERE place = ?", arguments: [rowID(index)]
        ).map { [UInt8]($0) }
    }

    /// The existing entries of a range.
    public func entries(_ db: Transaction, _ range: Range<UInt64>) throws -> [[UInt8]] {
        let end = min(range.upperBound, 1 << Self.indexBits - 1)
        guard range.lowerBound < end else { return [] }
        return try Data.fetchAll(
            db, sql: "SELECT bytes FROM logEntry WHERE place >= ? AND place < ? ORDER BY place",
            arguments: [rowID(range.lowerBound), rowID(end)]
        ).map { [UInt8]($0) }
    }

    /// The root over the first `size` entries, from the stored tiles.
    public func root(_ db: Transaction, ofFirst size: UInt64) throws -> Bytes32 {
        try proving(db, size: size) { prover throws(MerkleProver.Failure) in try prover.root() }
    }

    /// The proof that the tree of `size` entries extends that of `oldSize`.
    public func consistency(_ db: Transaction, from oldSize: UInt64, to size: UInt64) throws -> ConsistencyProof {
        try proving(db, size: size) { prover throws(MerkleProver.Failure) in try prover.consistency(from: oldSize) }
    }

    /// The receipts for the entries at `indices`: their inclusion in `head`, a published checkpoint of this log.
    public func receipts(_ db: Transaction, at indices: [UInt64], in head: Head) throws -> [LogProof] {
        try check(db, has: head.checkpoint)
        return try proving(db, size: head.checkpoint.size) { prover throws(MerkleProver.Failure) in
            var receipts: [LogProof] = []
            for index in indices {
                receipts.append(LogProof(inclusion: try prover.inclusion(of: index), checkpoint: head.note))
            }
            return receipts
        }
    }

    /// Passes `body` a prover that reads each stored tile at most once. Rethrows an error of the database in preference
    /// to the prover's.
    private func proving<T>(
        _ db: Transaction, size: UInt64, _ body: (MerkleProver) throws(MerkleProver.Failure) -> T
    ) throws -> T {
        var known: [TileID: [Bytes32]] = [:]
        var databaseError: (any Error)?
        let prover = MerkleProver(size: size) { tile in
            if let hashes = known[tile] { return hashes }
            do { known[tile] = try hashes(db, tile) } catch { databaseError = error }
            return known[tile]
        }
        do { return try body(prover) } catch { throw databaseError ?? error }
    }

    /// The receipt for the entry at `index`: its inclusion in the newest checkpoint.
    public func receipt(_ db: Transaction, at index: UInt64) throws -> LogProof {
        let head = try head(db)
        guard let receipt = try receipts(db, at: [index], in: head).first else { throw MerkleProver.Failure.outOfRange }
        return receipt
    }

    /// The bytes of the checkpoint or of a tile or bundle, at their paths of tlog-tiles; nil if there is no such
    /// resource.
    public func resource(_ db: Transaction, path: String) throws -> [UInt8]? {
        if path == "checkpoint" { return try head(db).note }
        let full = UInt64(TileID.fullWidth)
        switch TileRequest(path: path) {
        case .hashes(let tile, let width):
            guard tile.index < UInt64(Int64.max), let hashes = try hashes(db, tile), hashes.count >= width else {
                return nil
            }
            return HashTile.encode(hashes.prefix(width))
        case .entries(let index, let width):
            guard index < 1 << Self.indexBits / full else { return nil }
            let entries = try entries(db, index * full..<index * full + UInt64(width))
            return entries.count == width ? EntryBundle.encode(entries) : nil
        case nil:
            return nil
        }
    }
}
