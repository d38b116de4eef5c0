import ArgumentParser
import Bytes
import CommandSupport
import Foundation
import GRDB
import Sodium

/// Fills an aggregator's table of tags, as a petition with millions of signatures has it. Its entries do not match any more:
/// the database is good for measuring and for nothing else.
struct Ballast: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put random tags into a stopped aggregator's database, to measure how it is when it is full.")
    @Argument(help: "The aggregator's folder.") var folder: String
    @Option(help: "How many tags.") var tags: Int

    func run() throws {
        let queue = try DatabaseQueue(path: folder + "/aggregator.sqlite")
        // Sorted, or each would go to another page of a file that is larger than memory is meant for.
        let random = (0..<tags).compactMap { _ in Bytes32(SystemRandomness.bytes(32)) }.sorted()
        let bar = ProgressBar()
        try queue.write { db in
            let insert = try db.makeStatement(
                sql: "INSERT INTO tag (petition, tag, signedAt, roll) VALUES (1, ?, ?, 0)")
            for (index, tag) in random.enumerated() {
                try insert.execute(arguments: [Data(tag.array), (1 << 32) + Int64(index)])
                if index % 4096 == 0 { bar.update("tags", done: UInt64(index), of: UInt64(tags)) }
            }
        }
        bar.finish()
        try queue.close()
    }
}
