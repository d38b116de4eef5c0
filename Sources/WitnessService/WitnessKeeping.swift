import Bytes
import Documents
import Foundation
import LogStorage
import Sodium
import Storage
import TransparencyLog
import Witnessing

/// What an operator does with a witness.
extension Witness {
    /// Follows every log below a bare url that `key` signs.
    public func trust(
        _ key: Ed25519PublicKey, below prefix: ServiceURL, mostOrigins: Int, perDay: Int64
    ) throws {
        try database.write { db in
            try TrustRule.save(
                db, .prefix(prefix.bare), key: key, mostOrigins: mostOrigins, perDay: perDay, list: nil)
        }
    }

    /// Follows one log.
    public func trust(_ log: VerifierKey, perDay: Int64) throws {
        try database.write { db in
            try TrustRule.save(
                db, .log(origin: log.name), key: log.publicKey, mostOrigins: 1, perDay: perDay, list: nil)
        }
    }

    /// How many logs are taken from a list in one transaction: cosignatures wait for it.
    private static let together = 500
    /// The most logs that one list may bring, over all its readings.
    private static let mostFromList = 100_000

    /// Follows the logs of a list, in addition to those that it named before: logs are only ever added. Returns the
    /// origins of those that are not followed: they are known with another key, are not named by their key, or are more
    /// than a list may bring.
    @discardableResult
    public func trust(_ list: LogList, from location: String) throws -> [String] {
        var others: [String] = []
        var rest = list.entries[...]
        while !rest.isEmpty {
            let part = rest.prefix(Self.together)
            rest = rest.dropFirst(part.count)
            others += try database.write { db in try follow(part, from: location, db) }
        }
        return others
    }

    private func follow(_ entries: ArraySlice<LogList.Entry>, from location: String, _ db: Transaction) throws
        -> [String]
    {
        var others: [String] = []
        let count = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM rule WHERE list = ?", arguments: [location]) ?? 0
        for entry in entries {
            // A note is signed under the name of its key, and checkpoints here are those of the origin of that name.
            guard entry.origin == entry.key.name, count + entries.count <= Self.mostFromList else {
                others.append(entry.origin)
                continue
            }
            do {
                try TrustRule.save(
                    db, .log(origin: entry.origin), key: entry.key.publicKey, mostOrigins: 1,
                    perDay: Int64(entry.perDay), list: location)
            } catch WitnessError.otherKey(let name) { others.append(name) }
        }
        return others
    }

    /// Remembers the address of a list, which the server reads again and again.
    public func follow(list location: String) throws {
        try database.write {
            try $0.execute(sql: "INSERT INTO list (location) VALUES (?) ON CONFLICT DO NOTHING", arguments: [location])
        }
    }

    /// Notes that a list was read, or why it could not be.
    func noteReading(of location: String, problem: String?) throws {
        let now = clock.now.seconds
        try database.write { db in
            try db.execute(
                sql: "UPDATE list SET problem = ?, readAt = COALESCE(?, readAt) WHERE location = ?",
                arguments: [problem, problem == nil ? now : nil, location])
        }
    }

    /// A list that is read again and again.
    public struct FollowedList: Sendable {
        /// Its address.
        public let location: String
        /// When it was last read, in seconds since 1970.
        public let readAt: Int64?
        /// Why it could not be read last.
        public let problem: String?
    }

    /// What the witness follows and has cosigned.
    public struct Status: Sendable {
        /// The rules.
        public let rules: [TrustRule]
        /// The lists that are read again and again.
        public let lists: [FollowedList]
        /// What was cosigned, by origin.
        public let logs: [CosignedLog]
        /// The number of checkpoints of each origin that prove that the log contradicts itself.
        public let contradictions: [String: Int]
        /// The number of checkpoints of each origin that were not shown to follow, and prove nothing.
        public let unproven: [String: Int]
    }

    /// What the witness follows and has cosigned.
    public func status() throws -> Status {
        try database.read { db in
            let logs = try CosignedLog.all(db)
            var (contradictions, unproven): ([String: Int], [String: Int]) = ([:], [:])
            let counts = "SELECT origin, COUNT(against) AS proven, COUNT(*) AS count FROM stray GROUP BY origin"
            for row in try Row.fetchAll(db, sql: counts) {
                let (proven, count): (Int, Int) = (row["proven"], row["count"])
                if proven > 0 { contradictions[row["origin"]] = proven }
                if count > proven { unproven[row["origin"]] = count - proven }
            }
            let lists = try Row.fetchAll(db, sql: "SELECT location, readAt, problem FROM list ORDER BY location").map {
                FollowedList(location: $0["location"], readAt: $0["readAt"], problem: $0["problem"])
            }
            return Status(
                rules: try TrustRule.all(db), lists: lists, logs: logs, contradictions: contradictions,
                unproven: unproven)
        }
    }

    /// The checkpoints that a log signed and that were not shown to follow from what was cosigned.
    public func strays(of origin: String) throws -> [StrayCheckpoint] {
        try database.read { try CosignedLog.strays($0, origin: origin) }
    }

    /// Takes this computer's clock for right, after it was ahead: the times that are later than now no longer count.
    /// What was cosigned stays what it is. Returns for how many logs.
    public func acceptClock() throws -> Int {
        let now = clock.now.seconds
        return try database.write {
            try $0.execute(sql: "UPDATE cosigned SET time = ? WHERE time > ?", arguments: [now, now])
        }
    }

    /// Checks the database, even while the server runs: the file itself, and of each log that its own key signed the
    /// checkpoint that is stored, and that this witness's key cosigned it.
    public func fsck() throws -> FsckReport {
        var report = FsckReport()
        report.problems = try database.integrityProblems().map { "the file: \($0)" }
        for log in try database.read({ try CosignedLog.all($0) }) {
            report.entries += 1
            let origin = log.checkpoint.origin
            let signed = try? Checkpoint(verifying: log.note, key: VerifierKey(name: origin, publicKey: log.key))
            if signed != log.checkpoint { report.problems.append("\(origin): the log did not sign what is stored") }
            let lines = log.checkpoint.cosignatures(inLines: Array(log.line.utf8), by: [key])
            if lines.isEmpty {
                report.problems.append("\(origin): this witness's key did not cosign what is stored")
            }
        }
        return report
    }
}
