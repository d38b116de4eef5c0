import DequeModule
import Foundation
import Platform

/// Threads for long computations that yield to everything else in the process: accepting connections, answering and
/// committing come first, but not so much that many requests keep records from being verified.
final class LowPriorityThreadPool: @unchecked Sendable {
    // Sendable: all mutable state is accessed under the condition's lock.
    private let condition = NSCondition()
    private var jobs: Deque<@Sendable () -> Void> = []

    /// The nice value, of at most 19: where cores are scarce, a thread at this value gets two thirds of the time that
    /// one at 0 gets. Measured with thousands of connections full of junk: at 10, records waited five times as long.
    private static let niceness: Int32 = 2

    /// Starts `count` threads, which run as long as the process does.
    init(count: Int, name: String) {
        for number in 0..<count {
            let thread = Thread { [self] in
                // Linux treats a thread as a process here; 0 means the calling thread.
                setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.niceness)
                while true { next()() }
            }
            thread.name = "\(name) \(number)"
            thread.start()
        }
    }

    /// Runs `job` when a thread is free.
    func run(_ job: @escaping @Sendable () -> Void) {
        condition.lock()
        jobs.append(job)
        condition.signal()
        condition.unlock()
    }

    private func next() -> @Sendable () -> Void {
        condition.lock()
        defer { condition.unlock() }
        while jobs.isEmpty { condition.wait() }
        return jobs.removeFirst()
    }
}
