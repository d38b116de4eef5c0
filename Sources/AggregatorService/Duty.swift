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
    /// True from when this server has taken over, until it takes records, or another has taken over.
    private let preparing = Mutex(false)

    /// Takes the duty if nobody has it, and if it can be taken now.
    init(_ database: any Storage) throws {
        self.database = database
        var isActive = false
        // Without its standbys a database can be read, and nothing can be taken over.
        do {
            for attempt in 0..<Self.attempts where !isActive {
                if attempt > 0 { usleep(Self.pause) }
                isActive = try database.takeOver()
            }
        } catch StorageError.unconfirmed {}
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
        var told: StorageError?
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            if let fault = fault() {
                active.withLock { $0 = false }
                throw fault
            }
            if isActive {
                try await stay()
                continue
            }
            do {
                guard try await takesOver() else {
                    await follow()
                    continue
                }
                try await prepare()
                preparing.withLock { $0 = false }
                active.withLock { $0 = true }
                told = nil
                logger.warning("no other server takes signatures: this one does now")
            } catch let error as StorageError where error.isPassing {
                // It is tried again, and said once.
                if told != error { logger.warning("signatures cannot be taken over: \(error.explanation)") }
                told = error
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

    private func takesOver() async throws -> Bool {
        if preparing.withLock({ $0 }) {
            do {
                try await onThread { try $0.stayInOffice() }
                return true
            } catch StorageError.deposed {
                preparing.withLock { $0 = false }
            }
        }
        let hasTakenOver = try await onThread { try $0.takeOver() }
        preparing.withLock { $0 = hasTakenOver }
        return hasTakenOver
    }

    /// Runs what may wait for a server of the database.
    private func onThread<T: Sendable>(_ body: @escaping @Sendable (any Storage) throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { [database] in
                continuation.resume(with: Result { try body(database) })
            }
        }
    }
}
