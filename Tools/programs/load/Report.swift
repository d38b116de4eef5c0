import Documents
import Foundation
import Petitions
import TransparencyLog

/// Counts the receipts that prove that their record is in the petition's log, and the bad ones.
struct ReceiptCheck {
    private(set) var good = 0
    private(set) var bad = 0

    init(petition: PetitionManifest, results: [GoodClients.Outcome]) {
        let key = petition.logKey(aggregator: 0)
        // A commit gives many receipts the same checkpoint, whose signature is checked once.
        var known: [[UInt8]: Checkpoint] = [:]
        for result in results {
            guard let receipt = result.receipt else { continue }
            guard let proof = try? LogProof(parsing: receipt),
                let checkpoint = known[proof.checkpoint] ?? (try? Checkpoint(verifying: proof.checkpoint, key: key)),
                (try? proof.inclusion.verify(
                    leaf: MerkleHash.leaf(result.record), size: checkpoint.size, root: checkpoint.root)) != nil
            else {
                bad += 1
                continue
            }
            known[proof.checkpoint] = checkpoint
            good += 1
        }
    }
}

/// The results of a run.
struct Report {
    let seconds: Double
    /// The number of cores that the generator itself kept busy.
    let generatorCores: Double
    let good: [GoodClients.Outcome]
    let junk: [String: Int]
    let reads: [String: Int]
    let receipts: ReceiptCheck

    private var accepted: Int { good.count { $0.receipt != nil } }

    private var latencies: [Double] {
        good.filter { $0.receipt != nil }.map { $0.latency / .milliseconds(1) }.sorted()
    }

    private var refusals: [String: Int] {
        good.filter { $0.receipt == nil }.reduce(into: [:]) { $0[$1.refusal ?? "unknown", default: 0] += 1 }
    }

    private static func quantile(_ sorted: [Double], _ part: Double) -> Double {
        sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]
    }

    var text: String {
        let sorted = latencies
        let quantiles = [0.5, 0.95, 0.99, 1].map { String(Int(Self.quantile(sorted, $0).rounded())) }
        let again = good.count { $0.attempts > 1 }
        var lines = [
            "\(accepted) of \(good.count) accepted in \(Int(seconds.rounded())) s: \(Int(Double(accepted) / seconds)) a second",
            "from request to receipt: p50 \(quantiles[0]) ms, p95 \(quantiles[1]) ms, p99 \(quantiles[2]) ms, "
                + "longest \(quantiles[3]) ms; \(again) were sent more than once",
            "receipts: \(receipts.good) good, \(receipts.bad) bad",
            "this generator kept \(String(format: "%.2f", generatorCores)) cores busy",
        ]
        lines += refusals.sorted { $0.key < $1.key }.map { "  refused: \($0.value) \($0.key)" }
        if !junk.isEmpty { lines.append("junk, answered with:") }
        lines += junk.sorted { $0.key < $1.key }.map { "  \($0.value) \($0.key)" }
        if !reads.isEmpty {
            let good = reads["good", default: 0]
            lines.append("reading, \(Int(Double(good) / seconds)) a second answered:")
        }
        lines += reads.sorted { $0.key < $1.key }.map { "  \($0.value) \($0.key)" }
        return lines.joined(separator: "\n")
    }

    var json: String {
        let sorted = latencies
        func counts(_ counts: [String: Int]) -> String {
            "{" + counts.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ") + "}"
        }
        let fields: [(String, String)] = [
            ("seconds", String(seconds)), ("sent", "\(good.count)"), ("accepted", "\(accepted)"),
            ("acceptedPerSecond", String(Double(accepted) / seconds)),
            ("millisecondsP50", String(Self.quantile(sorted, 0.5))),
            ("millisecondsP95", String(Self.quantile(sorted, 0.95))),
            ("millisecondsP99", String(Self.quantile(sorted, 0.99))), ("refusals", counts(refusals)),
            ("receiptsGood", "\(receipts.good)"), ("receiptsBad", "\(receipts.bad)"),
            ("generatorCores", String(generatorCores)), ("junk", counts(junk)),
            ("reads", counts(reads)),
        ]
        return "{" + fields.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
    }
}
