import Bytes
import GRDB
import LogStorage
import Petitions
import Ristretto255
import TransparencyLog

/// One commit of one petition: entries, tags, counts, tree and checkpoint in one durable transaction; then the
/// checkpoint is remembered outside the database, shown, and only then is anybody answered.
struct PetitionCommit {
    let aggregator: Aggregator
    let petition: LivePetition
    private var collected: CollectedPetition { petition.collected }

    init(aggregator: Aggregator, petition: LivePetition) {
        self.aggregator = aggregator
        self.petition = petition
    }

    /// Where a record stands.
    private enum Place {
        case entered(UInt64)
        case known(UInt64)

        var index: UInt64 {
            switch self {
            case .entered(let index), .known(let index): index
            }
        }
    }

    /// Commits and publishes; each place of the answer is for the verdict at that place. Throws when nothing was
    /// committed or nothing could be published: then nobody is answered as if it were.
    func run(
        _ verdicts: [AdmissionPipeline.Verdict]
    ) throws -> [Result<RecordSequencer.Answer, any Error>] {
        let places = try aggregator.database.write { try commit(verdicts, $0) }
        // Also when nothing entered: the publication before this one may have failed.
        try petition.publish()
        return try receipts(places)
    }

    private func receipts(
        _ places: [Result<Place, RecordRefusal>]
    ) throws -> [Result<RecordSequencer.Answer, any Error>] {
        let head = petition.published.head
        let indices = places.compactMap { try? $0.get().index }
        var receipts = try aggregator.database.read { try collected.log.receipts($0, at: indices, in: head) }[...]
        return places.map { place in
            switch place {
            case .failure(let refusal): return .failure(refusal)
            case .success(let place):
                let receipt = receipts.removeFirst()
                if case .entered = place { return .success(.entered(receipt)) }
                return .success(.known(receipt))
            }
        }
    }

    /// Decides in the order of the leaf hashes, so that the order inside a commit says nothing about arrival.
    private func commit(
        _ verdicts: [AdmissionPipeline.Verdict], _ db: Database
    ) throws -> [Result<Place, RecordRefusal>] {
        // A record that waited past the end is late, like one that came late.
        let isOpen = collected.manifest.status(at: UTCTime.now) == .open
        var places = [Result<Place, RecordRefusal>](
            repeating: .failure(.closed(closes: collected.manifest.text.closes)), count: verdicts.count)
        var index = try collected.log.head(db).checkpoint.size
        var entries: [(bytes: [UInt8], leaf: Bytes32)] = []
        var admitted: [AdmittedRecord] = []
        var enteredNow: [CommitKey: UInt64] = [:]
        for candidate in Self.candidates(verdicts) {
            let key = CommitKey(candidate.record)
            if let twin = enteredNow[key] {
                places[candidate.place] = .success(.known(twin))
                continue
            }
            // Tags as earlier commits left them: a withdrawal needs its signature to be in one of those.
            let state = try collected.tagState(db, candidate.record.tag)
            do {
                let record = try AdmittedRecord.admit(candidate.record, tag: state, at: index)
                guard isOpen else { continue }
                admitted.append(record)
                entries.append((candidate.record.bytes, candidate.leaf))
                enteredNow[key] = index
                places[candidate.place] = .success(.entered(index))
                index += 1
            } catch {
                places[candidate.place] = Self.place(for: error)
            }
        }
        guard !entries.isEmpty else { return places }
        try collected.keep(db, admitted)
        let now = UTCTime.now.seconds
        let head = try collected.log.append(db, entries, key: aggregator.noteKey, now: now)
        try collected.noteGrowth(db, treeSize: head.checkpoint.size, now: now)
        return places
    }

    private static func candidates(
        _ verdicts: [AdmissionPipeline.Verdict]
    ) -> [(place: Int, leaf: Bytes32, record: VerifiedRecord)] {
        var candidates: [(place: Int, leaf: Bytes32, record: VerifiedRecord)] = []
        for (place, verdict) in verdicts.enumerated() {
            if case .verified(let record, let leaf) = verdict { candidates.append((place, leaf, record)) }
        }
        return candidates.sorted { $0.leaf < $1.leaf }
    }

    private static func place(for refusal: AdmittedRecord.Refusal) -> Result<Place, RecordRefusal> {
        switch refusal {
        case .signed(let index), .withdrawn(let index): .success(.known(index))
        case .signatureWithdrawn: .failure(.alreadyWithdrawn)
        case .notSigned: .failure(.notSigned)
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
