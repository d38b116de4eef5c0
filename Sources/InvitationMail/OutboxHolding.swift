import Bytes
import Documents
import Foundation
import LogStorage
import MailDelivery
import PageParts
import Storage

/// Mails are written before their codes are in the log, and released afterwards.
extension Outbox {
    /// Writes mails that are not sent before ``settle(_:)``, and returns the code of each. They are durable when this
    /// returns.
    public func hold(roll: String, _ addresses: [MailAddress], letter: LetterTemplate) throws -> [InvitationCode] {
        let day = MailKeys.day(of: clock.now)
        return try database.write { db in
            // Here, since keys are made and deleted in transactions only.
            let key = try keys.keyOrNew(day)
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

    /// Whether there are mails that wait for ``settle(_:)``.
    public func hasHeld() throws -> Bool {
        try database.read { db in
            try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM mail WHERE state = ?)", arguments: [State.held.rawValue])
                ?? false
        }
    }

    static func id(of letter: LetterTemplate, _ db: Transaction) throws -> Int64 {
        let arguments: [(any Storable)?] = [letter.language.rawValue, letter.text]
        try db.execute(
            sql: "INSERT INTO letter (language, text) VALUES (?, ?) ON CONFLICT DO NOTHING", arguments: arguments)
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
}
