import Bytes
import Documents
import Foundation
import InvitationMail
import LogStorage
import LogWitnessing
import Petitions
import Platform
import Ristretto255
import Sodium
import Storage
import TransparencyLog
import VOPRF

/// Why the coordinator could not do what its operator asked. Refusals of requests from outside are ``Rule``s.
public enum CoordinatorError: Error, Equatable, Sendable {
    /// The folder already contains a coordinator.
    case alreadyInitialised(folder: String)
    /// The folder does not contain a coordinator.
    case notInitialised(folder: String)
    /// The folder has the note key, but no database.
    case databaseLost(path: String)
    /// There is no roll with this slug.
    case noSuchRoll(slug: String)
    /// There is already a roll with this slug.
    case rollExists(slug: String)
    /// The text is not a slug: `[a-z0-9._-]+`, but not an id.
    case badSlug(String)
    /// No code that could be voided has this label, or several do.
    case labelNotUnique(label: String, matches: Int)
    /// So many codes are unused now, and another number was agreed to.
    case unusedChanged(from: Int, to: Int)
    /// Somebody in this line of a list has a code of this roll already, which `value` tells.
    case invitedBefore(line: Int, value: String)
    /// The people in these lines asked for no more mail.
    case wantNoMail(lines: [Int])
    /// Somebody has a code at this address already.
    case addressTaken(address: String)
    /// The names of roll and coordinator do not fit into this text.
    case noMailOfThis
    /// The person with this label was not invited by mail, so that an address is needed.
    case noAddress(label: String)
    /// Nobody knows any more who was invited to this roll, so nobody else can be.
    case forgotten(roll: String)
    /// Fewer codes were issued in this round, or fewer members are waiting, than the smallest ring needs.
    case tooFew(have: UInt64, need: UInt64)
    /// The roll is not in the required phase.
    case wrongPhase(isJoining: Bool)
    /// The joining phase has not lasted its minimum time, and not everyone who enrolled has joined.
    case joiningTakesTime(until: UTCTime, joined: UInt64, issued: UInt64)
    /// The joining phase has lasted its minimum time, but no quorum of the roll's witnesses has seen yet that it has.
    case windowNotWitnessed
    /// The roll has no sealed ring, which a petition needs.
    case nothingSealed(roll: String)
    /// A roll that the petition refers to breaks a rule.
    case rollAtFault(log: String, LogFault)
    /// People get onto this roll by e-mail, so that nobody is invited to it by a list.
    case admitsByMail(roll: String)
    /// People are invited to this roll by a list, so that nobody can ask for an invitation.
    case admitsByList(roll: String)
    /// Invitations to this roll can still be asked for: whoever asked again would get a second place.
    case stillAsking(roll: String)
    /// Rolls whose people are admitted in different ways have this label in common.
    case labelOfTwoAdmissions(String)
    /// Two rolls of the petition share something that they must not.
    case rollsShare(Rule, roll: String, other: String)
    /// Another roll has already been announced under this link.
    case linkTaken(link: String)
    /// A document could not be created.
    case document(DocumentError)
}

/// A coordinator in its folder: one database, its note key, and one enrolment key for each roll.
///
/// Every function is one transaction. State is read inside it and never kept in memory, so that a command may change
/// the rolls while the server runs.
public final class Coordinator: Sendable {
    let database: any Storage
    private let memory: PublishedCheckpoints
    /// The steps of open rolls' logs that were confirmed last, by these logs.
    private let confirmedSteps = Mutex<[String: Checkpoint]>([:])
    let noteKey: Ed25519SecretKey
    let folder: String
    let clock: WallClock
    /// The enrolment key of each roll, read when it is first needed.
    let keys: EnrolmentKeys
    /// The mails, once they are needed.
    let openOutbox = Mutex<Outbox?>(nil)
    /// The coordinator's name, as shown to people.
    public let name: String
    /// `C`, the coordinator's base url.
    public let url: ServiceURL

    static let enrolmentKeyInfo = Array("roundrobin-v1 enrolment key".utf8)

    private static func noteKeyPath(_ folder: String) -> String { folder + "/note.key" }
    static func openKeyPath(_ folder: String, slug: String) -> String { "\(folder)/mailbox-\(slug).key" }
    static func enrolmentKeyPath(_ folder: String, slug: String) -> String { "\(folder)/enrolment-\(slug).key" }

