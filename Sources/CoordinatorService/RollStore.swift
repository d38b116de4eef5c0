import Bytes
import Documents
import Foundation
import LogStorage
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import Storage
import TransparencyLog
import VOPRF

/// A roll as seen by a transaction: its row, its documents and its logs.
struct RollStore {
    let id: Int64
    let slug: String
    let descriptor: RollDescriptor
    private(set) var state: EnrolmentState
    /// Whether nobody knows any more who was invited.
    let isForgotten: Bool
    /// Whether invitations can be asked for; nil in a roll by a list.
    let asking: Asking?
    let members: StoredLog
    let enrolment: StoredLog

    /// The parsed descriptors of all rolls in this process; descriptors never change.
    private static let descriptors = ParsedDocuments { note throws(DocumentError) in try RollDescriptor(parsing: note) }

    /// The roll with this slug; nil if there is none.
    init?(_ db: Transaction, slug: String) throws {
        try self.init(db, Row.fetchOne(db, sql: "SELECT * FROM roll WHERE slug = ?", arguments: [slug]))
    }

    /// The roll with this id; nil if there is none.
    init?(_ db: Transaction, id: RollID) throws {
        try self.init(db, Row.fetchOne(db, sql: "SELECT * FROM roll WHERE rollId = ?", arguments: [id.hex]))
    }

    private init?(_ db: Transaction, _ row: Row?) throws {
        guard let row else { return nil }
        let slug = row["slug"] as String
        guard let descriptor = try? Self.descriptors([UInt8](row["note"] as Data)),
            let members = try StoredLog.find(db, origin: descriptor.membersKey.name),
            let enrolment = try StoredLog.find(db, origin: descriptor.enrolmentLogKey.name)
        else { throw StorageError.damaged("roll \(slug) is incomplete") }
        id = row["id"]
        self.slug = slug
        self.descriptor = descriptor
        self.members = members
        self.enrolment = enrolment
        isForgotten = row["isForgotten"]
        asking = (row["asking"] as Int?).flatMap { Asking(rawValue: $0) }
        state = EnrolmentState(
            round: row["round"], isJoining: row["isJoining"], opened: UInt64(exactly: row["opened"] as Int64) ?? 0,
            issuedInRound: row["issuedInRound"],
            invited: row["invited"], issued: row["issued"], voided: row["voided"])
    }

    /// Throws if nobody may be invited by a list: since people get in by e-mail, or since nobody knows any more who was
    /// invited, so that whoever is invited now may have a code already.
    func checkInvitesByList() throws {
        guard !descriptor.admission.isOpen else { throw CoordinatorError.admitsByMail(roll: slug) }
        guard !isForgotten else { throw CoordinatorError.forgotten(roll: slug) }
    }

    /// The state of a code, and what was answered to it.
    func code(_ db: Transaction, hash: Bytes32) throws -> (state: CodeState, answer: IssuedEvaluation?)? {
        let row = try Row.fetchOne(
            db, sql: "SELECT state, answer FROM code WHERE roll = ? AND hash = ?", arguments: [id, Data(hash.array)])
        guard let row else { return nil }
        guard let state = CodeState(rawValue: row["state"]) else { throw StorageError.damaged("a code's state") }
        guard let bytes = row["answer"] as Data? else { return (state, nil) }
        guard let answer = IssuedEvaluation(stored: [UInt8](bytes)) else {
            throw StorageError.damaged("a code's answer")
        }
        return (state, answer)
    }

    /// The label of the person with a code; empty if there is none.
    func label(_ db: Transaction, hash: Bytes32) throws -> String {
        try String.fetchOne(
            db, sql: "SELECT label FROM code WHERE roll = ? AND hash = ?", arguments: [id, Data(hash.array)]) ?? ""
    }

    /// Stores what is answered to a code, before it is sent.
    func keep(_ db: Transaction, _ answer: IssuedEvaluation, hash: Bytes32) throws {
        try db.execute(
            sql: "UPDATE code SET answer = ? WHERE roll = ? AND hash = ?",
            arguments: [Data(answer.stored), id, Data(hash.array)])
    }

