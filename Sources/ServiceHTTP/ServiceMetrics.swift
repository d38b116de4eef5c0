import Documents
import LogStorage
import Petitions
import Platform
import Storage
import TransparencyLog

/// Metrics in the text format of Prometheus.
public struct MetricsText {
    private var lines: [String] = []

    /// Creates an empty text.
    public init() {}

    /// Adds a metric with its name, type (`counter` or `gauge`) and help text, and its values with their labels, such
    /// as `{rule="busy"}`.
    public mutating func add(
        _ name: String, _ type: String, _ help: String, _ values: [(labels: String, value: String)]
    ) {
        lines += ["# HELP \(name) \(help)", "# TYPE \(name) \(type)"]
        lines += values.map { "\(name)\($0.labels) \($0.value)" }
    }

    /// Adds a metric with one value.
    public mutating func add(_ name: String, _ type: String, _ help: String, _ value: some CustomStringConvertible) {
        add(name, type, help, [("", value.description)])
    }

    /// Adds whether the database answers, and how many standbys it has. Adds nothing for a file.
    public mutating func add(_ database: any Storage) {
        guard database.mayWait else { return }
        let standbys = try? database.standbyCount()
        add("roundrobin_database_up", "gauge", "1 if the database's server answers.", standbys == nil ? 0 : 1)
        guard let standbys else { return }
        add("roundrobin_database_standbys", "gauge", "Standbys that receive what is committed.", standbys.present)
        add(
            "roundrobin_database_standbys_needed", "gauge", "Standbys that must have what is published.",
            standbys.needed)
    }

    /// Adds lines that are already in the format.
    public mutating func add(lines: [String]) { self.lines += lines }

    /// The text.
    public var text: String { lines.joined(separator: "\n") + "\n" }
}

/// What each server counts of its answers and logs. It reveals nothing about a request or a person, nor when a member
/// joined a roll: joins show only when they are sealed.
public final class ServiceMetrics: Sendable {
    private struct State {
        var refused: [String: UInt64] = [:]
        var failures: UInt64 = 0
    }
    private let state = Mutex(State())

    /// All counts are zero.
    public init() {}

    func refused(_ rule: Rule) { state.withLock { $0.refused[rule.rawValue, default: 0] += 1 } }

    func failed() { state.withLock { $0.failures += 1 } }

    /// All metrics, including those of the logs that have `heads` as their newest published checkpoints.
    public func text(heads: [StoredLog.Head]) -> MetricsText {
        let state = state.withLock { $0 }
        let now = UTCTime.now.seconds
        var text = MetricsText()
        text.add(
            "roundrobin_refusals_total", "counter", "Requests refused, by the rule that they break.",
            state.refused.sorted { $0.key < $1.key }.map { ("{rule=\"\($0.key)\"}", "\($0.value)") })
        text.add(
            "roundrobin_failed_requests_total", "counter", "Requests that the server's own disk or state made fail.",
            state.failures)
        text.add(
            "roundrobin_log_entries", "gauge", "Entries of a log.",
            heads.map { ("{log=\"\($0.checkpoint.origin)\"}", "\($0.checkpoint.size)") })
        text.add(
            "roundrobin_checkpoint_age_seconds", "gauge", "Seconds since a log's newest checkpoint was signed.",
            heads.map { ("{log=\"\($0.checkpoint.origin)\"}", "\($0.age(at: now))") })
        return text
    }
}

extension StoredLog.Head {
    /// Seconds since it was signed; 0 if the clock has been set back since.
    public func age(at now: Int64) -> Int64 { max(0, now - signedAt) }
}
