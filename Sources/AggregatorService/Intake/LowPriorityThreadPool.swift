import DequeModule
import Foundation
import Platform

/// Threads for long computations that give way to everything else in the process: whoever accepts connections, answers
/// and commits comes first, but not so much that many requests keep records from being verified.
final class LowPriorityThreadPool: @unchecked Sendable {
    // Sendable: everything that changes is touched under the condition's lock.
    private let condition = NSCondition()
    private var jobs: Deque<@Sendable () -> Void> = []

    /// Of 19 at most: where cores are short, a thread at this one gets two thirds of what one at 0 gets. Measured with
    /// thousands of connections full of junk: at 10, records waited five times as long.
    private static let niceness: Int32 = 2

    /// Starts `count` threads, which run as long as the process.
    init(count: Int, name: String) {
        for number in 0..<count {
            let thread = Thread { [self] in
                // Linux counts a thread as a process here; 0 is the one that asks.
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
