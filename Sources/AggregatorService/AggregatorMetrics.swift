import LogStorage
import Platform
import ServiceHTTP
import Storage

/// What an aggregator counts in addition to what every server counts. It holds nothing about a request or a person.
final class AggregatorMetrics: Sendable {
    private struct State {
        var admitted: UInt64 = 0
        var known: UInt64 = 0
        var failedCommits: UInt64 = 0
        var unconfirmed: UInt64 = 0
        var batches = Histogram(bounds: [1, 4, 16, 64, 256, 1024])
        var verification = Histogram(bounds: [0.005, 0.02, 0.1, 0.5, 2])
        var commit = Histogram(bounds: [0.005, 0.02, 0.1, 0.5, 2])
    }

    private struct Histogram {
        let bounds: [Double]
        var counts: [UInt64]
        var sum = 0.0

        init(bounds: [Double]) {
            self.bounds = bounds
            counts = [UInt64](repeating: 0, count: bounds.count + 1)
        }

        mutating func add(_ value: Double) {
            counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
            sum += value
        }

        func lines(_ name: String, _ help: String) -> [String] {
            var lines = ["# HELP \(name) \(help)", "# TYPE \(name) histogram"]
            var total: UInt64 = 0
            for (bound, count) in zip(bounds.map { "\($0)" } + ["+Inf"], counts) {
                total += count
                lines.append("\(name)_bucket{le=\"\(bound)\"} \(total)")
            }
            return lines + ["\(name)_sum \(sum)", "\(name)_count \(total)"]
        }
    }

    private let state = Mutex(State())

    func admitted(isNew: Bool) {
        state.withLock { if isNew { $0.admitted += 1 } else { $0.known += 1 } }
    }

    func verified(_ count: Int, in duration: Duration) {
        state.withLock {
            $0.batches.add(Double(count))
            $0.verification.add(duration / .seconds(1))
        }
    }

    func committed(in duration: Duration) { state.withLock { $0.commit.add(duration / .seconds(1)) } }

    func commitFailed(_ error: any Error) {
        state.withLock {
            $0.failedCommits += 1
            if case StorageError.unconfirmed = error { $0.unconfirmed += 1 }
        }
    }

    /// The text of the listener for metrics.
    func text(
        _ service: ServiceMetrics, queue: Int, watchers: Int, workBits: UInt64, takesRecords: Bool,
        heads: [StoredLog.Head]
    ) -> MetricsText {
        let state = state.withLock { $0 }
        var text = service.text(heads: heads)
        text.add(
            "roundrobin_records_total", "counter", "Records answered with a receipt, by whether they were new.",
            [("{new=\"true\"}", "\(state.admitted)"), ("{new=\"false\"}", "\(state.known)")])
        text.add("roundrobin_queue_records", "gauge", "Records that wait for their receipt.", queue)
        text.add("roundrobin_watchers", "gauge", "Connections that are told of each checkpoint.", watchers)
        text.add(
            "roundrobin_queue_limit_records", "gauge", "Records that may wait; more are refused as busy.",
            AdmissionResources.room)
        text.add(
            "roundrobin_work_bits", "gauge", "Bits of work that records must come with; 0 in peace.", workBits)
        text.add(
            "roundrobin_failed_commits_total", "counter", "Commits or publications that failed.", state.failedCommits)
        text.add(
            "roundrobin_unconfirmed_commits_total", "counter",
            "Those of them that too few standbys confirmed, or whose outcome was not known.", state.unconfirmed)
        text.add(
            "roundrobin_takes_records", "gauge", "1 if this server takes records, 0 if it waits for another to end.",
            takesRecords ? 1 : 0)
        text.add(lines: state.batches.lines("roundrobin_batch_records", "Records verified together."))
        text.add(lines: state.verification.lines("roundrobin_verification_seconds", "Time to verify a batch."))
        text.add(lines: state.commit.lines("roundrobin_commit_seconds", "Time to commit and publish."))
        return text
    }
}
