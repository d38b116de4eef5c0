import AggregatorService
import ArgumentParser
import Bytes
import CommandSupport
import Documents
import Foundation
import LogStorage
import Petitions
import RingSignatures
import Sodium
import Storage
import TransparencyLog

/// Fills an aggregator with records that nobody signed, as many as for a petition with millions of signatures: entries,
/// tags, counts and tree are realistic, but the proofs are not.
struct Prefill: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put records without proofs into a stopped aggregator, to measure how it is when it is full.")
    @Argument(help: "The folder that prepare made.") var folder: String
    @Option(help: "The aggregator's folder.") var aggregator = "aggregator"
    @Option(help: "How many.") var entries: Int

    func validate() throws {
        guard (1...999_999_999).contains(entries) else { throw ValidationError("--entries takes a number above 0") }
    }

    /// The number of entries appended at once.
    private static let chunk = 1 << 16

    func run() throws {
        let template = try Prepared(folder: folder).records[0]
        let aggregator = try Aggregator(folder: aggregator)
        guard let petition = try aggregator.petitions().first else {
            throw UserError(.usage, "the aggregator has no petition")
        }
        let bar = ProgressBar()
        // One transaction with much memory, since otherwise pages of the random tags would be written thousands of
        // times.
        try aggregator.database.write { db in
            try db.execute(sql: "PRAGMA cache_size = -2000000")
            for start in stride(from: 0, to: entries, by: Self.chunk) {
                let range = start..<min(start + Self.chunk, entries)
                try append(range.count, from: template, to: petition, of: aggregator, db)
                bar.update("entries", done: UInt64(range.upperBound), of: UInt64(entries))
            }
        }
        bar.finish()
        // Record the checkpoint as if it had been published: a server does not start with entries that have no record.
        let head = try aggregator.database.read { try petition.log.head($0) }
        try aggregator.memory.remember(head, key: aggregator.publicKey, in: aggregator.database)
        try aggregator.database.close()
        let attributes = try FileManager.default.attributesOfItem(atPath: self.aggregator + "/aggregator.sqlite")
        let size = (attributes[.size] as? NSNumber)?.doubleValue ?? 0
        let raw = Double(entries * template.count)
        print(
            String(
                format: "%d entries of %d bytes take %.0f MB on the disk: %.3f of their raw bytes", entries,
                template.count,
                size / 1e6, size / raw))
    }

    private func append(
        _ count: Int, from template: [UInt8], to petition: CollectedPetition, of aggregator: Aggregator,
        _ db: Transaction
    ) throws {
        let size = try petition.log.head(db).checkpoint.size
        var records: [[UInt8]] = []
        var tags: [(tag: [UInt8], state: TagState)] = []
        for offset in 0..<count {
            let tag = SystemRandomness.bytes(Bytes32.count)
            var record = template
            record.replaceSubrange(RecordOutline.signature(roll: 0, ring: 0).tagRange, with: tag)
            records.append(record)
            tags.append((tag, TagState(signedAt: size + UInt64(offset), roll: 0, withdrawnAt: nil)))
        }
        try petition.keep(db, tags)
        _ = try petition.log.append(db, records, key: aggregator.noteKey, now: UTCTime.now.seconds)
    }
}
