/// The least time that a request takes when nothing comes of it: it is refused, or was answered in the same way before.
///
/// Such a request costs its sender nothing. A connection carries no more than one of them in this time, so that whoever sends
/// thousands a second has to hold thousands of connections. Nobody has to be known for that, and whoever signs once is not
/// kept waiting.
public struct Pace: Sendable {
    /// The longest: what a server takes unless its answers come sooner than that anyway.
    public static let longest = Pace(.seconds(1))

    private let duration: Duration

    /// Not more than ``longest``.
    public init(atMost duration: Duration) { self.init(min(duration, Self.longest.duration)) }

    private init(_ duration: Duration) { self.duration = duration }

    /// Waits until it is over for a request that came at `start`.
    public func wait(since start: ContinuousClock.Instant) async {
        guard .now < start + duration else { return }
        // Sooner only where the server is stopping.
        try? await Task.sleep(until: start + duration)
    }
}
