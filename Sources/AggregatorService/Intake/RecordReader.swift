import Bytes
import DequeModule
import GRDB
import LogStorage
import Petitions
import Platform
import TransparencyLog

/// Reads records from bytes, many at a time and away from the threads that serve everybody, and looks up those that are
/// in the log already.
final class RecordReader: Sendable {
    private let aggregator: Aggregator
    private let arrivals = Mutex(Arrivals())
    private let threads: LowPriorityThreadPool

    init(aggregator: Aggregator, cores: Int) {
        self.aggregator = aggregator
        threads = LowPriorityThreadPool(count: cores, name: "decoding")
    }

    /// A record that came in, and the request that waits for it to be read.
    private struct Arrival {
        let bytes: [UInt8]
        let paidBits: UInt64
        let electorate: Electorate
        let petition: PublishedPetition
        let continuation:
            CheckedContinuation<(submission: AdmissionResources.Submission, receipt: LogProof?), any Error>
    }

    /// Records that wait to be read, and the number of readings that are due: as many as it takes to read them all.
    private struct Arrivals {
        /// How many records are read together, since a query to the database costs more than each of its results.
        private static let together = 64
        private var waiting: Deque<Arrival> = []
        private var readings = 0

        /// Adds a record; returns true when one more reading is now due.
        mutating func append(_ arrival: Arrival) -> Bool {
            waiting.append(arrival)
            guard waiting.count > readings * Self.together else { return false }
            readings += 1
            return true
        }

        /// The records for one of the readings that are due.
        mutating func take() -> [Arrival] {
            readings -= 1
            let taken = Array(waiting.prefix(Self.together))
            waiting.removeFirst(taken.count)
            return taken
        }
    }

    /// Reads a record: layout, ring, points and scalars. If these bytes are already in the log, makes their receipt.
    /// Runs on other threads, since it would block those that serve everybody for too long. Throws a `Rule`.
    func read(
        _ bytes: [UInt8], paidBits: UInt64, electorate: Electorate, for petition: PublishedPetition
    ) async throws -> (submission: AdmissionResources.Submission, receipt: LogProof?) {
        try await withCheckedThrowingContinuation { continuation in
            let arrival = Arrival(
                bytes: bytes, paidBits: paidBits, electorate: electorate, petition: petition, continuation: continuation
            )
            if arrivals.withLock({ $0.append(arrival) }) { threads.run { self.readArrivals() } }
        }
    }

    /// Reads some of the records that have come in.
    private func readArrivals() {
        let taken = arrivals.withLock { $0.take() }
        var read: [(arrival: Arrival, record: SubmittedRecord)] = []
        for arrival in taken {
            do {
                read.append((arrival, try SubmittedRecord(parsing: arrival.bytes, electorate: arrival.electorate)))
            } catch { arrival.continuation.resume(throwing: error) }
        }
        let indices = Result { try self.indicesOfIdentical(read.map { ($0.record, $0.arrival.petition) }) }
        for (position, (arrival, record)) in read.enumerated() {
            arrival.continuation.resume(
                with: Result {
                    let receipt = try indices.get()[position].get().map {
                        try self.receipt(at: $0, in: arrival.petition)
                    }
                    let leaf = MerkleHash.leaf(arrival.bytes)
                    return (
                        AdmissionResources.Submission(record: record, leaf: leaf, paidBits: arrival.paidBits), receipt
                    )
                })
        }
    }

    /// The index at which each record is already in its log, byte for byte; nil for a new record.
    private func indicesOfIdentical(
        _ records: [(SubmittedRecord, PublishedPetition)]
    ) throws -> [Result<UInt64?, any Error>] {
        guard !records.isEmpty else { return [] }
        return try aggregator.database.readOutsideTransaction { db in
            records.map { record, petition in
                Result {
                    let collected = petition.collected
                    guard let state = try collected.tagState(db, record.tag) else { return nil }
                    return try [state.signedAt, state.withdrawnAt].compactMap { $0 }.first {
                        try collected.log.entry(db, at: $0) == record.bytes
                    }
                }
            }
        }
    }

    private func receipt(at index: UInt64, in petition: PublishedPetition) throws -> LogProof {
        // The record is committed; if it could not be published then, publishing is tried again, and may fail.
        if index >= petition.published.head.checkpoint.size { try petition.publish() }
        let head = petition.published.head
        let receipts = try aggregator.database.read { try petition.collected.log.receipts($0, at: [index], in: head) }
        return receipts[0]
    }
}
