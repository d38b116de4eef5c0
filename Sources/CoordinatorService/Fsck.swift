import Bytes
import Foundation
import GRDB
import LogStorage
import Petitions
import Ristretto255
import TransparencyLog

/// Rebuilds everything that follows from the entries of the logs, and compares it with what is stored: tiles, roots,
/// checkpoints, codes, phases, rings and announcements.
extension Coordinator {
    /// Checks the database as it is at this moment, also while the server runs. `progress` is told a log, how many of
    /// its entries are done, and how many there are. Throws a `StorageError` when the file cannot even be read.
    public func fsck(progress: @escaping (String, UInt64, UInt64) -> Void) throws -> FsckReport {
        var report = FsckReport()
        report.problems = try database.integrityProblems().map { "the file: \($0)" }
        // One snapshot: what members and codes may be depends on each other.
        try database.read { db in
            for slug in try String.fetchAll(db, sql: "SELECT slug FROM roll ORDER BY id") {
                guard let roll = try RollStore(db, slug: slug) else { continue }
                var codes = CodeComparison(roll)
                try check(db, roll.enrolment, &report, progress) { try codes.compare($1, at: $0, db) }
                codes.finish()
                report.problems += codes.problems.map { "\(roll.enrolment.origin): \($0)" }
                var members = MemberComparison(roll)
                try check(db, roll.members, &report, progress) { try members.compare($1, at: $0, db) }
                try members.finish(db)
                report.problems += members.problems.map { "\(roll.members.origin): \($0)" }
            }
            let log = try announcements(db)
            var announced: [UInt64: [UInt8]] = [:]
            try check(db, log, &report, progress) { announced[$0] = $1 }
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

    /// Writes a copy of the database to a new file, durably and whole or not at all, also while the server runs.
    public func backUp(to path: String) throws { try database.backUp(to: path) }

    private func check(
        _ db: Database, _ log: StoredLog, _ report: inout FsckReport,
        _ progress: (String, UInt64, UInt64) -> Void, _ body: (UInt64, [UInt8]) throws -> Void
    ) throws {
        let size = try log.head(db).checkpoint.size
        let problems = try log.check(db, key: publicKey) { index, bytes in
            try body(index, bytes)
            if index % 4096 == 4095 { progress(log.origin, index + 1, size) }
        }
        report.entries += size
        report.problems += problems.map { "\(log.origin): \($0)" }
    }
}

/// Compares what a roll's enrolment log says of codes and phases with what is stored of them.
private struct CodeComparison {
    private let roll: RollStore
    private var state = EnrolmentState()
    private var codes: [Bytes32: CodeState] = [:]
    private(set) var problems: [String] = []

    init(_ roll: RollStore) {
        self.roll = roll
    }

    mutating func compare(_ bytes: [UInt8], at index: UInt64, _ db: Database) throws {
        do {
            let entry = try EnrolmentEntry(parsing: bytes)
            var code = entry.codeHash.flatMap { codes[$0] }
            try state.apply(entry, code: &code, minimumRing: roll.descriptor.terms.minimumRing)
            guard let hash = entry.codeHash else { return }
            codes[hash] = code
            // An invitation's state may have changed since: its last entry is the one that counts.
            if case .invited = entry { return }
            try compare(entry, hash, at: index, db)
        } catch let rule as Rule {
            problems.append("entry \(index) breaks the rule \(rule.rawValue)")
        }
    }

    private mutating func compare(_ entry: EnrolmentEntry, _ hash: Bytes32, at index: UInt64, _ db: Database) throws {
        let stored = try? roll.code(db, hash: hash)
        let isSame =
            switch entry {
            case .issued: stored?.state == .issued && stored?.answer != nil
            default: stored?.state == .voided
            }
        if !isSame { problems.append("the code of entry \(index) is stored otherwise than it stands there") }
    }

    mutating func finish() {
        if state != roll.state { problems.append("phase or counts are not those of the entries") }
    }
}

/// Compares what a roll's members log says with what is stored of its members.
private struct MemberComparison {
    private let roll: RollStore
    private var ledger: RollLedger
    private(set) var problems: [String] = []
    /// After a broken rule nothing that follows means anything.
    private var isBroken = false

    init(_ roll: RollStore) {
        self.roll = roll
        ledger = RollLedger(roll.descriptor)
    }

    mutating func compare(_ bytes: [UInt8], at index: UInt64, _ db: Database) throws {
        guard !isBroken else { return }
        do {
            let entry = try RollEntry(parsing: bytes)
            try ledger.apply(entry)
            switch entry {
            case .member(let key): try compare(key, at: index, db)
            case .seal(let size, let root):
                if (try? roll.enrolment.root(db, ofFirst: size)) != root {
                    problems.append("the seal at entry \(index) names a root that the enrolment log did not have")
                }
            }
        } catch let rule as Rule {
            isBroken = true
            problems.append("entry \(index) breaks the rule \(rule.rawValue)")
        }
    }

    private mutating func compare(_ member: GroupElement, at index: UInt64, _ db: Database) throws {
        let ring = try Int.fetchOne(
            db.cachedStatement(sql: "SELECT ring FROM member WHERE roll = ? AND key = ?"),
            arguments: [roll.id, Data(member.encoding.array)])
        if ring != ledger.rings.count { problems.append("the member of entry \(index) is stored in another ring") }
    }

    mutating func finish(_ db: Database) throws {
        guard !isBroken else { return }
        if !ledger.endsOnSeal { problems.append("the last ring is not sealed") }
        let sealed = try UInt64.fetchOne(
            db, sql: "SELECT COUNT(*) FROM member WHERE roll = ? AND ring IS NOT NULL", arguments: [roll.id])
        if sealed != ledger.rings.last?.membersSoFar ?? 0 { problems.append("members are stored that no entry has") }
    }
}
