import Bytes
import Documents
import Foundation
import LogStorage
import Messages
import Petitions
import RingSignatures
import Sodium
import Storage
import TagStorage
import TransparencyLog

/// Rebuilds everything that follows from the entries of the logs, and compares it with what is stored: tiles, roots,
/// checkpoints, tags and counts; and the kept logs of coordinators with what was signed. The verifier checks proofs.
extension Aggregator {
    /// Checks the database as it is at this moment, also while the server runs. `progress` is called with a log, how
    /// many of its entries are done, and how many there are. Throws a `StorageError` when the file cannot even be read.
    public func fsck(progress: WorkProgress) throws -> FsckReport {
        var report = FsckReport()
        report.problems = try database.integrityProblems().map { "the file: \($0)" }
        let petitions = try petitions()
        for petition in petitions {
            let origin = petition.log.origin
            do { try memory.check(petition.log, key: publicKey, in: database) } catch let error as StorageError {
                report.problems.append(error.explanation)
            }
            // One snapshot for each petition.
            try database.read { db in
                let size = try petition.log.head(db).checkpoint.size
                let found = try petition.check(db, key: publicKey) { progress(origin, done: $0, of: size) }
                report.entries += size
                report.problems += found.map { "\(origin): \($0)" }
            }
        }
        for (log, roots) in followedLogs(petitions.map(\.manifest), &report) {
            let origin = log.key.name
            try database.read { db in
                let size = (try? log.size(db)) ?? 0
                let found = try log.check(db, roots: roots) { progress(origin, done: $0, of: size) }
                report.entries += size
                report.problems += found.map { "\(origin): \($0)" }
            }
        }
        return report
    }

    /// The logs that `petitions` depend on, each once, with the roots that they refer to.
    private func followedLogs(
        _ petitions: [PetitionManifest], _ report: inout FsckReport
    ) -> [(log: FollowedLog, roots: [UInt64: Bytes32])] {
        var logs: [FollowedLog] = []
        var roots: [FollowedLog: [UInt64: Bytes32]] = [:]
        func add(_ key: VerifierKey, _ root: [UInt64: Bytes32] = [:]) {
            let log = FollowedLog(key: key)
            if roots[log] == nil { logs.append(log) }
            roots[log, default: [:]].merge(root) { $1 }
        }
        for petition in petitions {
            for reference in petition.rolls {
                guard let roll = try? database.read({ try RollDescriptor.followed($0, reference.id) }) else {
                    report.problems.append("\(reference.url.bare): its descriptor is not kept as it was")
                    continue
                }
                add(roll.membersKey, [reference.size: reference.root])
                add(roll.enrolmentLogKey)
            }
            add(Announcement.logKey(coordinator: petition.url, key: petition.key))
        }
        return logs.map { ($0, roots[$0] ?? [:]) }
    }

    /// Writes a copy of the database to a new file, durably and atomically, also while the server runs.
    public func backUp(to path: String) throws { try database.backUp(to: path) }
}

extension CollectedPetition {
    /// Checks the log by itself, then tags and counts against its entries.
    fileprivate func check(
        _ db: Transaction, key: Ed25519PublicKey, progress: (UInt64) -> Void
    ) throws -> [String] {
        var ledger = TagLedger()
        var others: [UInt64] = []
        var problems = try log.check(db, key: key) { index, bytes in
            if let entry = Self.tagEntry(bytes, at: index) { try ledger.append(entry) } else { others.append(index) }
            if index % 4096 == 4095 { progress(index + 1) }
        }
        if let first = others.first { problems.append("entry \(first) is no record (\(others.count) in all)") }
        // Both are in the order of tags.
        let stored = try db.cursor(
            sql: "SELECT tag, signedAt, roll, withdrawnAt FROM tag WHERE petition = ? ORDER BY tag",
            arguments: [number])
        var tags = TagComparison(counter: TallyCounter(rolls: manifest.rolls.count))
        try ledger.forEachTag { entries in tags.compare(entries, with: Result { try stored.next() }) }
        if try stored.next() != nil { tags.problems.append("there are tags that no entry has") }
        let counts = try Row.fetchAll(
            db, sql: "SELECT signatures, withdrawn FROM count WHERE petition = ? ORDER BY roll", arguments: [number]
        ).map { row in
            Tally.Count(
                signatures: UInt64(exactly: row["signatures"] as Int64) ?? .max,
                withdrawn: UInt64(exactly: row["withdrawn"] as Int64) ?? .max)
        }
        if counts != tags.counter.tally.perRoll { tags.problems.append("the counts are not those of the entries") }
        problems += tags.problems
        problems += try growthProblems(db, tags.counter.tally.total)
        return problems
    }

    /// Checks that the newest growth point belongs to the newest entries, and that the points are in order.
    private func growthProblems(_ db: Transaction, _ total: Tally.Count) throws -> [String] {
        let points = try history(db, at: .max).points
        guard let last = points.last else { return [] }
        let size = try log.head(db).checkpoint.size
        guard last.treeSize == size, last.signatures == total.signatures,
            zip(points, points.dropFirst()).allSatisfy({ $0.treeSize < $1.treeSize })
        else { return ["the history of its growth does not end in its counts"] }
        return []
    }

    private static func tagEntry(_ bytes: [UInt8], at index: UInt64) -> TagEntry? {
        guard let outline = try? RecordOutline(parsing: bytes), let tag = outline.tagEncoding(in: bytes) else {
            return nil
        }
        return switch outline {
        case .signature(let roll, let ring):
            TagEntry(tag: tag, log: 0, index: index, act: .verified(.sign(roll: roll)), ring: ring)
        case .withdrawal: TagEntry(tag: tag, log: 0, index: index, act: .verified(.withdraw), ring: nil)
        }
    }
}

/// Compares the states of tags that follow from entries with those that are stored.
private struct TagComparison {
    var counter: TallyCounter
    var problems: [String] = []
    /// Once a tag is missing or superfluous, all that follow differ too.
    private var isOutOfStep = false

    init(counter: TallyCounter) {
        self.counter = counter
    }

    mutating func compare(_ entries: ArraySlice<TagEntry>, with row: Result<Row?, any Error>) {
        var state: TagState?
        for entry in entries {
            guard case .verified(let act) = entry.act else { continue }
            do throws(AdmittedRecord.Refusal) {
                state = try TagState(admitting: act, known: state, at: entry.index)
            } catch {
                problems.append("entry \(entry.index) breaks the rule \(error.rule.rawValue)")
            }
        }
        if let state { counter.add([state]) }
        guard !isOutOfStep, let state, let tag = entries.first?.tag else { return }
        let stored = try? row.get().map { row in
            (Bytes32(row["tag"] as Data), TagState(row))
        }
        guard let stored, stored.0 == tag else {
            problems.append("the tag of entry \(state.signedAt) is not stored, or another is that no entry has")
            isOutOfStep = true
            return
        }
        if stored.1 != state {
            problems.append("the tag of entry \(state.signedAt) is stored differently from the entry")
        }
    }
}
