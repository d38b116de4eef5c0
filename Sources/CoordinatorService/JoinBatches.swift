import Dispatch
import Messages
import Petitions
import Platform
import Ristretto255
import ServiceLifecycle

/// Collects joins, and commits those of one interval together: what stands on the disk tells no more than the interval
/// in which a key came. A join is answered when it is on the disk.
final class JoinBatches: Service {
    /// Joins that wait at most, of some 200 bytes each.
    private static let limit = 16_384

    private struct Waiting {
        let roll: String
        let member: GroupElement
        let answer: CheckedContinuation<JoinAnswer, any Error>
    }

    private struct State {
        var waiting: [Waiting] = []
        /// Nothing waits for a later batch once the server was told to stop.
        var isStopping = false
    }

    private let coordinator: Coordinator
    private let interval: Duration
    private let queue: DispatchQueue
    private let state = Mutex(State())

    /// Commits on `queue`, every `interval`; with zero, each join at once.
    init(_ coordinator: Coordinator, every interval: Duration, on queue: DispatchQueue) {
        self.coordinator = coordinator
        self.interval = interval
        self.queue = queue
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: max(interval, .seconds(1)))
                commit()
            }
        }
        stop()
    }

    /// Commits what waits, and from now on each join at once.
    private func stop() {
        state.withLock { $0.isStopping = true }
        commit()
    }

    /// Waits until the key is on the disk. Throws the rule that forbids it, or `busy` when too many wait.
    func join(roll: String, member: GroupElement) async throws -> JoinAnswer {
        // The server waits for its requests before it stops: they must not wait for the end of the interval.
        try await withGracefulShutdownHandler {
            try await wait(roll: roll, member: member)
        } onGracefulShutdown: {
            self.stop()
        }
    }

    private func wait(roll: String, member: GroupElement) async throws -> JoinAnswer {
        try await withCheckedThrowingContinuation { continuation in
            let isAtOnce: Bool? = state.withLock { state in
                guard state.waiting.count < Self.limit else { return nil }
                state.waiting.append(Waiting(roll: roll, member: member, answer: continuation))
                return state.isStopping || interval == .zero
            }
            guard let isAtOnce else { return continuation.resume(throwing: Rule.busy) }
            if isAtOnce { commit() }
        }
    }

    private func commit() {
        queue.async { [self] in
            let batch = state.withLock { state in
                defer { state.waiting = [] }
                return state.waiting
            }
            guard !batch.isEmpty else { return }
            let answers = Result { try coordinator.join(batch.map { ($0.roll, $0.member) }) }
            switch answers {
            case .success(let answers):
                for (waiting, answer) in zip(batch, answers) { waiting.answer.resume(with: answer.mapError { $0 }) }
            case .failure(let error):
                for waiting in batch { waiting.answer.resume(throwing: error) }
            }
        }
    }
}
