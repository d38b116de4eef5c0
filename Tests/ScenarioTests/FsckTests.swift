import Foundation
import GRDB
import Testing

/// What `fsck` of each server finds in a changed database, and that it finds nothing otherwise.
@Suite(.onFiles) struct FsckTests {
    /// Changes the database in `folder` by `sql`, returns what `program` finds, and undoes the change.
    private func finding(_ program: String, in deployment: Deployment, after sql: String) throws -> String {
        let name = String(program.split(separator: "-")[1])
        let path = deployment.folder.appending(path: "\(name)/\(name).sqlite").path
        let kept = deployment.scratch.path("kept.sqlite")
        try deployment.expect(program, "backup", kept)
        let database = try DatabaseQueue(path: path)
        try database.write { db in
            try db.execute(sql: sql)
            #expect(db.changesCount > 0, "\(sql)")
        }
        try database.close()
        let run = try deployment.run(program, "fsck", "--json")
        #expect(run.code == 1, "\(sql): \(run.output)\(run.errors)")
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
        try FileManager.default.moveItem(atPath: kept, toPath: path)
        #expect(try deployment.run(program, "fsck").code == 0)
        return run.output
    }

    @Test func whatDoesNotFollowFromTheEntriesIsFound() throws {
        let deployment = try Deployment(people: 9)
        try deployment.seal(0..<8)
        try deployment.expect("petition-coordinator", "void", "people", "person 8, p8@example.org")
        try deployment.petition()
        for person in 0..<2 { #expect(try deployment.sign(person).code == 0) }
        try deployment.expectSigner(0, "withdraw", with: ["--yes", deployment.petition])
        for program in ["petition-coordinator", "petition-aggregator"] {
            let run = try deployment.run(program, "fsck")
            #expect(run.code == 0 && run.output.contains("All is well"), "\(run.output)\(run.errors)")
        }
        deployment.aggregator?.stop()
        deployment.coordinator?.stop()
        for (sql, words) in [
            ("UPDATE logTile SET hashes = zeroblob(length(hashes)) WHERE level = 0", "is not what the entries give"),
            ("DELETE FROM logEntry WHERE place % 1099511627776 = 1", "is missing"),
            ("UPDATE tag SET withdrawnAt = NULL WHERE withdrawnAt IS NOT NULL", "stored differently"),
            ("DELETE FROM tag WHERE withdrawnAt IS NULL", "is not stored"),
            ("UPDATE count SET signatures = 2, withdrawn = 0", "the counts are not those"),
            ("UPDATE growth SET signatures = signatures + 1", "the history of its growth"),
            ("UPDATE followedRoll SET note = zeroblob(9)", "its descriptor is not kept as it was"),
            ("UPDATE followedLog SET checkpoint = zeroblob(9)", "the signed checkpoint is not one of this log"),
            ("DELETE FROM followedEntry WHERE entryIndex = 1", "entry 1 is missing"),
            (
                "DELETE FROM followedEntry WHERE entryIndex = (SELECT MAX(entryIndex) FROM followedEntry)",
                "the checkpoint is over"
            ),
            ("UPDATE followedEntry SET bytes = zeroblob(length(bytes))", "the root is not that of the entries"),
            ("UPDATE followedEntry SET bytes = zeroblob(length(bytes))", "not those that a petition refers to"),
        ] {
            #expect(try finding("petition-aggregator", in: deployment, after: sql).contains(words), "\(sql)")
        }
        for (sql, words) in [
            ("UPDATE logTile SET hashes = zeroblob(length(hashes)) WHERE level = 0", "is not what the entries give"),
            ("UPDATE code SET state = 1, answer = NULL WHERE state = 2", "the code of entry"),
            ("UPDATE code SET answer = NULL WHERE state = 2", "the code of entry"),
            ("UPDATE roll SET opened = opened + 1", "phase or counts"),
            ("UPDATE code SET state = 1 WHERE state = 3", "the code of entry"),
            ("UPDATE roll SET invited = invited + 1", "phase or counts"),
            ("UPDATE roll SET isJoining = 0", "phase or counts"),
            ("UPDATE member SET ring = 1", "in another ring"),
            ("UPDATE member SET ring = NULL", "in another ring"),
            ("UPDATE petition SET announcedAt = 0", "otherwise than it was announced"),
        ] {
            #expect(try finding("petition-coordinator", in: deployment, after: sql).contains(words), "\(sql)")
        }
    }
}
