import Foundation
import Logging
import Platform
import ServiceLifecycle
import Storage

/// Whether this server takes records, or another one on the same database does, and this one is ready to.
final class Duty: Sendable {
    private static let interval = Duration.seconds(1)
    /// How often, and after how many microseconds, a server that starts asks for the duty: the database may take a
    /// moment to notice that the one before has ended.
    private static let (attempts, pause): (Int, UInt32) = (10, 50_000)
    private let database: any Storage
    private let active: Mutex<Bool>

    /// Takes the duty if nobody has it.
    init(_ database: any Storage) throws {
        self.database = database
        var isActive = try database.takeOver()
        for _ in 1..<Self.attempts where !isActive {
            usleep(Self.pause)
            isActive = try database.takeOver()
        }
        active = Mutex(isActive)
    }

    /// True if this server takes records.
    var isActive: Bool { active.withLock { $0 } }

    /// Waits until this server takes records, or the task is cancelled.
    func waitUntilActive() async {
        while !isActive, !Task.isCancelled { try? await Task.sleep(for: Self.interval) }
    }

    /// Looks after the duty until the server stops. While another server has it, `follow` is called now and then, to
    /// show what that one publishes; and `prepare` before this one takes it over. Throws ``StorageError/deposed`` when
    /// another has taken it from this one, and what `fault` names if anything keeps this server from going on.
    func lookAfter(
        logger: Logger, fault: @escaping @Sendable () -> StorageError?, follow: @escaping @Sendable () async -> Void,
        prepare: @escaping @Sendable () async throws -> Void
    ) async throws {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            if let fault = fault() {
                active.withLock { $0 = false }
                throw fault
            }
            if isActive {
                try await stay()
            } else if await takesOver() {
                try await prepare()
                active.withLock { $0 = true }
                logger.warning("the other server is gone: this one takes signatures now")
            } else {
                await follow()
            }
        }
    }

    private func stay() async throws {
        do { try await onThread { try $0.stayInOffice() } } catch StorageError.deposed {
            active.withLock { $0 = false }
            throw StorageError.deposed
        } catch {
            // The database is away: nothing can be written meanwhile, by nobody.
        }
    }

    private func takesOver() async -> Bool { (try? await onThread { try $0.takeOver() }) ?? false }

    /// Runs what may wait for a server of the database.
    private func onThread<T: Sendable>(_ body: @escaping @Sendable (any Storage) throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { [database] in
                continuation.resume(with: Result { try body(database) })
            }
        }
    }
}
