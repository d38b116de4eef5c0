import Bytes
import Foundation
import GRDB
import LogStorage
import Sodium
import TransparencyLog
import Witnessing

/// What a witness cosigned last of one log.
public struct CosignedLog: Sendable {
    /// The most contradictions that are kept of one log, so that it cannot fill the disk with them.
    private static let mostContradictions = 16

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

    static func createTables(_ db: Database) throws {
        try db.execute(
            sql: """
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
                -- Checkpoints that a log signed and that do not follow from what was cosigned.
                CREATE TABLE contradiction (
                    origin TEXT NOT NULL,
                    note BLOB NOT NULL,
                    seen INTEGER NOT NULL,
                    PRIMARY KEY (origin, note)
                ) STRICT, WITHOUT ROWID;
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

    static func find(_ db: Database, origin: String) throws -> CosignedLog? {
        try Row.fetchOne(db, sql: columns + " WHERE origin = ?", arguments: [origin]).map { try CosignedLog($0) }
    }

    static func find(_ db: Database, originHash: Bytes32) throws -> CosignedLog? {
        try Row.fetchOne(db, sql: columns + " WHERE originHash = ?", arguments: [Data(originHash.array)])
            .map { try CosignedLog($0) }
    }

    static func all(_ db: Database) throws -> [CosignedLog] {
        try Row.fetchAll(db, sql: columns + " ORDER BY origin").map { try CosignedLog($0) }
    }

    /// The number of logs that were first seen under a rule.
    static func count(_ db: Database, rule: Int64) throws -> Int {
        try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM cosigned WHERE rule = ?", arguments: [rule]) ?? 0
    }

    func save(_ db: Database) throws {
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
    }

    static func keepContradiction(_ db: Database, origin: String, note: [UInt8], now: Int64) throws {
        try db.execute(
            sql: """
                INSERT OR IGNORE INTO contradiction (origin, note, seen)
                SELECT ?, ?, ? WHERE (SELECT COUNT(*) FROM contradiction WHERE origin = ?) < ?
                """,
            arguments: [origin, Data(note), now, origin, mostContradictions])
    }

    /// The checkpoints that a log signed and that do not follow from what was cosigned.
    static func contradictions(_ db: Database, origin: String) throws -> [[UInt8]] {
        try Data.fetchAll(
            db, sql: "SELECT note FROM contradiction WHERE origin = ? ORDER BY seen", arguments: [origin]
        ).map { [UInt8]($0) }
    }
}