    /// Creates a coordinator in `folder`: its note key, its database and the announcements log.
    public static func initialise(
        folder: String, name: String, url: ServiceURL, database location: DatabaseLocation = .file,
        clock: WallClock = .system
    ) throws -> Coordinator {
        guard try !kept.isMade(in: folder) else { throw CoordinatorError.alreadyInitialised(folder: folder) }
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try kept.make(in: folder, at: location) { database in
            try database.write { db in
                guard try String.fetchOne(db, sql: "SELECT url FROM coordinator") == nil else {
                    throw StorageError.occupied(place: location.text)
                }
                let noteKey = Ed25519SecretKey(seed: try KeyFile.create(at: noteKeyPath(folder)))
                try db.execute(
                    sql: "INSERT INTO coordinator (id, name, url, key) VALUES (1, ?, ?, ?)",
                    arguments: [name, url.text, Data(noteKey.publicKey.bytes.array)])
                let key = Announcement.logKey(coordinator: url, key: noteKey.publicKey)
                _ = try StoredLog.create(db, origin: key.name, key: noteKey, now: clock.now.seconds)
            }
        }
        return try Coordinator(folder: folder, clock: clock)
    }

    /// Opens the coordinator in `folder`.
    public init(folder: String, clock: WallClock = .system) throws {
        guard try Self.kept.isMade(in: folder) else {
            if FileManager.default.fileExists(atPath: Self.noteKeyPath(folder)) {
                throw CoordinatorError.databaseLost(path: try Self.kept.place(in: folder))
            }
            throw CoordinatorError.notInitialised(folder: folder)
        }
        let database = try Self.kept.open(in: folder)
        let row = try database.read { try Row.fetchOne($0, sql: "SELECT name, url, key FROM coordinator WHERE id = 1") }
        guard let row, let url = ServiceURL(row["url"] as String) else {
            throw CoordinatorError.notInitialised(folder: folder)
        }
        name = row["name"]
        self.url = url
        self.folder = folder
        self.clock = clock
        keys = EnrolmentKeys(folder: folder)
        self.database = database
        noteKey = try KeyFile.key(at: Self.noteKeyPath(folder), of: row["key"])
        memory = PublishedCheckpoints(folder: folder + "/published")
        try check()
        try remember(try database.read { db in try StoredLog.all(db).map { try $0.head(db) } })
    }

    /// Checks that the database continues everything that was published. Throws a ``StorageError``.
    public func check() throws {
        try memory.check(key: publicKey, in: database)
    }

    /// Changes the state in one transaction, in a database that continues what was published. When this returns, every
    /// checkpoint signed in it is recorded outside the database, and everything is wherever it must be: also what moves
    /// no log, such as a member's key, is acknowledged.
    func write<T>(_ body: (Transaction) throws -> T) throws -> T {
        let (result, heads) = try database.writeConfirmed { db in
            try memory.check(db, key: publicKey)
            return (try body(db), try StoredLog.all(db).map { try $0.head(db) })
        }
        do { try remember(heads) } catch let error as StorageError {
            // It is done, so that nothing may be answered, or undone, as if it were not.
            if error.isOfAnotherLog { throw error }
            if case .notRemembered = error { throw error }
            throw StorageError.unconfirmed(error.explanation)
        }
        return result
    }

    /// How many entries of a log were published.
    func publishedSize(of log: StoredLog) throws -> UInt64 { try memory.size(of: log.origin, key: publicKey) }

    /// Checks that a database continues what was published, in a transaction that is about to rely on it.
    func check(_ db: Transaction) throws { try memory.check(db, key: publicKey) }

    /// Records checkpoints that are not recorded yet. Must be called before they are published.
    func remember(_ heads: [StoredLog.Head]) throws {
        for head in heads { try memory.remember(head, key: publicKey, in: database) }
    }

    /// What of a roll's enrolment log may be shown (``RollStore/publishedEnrolment(_:)``), confirmed.
    func publishedEnrolment(of roll: RollStore) throws -> StoredLog.Head {
        let head = try database.read { try roll.publishedEnrolment($0) }
        let checkpoint = head.checkpoint
        // Steps are behind the log, so that the record of what was published does not tell whether they were confirmed.
        if confirmedSteps.withLock({ $0[checkpoint.origin] }) != checkpoint {
            try remember([head])
            confirmedSteps.withLock { $0[checkpoint.origin] = checkpoint }
        }
        return head
    }

