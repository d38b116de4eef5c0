import Bytes
import Petitions
import RingSignatures
import TransparencyLog

/// Takes one petition's records from the cheap checks to their receipts, at the times that ``CommitSchedule`` decides.
actor RecordSequencer {
    /// The result for a record.
    enum Answer: Sendable {
        /// The record entered: its receipt.
        case entered(LogProof)
        /// The tag was counted before, by these bytes or others: the receipt of that entry.
        case known(LogProof)
    }

    private struct Judged {
        let verdict: AdmissionResources.Verdict
        let leaf: Bytes32
    }

    /// How many requests may wait for the result of the same bytes: no honest client sends them more often.
    private static let twinLimit = 64

    /// Requests that wait for a record's result, by its leaf hash. Bytes that are sent several times are judged once.
    private var askers: [Bytes32: [CheckedContinuation<Answer, any Error>]] = [:]
    /// The petition that is counted here.
    nonisolated let petition: PublishedPetition
    private let resources: AdmissionResources
    private var schedule: CommitSchedule
    private var waiting: [AdmissionResources.Submission] = []
    private var batches: [Int: [AdmissionResources.Submission]] = [:]
    /// The records for the next commit.
    private var judged: [Judged] = []

    init(petition: PublishedPetition, resources: AdmissionResources) {
        self.petition = petition
        self.resources = resources
        schedule = CommitSchedule(
            now: .now, interval: resources.publishInterval, cores: resources.cores,
            fullBatch: AdmissionResources.fullBatch)
    }

    /// Returns when the record is in a published tree. Throws a ``RecordRefusal``, or the error of the database.
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

    /// Answers all requests with these bytes. Only one of them is told that its record entered.
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
            step(.woke(moment))
        }
    }

    /// Divides the waiting records, with records of one ring adjacent.
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
        // These records will not be in any checkpoint: there is nothing to wait for.
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
        Task { step(.published(succeeded: (try? await resources.publish(petition)) != nil)) }
    }
}

extension Result<RecordSequencer.Answer, any Error> {
    /// True for a failure that was not caused by the record.
    fileprivate var isFailureOfOurs: Bool {
        if case .failure(let error) = self { !(error is RecordRefusal) } else { false }
    }
}

extension SubmittedRecord {
    /// A sort key that is equal for all records of one ring.
    fileprivate var ringOrder: UInt64 {
        switch self {
        case .signature(let record, _): UInt64(record.roll) << 32 | UInt64(record.ring)
        case .withdrawal: .max
        }
    }
}
