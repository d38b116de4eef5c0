import Bytes
import Documents
import Foundation
import LogReading
import LogStorage
import Petitions
import Storage
import TransparencyLog

/// A coordinator's log as this aggregator saw it: its raw entries, and the newest signed checkpoint that covers them.
/// It only grows: a different version that a coordinator shows later is not kept.
struct FollowedLog: Hashable, Sendable {
    /// How many entries are read or written at once: commits of records need the database in between.
    static let batch = 4096

    /// The key that signs the log; the key's name is the log's origin.
    let key: VerifierKey

    static func createTables(_ db: Transaction) throws {
        try db.execute(
            script: """
                CREATE TABLE followedRoll (id TEXT PRIMARY KEY, note BLOB NOT NULL) STRICT;
                CREATE TABLE followedLog (
                    number INTEGER PRIMARY KEY,
                    -- Origin and key: one place may have had another key before.
                    vkey TEXT NOT NULL UNIQUE,
                    checkpoint BLOB NOT NULL
                ) STRICT;
                CREATE TABLE followedEntry (
                    log INTEGER NOT NULL REFERENCES followedLog(number),
                    entryIndex INTEGER NOT NULL,
                    bytes BLOB NOT NULL,
                    PRIMARY KEY (log, entryIndex)
                ) STRICT, WITHOUT ROWID;
                -- Of a roll with witnesses: the first cosigned checkpoint after a seal or an opening of joining, by its
                -- path below the log.
                CREATE TABLE followedNote (
                    log INTEGER NOT NULL REFERENCES followedLog(number),
                    path TEXT NOT NULL,
                    note BLOB NOT NULL,
                    PRIMARY KEY (log, path)
                ) STRICT, WITHOUT ROWID;
                """)
    }

    /// The signed checkpoint over everything that is kept, as published; nil when nothing is kept.
    func note(_ db: Transaction) throws -> [UInt8]? {
        try Data.fetchOne(db, sql: "SELECT checkpoint FROM followedLog WHERE vkey = ?", arguments: [key.vkey]).map {
            [UInt8]($0)
        }
    }

    /// That checkpoint, and the note as published.
    func head(_ db: Transaction) throws -> (checkpoint: Checkpoint, note: [UInt8])? {
        guard let note = try note(db) else { return nil }
        guard let checkpoint = try? Checkpoint(verifying: note, key: key) else {
            throw StorageError.damaged("what is kept of \(key.name) is not signed")
        }
        return (checkpoint, note)
    }

    /// How many entries are kept; nil when not even a checkpoint is kept.
    func size(_ db: Transaction) throws -> UInt64? { try head(db)?.checkpoint.size }

    /// Entries from `index` on, at most `limit`.
    func entries(_ db: Transaction, from index: UInt64, limit: Int) throws -> [[UInt8]] {
        try Data.fetchAll(
            db,
            sql: """
                SELECT bytes FROM followedEntry
                WHERE log = (SELECT number FROM followedLog WHERE vkey = ?) AND entryIndex >= ?
                ORDER BY entryIndex LIMIT ?
                """,
            arguments: [key.vkey, Int64(index), limit]
        ).map { [UInt8]($0) }
    }

    /// Passes all entries from `index` on to `body`, in batches that are never empty.
    func forEachBatch(
        from index: UInt64, in database: any Storage, _ body: ([[UInt8]]) throws -> Void
    ) async throws {
        var next = index
        while true {
            let entries = try database.read { try self.entries($0, from: next, limit: Self.batch) }
            guard !entries.isEmpty else { return }
            try body(entries)
            next += UInt64(entries.count)
            await Task.yield()
        }
    }

    /// Compares the entries with the signed checkpoint, and with the `roots` that petitions refer to at other sizes.
    /// Returns what does not agree, in words. `progress` is called with the number of entries done.
    func check(_ db: Transaction, roots: [UInt64: Bytes32], progress: (UInt64) -> Void) throws -> [String] {
        guard let note = try note(db) else { return ["it is not there"] }
        guard let head = try? Checkpoint(verifying: note, key: key) else {
            return ["the signed checkpoint is not one of this log"]
        }
        var problems: [String] = []
        var tree = TreeWithRoots(sizes: Set(roots.keys))
        let rows = try db.cursor(
            sql: """
                SELECT entryIndex, bytes FROM followedEntry
                WHERE log = (SELECT number FROM followedLog WHERE vkey = ?) ORDER BY entryIndex
                """,
            arguments: [key.vkey])
        while let row = try rows.next() {
            guard UInt64(exactly: row["entryIndex"] as Int64) == tree.size else {
                return problems + ["entry \(tree.size) is missing"]
            }
            tree.append(MerkleHash.leaf([UInt8](row["bytes"] as Data)))
            if let root = roots[tree.size], !tree.had(root, at: tree.size) {
                problems.append("the first \(tree.size) entries are not those that a petition refers to")
            }
            if tree.size % UInt64(Self.batch) == 0 { progress(tree.size) }
        }
        if tree.size != head.size {
            problems.append("there are \(tree.size) entries, the checkpoint is over \(head.size)")
        } else if tree.root != head.root {
            problems.append("the root is not that of the entries")
        }
        return problems
    }

