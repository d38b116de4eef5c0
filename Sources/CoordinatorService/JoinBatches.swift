import Dispatch
import Messages
import Petitions
import Platform
import RingSignatures
import Ristretto255
import ServiceLifecycle

/// Collects joins, and commits those of one interval together, when ``JoinSchedule`` says so. A join is answered once
/// it is on the disk.
final class JoinBatches: Service {
    private struct Waiting {
        let roll: String
        let member: MemberKey
        let answer: CheckedContinuation<JoinAnswer, any Error>
    }

    private struct State {
        var schedule: JoinSchedule
        var waiting: [Waiting] = []
    }

    private let coordinator: Coordinator
    private let queue: DispatchQueue
    private let state: Mutex<State>

    /// Commits on `queue` every `interval`, or with zero, each join at once.
    init(_ coordinator: Coordinator, every interval: Duration, on queue: DispatchQueue) {
        self.coordinator = coordinator
        self.queue = queue
        state = Mutex(State(schedule: JoinSchedule(now: .now, every: interval)))
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                try? await Task.sleep(until: state.withLock { $0.schedule.due })
                if state.withLock({ $0.schedule.step(now: .now) }) { commit() }
            }
        }
        stop()
    }

    /// Commits the waiting joins, and from now on each join at once.
    private func stop() {
        state.withLock { $0.schedule.stop() }
        commit()
    }

    /// Waits until the key is on the disk. Throws the rule that forbids it, or `busy` if too many joins are waiting.
    func join(roll: String, member: MemberKey) async throws -> JoinAnswer {
        // Before it stops, the server waits for pending requests, so these must not wait for the end of the interval.
        try await withGracefulShutdownHandler {
            try await wait(roll: roll, member: member)
        } onGracefulShutdown: {
            self.stop()
        }
    }

    private func wait(roll: String, member: MemberKey) async throws -> JoinAnswer {
        try await withCheckedThrowingContinuation { continuation in
            let reception = state.withLock { state in
                let reception = state.schedule.receive()
                if reception != .refused {
                    state.waiting.append(Waiting(roll: roll, member: member, answer: continuation))
                }
                return reception
            }
            switch reception {
            case .waits: break
            case .commit: commit()
            case .refused: continuation.resume(throwing: Rule.busy)
            }
        }
    }

    private func commit() {
        queue.async { [self] in
            let batch = state.withLock { state in
                defer { state.waiting = [] }
                state.schedule.take()
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
