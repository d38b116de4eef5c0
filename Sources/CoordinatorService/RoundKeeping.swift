import Documents
import Foundation
import LogStorage
import Petitions
import Storage

/// Rounds that follow each other by themselves, by the rules of ``RoundSchedule``.
extension Coordinator {
    /// What was done in a roll.
    public enum RoundChange: Equatable, Sendable {
        /// Joining opened in the round, in which so many had enrolled.
        case joiningOpened(round: UInt32, issued: UInt64)
        /// Joining goes on, since only so many wait.
        case joiningProlonged(round: UInt32, pending: Int)
        /// Rings of these sizes were sealed, and issuing opened in the next round.
        case sealed([Int], round: UInt32)
        /// Issuing opened in the next round without a new ring.
        case issuingOpened(round: UInt32)
    }

    /// Sets when the phases of a roll follow each other by themselves; nil for never.
    public func setSchedule(roll slug: String, _ schedule: RoundSchedule?) throws {
        try change(slug) { db, _ in try setSchedule(db, roll: slug, schedule) }
    }

    func setSchedule(_ db: Transaction, roll slug: String, _ schedule: RoundSchedule?) throws {
        try db.execute(
            sql: "UPDATE roll SET crowd = ?, atLeast = ?, atMost = ? WHERE slug = ?",
            arguments: [schedule?.crowd, schedule?.atLeast, schedule?.atMost, slug])
    }

    /// Does what is due in every roll with a schedule, each step in one transaction with its conditions: two servers,
    /// or a command beside a server, never do it twice. What a roll's witnesses must see first waits for them, and what
    /// is written for ever waits until the clock was steady, for `steadySeconds` so far, for ten minutes or a quarter
    /// of the joining time.
    public func stepRounds(steadySeconds: Int = .max) throws -> [(slug: String, change: RoundChange)] {
        let due = try dueRolls().filter { $0.calm <= steadySeconds }.map(\.slug)
        var (changes, failure): ([(slug: String, change: RoundChange)], (any Error)?) = ([], nil)
        for slug in due {
            do {
                if let done = try change(slug, { db, roll in try step(db, &roll) }) { changes.append((slug, done)) }
            } catch CoordinatorError.joiningTakesTime {
                continue
            } catch CoordinatorError.windowNotWitnessed {
                continue
            } catch {
                // One roll keeps no other from going on.
                failure = error
            }
        }
        if changes.isEmpty, let failure { throw failure }
        return changes
    }

    /// The rolls in which something is due, and for how many seconds the clock must have been steady for it.
    public func dueRolls() throws -> [(slug: String, calm: Int)] {
        try database.read { db in
            try RollStore.scheduled(db).filter { try $0.outlook(db)?.isDue(at: clock.now.seconds) ?? false }.map {
                ($0.slug, min(ClockWatch.calm, $0.descriptor.terms.joiningSeconds / 4))
            }
        }
    }

    /// Does what is due in one roll; nil if that is nothing, since another process has done it.
    private func step(_ db: Transaction, _ roll: inout RollStore) throws -> RoundChange? {
        guard let outlook = try roll.outlook(db), outlook.isDue(at: clock.now.seconds) else { return nil }
        let round = roll.state.round
        switch outlook.step {
        case .openJoining:
            try openJoining(db, &roll)
            return .joiningOpened(round: round, issued: roll.state.issuedInRound)
        case .seal:
            let sizes = try seal(db, &roll)
            return .sealed(sizes, round: try openIssuing(db, &roll))
        case .prolong:
            try checkJoiningMayEnd(db, roll)
            // From now on: a server that was away must not have used the time up.
            try db.execute(
                sql: "UPDATE roll SET prolonged = prolonged + 1, prolongedAt = ? WHERE id = ?",
                arguments: [clock.now.seconds, roll.id])
            return .joiningProlonged(round: round, pending: try roll.pendingCount(db))
        case .openIssuing: return .issuingOpened(round: try openIssuing(db, &roll))
        }
    }
}

extension RollStore {
    /// The rolls whose phases follow each other by themselves.
    static func scheduled(_ db: Transaction) throws -> [RollStore] {
        try String.fetchAll(db, sql: "SELECT slug FROM roll WHERE crowd IS NOT NULL ORDER BY id").compactMap {
            try RollStore(db, slug: $0)
        }
    }

    /// When the phases of this roll follow each other; nil if its operator opens and closes them.
    func schedule(_ db: Transaction) throws -> RoundSchedule? {
        let row = try Row.fetchOne(db, sql: "SELECT crowd, atLeast, atMost FROM roll WHERE id = ?", arguments: [id])
        guard let row, let crowd = row["crowd"] as Int? else { return nil }
        return RoundSchedule(crowd: crowd, atLeast: row["atLeast"], atMost: row["atMost"])
    }

    /// What comes next, and when; nil without a schedule.
    func outlook(_ db: Transaction) throws -> RoundSchedule.Outlook? {
        guard let schedule = try schedule(db) else { return nil }
        return schedule.outlook(of: try scheduledRound(db))
    }

    /// The state of the round for its schedule; with `issued`, as if so many had enrolled.
    func scheduledRound(_ db: Transaction, issued: UInt64? = nil) throws -> RoundSchedule.Round {
        let row = try Row.fetchOne(
            db, sql: "SELECT firstIssuedAt, prolonged, prolongedAt, sealedInRound FROM roll WHERE id = ?",
            arguments: [id])
        guard let row else { throw StorageError.damaged("roll \(slug) is incomplete") }
        let enrolled = issued ?? state.issuedInRound
        return RoundSchedule.Round(
            terms: descriptor.terms, isJoining: state.isJoining, opened: Int64(clamping: state.opened),
            firstIssued: enrolled == 0 ? nil : row["firstIssuedAt"], issued: Int(clamping: enrolled),
            pending: try pendingCount(db), prolonged: row["prolonged"], prolongedAt: row["prolongedAt"],
            isSealed: row["sealedInRound"])
    }

    /// Takes note of what entries mean for the schedule: when a round began, and that one is over.
    func noteRound(_ db: Transaction, _ entries: [EnrolmentEntry], now: UTCTime) throws {
        for entry in entries {
            switch entry {
            case .issued:
                // A clock that was ahead must not make the round wait for it. In an open roll not to the second: when
                // joining opens would tell when the first person enrolled.
                let time = descriptor.admission.isOpen ? now.seconds / Self.stepLength * Self.stepLength : now.seconds
                try db.execute(
                    sql: """
                        UPDATE roll SET firstIssuedAt = ? WHERE id = ?
                            AND (firstIssuedAt IS NULL OR firstIssuedAt > ?)
                        """,
                    arguments: [time, id, now.seconds])
            case .issuingOpens:
                try db.execute(
                    sql: """
                        UPDATE roll
                        SET firstIssuedAt = NULL, prolonged = 0, prolongedAt = NULL, sealedInRound = 0 WHERE id = ?
                        """,
                    arguments: [id])
            case .invited, .voided, .joiningOpens: break
            }
        }
    }
}
