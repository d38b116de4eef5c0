import Bytes
import LogReading
import PetitionCopies
import Petitions
import TransparencyLog

extension PublishedLog {
    /// Reads the whole log of a copy under its signed root, and compares it with what was verified of it before.
    /// Reports the log and what is wrong with its tiles; throws whatever prevents the log from being read.
    func readCopy(
        _ copy: CheckedCopy, _ report: inout VerificationReport, _ body: ([[UInt8]], LeafHashes) async throws -> Void
    ) async throws -> Checkpoint {
        let checkpoint = try await readCheckpoint().checkpoint
        var known = copy.verified.reader(of: key.name)
        var bad: BadHashTiles?
        _ = try await readEntries(upTo: checkpoint, badHashTiles: { bad = $0 }) { first, entries, leaves in
            try await body(entries, leaves)
            // Afterwards: what the petition has fixed remains, even if later entries differ from those known before.
            try known.append(leaves)
            copy.progress(key.name, done: first + UInt64(entries.count), of: checkpoint.size)
        }
        try known.finish()
        report.logs.append(.init(url: key.name, treeSize: checkpoint.size, rootHash: checkpoint.root))
        report.remark(bad, log: key.name)
        return checkpoint
    }
}

extension VerificationReport {
    /// Records a log without proofs, so that a later run notices if it was rewritten.
    mutating func remember(_ checkpoint: Checkpoint) {
        verified.append(
            VerifiedRange(
                log: checkpoint.origin, entries: 0..<checkpoint.size, hash: checkpoint.root, exceptions: []))
    }
}

/// Reads the evidence in a copy that a coordinator signed two logs, and reports it if it shows that. The evidence is
/// not trusted: what it shows is checked.
struct EvidenceCheck {
    let source: any ResourceSource
    /// The log's folder in the copy.
    let folder: String

    func run(_ log: VerifierKey, _ report: inout VerificationReport) async {
        let path = "\(folder)/\(OfflineCopy.evidence(log))"
        guard let bytes = (try? await source.read(path, limit: Evidence.maximumCount)) ?? nil,
            let evidence = try? Evidence(parsing: bytes), evidence.isContradiction(of: log)
        else { return }
        report.remarks.append(
            .init(
                log: log.name, index: nil, rule: .rootMismatch,
                detail: "its key signed another log too, which contradicts this one: \(path) is the evidence"))
        report.reservations.append(
            "the coordinator of \(log.name) signed two logs that contradict each other: others may have been shown "
                + "another one than this copy has")
    }
}
