import Foundation
import PostgresCluster
import Storage
import Testing

/// A database that is moved to a PostgreSQL server and back, however often that is stopped in between.
@Suite struct MovingTests {
    private let cluster: PostgresCluster
    private let folder: URL
    private let location: DatabaseLocation
    private static let kept = ServerDatabase(
        "numbers",
        [
            Migration("numbers") { db in
                try db.execute(
                    script: """
                        CREATE TABLE maker (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
                        CREATE TABLE number (
                            value INTEGER PRIMARY KEY, maker INTEGER NOT NULL REFERENCES maker(id), bytes BLOB
                        ) STRICT;
                        """)
            }
        ])

    init() throws {
        cluster = try PostgresCluster()
        folder = FileManager.default.temporaryDirectory.appending(path: "roundrobin-move-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        location = .server(try PostgresAddress(cluster.address), standbys: 0)
        try Self.kept.make(in: folder.path, at: .file) { storage in
            try storage.write { db in
                try db.execute(sql: "INSERT INTO maker (name) VALUES ('ünïcode ''quoted''')")
                try db.insert(
                    into: "number", ["value", "maker", "bytes"],
                    (1...25_000).map { [$0, 1, $0 % 3 == 0 ? nil : Data("\($0)".utf8)] })
            }
        }
    }

    private func file(_ suffix: String = "") -> URL { folder.appending(path: "numbers.sqlite\(suffix)") }

    private func contents() throws -> [String] {
        let storage = try Self.kept.open(in: folder.path)
        defer { try? storage.close() }
        return try storage.read { db in
            try Row.fetchAll(db, sql: "SELECT value, maker, bytes FROM number ORDER BY value").map { row in
                let bytes = (row["bytes"] as Data?).map { String(decoding: $0, as: UTF8.self) } ?? "none"
                return "\(row["value"] as Int) \(row["maker"] as Int) \(bytes)"
            }
        }
    }

    private func move(_ location: DatabaseLocation) throws {
        try Self.kept.move(in: folder.path, to: location, of: "a") { storage in
            let count = try storage.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM number") }
            #expect(count == 25_000)
        }
    }

    /// New rows get numbers after those that were moved.
    private func addMaker() throws -> Int? {
        let storage = try Self.kept.open(in: folder.path)
        defer { try? storage.close() }
        return try storage.write { try Int.fetchOne($0, sql: "INSERT INTO maker (name) VALUES ('x') RETURNING id") }
    }

    @Test func thereAndBack() throws {
        let before = try contents()
        try move(location)
        #expect(try DatabaseLocation.of(folder: folder.path) == location)
        #expect(try contents() == before)
        #expect(try addMaker() == 2)
        try move(.file)
        #expect(try DatabaseLocation.of(folder: folder.path) == .file)
        #expect(try contents() == before)
        #expect(try addMaker() == 3)
        // What is there from before does not stand in the way.
        try move(location)
        #expect(try contents() == before)
        #expect(try addMaker() == 4)
    }

    /// Whatever was done when a move to a server was stopped, the same call ends it.
    @Test func aMoveToAServerIsStopped() throws {
        let before = try contents()
        // While it copied.
        try cluster.sql("CREATE SCHEMA numbers_moving AUTHORIZATION roundrobin", database: "roundrobin")
        try cluster.sql("CREATE TABLE numbers_moving.number (value BIGINT)", database: "roundrobin")
        try cluster.sql("ALTER TABLE numbers_moving.number OWNER TO roundrobin", database: "roundrobin")
        try move(location)
        #expect(try contents() == before)
        // Before the copy got its name, which came after the file was retired.
        try cluster.sql("ALTER SCHEMA numbers RENAME TO numbers_moving", database: "roundrobin")
        try FileManager.default.removeItem(at: folder.appending(path: "database"))
        #expect(throws: StorageError.moved(to: cluster.address)) { try contents() }
        try move(location)
        #expect(try contents() == before)
        // Before the folder remembered it.
        try FileManager.default.removeItem(at: folder.appending(path: "database"))
        try move(location)
        #expect(try contents() == before)
    }

    @Test func aMoveToAFileIsStopped() throws {
        let before = try contents()
        try move(location)
        let remembered = try Data(contentsOf: folder.appending(path: "database"))
        // While it copied.
        try Data("half a file".utf8).write(to: file(".moving"))
        try move(.file)
        #expect(try contents() == before)
        // Before the copy got its name, which came after the tables of the server were retired.
        for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(at: file(suffix)) }
        try FileManager.default.moveItem(at: file(), to: file(".moving"))
        try remembered.write(to: folder.appending(path: "database"))
        #expect(throws: StorageError.moved(to: file().path)) { try contents() }
        try move(.file)
        #expect(try contents() == before)
        // Before the folder remembered it.
        try remembered.write(to: folder.appending(path: "database"))
        try move(.file)
        #expect(try contents() == before)
    }

