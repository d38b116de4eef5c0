import Dispatch
import ServiceLifecycle
import Storage

/// Looks now and then whether a database that is on another machine still continues what this server has shown: its
/// primary may have been replaced by a server that has less. Ends the server if not.
public struct DatabaseWatch: Service {
    private let database: any Storage
    private let interval: Duration
    private let check: @Sendable () throws -> Void

    /// Every `interval`, calls `check`, which throws a ``StorageError`` that ``StorageError/isOfAnotherLog`` if not.
    public init(of database: any Storage, every interval: Duration, _ check: @escaping @Sendable () throws -> Void) {
        (self.database, self.interval, self.check) = (database, interval, check)
    }

    /// Throws what ends the server.
    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: interval)
                guard database.mayWait else { continue }
                if let error = await fault() { throw error }
            }
        }
    }

    private func fault() async -> StorageError? {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                do { try check() } catch let error as StorageError where error.isOfAnotherLog {
                    return continuation.resume(returning: error)
                } catch {
                    // It is away, or busy: that is not known yet.
                }
                continuation.resume(returning: nil)
            }
        }
    }
}
