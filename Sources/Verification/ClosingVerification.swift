import Bytes
import Documents
import LogReading
import PetitionCopies
import Petitions
import TransparencyLog
import Witnessing

/// A signed checkpoint, or a receipt, that somebody brings to a verification: it may prove that an aggregator hides how
/// large its log was, or that it signed two logs.
public struct BroughtEvidence: Sendable {
    /// The name of the file.
    public let name: String
    /// The signed checkpoint.
    public let note: [UInt8]

    /// Reads a receipt, or else a checkpoint. Nothing in it is checked yet.
    public init(name: String, _ bytes: [UInt8]) {
        self.name = name
        note = (try? LogProof(parsing: bytes).checkpoint) ?? bytes
    }
}

/// What a verification knows of the witnesses of one petition log.
struct WitnessedExtent {
    /// So many entries count; those after them are late.
    let counted: UInt64
    /// True if a quorum cosigned these entries before the petition closed.
    var isClosingProven = false
    /// False if no quorum stands for these entries: then they are no total.
    var isDecided = true
    /// True if any of them may be late, as far as is known: then a bad one is no fault.
    var mayBeLate = false
    /// Every signed checkpoint of the log that was found; nil without a policy.
    var evidence: ClosingEvidence?
}

/// Checks what the witnesses of a petition say of one of its logs: that this is the log that everybody is shown, and
/// which entries were there when the petition closed.
struct ClosingVerification {
    let petition: PetitionManifest
    /// The aggregator's index in the manifest.
    let index: Int
    let copy: CheckedCopy

    private var log: VerifierKey { petition.logKey(aggregator: index) }

    /// Judges the log whose newest checkpoint is `head`, and adds the result to `report`.
    func run(_ head: (checkpoint: Checkpoint, note: [UInt8]), _ report: inout VerificationReport) async
        -> WitnessedExtent
    {
        let whole = WitnessedExtent(counted: head.checkpoint.size)
        guard let policy = petition.witnesses else { return whole }
        guard policy.canBeChecked else {
            report.undecided(.witnesses(log: log.name), "its witnesses sign in a way that cannot be checked here")
            return WitnessedExtent(counted: whole.counted, isDecided: false)
        }
        let evidence = await evidence(head.note, policy)
        guard petition.status(at: copy.now) == .closed else {
            return judgeOpen(head, policy, evidence, &report)
        }
        return judgeClosed(head.checkpoint, evidence, &report)
    }

    /// The same for a part of the log, which says nothing of the whole.
    func extent(_ head: (checkpoint: Checkpoint, note: [UInt8])) async -> WitnessedExtent {
        var unused = VerificationReport()
        return await run(head, &unused)
    }

    /// Until the petition closes, the newest checkpoint itself must have the quorum.
    private func judgeOpen(
        _ head: (checkpoint: Checkpoint, note: [UInt8]), _ policy: WitnessPolicy, _ evidence: ClosingEvidence,
        _ report: inout VerificationReport
    ) -> WitnessedExtent {
        var extent = WitnessedExtent(counted: head.checkpoint.size, evidence: evidence)
        do throws(CosigningError) {
            let now = UInt64(clamping: copy.now.seconds)
            let cosigned = try CosignedCheckpoint(verifying: head.note, key: log, policy: policy, now: now)
            report.pass(.witnesses(log: log.name), count: UInt64(cosigned.cosignatures.count))
        } catch {
            report.undecided(.witnesses(log: log.name), error.explanation)
            extent.isDecided = false
        }
        return extent
    }

    private func judgeClosed(
        _ head: Checkpoint, _ evidence: ClosingEvidence, _ report: inout VerificationReport
    ) -> WitnessedExtent {
        let subject = CheckSubject.closing(log: log.name)
        let closes = petition.text.closes
        var extent = WitnessedExtent(counted: head.size, evidence: evidence)
        extent.isDecided = false
        if let more = evidence.closingSize(upTo: .max), more > head.size {
            report.undecided(
                subject,
                "a quorum of witnesses had cosigned \(more) entries by \(closes), and only \(head.size) are here")
        } else if let size = evidence.closingSize(upTo: head.size) {
            extent = WitnessedExtent(
                counted: size, isClosingProven: true, isDecided: true, evidence: evidence)
            report.pass(subject, count: size)
            report.late(log: log.name, from: size, of: head.size, closes: closes)
        } else {
            report.undecided(subject, "nothing here shows that a quorum of witnesses cosigned it by \(closes)")
            extent.mayBeLate = true
        }
        return extent
    }

    /// Everything at hand that the log's key signed.
    private func evidence(_ head: [UInt8], _ policy: WitnessPolicy) async -> ClosingEvidence {
        let now = UInt64(clamping: copy.now.seconds)
        var evidence = ClosingEvidence(petition, aggregator: index, under: policy, now: now)
        _ = evidence.add(head, from: "its checkpoint")
        for path in [OfflineCopy.closing(index)] + policy.witnesses.indices.map({ OfflineCopy.shown(index, by: $0) }) {
            // What cannot be read is no evidence.
            if let note = (try? await copy.source.read(path, limit: SignedNote.maximumCount)) ?? nil {
                _ = evidence.add(note, from: path)
            }
        }
        for brought in copy.evidence { _ = evidence.add(brought.note, from: brought.name) }
        return evidence
    }

    /// Reports checkpoints that the log's key signed and that its entries, with these roots, do not continue.
    func compare(
        _ evidence: ClosingEvidence?, with root: (UInt64) -> Bytes32?, _ report: inout VerificationReport
    ) {
        let found = evidence?.contradictions(to: root) ?? []
        guard !found.isEmpty else { return }
        report.fail(
            .oneLog(log.name),
            found.map { head in
                .init(
                    log: log.name, index: nil, rule: .rootMismatch,
                    detail: "its key signed another log too: \(head.place) has a checkpoint of \(head.checkpoint.size) "
                        + "entries with the root \(Base64.encode(head.checkpoint.root.array)), which these entries do "
                        + "not give. That and this copy's checkpoint prove it")
            })
    }
}

extension VerificationReport {
    /// Reports entries that came after the closing time. They are not counted, and not wrong.
    fileprivate mutating func late(log: String, from first: UInt64, of size: UInt64, closes: UTCTime) {
        guard first < size else { return }
        let count = size - first
        remarks.append(
            Refusal(
                log: log, index: first, rule: .petitionClosed,
                detail: "\(count == 1 ? "this entry is" : "from here on, \(count) entries are") late: no quorum of "
                    + "witnesses had cosigned \(count == 1 ? "it" : "them") by \(closes), so that they do not count"))
    }
}