    /// Applies the rules to `entries` and appends them to the enrolment log. The state, the codes and the log change
    /// together or, if a rule is broken, not at all: the error ends the caller's transaction.
    mutating func append(
        _ db: Transaction, _ entries: [EnrolmentEntry], labels: [Bytes32: String] = [:],
        key: borrowing Ed25519SecretKey, now: UTCTime
    ) throws {
        for entry in entries {
            let hash = entry.codeHash
            var codeState = try hash.flatMap { try code(db, hash: $0) }?.state
            try state.apply(entry, code: &codeState, under: EnrolmentRules(descriptor))
            guard let hash, let codeState else { continue }
            if case .invited = entry {
                try db.execute(
                    sql: "INSERT INTO code (roll, hash, label, state) VALUES (?, ?, ?, ?)",
                    arguments: [id, Data(hash.array), labels[hash] ?? "", codeState.rawValue])
            } else {
                try db.execute(
                    sql: "UPDATE code SET state = ? WHERE roll = ? AND hash = ?",
                    arguments: [codeState.rawValue, id, Data(hash.array)])
            }
        }
        _ = try enrolment.append(db, entries.map(\.bytes), key: key, now: now.seconds)
        try db.execute(
            sql: """
                UPDATE roll SET
                    round = ?, isJoining = ?, opened = ?, issuedInRound = ?, invited = ?, issued = ?, voided = ?
                WHERE id = ?
                """,
            arguments: [
                state.round, state.isJoining, Int64(clamping: state.opened), state.issuedInRound, state.invited,
                state.issued, state.voided, id,
            ])
        try noteRound(db, entries, now: now)
        // The beginning of a phase concerns everybody, and is late for nobody.
        if entries.contains(where: { $0.codeHash == nil }) { try publishStep(db, now: now) }
    }

    /// The members waiting for a ring.
    func pending(_ db: Transaction) throws -> [MemberKey] {
        try Data.fetchAll(db, sql: "SELECT key FROM member WHERE roll = ? AND ring IS NULL", arguments: [id]).map {
            guard let encoding = Bytes32($0) else { throw StorageError.damaged("a pending member") }
            return try MemberKey(decoding: encoding)
        }
    }

    /// How many members wait for a ring.
    func pendingCount(_ db: Transaction) throws -> Int {
        try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM member WHERE roll = ? AND ring IS NULL", arguments: [id]) ?? 0
    }

    /// The number of members in sealed rings.
    func sealedCount(_ db: Transaction) throws -> UInt64 {
        try UInt64.fetchOne(
            db, sql: "SELECT COUNT(*) FROM member WHERE roll = ? AND ring IS NOT NULL", arguments: [id]) ?? 0
    }

    /// The roll as replayed from its logs, as by any reader.
    func replay(_ db: Transaction) throws -> RollReplay {
        var replay = RollReplay(descriptor)
        try Self.forEachChunk(db, of: members) { replay.appendMembers(RollEntry.parse($0), leaves: $1) }
        replay.beginEnrolment()
        try Self.forEachChunk(db, of: enrolment) { replay.appendEnrolment($0, leaves: $1) }
        return replay
    }

    private static func forEachChunk(
        _ db: Transaction, of log: StoredLog, _ body: ([[UInt8]], LeafHashes) throws -> Void
    ) throws {
        let size = try log.head(db).checkpoint.size
        for first in stride(from: 0, to: size, by: 4096) {
            let entries = try log.entries(db, first..<min(first + 4096, size))
            try body(entries, LeafHashes(of: entries))
        }
    }

    /// The number of sealed rings.
    func ringCount(_ db: Transaction) throws -> UInt32 {
        try UInt32.fetchOne(db, sql: "SELECT COALESCE(MAX(ring) + 1, 0) FROM member WHERE roll = ?", arguments: [id])
            ?? 0
    }
}
