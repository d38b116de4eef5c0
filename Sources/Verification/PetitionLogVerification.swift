import Bytes
import Documents
import LogReading
import Messages
import PetitionCopies
import Petitions
import TagStorage
import TransparencyLog

/// Proofs that failed together held one by one, although one signed root covers their entries: no copy can cause that.
struct VerifierAtFault: Error {}

/// Re-checks the log of one aggregator: every record, every tag, and the tally it published.
struct PetitionLogVerification {
    let petition: PetitionManifest
    /// The aggregator's index in the manifest.
    let index: Int
    let electorate: Electorate
    /// The label under which the counts of each roll are shown; nil when a roll, and so its name, is not known.
    let groups: [TallyGroup]?
    let copy: CheckedCopy

    /// What is found before tags are judged.
    struct Findings {
        let checkpoint: Checkpoint
        let published: PublishedTally?
        let history: GrowthHistory?
        /// How much of the log counts.
        let extent: WitnessedExtent
        /// The log's roots at the sizes that somebody names.
        var tree = TreeWithRoots(sizes: [])
        var records = RecordFindings()
        /// How many records' proofs were taken from each file.
        var taken: [(file: String, records: UInt64)] = []
        /// Hash tiles that do not match the entries.
        var badTiles: BadHashTiles?

        /// The root at a size that somebody names; nil for any other, and for what is not in the log.
        func root(at size: UInt64) -> Bytes32? {
            size == checkpoint.size ? checkpoint.root : tree.root(at: size)
        }

        /// The sizes at which somebody names a root, or needs it.
        var namedSizes: Set<UInt64> {
            var sizes = extent.evidence?.sizes ?? []
            sizes.insert(extent.counted)
            if let published { sizes.insert(published.treeSize) }
            return sizes
        }

        /// The history without what is late, of which nothing is known.
        var timelyHistory: GrowthHistory? {
            let late = extent.counted + 1..<max(extent.counted, checkpoint.size) + 1
            return history.map { history in GrowthHistory(history.points.filter { !late.contains($0.treeSize) }) }
        }
    }

    /// What is found in the records by themselves.
    struct RecordFindings {
        /// Entries that break a rule.
        var refused = RefusedEntries()
        /// Signatures whose proofs do not hold: they have no effect. For other refused entries, no tag is kept.
        var disproved: [UInt64] = []
        /// How many records are of rolls that could not be read.
        var unjudged: UInt64 = 0
        /// Entries that are checked again each time, as far as ``VerifiedRange/isWritable`` needs them.
        var exceptions: [UInt64] = []

        mutating func add(_ pipeline: RecordPipeline) {
            refused.merge(pipeline.refused)
            disproved += pipeline.disproved
            unjudged += pipeline.unjudged
            exceptions = (exceptions + pipeline.exceptions).sorted()
        }
    }

    private var log: PublishedLog {
        OfflineCopy.petitionLog(
            petition, aggregator: index, source: copy.source, prefix: OfflineCopy.aggregator(index))
    }

    private var subject: CheckSubject { .petitionLog(log.key.name) }

    private var closing: ClosingVerification { ClosingVerification(petition: petition, index: index, copy: copy) }

    /// Reads and verifies the whole log, and adds its tags to `ledger`. Nil when the log could not be read, with the
    /// reason in `report`.
    func read(_ report: inout VerificationReport, _ ledger: inout TagLedger) async -> Findings? {
        do {
            let published = await readTally(&report)
            let history = await readHistory(&report)
            let head = try await log.readCheckpoint()
            let extent = await closing.run(head, &report)
            var findings = Findings(
                checkpoint: head.checkpoint, published: published, history: history, extent: extent)
            var pipeline = try await readRecords(.running, &findings, &ledger)
            findings.records.add(pipeline)
            if !(await pipeline.allHold()) {
                let exact = try await readRecords(.exact, &findings, &ledger)
                findings.records.add(exact)
                guard !findings.records.disproved.isEmpty else { throw VerifierAtFault() }
            }
            return findings
        } catch {
            report.record(error, subject: subject, log: log.key.name)
            return nil
        }
    }

    private func readRecords(
        _ mode: RecordPipeline.Mode, _ findings: inout Findings, _ ledger: inout TagLedger
    ) async throws -> RecordPipeline {
        let (checkpoint, counted, log) = (findings.checkpoint, findings.extent.counted, log)
        var pipeline = pipeline(mode, size: counted)
        var known = copy.verified.reader(of: log.key.name)
        // The root of the whole log needs no separate tree, and the second reading needs none.
        let sizes: Set<UInt64> = mode == .running ? findings.namedSizes.filter { $0 < checkpoint.size } : []
        var tree = TreeWithRoots(sizes: sizes)
        let lastSize = sizes.max() ?? 0
        var bad: BadHashTiles?
        // Bad hash tiles are reported only by the first reading.
        let badTiles: ((BadHashTiles) -> Void)? = mode == .running ? { bad = $0 } : nil
        _ = try await log.readEntries(upTo: checkpoint, badHashTiles: badTiles) { first, entries, leaves in
            for (offset, entry) in entries.enumerated() {
                let index = first + UInt64(offset)
                // What is late is read, since it is signed, and not judged.
                if index < counted {
                    let record = RecordPipeline.Record(index: index, bytes: entry, range: known.range(verifying: index))
                    try await pipeline.append(record, to: &ledger)
                }
            }
            try known.append(leaves)
            if first < lastSize { tree.append(leaves) }
        }
        try known.finish()
        try await pipeline.finish(&ledger)
        // The second reading, which finds the bad records, adds nothing else.
        guard mode == .running else { return pipeline }
        findings.tree = tree
        findings.badTiles = bad
        findings.taken = pipeline.taken.sorted { $0.key < $1.key }.map { (known.file($0.key), $0.value) }
        return pipeline
    }

