import Bytes
import DequeModule
import Dispatch
import Documents
import GRDB
import LogStorage
import Petitions
import Platform
import RingSignatures
import TransparencyLog

/// What all petitions of a server share on the way from a record to its receipt: room for waiting records, threads that
/// verify, and the single thread that commits.
final class AdmissionResources: Sendable {
    /// The most records being processed, of all petitions together; each takes some 4 kB. Any more are refused before
    /// any expensive work.
    static let room = 16_384
    /// This many waiting records are verified immediately when a core is free. Fewer wait for others until it is time
    /// for the next checkpoint: nobody gets a receipt before that, and a ring's records in a batch share its cost.
    static let fullBatch = room / 2

    /// How many wrong proofs are looked for in one batch. The gate demands work before that many come again.
    static let invalidLimit = 16

    let aggregator: Aggregator
    let metrics: AggregatorMetrics
    /// The shortest time from the start of one commit of a petition to the start of its next, which keeps checkpoints
    /// apart.
    let publishInterval: Duration
    /// How many batches are verified at the same time.
    let cores: Int
    private let inside = Mutex(0)
    private let arrivals = Mutex(Arrivals())
    /// Keeps wrong proofs from taking up all the time.
    let gate: ProofOfWorkGate
    private let decoding: LowPriorityThreadPool
    private let verification: LowPriorityThreadPool
    private let commits = DispatchQueue(label: "roundrobin.commits")

    init(aggregator: Aggregator, metrics: AggregatorMetrics, publishInterval: Duration, cores: Int) {
        self.aggregator = aggregator
        self.metrics = metrics
        self.publishInterval = publishInterval
        self.cores = cores
        gate = ProofOfWorkGate(interval: publishInterval)
        decoding = LowPriorityThreadPool(count: cores, name: "decoding")
        verification = LowPriorityThreadPool(count: cores, name: "verification")
    }

    /// Returns true if there is room for one more record, which then counts until ``leave()``.
    func enter() -> Bool {
        let isInside = inside.withLock { count in
            guard count < Self.room else { return false }
            count += 1
            return true
        }
        return isInside
    }

    /// The number of records being processed.
    var count: Int { inside.withLock { $0 } }

    func leave() { inside.withLock { $0 -= 1 } }

    /// A record being processed.
    struct Submission: Sendable {
        let record: SubmittedRecord
        /// Its leaf hash as an entry: it identifies these bytes here, and decides the order inside a commit.
        let leaf: Bytes32
        /// The bits of work that it was accepted for.
        let paidBits: UInt64
    }

    // MARK: Reading

    /// A record that came in, and the request that waits for it to be read.
    private struct Arrival {
        let bytes: [UInt8]
        let paidBits: UInt64
        let electorate: Electorate
        let petition: PublishedPetition
        let continuation: CheckedContinuation<(submission: Submission, receipt: LogProof?), any Error>
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
    func parse(
        _ bytes: [UInt8], paidBits: UInt64, electorate: Electorate, for petition: PublishedPetition
    ) async throws -> (submission: Submission, receipt: LogProof?) {
        try await withCheckedThrowingContinuation { continuation in
            let arrival = Arrival(
                bytes: bytes, paidBits: paidBits, electorate: electorate, petition: petition, continuation: continuation
            )
            if arrivals.withLock({ $0.append(arrival) }) { decoding.run { self.readArrivals() } }
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
                    return (Submission(record: record, leaf: leaf, paidBits: arrival.paidBits), receipt)
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

    // MARK: Verification

    /// What verification found about a record.
    enum Verdict: Sendable {
        /// The proof holds.
        case verified(VerifiedRecord, leaf: Bytes32)
        /// The proof does not hold.
        case refused
        /// Too many others in the batch were wrong for this one to be decided.
        case undecided
    }

    /// Verifies records of one petition together, off the threads that serve everybody else.
    func verify(_ submissions: [Submission], of petition: CollectedPetition) async -> [Verdict] {
        await withCheckedContinuation { continuation in
            verification.run { continuation.resume(returning: self.judge(submissions, of: petition)) }
        }
    }

    private func judge(_ submissions: [Submission], of petition: CollectedPetition) -> [Verdict] {
        let start = ContinuousClock.now
        let base = PetitionBase(petition: petition.manifest.id.bytes)
        let results = VerifiedRecord.verify(
            submissions.map(\.record), petition: base, invalidLimit: Self.invalidLimit)
        var wrong: [(bytes: [UInt8], paidBits: UInt64)] = []
        let verdicts = zip(submissions, results).map { submission, result -> Verdict in
            switch result {
            case .success(let verified): return .verified(verified, leaf: submission.leaf)
            case .failure:
                wrong.append((submission.record.bytes, submission.paidBits))
                return .refused
            case nil: return .undecided
            }
        }
        gate.found(wrong: wrong, of: petition.manifest.id)
        metrics.verified(submissions.count, in: ContinuousClock.now - start)
        return verdicts
    }

    // MARK: Commit

    /// Publishes what is committed of a petition; returns whether that succeeded.
    func publish(_ petition: PublishedPetition) async -> Bool {
        await withCheckedContinuation { continuation in
            commits.async { continuation.resume(returning: (try? petition.publish()) != nil) }
        }
    }

    /// Commits what may enter, publishes the checkpoint over it, and returns the receipts. Commits of all petitions run
    /// one after the other, as the database requires.
    func commit(_ verdicts: [Verdict], to petition: PublishedPetition) async -> [Result<
        RecordSequencer.Answer, any Error
    >] {
        await withCheckedContinuation { continuation in
            commits.async {
                let start = ContinuousClock.now
                let answers: [Result<RecordSequencer.Answer, any Error>]
                do {
                    answers = try PetitionCommit(aggregator: self.aggregator, petition: petition).run(verdicts)
                    self.metrics.committed(in: ContinuousClock.now - start)
                } catch {
                    self.metrics.commitFailed()
                    answers = verdicts.map { _ in .failure(error) }
                }
                continuation.resume(returning: answers)
            }
        }
    }
}
