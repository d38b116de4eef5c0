import Bytes
import Documents
import Foundation
import LogStorage
import Petitions
import RingSignatures
import Ristretto255
import Storage
import TransparencyLog

/// Rebuilds from the log entries everything that follows from them, and compares it with what is stored: tiles, roots,
/// checkpoints, codes, phases, rings and announcements.
extension Coordinator {
    /// Checks the current state of the database, even while the server runs. `progress` is called with a log's origin,
    /// how many of its entries are done, and how many there are. Throws a `StorageError` if the file cannot even be
    /// read.
    public func fsck(progress: WorkProgress) throws -> FsckReport {
        var report = FsckReport()
        report.problems = try database.integrityProblems().map { "the file: \($0)" }
        // In one snapshot, since what is valid for members and codes is interdependent.
        try database.read { db in
            for slug in try String.fetchAll(db, sql: "SELECT slug FROM roll ORDER BY id") {
                guard let roll = try RollStore(db, slug: slug) else { continue }
                var comparison = RollComparison(roll)
                try check(db, roll.members, &report, progress) { try comparison.compareMember($0, db) }
                try comparison.finishMembers(db)
                try check(db, roll.enrolment, &report, progress) { try comparison.compareCode($0, db) }
                comparison.finish()
                report.problems += comparison.problems
                if roll.descriptor.admission.isOpen, !roll.isForgotten, !hasOpenKey(slug) {
                    report.problems.append(
                        "\(Self.openKeyPath(folder, slug: slug)) is missing: nobody gets an invitation to \(slug)")
                }
            }
            let log = try announcements(db)
            var announced: [UInt64: [UInt8]] = [:]
            try check(db, log, &report, progress) { announced[UInt64(announced.count)] = $0 }
            for row in try Row.fetchAll(db, sql: "SELECT id, note, announcedAt FROM petition") {
                let petition = try? PetitionManifest(parsing: [UInt8](row["note"] as Data))
                let index = UInt64(exactly: row["announcedAt"] as Int64)
                guard let petition, petition.id.hex == row["id"] as String, let index,
                    announced[index] == Announcement.petition(petition.id).bytes
                else {
                    report.problems.append("\(log.origin): a petition is stored otherwise than it was announced")
                    continue
                }
            }
        }
        return report
    }

    /// Writes a copy of the database to a new file, durably and atomically, even while the server runs.
    public func backUp(to path: String) throws { try database.backUp(to: path) }

    private func check(
        _ db: Transaction, _ log: StoredLog, _ report: inout FsckReport,
        _ progress: WorkProgress, _ body: ([UInt8]) throws -> Void
    ) throws {
        let size = try log.head(db).checkpoint.size
        let problems = try log.check(db, key: publicKey) { index, bytes in
            try body(bytes)
            if index % 4096 == 4095 { progress(log.origin, done: index + 1, of: size) }
        }
        report.entries += size
        report.problems += problems.map { "\(log.origin): \($0)" }
    }
}

/// Compares a roll's logs with the stored members, codes and phases. The logs are replayed as any reader replays them:
/// the members log first.
private struct RollComparison {
    private let roll: RollStore
    private var replay: RollReplay
    private(set) var problems: [String] = []

    init(_ roll: RollStore) {
        self.roll = roll
        replay = RollReplay(roll.descriptor)
    }

    private mutating func add(_ problem: String, of log: StoredLog) { problems.append("\(log.origin): \(problem)") }

    // MARK: The members log

    mutating func compareMember(_ bytes: [UInt8], _ db: Transaction) throws {
        // After a broken rule, the entries that follow are meaningless.
        guard replay.membersFault == nil else { return }
        let index = replay.tree.size
        let entry = RollEntry.parse([bytes])
        replay.appendMembers(entry, leaves: [MerkleHash.leaf(bytes)])
        if let fault = replay.membersFault {
            add("entry \(index) breaks the rule \(fault.rule.rawValue)", of: roll.members)
        } else if case .success(.member(let key)) = entry[0] {
            let ring = try Int.fetchOne(
                db, sql: "SELECT ring FROM member WHERE roll = ? AND key = ?",
                arguments: [roll.id, Data(key.encoding.array)])
            if ring != replay.ledger.rings.count {
                add("the member of entry \(index) is stored in another ring", of: roll.members)
            }
        }
    }

    mutating func finishMembers(_ db: Transaction) throws {
        replay.beginEnrolment()
        guard replay.membersFault == nil else { return }
        if !replay.ledger.endsOnSeal { add("the last ring is not sealed", of: roll.members) }
        let sealed = try UInt64.fetchOne(
            db, sql: "SELECT COUNT(*) FROM member WHERE roll = ? AND ring IS NOT NULL", arguments: [roll.id])
        if sealed != replay.ledger.rings.last?.membersSoFar ?? 0 {
            add("members are stored that no entry has", of: roll.members)
        }
    }

    // MARK: The enrolment log

    mutating func compareCode(_ bytes: [UInt8], _ db: Transaction) throws {
        guard let index = replay.enrolment?.size, replay.enrolment?.fault == nil else { return }
        replay.appendEnrolment([bytes], leaves: [MerkleHash.leaf(bytes)])
        if let fault = replay.enrolment?.fault {
            return add("entry \(index) breaks the rule \(fault.rule.rawValue)", of: roll.enrolment)
        }
        guard let entry = try? EnrolmentEntry(parsing: bytes), let hash = entry.codeHash else { return }
        // An invitation's state may have changed since: only its last entry counts.
        if case .invited = entry { return }
        let stored = try? roll.code(db, hash: hash)
        let isSame =
            switch entry {
            case .issued: stored?.state == .issued && stored?.answer != nil
            default: stored?.state == .voided
            }
        if !isSame { add("the code of entry \(index) is stored differently from the entry", of: roll.enrolment) }
    }

    mutating func finish() {
        guard let enrolment = replay.enrolment else { return }
        if enrolment.fault == nil, enrolment.state != roll.state {
            add("phase or counts are not those of the entries", of: roll.enrolment)
        }
        guard let bad = enrolment.sealFault?.ring ?? (enrolment.isSealBeyond ? enrolment.goodSeals : nil) else {
            return
        }
        let rule = enrolment.sealFault?.rule ?? .enrolmentExceeded
        add(
            "the seal at entry \(replay.ledger.rings[bad].sealIndex) breaks the rule \(rule.rawValue)", of: roll.members
        )
    }
}
