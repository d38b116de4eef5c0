import Foundation
import Platform
import PostgresCluster
import Storage
import Testing

/// What a database must do, whatever its engine.
@Suite struct StorageTests {
    enum Engine: String, CaseIterable { case sqlite, postgresql }

    /// A database of a test's own, with a table of each kind.
    private final class Database {
        let folder: URL
        let cluster: PostgresCluster?
        private(set) var storage: any Storage

        static let tables = Migration("things") { db in
            try db.execute(
                script: """
                    CREATE TABLE maker (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
                    CREATE TABLE thing (
                        maker INTEGER NOT NULL REFERENCES maker(id), mark BLOB NOT NULL, size INTEGER, note TEXT,
                        PRIMARY KEY (maker, mark)
                    ) STRICT, WITHOUT ROWID;
                    """)
        }

        init(_ engine: Engine) throws {
            folder = FileManager.default.temporaryDirectory.appending(path: "storage-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            cluster = engine == .sqlite ? nil : try PostgresCluster()
            storage = try Self.open(folder, cluster, [Self.tables])
        }

        deinit {
            try? storage.close()
            try? FileManager.default.removeItem(at: folder)
        }

        private static func open(
            _ folder: URL, _ cluster: PostgresCluster?, _ migrations: [Migration]
        ) throws -> any Storage {
            guard let cluster else {
                return try SQLiteStorage(path: folder.appending(path: "test.sqlite").path, migrations: migrations)
            }
            return try PostgresStorage(
                PostgresAddress(cluster.address), schema: "test", isNew: true, standbys: 0, migrations: migrations)
        }

        /// Another program that opens the same database.
        func again(_ migrations: [Migration] = [tables]) throws -> any Storage {
            try Self.open(folder, cluster, migrations)
        }
    }

    private func mark(_ number: Int) -> Data { Data("mark \(number)".utf8) }

    private func addMaker(_ storage: any Storage, _ name: String) throws -> Int64 {
        try #require(
            try storage.write {
                try Int64.fetchOne($0, sql: "INSERT INTO maker (name) VALUES (?) RETURNING id", arguments: [name])
            })
    }

