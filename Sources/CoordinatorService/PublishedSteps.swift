import Bytes
import Documents
import Foundation
import LogStorage
import Petitions
import Storage
import TransparencyLog

/// In an open roll, whose people anybody may be, the enrolment log is published in steps of ten minutes, and whenever a
/// phase begins. Whoever saw the count move as soon as one person enrols could fill the round with mailboxes of their
/// own, and leave that person alone among them.
extension Coordinator {
    /// Publishes what enrolment logs of open rolls have, where ten minutes have gone by; also when nothing has come:
    /// otherwise the first person of the next ten minutes would be shown at once.
    func publishSteps() throws {
        let due = try database.read { db in
            try String.fetchAll(
                db, sql: "SELECT slug FROM roll WHERE stepSlot IS NOT NULL AND stepSlot != ?",
                arguments: [clock.now.seconds / RollStore.stepLength])
        }
        for slug in due { try change(slug) { db, roll in try roll.publishStep(db, now: clock.now) } }
    }
}

extension RollStore {
    /// How long a step is, in seconds.
    static let stepLength: Int64 = 600

    /// Publishes what the enrolment log of an open roll has now. Nothing happens in other rolls, which are published as
    /// they grow.
    func publishStep(_ db: Transaction, now: UTCTime) throws {
        guard descriptor.admission.isOpen else { return }
        let head = try enrolment.head(db)
        try db.execute(
            sql: """
                UPDATE roll SET stepSlot = ?, stepNote = ?, stepSize = ?, stepRoot = ?, stepSignedAt = ?, stepIssued = ?
                WHERE id = ?
                """,
            arguments: [
                now.seconds / Self.stepLength, Data(head.note), Int64(head.checkpoint.size),
                Data(head.checkpoint.root.array), head.signedAt, state.issuedInRound, id,
            ])
    }

    /// What of the enrolment log may be shown: everything, or in an open roll the last step.
    func publishedEnrolment(_ db: Transaction) throws -> StoredLog.Head {
        guard descriptor.admission.isOpen else { return try enrolment.head(db) }
        let row = try Row.fetchOne(
            db, sql: "SELECT stepNote, stepSize, stepRoot, stepSignedAt FROM roll WHERE id = ?", arguments: [id])
        guard let row, let note = row["stepNote"] as Data?, let size = UInt64(exactly: row["stepSize"] as Int64),
            let root = Bytes32(row["stepRoot"] as Data)
        else { throw StorageError.damaged("the published state of roll \(slug)") }
        return StoredLog.Head(
            checkpoint: Checkpoint(origin: enrolment.origin, size: size, root: root), note: [UInt8](note),
            signedAt: row["stepSignedAt"])
    }

    /// How many were issued a code in this round, as far as that is published.
    func publishedIssued(_ db: Transaction) throws -> UInt64 {
        guard descriptor.admission.isOpen else { return state.issuedInRound }
        return try UInt64.fetchOne(db, sql: "SELECT stepIssued FROM roll WHERE id = ?", arguments: [id]) ?? 0
    }
}
