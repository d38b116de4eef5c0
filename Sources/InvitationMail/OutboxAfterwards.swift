import Bytes
import Documents
import Foundation
import LogStorage
import MailDelivery
import Sodium
import Storage

/// What is known of mails, what comes back, sending again, and forgetting.
extension Outbox {
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
        guard mail.day >= MailKeys.day(of: clock.now) - MailKeys.days, let key = try keys.key(mail.day) else {
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
                arguments: [time, Self.short(text), Data(token.bytes)]) > 0
        }
    }

    /// Marks that the recipient of a mail wants no more, or does: for all rolls, also after they are forgotten. What
    /// waits for this address is not sent. False if there is no such mail.
    public func mark(stopped isStopped: Bool, _ token: MailToken) throws -> Bool {
        try database.write { db in
            guard let objection = try Self.objection(token, db) else { return false }
            if isStopped {
                try db.execute(
                    sql: "INSERT INTO objection (hash) VALUES (?) ON CONFLICT DO NOTHING", arguments: [objection])
            } else {
                try db.execute(sql: "DELETE FROM objection WHERE hash = ?", arguments: [objection])
            }
            for row in try Row.fetchAll(db, sql: "SELECT token, address FROM mail") {
                guard let address = try? MailAddress(row["address"] as String),
                    try Self.objection(address, db) == objection
                else { continue }
                let token = row["token"] as Data
                try db.execute(sql: "UPDATE mail SET isStopped = ? WHERE token = ?", arguments: [isStopped, token])
                guard isStopped else { continue }
                try db.execute(
                    sql: "UPDATE mail SET state = ?, answer = ? WHERE token = ? AND state = ?",
                    arguments: [State.withdrawn.rawValue, Self.unwanted, token, State.waiting.rawValue])
            }
            try Self.retire(db)
            return true
        }
    }

    /// What the recipient of a mail is remembered by, who wants no more; nil if the mail is not known.
    private static func objection(_ token: MailToken, _ db: Transaction) throws -> Data? {
        let bytes = Data(token.bytes)
        if let text = try String.fetchOne(db, sql: "SELECT address FROM mail WHERE token = ?", arguments: [bytes]),
            let address = try? MailAddress(text)
        {
            return try objection(address, db)
        }
        return try Data.fetchOne(db, sql: "SELECT objection FROM stop WHERE token = ?", arguments: [bytes])
    }

    /// What is said of a mail that is not sent, since its recipient wants none.
    public static let unwanted = "no more mail is wanted"

    /// Whether the owner of an address wants no more mail.
    public func isObjecting(_ address: MailAddress) throws -> Bool {
        try database.read { try Self.isObjecting(address, $0) }
    }

    static func isObjecting(_ address: MailAddress, _ db: Transaction) throws -> Bool {
        try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM objection WHERE hash = ?)",
            arguments: [try Self.objection(address, db)]) ?? false
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
    static func objection(_ address: MailAddress, _ db: Transaction) throws -> Data {
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
                    SELECT state, COUNT(*) AS number, COUNT(bouncedAt) AS bounced,
                        CAST(SUM(isStopped) AS BIGINT) AS stopped, MIN(due) AS due, MIN(since) AS since
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
            for table in ["mail", "request", "openCode", "stop"] {
                try db.execute(sql: "DELETE FROM \(table) WHERE roll = ?", arguments: [roll])
            }
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
}
