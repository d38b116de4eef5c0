import Bytes
import Foundation
import GRDB
import LogStorage
import Petitions
import Sodium
import TransparencyLog

/// What the coordinator's keeper does with petitions.
extension Coordinator {
    /// A reference to a roll of this coordinator as it stands now.
    public func reference(roll slug: String, label: String?, laterRings: Bool) throws -> PetitionManifest.RollReference
    {
        try database.read { db in
            guard let roll = try RollStore(db, slug: slug) else { throw CoordinatorError.noSuchRoll(slug: slug) }
            let head = try roll.members.head(db).checkpoint
            guard head.size > 0 else { throw CoordinatorError.nothingSealed(roll: slug) }
            return PetitionManifest.RollReference(
                id: roll.descriptor.id, url: roll.descriptor.url, label: label, size: head.size, root: head.root,
                laterRings: laterRings)
        }
    }

    /// Signs and announces a petition. `deliver` gets it before the announcement is committed, and if it fails nothing was
    /// announced: an announcement cannot be taken back.
    public func createPetition(
        text: PetitionManifest.Text, rolls: [PetitionManifest.RollReference],
        aggregators: [PetitionManifest.Aggregator], deliver: (PetitionManifest) throws -> Void
    ) throws -> PetitionManifest {
        let petition: PetitionManifest
        do {
            petition = try PetitionManifest.make(
                url: url, text: text, rolls: rolls, aggregators: aggregators, key: noteKey)
        } catch {
            throw CoordinatorError.document(error)
        }
        try write { db in
            let now = UTCTime.now.seconds
            let log = try announcements(db)
            // A signer looks for every roll of the petition in this log, those of other organisations too.
            let foreign = try rolls.filter { try !isAnnounced($0.id, log, db) }.map { Announcement.roll($0.id).bytes }
            let index = try log.head(db).checkpoint.size + UInt64(foreign.count)
            try db.execute(
                sql: "INSERT INTO petition (id, note, announcedAt) VALUES (?, ?, ?)",
                arguments: [petition.id.hex, Data(petition.note), Int64(index)])
            _ = try log.append(
                db, foreign + [Announcement.petition(petition.id).bytes], key: noteKey, now: now)
            try deliver(petition)
        }
        return petition
    }

    private func isAnnounced(_ roll: RollID, _ log: StoredLog, _ db: Database) throws -> Bool {
        let size = try log.head(db).checkpoint.size
        return try log.entries(db, 0..<size).contains(Announcement.roll(roll).bytes)
    }

    /// Every petition, oldest first.
    public func petitions() throws -> [PetitionManifest] {
        try database.read { db in
            try Data.fetchAll(db, sql: "SELECT note FROM petition ORDER BY number").map {
                try PetitionManifest(parsing: [UInt8]($0))
            }
        }
    }

    /// The note of a petition, nil when there is none with this id.
    func petitionNote(_ id: String) throws -> [UInt8]? {
        try database.read { db in
            try Data.fetchOne(db, sql: "SELECT note FROM petition WHERE id = ?", arguments: [id]).map { [UInt8]($0) }
        }
    }

    /// The receipt that a petition was announced, nil when there is none with this id.
    func announcementReceipt(_ id: String) throws -> LogProof? {
        let found = try database.read { db in
            let index = try Int64.fetchOne(db, sql: "SELECT announcedAt FROM petition WHERE id = ?", arguments: [id])
            return try index.map { index in
                let log = try announcements(db)
                return (try log.receipt(db, at: UInt64(index)), try log.head(db))
            }
        }
        if let found { try remember([found.1]) }
        return found?.0
    }
}
