import Bytes
import Foundation
import GRDB
import LogStorage
import Messages
import Petitions
import Ristretto255
import Sodium
import Synchronization
import TransparencyLog

/// Why the aggregator cannot do what its operator asked.
public enum AggregatorError: Error, Equatable, Sendable {
    /// The folder holds an aggregator already.
    case alreadyInitialised(folder: String)
    /// The folder holds none.
    case notInitialised(folder: String)
    /// The petition does not name this aggregator's url and key.
    case notNamed(url: String)
    /// The petition or one of its rolls asks for witnesses, which this version cannot provide.
    case witnessesUnsupported
    /// There is no petition with this id here, or none at all.
    case noSuchPetition
}

/// An aggregator in its folder: one database, its note key, and what it remembers of what it published.
public final class Aggregator: Sendable {
    package let database: ServerDatabase
    package let noteKey: Ed25519SecretKey
    package let memory: PublicationMemory
    private let known = Mutex<[String: CollectedPetition]>([:])
    /// `A`.
    public let url: ServiceURL

    private static func databasePath(_ folder: String) -> String { folder + "/aggregator.sqlite" }
    private static func noteKeyPath(_ folder: String) -> String { folder + "/note.key" }

    /// Makes an aggregator in `folder`: its note key and database.
    public static func initialise(folder: String, url: ServiceURL) throws -> Aggregator {
        guard !FileManager.default.fileExists(atPath: databasePath(folder)) else {
            throw AggregatorError.alreadyInitialised(folder: folder)
        }
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        _ = try KeyFile.create(at: noteKeyPath(folder))
        let database = try open(folder)
        try database.write {
            try $0.execute(sql: "INSERT INTO aggregator (id, url) VALUES (1, ?)", arguments: [url.text])
        }
        try database.close()
        return try Aggregator(folder: folder)
    }

    /// Opens the aggregator in `folder`.
    public init(folder: String) throws {
        guard FileManager.default.fileExists(atPath: Self.databasePath(folder)) else {
            throw AggregatorError.notInitialised(folder: folder)
        }
        let database = try Self.open(folder)
        let text = try database.read { try String.fetchOne($0, sql: "SELECT url FROM aggregator WHERE id = 1") }
        guard let url = text.flatMap({ ServiceURL($0) }) else { throw AggregatorError.notInitialised(folder: folder) }
        self.url = url
        self.database = database
        noteKey = Ed25519SecretKey(seed: try KeyFile.read(at: Self.noteKeyPath(folder)))
        memory = PublicationMemory(folder: folder + "/published")
    }

    /// The key that signs the logs of this aggregator.
    public var publicKey: Ed25519PublicKey { noteKey.publicKey }

    private static func open(_ folder: String) throws -> ServerDatabase {
        try ServerDatabase(path: databasePath(folder)) { migrator in
            migrator.registerMigration("aggregator") { db in
                try db.execute(
                    sql: """
                        CREATE TABLE aggregator (id INTEGER PRIMARY KEY, url TEXT NOT NULL) STRICT;
                        CREATE TABLE petition (
                            number INTEGER PRIMARY KEY,
                            id TEXT NOT NULL UNIQUE,
                            note BLOB NOT NULL
                        ) STRICT;
                        CREATE TABLE tag (
                            petition INTEGER NOT NULL REFERENCES petition(number),
                            tag BLOB NOT NULL,
                            signedAt INTEGER NOT NULL,
                            roll INTEGER NOT NULL,
                            withdrawnAt INTEGER,
                            PRIMARY KEY (petition, tag)
                        ) STRICT, WITHOUT ROWID;
                        CREATE TABLE count (
                            petition INTEGER NOT NULL REFERENCES petition(number),
                            roll INTEGER NOT NULL,
                            signatures INTEGER NOT NULL DEFAULT 0,
                            withdrawn INTEGER NOT NULL DEFAULT 0,
                            PRIMARY KEY (petition, roll)
                        ) STRICT, WITHOUT ROWID;
                        CREATE TABLE growth (
                            petition INTEGER NOT NULL REFERENCES petition(number),
                            until INTEGER NOT NULL,
                            treeSize INTEGER NOT NULL,
                            signatures INTEGER NOT NULL,
                            PRIMARY KEY (petition, until)
                        ) STRICT, WITHOUT ROWID;
                        """)
                try FollowedLog.createTables(db)
            }
        }
    }

