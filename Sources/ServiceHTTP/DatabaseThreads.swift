import Dispatch
import Hummingbird
import Storage

/// Answers requests on threads of their own where the database is on another machine: a question to it may wait for
/// seconds, and no thread that serves others may.
public struct DatabaseThreads<Context: RequestContext>: RouterMiddleware {
    private let executor: WaitingThreads?

    /// For what reads this database.
    public init(for database: any Storage) {
        executor = database.mayWait ? WaitingThreads() : nil
    }

    /// Passes the request on.
    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard let executor else { return try await next(request, context) }
        return try await withTaskExecutorPreference(executor) { try await next(request, context) }
    }
}

/// Threads of the system's, of which it starts some dozens while others wait.
private final class WaitingThreads: TaskExecutor {
    private let queue = DispatchQueue(label: "roundrobin.database", attributes: .concurrent)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
