import Dispatch
import Foundation
import Platform

/// Runs what blocks on a thread of its own: tests have as many threads as the machine has cores.
public final class Background<Value: Sendable>: Sendable {
    private let isDone = DispatchSemaphore(value: 0)
    private let value = Mutex<Value?>(nil)

    /// Begins it.
    public init(_ body: @escaping @Sendable () -> Value) {
        Thread.detachNewThread { [self] in
            let result = body()
            value.withLock { $0 = result }
            isDone.signal()
        }
    }

    /// Waits for its end.
    @discardableResult
    public func end() -> Value {
        isDone.wait()
        guard let value = value.withLock({ $0 }) else { preconditionFailure("it has ended") }
        return value
    }
}