    @Test(arguments: Engine.allCases) func valuesComeBackAsTheyWere(_ engine: Engine) throws {
        let database = try Database(engine)
        let maker = try addMaker(database.storage, "Ünal \u{0} 'x' ?".replacingOccurrences(of: "\u{0}", with: "0"))
        let values: [(size: Int64?, note: String?, mark: Data)] = [
            (0, "", Data()), (nil, nil, Data([0])), (.max, "ß\n\"\\", Data(0...255)), (.min, "–", Data([255, 0])),
            (-1, String(repeating: "x", count: 100_000), Data(repeating: 7, count: 100_000)),
        ]
        try database.storage.write { db in
            for value in values {
                let changes = try db.execute(
                    sql: "INSERT INTO thing (maker, mark, size, note) VALUES (?, ?, ?, ?)",
                    arguments: [maker, value.mark, value.size, value.note])
                #expect(changes == 1)
            }
        }
        for value in values {
            let row = try #require(
                try database.again().read {
                    try Row.fetchOne(
                        $0, sql: "SELECT size, note FROM thing WHERE maker = ? AND mark = ?",
                        arguments: [maker, value.mark])
                })
            #expect(row["size"] as Int64? == value.size && row["note"] as String? == value.note)
        }
        #expect(try database.storage.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM thing") } == values.count)
    }

    @Test(arguments: Engine.allCases) func whatThrowsIsNotKept(_ engine: Engine) throws {
        struct Stop: Error {}
        let database = try Database(engine)
        #expect(throws: Stop.self) {
            try database.storage.write { db in
                try db.execute(sql: "INSERT INTO maker (name) VALUES (?)", arguments: ["a"])
                throw Stop()
            }
        }
        // Neither what breaks a rule of the tables; and the next write is not disturbed.
        #expect(throws: StorageError.self) {
            try database.storage.write { db in
                try db.execute(sql: "INSERT INTO maker (name) VALUES (?)", arguments: ["b"])
                try db.execute(sql: "INSERT INTO maker (name) VALUES (?)", arguments: ["b"])
            }
        }
        #expect(throws: StorageError.self) {
            try database.storage.write {
                try $0.execute(sql: "INSERT INTO thing (maker, mark) VALUES (?, ?)", arguments: [99, mark(1)])
            }
        }
        _ = try addMaker(database.storage, "c")
        #expect(try database.storage.read { try String.fetchAll($0, sql: "SELECT name FROM maker") } == ["c"])
    }

    /// Two programs that count up what they read: none of it is lost.
    @Test(arguments: Engine.allCases) func writesComeOneAfterTheOther(_ engine: Engine) async throws {
        let database = try Database(engine)
        let maker = try addMaker(database.storage, "a")
        try database.storage.write {
            try $0.execute(
                sql: "INSERT INTO thing (maker, mark, size) VALUES (?, ?, 0)", arguments: [maker, mark(1)])
        }
        let storages = [database.storage, try database.again(), try database.again()]
        await withTaskGroup(of: Void.self) { group in
            for storage in storages {
                group.addTask {
                    for _ in 0..<50 {
                        try? storage.write { db in
                            let size = try Int64.fetchOne(db, sql: "SELECT size FROM thing") ?? 0
                            try db.execute(sql: "UPDATE thing SET size = ?", arguments: [size + 1])
                        }
                    }
                }
            }
        }
        #expect(try database.storage.read { try Int.fetchOne($0, sql: "SELECT size FROM thing") } == 150)
    }

    @Test(arguments: Engine.allCases) func aReadSeesOneState(_ engine: Engine) throws {
        let database = try Database(engine)
        _ = try addMaker(database.storage, "a")
        let other = try database.again()
        try database.storage.read { db in
            #expect(try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM maker") == 1)
            _ = try addMaker(other, "b")
            #expect(try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM maker") == 1)
        }
        #expect(
            try database.storage.readOutsideTransaction { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM maker") } == 2
        )
        #expect(throws: StorageError.self) {
            try database.storage.read { try $0.execute(sql: "DELETE FROM maker") }
        }
    }

    @Test(arguments: Engine.allCases) func manyRowsAndKeys(_ engine: Engine) throws {
        let database = try Database(engine)
        let maker = try addMaker(database.storage, "a")
        let columns = ["maker", "mark", "size", "note"]
        try database.storage.write { db in
            try db.insert(into: "thing", columns, [])
            for range in [0..<3, 3..<5000] {
                try db.insert(
                    into: "thing", columns,
                    range.map { [maker, mark($0), $0 % 7 == 0 ? nil : $0, $0 % 3 == 0 ? nil : "n\($0)"] })
            }
        }
        let keys = [4999, 0, 5000, 2, 2, 777].map(mark)
        let rows = try database.storage.read {
            try $0.lookUp(
                keys, sql: "SELECT size, note FROM thing WHERE maker = ? AND mark = ?", arguments: [maker])
        }
        #expect(rows.map { $0.map { $0["size"] as Int? } } == [4999, .some(nil), nil, 2, 2, .some(nil)])
        #expect(rows[0]?["note"] as String? == "n4999" && rows[1]?["note"] as String? == nil)
        #expect(try database.storage.read { try $0.lookUp([], sql: "SELECT 1 WHERE 1 = ?") }.isEmpty)
        // Row by row, while other statements run.
        try database.storage.read { db in
            let all = try db.cursor(
                sql: "SELECT mark, size FROM thing WHERE maker = ? ORDER BY mark", arguments: [maker])
            var marks: [Data] = []
            while let row = try all.next() {
                marks.append(row["mark"])
                if marks.count % 1000 == 0 { #expect(try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM maker") == 1) }
            }
            #expect(marks == (0..<5000).map(mark).sorted { $0.lexicographicallyPrecedes($1) })
        }
        // One that was there before is refused with all others.
        #expect(throws: StorageError.self) {
            try database.storage.write {
                try $0.insert(into: "thing", columns, (4990..<5100).map { [maker, mark($0), $0, nil] })
            }
        }
        #expect(try database.storage.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM thing") } == 5000)
    }

    /// Texts are ordered by their bytes, as they are compared everywhere else.
    @Test(arguments: Engine.allCases) func textsAreOrderedByTheirBytes(_ engine: Engine) throws {
        let database = try Database(engine)
        let names = ["a", "B", "ä", "Z", "-", "_", "aa", "a b"]
        for name in names { _ = try addMaker(database.storage, name) }
        let sorted = try database.storage.read { try String.fetchAll($0, sql: "SELECT name FROM maker ORDER BY name") }
        #expect(sorted == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    }

    @Test(arguments: Engine.allCases) func tablesAreBroughtUpToDateOnce(_ engine: Engine) throws {
        let database = try Database(engine)
        let more = Migration("more") { try $0.execute(script: "CREATE TABLE more (id INTEGER PRIMARY KEY) STRICT;") }
        let newer = try database.again([Database.tables, more])
        try newer.write { try $0.execute(sql: "INSERT INTO more (id) VALUES (?)", arguments: [1]) }
        let again = try database.again([Database.tables, more])
        #expect(try again.read { try Int.fetchOne($0, sql: "SELECT id FROM more") } == 1)
        // An older program does not guess what a newer one has changed.
        #expect(throws: StorageError.newer) { try database.again() }
    }

    @Test(arguments: Engine.allCases) func aBackupHasEverything(_ engine: Engine) throws {
        let database = try Database(engine)
        let maker = try addMaker(database.storage, "a")
        try database.storage.write {
            try $0.insert(
                into: "thing", ["maker", "mark", "size"],
                (0..<12_345).map { [maker, mark($0), $0 % 2 == 0 ? nil : $0] })
        }
        let path = database.folder.appending(path: "copy.sqlite").path
        try database.storage.backUp(to: path)
        let files = try FileManager.default.contentsOfDirectory(atPath: database.folder.path)
        #expect(files.filter { $0.hasPrefix("copy") } == ["copy.sqlite"])
        let copy = try SQLiteStorage(path: path, migrations: [Database.tables])
        let sums = "SELECT COUNT(*) AS number, CAST(SUM(size) AS BIGINT) AS sum FROM thing"
        for storage in [database.storage, copy as any Storage] {
            let row = try #require(try storage.read { try Row.fetchOne($0, sql: sums) })
            #expect(row["number"] as Int == 12_345 && row["sum"] as Int == 38_093_584)
        }
        #expect(try copy.integrityProblems().isEmpty && database.storage.integrityProblems().isEmpty)
        // Never over another.
        #expect(throws: CocoaError.self) { try database.storage.backUp(to: path) }
    }
}
