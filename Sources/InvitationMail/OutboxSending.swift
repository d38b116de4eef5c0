import Documents
import Foundation
import LogStorage
import MailDelivery
import PageParts
import Platform
import Storage

/// What is due, and what became of it.
extension Outbox {
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

    /// The mail itself, as it is sent each time, and its code, if it has one. Nil if its key was deleted, or if a code
    /// that somebody asked for was used: then the code is gone. `openKey` gives the key of an open roll.
    public func message(
        _ mail: Mail, settings: MailSettings, link: RollLink, roll: String, coordinator: String, stop: ServiceURL,
        openKey: () throws -> OpenRollKey
    ) throws -> (MailMessage, InvitationCode?)? {
        guard let key = try keys.key(mail.day) else { return nil }
        let code: InvitationCode?
        switch mail.kind {
        case .listed:
            let drawn = MailKeys.code(mail.token, key: key)
            // The key was deleted, and another made for the same day.
            code = drawn.hash == mail.codeHash ? drawn : nil
        case .asked: code = try openCode(mail.codeHash, key: try openKey())
        case .used: code = nil
        }
        guard code != nil || mail.kind == .used else { return nil }
        let letter = try letter(of: mail)
        let filled = letter.filled(
            link: link, code: code, roll: roll, coordinator: coordinator, stop: stop,
            browserSigner: settings.browserSigner)
        let message = try MailMessage(
            from: settings.from, to: mail.address, subject: filled.subject, text: filled.text, date: mail.written,
            id: MailKeys.messageID(mail.token, written: mail.written, key: key), language: letter.language.rawValue,
            unsubscribe: stop)
        return (message, code)
    }

    /// The template that a mail was written with.
    public func letter(of mail: Mail) throws -> LetterTemplate {
        if let known = letters.withLock({ $0[mail.letter] }) { return known }
        let letter = try storedLetter(mail.letter, mail.kind)
        letters.withLock { $0[mail.letter] = letter }
        return letter
    }

    func storedLetter(_ id: Int64, _ kind: LetterTemplate.Kind) throws -> LetterTemplate {
        let row = try database.read { db in
            try Row.fetchOne(db, sql: "SELECT language, text FROM letter WHERE id = ?", arguments: [id])
        }
        guard let row, let language = Language(rawValue: row["language"]),
            let letter = try? LetterTemplate(Array((row["text"] as String).utf8), language: language, kind: kind)
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
            try Self.retire(db)
        }
    }

    /// Says why a mail is not sent any more: its code was used or voided, or no mail is wanted.
    public func withdraw(_ mail: Mail, _ reason: String) throws {
        let time = now
        try database.writeRepeatable { db in
            try Self.update(db, mail, .withdrawn, due: time, answer: reason)
            try Self.retire(db)
        }
    }

    /// Waits before the server is tried again, each time longer.
    public func setUnreachable(_ reason: String) throws {
        let time = now
        try database.writeRepeatable { db in
            try Self.setUnreachable(db, reason, now: time)
            try Self.retire(db)
        }
    }

    static func setUnreachable(_ db: Transaction, _ reason: String, now: Int64) throws {
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

    static func setReached(_ db: Transaction) throws {
        try db.execute(sql: "UPDATE queue SET failures = 0, reason = '' WHERE failures > 0")
    }

    static func postpone(_ db: Transaction, _ mail: Mail, now: Int64, answer: String) throws {
        // A clock that was ahead must not make it wait for years.
        let since = min(mail.since.seconds, now)
        try db.execute(
            sql: "UPDATE mail SET since = ? WHERE token = ?", arguments: [since, Data(mail.token.bytes)])
        let next = RetrySchedule.next(afterTries: mail.tries + 1, since: since, now: now)
        try update(db, mail, next == nil ? .failed : .waiting, due: next ?? now, answer: answer)
    }

    static func update(_ db: Transaction, _ mail: Mail, _ state: State, due: Int64, answer: String) throws {
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
}
