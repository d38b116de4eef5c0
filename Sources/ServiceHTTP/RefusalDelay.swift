import ServiceLifecycle

/// The least time that a change takes of which nothing comes: it is refused, or its record is in the log already.
///
/// Such a request costs its sender nothing. A connection carries no more than one of them in this time, so that whoever
/// sends thousands a second has to open or hold thousands of connections. Nobody has to be known for that, and whoever
/// signs once waits a second at most.
public struct RefusalDelay: Sendable {
    /// The longest: a second.
    public static let longest = RefusalDelay(.seconds(1))

    private let duration: Duration

    /// Not more than ``longest``.
    public init(atMost duration: Duration) { self.init(min(duration, Self.longest.duration)) }

    private init(_ duration: Duration) { self.duration = duration }

    /// Waits until it is over for a request that came at `start`; not when the server was told to stop.
    public func wait(since start: ContinuousClock.Instant) async {
        guard .now < start + duration, !Task.isShuttingDownGracefully else { return }
        try? await Task.sleep(until: start + duration)
    }
}
