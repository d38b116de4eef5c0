import Bytes
import Foundation
import GRDB
import LogStorage
import Petitions
import Ristretto255
import Sodium
import TransparencyLog
import VOPRF

/// A roll as a transaction sees it: its row, its documents and its logs.
struct RollStore {
    let id: Int64
    let slug: String
    let descriptor: RollDescriptor
    private(set) var state: EnrolmentState
    let members: StoredLog
    let enrolment: StoredLog

    /// The roll with this slug, nil when there is none.
    init?(_ db: Database, slug: String) throws {
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM roll WHERE slug = ?", arguments: [slug]) else {
            return nil
        }
        guard let descriptor = try? RollDescriptor(parsing: [UInt8](row["note"] as Data)),
            let members = try StoredLog.find(db, origin: descriptor.membersKey.name),
            let enrolment = try StoredLog.find(db, origin: descriptor.enrolmentLogKey.name)
        else { throw StorageError.damaged("roll \(slug) is incomplete") }
        id = row["id"]
        self.slug = slug
        self.descriptor = descriptor
        self.members = members
        self.enrolment = enrolment
        state = EnrolmentState(
            round: row["round"], isJoining: row["isJoining"], issuedInRound: row["issuedInRound"],
            invited: row["invited"], issued: row["issued"], voided: row["voided"])
    }

    /// The state of a code, its label's aside.
    func code(_ db: Database, hash: Bytes32) throws -> (state: CodeState, issued: IssuedEntry?)? {
        let row = try Row.fetchOne(
            db, sql: "SELECT state, issued FROM code WHERE roll = ? AND hash = ?", arguments: [id, Data(hash.array)])
        guard let row else { return nil }
        guard let state = CodeState(rawValue: row["state"]) else { throw StorageError.damaged("a code's state") }
        guard let bytes = row["issued"] as Data? else { return (state, nil) }
        guard case .issued(let entry) = try EnrolmentEntry(parsing: [UInt8](bytes)) else {
            throw StorageError.damaged("a code's answer")
        }
        return (state, entry)
    }

    /// Applies the rules to `entries` and appends them to the enrolment log: the state, the codes and the log change
    /// together or, when a rule is broken, not at all (the caller's transaction ends with the error).
    mutating func append(
        _ db: Database, _ entries: [EnrolmentEntry], labels: [Bytes32: String] = [:],
        key: borrowing Ed25519SecretKey
    ) throws {
        for entry in entries {
            let hash = entry.codeHash
            var codeState = try hash.flatMap { try code(db, hash: $0) }?.state
            try state.apply(entry, code: &codeState, minimumRing: descriptor.minimumRing)
            guard let hash, let codeState else { continue }
            let answer: Data? = if case .issued = entry { Data(entry.bytes) } else { nil }
            if let label = labels[hash] {
                try db.execute(
                    sql: "INSERT INTO code (roll, hash, label, state) VALUES (?, ?, ?, ?)",
                    arguments: [id, Data(hash.array), label, codeState.rawValue])
            } else {
                try db.execute(
                    sql: "UPDATE code SET state = ?, issued = ? WHERE roll = ? AND hash = ?",
                    arguments: [codeState.rawValue, answer, id, Data(hash.array)])
            }
        }
        _ = try enrolment.append(db, entries.map(\.bytes), key: key, now: UTCTime.now.seconds)
        try db.execute(
            sql: """
                UPDATE roll SET round = ?, isJoining = ?, issuedInRound = ?, invited = ?, issued = ?, voided = ?
                WHERE id = ?
                """,
            arguments: [
                state.round, state.isJoining, state.issuedInRound, state.invited, state.issued, state.voided, id,
            ])
    }

    /// The members that wait for a ring.
    func pending(_ db: Database) throws -> [GroupElement] {
        try Data.fetchAll(db, sql: "SELECT key FROM member WHERE roll = ? AND ring IS NULL", arguments: [id]).map {
            guard let encoding = Bytes32($0) else { throw StorageError.damaged("a pending member") }
            return try GroupElement(decoding: encoding)
        }
    }

    /// Rings sealed so far.
    func ringCount(_ db: Database) throws -> UInt32 {
        try UInt32.fetchOne(db, sql: "SELECT COALESCE(MAX(ring) + 1, 0) FROM member WHERE roll = ?", arguments: [id])
            ?? 0
    }
}
