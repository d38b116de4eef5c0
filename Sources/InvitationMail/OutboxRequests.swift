import Bytes
import Documents
import Foundation
import LogStorage
import MailDelivery
import PageParts
import Platform
import Sodium
import Storage

/// Invitations that somebody asks for with an address. Nothing here tells the asker whether the address is known.
extension Outbox {
    /// How many mails go out for requests. Whoever asks for others can annoy nobody, and use up no domain's share.
    public enum RequestLimits {
        /// The most mails to one mailbox in 30 days, over all rolls: after the first one, 10 minutes and 24 hours.
        public static let gaps: [Int64] = [600, 86_400]
        /// For how long a mail counts, in seconds.
        public static let period: Int64 = 30 * 86_400
        /// The most mails in an hour to a domain that has no other rate.
        public static let perDomain = 50
        /// The most mails in an hour in all, unless the operator says otherwise.
        public static let perHour = 300
        /// How long a request waits at most, in seconds. Whoever still wants an invitation asks again.
        public static let patience: Int64 = 2 * 86_400
        /// The most requests that wait: at domains that a roll lists, at others with a rate above the usual one, and at
        /// all others. And the most of one domain that no roll lists: those of two days at its rate, or so many.
        public static let waiting = 10_000, waitingOfDomain = 5000
        /// Domains where many people have their mailboxes: what they may have in an hour at the beginning.
        static let large: [String: Int] = Dictionary(
            uniqueKeysWithValues: [
                "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com",
                "gmx.de", "gmx.net", "web.de", "t-online.de", "orange.fr", "free.fr", "laposte.net", "proton.me",
                "protonmail.com", "mail.ru", "qq.com", "163.com", "aol.com",
            ].map { ($0, 150) })
    }

    static let requestTables = """
        -- What somebody asked for, until it is answered.
        CREATE TABLE request (
            id INTEGER PRIMARY KEY,
            roll TEXT NOT NULL,
            address TEXT NOT NULL,
            domain TEXT NOT NULL,
            -- 1 if the roll lists the domain.
            isListed INTEGER NOT NULL,
            -- Where it waits: with listed domains, with large ones, or with all others.
            room INTEGER NOT NULL,
            language TEXT NOT NULL,
            at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX requestByDomain ON request (domain, isListed, id);
        CREATE INDEX requestByRoom ON request (room);
        -- The codes of mailboxes that nobody has used: what gives them, under the roll's key.
        CREATE TABLE openCode (
            roll TEXT NOT NULL,
            mark BLOB NOT NULL,
            salt BLOB NOT NULL,
            codeHash BLOB NOT NULL UNIQUE,
            PRIMARY KEY (roll, mark)
        ) STRICT, WITHOUT ROWID;
        -- Mails of the last 30 days; mailbox and domain under a key that is replaced, the domain for an hour only.
        CREATE TABLE answered (
            number INTEGER PRIMARY KEY, at INTEGER NOT NULL, mailbox BLOB NOT NULL, domain BLOB
        ) STRICT;
        CREATE INDEX answeredMailbox ON answered (mailbox);
        CREATE INDEX answeredDomain ON answered (domain, at) WHERE domain IS NOT NULL;
        -- Stop links of mails whose addresses are deleted.
        CREATE TABLE stop (token BLOB PRIMARY KEY, roll TEXT NOT NULL, objection BLOB NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE domainRate (domain TEXT PRIMARY KEY, perHour INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        """

    /// Somebody who asks for an invitation.
    public struct Request: Sendable {
        let id: Int64
        /// The roll.
        public let roll: String
        /// Where the invitation goes.
        public let address: MailAddress
        let domain: String
        let isListed: Bool
        let language: Language
    }