    // MARK: What its witnesses saw

    /// The note that is kept at a path; nil if there is none.
    func keptNote(_ db: Transaction, at path: String) throws -> [UInt8]? {
        try Data.fetchOne(
            db,
            sql: """
                SELECT note FROM followedNote
                WHERE log = (SELECT number FROM followedLog WHERE vkey = ?) AND path = ?
                """, arguments: [key.vkey, path]
        ).map { [UInt8]($0) }
    }

    /// Keeps a note at a path. What is there stays.
    func keep(_ db: Transaction, _ note: [UInt8], at path: String) throws {
        try db.execute(
            sql: """
                INSERT INTO followedNote (log, path, note)
                SELECT number, ?, ? FROM followedLog WHERE vkey = ? ON CONFLICT DO NOTHING
                """, arguments: [path, Data(note), key.vkey])
    }

    // MARK: As it is published

    /// The bytes of `checkpoint` or of a tile or bundle, as the coordinator published them; nil when there is no such
    /// resource.
    func resource(_ db: Transaction, path: String) throws -> [UInt8]? {
        if path == "checkpoint" { return try note(db) }
        if let note = try keptNote(db, at: path) { return note }
        switch TileRequest(path: path) {
        case .entries(let index, let width) where index < Self.tileLimit:
            let entries = try entries(db, from: index * UInt64(TileID.fullWidth), limit: width)
            return entries.count == width ? EntryBundle.encode(entries) : nil
        case .hashes(let tile, let width) where tile.index < Self.tileLimit && tile.level < Self.levelLimit:
            return try hashes(db, tile, width: width).map { HashTile.encode($0) }
        default: return nil
        }
    }

    /// The most tiles that a log has on one level.
    private static let tileLimit: UInt64 = 1 << 24
    /// The most levels of tiles that a log has.
    private static let levelLimit = 4

    /// The hashes of a tile, computed from the entries: hashes are not kept.
    private func hashes(_ db: Transaction, _ tile: TileID, width: Int) throws -> [Bytes32]? {
        /// The number of entries below each hash.
        let span = UInt64(1) << UInt64(8 * tile.level)
        var next = tile.index * UInt64(TileID.fullWidth) * span
        let end = next + UInt64(width) * span
        var hashes: [Bytes32] = []
        var tree = GrowingTree()
        while next < end {
            let entries = try entries(db, from: next, limit: Int(min(UInt64(Self.batch), end - next)))
            guard !entries.isEmpty else { return nil }
            for entry in entries {
                tree.append(MerkleHash.leaf(entry))
                guard tree.size == span else { continue }
                hashes.append(tree.root)
                tree = GrowingTree()
            }
            next += UInt64(entries.count)
        }
        return hashes
    }
}

/// Entries that were read of a log and follow those already kept. Until they are known to be good they are in a
/// temporary table, which disappears with the process: memory does not grow with the log, and nobody else sees them.
struct FollowedDraft: Sendable {
    private let log: FollowedLog
    /// The checkpoint that covers it, as published.
    private let note: [UInt8]
    /// The size of the kept log that it continues.
    private let first: UInt64
    private var size: UInt64
    /// Identifies its rows.
    private let number = Int64.random(in: 0...(.max))
    private var unwritten: [[UInt8]] = []

    private init(of log: FollowedLog, from first: UInt64, note: [UInt8]) {
        self.log = log
        self.note = note
        self.first = first
        size = first
    }

    /// Reads the entries of `published` from the end of `tree`, which covers what is kept, up to `head`; nil when there
    /// is nothing new. Throws a ``LogReadError`` for whatever is wrong with the log. `body` gets entries and their leaf
    /// hashes before they are known to be good.
    static func read(
        _ published: PublishedLog, upTo head: (checkpoint: Checkpoint, note: [UInt8]), continuing tree: GrowingTree,
        into database: any Storage, progress: WorkProgress = .untold,
        _ body: ([[UInt8]], LeafHashes) -> Void = { _, _ in }
    ) async throws -> FollowedDraft? {
        let (checkpoint, note) = head
        var draft = FollowedDraft(of: FollowedLog(key: published.key), from: tree.size, note: note)
        do {
            _ = try await published.readEntries(upTo: checkpoint, continuing: tree) { first, entries, leaves in
                body(entries, leaves)
                try draft.append(entries, in: database)
                progress(published.key.name, done: first + UInt64(entries.count), of: checkpoint.size)
            }
            try draft.write(to: database)
        } catch {
            draft.discard(in: database)
            throw error
        }
        return checkpoint.size > tree.size || tree.size == 0 ? draft : nil
    }

