import Bytes
import Foundation
import Storage
import TransparencyLog
import Witnessing

/// What a quorum has cosigned of a log: the newest checkpoint that is shown under a policy, and the lines of its
/// witnesses.
public struct CosignedHead: Sendable {
    /// The checkpoint as the log signed it, without other lines.
    public let head: StoredLog.Head
    /// The earliest line of each witness for this size: they say since when the tree existed. Never overwritten.
    public let earliest: [Cosignature]
    /// The newest line of each witness for this size: they say that it is still the newest.
    public let newest: [Cosignature]

    /// The checkpoint with the newest lines.
    public var note: [UInt8] { Self.note(head, newest) }
    /// The checkpoint with the earliest lines.
    public var earliestNote: [UInt8] { Self.note(head, earliest) }

    /// The checkpoint with the earliest lines of these keys alone.
    public func earliestNote(by keys: [WitnessKey]) -> [UInt8] {
        Self.note(head, earliest.filter { keys.contains($0.key) })
    }

    /// No more lines than a note may have beside the log's own: otherwise nobody could read it.
    private static func note(_ head: StoredLog.Head, _ lines: [Cosignature]) -> [UInt8] {
        head.note + Array(lines.prefix(SignedNote.maximumSignatures - 1).map(\.line).joined().utf8)
    }

    static func createTables(_ db: Transaction) throws {
        try db.execute(
            script: """
                -- Of each witness the earliest and the newest line for one size. A witness is named by its vkey.
                CREATE TABLE cosignature (
                    log INTEGER NOT NULL REFERENCES log(id),
                    size INTEGER NOT NULL,
                    witness TEXT NOT NULL,
                    earliest TEXT NOT NULL,
                    newest TEXT NOT NULL,
                    PRIMARY KEY (log, size, witness)
                ) STRICT, WITHOUT ROWID;
                -- What is shown under a policy: the newest checkpoint with a quorum.
                CREATE TABLE cosignedHead (
                    log INTEGER PRIMARY KEY REFERENCES log(id),
                    size INTEGER NOT NULL,
                    root BLOB NOT NULL,
                    checkpoint BLOB NOT NULL,
                    signedAt INTEGER NOT NULL
                ) STRICT;
                """)
    }
}

extension StoredLog {
    /// Keeps lines that witnesses gave for a checkpoint of this log. Of each witness the earliest stays.
    public func keep(_ db: Transaction, _ lines: [Cosignature], for checkpoint: Checkpoint) throws {
        let size = Int64(checkpoint.size)
        for line in lines {
            let known = try Row.fetchOne(
                db, sql: "SELECT earliest, newest FROM cosignature WHERE log = ? AND size = ? AND witness = ?",
                arguments: [id, size, line.key.vkey])
            var (earliest, newest) = (line, line)
            for text in [known?["earliest"], known?["newest"]].compactMap({ $0 as String? }) {
                for old in checkpoint.cosignatures(inLines: Array(text.utf8), by: [line.key]) {
                    if old.time <= earliest.time { earliest = old }
                    if old.time > newest.time { newest = old }
                }
            }
            try db.execute(
                sql: """
                    INSERT INTO cosignature (log, size, witness, earliest, newest) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT (log, size, witness)
                    DO UPDATE SET earliest = excluded.earliest, newest = excluded.newest
                    """,
                arguments: [id, size, line.key.vkey, earliest.line, newest.line])
        }
    }

    /// Makes `head` the checkpoint that is shown, and forgets the lines of smaller ones. Never goes back.
    public func show(_ db: Transaction, _ head: Head) throws {
        let size = Int64(head.checkpoint.size)
        try db.execute(
            sql: """
                INSERT INTO cosignedHead (log, size, root, checkpoint, signedAt) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (log) DO UPDATE SET size = excluded.size, root = excluded.root,
                    checkpoint = excluded.checkpoint, signedAt = excluded.signedAt
                    WHERE excluded.size >= cosignedHead.size
                """,
            arguments: [id, size, Data(head.checkpoint.root.array), Data(head.note), head.signedAt])
        try db.execute(sql: "DELETE FROM cosignature WHERE log = ? AND size < ?", arguments: [id, size])
    }

    /// What is shown under a policy, with the lines of its witnesses; nil if no quorum has cosigned anything yet.
    public func shown(_ db: Transaction, by keys: [WitnessKey]) throws -> CosignedHead? {
        let row = try Row.fetchOne(
            db, sql: "SELECT size, root, checkpoint, signedAt FROM cosignedHead WHERE log = ?", arguments: [id])
        guard let row else { return nil }
        guard let size = UInt64(exactly: row["size"] as Int64), let root = Bytes32(row["root"] as Data) else {
            throw StorageError.damaged("log \(origin) has no cosigned head")
        }
        let checkpoint = Checkpoint(origin: origin, size: size, root: root)
        let head = Head(
            checkpoint: checkpoint, note: [UInt8](row["checkpoint"] as Data), signedAt: row["signedAt"])
        return try cosigned(db, head, by: keys)
    }

    /// A checkpoint of this log with the lines that are kept for it.
    public func cosigned(_ db: Transaction, _ head: Head, by keys: [WitnessKey]) throws -> CosignedHead {
        var (earliest, newest): ([Cosignature], [Cosignature]) = ([], [])
        for key in keys {
            let row = try Row.fetchOne(
                db, sql: "SELECT earliest, newest FROM cosignature WHERE log = ? AND size = ? AND witness = ?",
                arguments: [id, Int64(head.checkpoint.size), key.vkey])
            guard let row else { continue }
            func read(_ text: String) -> [Cosignature] {
                head.checkpoint.cosignatures(inLines: Array(text.utf8), by: [key])
            }
            earliest += read(row["earliest"])
            newest += read(row["newest"])
        }
        return CosignedHead(head: head, earliest: earliest, newest: newest)
    }
}
