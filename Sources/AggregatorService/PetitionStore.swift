import Bytes
import Documents
import Foundation
import LogStorage
import Messages
import Petitions
import RingSignatures
import Ristretto255
import Storage
import TransparencyLog
import Witnessing

/// A petition as the database has it.
public struct CollectedPetition: Sendable {
    let number: Int64
    /// The petition's manifest.
    public let manifest: PetitionManifest
    package let log: StoredLog

    init?(_ db: Transaction, id: String) throws {
        guard let row = try Row.fetchOne(db, sql: "SELECT number, note FROM petition WHERE id = ?", arguments: [id])
        else {
            return nil
        }
        guard let url = try String.fetchOne(db, sql: "SELECT url FROM aggregator WHERE id = 1"),
            let manifest = try? PetitionManifest(parsing: [UInt8](row["note"] as Data)),
            let index = manifest.aggregators.firstIndex(where: { $0.url.text == url }),
            let log = try StoredLog.find(db, origin: manifest.logKey(aggregator: index).name)
        else { throw StorageError.damaged("petition \(id) is incomplete") }
        number = row["number"]
        self.manifest = manifest
        self.log = log
    }

    /// True if records are taken at this time. Under a policy nothing is taken in the last seconds, so that the last
    /// receipts get their cosignatures in time.
    func takesRecords(at now: UTCTime, secondsForWitnesses: Int64) -> Bool {
        let margin = manifest.witnesses == nil ? 0 : secondsForWitnesses
        return manifest.status(at: now) == .open && now.seconds + margin < manifest.text.closes.seconds
    }

    /// The stored state of a tag, nil for an unknown tag.
    func tagState(_ db: Transaction, _ tag: Tag) throws -> TagState? {
        try tagStates(db, [tag]).first ?? nil
    }

    /// The same for many tags.
    func tagStates(_ db: Transaction, _ tags: [Tag]) throws -> [TagState?] {
        let rows = try db.lookUp(
            tags.map { Data($0.encoding.array) },
            sql: "SELECT signedAt, roll, withdrawnAt FROM tag WHERE petition = ? AND tag = ?", arguments: [number])
        return try rows.map { row in
            guard let row else { return nil }
            guard let state = TagState(row) else { throw StorageError.damaged("a tag is stored that cannot be") }
            return state
        }
    }

    /// Stores the states of the tags of records that entered, and counts them.
    func keep(_ db: Transaction, _ records: [AdmittedRecord]) throws {
        try keep(db, records.map { (tag: $0.record.tag.encoding.array, state: $0.tagState) })
    }

    /// The same for tags (32 bytes each) that the caller vouches for.
    package func keep(_ db: Transaction, _ tags: [(tag: [UInt8], state: TagState)]) throws {
        try db.insert(
            into: "tag", ["petition", "tag", "signedAt", "roll"],
            tags.filter { $0.state.withdrawnAt == nil }.map {
                [number, Data($0.tag), Int64($0.state.signedAt), Int64($0.state.roll)]
            })
        var changes: [UInt8: (signed: Int, withdrawn: Int)] = [:]
        for (tag, state) in tags {
            if let withdrawnAt = state.withdrawnAt {
                try db.execute(
                    sql: "UPDATE tag SET withdrawnAt = ? WHERE petition = ? AND tag = ?",
                    arguments: [Int64(withdrawnAt), number, Data(tag)])
                changes[state.roll, default: (0, 0)].withdrawn += 1
            } else {
                changes[state.roll, default: (0, 0)].signed += 1
            }
        }
        for (roll, change) in changes {
            try db.execute(
                sql: """
                    UPDATE count SET signatures = signatures + ?, withdrawn = withdrawn + ?
                    WHERE petition = ? AND roll = ?
                    """,
                arguments: [change.signed - change.withdrawn, change.withdrawn, number, roll])
        }
    }

    /// Records the count at the end of the hour of `now`. A later commit in the same hour replaces the record.
    func noteGrowth(_ db: Transaction, treeSize: UInt64, now: Int64) throws {
        let hour = GrowthPoint.resolution
        let until = (now / hour + 1) * hour
        // Points recorded by a clock that was ahead and has been set back would be later than all new ones.
        try db.execute(sql: "DELETE FROM growth WHERE petition = ? AND until > ?", arguments: [number, until])
        try db.execute(
            sql: """
                INSERT INTO growth (petition, until, treeSize, signatures)
                SELECT petition, ?, ?, CAST(SUM(signatures) AS BIGINT) FROM count WHERE petition = ? GROUP BY petition
                ON CONFLICT (petition, until)
                DO UPDATE SET treeSize = excluded.treeSize, signatures = excluded.signatures
                """,
            arguments: [until, Int64(treeSize), number])
    }

    /// How the count grew, in the hours that are over at `now`.
    func history(_ db: Transaction, at now: Int64) throws -> GrowthHistory {
        let rows = try Row.fetchAll(
            db,
            sql: "SELECT until, treeSize, signatures FROM growth WHERE petition = ? AND until <= ? ORDER BY until",
            arguments: [number, now])
        return GrowthHistory(rows.map { GrowthPoint($0) })
    }