    /// Takes a request; false if too many wait. It costs the same for every address, and takes a place of its own even
    /// if the mailbox has asked before: otherwise somebody could tell by the queue whether it has. What counts is the
    /// mailbox, so the mail goes there, and not to what somebody typed behind a `+`. `blur` is random, so that nobody
    /// finds out how many exactly it takes until no more are taken.
    public func ask(
        roll: String, _ typed: MailAddress, isListed: Bool, language: Language, blur: UInt8
    ) throws -> Bool {
        let address = typed.withoutDetail
        return try database.write { db in
            let room = isListed ? RequestRoom.listed : try self.room(of: address.domain, db)
            guard try load(db, room, address.domain, blur: blur) < RequestRoom.eighths else { return false }
            try db.execute(
                sql: """
                    INSERT INTO request (roll, address, domain, isListed, room, language, at)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    roll, address.text, address.domain, isListed, room.rawValue, language.rawValue, now,
                ])
            return true
        }
    }

    /// What is kept of those who asked for invitations to a roll.
    public struct AskedCounts: Equatable, Sendable {
        /// Requests with their addresses, which are deleted when they are answered.
        public let requests: Int
        /// Codes that nobody has used, each with a keyed hash of its mailbox.
        public let codes: Int
    }

    /// What is kept of those who asked for invitations to a roll.
    public func askedCounts(roll: String) throws -> AskedCounts {
        try database.read { db in
            func count(_ table: String) throws -> Int {
                try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM \(table) WHERE roll = ?", arguments: [roll]) ?? 0
            }
            return AskedCounts(requests: try count("request"), codes: try count("openCode"))
        }
    }

    /// How many requests wait, by domain.
    public func waitingRequests() throws -> [String: Int] {
        try database.read { db in
            let rows = try Row.fetchAll(db, sql: "SELECT domain, COUNT(*) AS number FROM request GROUP BY domain")
            return Dictionary(uniqueKeysWithValues: rows.map { ($0["domain"] as String, $0["number"] as Int) })
        }
    }

    /// Answers requests with mails, as many as may go out now, domains in turn. `key` gives the key of a roll, nil if
    /// its requests must wait, and `isUsed` says whether the invitation of a mailbox was used; both are asked outside
    /// of transactions. Returns how many mails were written.
    public func answerRequests(
        perHour: Int, key: (_ roll: String) throws -> OpenRollKey?,
        isUsed: (_ roll: String, _ mark: Bytes32) throws -> Bool
    ) throws -> Int {
        try forgetOldAnswers()
        var turns = try turns(perHour: perHour)
        var written = 0
        while let (id, domain) = turns.next() {
            guard let request = try request(id) else { continue }
            // Without its key a roll waits, and keeps no other from going on.
            guard let key = try key(request.roll) else { continue }
            let mark = key.mark(of: request.address)
            if try answer(request, mark, key, isUsed: try isUsed(request.roll, mark)) { written += 1 }
            // Whether a mail was written or not: otherwise the wait of others would tell which of them it was.
            turns.wrote(domain: domain)
        }
        return written
    }

    /// The requests that wait, with what their domains had in this hour.
    private func turns(perHour: Int) throws -> DomainTurns {
        let hour = now - 3600
        let (waiting, recent, rates) = try database.read { db in
            (
                try Row.fetchAll(db, sql: "SELECT id, domain, isListed FROM request ORDER BY id").map {
                    (id: $0["id"] as Int64, domain: $0["domain"] as String, isListed: $0["isListed"] as Bool)
                },
                try Row.fetchAll(
                    db, sql: "SELECT domain, number FROM answered WHERE domain IS NOT NULL AND at > ?",
                    arguments: [hour]
                ).map { (domain: $0["domain"] as Data, number: $0["number"] as Int64) },
                try Row.fetchAll(db, sql: "SELECT domain, perHour FROM domainRate").map {
                    ($0["domain"] as String, $0["perHour"] as Int)
                }
            )
        }
        guard !waiting.isEmpty, recent.count < perHour else { return DomainTurns([], budget: 0, perHour: perHour) }
        var known: [Data: (sent: Int, last: Int64)] = [:]
        for (domain, number) in recent {
            let before = known[domain] ?? (0, 0)
            known[domain] = (before.sent + 1, max(before.last, number))
        }
        let rate = Dictionary(uniqueKeysWithValues: rates)
        // What a roll lists has its turns as well, and no rate.
        let groups = Dictionary(grouping: waiting) { "\($0.isListed ? "+" : "-")\($0.domain)" }.values
        let marks = try keys.limitMarks(of: groups.map { $0[0].domain }, now: clock.now)
        var waits: Set<Data> = []
        let domains = zip(groups, marks).map { group, marks in
            marks.forEach { waits.insert($0) }
            let served = marks.compactMap { known[$0] }
            return DomainTurns.Domain(
                requests: group.map(\.id), sent: served.map(\.sent).reduce(0, +), last: served.map(\.last).max() ?? 0,
                rate: group[0].isListed ? nil : rate[group[0].domain] ?? RequestLimits.perDomain,
                isListed: group[0].isListed,
                isLarge: rate[group[0].domain].map { $0 > RequestLimits.perDomain } ?? false)
        }
        return DomainTurns(
            domains, budget: perHour - recent.count, perHour: perHour,
            others: known.filter { !waits.contains($0.key) }.values.map(\.sent))
    }

    private func request(_ id: Int64) throws -> Request? {
        try database.read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM request WHERE id = ?", arguments: [id]).map(Self.request)
        }
    }

    private static func request(_ row: Row) throws -> Request {
        guard let address = try? MailAddress(row["address"] as String),
            let language = Language(rawValue: row["language"])
        else { throw StorageError.damaged("a request") }
        return Request(
            id: row["id"], roll: row["roll"], address: address, domain: row["domain"], isListed: row["isListed"],
            language: language)
    }

    /// Writes the mail for a request, if its mailbox may have one. Either way the request is done.
    private func answer(
        _ request: Request, _ mark: Bytes32, _ key: borrowing OpenRollKey, isUsed: Bool
    ) throws -> Bool {
        let time = now
        let day = MailKeys.day(of: clock.now)
        let marks = try keys.limitMarks(of: [request.address.ownName, request.domain], now: clock.now)
        // Nothing that belongs to a person outlives this transaction but what it writes.
        let salt = SystemRandomness.bytes(16)
        let drawn = key.code(salt: salt).hash
        return try database.write { db in
            let deleted = try db.execute(sql: "DELETE FROM request WHERE id = ?", arguments: [request.id])
            guard deleted == 1 else { return false }
            func count(_ mailbox: Data) throws {
                try db.execute(
                    sql: "INSERT INTO answered (at, mailbox, domain) VALUES (?, ?, ?)",
                    arguments: [time, mailbox, marks[1][0]])
            }
            guard try !Self.isObjecting(request.address, db), try mayHaveMail(marks[0], db) else {
                // It takes its domain's share like any other, and nothing from the mailbox.
                try count(Data(SystemRandomness.bytes(Bytes32.count)))
                return false
            }
            _ = try keys.keyOrNew(day)
            let kind: LetterTemplate.Kind = isUsed ? .used : .asked
            let letter = try Self.id(of: LetterTemplate(language: request.language, kind: kind), db)
            let hash = isUsed ? nil : try openCode(request.roll, mark, salt: salt, hash: drawn, db)
            try db.execute(
                sql: """
                    INSERT INTO mail (token, roll, kind, codeHash, address, day, letter, state, written, since, due)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    Data(MailToken.random().bytes), request.roll, kind.rawValue,
                    Data(hash?.array ?? SystemRandomness.bytes(Bytes32.count)), request.address.text, day, letter,
                    State.waiting.rawValue, time, time, time,
                ])
            try count(marks[0][0])
            return true
        }
    }

    /// Whether a mailbox had so few mails, and so long ago, that it may have another.
    private func mayHaveMail(_ marks: [Data], _ db: Transaction) throws -> Bool {
        var times: [Int64] = []
        for mark in marks {
            times += try Int64.fetchAll(
                db, sql: "SELECT at FROM answered WHERE mailbox = ? AND at > ?",
                arguments: [mark, now - RequestLimits.period])
        }
        guard let last = times.max() else { return true }
        guard times.count <= RequestLimits.gaps.count else { return false }
        return now - last >= RequestLimits.gaps[times.count - 1]
    }

    /// The hash of the code of a mailbox: always the same until it is used.
    private func openCode(
        _ roll: String, _ mark: Bytes32, salt: [UInt8], hash: Bytes32, _ db: Transaction
    ) throws -> Bytes32 {
        let known = try Data.fetchOne(
            db, sql: "SELECT codeHash FROM openCode WHERE roll = ? AND mark = ?",
            arguments: [roll, Data(mark.array)])
        if let known = known.flatMap({ Bytes32($0) }) { return known }
        try db.execute(
            sql: "INSERT INTO openCode (roll, mark, salt, codeHash) VALUES (?, ?, ?, ?)",
            arguments: [roll, Data(mark.array), Data(salt), Data(hash.array)])
        return hash
    }

    /// Deletes what no limit needs any more, and what a clock that was ahead has left.
    private func forgetOldAnswers() throws {
        let (time, keys) = (now, keys)
        let (old, ahead, hour) = (time - RequestLimits.period, time + 3600, time - 3600)
        let isDue = try database.read { db in
            try Bool.fetchOne(
                db,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM answered WHERE at <= ? OR at > ?)
                        OR EXISTS (SELECT 1 FROM answered WHERE domain IS NOT NULL AND at <= ?)
                        OR EXISTS (SELECT 1 FROM request WHERE at <= ? OR at > ?)
                    """, arguments: [old, ahead, hour, time - RequestLimits.patience, ahead]) ?? false
        }
        guard isDue else { return }
        try database.write { db in
            try db.execute(sql: "DELETE FROM answered WHERE at <= ? OR at > ?", arguments: [old, ahead])
            try db.execute(
                sql: "UPDATE answered SET domain = NULL WHERE domain IS NOT NULL AND at <= ?", arguments: [hour])
            try db.execute(
                sql: "DELETE FROM request WHERE at <= ? OR at > ?",
                arguments: [time - RequestLimits.patience, ahead])
            keys.deleteOldLimits(now: UTCTime(seconds: time))
        }
    }

    // MARK: Codes

    /// The mailbox whose unused code has this hash, as it is remembered in the roll; nil if there is none.
    public func mailbox(roll: String, code hash: Bytes32) throws -> Bytes32? {
        try database.read { db in
            try Data.fetchOne(
                db, sql: "SELECT mark FROM openCode WHERE roll = ? AND codeHash = ?",
                arguments: [roll, Data(hash.array)]
            ).flatMap { Bytes32($0) }
        }
    }

    /// The code with this hash; nil if it was used.
    func openCode(_ hash: Bytes32, key: borrowing OpenRollKey) throws -> InvitationCode? {
        let salt = try database.read { db in
            try Data.fetchOne(db, sql: "SELECT salt FROM openCode WHERE codeHash = ?", arguments: [Data(hash.array)])
        }
        guard let salt else { return nil }
        let code = key.code(salt: [UInt8](salt))
        return code.hash == hash ? code : nil
    }

    /// Deletes which mailbox a used code belonged to.
    public func forgetCode(roll: String, _ hash: Bytes32) throws {
        try database.write { db in
            try db.execute(
                sql: "DELETE FROM openCode WHERE roll = ? AND codeHash = ?", arguments: [roll, Data(hash.array)])
        }
        try database.forgetOrder()
    }

    /// The hashes of all codes of a roll that nobody has used.
    public func openCodes(roll: String) throws -> [Bytes32] {
        try database.read { db in
            try Data.fetchAll(db, sql: "SELECT codeHash FROM openCode WHERE roll = ?", arguments: [roll])
                .compactMap { Bytes32($0) }
        }
    }

    // MARK: Addresses

    /// Deletes the addresses of mails that were asked for and are done with; their stop links go on working.
    static func retire(_ db: Transaction) throws {
        let rows = try Row.fetchAll(
            db, sql: "SELECT token, roll, address FROM mail WHERE kind != 0 AND state IN (?, ?, ?)",
            arguments: [State.accepted.rawValue, State.failed.rawValue, State.withdrawn.rawValue])
        for row in rows {
            let token = row["token"] as Data
            guard let address = try? MailAddress(row["address"] as String) else { continue }
            try db.execute(
                sql: "INSERT INTO stop (token, roll, objection) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                arguments: [token, row["roll"] as String, try Self.objection(address, db)])
            try db.execute(sql: "DELETE FROM mail WHERE token = ?", arguments: [token])
        }
    }

    /// Makes sure that deleted addresses are nowhere in the files.
    public func eraseTraces() throws { try database.forgetOrder() }

    // MARK: Rates

    func rate(of domain: String, _ db: Transaction) throws -> Int {
        try Int.fetchOne(db, sql: "SELECT perHour FROM domainRate WHERE domain = ?", arguments: [domain])
            ?? RequestLimits.perDomain
    }

    /// How many mails in an hour a domain may have that no roll lists, where it is not the usual number.
    public func domainRates() throws -> [(domain: String, perHour: Int)] {
        try database.read { db in
            try Row.fetchAll(db, sql: "SELECT domain, perHour FROM domainRate ORDER BY domain").map {
                ($0["domain"] as String, $0["perHour"] as Int)
            }
        }
    }

    /// How many mails in an hour a domain may have.
    public func domainRate(of domain: String) throws -> Int { try database.read { try rate(of: domain, $0) } }

    /// Sets how many mails in an hour a domain may have that no roll lists.
    public func setRate(of domain: MailDomain, perHour: Int) throws {
        try database.write { db in
            try db.execute(
                sql: """
                    INSERT INTO domainRate (domain, perHour) VALUES (?, ?)
                    ON CONFLICT (domain) DO UPDATE SET perHour = excluded.perHour
                    """,
                arguments: [domain.text, perHour])
        }
    }
}
