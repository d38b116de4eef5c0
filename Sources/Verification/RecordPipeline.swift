import Bytes
import Documents
import Petitions
import RingSignatures
import Ristretto255
import TagStorage
import TransparencyLog

/// Verifies the records of one log on several cores, while the log is being read.
///
/// Records are cut into shares. Each share is parsed, its proofs are added to a running verification, one for each
/// core, and what counting needs goes to the tag ledger. Only at the end do the running verifications show whether all
/// proofs hold; until then no result is trusted. If not, a second reading in ``Mode/exact`` finds the bad ones.
struct RecordPipeline {
    /// The most records in a share: each takes some 3 kB of memory while a core works on it.
    private static let shareLimit = 8192
    /// The fewest records in a share, so that the cost of starting one is negligible.
    private static let shareMinimum = 256

    /// One record of the log.
    struct Record: Sendable {
        let index: UInt64
        let bytes: [UInt8]
        /// The position of the range, verified before, that says that its proof holds, so that it is not checked again.
        /// Nil if none does.
        let range: Int?
    }

    /// The result of a share.
    fileprivate struct Outcome: Sendable {
        var verification: RunningVerification?
        var tags: [TagEntry] = []
        var refusals: [(index: UInt64, rule: Rule)] = []
        var unjudged: [UInt64] = []
        /// For each range that was verified before, how many records' proofs were taken from it.
        var taken: [Int: UInt64] = [:]
        var count = 0
    }

    /// How proofs are checked.
    enum Mode {
        /// Proofs are added up; nothing is known of any single one.
        case running
        /// The bad proofs are found.
        case exact
    }

    private let mode: Mode
    private let base: PetitionBase
    private let electorate: Electorate
    /// The log's index in the manifest.
    private let log: Int
    private let jobs: Int
    private let keepsTags: Bool
    private let progress: @Sendable (UInt64) -> Void
    private var share: [Record] = []
    /// The results of the shares, in the order in which they finish.
    private let outcomes: AsyncStream<Outcome>.Continuation
    private var nextOutcome: AsyncStream<Outcome>.Iterator
    private var running = 0
    /// Verifications that no task is using at the moment. In total there is one for each core.
    private var idle: [RunningVerification]
    /// How many entries were not appended yet.
    private var rest: UInt64
    private var done: UInt64 = 0
    /// Tags not yet added to the ledger.
    private var tags: [TagEntry] = []

    /// Entries that break a rule, so far.
    private(set) var refused = RefusedEntries()
    /// All entries whose proofs do not hold, as found in ``Mode/exact``: each is a complete record.
    private(set) var disproved: [UInt64] = []
    /// How many records are of rolls that could not be read.
    private(set) var unjudged: UInt64 = 0
    /// Entries that did not verify or were not judged, as far as ``VerifiedRange/isWritable`` needs them.
    private(set) var exceptions: [UInt64] = []
    /// For each range that was verified before, how many records' proofs were taken from it.
    private(set) var taken: [Int: UInt64] = [:]

    /// A pipeline for `size` entries of a log on `jobs` cores; `progress` is called with the number of entries done.
    init(
        mode: Mode, petition: PetitionManifest, electorate: Electorate, log: Int, size: UInt64, jobs: Int,
        keepsTags: Bool,
        progress: @escaping @Sendable (UInt64) -> Void
    ) {
        self.mode = mode
        self.electorate = electorate
        self.log = log
        self.progress = progress
        base = PetitionBase(petition: petition.id.bytes)
        self.jobs = jobs
        self.keepsTags = keepsTags
        rest = size
        let (stream, continuation) = AsyncStream<Outcome>.makeStream()
        outcomes = continuation
        nextOutcome = stream.makeAsyncIterator()
        idle = RunningVerification.parallel(jobs, petition: base)
    }

    /// Takes the next record.
    mutating func append(_ record: Record, to ledger: inout TagLedger) async throws {
        rest -= min(rest, 1)
        if mode == .exact, record.range != nil {
            done += 1
        } else {
            share.append(record)
        }
        if share.count >= shareCount { try await start(&ledger) }
    }

    /// The number of records in the next share: fewer towards the end, so that all cores stay busy until then.
    private var shareCount: Int {
        // A hostile log may claim any size.
        let left = Int(min(rest, UInt64(Self.shareLimit * 3 * jobs))) + share.count
        return min(Self.shareLimit, max(Self.shareMinimum, left / (3 * jobs)))
    }

    /// Starts the last share, and waits for all shares to finish.
    mutating func finish(_ ledger: inout TagLedger) async throws {
        if !share.isEmpty { try await start(&ledger) }
        while running > 0 { try await take() }
        try keepTags(&ledger)
    }

