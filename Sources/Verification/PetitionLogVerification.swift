import Bytes
import Petitions
import TransparencyLog

/// A second reading for the bad records did not find what the first was about.
struct CopyChanged: Error {}

/// Re-checks the log of one aggregator: every record, every tag, and the tally it published.
struct PetitionLogVerification {
    let petition: PetitionManifest
    /// The aggregator's index in the manifest.
    let index: Int
    let electorate: Electorate
    /// What the counts of each roll are shown under; nil when a roll, and so its name, is not known.
    let labels: [String]?
    let source: any ResourceSource
    let verified: VerifiedEntries?
    let jobs: Int
    let progress: @Sendable (String, UInt64, UInt64) -> Void

    /// What was found before tags are judged.
    struct Findings {
        let checkpoint: Checkpoint
        let published: PublishedTally?
        /// The root at the size that the published tally speaks of.
        var snapshotRoot: Bytes32?
        var refusals: [(index: UInt64, rule: Rule)] = []
        var unjudged: [UInt64] = []
        /// Entries whose proofs were verified before.
        var verifiedBefore: UInt64 = 0

        /// Entries whose proofs do not hold.
        var proofRefusals: Set<UInt64> { Set(refusals.lazy.filter { $0.rule == .proofInvalid }.map(\.index)) }
    }

    private var log: PublishedLog {
        OfflineCopy.petitionLog(
            petition, aggregator: index, source: source, prefix: OfflineCopy.aggregator(index))
    }

    private var name: String { "petition log \(log.key.name)" }

    /// Reads and verifies the whole log; its tags go to `ledger`. Nil when it could not be read, with the reason in `report`.
    func read(_ report: inout VerificationReport, _ ledger: inout TagLedger) async -> Findings? {
        do {
            let published = await readTally(&report)
            var findings = Findings(checkpoint: try await log.readCheckpoint().checkpoint, published: published)
            var pipeline = try await readRecords(.running, &findings, &ledger)
            findings.refusals = pipeline.refusals
            findings.unjudged = pipeline.unjudged
            if !(await pipeline.allHold()) {
                let bad = try await readRecords(.exact, &findings, &ledger).refusals
                guard !bad.isEmpty else { throw CopyChanged() }
                findings.refusals += bad
                findings.refusals.sort { $0.index < $1.index }
            }
            return findings
        } catch {
            report.file(error, name: name, log: log.key.name)
            return nil
        }
    }

    private func readRecords(
        _ mode: RecordPipeline.Mode, _ findings: inout Findings, _ ledger: inout TagLedger
    ) async throws -> RecordPipeline {
        let (checkpoint, published, log) = (findings.checkpoint, findings.published, log)
        var pipeline = pipeline(mode, size: checkpoint.size)
        var known = verifiedReader
        var tree = GrowingTree()
        // The whole log's root needs no tree of its own.
        var snapshotRoot =
            published?.treeSize == checkpoint.size ? checkpoint.root : published?.treeSize == 0 ? tree.root : nil
        var verifiedBefore: UInt64 = 0
        _ = try await log.readEntries(upTo: checkpoint, checkingHashTiles: mode == .running) { first, entries, leaves in
            for (offset, entry) in entries.enumerated() {
                let record = RecordPipeline.Record(index: first + UInt64(offset), bytes: entry)
                let isVerified = known.isVerified(record.index)
                if isVerified { verifiedBefore += 1 }
                try await pipeline.append(record, isVerified: isVerified, to: &ledger)
                try known.append(leaves[offset])
                guard let published, snapshotRoot == nil else { continue }
                tree.append(leaves[offset])
                if tree.size == published.treeSize { snapshotRoot = tree.root }
            }
        }
        try known.finish()
        try await pipeline.finish(&ledger)
        findings.snapshotRoot = snapshotRoot
        findings.verifiedBefore = verifiedBefore
        return pipeline
    }

    private var verifiedReader: VerifiedRangeReader { verified?.reader(of: log.key.name) ?? VerifiedRangeReader([]) }

    private func pipeline(_ mode: RecordPipeline.Mode, size: UInt64) -> RecordPipeline {
        let (progress, name) = (progress, log.key.name)
        return RecordPipeline(
            mode: mode, petition: petition, electorate: electorate, log: index, size: size, jobs: jobs
        ) { done in progress(name, done, size) }
    }