    /// The key that signs every document and log of this coordinator.
    public var publicKey: Ed25519PublicKey { noteKey.publicKey }

    /// The database of a coordinator.
    private static var kept: ServerDatabase {
        let tables = Migration("coordinator") { db in
            try db.execute(
                script: """
                    CREATE TABLE coordinator (
                        id INTEGER PRIMARY KEY, name TEXT NOT NULL, url TEXT NOT NULL, key BLOB NOT NULL
                    ) STRICT;
                    CREATE TABLE roll (
                        id INTEGER PRIMARY KEY,
                        rollId TEXT NOT NULL UNIQUE,
                        slug TEXT NOT NULL UNIQUE,
                        note BLOB NOT NULL,
                        round INTEGER NOT NULL DEFAULT 0,
                        isJoining INTEGER NOT NULL DEFAULT 0,
                        opened INTEGER NOT NULL DEFAULT 0,
                        issuedInRound INTEGER NOT NULL DEFAULT 0,
                        invited INTEGER NOT NULL DEFAULT 0,
                        issued INTEGER NOT NULL DEFAULT 0,
                        voided INTEGER NOT NULL DEFAULT 0,
                        announcedAt INTEGER NOT NULL,
                        -- 1 once the labels were deleted.
                        isForgotten INTEGER NOT NULL DEFAULT 0,
                        -- When its phases follow each other by themselves; nulls for never.
                        crowd INTEGER, atLeast INTEGER, atMost INTEGER,
                        -- Of this round: when its first code was issued, how often joining was prolonged, and
                        -- whether a ring was sealed.
                        firstIssuedAt INTEGER,
                        prolonged INTEGER NOT NULL DEFAULT 0,
                        prolongedAt INTEGER,
                        sealedInRound INTEGER NOT NULL DEFAULT 0,
                        -- In an open roll, what of the enrolment log is published; nulls in others.
                        stepSlot INTEGER, stepNote BLOB, stepSize INTEGER, stepRoot BLOB, stepSignedAt INTEGER,
                        stepIssued INTEGER,
                        -- In an open roll, whether invitations can be asked for; null in others.
                        asking INTEGER,
                        -- Under a policy: a checkpoint of the announcements log over the announcement, with the
                        -- lines of a quorum. Got once, and kept.
                        witnessedNote BLOB
                    ) STRICT;
                    CREATE TABLE code (
                        roll INTEGER NOT NULL REFERENCES roll(id),
                        hash BLOB NOT NULL,
                        label TEXT NOT NULL,
                        state INTEGER NOT NULL,
                        answer BLOB,
                        PRIMARY KEY (roll, hash)
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX codeByLabel ON code (roll, label);
                    -- In open rolls, mailboxes whose invitations were used, under the roll's key. Which code
                    -- that was is not kept.
                    CREATE TABLE usedMailbox (
                        roll INTEGER NOT NULL REFERENCES roll(id),
                        mark BLOB NOT NULL,
                        PRIMARY KEY (roll, mark)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE member (
                        roll INTEGER NOT NULL REFERENCES roll(id),
                        key BLOB NOT NULL,
                        ring INTEGER,
                        PRIMARY KEY (roll, key)
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX pendingMember ON member (roll) WHERE ring IS NULL;
                    CREATE TABLE petition (
                        number INTEGER PRIMARY KEY,
                        id TEXT NOT NULL UNIQUE,
                        note BLOB NOT NULL,
                        announcedAt INTEGER NOT NULL,
                        -- As above.
                        witnessedNote BLOB
                    ) STRICT;
                    """)
            try RollStore.createWitnessTables(db)
            try db.execute(
                script: """
                    -- The last look at the clocks by `rounds step`, and which start of the machine that was in.
                    CREATE TABLE clockWatch (
                        start TEXT NOT NULL, wall INTEGER NOT NULL, steady INTEGER NOT NULL, since INTEGER NOT NULL
                    ) STRICT
                    """)
        }
        return ServerDatabase(
            "coordinator", erasesDeleted: true, [StoredLog.tables, WitnessAddresses.tables, tables])
    }

    /// The announcements log.
    func announcements(_ db: Transaction) throws -> StoredLog {
        let origin = Announcement.logKey(coordinator: url, key: publicKey).name
        guard let log = try StoredLog.find(db, origin: origin) else {
            throw StorageError.damaged("there is no announcements log")
        }
        return log
    }
}
