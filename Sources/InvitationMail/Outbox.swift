import Bytes
import Documents
import Foundation
import LogStorage
import MailDelivery
import PageParts
import Platform
import Sodium
import Storage

/// The mails of a coordinator: a database of its own, `outbox.sqlite`, which is in no backup of the coordinator and in
/// which whatever is deleted is overwritten. It has addresses, and no codes.
public final class Outbox: Sendable {
    /// What became of a mail.
    public enum State: Int, Sendable {
        /// Its code is not in the log yet.
        case held = 0
        /// It is to be sent, now or later.
        case waiting = 1
        /// A server has taken it.
        case accepted = 2
        /// A server refused it for ever, or none took it in three days.
        case failed = 3
        /// It was not sent, since its code was used or voided before.
        case withdrawn = 4
    }

    /// One mail, as it is known without its code.
    public struct Mail: Sendable {
        /// What names it on the way.
        public let token: MailToken
        /// The roll.
        public let roll: String
        /// Whether somebody asked for it, and what it says.
        public let kind: LetterTemplate.Kind
        /// The hash of its code.
        public let codeHash: Bytes32
        /// Where it goes.
        public let address: MailAddress
        /// The day whose key gives its code, counted from 1970.
        let day: Int64
        let letter: Int64
        /// What became of it.
        public let state: State
        /// When it was written; the date that the mail has.
        public let written: UTCTime
        /// Since when it is tried; the three days count from here.
        let since: UTCTime
        /// How often it was tried.
        public let tries: Int
        /// When it is tried next, or was accepted.
        public let due: UTCTime
        /// The last answer of a server, or what happened instead; empty before.
        public let answer: String
        /// When a bounce came, and what it says.
        public let bounce: (time: UTCTime, text: String)?
        /// Whether its recipient wants no more.
        public let isStopped: Bool

        /// When it was accepted; before, when it was written.
        public var lastSent: UTCTime { state == .accepted ? due : written }
    }

    /// Why nothing is sent at the moment, and until when.
    public struct Standing: Equatable, Sendable {
        /// Why the queue is paused, in words; nil if it is not.
        public let pause: String?
        /// When it was paused.
        public let pausedAt: UTCTime
        /// Whether the operator did it.
        public let isOperators: Bool
        /// When an unreachable server is tried again.
        public let retryAt: UTCTime
        /// Why it is unreachable; empty if it is not.
        public let reason: String
    }

    /// How many mails are in each state.
    public struct Counts: Equatable, Sendable {
        /// Held, to be sent, accepted, failed and withdrawn.
        public var held = 0, waiting = 0, accepted = 0, failed = 0, withdrawn = 0
        /// How many of all came back.
        public var bounced = 0
        /// How many of all recipients want no more.
        public var stopped = 0
        /// When the next is due, and since when the oldest waits; nil if none waits.
        public var next: UTCTime?, oldest: UTCTime?
        /// How many there are.
        public var total: Int { held + waiting + accepted + failed + withdrawn }
    }

    /// The longest text that is kept of what others say, in bytes.
    static let longestAnswer = 240
    /// The longest wait before a server that is away is asked again, in seconds.
    static let longestWait: Int64 = 3600
    /// How often a server must have been away in a row, some eight hours, before mails fail for it.
    static let enoughFailures = 12

    let database: any Storage
    let keys: MailKeys
    let clock: WallClock
    /// Letters never change; there are as many as the organiser wrote.
    let letters = Mutex<[Int64: LetterTemplate]>([:])

