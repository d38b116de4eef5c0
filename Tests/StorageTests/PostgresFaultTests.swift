import Foundation
import Platform
import PostgresCluster
import Storage
import Testing

/// What a PostgreSQL database must not lose, nor say, while its servers fail.
@Suite struct PostgresFaultTests {
    static let tables = Migration("numbers") { db in
        try db.execute(script: "CREATE TABLE number (value INTEGER PRIMARY KEY) STRICT;")
    }

    static func open(
        _ cluster: PostgresCluster, standbys: Int = 0, patience: Duration = .seconds(10)
    ) throws -> PostgresStorage {
        try PostgresStorage(
            PostgresAddress(cluster.address), schema: "test", isNew: true, standbys: standbys, patience: patience,
            migrations: [tables])
    }

    static func add(_ number: Int, _ storage: any Storage) throws {
        try storage.write { try $0.execute(sql: "INSERT INTO number (value) VALUES (?)", arguments: [number]) }
    }

    static func numbers(_ storage: any Storage) throws -> Set<Int> {
        Set(try storage.read { try Int.fetchAll($0, sql: "SELECT value FROM number") })
    }

    /// A primary and a standby `s1`, for which commits wait if `isSynchronous`.
    static func pair(isSynchronous: Bool = true) throws -> (PostgresCluster, PostgresCluster) {
        let primary = try PostgresCluster()
        let standby = try PostgresCluster(name: "s1", standbyOf: primary)
        try primary.wait(forStandbys: 1)
        if isSynchronous {
            try primary.set("synchronous_standby_names", "'s1'")
            try primary.wait(until: "sync", to: "SELECT sync_state FROM pg_stat_replication")
        }
        return (primary, standby)
    }

    private func isUnconfirmed(_ body: () throws -> Void) -> Bool {
        do {
            try body()
            return false
        } catch StorageError.unconfirmed { return true } catch { return false }
    }

    // MARK: Standbys

    /// The primary is killed while programs write, and the standby becomes the primary: what was acknowledged is there.
    @Test func nothingAcknowledgedIsLostWithThePrimary() throws {
        let (primary, standby) = try Self.pair()
        let storage = try Self.open(primary, standbys: 1)
        let acknowledged = Mutex<[Int]>([])
        let writer = Background {
            for number in 0... {
                do {
                    try Self.add(number, storage)
                    acknowledged.withLock { $0.append(number) }
                } catch { return }
            }
        }
        while acknowledged.withLock({ $0.count }) < 100 { usleep(5000) }
        usleep(UInt32.random(in: 0..<50_000))
        try primary.kill()
        writer.end()
        try standby.promote()
        let kept = try Self.numbers(Self.open(standby))
        let known = acknowledged.withLock { $0 }
        #expect(Set(known).isSubset(of: kept), "\(known.count) acknowledged, \(kept.count) kept")
        // One more may have been on its way.
        #expect(kept.count - known.count <= 1)
    }

