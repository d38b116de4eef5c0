import Bytes
import Foundation
import LogStorage
import Sodium
import Storage
import TransparencyLog
import Witnessing

/// What a witness cosigned last of one log.
public struct CosignedLog: Sendable {
    /// The most checkpoints of one log that are kept because they do not follow, so that nobody can fill the disk.
    private static let mostStray = 16

    /// The checkpoint.
    public let checkpoint: Checkpoint
    /// The number of the rule that it was trusted by when it was first seen.
    let rule: Int64
    /// The log's key.
    let key: Ed25519PublicKey
    /// The checkpoint as the log signed it, with its own line alone.
    let note: [UInt8]
    /// The witness's line.
    let line: String
    /// When it was cosigned, in seconds since 1970.
    public let time: Int64

    static func createTables(_ db: Transaction) throws {
        try db.execute(
            script: """
                CREATE TABLE cosigned (
                    origin TEXT PRIMARY KEY,
                    originHash BLOB NOT NULL UNIQUE,
                    rule INTEGER NOT NULL,
                    key BLOB NOT NULL,
                    size INTEGER NOT NULL,
                    root BLOB NOT NULL,
                    note BLOB NOT NULL,
                    line TEXT NOT NULL,
                    time INTEGER NOT NULL
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX cosignedByRule ON cosigned (rule);
                -- Checkpoints that a log signed, with its own line alone, and that were not shown to follow from what was
                -- cosigned. With "against", they are of the same size as that one and have another root: the two
                -- notes prove that the log contradicts itself. Without, anybody may have sent a true checkpoint with
                -- a wrong proof.
                CREATE TABLE stray (
                    number INTEGER PRIMARY KEY,
                    origin TEXT NOT NULL,
                    size INTEGER NOT NULL,
                    root BLOB NOT NULL,
                    note BLOB NOT NULL,
                    against BLOB,
                    UNIQUE (origin, size, root)
                ) STRICT;
                """)
    }

    private static let columns = "SELECT origin, rule, key, size, root, note, line, time FROM cosigned"

    private init(_ row: Row) throws {
        guard let size = UInt64(exactly: row["size"] as Int64), let root = Bytes32(row["root"] as Data),
            let key = Bytes32(row["key"] as Data)
        else { throw StorageError.damaged("the state of the log \(row["origin"] as String)") }
        checkpoint = Checkpoint(origin: row["origin"], size: size, root: root)
        rule = row["rule"]
        self.key = Ed25519PublicKey(key)
        note = [UInt8](row["note"] as Data)
        line = row["line"]
        time = row["time"]
    }

    init(
        checkpoint: Checkpoint, rule: Int64, key: Ed25519PublicKey, note: [UInt8], line: String, time: Int64
    ) {
        (self.checkpoint, self.rule, self.key) = (checkpoint, rule, key)
        (self.note, self.line, self.time) = (note, line, time)
    }

    static func find(_ db: Transaction, origin: String) throws -> CosignedLog? {
        try Row.fetchOne(db, sql: columns + " WHERE origin = ?", arguments: [origin]).map { try CosignedLog($0) }
    }

    static func find(_ db: Transaction, originHash: Bytes32) throws -> CosignedLog? {
        try Row.fetchOne(db, sql: columns + " WHERE originHash = ?", arguments: [Data(originHash.array)])
            .map { try CosignedLog($0) }
    }

    static func all(_ db: Transaction) throws -> [CosignedLog] {
        try Row.fetchAll(db, sql: columns + " ORDER BY origin").map { try CosignedLog($0) }
    }

    /// The number of logs that were first seen under a rule.
    static func count(_ db: Transaction, rule: Int64) throws -> Int {
        try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM cosigned WHERE rule = ?", arguments: [rule]) ?? 0
    }

    func save(_ db: Transaction) throws {
        try db.execute(
            sql: """
                INSERT INTO cosigned (origin, originHash, rule, key, size, root, note, line, time)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note,
                    line = excluded.line, time = excluded.time
                """,
            arguments: [
                checkpoint.origin, Data(SHA256.hash(Array(checkpoint.origin.utf8)).array), rule, Data(key.bytes.array),
                Int64(checkpoint.size), Data(checkpoint.root.array), Data(note), line, time,
            ])
        try db.execute(
            sql: "DELETE FROM stray WHERE origin = ? AND size = ? AND root = ? AND against IS NULL",
            arguments: [checkpoint.origin, Int64(checkpoint.size), Data(checkpoint.root.array)])
    }

    /// Keeps a checkpoint that its log signed, and that was not shown to follow from this one. What proves something
    /// stays for ever; of the rest, the oldest and the newest stay.
    func keepStray(_ db: Transaction, _ other: Checkpoint, note: [UInt8]) throws {
        guard other != checkpoint else { return }
        let origin = checkpoint.origin
        let against = other.size == checkpoint.size ? Data(self.note) : nil
        let known = try Row.fetchOne(
            db, sql: "SELECT against FROM stray WHERE origin = ? AND size = ? AND root = ?",
            arguments: [origin, Int64(other.size), Data(other.root.array)])
        if let known, against == nil || known["against"] as Data? != nil { return }
        let isSame = against == nil ? "IS NULL" : "IS NOT NULL"
        let count =
            try Int.fetchOne(
                db, sql: "SELECT COUNT(*) FROM stray WHERE origin = ? AND against \(isSame)", arguments: [origin]) ?? 0
        if count >= Self.mostStray {
            guard against == nil else { return }
            // The oldest and the newest stay: whoever sends many pushes out neither.
            try db.execute(
                sql: """
                    DELETE FROM stray WHERE number = (SELECT number FROM stray WHERE origin = ? AND against IS NULL
                        ORDER BY number LIMIT 1 OFFSET ?)
                    """, arguments: [origin, Self.mostStray / 2])
        }
        try db.execute(
            sql: """
                INSERT INTO stray (origin, size, root, note, against) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (origin, size, root) DO UPDATE SET against = excluded.against
                """,
            arguments: [origin, Int64(other.size), Data(other.root.array), Data(note), against])
    }

    /// The checkpoints that a log signed and that were not shown to follow from what was cosigned.
    static func strays(_ db: Transaction, origin: String) throws -> [StrayCheckpoint] {
        try Row.fetchAll(
            db, sql: "SELECT note, against FROM stray WHERE origin = ? ORDER BY against IS NULL, number",
            arguments: [origin]
        ).map {
            StrayCheckpoint(
                note: [UInt8]($0["note"] as Data), against: ($0["against"] as Data?).map { [UInt8]($0) })
        }
    }
}

/// A checkpoint that a log signed, and that was not shown to follow from what was cosigned.
public struct StrayCheckpoint: Sendable {
    /// The note, with the log's own line alone.
    public let note: [UInt8]
    /// The note of the same size and another root that was cosigned: the two prove that the log contradicts itself. Nil
    /// if nothing is proven: anybody may send a true checkpoint with a wrong proof.
    public let against: [UInt8]?
}
