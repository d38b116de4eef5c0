import Bytes
import Documents
import Foundation
import LogStorage
import Sodium
import Storage
import TransparencyLog

/// Which logs a witness follows: one log, or all below an address that one key signs. An operator of a server has one
/// key, and makes new logs with every roll and petition.
public struct TrustRule: Equatable, Sendable {
    /// What is followed.
    public enum Subject: Equatable, Sendable {
        /// The log with this origin.
        case log(origin: String)
        /// Every log whose origin is this bare url, or continues it after a slash.
        case prefix(String)

        /// The origin or prefix.
        public var name: String {
            switch self {
            case .log(let name), .prefix(let name): name
            }
        }
    }

    let id: Int64
    /// What is followed.
    public let subject: Subject
    /// The key that signs.
    public let key: Ed25519PublicKey
    /// The most logs that may come under this rule.
    public let mostOrigins: Int
    /// The most new checkpoints a day, over all logs of this rule.
    public let perDay: Int64
    /// The tlog-list that it came from; nil if the operator named it.
    public let list: String?

    static func createTables(_ db: Transaction) throws {
        try db.execute(
            script: """
                CREATE TABLE rule (
                    id INTEGER PRIMARY KEY,
                    isPrefix INTEGER NOT NULL,
                    name TEXT NOT NULL,
                    key BLOB NOT NULL,
                    mostOrigins INTEGER NOT NULL,
                    perDay INTEGER NOT NULL,
                    list TEXT,
                    UNIQUE (isPrefix, name)
                ) STRICT;
                CREATE TABLE list (location TEXT PRIMARY KEY, readAt INTEGER, problem TEXT) STRICT;
                """)
    }

    private static let columns = "SELECT id, isPrefix, name, key, mostOrigins, perDay, list FROM rule"

    private init(_ row: Row) throws {
        guard let key = Bytes32(row["key"] as Data) else { throw StorageError.damaged("a rule has no key") }
        id = row["id"]
        subject = row["isPrefix"] ? .prefix(row["name"]) : .log(origin: row["name"])
        self.key = Ed25519PublicKey(key)
        mostOrigins = row["mostOrigins"]
        perDay = row["perDay"]
        list = row["list"]
    }

    /// The key of a log under this rule, by which its checkpoints are verified.
    func key(of origin: String) -> VerifierKey { VerifierKey(name: origin, publicKey: key) }

    /// The rule for a log: the one that names it, else that with the longest prefix.
    static func find(_ db: Transaction, origin: String) throws -> TrustRule? {
        let sql = columns + " WHERE isPrefix = ? AND name = ?"
        if let row = try Row.fetchOne(
            db, sql: sql, arguments: [false, origin])
        {
            return try TrustRule(row)
        }
        var rest = origin[...]
        while true {
            if let row = try Row.fetchOne(
                db, sql: sql, arguments: [true, String(rest)])
            {
                return try TrustRule(row)
            }
            guard let slash = rest.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
            rest = rest[..<slash]
        }
    }

    static func all(_ db: Transaction) throws -> [TrustRule] {
        try Row.fetchAll(db, sql: columns + " ORDER BY id").map { try TrustRule($0) }
    }

    /// Stores a rule, or changes the limits of one that exists. Throws ``WitnessError/otherKey(name:)`` if the same is
    /// trusted with another key: logs do not change keys.
    ///
    /// A list never overrules the operator: what one of the operator's rules covers keeps its key and its limits.
    static func save(
        _ db: Transaction, _ subject: Subject, key: Ed25519PublicKey, mostOrigins: Int, perDay: Int64, list: String?
    ) throws {
        let isPrefix = if case .prefix = subject { true } else { false }
        let known = try Row.fetchOne(
            db, sql: columns + " WHERE isPrefix = ? AND name = ?", arguments: [isPrefix, subject.name])
        if list != nil, let covering = try find(db, origin: subject.name), covering.list == nil {
            guard covering.key == key else { throw WitnessError.otherKey(name: subject.name) }
            return
        }
        if let known {
            let rule = try TrustRule(known)
            guard rule.key == key else { throw WitnessError.otherKey(name: subject.name) }
            if rule.mostOrigins == mostOrigins, rule.perDay == perDay { return }
        } else if !isPrefix, let cosigned = try CosignedLog.find(db, origin: subject.name), cosigned.key != key {
            throw WitnessError.otherKey(name: subject.name)
        }
        try db.execute(
            sql: """
                INSERT INTO rule (isPrefix, name, key, mostOrigins, perDay, list) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (isPrefix, name) DO UPDATE SET mostOrigins = excluded.mostOrigins, perDay = excluded.perDay
                """,
            arguments: [isPrefix, subject.name, Data(key.bytes.array), mostOrigins, perDay, list])
    }
}