    /// Opens the outbox in a coordinator's folder, which is made with the first mail or setting.
    public init(folder: String, clock: WallClock) throws {
        self.clock = clock
        keys = MailKeys(folder: folder + "/mail-keys")
        let tables = Migration("outbox") { db in
            try db.execute(script: Self.tables + Self.requestTables)
            for (domain, rate) in RequestLimits.large {
                try db.execute(
                    sql: "INSERT INTO domainRate (domain, perHour) VALUES (?, ?)", arguments: [domain, rate])
            }
            let key = Data(SystemRandomness.bytes(32))
            try db.execute(sql: "INSERT INTO objectionKey (id, key) VALUES (1, ?)", arguments: [key])
        }
        database = try SQLiteStorage(path: folder + "/outbox.sqlite", erasesDeleted: true, migrations: [tables])
        // Whoever uses the outbox, also if no server runs.
        try deleteOldKeys()
    }

    private static let tables = """
        CREATE TABLE settings (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            sender TEXT NOT NULL, bounces TEXT, server TEXT, account TEXT, passwordFile TEXT, authorities TEXT,
            program TEXT, browserSigner TEXT
        ) STRICT;
        CREATE TABLE queue (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            pause TEXT, pausedAt INTEGER NOT NULL DEFAULT 0, isOperators INTEGER NOT NULL DEFAULT 0,
            failures INTEGER NOT NULL DEFAULT 0, retryAt INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT ''
        ) STRICT;
        INSERT INTO queue (id) VALUES (1);
        CREATE TABLE letter (
            id INTEGER PRIMARY KEY, language TEXT NOT NULL, text TEXT NOT NULL, UNIQUE (language, text)
        ) STRICT;
        CREATE TABLE mail (
            token BLOB PRIMARY KEY,
            roll TEXT NOT NULL,
            kind INTEGER NOT NULL DEFAULT 0,
            codeHash BLOB NOT NULL,
            address TEXT NOT NULL,
            day INTEGER NOT NULL,
            letter INTEGER NOT NULL REFERENCES letter(id),
            state INTEGER NOT NULL,
            written INTEGER NOT NULL,
            since INTEGER NOT NULL,
            tries INTEGER NOT NULL DEFAULT 0,
            due INTEGER NOT NULL,
            answer TEXT NOT NULL DEFAULT '',
            bouncedAt INTEGER,
            bounce TEXT NOT NULL DEFAULT '',
            isStopped INTEGER NOT NULL DEFAULT 0
        ) STRICT, WITHOUT ROWID;
        -- Addresses whose owners want no more mail, under a key.
        CREATE TABLE objection (hash BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
        CREATE TABLE objectionKey (id INTEGER PRIMARY KEY CHECK (id = 1), key BLOB NOT NULL) STRICT;
        CREATE INDEX mailDue ON mail (state, due);
        CREATE INDEX mailOfRoll ON mail (roll);
        CREATE INDEX mailCode ON mail (codeHash);
        CREATE INDEX askedMail ON mail (state) WHERE kind != 0;
        """

    var now: Int64 { clock.now.seconds }

    static func mail(_ row: Row) throws -> Mail {
        guard let token = MailToken([UInt8](row["token"] as Data)), let hash = Bytes32(row["codeHash"] as Data),
            let address = try? MailAddress(row["address"] as String), let state = State(rawValue: row["state"]),
            let kind = LetterTemplate.Kind(rawValue: row["kind"])
        else { throw StorageError.damaged("a mail in the outbox") }
        return Mail(
            token: token, roll: row["roll"], kind: kind, codeHash: hash, address: address, day: row["day"],
            letter: row["letter"],
            state: state, written: UTCTime(seconds: row["written"]), since: UTCTime(seconds: row["since"]),
            tries: row["tries"], due: UTCTime(seconds: row["due"]), answer: row["answer"],
            bounce: (row["bouncedAt"] as Int64?).map { (UTCTime(seconds: $0), row["bounce"] as String) },
            isStopped: row["isStopped"])
    }

    /// What is kept for all mails together: an address in it would outlive its mail.
    static func nameless(_ text: String) -> String {
        short(text.split(separator: " ").map { $0.contains("@") ? "…" : String($0) }.joined(separator: " "))
    }

    static func short(_ text: String) -> String {
        SMTPReply.cut(text, to: longestAnswer)
    }
}
