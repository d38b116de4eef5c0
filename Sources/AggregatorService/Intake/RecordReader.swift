import Bytes
import DequeModule
import LogStorage
import Petitions
import Platform
import Storage
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
        let continuation: CheckedContinuation<Reading, any Error>
    }

    /// What a record and its tag say before its proof is looked at.
    struct Reading: Sendable {
        /// The record, for verification.
        let submission: AdmissionResources.Submission
        /// The receipt, if these bytes are in the log.
        let receipt: LogProof?
        /// True for a withdrawal of a tag that is not in the log: nothing is withdrawn, whatever its proof says.
        let isOfNothing: Bool
    }

    /// Where a record's tag is in its log.
    private enum Place {
        /// It is not in the log.
        case none
        /// It is, with another record.
        case other
        /// These bytes are at this index.
        case identical(UInt64)
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
    ) async throws -> Reading {
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
        let places = Result { try self.places(of: read.map { ($0.record, $0.arrival.petition) }) }
        for (position, (arrival, record)) in read.enumerated() {
            arrival.continuation.resume(
                with: Result {
                    let submission = AdmissionResources.Submission(
                        record: record, leaf: MerkleHash.leaf(arrival.bytes), paidBits: arrival.paidBits)
                    let place = try places.get()[position].get()
                    guard case .identical(let index) = place else {
                        let isWithdrawal = if case .withdrawal = record { true } else { false }
                        let isNowhere = if case .none = place { true } else { false }
                        return Reading(submission: submission, receipt: nil, isOfNothing: isWithdrawal && isNowhere)
                    }
                    return Reading(
                        submission: submission, receipt: try self.receipt(at: index, in: arrival.petition),
                        isOfNothing: false)
                })
        }
    }

    /// Where the tag of each record is in its log.
    private func places(
        of records: [(SubmittedRecord, PublishedPetition)]
    ) throws -> [Result<Place, any Error>] {
        guard !records.isEmpty else { return [] }
        return try aggregator.database.readOutsideTransaction { db in
            records.map { record, petition in
                Result {
                    let collected = petition.collected
                    guard let state = try collected.tagState(db, record.tag) else { return .none }
                    let index = try [state.signedAt, state.withdrawnAt].compactMap { $0 }.first {
                        try collected.log.entry(db, at: $0) == record.bytes
                    }
                    return index.map { .identical($0) } ?? .other
                }
            }
        }
    }

    private func receipt(at index: UInt64, in petition: PublishedPetition) throws -> LogProof {
        // The record is committed; if it could not be published then, publishing is tried again, and may fail.
        if index >= petition.published.head.checkpoint.size { try petition.publish() }
        let published = petition.published
        guard index < published.head.checkpoint.size else { throw RecordRefusal.awaitsWitnesses(since: nil) }
        let receipts = try aggregator.database.read {
            try published.receipts($0, of: petition.collected.log, at: [index])
        }
        return receipts[0]
    }
}
