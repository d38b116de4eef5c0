import Bytes
import Petitions
import RingSignatures
import TransparencyLog

/// The way of one petition's records from the cheap checks to their receipts.
///
/// Records that wait together are verified together: as soon as there is a full batch, and at a cut, made as long
/// before the next checkpoint may come as verification takes, or one interval after a cut of which nothing was left.
/// Everything that came in until then goes into its commit, while later records wait. No sooner: what a ring costs is
/// shared by its records in a batch.
actor RecordSequencer {
    /// What became of a record.
    enum Answer: Sendable {
        /// It entered: the receipt.
        case entered(LogProof)
        /// The tag was counted before, by these bytes or others: that receipt.
        case known(LogProof)
    }

    private struct Batch {
        let number: Int
        let submissions: [AdmissionResources.Submission]
    }

    private struct Judged {
        let verdict: AdmissionResources.Verdict
        let leaf: Bytes32
    }

    /// As many may wait for what becomes of the same bytes: nobody honest sends them more often.
    private static let twinLimit = 64

    /// Who waits for what becomes of a record, by its leaf hash. The same bytes are looked at once, however often they
    /// are sent.
    private var askers: [Bytes32: [CheckedContinuation<Answer, any Error>]] = [:]
    /// What is counted here.
    nonisolated let petition: PublishedPetition
    private let resources: AdmissionResources
    private var waiting: [AdmissionResources.Submission] = []
    /// Batches that no core was free for yet, in the order in which they start.
    private var ready: [Batch] = []
    /// Batches that are not verified yet, by number, ready or running.
    private var unverified: Set<Int> = []
    private var nextBatch = 0
    private var judged: [Judged] = []
    /// Batches that the commit that is due waits for; nil when none is due.
    private var awaited: Set<Int>?
    private var isCommitting = false
    /// When what waits is next verified for a commit.
    private var cutDue = ContinuousClock.now
    /// When what is being verified for a commit was cut off from what comes later; nil when that is known to be
    /// verified.
    private var cutAt: ContinuousClock.Instant?
    /// How long that took the last time: the next is begun so much before its commit may start.
    private var lead = Duration.zero
    /// When the next commit may start: that is what keeps checkpoints apart.
    private var commitDue = ContinuousClock.now
    private var wakesAt: ContinuousClock.Instant?

    init(petition: PublishedPetition, resources: AdmissionResources) {
        self.petition = petition
        self.resources = resources
    }

    /// Answers when the record is in a published tree, or refused. Throws a ``RecordRefusal``, or what the database
    /// failed of.
    func submit(_ submission: AdmissionResources.Submission) async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            let twins = askers[submission.leaf]?.count ?? 0
            guard twins < Self.twinLimit else {
                continuation.resume(throwing: RecordRefusal.sentOften)
                return
            }
            askers[submission.leaf, default: []].append(continuation)
            guard twins == 0 else { return }
            waiting.append(submission)
            advance()
        }
    }

    /// Answers everybody who sent these bytes. Only one of them can have entered by it.
    private func answer(_ leaf: Bytes32, with answer: Result<Answer, any Error>) {
        for (index, asker) in (askers.removeValue(forKey: leaf) ?? []).enumerated() {
            if index > 0, case .success(.entered(let receipt)) = answer {
                asker.resume(returning: .known(receipt))
            } else {
                asker.resume(with: answer)
            }
        }
    }

    private func advance() {
        let now = ContinuousClock.now
        let isPending = !waiting.isEmpty || !unverified.isEmpty || !judged.isEmpty
        if awaited == nil, isPending, now >= cutDue {
            cutDue = now + resources.publishInterval
            makeBatches()
            awaited = unverified
            cutAt = now
        } else if waiting.count >= AdmissionResources.fullBatch, unverified.count < resources.cores {
            makeBatches()
        }
        startBatches()
        if let cutAt, awaited?.isEmpty == true {
            lead = now - cutAt
            self.cutAt = nil
        }
        if awaited?.isEmpty == true, judged.isEmpty { awaited = nil }
        if awaited?.isEmpty == true, !isCommitting, now >= commitDue { startCommit() }
        if awaited == nil, !waiting.isEmpty || !judged.isEmpty { wake(at: cutDue) }
        if awaited?.isEmpty == true, !isCommitting { wake(at: commitDue) }
    }

    /// Goes on at `moment`, unless that is to happen before then anyway.
    private func wake(at moment: ContinuousClock.Instant) {
        guard wakesAt.map({ moment < $0 }) ?? true else { return }
        wakesAt = moment
        Task {
            try? await Task.sleep(until: moment)
            if wakesAt == moment { wakesAt = nil }
            advance()
        }
    }

    /// Makes a batch for each core of what waits, with records of one ring side by side.
    private func makeBatches() {
        guard !waiting.isEmpty else { return }
        let taken = waiting.sorted { $0.record.ringOrder < $1.record.ringOrder }
        waiting.removeAll(keepingCapacity: true)
        // A few records are cheaper together than on two cores.
        let parts = min(resources.cores, 1 + taken.count / Self.smallestPart)
        for part in 0..<parts {
            let share = taken[taken.count * part / parts..<taken.count * (part + 1) / parts]
            ready.append(Batch(number: nextBatch, submissions: Array(share)))
            unverified.insert(nextBatch)
            nextBatch += 1
        }
    }

    /// Fewer records than this are not shared among cores.
    private static let smallestPart = 64

    /// Starts what is ready on every core that is free.
    private func startBatches() {
        while !ready.isEmpty, unverified.count - ready.count < resources.cores { start(ready.removeFirst()) }
    }

    private func start(_ batch: Batch) {
        Task {
            let verdicts = await resources.verify(batch.submissions, of: petition.collected)
            for (submission, verdict) in zip(batch.submissions, verdicts) { take(verdict, of: submission.leaf) }
            unverified.remove(batch.number)
            awaited?.remove(batch.number)
            advance()
        }
    }

    private func take(_ verdict: AdmissionResources.Verdict, of leaf: Bytes32) {
        switch verdict {
        // Nothing of these will stand in a checkpoint: there is nothing to wait for.
        case .refused: answer(leaf, with: .failure(RecordRefusal.breaks(.proofInvalid)))
        case .undecided: answer(leaf, with: .failure(RecordRefusal.needsWork))
        case .verified: judged.append(Judged(verdict: verdict, leaf: leaf))
        }
    }

    /// A commit that failed may be durable all the same, with nothing shown of it: that is not to depend on who sends
    /// what next.
    private func publishLater() {
        failuresToPublish += 1
        guard failuresToPublish == 1 else { return }
        Task {
            while failuresToPublish > 0 {
                try? await Task.sleep(for: Self.publicationRetry)
                // Another may fail while this goes on, after the database was read.
                let known = failuresToPublish
                if await resources.publish(petition), failuresToPublish == known { failuresToPublish = 0 }
            }
        }
    }

    private static let publicationRetry = Duration.seconds(5)
    /// Commits that failed since everything was last published.
    private var failuresToPublish = 0

    private func startCommit() {
        let batch = judged
        judged = []
        awaited = nil
        isCommitting = true
        commitDue = .now + resources.publishInterval
        cutDue = commitDue - lead
        Task {
            let answers = await resources.commit(batch.map(\.verdict), to: petition)
            for (item, answer) in zip(batch, answers) { self.answer(item.leaf, with: answer) }
            isCommitting = false
            if answers.contains(where: \.isFailureOfOurs) { publishLater() }
            advance()
        }
    }
}

extension Result<RecordSequencer.Answer, any Error> {
    /// True when nothing was wrong with the record.
    fileprivate var isFailureOfOurs: Bool {
        if case .failure(let error) = self { !(error is RecordRefusal) } else { false }
    }
}

extension SubmittedRecord {
    /// Records of one ring have the same.
    fileprivate var ringOrder: UInt64 {
        switch self {
        case .signature(let record, _): UInt64(record.roll) << 32 | UInt64(record.ring)
        case .withdrawal: .max
        }
    }
}