    /// The same with a standby that stands still. Without synchronous standbys something is lost, or this would prove
    /// nothing; with them, nothing was acknowledged that it does not have.
    @Test(arguments: [true, false]) func aStandbyThatStandsStill(isSynchronous: Bool) throws {
        let (primary, standby) = try Self.pair(isSynchronous: isSynchronous)
        let storage = try Self.open(primary, standbys: isSynchronous ? 1 : 0, patience: .milliseconds(300))
        try Self.add(1, storage)
        try storage.confirm()
        try standby.pauseReceiver()
        var acknowledged: Set = [1]
        for number in 2..<6 {
            do {
                try Self.add(number, storage)
                acknowledged.insert(number)
            } catch StorageError.unconfirmed {}
        }
        #expect(acknowledged == (isSynchronous ? [1] : [1, 2, 3, 4, 5]))
        // They are committed on the primary all the same, where everybody sees them; but nothing of it is published.
        #expect(try Self.numbers(storage) == [1, 2, 3, 4, 5])
        if isSynchronous { #expect(isUnconfirmed { try storage.confirm() }) }
        try primary.kill()
        try standby.stop("immediate")
        try standby.start()
        try standby.promote()
        let kept = try Self.numbers(Self.open(standby))
        #expect(acknowledged.isSubset(of: kept) == isSynchronous, "\(acknowledged) \(kept)")
    }

    /// A wait for a standby that somebody cancels or ends is a warning of PostgreSQL, and a commit on one machine.
    @Test(arguments: ["pg_cancel_backend", "pg_terminate_backend"])
    func aWaitThatIsEndedIsNotAcknowledged(_ function: String) throws {
        let primary = try PostgresCluster()
        let storage = try Self.open(primary, standbys: 1, patience: .seconds(60))
        try primary.synchronise()
        let write = Background { () -> (any Error)? in
            do {
                try Self.add(1, storage)
                return nil
            } catch { return error }
        }
        try primary.wait(until: "1", to: "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        try primary.sql("SELECT \(function)(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        let error = write.end()
        guard case StorageError.unconfirmed = try #require(error) else {
            Issue.record("\(String(describing: error))")
            return
        }
        let late = try Self.open(primary, standbys: 1, patience: .milliseconds(100))
        #expect(try Self.numbers(late) == [1])
        #expect(isUnconfirmed { try late.confirm() })
        // Once the standby has it, it may be published.
        let standby = try PostgresCluster(name: "s1", standbyOf: primary)
        try primary.wait(forStandbys: 1)
        for _ in 0..<50 where isUnconfirmed({ try late.confirm() }) {}
        try late.confirm()
        try Self.add(2, late)
        extendLifetime(standby)
    }

    /// After a standby became the primary, the old one has what nobody was told. It publishes nothing, whatever its
    /// operator does to make it go on.
    @Test func anOldPrimaryPublishesNothing() throws {
        let (primary, standby) = try Self.pair()
        try Self.add(1, Self.open(primary, standbys: 1))
        try primary.kill()
        try standby.promote()
        let new = try Self.open(standby)
        try Self.add(2, new)
        try primary.start()
        let old = try Self.open(primary, standbys: 1, patience: .milliseconds(200))
        #expect(isUnconfirmed { try Self.add(3, old) })
        #expect(isUnconfirmed { try old.confirm() })
        // Without the names, its commits do not wait any more.
        try primary.set("synchronous_standby_names", "''")
        try primary.wait(until: "", to: "SHOW synchronous_standby_names")
        #expect(throws: Never.self) { try Self.add(4, old) }
        #expect(isUnconfirmed { try old.confirm() })
        #expect(try Self.numbers(new) == [1, 2])
    }

    /// An archive, and what follows single tables, receive what is written as well. They are no standbys.
    @Test func onlyStandbysCount() throws {
        let primary = try PostgresCluster(["wal_level = logical"])
        let storage = try Self.open(primary, standbys: 1, patience: .milliseconds(500))
        try primary.sql("SELECT pg_create_logical_replication_slot('other', 'test_decoding')")
        // Also under the name of a standby.
        for name in ["pg_receivewal", "s1"] {
            let folder = primary.folder.appending(path: "archive-\(name)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            // The servers and their programs run as another user.
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path)
            try primary.startReceiver(
                "pg_receivewal", "-D", folder.path, "--synchronous", "--no-loop", "-d", "application_name=\(name)")
        }
        try primary.startReceiver(
            "pg_recvlogical", "-d", "postgres", "--slot", "other", "--start", "-f", "/dev/null", "--no-loop")
        try primary.wait(forStandbys: 3)
        try Self.add(1, storage)
        #expect(isUnconfirmed { try storage.confirm() })
        #expect(try storage.standbyCount() == StandbyCount(present: 0, needed: 1))
    }

    /// A server that stands still keeps nobody waiting for ever, and is used again when it goes on.
    @Test func aServerThatStandsStill() throws {
        let primary = try PostgresCluster()
        let storage = try Self.open(primary, patience: .milliseconds(200))
        #expect(try storage.takeOver())
        try Self.add(1, storage)
        try primary.freeze()
        let start = ContinuousClock.now
        #expect(throws: StorageError.self) { try Self.numbers(storage) }
        #expect(throws: StorageError.connectionLost("the server does not answer")) { try Self.add(2, storage) }
        #expect(throws: StorageError.self) { try storage.standbyCount() }
        #expect(throws: StorageError.self) { try storage.stayInOffice() }
        #expect(ContinuousClock.now - start < .seconds(60))
        try primary.thaw()
        try Self.add(3, storage)
        #expect(try Self.numbers(storage).isSuperset(of: [1, 3]))
        // Its own lock, on a connection that it has given up, is not taken for another's.
        #expect(stays(storage))
    }

    private func stays(_ storage: any Storage) -> Bool {
        for _ in 0..<200 {
            do {
                try storage.stayInOffice()
                return true
            } catch StorageError.busy {} catch { return false }
            usleep(100_000)
        }
        return false
    }

    // MARK: Three machines

    /// A commit waits for one of two standbys, the primary dies while one of them is behind, and the old primary comes
    /// back: as `Protocol/postgresql.md` has it, with the question that it asks.
    @Test func threeMachines() throws {
        let one = try PostgresCluster(["wal_log_hints = on"])
        let two = try PostgresCluster(name: "s1", standbyOf: one)
        let three = try PostgresCluster(name: "s2", standbyOf: one)
        try one.set("synchronous_standby_names", "'ANY 1 (s1, s2)'")
        try one.wait(until: "2", to: "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum'")
        #expect(try PostgresStorage.synchronousStandbys(of: PostgresAddress(one.address)) == 1)
        let hosts = [one, two, three].map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
        let user = PostgresCluster.user
        let storage = try PostgresStorage(
            PostgresAddress("postgresql://\(user)@\(hosts)/\(user)?target_session_attrs=read-write"), schema: "test",
            isNew: true, standbys: 1, migrations: [Self.tables])
        try Self.add(1, storage)
        try two.pauseReceiver()
        try Self.add(2, storage)
        try storage.confirm()
        try one.kill()
        try two.stop("immediate")
        try two.start()

        let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: repository.appending(path: "Protocol/postgresql.md"), encoding: .utf8)
        let question = try #require(page.split(separator: "\n").first { $0.contains("greatest(") })
        let positions = try [two, three].map { try #require(Int($0.sql(String(question)))) }
        #expect(positions[0] < positions[1])
        try three.promote()
        try three.set("synchronous_standby_names", "'ANY 1 (s1, s2)'")
        try two.follow(three, as: "s1")
        try three.wait(forStandbys: 1)
        try Self.add(3, storage)
        try storage.confirm()
        try one.rewind(to: three, as: "s2")
        try three.wait(forStandbys: 2)
        #expect(try storage.standbyCount() == StandbyCount(present: 2, needed: 1))
        try two.kill()
        try Self.add(4, storage)
        try storage.confirm()
        #expect(try Self.numbers(storage) == [1, 2, 3, 4])
    }

    // MARK: Full disks

    /// Nothing more fits into the tables: what does not is refused, and the rest goes on.
    @Test func noRoomForTables() throws {
        let primary = try PostgresCluster(mayBeFull: "/base/")
        let storage = try Self.open(primary)
        try Self.add(1, storage)
        primary.fillDisk()
        #expect(throws: StorageError.full) {
            try storage.write { db in try db.insert(into: "number", ["value"], (2..<50_000).map { [$0] }) }
        }
        #expect(try Self.numbers(storage) == [1])
        try primary.emptyDisk()
        try Self.add(2, storage)
        #expect(try Self.numbers(storage) == [1, 2])
    }

    /// Nothing more fits into the write-ahead log: the server stops, and has what it acknowledged when it goes on.
    @Test func noRoomForTheLogOfThePrimary() throws {
        let primary = try PostgresCluster(mayBeFull: "/pg_wal/")
        let storage = try Self.open(primary)
        try Self.add(1, storage)
        primary.fillDisk()
        #expect(throws: StorageError.self) { try Self.add(2, storage) }
        try primary.emptyDisk()
        try Self.add(3, storage)
        #expect(try Self.numbers(storage) == [1, 3])
    }

    /// The standby has no room: nothing is acknowledged until it has.
    @Test func noRoomOnTheStandby() throws {
        let primary = try PostgresCluster()
        let standby = try PostgresCluster(name: "s1", standbyOf: primary, mayBeFull: "/pg_wal/")
        try primary.set("synchronous_standby_names", "'s1'")
        try primary.wait(until: "sync", to: "SELECT sync_state FROM pg_stat_replication")
        let storage = try Self.open(primary, standbys: 1, patience: .milliseconds(500))
        try Self.add(1, storage)
        standby.fillDisk()
        #expect(isUnconfirmed { try Self.add(2, storage) })
        #expect(isUnconfirmed { try storage.confirm() })
        try standby.emptyDisk()
        try primary.wait(until: "sync", to: "SELECT sync_state FROM pg_stat_replication")
        try Self.add(3, storage)
        try storage.confirm()
        #expect(try Self.numbers(storage).isSuperset(of: [1, 3]))
    }

    // MARK: Lost connections

    /// The server is killed before COMMIT reaches it, or after: nobody knows which, and nothing is acknowledged.
    @Test(arguments: [true, false]) func aConnectionThatIsLostDuringCommit(isCommitted: Bool) throws {
        let primary = try PostgresCluster()
        let storage = try Self.open(primary, patience: .seconds(60))
        if isCommitted {
            // It commits, and waits for a standby that never comes.
            try primary.synchronise()
        }
        let write = Background { () -> (any Error)? in
            do {
                try storage.write { db in
                    try db.execute(sql: "INSERT INTO number (value) VALUES (1)")
                    if !isCommitted { try primary.pauseClients() }
                }
                return nil
            } catch { return error }
        }
        if isCommitted {
            try primary.wait(until: "1", to: "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        } else {
            usleep(500_000)
        }
        try primary.kill()
        let error = write.end()
        guard case StorageError.unconfirmed = try #require(error) else {
            Issue.record("\(String(describing: error))")
            return
        }
        try primary.start()
        #expect(try Self.numbers(storage) == (isCommitted ? [1] : []))
        // What was done or not is found by asking, and can be done again.
        try primary.set("synchronous_standby_names", "''")
        try primary.wait(until: "", to: "SHOW synchronous_standby_names")
        try storage.write { db in
            try db.execute(sql: "INSERT INTO number (value) VALUES (1) ON CONFLICT DO NOTHING")
        }
        #expect(try Self.numbers(storage) == [1])
    }

    /// A request to cancel a wait may arrive late: it must not end what is asked next on the same connection.
    @Test func whatWasCancelledIsNotUsedAgain() throws {
        let primary = try PostgresCluster()
        let storage = try Self.open(primary, patience: .seconds(1))
        struct Stop: Error {}
        func connection() throws -> Int? {
            var number: Int?
            do {
                try storage.write { db in
                    number = try Int.fetchOne(db, sql: "SELECT pg_backend_pid()")
                    throw Stop()
                }
            } catch is Stop {}
            return number
        }
        try primary.synchronise()
        let first = try connection()
        #expect(try connection() == first)
        #expect(isUnconfirmed { try Self.add(1, storage) })
        try primary.set("synchronous_standby_names", "''")
        try primary.wait(until: "", to: "SHOW synchronous_standby_names")
        #expect(try connection() != first && Self.numbers(storage) == [1])
    }

    /// A server that was restarted is used again at once, without a failure.
    @Test func aServerThatWasRestarted() throws {
        let primary = try PostgresCluster()
        let storage = try Self.open(primary)
        try Self.add(1, storage)
        #expect(try Self.numbers(storage) == [1])
        try primary.stop()
        #expect(throws: StorageError.self) { try Self.add(2, storage) }
        #expect(throws: StorageError.self) { try Self.numbers(storage) }
        try primary.start()
        try Self.add(2, storage)
        #expect(try Self.numbers(storage) == [1, 2])
        try primary.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'roundrobin'")
        #expect(try storage.readOutsideTransaction { try Int.fetchOne($0, sql: "SELECT MAX(value) FROM number") } == 2)
        try Self.add(3, storage)
    }
}
