/// Receives the progress of work on a log.
public struct WorkProgress: Sendable {
    /// Ignores progress.
    public static let untold = WorkProgress { _, _, _ in }

    private let report: @Sendable (String, UInt64, UInt64) -> Void

    /// Calls `report` with the name of the work, how much of it is done, and how much there is in total.
    public init(_ report: @escaping @Sendable (String, UInt64, UInt64) -> Void) {
        self.report = report
    }

    /// Reports that `done` of `total` of the work named `name` is done.
    public func callAsFunction(_ name: String, done: UInt64, of total: UInt64) {
        report(name, done, total)
    }
}