    /// Starts the count of a petition, whose rolls and announcements are kept by the same transaction.
    func start(_ db: Database, _ petition: PetitionManifest) throws {
        try db.execute(
            sql: "INSERT INTO petition (id, note) VALUES (?, ?)", arguments: [petition.id.hex, Data(petition.note)])
        let number = db.lastInsertedRowID
        for roll in petition.rolls.indices {
            try db.execute(sql: "INSERT INTO count (petition, roll) VALUES (?, ?)", arguments: [number, roll])
        }
        _ = try StoredLog.create(db, origin: try origin(of: petition), key: noteKey, now: UTCTime.now.seconds)
    }

    private func origin(of petition: PetitionManifest) throws -> String {
        guard let index = petition.aggregators.firstIndex(where: { $0.url == url }) else {
            throw AggregatorError.notNamed(url: url.text)
        }
        return petition.logKey(aggregator: index).name
    }

    /// Every petition that is collected here, oldest first.
    public func petitions() throws -> [CollectedPetition] {
        try database.read { try String.fetchAll($0, sql: "SELECT id FROM petition ORDER BY number") }.compactMap {
            try petition($0)
        }
    }

    /// Where this aggregator publishes a petition.
    func address(of petition: CollectedPetition) -> ServiceURL {
        guard let address = url.appending("petitions", petition.manifest.id.hex) else {
            preconditionFailure("a checked url and an id make a url")
        }
        return address
    }

    /// The petition with this id (64 hexadecimal digits), nil when it is not collected here. Another program may have
    /// added it while this one runs; once added it does not change.
    func petition(_ id: String) throws -> CollectedPetition? {
        if let petition = known.withLock({ $0[id] }) { return petition }
        guard PetitionID(hex: id) != nil, let petition = try database.read({ try CollectedPetition($0, id: id) }) else {
            return nil
        }
        known.withLock { $0[id] = petition }
        return petition
    }
}

/// A petition as the database has it.
public struct CollectedPetition: Sendable {
    let number: Int64
    /// What is petitioned.
    public let manifest: PetitionManifest
    package let log: StoredLog

    init?(_ db: Database, id: String) throws {
        guard let row = try Row.fetchOne(db, sql: "SELECT number, note FROM petition WHERE id = ?", arguments: [id])
        else {
            return nil
        }
        guard let url = try String.fetchOne(db, sql: "SELECT url FROM aggregator WHERE id = 1"),
            let manifest = try? PetitionManifest(parsing: [UInt8](row["note"] as Data)),
            let index = manifest.aggregators.firstIndex(where: { $0.url.text == url }),
            let log = try StoredLog.find(db, origin: manifest.logKey(aggregator: index).name)
        else { throw StorageError.damaged("petition \(id) is incomplete") }
        number = row["number"]
        self.manifest = manifest
        self.log = log
    }