    private mutating func append(_ entries: [[UInt8]], in database: any Storage) throws {
        unwritten += entries
        if unwritten.count >= FollowedLog.batch { try write(to: database) }
    }

    private mutating func write(to database: any Storage) throws {
        guard !unwritten.isEmpty else { return }
        try database.write { db in
            try db.execute(
                script: """
                    CREATE TEMPORARY TABLE IF NOT EXISTS followedDraft (
                        draft INTEGER NOT NULL,
                        entryIndex INTEGER NOT NULL,
                        bytes BLOB NOT NULL,
                        PRIMARY KEY (draft, entryIndex)
                    ) STRICT, WITHOUT ROWID
                    """)
            try db.insert(
                into: "followedDraft", ["draft", "entryIndex", "bytes"],
                unwritten.enumerated().map { [number, Int64(size) + Int64($0), Data($1)] })
        }
        size += UInt64(unwritten.count)
        unwritten = []
    }

    /// Stores the draft in the kept log, in the caller's transaction. Throws `StorageError.busy` when another program
    /// stored more of the log in the meantime.
    func keep(_ db: Transaction) throws {
        guard try log.size(db) ?? 0 == first else { throw StorageError.busy }
        try db.execute(
            sql: """
                INSERT INTO followedLog (vkey, checkpoint) VALUES (?, ?)
                ON CONFLICT (vkey) DO UPDATE SET checkpoint = excluded.checkpoint
                """,
            arguments: [log.key.vkey, Data(note)])
        guard size > first else { return }
        try db.execute(
            sql: """
                INSERT INTO followedEntry (log, entryIndex, bytes)
                SELECT (SELECT number FROM followedLog WHERE vkey = ?), entryIndex, bytes
                FROM followedDraft WHERE draft = ? ORDER BY entryIndex
                """,
            arguments: [log.key.vkey, number])
    }

    /// Deletes the temporary rows, kept or not; some at a time, since incoming records need the database too.
    func discard(in database: any Storage) {
        var end = first
        while end < size {
            end = min(end + UInt64(FollowedLog.batch), size)
            // If that fails, they disappear with the process.
            _ = try? database.write { db in
                try db.execute(
                    sql: "DELETE FROM followedDraft WHERE draft = ? AND entryIndex < ?",
                    arguments: [number, Int64(end)])
            }
        }
    }
}

extension RollDescriptor {
    /// The descriptor of a roll that is followed, nil when it is not.
    static func followed(_ db: Transaction, _ id: RollID) throws -> RollDescriptor? {
        let note = try Data.fetchOne(db, sql: "SELECT note FROM followedRoll WHERE id = ?", arguments: [id.hex])
        guard let note else { return nil }
        guard let descriptor = try? RollDescriptor(parsing: [UInt8](note)), descriptor.id == id else {
            throw StorageError.damaged("the descriptor of the roll \(id.hex) is not kept as it was")
        }
        return descriptor
    }

    /// Keeps the descriptor.
    func follow(_ db: Transaction) throws {
        try db.execute(
            sql: "INSERT INTO followedRoll (id, note) VALUES (?, ?) ON CONFLICT DO NOTHING",
            arguments: [id.hex, Data(note)])
    }
}

extension RollReplay {
    /// Continues reading the kept members log, from where this replay ends. After a new ring, the enrolment log must be
    /// read again: a new seal may name it at a size that was already passed.
    mutating func catchUpMembers(with database: any Storage) async throws {
        try await FollowedLog(key: descriptor.membersKey).forEachBatch(from: tree.size, in: database) { entries in
            appendMembers(RollEntry.parse(entries), leaves: LeafHashes(of: entries))
        }
    }

    /// Continues reading the kept enrolment log, or starts again if needed.
    mutating func catchUpEnrolment(with database: any Storage) async throws {
        beginEnrolment()
        let log = FollowedLog(key: descriptor.enrolmentLogKey)
        try await log.forEachBatch(from: enrolment?.size ?? 0, in: database) { entries in
            appendEnrolment(entries, leaves: LeafHashes(of: entries))
        }
    }
}