    private func pipeline(_ mode: RecordPipeline.Mode, size: UInt64, keepsTags: Bool = true) -> RecordPipeline {
        let progress = copy.progress
        let label = mode == .exact ? "\(log.key.name), for the bad ones" : log.key.name
        return RecordPipeline(
            mode: mode, petition: petition, electorate: electorate, log: index, size: size, jobs: copy.jobs,
            keepsTags: keepsTags
        ) { done in progress(label, done: done, of: size) }
    }

    /// Verifies only the records of `range`, for a run that joins the parts. Nil when the log could not be read: all of
    /// it is read, since only the whole log is signed.
    func readPart(_ range: Range<UInt64>, _ report: inout VerificationReport) async -> VerifiedRange? {
        do {
            let head = try await log.readCheckpoint()
            let checkpoint = head.checkpoint
            // The end of the last range may lie behind the log: those who share the work make ranges of one size.
            guard range.lowerBound < checkpoint.size else {
                report.undecided(subject, "it has \(checkpoint.size) entries, the range begins at \(range.lowerBound)")
                return nil
            }
            let extent = await closing.extent(head)
            // What is late does not count, and is not judged.
            let range = min(range.lowerBound, extent.counted)..<min(range.upperBound, extent.counted)
            var (found, hash, badTiles) = try await readPart(range, checkpoint, .running)
            var records = RecordFindings()
            records.add(found)
            if !(await found.allHold()) {
                records.add(try await readPart(range, checkpoint, .exact).pipeline)
                guard !records.disproved.isEmpty else { throw VerifierAtFault() }
            }
            conclude(records.refused, unjudged: records.unjudged, of: UInt64(range.count), extent, &report)
            report.remark(badTiles, log: log.key.name)
            return VerifiedRange(
                log: log.key.name, entries: range, hash: hash, exceptions: records.exceptions)
        } catch {
            report.record(error, subject: subject, log: log.key.name)
            return nil
        }
    }

    private func readPart(
        _ range: Range<UInt64>, _ checkpoint: Checkpoint, _ mode: RecordPipeline.Mode
    ) async throws -> (pipeline: RecordPipeline, hash: Bytes32, badTiles: BadHashTiles?) {
        var pipeline = pipeline(mode, size: UInt64(range.count), keepsTags: false)
        var tree = GrowingTree()
        // Tags are compared when the parts are joined: none is kept here.
        var ledger = TagLedger()
        var bad: BadHashTiles?
        // Bad hash tiles are reported only by the first reading.
        let badTiles: ((BadHashTiles) -> Void)? = mode == .running ? { bad = $0 } : nil
        _ = try await log.readEntries(upTo: checkpoint, badHashTiles: badTiles) { first, entries, leaves in
            let common = range.clamped(to: first..<first + UInt64(entries.count))
            for index in common {
                let record = RecordPipeline.Record(index: index, bytes: entries[Int(index - first)], range: nil)
                try await pipeline.append(record, to: &ledger)
            }
            if common.count == entries.count {
                tree.append(leaves)
            } else {
                for index in common { tree.append(leaves[Int(index - first)]) }
            }
        }
        try await pipeline.finish(&ledger)
        return (pipeline, tree.root, bad)
    }

    /// Reports what was found. If `settled` is nil, tags could not be judged: they are not counted, but earlier
    /// findings remain.
    func conclude(_ findings: Findings, _ settled: TagSettlement.Log?, _ report: inout VerificationReport) {
        let checkpoint = findings.checkpoint
        let extent = findings.extent
        let closingSize = extent.isClosingProven ? extent.counted : nil
        report.logs.append(
            .init(
                url: log.key.name, treeSize: checkpoint.size, rootHash: checkpoint.root, closingSize: closingSize))
        report.pass(subject, count: checkpoint.size)
        closing.compare(extent.evidence, with: findings.root, &report)
        report.remark(findings.badTiles, log: log.key.name)
        let taken = findings.taken.reduce(0) { $0 + $1.records }
        if taken > 0 {
            report.pass(.takenProofs(log: log.key.name), count: taken)
        }
        for (file, records) in findings.taken { report.take(records, from: file) }
        let records = findings.records
        var refused = records.refused
        if let settled { refused.merge(settled.refused) }
        let unjudged = settled?.unjudged ?? records.unjudged
        conclude(refused, unjudged: unjudged, of: extent.counted, extent, &report)
        // Whether a bad entry counts that may be late, nobody can say.
        let isCounted = unjudged == 0 && (!extent.mayBeLate || refused.named.isEmpty)
        if isCounted, let settled, let published = findings.published {
            compare(published, with: settled.snapshot.tally, findings, &report)
        }
        if isCounted, let settled, let history = findings.timelyHistory {
            compare(history, with: settled.growth.counts, size: checkpoint.size, &report)
        }
        guard let hash = findings.root(at: extent.counted) else { return }
        report.verified.append(
            VerifiedRange(
                log: log.key.name, entries: 0..<extent.counted, hash: hash, exceptions: records.exceptions))
    }

