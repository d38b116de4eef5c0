import Bytes
import Foundation
import LogStorage
import PostgresCluster
import Sodium
import Storage
import Testing
import TransparencyLog

/// A log on a PostgreSQL server that dies, and is replaced by its standby.
@Suite struct PostgresLogTests {
    private static let origin = "localhost:1/log"

    private final class Key: Sendable {
        let secret = Ed25519SecretKey(seed: SecretBytes(copying: [UInt8](repeating: 5, count: 32)))
    }
    private let key = Key()
    private let memory: PublishedCheckpoints

    init() {
        let folder = FileManager.default.temporaryDirectory.appending(path: "roundrobin-log-\(UUID().uuidString)")
        memory = PublishedCheckpoints(folder: folder.path)
    }

    private static func open(
        _ address: String, standbys: Int = 0, patience: Duration = .seconds(10)
    ) throws -> PostgresStorage {
        try PostgresStorage(
            PostgresAddress(address), schema: "test", isNew: true, standbys: standbys, patience: patience,
            migrations: [StoredLog.tables])
    }

    private func create(_ database: any Storage) throws -> StoredLog {
        let log = try database.write { try StoredLog.create($0, origin: Self.origin, key: key.secret, now: 1) }
        try memory.remember(head(log, database), key: key.secret.publicKey, in: database)
        return log
    }

    private func head(_ log: StoredLog, _ database: any Storage) throws -> StoredLog.Head {
        try database.read { try log.head($0) }
    }

    private func append(
        _ text: String, _ log: StoredLog, _ database: any Storage, _ then: () throws -> Void = {}
    ) throws -> StoredLog.Head {
        try database.write { db in
            let head = try log.append(db, [Array(text.utf8)], key: key.secret, now: 2)
            try then()
            return head
        }
    }

    /// A database that does something when what is published has been confirmed.
    private struct Confirming: Storage {
        let base: any Storage
        let then: @Sendable () throws -> Void
        var mayWait: Bool { base.mayWait }
        func read<T>(_ body: (Transaction) throws -> T) throws -> T { try base.read(body) }
        func readOutsideTransaction<T>(_ body: (Transaction) throws -> T) throws -> T {
            try base.readOutsideTransaction(body)
        }
        func write<T>(_ body: (Transaction) throws -> T) throws -> T { try base.write(body) }
        func writeConfirmed<T>(_ body: (Transaction) throws -> T) throws -> T { try base.writeConfirmed(body) }
        func writeRepeatable(_ body: (Transaction) throws -> Void) throws { try base.writeRepeatable(body) }
        func readConfirmed<T>(_ body: (Transaction) throws -> T) throws -> T {
            let value = try base.readConfirmed(body)
            try then()
            return value
        }
        func standbyCount() throws -> StandbyCount? { try base.standbyCount() }
        func takeOver() throws -> Bool { try base.takeOver() }
        func stayInOffice() throws { try base.stayInOffice() }
        func compact() throws { try base.compact() }
        func forgetOrder() throws { try base.forgetOrder() }
        func backUp(to path: String) throws { try base.backUp(to: path) }
        func integrityProblems() throws -> [String] { try base.integrityProblems() }
        func close() throws { try base.close() }
    }

    /// A step of a commit and its publication, after which the primary is killed.
    enum Step: CaseIterable { case written, waiting, committed, confirmed, remembered }

