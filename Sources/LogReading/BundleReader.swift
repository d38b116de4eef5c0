import TransparencyLog

/// Reads the bundles of a log one after the other, while the next ones are being requested, and hashed on other cores.
/// A bundle that cannot be read throws only when its turn comes. Whoever has read enough calls ``stop()``.
struct BundleReader: ~Copyable {
    typealias Bundle = (first: UInt64, entries: [[UInt8]], leaves: LeafHashes)
    /// How many resources are requested at once: over Tor, most of the time of a request is latency. Without threads,
    /// as in Embedded Swift, the source is told what comes next.
    static let readAhead = 8
    private let log: PublishedLog
    private let end: UInt64
    /// The first entry that was not asked for yet.
    private var asked: UInt64

    /// Reads the entries of `log` from `first` up to but excluding `end`.
    init(of log: PublishedLog, from first: UInt64, to end: UInt64) {
        (self.log, self.end, asked) = (log, end, first)
    }

    /// Where the bundle that has the next entry begins; nil at the end. What comes after it is asked for next.
    private mutating func take() -> UInt64? {
        guard asked < end else { return nil }
        let first = asked
        asked = (first / UInt64(TileID.fullWidth) + 1) * UInt64(TileID.fullWidth)
        return first
    }

    private static func read(
        _ log: PublishedLog, from first: UInt64, to end: UInt64
    ) async throws(LogReadError) -> Bundle {
        let entries = try await log.readBundle(from: first, size: end)
        return (first, entries, LeafHashes(of: entries))
    }

    #if hasFeature(Embedded)
        /// The next bundle; nil at the end.
        mutating func next() async throws(LogReadError) -> Bundle? {
            guard let first = take() else { return nil }
            log.expectBundles(from: first, size: end, count: Self.readAhead)
            return try await Self.read(log, from: first, to: end)
        }

        /// Ends what is being requested.
        mutating func stop() async { log.expectBundles(from: end, size: end, count: 0) }
    #else
        private var waiting: [Task<Result<Bundle, LogReadError>, Never>] = []

        /// Ends what is being requested, and waits for its end: what uses the source may be put away then.
        mutating func stop() async {
            for task in waiting { task.cancel() }
            for task in waiting { _ = await task.value }
            waiting = []
        }

        /// The next bundle; nil at the end.
        mutating func next() async throws(LogReadError) -> Bundle? {
            while waiting.count < Self.readAhead, let first = take() {
                waiting.append(
                    Task { [log, end] in
                        do throws(LogReadError) {
                            return .success(try await Self.read(log, from: first, to: end))
                        } catch { return .failure(error) }
                    })
            }
            guard let task = waiting.first else { return nil }
            // Also what was begun after the caller was cancelled: these tasks are not its children.
            let bundle = await withTaskCancellationHandler {
                await task.value
            } onCancel: { [waiting] in
                for task in waiting { task.cancel() }
            }
            waiting.removeFirst()
            return try bundle.get()
        }
    #endif
}