    private func conclude(
        _ refused: RefusedEntries, unjudged: UInt64, of count: UInt64, _ extent: WitnessedExtent,
        _ report: inout VerificationReport
    ) {
        if extent.mayBeLate, let first = refused.named.first {
            return report.undecided(
                .records(log: log.key.name),
                "\(refused.count) of them break a rule, entry \(first.index) the rule \(first.rule.rawValue): the log "
                    + "is invalid unless all of these are late. The closing note or a receipt would show it")
        }
        report.conclude(
            .records(log: log.key.name), count: count - unjudged,
            refused.named.map { .init(log: log.key.name, index: $0.index, rule: $0.rule, detail: nil) })
        report.omitted += refused.omitted.map { .init(log: log.key.name, rule: $0.rule, count: $0.count) }
        if unjudged > 0 {
            report.undecided(
                .unjudgedRecords(log: log.key.name), "\(unjudged) depend on a roll that could not be read")
        }
    }

    private func readTally(_ report: inout VerificationReport) async -> PublishedTally? {
        let path = OfflineCopy.tally(index)
        let subject = CheckSubject.tally(log: log.key.name)
        let bytes: [UInt8]?
        do { bytes = try await copy.source.read(path, limit: SignedNote.maximumCount) } catch {
            report.undecided(subject, "\(path) cannot be read")
            return nil
        }
        guard let bytes else { return nil }
        do { return try PublishedTally(parsing: bytes) } catch {
            refuseTally("\(path): \(error.explanation)", &report)
            return nil
        }
    }

    private var historySubject: CheckSubject { .history(log: log.key.name) }

    private func readHistory(_ report: inout VerificationReport) async -> GrowthHistory? {
        let path = OfflineCopy.history(index)
        let bytes: [UInt8]?
        do { bytes = try await copy.source.read(path, limit: GrowthHistory.maximumCount) } catch {
            report.undecided(historySubject, "\(path) cannot be read")
            return nil
        }
        guard let bytes else { return nil }
        do { return try GrowthHistory(parsing: bytes) } catch {
            refuseHistory("\(path): \(error.explanation)", &report)
            return nil
        }
    }

    private func compare(
        _ history: GrowthHistory, with counts: [UInt64], size: UInt64, _ report: inout VerificationReport
    ) {
        if let last = history.points.last, last.treeSize > size {
            return report.undecided(historySubject, "it speaks of \(last.treeSize) entries, more than the copy holds")
        }
        let wrong = zip(history.points, counts).first { $0.signatures != $1 }
        guard let (point, count) = wrong else {
            report.recounted(history, of: log.key.name)
            return report.pass(historySubject, count: UInt64(history.points.count))
        }
        refuseHistory(
            "at \(UTCTime(seconds: point.until)) published \(point.signatures) signatures, recounted \(count)", &report)
    }

    private func refuseHistory(_ detail: String, _ report: inout VerificationReport) {
        report.fail(historySubject, [.init(log: log.key.name, index: nil, rule: .tallyMismatch, detail: detail)])
    }

    private func refuseTally(_ detail: String, _ report: inout VerificationReport) {
        report.fail(
            .tally(log: log.key.name),
            [.init(log: log.key.name, index: nil, rule: .tallyMismatch, detail: detail)])
    }

    private func compare(
        _ published: PublishedTally, with tally: Tally, _ findings: Findings, _ report: inout VerificationReport
    ) {
        let subject = CheckSubject.tally(log: log.key.name)
        if published.treeSize > findings.extent.counted, published.treeSize <= findings.checkpoint.size {
            let detail = "the published tally counts \(published.treeSize) entries, and some of them are late"
            report.remarks.append(.init(log: log.key.name, index: nil, rule: .tallyMismatch, detail: detail))
            return
        }
        guard let root = findings.root(at: published.treeSize) else {
            return report.undecided(
                subject, "it counts \(published.treeSize) entries, more than the copy holds")
        }
        guard let groups else {
            return report.undecided(
                subject, "a roll could not be read, and the tally shows its name and how its people were admitted")
        }
        let expected = PublishedTally(
            petition, tally: tally, groups: groups, treeSize: published.treeSize, rootHash: root)
        // Compared byte for byte: strings that are equivalent in Unicode may still differ.
        if published.json().utf8.elementsEqual(expected.json().utf8) {
            report.pass(subject, count: 1)
        } else {
            refuseTally(published.difference(from: expected), &report)
        }
    }
}
