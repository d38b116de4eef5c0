import Bytes
import Petitions
import RingSignatures
import TransparencyLog

/// The way of one petition's records from the cheap checks to their receipts. ``CommitSchedule`` says when; this does
/// it.
actor RecordSequencer {
    /// What became of a record.
    enum Answer: Sendable {
        /// It entered: the receipt.
        case entered(LogProof)
        /// The tag was counted before, by these bytes or others: that receipt.
        case known(LogProof)
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
    private var schedule: CommitSchedule
    private var waiting: [AdmissionResources.Submission] = []
    private var batches: [Int: [AdmissionResources.Submission]] = [:]
    /// What the next commit takes.
    private var judged: [Judged] = []

    init(petition: PublishedPetition, resources: AdmissionResources) {
        self.petition = petition
        self.resources = resources
        schedule = CommitSchedule(
            now: .now, interval: resources.publishInterval, cores: resources.cores,
            fullBatch: AdmissionResources.fullBatch)
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
            step(.received)
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

    private func step(_ event: CommitSchedule.Event) {
        for action in schedule.step(now: .now, event) {
            switch action {
            case .divide(let numbers): divide(into: numbers)
            case .verify(let batch): verify(batch)
            case .commit: commit()
            case .publish: publish()
            case .wake(let moment): wake(at: moment)
            }
        }
    }

    private func wake(at moment: ContinuousClock.Instant) {
        Task {
            try? await Task.sleep(until: moment)
            step(.woke)
        }
    }

    /// Divides what waits, with records of one ring side by side.
    private func divide(into numbers: Range<Int>) {
        let taken = waiting.sorted { $0.record.ringOrder < $1.record.ringOrder }
        waiting.removeAll(keepingCapacity: true)
        for (part, number) in numbers.enumerated() {
            batches[number] = Array(
                taken[taken.count * part / numbers.count..<taken.count * (part + 1) / numbers.count])
        }
    }

    private func verify(_ batch: Int) {
        let submissions = batches.removeValue(forKey: batch) ?? []
        Task {
            let verdicts = await resources.verify(submissions, of: petition.collected)
            let before = judged.count
            for (submission, verdict) in zip(submissions, verdicts) { take(verdict, of: submission.leaf) }
            step(.verified(batch: batch, good: judged.count - before))
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

    private func commit() {
        let taken = judged
        judged = []
        Task {
            let answers = await resources.commit(taken.map(\.verdict), to: petition)
            for (item, answer) in zip(taken, answers) { self.answer(item.leaf, with: answer) }
            step(.committed(failed: answers.contains(where: \.isFailureOfOurs)))
        }
    }

    private func publish() {
        Task { step(.published(succeeded: await resources.publish(petition))) }
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
