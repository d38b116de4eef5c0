import ServiceLifecycle

/// The minimum time until the answer to a fruitless write: one that is refused, or whose record is already logged.
///
/// Such a request costs its sender nothing. With the delay, a connection carries at most one of them in this time, so
/// that a client that sends thousands per second must open or hold thousands of connections. This works without
/// identifying anyone, and a person who signs once waits a second at most.
public struct RefusalDelay: Sendable {
    /// The longest delay: one second.
    public static let longest = RefusalDelay(.seconds(1))

    private let duration: Duration

    /// A delay of `duration`, but at most ``longest``.
    public init(atMost duration: Duration) { self.init(min(duration, Self.longest.duration)) }

    private init(_ duration: Duration) { self.duration = duration }

    /// Waits until the delay since `start`, when the request came, is over. Does not wait if the server was told to
    /// stop.
    public func wait(since start: ContinuousClock.Instant) async {
        guard .now < start + duration, !Task.isShuttingDownGracefully else { return }
        try? await Task.sleep(until: start + duration)
    }
}
