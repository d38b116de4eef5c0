import Bytes
import Documents
import Foundation
import GRDB
import LogStorage
import MailDelivery
import PageParts
import Platform
import Sodium

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
    private static let longestAnswer = 240
    private static let longestWait: Int64 = 3600
    private static let enoughFailures = 12

    let database: ServerDatabase
    let keys: MailKeys
    private let clock: WallClock
    /// Letters never change; there are as many as the organiser wrote.
    private let letters = Mutex<[Int64: LetterTemplate]>([:])

    /// Opens the outbox in a coordinator's folder, which is made with the first mail or setting.
    public init(folder: String, clock: WallClock) throws {
        self.clock = clock
        keys = MailKeys(folder: folder + "/mail-keys")
        database = try ServerDatabase(path: folder + "/outbox.sqlite", hasLogs: false, erasesDeleted: true) {
            migrator in
            migrator.registerMigration("outbox") { db in
                try db.execute(sql: Self.tables)
                let key = Data(SystemRandomness.bytes(32))
                try db.execute(sql: "INSERT INTO objectionKey (id, key) VALUES (1, ?)", arguments: [key])
            }
        }
        // Whoever uses the outbox, also if no server runs.
        try deleteOldKeys()
    }

    private static let tables = """
        CREATE TABLE settings (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            sender TEXT NOT NULL, bounces TEXT, server TEXT, user TEXT, passwordFile TEXT, authorities TEXT,
            program TEXT
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
            codeHash BLOB NOT NULL UNIQUE,
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
        """

    private var now: Int64 { clock.now.seconds }

    // MARK: - Settings and pausing

    /// How mail is sent; nil before it was set up.
    public func settings() throws -> MailSettings? {
        guard let row = try database.read({ try Row.fetchOne($0, sql: "SELECT * FROM settings") }) else { return nil }
        guard let from = try? Mailbox(row["sender"] as String) else {
            throw StorageError.damaged("the sender of mails")
        }
        let bounces = try (row["bounces"] as String?).map { text in
            guard let address = try? MailAddress(text) else { throw StorageError.damaged("the address for bounces") }
            return address
        }
        if let program = row["program"] as String? {
            return MailSettings(from: from, bounces: bounces, route: .program(program))
        }
        guard let server = (row["server"] as String?).flatMap({ MailServer($0) }) else {
            throw StorageError.damaged("the mail server")
        }
        return MailSettings(
            from: from, bounces: bounces,
            route: .server(
                server, user: row["user"], passwordFile: row["passwordFile"], authorities: row["authorities"]))
    }

    /// Changes how mail is sent, from the next mail on.
    public func set(_ settings: MailSettings) throws {
        var values: [(any DatabaseValueConvertible)?] = [settings.from.text, settings.bounces?.text]
        switch settings.route {
        case .server(let server, let user, let file, let authorities):
            values += [server.description, user, file, authorities, nil]
        case .program(let path): values += [nil, nil, nil, nil, path]
        }
        try database.write { db in
            try db.execute(
                sql: """
                    INSERT OR REPLACE INTO settings
                        (id, sender, bounces, server, user, passwordFile, authorities, program)
                    VALUES (1, ?, ?, ?, ?, ?, ?, ?)
                    """, arguments: StatementArguments(values))
            // The next try need not wait for what another server did.
            try db.execute(sql: "UPDATE queue SET failures = 0, retryAt = 0, reason = ''")
        }
    }

    /// Why nothing is sent, if so.
    public func standing() throws -> Standing {
        guard let row = try database.read({ try Row.fetchOne($0, sql: "SELECT * FROM queue") }) else {
            throw StorageError.damaged("the queue")
        }
        return Standing(
            pause: row["pause"], pausedAt: UTCTime(seconds: row["pausedAt"]), isOperators: row["isOperators"],
            retryAt: UTCTime(seconds: row["retryAt"]), reason: row["reason"])
    }

    /// Sends nothing from now on. An operator's pause is not replaced by another.
    public func pause(_ reason: String, isOperators: Bool) throws {
        try database.write { db in
            try db.execute(
                sql: """
                    UPDATE queue SET pause = ?, pausedAt = ?, isOperators = ?
                    WHERE pause IS NULL OR ? OR NOT isOperators
                    """, arguments: [Self.nameless(reason), now, isOperators, isOperators])
        }
    }

    /// Sends again. Waiting mails have their three days from now, and are tried at once.
    public func resume() throws {
        try database.write { db in
            try db.execute(sql: "UPDATE queue SET pause = NULL, failures = 0, retryAt = 0, reason = ''")
            try db.execute(
                sql: "UPDATE mail SET since = ?, due = ? WHERE state = ?",
                arguments: [now, now, State.waiting.rawValue])
        }
    }

    // MARK: - Holding and releasing

    /// Writes mails that are not sent before ``settle(_:)``, and returns the code of each. They are durable when this
    /// returns.
    public func hold(roll: String, _ addresses: [MailAddress], letter: LetterTemplate) throws -> [InvitationCode] {
        let day = MailKeys.day(of: clock.now)
        return try database.write { db in
            // Here, since keys are deleted in transactions, too.
            guard let key = try keys.key(day, isMade: true) else { throw StorageError.damaged("the key of the day") }
            let letter = try Self.id(of: letter, db)
            return try addresses.map { address in
                let token = MailToken.random()
                let code = MailKeys.code(token, key: key)
                try db.execute(
                    sql: """
                        INSERT INTO mail (token, roll, codeHash, address, day, letter, state, written, since, due)
                        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        Data(token.bytes), roll, Data(code.hash.array), address.text, day, letter, State.held.rawValue,
                        now, now, now,
                    ])
                return code
            }
        }
    }

    private static func id(of letter: LetterTemplate, _ db: Database) throws -> Int64 {
        let arguments: StatementArguments = [letter.language.rawValue, letter.text]
        try db.execute(sql: "INSERT OR IGNORE INTO letter (language, text) VALUES (?, ?)", arguments: arguments)
        let id = try Int64.fetchOne(
            db, sql: "SELECT id FROM letter WHERE language = ? AND text = ?", arguments: arguments)
        guard let id else { throw StorageError.damaged("a letter") }
        return id
    }

    /// Releases the held mails whose codes are in the log, and deletes the others. Nobody may be inviting meanwhile:
    /// the caller holds the coordinator's database. Returns how many are released.
    public func settle(_ isInvited: (_ roll: String, _ code: Bytes32) throws -> Bool) throws -> Int {
        let held = try database.read { db in
            try Row.fetchAll(
                db, sql: "SELECT roll, codeHash FROM mail WHERE state = ?", arguments: [State.held.rawValue]
            ).map { (roll: $0["roll"] as String, bytes: $0["codeHash"] as Data) }
        }
        guard !held.isEmpty else { return 0 }
        let (due, waiting) = (now, State.waiting.rawValue)
        return try database.write { db in
            var released = 0
            for (roll, bytes) in held {
                guard let hash = Bytes32(bytes) else { throw StorageError.damaged("the hash of a mail's code") }
                if try isInvited(roll, hash) {
                    try db.execute(
                        sql: "UPDATE mail SET state = ?, since = ?, due = ? WHERE codeHash = ?",
                        arguments: [waiting, due, due, bytes])
                    released += 1
                } else {
                    try db.execute(sql: "DELETE FROM mail WHERE codeHash = ?", arguments: [bytes])
                }
            }
            return released
        }
    }

    // MARK: - Sending

    /// The next mails to send, the longest due first. One that is due later than any wait lasts is due now: a clock was
    /// wrong.
    public func due(limit: Int) throws -> [Mail] {
        let time = now
        return try database.read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM mail WHERE state = ? AND (due <= ? OR due > ?) ORDER BY due LIMIT ?",
                arguments: [State.waiting.rawValue, time, time + RetrySchedule.longestWait, limit]
            ).map(Self.mail)
        }
    }

    /// When an unreachable server is tried again; nil if it may be now.
    public func retryTime(_ standing: Standing) -> UTCTime? {
        let wait = standing.retryAt.seconds - now
        return (1...Self.longestWait).contains(wait) ? standing.retryAt : nil
    }

    /// The mail itself, as it is sent each time, and its code. Nil if its key was deleted: then the code is gone.
    public func message(
        _ mail: Mail, settings: MailSettings, link: RollLink, roll: String, coordinator: String, stop: ServiceURL
    ) throws -> (MailMessage, InvitationCode)? {
        guard let key = try? keys.key(mail.day) else { return nil }
        let code = MailKeys.code(mail.token, key: key)
        // The key was deleted, and another made for the same day.
        guard code.hash == mail.codeHash else { return nil }
        let letter = try letter(of: mail)
        let filled = letter.filled(
            invitation: InvitationLink(roll: link, code: code), roll: roll, coordinator: coordinator, stop: stop)
        let message = try MailMessage(
            from: settings.from, to: mail.address, subject: filled.subject, text: filled.text, date: mail.written,
            id: MailKeys.messageID(mail.token, written: mail.written, key: key), language: letter.language.rawValue,
            unsubscribe: stop)
        return (message, code)
    }

    /// The template that a mail was written with.
    public func letter(of mail: Mail) throws -> LetterTemplate {
        if let known = letters.withLock({ $0[mail.letter] }) { return known }
        let letter = try storedLetter(mail.letter)
        letters.withLock { $0[mail.letter] = letter }
        return letter
    }

    private func storedLetter(_ id: Int64) throws -> LetterTemplate {
        let row = try database.read { db in
            try Row.fetchOne(db, sql: "SELECT language, text FROM letter WHERE id = ?", arguments: [id])
        }
        guard let row, let language = Language(rawValue: row["language"]),
            let letter = try? LetterTemplate(Array((row["text"] as String).utf8), language: language)
        else { throw StorageError.damaged("the text of a mail") }
        return letter
    }

    /// Keeps what became of a try. If the machine loses power at once, it may be forgotten, and the mail is sent again.
    public func record(_ mail: Mail, _ delivery: Delivery) throws {
        let time = now
        try database.writeRepeatable { db in
            switch delivery {
            case .accepted(let reply):
                try Self.update(db, mail, .accepted, due: time, answer: reply.description)
                try Self.setReached(db)
            case .refused(let reply):
                try Self.update(db, mail, .failed, due: time, answer: reply.description)
                try Self.setReached(db)
            case .later(let reply):
                if reply.code != 421 { try Self.setReached(db) }
                try Self.postpone(db, mail, now: time, answer: reply.description)
            case .unknown(let reason): try Self.postpone(db, mail, now: time, answer: reason)
            case .unreachable(let reason): try Self.setUnreachable(db, reason, now: time)
            case .halted, .stopped: break
            }
        }
    }

    /// Says that a mail was not sent, since its code was used or voided.
    public func withdraw(_ mail: Mail, _ reason: String) throws {
        let time = now
        try database.writeRepeatable { try Self.update($0, mail, .withdrawn, due: time, answer: reason) }
    }

    /// Waits before the server is tried again, each time longer.
    public func setUnreachable(_ reason: String) throws {
        let time = now
        try database.writeRepeatable { try Self.setUnreachable($0, reason, now: time) }
    }

    private static func setUnreachable(_ db: Database, _ reason: String, now: Int64) throws {
        let failures = (try Int.fetchOne(db, sql: "SELECT failures FROM queue") ?? 0) + 1
        let next = RetrySchedule.next(afterTries: failures, since: now, now: now) ?? now
        try db.execute(
            sql: "UPDATE queue SET failures = ?, retryAt = ?, reason = ?",
            arguments: [failures, min(next, now + longestWait), nameless(reason)])
        // A server that is away costs no mail a try; but nobody waits for ever. That it was tried more than once keeps
        // mails from failing that waited while this machine was off.
        guard failures >= enoughFailures else { return }
        try db.execute(
            sql: "UPDATE mail SET state = ?, due = ?, answer = ? WHERE state = ? AND since < ?",
            arguments: [
                State.failed.rawValue, now, nameless(reason), State.waiting.rawValue, now - RetrySchedule.longest,
            ])
    }

    private static func setReached(_ db: Database) throws {
        try db.execute(sql: "UPDATE queue SET failures = 0, reason = '' WHERE failures > 0")
    }

    private static func postpone(_ db: Database, _ mail: Mail, now: Int64, answer: String) throws {
        // A clock that was ahead must not make it wait for years.
        let since = min(mail.since.seconds, now)
        try db.execute(
            sql: "UPDATE mail SET since = ? WHERE token = ?", arguments: [since, Data(mail.token.bytes)])
        let next = RetrySchedule.next(afterTries: mail.tries + 1, since: since, now: now)
        try update(db, mail, next == nil ? .failed : .waiting, due: next ?? now, answer: answer)
    }

    private static func update(_ db: Database, _ mail: Mail, _ state: State, due: Int64, answer: String) throws {
        try db.execute(
            // Not if it was written anew meanwhile: the answer is to another mail.
            sql: """
                UPDATE mail SET state = ?, tries = tries + 1, due = ?, answer = ?
                WHERE token = ? AND state = ? AND written = ?
                """,
            arguments: [
                state.rawValue, due, short(answer), Data(mail.token.bytes), State.waiting.rawValue,
                mail.written.seconds,
            ])
    }

    // MARK: - Afterwards

    /// The mails of a roll, one for each code.
    public func mails(roll: String) throws -> [Mail] {
        try database.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM mail WHERE roll = ?", arguments: [roll]).map(Self.mail)
        }
    }

    /// The mail with this token; nil if there is none.
    public func mail(_ token: MailToken) throws -> Mail? {
        try database.read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM mail WHERE token = ?", arguments: [Data(token.bytes)])
                .map(Self.mail)
        }
    }

    /// Whether the code of a mail can still be sent again.
    public func isRepeatable(_ mail: Mail) throws -> Bool {
        guard mail.day >= MailKeys.day(of: clock.now) - MailKeys.days, let key = try? keys.key(mail.day) else {
            return false
        }
        return MailKeys.code(mail.token, key: key).hash == mail.codeHash
    }

    /// Lets mails be sent once more, with the same codes and these texts, as new mails: a server drops what it has
    /// seen. That the last one came back says nothing of the next.
    public func repeatMails(_ mails: [(mail: Mail, letter: LetterTemplate)]) throws {
        let time = now
        try database.write { db in
            for (mail, letter) in mails {
                try db.execute(
                    sql: """
                        UPDATE mail SET state = ?, tries = 0, written = ?, since = ?, due = ?, letter = ?, answer = '',
                            bouncedAt = NULL, bounce = ''
                        WHERE token = ?
                        """,
                    arguments: [
                        State.waiting.rawValue, max(time, mail.written.seconds + 1), time, time,
                        try Self.id(of: letter, db),
                        Data(mail.token.bytes),
                    ])
            }
        }
    }

    /// Marks a mail as returned. The code stays valid: anybody can write a message that looks like a bounce.
    public func mark(bounce token: MailToken, text: String) throws -> Bool {
        let time = now
        return try database.write { db in
            try db.execute(
                sql: "UPDATE mail SET bouncedAt = ?, bounce = ? WHERE token = ?",
                arguments: [time, Self.short(text), Data(token.bytes)])
            return db.changesCount > 0
        }
    }

    /// Marks that the recipient of a mail wants no more, or does: for all rolls, also after they are forgotten. What
    /// waits for this address is not sent. False if there is no such mail.
    public func mark(stopped isStopped: Bool, _ token: MailToken) throws -> Bool {
        guard let address = try mail(token)?.address else { return false }
        try database.write { db in
            let objection = try Self.objection(address, db)
            if isStopped {
                try db.execute(sql: "INSERT OR IGNORE INTO objection (hash) VALUES (?)", arguments: [objection])
            } else {
                try db.execute(sql: "DELETE FROM objection WHERE hash = ?", arguments: [objection])
            }
            try db.execute(
                sql: "UPDATE mail SET isStopped = ? WHERE lower(address) = ?", arguments: [isStopped, address.folded])
            guard isStopped else { return }
            try db.execute(
                sql:
                    "UPDATE mail SET state = ?, answer = 'no more mail is wanted' WHERE lower(address) = ? AND state = ?",
                arguments: [State.withdrawn.rawValue, address.folded, State.waiting.rawValue])
        }
        return true
    }

    /// How many people want no more mail.
    public func objectionCount() throws -> Int {
        try database.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM objection") ?? 0 }
    }

    /// Those of `addresses` whose owners want no more mail.
    public func objecting(_ addresses: [MailAddress]) throws -> Set<MailAddress> {
        try database.read { db in
            let hashes = Set(try Data.fetchAll(db, sql: "SELECT hash FROM objection"))
            guard !hashes.isEmpty else { return [] }
            return Set(try addresses.filter { hashes.contains(try Self.objection($0, db)) })
        }
    }

    /// What an address is remembered by, whose owner wants no more mail: nothing to anybody without the key.
    private static func objection(_ address: MailAddress, _ db: Database) throws -> Data {
        guard let key = try Data.fetchOne(db, sql: "SELECT key FROM objectionKey") else {
            throw StorageError.damaged("the key of objections")
        }
        return MailKeys.objection(address, key: SecretBytes(copying: [UInt8](key)))
    }

    /// How many mails there are of a roll, or of all.
    public func counts(roll: String? = nil) throws -> Counts {
        let rows = try database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT state, COUNT(*) AS number, SUM(bouncedAt IS NOT NULL) AS bounced, SUM(isStopped) AS stopped,
                        MIN(due) AS due, MIN(since) AS since
                    FROM mail \(roll == nil ? "" : "WHERE roll = ?") GROUP BY state
                    """, arguments: roll.map { [$0] } ?? [])
        }
        var counts = Counts()
        for row in rows {
            let number = row["number"] as Int
            counts.bounced += row["bounced"] as Int
            counts.stopped += row["stopped"] as Int
            switch State(rawValue: row["state"]) {
            case .held: counts.held = number
            case .waiting:
                counts.waiting = number
                counts.next = UTCTime(seconds: row["due"])
                counts.oldest = UTCTime(seconds: row["since"])
            case .accepted: counts.accepted = number
            case .failed: counts.failed = number
            case .withdrawn: counts.withdrawn = number
            case nil: throw StorageError.damaged("a mail's state")
            }
        }
        return counts
    }

    /// Deletes the mails of a roll, the letters and keys that no other needs, and what the file still has of them.
    public func forget(roll: String) throws {
        try database.write { db in
            try db.execute(sql: "DELETE FROM mail WHERE roll = ?", arguments: [roll])
            try db.execute(sql: "DELETE FROM letter WHERE id NOT IN (SELECT letter FROM mail)")
            keys.deleteAll(but: Set(try Int64.fetchAll(db, sql: "SELECT DISTINCT day FROM mail")))
        }
        keys.finishErasing()
        try database.compact()
    }

    /// Deletes keys that are too old.
    public func deleteOldKeys() throws {
        keys.finishErasing()
        guard !keys.old(now: clock.now).isEmpty else { return }
        try database.write { db in
            let needed = try Int64.fetchAll(
                db, sql: "SELECT DISTINCT day FROM mail WHERE state IN (?, ?)",
                arguments: [State.held.rawValue, State.waiting.rawValue])
            keys.deleteOld(now: clock.now, needed: Set(needed))
        }
    }

    /// How many keys there are.
    public var keyCount: Int { keys.present().count }

    private static func mail(_ row: Row) throws -> Mail {
        guard let token = MailToken([UInt8](row["token"] as Data)), let hash = Bytes32(row["codeHash"] as Data),
            let address = try? MailAddress(row["address"] as String), let state = State(rawValue: row["state"])
        else { throw StorageError.damaged("a mail in the outbox") }
        return Mail(
            token: token, roll: row["roll"], codeHash: hash, address: address, day: row["day"], letter: row["letter"],
            state: state, written: UTCTime(seconds: row["written"]), since: UTCTime(seconds: row["since"]),
            tries: row["tries"], due: UTCTime(seconds: row["due"]), answer: row["answer"],
            bounce: (row["bouncedAt"] as Int64?).map { (UTCTime(seconds: $0), row["bounce"] as String) },
            isStopped: row["isStopped"])
    }

    /// What is kept for all mails together: an address in it would outlive its mail.
    private static func nameless(_ text: String) -> String {
        short(text.split(separator: " ").map { $0.contains("@") ? "…" : String($0) }.joined(separator: " "))
    }

    private static func short(_ text: String) -> String {
        SMTPReply.cut(text, to: longestAnswer)
    }
}