    /// The primary is killed after each step, and its standby takes its place: what was published is there, and what
    /// comes next follows it.
    @Test(arguments: Step.allCases) func thePrimaryIsKilledAfter(_ step: Step) throws {
        let primary = try PostgresCluster()
        let standby = try PostgresCluster(name: "s1", standbyOf: primary)
        try primary.set("synchronous_standby_names", "'s1'")
        try primary.wait(until: "sync", to: "SELECT sync_state FROM pg_stat_replication")
        let database = try Self.open(primary.address, standbys: 1)
        let log = try create(database)
        try memory.remember(append("first", log, database), key: key.secret.publicKey, in: database)

        var isPublished = false
        func publish(_ head: StoredLog.Head, _ database: any Storage) {
            isPublished = (try? memory.remember(head, key: key.secret.publicKey, in: database)) != nil
        }
        switch step {
        case .written:
            #expect(throws: StorageError.self) { _ = try append("second", log, database) { try primary.kill() } }
        case .waiting:
            try standby.pauseReceiver()
            let write = Background { [self] in (try? append("second", log, database)) == nil }
            try primary.wait(until: "1", to: "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
            try primary.kill()
            #expect(write.end(), "what only one machine has is acknowledged")
            try standby.stop("immediate")
            try standby.start()
        case .committed:
            let head = try append("second", log, database)
            try primary.kill()
            publish(head, database)
            #expect(!isPublished)
        case .confirmed:
            publish(try append("second", log, database), Confirming(base: database) { try primary.kill() })
            #expect(isPublished)
        case .remembered:
            publish(try append("second", log, database), database)
            try primary.kill()
            #expect(isPublished)
        }
        try standby.promote()

        let new = try Self.open(standby.address)
        try memory.check(log, key: key.secret.publicKey, in: new)
        let size = try head(log, new).checkpoint.size
        #expect(isPublished ? size == 2 : size == 1 || size == 2)
        if [.written, .waiting].contains(step) { #expect(size == 1) }
        // What was not acknowledged is sent again.
        if size == 1 { try memory.remember(append("second", log, new), key: key.secret.publicKey, in: new) }
        try memory.remember(append("third", log, new), key: key.secret.publicKey, in: new)
        #expect(try new.read { try log.entries($0, 0..<9) } == ["first", "second", "third"].map { Array($0.utf8) })
        #expect(try new.read { try log.check($0, key: key.secret.publicKey) { _, _ in } } == [])
    }

    /// Without synchronous standbys, something is lost: the standby that became the primary is behind. Nothing is
    /// published from it, neither by a server that starts on it nor by one that runs and finds itself there.
    @Test func aStandbyThatIsBehind() throws {
        let primary = try PostgresCluster()
        let standby = try PostgresCluster(name: "s1", standbyOf: primary)
        try primary.wait(forStandbys: 1)
        let both = primary.address.replacingOccurrences(
            of: "127.0.0.1:\(primary.port)", with: "127.0.0.1:\(primary.port),127.0.0.1:\(standby.port)")
        let database = try Self.open(both + "?target_session_attrs=read-write")
        let log = try create(database)
        try memory.remember(append("first", log, database), key: key.secret.publicKey, in: database)
        try primary.wait(
            until: "t", to: "SELECT bool_and(flush_lsn = pg_current_wal_flush_lsn()) FROM pg_stat_replication")
        try standby.pauseReceiver()
        for text in ["second", "third"] {
            try memory.remember(append(text, log, database), key: key.secret.publicKey, in: database)
        }
        try primary.kill()
        try standby.stop("immediate")
        try standby.start()
        try standby.promote()

        #expect(throws: StorageError.rolledBack(origin: Self.origin, published: 3, stored: 1)) {
            try memory.check(log, key: key.secret.publicKey, in: Self.open(standby.address))
        }
        // Also when it has grown to what was published, and past it.
        let shorter = try append("other", log, database)
        #expect(throws: StorageError.rolledBack(origin: Self.origin, published: 3, stored: 2)) {
            try memory.remember(shorter, key: key.secret.publicKey, in: database)
        }
        for _ in 3...5 {
            let head = try append("other", log, database)
            #expect(throws: StorageError.otherThanPublished(origin: Self.origin, size: 3)) {
                try memory.remember(head, key: key.secret.publicKey, in: database)
            }
        }
        #expect(throws: StorageError.otherThanPublished(origin: Self.origin, size: 3)) {
            try memory.check(log, key: key.secret.publicKey, in: database)
        }
    }

    /// A head that somebody else moved on is not signed over, whatever the engine let through.
    @Test func aHeadThatMovedIsNotSignedOver() throws {
        let primary = try PostgresCluster()
        let database = try Self.open(primary.address)
        let log = try create(database)
        #expect(throws: StorageError.deposed) {
            try database.write { db in
                // A row that no update reaches stands for a change that this transaction does not see.
                try db.execute(script: "CREATE RULE nobody AS ON UPDATE TO log DO INSTEAD NOTHING")
                _ = try log.append(db, [[1]], key: key.secret, now: 2)
            }
        }
        #expect(try head(log, database).checkpoint.size == 0)
    }
}