    /// Verifies the records of `range` alone, for whoever joins the parts. Nil when they could not be read.
    func readPart(_ range: Range<UInt64>, _ report: inout VerificationReport) async -> VerifiedRange? {
        do {
            let checkpoint = try await log.readCheckpoint().checkpoint
            guard range.upperBound <= checkpoint.size else {
                report.undecided(name, "it has \(checkpoint.size) entries, the range ends at \(range.upperBound)")
                return nil
            }
            // Tags are compared when the parts are joined.
            var ledger = TagLedger()
            var (found, hash) = try await readPart(range, size: checkpoint.size, .running, &ledger)
            var refusals = found.refusals
            if !(await found.allHold()) {
                // Nothing signed ties these entries together: the second reading must be of the same ones.
                let (bad, secondHash) = try await readPart(range, size: checkpoint.size, .exact, &ledger)
                guard secondHash == hash, !bad.refusals.isEmpty else { throw CopyChanged() }
                refusals += bad.refusals
                refusals.sort { $0.index < $1.index }
            }
            conclude(refusals, unjudged: UInt64(found.unjudged.count), of: UInt64(range.count), &report)
            return VerifiedRange(
                log: log.key.name, entries: range, hash: hash,
                exceptions: (refusals.map(\.index) + found.unjudged).sorted())
        } catch {
            report.file(error, name: name, log: log.key.name)
            return nil
        }
    }

    private func readPart(
        _ range: Range<UInt64>, size: UInt64, _ mode: RecordPipeline.Mode, _ ledger: inout TagLedger
    ) async throws -> (RecordPipeline, Bytes32) {
        var pipeline = pipeline(mode, size: UInt64(range.count))
        var tree = GrowingTree()
        try await log.readEntries(in: range, size: size) { first, entries, leaves in
            for (offset, entry) in entries.enumerated() {
                let record = RecordPipeline.Record(index: first + UInt64(offset), bytes: entry)
                try await pipeline.append(record, isVerified: false, to: &ledger)
                tree.append(leaves[offset])
            }
        }
        try await pipeline.finish(&ledger)
        return (pipeline, tree.root)
    }

    /// Says what was found, once tags are judged too.
    func conclude(_ findings: Findings, _ settled: TagSettlement.Log, _ report: inout VerificationReport) {
        let checkpoint = findings.checkpoint
        report.logs.append(.init(url: log.key.name, treeSize: checkpoint.size, rootHash: checkpoint.root))
        report.pass(name, count: checkpoint.size)
        if findings.verifiedBefore > 0 {
            report.pass("proofs of \(log.key.name) that were verified before", count: findings.verifiedBefore)
        }
        let refusals = (findings.refusals + settled.refusals).sorted { $0.index < $1.index }
        let unjudged = UInt64(findings.unjudged.count) + settled.unjudged
        conclude(refusals, unjudged: unjudged, of: checkpoint.size, &report)
        if unjudged == 0, let published = findings.published {
            compare(published, with: settled.snapshot.tally, root: findings.snapshotRoot, &report)
        }
        let exceptions = findings.refusals.map(\.index) + findings.unjudged
        report.verified.append(
            VerifiedRange(
                log: log.key.name, entries: 0..<checkpoint.size, hash: checkpoint.root, exceptions: exceptions.sorted())
        )
    }

    private func conclude(
        _ refusals: [(index: UInt64, rule: Rule)], unjudged: UInt64, of count: UInt64,
        _ report: inout VerificationReport
    ) {
        report.conclude(
            "records of \(log.key.name)", count: count - unjudged,
            refusals.map { .init(log: log.key.name, index: $0.index, rule: $0.rule, detail: nil) })
        if unjudged > 0 {
            report.undecided("further records of \(log.key.name)", "\(unjudged) name a roll that could not be read")
        }
    }

    private func readTally(_ report: inout VerificationReport) async -> PublishedTally? {
        let path = OfflineCopy.tally(index)
        let name = "published tally of \(log.key.name)"
        let bytes: [UInt8]?
        do { bytes = try await source.read(path, limit: SignedNote.maximumCount) } catch {
            report.undecided(name, "\(path) cannot be read")
            return nil
        }
        guard let bytes else { return nil }
        do { return try PublishedTally(parsing: bytes) } catch {
            refuseTally("\(path): \(error.explanation)", &report)
            return nil
        }
    }

    private func refuseTally(_ detail: String, _ report: inout VerificationReport) {
        report.fail(
            "published tally of \(log.key.name)",
            [.init(log: log.key.name, index: nil, rule: .tallyMismatch, detail: detail)])
    }

    private func compare(
        _ published: PublishedTally, with tally: Tally, root: Bytes32?, _ report: inout VerificationReport
    ) {
        let name = "published tally of \(log.key.name)"
        guard let root else {
            return report.undecided(
                name, "it counts \(published.treeSize) entries, more than the copy holds")
        }
        guard let labels else {
            return report.undecided(name, "a roll could not be read, and its name stands in the tally")
        }
        let expected = PublishedTally(
            petition, tally: tally, labels: labels, treeSize: published.treeSize, rootHash: root)
        // Byte for byte: strings that are equivalent in Unicode are not the same.
        if published.json().utf8.elementsEqual(expected.json().utf8) {
            report.pass(name, count: 1)
        } else {
            refuseTally(
                "published \(published.signatures) signatures and \(published.withdrawn) withdrawn, "
                    + "recounted \(expected.signatures) and \(expected.withdrawn)", &report)
        }
    }
}
