import Bytes
import Foundation
import LogStorage
import PostgresCluster
import Sodium
import Storage
import Testing
import TransparencyLog

/// The durable storage of a log: what it must keep, and what it must never publish.
@Suite struct StoredLogTests {
    private let folder: URL
    private let database: any Storage
    private static let origin = "localhost:1/log"

    private final class Key: Sendable {
        let secret = Ed25519SecretKey(seed: SecretBytes(copying: [UInt8](repeating: 5, count: 32)))
    }
    private let key = Key()

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "roundrobin-store-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        database = try Self.make(folder)
        try database.write { _ = try StoredLog.create($0, origin: Self.origin, key: key.secret, now: 1) }
    }

    private static let kept = ServerDatabase("test", [StoredLog.tables])

    /// A new database.
    private static func make(_ folder: URL) throws -> any Storage {
        if TestEngine.isPostgres {
            let location = DatabaseLocation.server(try PostgresAddress(TestEngine.newDatabase()), standbys: 0)
            try kept.make(in: folder.path, at: location) { _ in }
        }
        return try open(folder)
    }

    private static func open(_ folder: URL) throws -> any Storage { try kept.open(in: folder.path) }

    private func log() throws -> StoredLog {
        try #require(try database.read { try StoredLog.find($0, origin: Self.origin) })
    }

    private func append(_ range: Range<Int>) throws {
        let log = try log()
        try database.write { db in
            _ = try log.append(db, range.map { Array("entry-\($0)".utf8) }, key: key.secret, now: 2)
        }
    }

    @Test func everyResourceOfEveryPublishedSizeIsServedAndNeverChanges() throws {
        var published: [String: [UInt8]] = [:]
        var size = 0
        for step in [1, 4, 250, 1, 1, 256, 300] {
            try append(size..<size + step)
            size += step
            let log = try log()
            for request in TileRequest.all(size: UInt64(size)) {
                let bytes = try #require(
                    try database.read { try log.resource($0, path: request.path) }, "\(request.path)")
                if let before = published[request.path] { #expect(before == bytes) }
                published[request.path] = bytes
            }
            for (path, bytes) in published { #expect(try database.read { try log.resource($0, path: path) } == bytes) }
        }
        let log = try log()
        for path in [
            "tile/0/900", "tile/7/000", "tile/entries/003.p/255", "tile/0/x018/x446/x744/x073/x709/x551/999", "x",
        ] {
            #expect(try database.read { try log.resource($0, path: path) } == nil)
        }
    }

    @Test func checkpointsReceiptsAndRootsAgreeWithTheEntries() throws {
        try append(0..<600)
        let log = try log()
        let verifier = VerifierKey(name: Self.origin, publicKey: key.secret.publicKey)
        var tree = GrowingTree()
        for index in 0..<600 { tree.append(MerkleHash.leaf(Array("entry-\(index)".utf8))) }
        let head = try database.read { try log.head($0) }
        #expect(head.checkpoint.root == tree.root && head.checkpoint.size == 600)
        for index in [0, 1, 255, 256, 511, 512, 599] {
            let receipt = try database.read { try log.receipt($0, at: UInt64(index)) }
            let leaf = MerkleHash.leaf(Array("entry-\(index)".utf8))
            #expect(try receipt.verify(leaf: leaf, key: verifier).size == 600)
        }
        #expect(throws: MerkleProver.Failure.outOfRange) { try database.read { try log.receipt($0, at: 600) } }
    }

    /// A record of what was published that cannot be read at the moment is neither lost nor damaged: nothing of it may
    /// be written over.
    @Test func whatWasPublishedAndCannotBeReadIsSaidSo() throws {
        let memory = PublishedCheckpoints(folder: folder.appending(path: "published").path)
        let log = try log()
        try memory.remember(try database.read { try log.head($0) }, key: key.secret.publicKey, in: database)
        try memory.check(log, key: key.secret.publicKey, in: database)
        let path = memory.path(of: Self.origin)
        try FileManager.default.removeItem(atPath: path)
        // Whoever runs the tests may read everything, but nobody a link to itself.
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path)
        let error = #expect(throws: StorageError.self) {
            try memory.check(log, key: key.secret.publicKey, in: database)
        }
        #expect(error?.explanation.contains("cannot be read: \(path)") == true, "\(String(describing: error))")
    }

    /// A database that lacks a whole log is older than what was published.
    @Test func aLogThatIsMissingIsMissed() throws {
        let memory = PublishedCheckpoints(folder: folder.appending(path: "published").path)
        let log = try log()
        try append(0..<3)
        let head = try database.read { try log.head($0) }
        try memory.remember(head, key: key.secret.publicKey, in: database)
        try memory.check(key: key.secret.publicKey, in: database)
        #expect(try memory.size(of: Self.origin, key: key.secret.publicKey) == 3)
        let other = folder.appending(path: "other")
        try FileManager.default.createDirectory(at: other, withIntermediateDirectories: true)
        let empty = try Self.make(other)
        #expect(throws: StorageError.rolledBack(origin: Self.origin, published: 3, stored: 0)) {
            try memory.check(key: key.secret.publicKey, in: empty)
        }
        // What is none of ours does not matter.
        try Data().write(to: folder.appending(path: "published/notes.txt"))
        try memory.check(key: key.secret.publicKey, in: database)
    }

    @Test func aFailedTransactionKeepsNothing() throws {
        struct Stop: Error {}
        try append(0..<3)
        let log = try log()
        let before = try database.read { try log.head($0).note }
        #expect(throws: Stop.self) {
            try database.write { db in
                _ = try log.append(db, [[1], [2]], key: key.secret, now: 3)
                throw Stop()
            }
        }
        #expect(try database.read { try log.head($0).note } == before)
        #expect(try database.read { try log.entry($0, at: 3) } == nil)
        try append(3..<5)
        #expect(try database.read { try log.head($0).checkpoint.size } == 5)
    }

    @Test func whatWasWrittenIsThereAfterReopening() throws {
        try append(0..<300)
        let note = try database.read { db in try StoredLog.find(db, origin: Self.origin)?.head(db).note }
        try database.close()
        let reopened = try Self.open(folder)
        #expect(try reopened.read { db in try StoredLog.find(db, origin: Self.origin)?.head(db).note } == note)
        let file = TestEngine.isPostgres ? "database" : "test.sqlite"
        let mode = try FileManager.default.attributesOfItem(atPath: folder.appending(path: file).path)
        #expect(mode[.posixPermissions] as? Int == 0o600)
    }

    @Test func aDamagedTileStopsTheLogInsteadOfSigningSomethingElse() throws {
        try append(0..<5)
        try database.write { try $0.execute(sql: "UPDATE logTile SET hashes = ?", arguments: [Data(count: 160)]) }
        #expect(throws: StorageError.self) { try append(5..<6) }
        #expect(try database.read { db in try StoredLog.find(db, origin: Self.origin)?.head(db).checkpoint.size } == 5)
    }

    @Test func aFileThatIsNoDatabaseIsNamed() throws {
        let path = folder.appending(path: "other.sqlite").path
        try Data(repeating: 7, count: 8192).write(to: URL(filePath: path))
        #expect(throws: StorageError.self) { try SQLiteStorage(path: path, migrations: [StoredLog.tables]) }
    }
}

/// Disks of other machines.
@Suite struct NetworkDiskTests {
    private static let mounts = """
        22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
        36 22 0:45 / /mnt/share rw,noatime - nfs4 server:/export rw,vers=4.2
        37 22 0:46 /x /mnt/a\\040b rw shared:2 master:3 - cifs //server/x rw
        38 22 0:47 / /mnt/odd
        """

    @Test(arguments: [("254:1", nil), ("0:45", "nfs4"), ("0:46", "cifs"), ("0:47", nil), ("9:9", nil)])
    func areKnownByTheListOfMounts(_ device: String, _ type: String?) {
        #expect(NetworkDisk.type(ofDevice: device, mounts: Self.mounts) == type)
    }
}
