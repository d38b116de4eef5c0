import Bytes
import Foundation
import GRDB
import LogStorage
import Petitions
import RingSignatures
import Ristretto255
import ServiceHTTP
import TransparencyLog

/// Takes records that passed the cheap checks, verifies those that wait together in one batch, and commits what may enter:
/// entries, tags, counts, tree and checkpoint in one durable transaction. Nobody is answered before that.
actor RecordSequencer {
    /// Records that may wait. More are refused before any expensive work.
    private static let queueLimit = 4096
    /// Records that are verified and committed together.
    private static let batchLimit = 1024

    /// What became of a record.
    enum Answer: Sendable {
        /// It entered: the receipt.
        case entered(LogProof)
        /// The tag was counted before, by these bytes or others: that receipt.
        case known(LogProof)
    }

    private struct Waiting {
        let petition: CollectedPetition
        let record: SubmittedRecord
        let answer: CheckedContinuation<Answer, any Error>
    }

    private let aggregator: Aggregator
    private let queue = DispatchQueue(label: "roundrobin.sequencer")
    private var waiting: [Waiting] = []
    private var isWorking = false

    init(aggregator: Aggregator) {
        self.aggregator = aggregator
    }

    /// Answers when the record is in a published tree, or refused.
    func submit(_ record: SubmittedRecord, to petition: CollectedPetition) async throws -> Answer {
        guard waiting.count < Self.queueLimit else {
            throw Problem(.busy, "Too many signatures are waiting. Send the same record again later.", retryAfter: 10)
        }
        return try await withCheckedThrowingContinuation { continuation in
            waiting.append(Waiting(petition: petition, record: record, answer: continuation))
            guard !isWorking else { return }
            isWorking = true
            Task { await work() }
        }
    }

    private func work() async {
        while let first = waiting.first {
            let batch = waiting.prefix(Self.batchLimit).filter { $0.petition.number == first.petition.number }
            waiting =
                waiting.prefix(Self.batchLimit).filter { $0.petition.number != first.petition.number }
                + waiting.dropFirst(Self.batchLimit)
            await process(batch, of: first.petition)
        }
        isWorking = false
    }

    /// Verifies and commits off the cooperative threads, which serve everybody else meanwhile.
    private func process(_ batch: [Waiting], of petition: CollectedPetition) async {
        let records = batch.map(\.record)
        let aggregator = aggregator
        let outcomes: [Result<Answer, any Error>] = await withCheckedContinuation { continuation in
            queue.async {
                continuation.resume(returning: Commit(aggregator: aggregator, petition: petition).run(records))
            }
        }
        for (item, outcome) in zip(batch, outcomes) { item.answer.resume(with: outcome) }
    }
}

/// One commit of one petition.
struct Commit {
    let aggregator: Aggregator
    let petition: CollectedPetition

    /// Where a record stands, or will when the transaction commits.
    private enum Place {
        case entered(UInt64)
        case known(UInt64)
    }

    /// Verifies and commits; each place of the answer is for the record at that place.
    func run(_ records: [SubmittedRecord]) -> [Result<RecordSequencer.Answer, any Error>] {
        let base = PetitionBase(petition: petition.manifest.id.bytes)
        let verdicts = VerifiedRecord.verify(records, petition: base)
        do {
            let places = try aggregator.database.write { try commit(verdicts, $0) }
            // From here on the entries are durable, and the checkpoint that covers them may be shown.
            return try aggregator.database.read { db in
                try places.map { place in
                    switch place {
                    case .failure(let problem): .failure(problem)
                    case .success(.entered(let index)): .success(.entered(try petition.log.receipt(db, at: index)))
                    case .success(.known(let index)): .success(.known(try petition.log.receipt(db, at: index)))
                    }
                }
            }
        } catch {
            return records.map { _ in .failure(error) }
        }
    }

    /// Decides in the order of the leaf hashes, so that the order inside a commit says nothing about arrival.
    private func commit(
        _ verdicts: [Result<VerifiedRecord, Rule>], _ db: Database
    ) throws -> [Result<Place, Problem>] {
        var places = [Result<Place, Problem>](
            repeating: .failure(Problem(.proofInvalid, Self.proofAdvice)), count: verdicts.count)
        // A record that waited past the end is late, like one that came late.
        let isOpen = petition.manifest.status(at: UTCTime.now) == .open
        var candidates: [(place: Int, leaf: Bytes32, record: VerifiedRecord)] = []
        for (place, verdict) in verdicts.enumerated() {
            guard case .success(let record) = verdict else { continue }
            candidates.append((place, MerkleHash.leaf(record.bytes), record))
        }
        candidates.sort { $0.leaf < $1.leaf }
        var index = try petition.log.head(db).checkpoint.size
        var entries: [[UInt8]] = []
        var admitted: [AdmittedRecord] = []
        var enteredNow: [CommitKey: UInt64] = [:]
        for candidate in candidates {
            let key = CommitKey(candidate.record)
            if let twin = enteredNow[key] {
                places[candidate.place] = .success(.known(twin))
                continue
            }
            // Tags as earlier commits left them: a withdrawal needs its signature to be in one of those.
            let state = try petition.tagState(db, candidate.record.tag)
            do {
                let record = try AdmittedRecord.admit(candidate.record, tag: state, at: index)
                guard isOpen else {
                    places[candidate.place] = .failure(Problem(.petitionClosed, "The petition has closed."))
                    continue
                }
                admitted.append(record)
                entries.append(candidate.record.bytes)
                enteredNow[key] = index
                places[candidate.place] = .success(.entered(index))
                index += 1
            } catch {
                places[candidate.place] = Self.place(for: error)
            }
        }
        guard !entries.isEmpty else { return places }
        for record in admitted { try petition.keep(db, record) }
        _ = try petition.log.append(db, entries, key: aggregator.noteKey, now: UTCTime.now.seconds)
        return places
    }

    private static let proofAdvice = """
        The proof does not verify. If you did not change the record, keep it, do not sign again, and ask the organisers: \
        your roll may differ from theirs.
        """

    private static func place(for refusal: AdmittedRecord.Refusal) -> Result<Place, Problem> {
        switch refusal {
        case .signed(let index), .withdrawn(let index): .success(.known(index))
        case .signatureWithdrawn:
            .failure(Problem(.alreadyWithdrawn, "This signature was withdrawn. A withdrawn tag does not sign again."))
        case .notSigned:
            .failure(Problem(.notSigned, "There is no signature to withdraw in an earlier commit."))
        }
    }
}

/// What may enter a commit once: a tag's signature, or its withdrawal.
private struct CommitKey: Hashable {
    let tag: GroupElement
    let isWithdrawal: Bool

    init(_ record: VerifiedRecord) {
        tag = record.tag
        isWithdrawal = if case .withdrawal = record { true } else { false }
    }
}
