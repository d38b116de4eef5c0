import Documents
import LogStorage
import MailDelivery
import Storage

/// How mail is sent, and whether.
extension Outbox {
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
            return MailSettings(
                from: from, bounces: bounces, route: .program(program), browserSigner: row["browserSigner"])
        }
        guard let server = (row["server"] as String?).flatMap({ MailServer($0) }) else {
            throw StorageError.damaged("the mail server")
        }
        return MailSettings(
            from: from, bounces: bounces,
            route: .server(
                server, user: row["account"], passwordFile: row["passwordFile"], authorities: row["authorities"]),
            browserSigner: row["browserSigner"])
    }

    /// Changes how mail is sent, from the next mail on.
    public func set(_ settings: MailSettings) throws {
        var values: [(any Storable)?] = [settings.from.text, settings.bounces?.text]
        switch settings.route {
        case .server(let server, let user, let file, let authorities):
            values += [server.description, user, file, authorities, nil]
        case .program(let path): values += [nil, nil, nil, nil, path]
        }
        values.append(settings.browserSigner)
        try database.write { db in
            try db.execute(
                sql: """
                    INSERT INTO settings
                        (id, sender, bounces, server, account, passwordFile, authorities, program, browserSigner)
                    VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
                        sender = excluded.sender, bounces = excluded.bounces, server = excluded.server,
                        account = excluded.account, passwordFile = excluded.passwordFile,
                        authorities = excluded.authorities, program = excluded.program,
                        browserSigner = excluded.browserSigner
                    """, arguments: values)
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
                    WHERE pause IS NULL OR isOperators <= ?
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
}
