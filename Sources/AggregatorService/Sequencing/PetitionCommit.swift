import Bytes
import Documents
import LogStorage
import Petitions
import RingSignatures
import Ristretto255
import Storage
import TransparencyLog

/// One commit of one petition: entries, tags, counts, tree and checkpoint in one durable transaction. Then the
/// checkpoint is recorded outside the database and shown, and only after that are responses sent.
struct PetitionCommit {
    let aggregator: Aggregator
    let petition: PublishedPetition
    private var collected: CollectedPetition { petition.collected }

    init(aggregator: Aggregator, petition: PublishedPetition) {
        self.aggregator = aggregator
        self.petition = petition
    }

    /// The index of a record, which entered now or was known before.
    enum Outcome {
        case entered(UInt64)
        case known(UInt64)

        var index: UInt64 {
            switch self {
            case .entered(let index), .known(let index): index
            }
        }
    }

    /// Commits and publishes; the results are in the order of the verdicts. Throws when nothing was committed or
    /// nothing could be published, so that no response claims it was.
    func run(
        _ verdicts: [AdmissionResources.Verdict]
    ) throws -> [Result<RecordSequencer.Answer, any Error>] {
        try receipts(store(verdicts))
    }

    /// Commits, and publishes as far as that needs nobody else. Under a policy, receipts are made when the witnesses
    /// have cosigned.
    func store(_ verdicts: [AdmissionResources.Verdict]) throws -> [Result<Outcome, RecordRefusal>] {
        let outcomes = try aggregator.database.write { try commit(verdicts, $0) }
        // Also when nothing entered: the previous publication may have failed.
        try petition.publish()
        return outcomes
    }

    /// The receipts, of what is published.
    func receipts(
        _ outcomes: [Result<Outcome, RecordRefusal>]
    ) throws -> [Result<RecordSequencer.Answer, any Error>] {
        let published = petition.published
        let indices = outcomes.compactMap { try? $0.get().index }
        var receipts = try aggregator.database.read { try published.receipts($0, of: collected.log, at: indices) }[...]
        return outcomes.map { outcome in
            switch outcome {
            case .failure(let refusal): return .failure(refusal)
            case .success(let outcome):
                let receipt = receipts.removeFirst()
                if case .entered = outcome { return .success(.entered(receipt)) }
                return .success(.known(receipt))
            }
        }
    }

    /// Decides in the order of the leaf hashes, so that the order inside a commit reveals nothing about arrival.
    private func commit(
        _ verdicts: [AdmissionResources.Verdict], _ db: Transaction
    ) throws -> [Result<Outcome, RecordRefusal>] {
        // Nothing is added to a database that lost some of what is shown.
        try collected.log.check(db, has: petition.published.head.checkpoint)
        // A record that waited past the closing time is late, like one that arrived late.
        let isOpen = petition.takesRecords(at: aggregator.clock.now)
        var outcomes = [Result<Outcome, RecordRefusal>](
            repeating: .failure(.closed(closes: collected.manifest.text.closes)), count: verdicts.count)
        var index = try collected.log.head(db).checkpoint.size
        var entries: [(bytes: [UInt8], leaf: Bytes32)] = []
        var admitted: [AdmittedRecord] = []
        var enteredNow: [CommitKey: UInt64] = [:]
        let candidates = Self.candidates(verdicts)
        // The state of tags after earlier commits: a withdrawal needs its signature to be in one of those.
        let states = try collected.tagStates(db, candidates.map(\.record.tag))
        for (candidate, state) in zip(candidates, states) {
            let key = CommitKey(candidate.record)
            if let twin = enteredNow[key] {
                outcomes[candidate.position] = .success(.known(twin))
                continue
            }
            do {
                let record = try AdmittedRecord.admit(candidate.record, tag: state, at: index)
                guard isOpen else { continue }
                admitted.append(record)
                entries.append((candidate.record.bytes, candidate.leaf))
                enteredNow[key] = index
                outcomes[candidate.position] = .success(.entered(index))
                index += 1
            } catch {
                outcomes[candidate.position] = Self.outcome(for: error)
            }
        }
        guard !entries.isEmpty else { return outcomes }
        try collected.keep(db, admitted)
        let now = aggregator.clock.now.seconds
        let head = try collected.log.append(db, entries, key: aggregator.noteKey, now: now)
        try collected.noteGrowth(db, treeSize: head.checkpoint.size, now: now)
        return outcomes
    }

    private static func candidates(
        _ verdicts: [AdmissionResources.Verdict]
    ) -> [(position: Int, leaf: Bytes32, record: VerifiedRecord)] {
        var candidates: [(position: Int, leaf: Bytes32, record: VerifiedRecord)] = []
        for (position, verdict) in verdicts.enumerated() {
            if case .verified(let record, let leaf) = verdict { candidates.append((position, leaf, record)) }
        }
        return candidates.sorted { $0.leaf < $1.leaf }
    }

    private static func outcome(for refusal: AdmittedRecord.Refusal) -> Result<Outcome, RecordRefusal> {
        switch refusal {
        case .signed(let index), .withdrawn(let index): .success(.known(index))
        case .signatureWithdrawn: .failure(.alreadyWithdrawn)
        case .notSigned: .failure(.notSigned)
        }
    }
}

/// What may enter a commit only once: a tag's signature, or its withdrawal.
private struct CommitKey: Hashable {
    let tag: Tag
    let isWithdrawal: Bool

    init(_ record: VerifiedRecord) {
        tag = record.tag
        isWithdrawal = if case .withdrawal = record { true } else { false }
    }
}