    /// True when all proofs that were added up hold. To be called once, after ``finish``.
    mutating func allHold() async -> Bool {
        let all = idle
        idle = []
        guard let parts = RunningVerification.parts(of: all) else { return false }
        let values = await withTaskGroup(of: RunningVerification.Part.Value.self) { group in
            for part in parts { group.addTask { part.value() } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        return RunningVerification.allHold(values)
    }

    private mutating func start(_ ledger: inout TagLedger) async throws {
        if idle.isEmpty { try await take() }
        try keepTags(&ledger)
        let verification = idle.removeLast()
        let (records, mode, base, electorate, log) = (share, mode, base, electorate, log)
        let outcomes = outcomes
        share = []
        running += 1
        Task.detached { outcomes.yield(Self.judge(records, mode, base, electorate, log: log, verification)) }
    }

    /// Takes the result of the next share that finishes.
    private mutating func take() async throws {
        // The stream ends only for a task that is cancelled.
        guard let outcome = await nextOutcome.next() else { throw CancellationError() }
        running -= 1
        if let verification = outcome.verification { idle.append(verification) }
        tags += outcome.tags
        file(outcome)
        taken.merge(outcome.taken, uniquingKeysWith: +)
        done += UInt64(outcome.count)
        progress(done)
    }

    private mutating func file(_ outcome: Outcome) {
        for (index, rule) in outcome.refusals { refused.append(index, rule) }
        if mode == .exact { disproved += outcome.refusals.map(\.index) }
        unjudged += UInt64(outcome.unjudged.count)
        let found = outcome.refusals.map(\.index) + outcome.unjudged
        exceptions += found.prefix(VerifiedRange.exceptionLimit + 1 - exceptions.count)
    }

    private mutating func keepTags(_ ledger: inout TagLedger) throws {
        if keepsTags { for tag in tags { try ledger.append(tag) } }
        tags.removeAll(keepingCapacity: true)
    }

    /// Every record is parsed in full, even if a file says that its proof holds.
    private static func judge(
        _ records: [Record], _ mode: Mode, _ base: PetitionBase, _ electorate: Electorate, log: Int,
        _ verification: consuming RunningVerification
    ) -> Outcome {
        var outcome = Outcome()
        outcome.count = records.count
        var indices: [UInt64] = []
        var signatures: [(SignatureRecord, Ring)] = []
        for record in records {
            do throws(Rule) {
                let parsed = try SubmittedRecord(parsing: record.bytes, electorate: electorate)
                if let range = record.range {
                    outcome.taken[range, default: 0] += 1
                } else if case .withdrawal(let withdrawal) = parsed {
                    guard mode == .running else { continue }
                    guard (try? withdrawal.verify(petition: base)) != nil else { throw Rule.proofInvalid }
                } else if case .signature(let signature, let ring) = parsed {
                    indices.append(record.index)
                    signatures.append((signature, ring))
                }
                if mode == .running { outcome.tags.append(parsed.tagEntry(log: log, index: record.index)) }
            } catch {
                outcome.file(error, of: record, log: log, mode)
            }
        }
        switch mode {
        case .running: if !signatures.isEmpty { verification.add(signatures) }
        case .exact:
            for (index, verdict) in zip(indices, RingVerifier(petition: base).verify(signatures)) {
                if case .failure = verdict { outcome.refusals.append((index, .proofInvalid)) }
            }
        }
        outcome.verification = verification
        return outcome
    }
}

extension SubmittedRecord {
    /// What counting needs of the record, if its proof holds.
    fileprivate func tagEntry(log: Int, index: UInt64) -> TagEntry {
        switch self {
        case .signature(let record, _):
            TagEntry(
                tag: record.tag.encoding, log: log, index: index, act: .verified(.sign(roll: record.roll)),
                ring: record.ring)
        case .withdrawal(let record):
            TagEntry(tag: record.tag.encoding, log: log, index: index, act: .verified(.withdraw), ring: nil)
        }
    }
}

extension RecordPipeline.Outcome {
    /// Files a record that could not be parsed, or a withdrawal that does not verify. Only the first reading does so.
    fileprivate mutating func file(
        _ rule: Rule, of record: RecordPipeline.Record, log: Int, _ mode: RecordPipeline.Mode
    ) {
        guard mode == .running else { return }
        guard rule == .rollUnreachable else { return refusals.append((record.index, rule)) }
        // Without a tag it is not a record, whatever its roll is.
        guard let tag = (try? RecordOutline(parsing: record.bytes))?.tag(in: record.bytes) else {
            return refusals.append((record.index, .malformedRecord))
        }
        unjudged.append(record.index)
        tags.append(TagEntry(tag: tag.encoding, log: log, index: record.index, act: .unjudged, ring: nil))
    }
}
