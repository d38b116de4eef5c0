import Bytes
import Petitions
import TransparencyLog

extension PublishedLog {
    /// Reads the whole log of a copy under its signed root, and compares it with what was known of it before. Files the
    /// log and what is wrong with its tiles; whatever keeps it from being read is thrown.
    func readCopy(
        verified: VerifiedEntries?, progress: (String, UInt64, UInt64) -> Void,
        _ report: inout VerificationReport, _ body: ([[UInt8]], [Bytes32]) async throws -> Void
    ) async throws -> Checkpoint {
        let checkpoint = try await readCheckpoint().checkpoint
        var known = verified.reader(of: key.name)
        var bad: BadHashTiles?
        _ = try await readEntries(upTo: checkpoint, badHashTiles: { bad = $0 }) { first, entries, leaves in
            for leaf in leaves { try known.append(leaf) }
            try await body(entries, leaves)
            progress(key.name, first + UInt64(entries.count), checkpoint.size)
        }
        try known.finish()
        report.logs.append(.init(url: key.name, treeSize: checkpoint.size, rootHash: checkpoint.root))
        report.remark(bad, log: key.name)
        return checkpoint
    }
}

extension VerificationReport {
    /// Remembers a log without proofs, so that it is noticed when it is rewritten.
    mutating func remember(_ checkpoint: Checkpoint) {
        verified.append(
            VerifiedRange(
                log: checkpoint.origin, entries: 0..<checkpoint.size, hash: checkpoint.root, exceptions: []))
    }
}