    /// What is in use, or not there, is neither overwritten nor taken for something else.
    @Test func whatIsThereStays() throws {
        let other = folder.appending(path: "other").path
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
        try Self.kept.make(in: other, at: location) { _ in }
        let before = try contents()
        #expect(throws: StorageError.occupied(place: cluster.address)) { try move(location) }
        #expect(try contents() == before)
        // Nobody makes an empty database where there was one.
        try cluster.sql("DROP SCHEMA numbers CASCADE", database: "roundrobin")
        #expect(throws: StorageError.absent(place: cluster.address)) { _ = try Self.kept.open(in: other) }
        // A server on another machine works on it.
        try move(location)
        let working = try Self.kept.open(in: folder.path)
        #expect(try working.takeOver())
        #expect(throws: StorageError.atWork(place: cluster.address)) { try move(.file) }
        try working.close()
        #expect(try contents() == before)
        // A copy that is not good retires nothing.
        struct Bad: Error {}
        #expect(throws: Bad.self) { try Self.kept.move(in: folder.path, to: .file, of: "a") { _ in throw Bad() } }
        #expect(try contents() == before)
    }

    /// Two folders that are moved to one place at the same moment do not delete each other's copy.
    @Test func twoFoldersAreMovedToOnePlace() throws {
        let other = folder.appending(path: "other").path
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
        try Self.kept.make(in: other, at: .file) { _ in }
        let before = try contents()
        try Self.kept.move(in: folder.path, to: location, of: "a") { _ in
            #expect(throws: StorageError.moving(to: cluster.address)) {
                try Self.kept.move(in: other, to: location, of: "b") { _ in }
            }
        }
        #expect(throws: StorageError.occupied(place: cluster.address)) {
            try Self.kept.move(in: other, to: location, of: "b") { _ in }
        }
        #expect(try contents() == before)
        #expect(try Self.kept.place(in: other).hasSuffix("numbers.sqlite"))
    }

    /// Another server's copy that is whole, and whose file may be retired, is not deleted.
    @Test func anothersCopyStays() throws {
        let before = try contents()
        try cluster.sql("CREATE SCHEMA numbers_moving AUTHORIZATION roundrobin", database: "roundrobin")
        try cluster.sql("COMMENT ON SCHEMA numbers_moving IS 'another'", database: "roundrobin")
        #expect(throws: StorageError.moving(to: cluster.address)) { try move(location) }
        #expect(try contents() == before)
        // And what is found there when a move goes on is looked at.
        try cluster.sql("DROP SCHEMA numbers_moving", database: "roundrobin")
        try move(location)
        try cluster.sql("ALTER SCHEMA numbers RENAME TO numbers_moving", database: "roundrobin")
        try FileManager.default.removeItem(at: folder.appending(path: "database"))
        #expect(throws: StorageError.otherKey) {
            try Self.kept.move(in: folder.path, to: location, of: "a") { _ in throw StorageError.otherKey }
        }
        try move(location)
        #expect(try contents() == before)
    }

    /// As long as no standby knows that a database is retired, one could go on with it: nobody uses the other place.
    @Test func aMoveIsConfirmed() throws {
        let waiting = DatabaseLocation.server(try PostgresAddress(cluster.address), standbys: 1)
        func isUnconfirmed(_ location: DatabaseLocation) -> Bool {
            do { try move(location) } catch StorageError.unconfirmed { return true } catch {}
            return false
        }
        #expect(isUnconfirmed(waiting))
        try move(location)
        let remembered = "\(cluster.address)\nstandbys 1\n"
        try remembered.write(to: folder.appending(path: "database"), atomically: true, encoding: .utf8)
        for _ in 0..<2 { #expect(isUnconfirmed(.file)) }
        #expect(try DatabaseLocation.of(folder: folder.path) == waiting)
        let standby = try PostgresCluster(name: "s1", standbyOf: cluster)
        try cluster.wait(forStandbys: 1)
        try move(.file)
        #expect(try contents().count == 25_000)
        extendLifetime(standby)
    }

    /// Whoever had it open when it was moved writes no more where nobody reads.
    @Test func whoHasItOpenWritesNoMore() throws {
        func add(_ storage: any Storage) throws {
            try storage.write { try $0.execute(sql: "INSERT INTO maker (name) VALUES ('late')") }
        }
        let file = try Self.kept.open(in: folder.path)
        try move(location)
        #expect(throws: StorageError.moved(to: cluster.address)) { try add(file) }
        let server = try Self.kept.open(in: folder.path)
        try add(server)
        try move(.file)
        #expect(throws: StorageError.self) { try add(server) }
        // What an attempt before left behind is gone.
        try Data().write(to: self.file(".moving.abc.new-wal"))
        try move(location)
        try move(.file)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(!files.contains { $0.contains(".moving") }, "\(files)")
    }

    /// The same database has another address; another database has not.
    @Test func anAddressIsChanged() throws {
        #expect(throws: StorageError.self) { try ServerDatabase.change(location, in: folder.path) {} }
        try move(location)
        let new = DatabaseLocation.server(try PostgresAddress(cluster.address + "?connect_timeout=3"), standbys: 2)
        try ServerDatabase.change(new, in: folder.path) { _ = try contents() }
        #expect(try DatabaseLocation.of(folder: folder.path) == new)
        let wrong = DatabaseLocation.server(
            try PostgresAddress("postgresql://postgres@127.0.0.1:\(cluster.port)/postgres"), standbys: 0)
        #expect(throws: StorageError.self) {
            try ServerDatabase.change(wrong, in: folder.path) { _ = try contents() }
        }
        #expect(try DatabaseLocation.of(folder: folder.path) == new)
    }
}
