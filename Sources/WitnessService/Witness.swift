import Bytes
import Documents
import Foundation
import LogStorage
import Platform
import Sodium
import Storage
import TransparencyLog
import Witnessing

/// Why the witness could not do what its operator asked.
public enum WitnessError: Error, Equatable, Sendable {
    /// The folder already contains a witness.
    case alreadyInitialised(folder: String)
    /// The folder does not contain a witness.
    case notInitialised(folder: String)
    /// The folder has the key, but no database.
    case databaseLost(path: String)
    /// The text cannot be the name of a key.
    case badName(String)
    /// This log, or these logs, are trusted with another key already.
    case otherKey(name: String)
}

/// A witness in its folder: its key, and what it cosigned last of each log.
///
/// It never cosigns two checkpoints of one log unless the second extends the first. What it cosigned is durable before
/// the cosignature is given out, and decided in the same transaction.
public final class Witness: Sendable {
    /// A cosignature that is younger than this, in seconds, is given again to whoever sends the same checkpoint. All
    /// checkpoints are public: without this, anybody could make the witness write as often as they like.
    private static let freshness: Int64 = 10

    let database: any Storage
    let clock: WallClock
    /// Only where the database is on another machine.
    private let memory: CosignedMemory?
    private let secret: Ed25519SecretKey
    private let rates = Mutex(RateLimits())
    /// Its submission prefix and its monitoring prefix.
    public let url: ServiceURL
    /// Its key, with its name.
    public let key: WitnessKey

    private static func keyPath(_ folder: String) -> String { folder + "/note.key" }

