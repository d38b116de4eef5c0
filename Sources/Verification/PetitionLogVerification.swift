import Bytes
import Petitions
import RingSignatures
import Ristretto255
import TransparencyLog

/// Re-checks the log of one aggregator: every record, every tag, and the tally it published.
struct PetitionLogVerification {
    /// Records that are verified together. More make each cheaper and need more memory.
    private static let batchCount = 1024

    let petition: PetitionManifest
    let index: Int
    let electorate: Electorate
    let labels: [String]
    let source: any ResourceSource
    let progress: @Sendable (String, UInt64, UInt64) -> Void

    private var log: PublishedLog {
        OfflineCopy.petitionLog(
            petition, aggregator: index, source: source, prefix: OfflineCopy.aggregator(index))
    }

    /// Runs every check of the log into `report`. The tags that count, or nil when the log could not be read.
    func run(_ report: inout VerificationReport) async -> [GroupElement: TagState]? {
        let name = "petition log \(log.key.name)"
        var audit = RecordAudit(petition: petition, electorate: electorate, logName: log.key.name)
        do {
            let published = await readTally(&report)
            let checkpoint = try await log.readCheckpoint().checkpoint
            audit.snapshotSize = published?.treeSize
            audit.takeSnapshot()
            _ = try await log.readEntries(upTo: checkpoint, checkingHashTiles: true) { first, entries in
                for (offset, entry) in entries.enumerated() {
                    audit.append(entry, at: first + UInt64(offset))
                    if audit.waiting >= Self.batchCount { audit.flush() }
                }
                progress(log.key.name, first + UInt64(entries.count), checkpoint.size)
            }
            audit.flush()
            report.logs.append(.init(url: log.key.name, treeSize: checkpoint.size, rootHash: checkpoint.root))
            report.pass(name, count: checkpoint.size)
            report.conclude("records of \(log.key.name)", count: checkpoint.size - audit.unjudged, audit.refusals)
            if audit.unjudged > 0 {
                report.undecided(
                    "further records of \(log.key.name)", "\(audit.unjudged) name a roll that could not be read")
            } else if let published {
                compare(published, with: audit, &report)
            }
        } catch let error as LogReadError {
            report.file(error, name: name, log: log.key.name)
            return nil
        } catch {
            report.undecided(name, "the copy cannot be read")
            return nil
        }
        return audit.tags
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
        _ published: PublishedTally, with audit: RecordAudit, _ report: inout VerificationReport
    ) {
        let name = "published tally of \(log.key.name)"
        guard let snapshot = audit.snapshot else {
            return report.undecided(
                name, "it counts \(published.treeSize) entries, more than the copy holds")
        }
        let expected = PublishedTally(
            petition, tally: snapshot.tally, labels: labels, treeSize: published.treeSize, rootHash: snapshot.root)
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

/// Takes the entries of one log in order, verifies them in batches and applies the rules of admission.
private struct RecordAudit {
    private let petition: PetitionManifest
    private let base: PetitionBase
    private let electorate: Electorate
    private let logName: String
    private var batch: [(index: UInt64, record: SubmittedRecord)] = []
    private var tree = GrowingTree()
    private(set) var tags: [GroupElement: TagState] = [:]
    private(set) var refusals: [VerificationReport.Refusal] = []
    /// Records of rolls that could not be read, and their tags, whose withdrawals cannot be judged either.
    private(set) var unjudged: UInt64 = 0
    private var unjudgedTags: Set<GroupElement> = []
    private(set) var snapshot: (tally: Tally, root: Bytes32)?
    var snapshotSize: UInt64?

    init(petition: PetitionManifest, electorate: Electorate, logName: String) {
        self.petition = petition
        self.electorate = electorate
        self.logName = logName
        base = PetitionBase(petition: petition.id.bytes)
    }

    var waiting: Int { batch.count }

    mutating func append(_ bytes: [UInt8], at index: UInt64) {
        do {
            let record = try SubmittedRecord(parsing: bytes, electorate: electorate)
            if case .withdrawal = record, unjudgedTags.contains(record.tag) {
                unjudged += 1
            } else {
                batch.append((index, record))
            }
        } catch .rollUnreachable {
            unjudged += 1
            if let tag = SignatureHeader.tag(of: bytes) { unjudgedTags.insert(tag) }
        } catch {
            refuse(index, error)
        }
        guard snapshotSize != nil, snapshot == nil else { return }
        tree.append(MerkleHash.leaf(bytes))
        takeSnapshot()
    }

    /// Counts when the log has the size that the published tally speaks of.
    mutating func takeSnapshot() {
        guard snapshot == nil, tree.size == snapshotSize else { return }
        flush()
        var counter = TallyCounter(rolls: petition.rolls.count)
        for (tag, state) in tags { counter.add(tag: tag, roll: state.roll, isWithdrawn: state.withdrawnAt != nil) }
        snapshot = (counter.tally, tree.root)
    }

    /// Verifies what is waiting, then decides in the order of the log.
    mutating func flush() {
        let verdicts = VerifiedRecord.verify(batch.map(\.record), petition: base)
        for (entry, verdict) in zip(batch, verdicts) {
            switch verdict {
            case .failure(let rule): refuse(entry.index, rule)
            case .success(let record):
                do {
                    let admitted = try AdmittedRecord.admit(record, tag: tags[record.tag], at: entry.index)
                    tags[record.tag] = admitted.tagState
                } catch {
                    refuse(entry.index, error.rule)
                }
            }
        }
        batch = []
    }

    private mutating func refuse(_ index: UInt64, _ rule: Rule) {
        refusals.append(.init(log: logName, index: index, rule: rule, detail: nil))
    }
}
