import Bytes
import Dispatch
import Documents
import LogStorage
import Petitions
import Platform
import RingSignatures
import Storage
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
    /// Keeps wrong proofs from taking up all the time.
    let gate: ProofOfWorkGate
    /// Reads records.
    let reader: RecordReader
    private let verification: LowPriorityThreadPool
    private let commits = DispatchQueue(label: "roundrobin.commits")

    init(aggregator: Aggregator, metrics: AggregatorMetrics, publishInterval: Duration, cores: Int) {
        self.aggregator = aggregator
        self.metrics = metrics
        self.publishInterval = publishInterval
        self.cores = cores
        gate = ProofOfWorkGate(interval: publishInterval)
        reader = RecordReader(aggregator: aggregator, cores: cores)
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

    /// Why this server must not go on: its database has lost something that was shown, or has something else instead.
    var fault: StorageError? { faults.withLock { $0 } }
    private let faults = Mutex<StorageError?>(nil)

    private func noteFault(_ error: any Error) {
        switch error {
        case let error as StorageError where error.isOfAnotherLog: faults.withLock { $0 = error }
        default: break
        }
    }

    /// Publishes what is committed of a petition. Throws a ``StorageError`` if that cannot be.
    func publish(_ petition: PublishedPetition) async throws { try await inTurnNotingFaults(petition.publish) }

    /// Shows what another server has published of a petition, if that can be told now.
    func follow(_ petition: PublishedPetition) async { try? await inTurnNotingFaults(petition.follow) }

    private func inTurnNotingFaults(_ work: @escaping @Sendable () throws -> Void) async throws {
        do { try await inTurn(work) } catch {
            noteFault(error)
            throw error
        }
    }

    /// Commits what may enter, publishes the checkpoint over it, and returns the receipts. Commits of all petitions run
    /// one after the other, as the database requires. Under a policy, nothing is committed while what was committed
    /// before waits for its quorum.
    func commit(_ verdicts: [Verdict], to petition: PublishedPetition) async -> [Result<
        RecordSequencer.Answer, any Error
    >] {
        let start = ContinuousClock.now
        do {
            let commit = PetitionCommit(aggregator: aggregator, petition: petition)
            let answers: [Result<RecordSequencer.Answer, any Error>]
            if petition.witnesses == nil {
                answers = try await inTurn { try commit.run(verdicts) }
            } else {
                try petition.checkMayGrow()
                let outcomes = try await inTurn { try commit.store(verdicts) }
                try await petition.waitUntilShown()
                answers = try await inTurn { try commit.receipts(outcomes) }
            }
            metrics.committed(in: ContinuousClock.now - start)
            return answers
        } catch {
            if !(error is RecordRefusal) { metrics.commitFailed(error) }
            noteFault(error)
            return verdicts.map { _ in .failure(error) }
        }
    }

    private func inTurn<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            commits.async { continuation.resume(with: Result { try body() }) }
        }
    }
}