    /// Creates a witness in `folder`: its key and its database.
    public static func initialise(
        folder: String, name: String, url: ServiceURL, database location: DatabaseLocation = .file,
        clock: WallClock = .system
    ) throws -> Witness {
        guard WitnessKey.isName(name), name.utf8.count <= 255, !name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F })
        else { throw WitnessError.badName(name) }
        guard try !kept.isMade(in: folder) else { throw WitnessError.alreadyInitialised(folder: folder) }
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try kept.make(in: folder, at: location) { database in
            try database.write { db in
                guard try String.fetchOne(db, sql: "SELECT url FROM witness") == nil else {
                    throw StorageError.occupied(place: location.text)
                }
                let key = Ed25519SecretKey(seed: try KeyFile.create(at: keyPath(folder))).publicKey
                try db.execute(
                    sql: "INSERT INTO witness (id, name, url, key) VALUES (1, ?, ?, ?)",
                    arguments: [name, url.text, Data(key.bytes.array)])
            }
        }
        return try Witness(folder: folder, clock: clock)
    }

    /// Opens the witness in `folder`.
    public init(folder: String, clock: WallClock = .system) throws {
        guard try Self.kept.isMade(in: folder) else {
            if FileManager.default.fileExists(atPath: Self.keyPath(folder)) {
                throw WitnessError.databaseLost(path: try Self.kept.place(in: folder))
            }
            throw WitnessError.notInitialised(folder: folder)
        }
        let database = try Self.kept.open(in: folder)
        let row = try database.read { try Row.fetchOne($0, sql: "SELECT name, url, key FROM witness WHERE id = 1") }
        guard let row, let url = ServiceURL(row["url"] as String) else {
            throw WitnessError.notInitialised(folder: folder)
        }
        secret = try KeyFile.key(at: Self.keyPath(folder), of: row["key"])
        key = WitnessKey(name: row["name"], publicKey: secret.publicKey)
        self.url = url
        self.clock = clock
        self.database = database
        memory = database.mayWait ? CosignedMemory(folder: folder + "/cosigned") : nil
    }

    /// The database of a witness.
    private static var kept: ServerDatabase {
        let tables = Migration("witness") { db in
            try db.execute(
                script: """
                    CREATE TABLE witness (
                        id INTEGER PRIMARY KEY, name TEXT NOT NULL, url TEXT NOT NULL, key BLOB NOT NULL
                    ) STRICT
                    """)
            try TrustRule.createTables(db)
            try CosignedLog.createTables(db)
        }
        return ServerDatabase("witness", [tables])
    }

    // MARK: Cosigning

    /// What is answered to a request.
    public enum Answer: Equatable, Sendable {
        /// The witness cosigned: its line, with the newline.
        case cosigned(line: String)
        /// It did not, by the rules of tlog-witness.
        case refused(WitnessVerdict)
        /// The logs of this rule are more, or grow more often, than its operator allows.
        case tooMany
        /// This computer's clock is behind what was cosigned before.
        case clockSetBack
    }

    /// Judges a request and cosigns if the rules allow it. When this returns a line, what it says is durable. Throws a
    /// ``StorageError``; then nothing was cosigned.
    public func answer(_ body: [UInt8]) throws -> Answer {
        guard let request = AddCheckpointRequest(parsing: body) else { return .refused(.malformed) }
        let answer = try judged(request)
        if case .cosigned = answer { try confirm(request) }
        return answer
    }

    /// Makes sure, before a line is given out, that its checkpoint is wherever it must be, whoever stored it, and
    /// recorded.
    private func confirm(_ request: AddCheckpointRequest) throws {
        let note = try SignedNote(parsing: request.note)
        let checkpoint = try Checkpoint(parsing: note.text)
        let last = try database.readConfirmed { try CosignedLog.find($0, origin: checkpoint.origin)?.checkpoint }
        try CosignedMemory.check(checkpoint, isIn: last)
        if let last { try memory?.record(last) }
    }

    private func judged(_ request: AddCheckpointRequest) throws -> Answer {
        let now = clock.now.seconds
        // Without the lock of a writer: what is refused costs the disk nothing.
        let (verdict, rule, last) = try database.read { try judge(request, $0) }
        guard case .cosign(let new) = verdict, let rule else {
            if verdict == .inconsistent, let rule { try keep(request.note, signedBy: rule) }
            return .refused(verdict)
        }
        if let last, last.checkpoint == new {
            // Anybody can ask for a fresh time: beyond a bound, the line that there is must do.
            let isFresh = (0..<Self.freshness).contains(now - last.time)
            if isFresh || !rates.withLock({ $0.takeRenewal(rule, at: now) }) { return .cosigned(line: last.line) }
        } else {
            guard rates.withLock({ $0.take(rule, at: now) }) else { return .tooMany }
        }
        return try database.write { db in
            let (verdict, rule, last) = try judge(request, db)
            guard case .cosign(let new) = verdict, let rule else { return .refused(verdict) }
            // A larger tree never gets an earlier time than a smaller one.
            let time = max(now, last?.time ?? 0, 0)
            guard time - now <= Int64(Cosignature.clockTolerance) else { return .clockSetBack }
            if last == nil {
                guard try CosignedLog.count(db, rule: rule.id) < rule.mostOrigins else { return .tooMany }
            }
            let line = secret.cosign(new, name: key.name, at: UInt64(time))
            let note = new.signedNote(request.note, by: rule.key(of: new.origin))
            try CosignedLog(checkpoint: new, rule: rule.id, key: rule.key, note: note, line: line, time: time).save(db)
            return .cosigned(line: line)
        }
    }

    private func judge(
        _ request: AddCheckpointRequest, _ db: Transaction
    ) throws -> (WitnessVerdict, TrustRule?, CosignedLog?) {
        guard let origin = AddCheckpointRequest.claimedOrigin(request.note) else { return (.malformed, nil, nil) }
        guard AddCheckpointRequest.canBeFollowed(origin) else { return (.unknownOrigin, nil, nil) }
        let last = try CosignedLog.find(db, origin: origin)
        try memory?.check(origin) { last?.checkpoint }
        let rule = try TrustRule.find(db, origin: origin)
        // A log keeps the key that it was first seen with, whatever rules were made since.
        let key = rule.flatMap { last == nil || last?.key == $0.key ? $0.key(of: origin) : nil }
        let verdict = WitnessVerdict(request, key: { _ in key }, last: { _ in last?.checkpoint })
        return (verdict, rule, last)
    }

    /// Keeps a checkpoint that a log signed, and that does not follow from what was cosigned: it may be evidence.
    private func keep(_ note: [UInt8], signedBy rule: TrustRule) throws {
        guard let origin = AddCheckpointRequest.claimedOrigin(note) else { return }
        let key = rule.key(of: origin)
        guard let stray = try? Checkpoint(verifying: note, key: key) else { return }
        try database.write { db in
            try CosignedLog.find(db, origin: origin)?.keepStray(db, stray, note: stray.signedNote(note, by: key))
        }
    }

    // MARK: What it cosigned

    /// Checks that the database knows what this witness cosigned, as far as that is recorded beside it. Throws a
    /// ``StorageError``.
    public func check() throws {
        guard let memory else { return }
        for origin in try memory.origins() {
            // The order matters: a line may be given out in between.
            try memory.check(origin) { try database.read { try CosignedLog.find($0, origin: origin)?.checkpoint } }
        }
    }

    /// The latest cosigned checkpoint of the log whose origin has this SHA-256; nil if there is none.
    public func note(originHash: Bytes32) throws -> (note: [UInt8], size: UInt64, time: Int64)? {
        let log = try database.readConfirmed { try CosignedLog.find($0, originHash: originHash) }
        guard let log else { return nil }
        return (log.note + Array(log.line.utf8), log.checkpoint.size, log.time)
    }

    /// Writes a copy of the database to a new file, durably and atomically, even while the server runs.
    public func backUp(to path: String) throws { try database.backUp(to: path) }
}

extension Checkpoint {
    /// The note of this checkpoint with the log's own line alone. `note` was verified by `key`.
    fileprivate func signedNote(_ note: [UInt8], by key: VerifierKey) -> [UInt8] {
        let lines = (try? SignedNote(parsing: note))?.lines(of: key) ?? ""
        return text + [0x0A] + Array(lines.utf8)
    }
}