    /// The newest point of that history; nil when it is empty.
    func newestGrowth(_ db: Transaction, at now: Int64) throws -> GrowthPoint? {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT until, treeSize, signatures FROM growth WHERE petition = ? AND until <= ?
                ORDER BY until DESC LIMIT 1
                """,
            arguments: [number, now])
        return row.map { GrowthPoint($0) }
    }

    /// What each roll is counted with.
    private func groups(_ db: Transaction) throws -> [TallyGroup] {
        try manifest.rolls.map { roll in
            guard let descriptor = try RollDescriptor.followed(db, roll.id) else {
                throw StorageError.damaged("the roll \(roll.url.bare) is not there")
            }
            return TallyGroup(roll, descriptor)
        }
    }

    /// The tally of this log, and the head that it belongs to.
    func tally(_ db: Transaction) throws -> (published: PublishedTally, head: StoredLog.Head) {
        let rows = try Row.fetchAll(
            db, sql: "SELECT signatures, withdrawn FROM count WHERE petition = ? ORDER BY roll", arguments: [number])
        let tally = Tally(perRoll: rows.map { Tally.Count(signatures: $0["signatures"], withdrawn: $0["withdrawn"]) })
        let head = try log.head(db)
        let published = PublishedTally(
            manifest, tally: tally, groups: try groups(db), treeSize: head.checkpoint.size,
            rootHash: head.checkpoint.root)
        return (published, head)
    }
}

/// What is shown under a policy.
extension CollectedPetition {
    /// Makes a cosigned checkpoint, the newest of the log, the one that is shown, if it is new; and the closing note,
    /// if its quorum came in time. A line that comes late may say that it was.
    func show(_ db: Transaction, _ cosigned: CosignedHead, isNew: Bool, under policy: WitnessPolicy) throws {
        if isNew {
            let (tally, newest) = try tally(db)
            guard newest.checkpoint == cosigned.head.checkpoint else {
                throw StorageError.failed("\(log.origin) grew while it waited for its witnesses")
            }
            try db.execute(
                sql: "UPDATE petition SET shownTally = ? WHERE number = ?", arguments: [tally.json(), number])
        }
        guard let time = policy.quorumTime(cosigned.earliest).flatMap({ Int64(exactly: $0) }),
            time <= manifest.text.closes.seconds
        else { return }
        try db.execute(
            sql: "UPDATE petition SET closingNote = ? WHERE number = ?",
            arguments: [Data(cosigned.earliestNote), number])
    }

    /// What is shown; nil if no quorum has cosigned anything yet.
    func shown(_ db: Transaction, under policy: WitnessPolicy) throws -> (tally: PublishedTally, head: CosignedHead)? {
        guard let head = try log.shown(db, by: policy.keys) else { return nil }
        let text = try String.fetchOne(db, sql: "SELECT shownTally FROM petition WHERE number = ?", arguments: [number])
        guard let text, let tally = try? PublishedTally(parsing: Array(text.utf8)) else {
            throw StorageError.damaged("the tally of \(log.origin) that is shown is not there")
        }
        return (tally, head)
    }

    /// The newest checkpoint that a quorum cosigned before the petition closed; nil if there is none, and before it
    /// has closed.
    func finalNote(_ db: Transaction, at now: UTCTime) throws -> [UInt8]? {
        manifest.status(at: now) == .closed ? try timelyNote(db) : nil
    }

    /// The newest checkpoint that a quorum has cosigned before the closing time; nil if there is none, or no policy.
    func timelyNote(_ db: Transaction) throws -> [UInt8]? {
        try Data.fetchOne(db, sql: "SELECT closingNote FROM petition WHERE number = ?", arguments: [number])
            .map { [UInt8]($0) }
    }

    /// The proof of the petition's announcement, as it was when the petition was taken; nil without witnesses.
    func announcementProof(_ db: Transaction) throws -> [UInt8]? {
        try Data.fetchOne(db, sql: "SELECT announcement FROM petition WHERE number = ?", arguments: [number])
            .map { [UInt8]($0) }
    }

    /// The tally of the empty log.
    func emptyTally(_ db: Transaction) throws -> PublishedTally {
        let none = Tally(perRoll: manifest.rolls.map { _ in Tally.Count(signatures: 0, withdrawn: 0) })
        return PublishedTally(
            manifest, tally: none, groups: try groups(db), treeSize: 0, rootHash: MerkleHash.emptyRoot)
    }
}

extension GrowthPoint {
    fileprivate init(_ row: Row) {
        self.init(until: row["until"], treeSize: row["treeSize"], signatures: row["signatures"])
    }
}

extension TagState {
    /// The state in a row, nil when no log can have it.
    init?(_ row: Row) {
        guard let signedAt = UInt64(exactly: row["signedAt"] as Int64), let roll = UInt8(exactly: row["roll"] as Int64)
        else { return nil }
        let withdrawnAt = row["withdrawnAt"] as Int64?
        guard withdrawnAt ?? 0 >= 0 else { return nil }
        self.init(signedAt: signedAt, roll: roll, withdrawnAt: withdrawnAt.map { UInt64($0) })
    }
}
