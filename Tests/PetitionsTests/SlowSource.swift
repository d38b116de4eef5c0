import LogReading
import Platform

/// A reader's own error.
struct Enough: Error {}

/// A source that takes its time, whoever is cancelled meanwhile, and counts its requests. It begins none for somebody
/// who is cancelled.
final class SlowSource: ResourceSource {
    struct Counts {
        var begun = 0
        var onTheirWay = 0
    }

    private let source: MemorySource
    private let mutex = Mutex(Counts())

    init(_ source: MemorySource) { self.source = source }

    var counts: Counts { mutex.withLock { $0 } }

    func read(_ path: String, limit: Int) async throws(SourceError) -> [UInt8]? {
        guard !Task.isCancelled else { throw .unreachable(location: path, reason: "cancelled") }
        mutex.withLock { $0 = Counts(begun: $0.begun + 1, onTheirWay: $0.onTheirWay + 1) }
        defer { mutex.withLock { $0.onTheirWay -= 1 } }
        for _ in 0..<100 { await Task.yield() }
        return try await source.read(path, limit: limit)
    }

    func location(of path: String) -> String { source.location(of: path) }
}