    /// What is known of a tag.
    func tagState(_ db: Database, _ tag: GroupElement) throws -> TagState? {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT signedAt, roll, withdrawnAt FROM tag WHERE petition = ? AND tag = ?"),
            arguments: [number, Data(tag.encoding.array)])
        return try row.map { row in
            guard let state = TagState(row) else { throw StorageError.damaged("a tag is stored that cannot be") }
            return state
        }
    }

    /// Keeps what is known of the tags of records that entered, and counts them.
    func keep(_ db: Database, _ records: [AdmittedRecord]) throws {
        try keep(db, records.map { (tag: $0.record.tag.encoding.array, state: $0.tagState) })
    }

    /// The same for tags (32 bytes each) that somebody else vouches for.
    package func keep(_ db: Database, _ tags: [(tag: [UInt8], state: TagState)]) throws {
        let insert = try db.cachedStatement(sql: "INSERT INTO tag (petition, tag, signedAt, roll) VALUES (?, ?, ?, ?)")
        let withdraw = try db.cachedStatement(
            sql: "UPDATE tag SET withdrawnAt = ? WHERE petition = ? AND tag = ?")
        var changes: [UInt8: (signed: Int, withdrawn: Int)] = [:]
        for (tag, state) in tags {
            if let withdrawnAt = state.withdrawnAt {
                try withdraw.execute(arguments: [Int64(withdrawnAt), number, Data(tag)])
                changes[state.roll, default: (0, 0)].withdrawn += 1
            } else {
                try insert.execute(arguments: [number, Data(tag), Int64(state.signedAt), state.roll])
                changes[state.roll, default: (0, 0)].signed += 1
            }
        }
        for (roll, change) in changes {
            try db.execute(
                sql: """
                    UPDATE count SET signatures = signatures + ?, withdrawn = withdrawn + ?
                    WHERE petition = ? AND roll = ?
                    """,
                arguments: [change.signed - change.withdrawn, change.withdrawn, number, roll])
        }
    }

    /// Notes how far the count has come in the hour of `now`: entries that a later commit of that hour adds replace the
    /// note.
    func noteGrowth(_ db: Database, treeSize: UInt64, now: Int64) throws {
        let hour = GrowthPoint.resolution
        let until = (now / hour + 1) * hour
        // Notes of a clock that was wrong, and set back since, would stand before everything that comes now.
        try db.execute(sql: "DELETE FROM growth WHERE petition = ? AND until > ?", arguments: [number, until])
        try db.execute(
            sql: """
                INSERT OR REPLACE INTO growth (petition, until, treeSize, signatures) VALUES (
                    ?1, ?2, ?3, (SELECT SUM(signatures) FROM count WHERE petition = ?1))
                """,
            arguments: [number, until, Int64(treeSize)])
    }

    /// How the count grew, in the hours that are over at `now`.
    func history(_ db: Database, at now: Int64) throws -> GrowthHistory {
        let rows = try Row.fetchAll(
            db,
            sql: "SELECT until, treeSize, signatures FROM growth WHERE petition = ? AND until <= ? ORDER BY until",
            arguments: [number, now])
        return GrowthHistory(rows.map { GrowthPoint($0) })
    }

    /// The newest point of that history; nil when it is empty.
    func newestGrowth(_ db: Database, at now: Int64) throws -> GrowthPoint? {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT until, treeSize, signatures FROM growth WHERE petition = ? AND until <= ?
                ORDER BY until DESC LIMIT 1
                """,
            arguments: [number, now])
        return row.map { GrowthPoint($0) }
    }

    /// The tally of this log, and the head that it belongs to.
    func tally(_ db: Database) throws -> (published: PublishedTally, head: StoredLog.Head) {
        let rows = try Row.fetchAll(
            db, sql: "SELECT signatures, withdrawn FROM count WHERE petition = ? ORDER BY roll", arguments: [number])
        let tally = Tally(perRoll: rows.map { Tally.Count(signatures: $0["signatures"], withdrawn: $0["withdrawn"]) })
        let labels = try manifest.rolls.map { roll in
            if let label = roll.label { return label }
            guard let descriptor = try RollDescriptor.followed(db, roll.id) else {
                throw StorageError.damaged("the roll \(roll.url.bare) is not there")
            }
            return descriptor.name
        }
        let head = try log.head(db)
        let published = PublishedTally(
            manifest, tally: tally, labels: labels, treeSize: head.checkpoint.size, rootHash: head.checkpoint.root)
        return (published, head)
    }
}

extension GrowthPoint {
    fileprivate init(_ row: Row) {
        self.init(until: row["until"], treeSize: row["treeSize"], signatures: row["signatures"])
    }
}

extension TagState {
    /// What a row says, nil when no log can have that.
    init?(_ row: Row) {
        guard let signedAt = UInt64(exactly: row["signedAt"] as Int64), let roll = UInt8(exactly: row["roll"] as Int64)
        else { return nil }
        let withdrawnAt = row["withdrawnAt"] as Int64?
        guard withdrawnAt ?? 0 >= 0 else { return nil }
        self.init(signedAt: signedAt, roll: roll, withdrawnAt: withdrawnAt.map { UInt64($0) })
    }
}

extension Aggregator {
    /// The tally of every petition, oldest first.
    public func status() throws -> [PublishedTally] {
        let petitions = try petitions()
        return try database.read { db in try petitions.map { try $0.tally(db).published } }
    }

    /// The key of a petition's log as a witness's operator asks for it.
    public func vkey(of id: PetitionID) throws -> String {
        guard let petition = try petition(id.hex) else { throw AggregatorError.noSuchPetition }
        return VerifierKey(name: petition.log.origin, publicKey: publicKey).vkey
    }
}
