import Dispatch
import Documents
import LogStorage
import Logging
import Platform
import ServiceLifecycle
import Storage

/// Does what is due in the rounds of rolls while the server runs.
final class RoundDispatch: Service {
    private static let interval = Duration.seconds(1)
    private let coordinator: Coordinator
    private let logger: Logger
    private let queue: DispatchQueue
    private let watch: Mutex<ClockWatch>

    /// Changes rolls on `queue`.
    init(_ coordinator: Coordinator, on queue: DispatchQueue, logger: Logger) {
        (self.coordinator, self.logger, self.queue) = (coordinator, logger, queue)
        watch = Mutex(ClockWatch(wall: coordinator.clock.now, steady: ClockWatch.sinceStart))
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            var last = ""
            while !Task.isCancelled {
                let error = await step()
                if !error.isEmpty, error != last {
                    logger.error("rounds cannot go on", metadata: ["error": "\(error)"])
                }
                last = error
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    /// One look at all rolls. Returns the error that ended it; empty for none.
    private func step() async -> String {
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                do {
                    try coordinator.publishSteps()
                    let (jump, steady) = watch.withLock { watch in
                        (
                            watch.look(wall: coordinator.clock.now, steady: ClockWatch.sinceStart), watch.steadySeconds
                        )
                    }
                    if jump != 0 {
                        logger.warning(
                            "the clock was set: rounds go on when it was steady for ten minutes",
                            metadata: ["seconds": "\(jump)"])
                    }
                    for (slug, change) in try coordinator.stepRounds(steadySeconds: steady) {
                        logger.info("a round went on", metadata: ["roll": "\(slug)", "change": "\(change.words)"])
                    }
                    continuation.resume(returning: "")
                } catch {
                    continuation.resume(returning: (error as? StorageError)?.explanation ?? "\(error)")
                }
            }
        }
    }
}

extension Coordinator.RoundChange {
    /// What was done, in words.
    public var words: String {
        switch self {
        case .joiningOpened(let round, let issued): "joining opened in round \(round), in which \(issued) enrolled"
        case .joiningProlonged(let round, let pending):
            "joining goes on in round \(round): only \(pending) wait for a ring"
        case .sealed(let sizes, let round):
            "sealed rings of \(sizes.map(String.init).joined(separator: ", ")) members; "
                + "issuing opened in round \(round)"
        case .issuingOpened(let round): "issuing opened in round \(round), without a new ring"
        }
    }
}
