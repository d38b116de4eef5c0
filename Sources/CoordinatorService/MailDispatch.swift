import Dispatch
import Documents
import InvitationMail
import LogStorage
import Logging
import MailDelivery
import Platform
import ServiceHTTP
import ServiceLifecycle
import Storage

/// Sends mails while the server runs. What it logs has codes of servers, and neither addresses nor their words.
final class MailDispatch: Service {
    private static let interval = Duration.seconds(2)
    private let coordinator: Coordinator
    private let perHour: Int
    private let logger: Logger
    private let queue = DispatchQueue(label: "roundrobin.mail")
    private let isStopping = Mutex(false)
    /// The last error that was logged; empty after a run without one.
    private let lastError = Mutex("")

    /// Sends what waits, and writes mails for requests, at most `perHour` of these.
    init(_ coordinator: Coordinator, perHour: Int, logger: Logger) {
        self.coordinator = coordinator
        self.perHour = perHour
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            try? coordinator.forgetUsedCodes()
            var last: MailQueue.End?
            while !Task.isCancelled {
                let end = await step()
                if let end, !end.isLike(last) { report(end) }
                last = end
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    /// One run, on a thread of its own: a server may take minutes to answer.
    private func step() async -> MailQueue.End? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                queue.async { [self] in
                    do {
                        try coordinator.settleMail()
                        try coordinator.answerRequests(perHour: perHour)
                        let end = try MailQueue(coordinator).run(isStopped: { self.isStopping.withLock { $0 } })
                        // The addresses of those who asked are gone when their mails are.
                        try coordinator.existingOutbox()?.eraseTraces()
                        lastError.withLock { $0 = "" }
                        continuation.resume(returning: end)
                    } catch {
                        report(error)
                        continuation.resume(returning: nil)
                    }
                }
            }
        } onCancel: {
            isStopping.withLock { $0 = true }
        }
    }

    /// Logs an error once, however often it comes in a row.
    private func report(_ error: any Error) {
        let reason = (error as? StorageError)?.explanation ?? "\(type(of: error))"
        let isNew = lastError.withLock { last in
            defer { last = reason }
            return last != reason
        }
        if isNew { logger.error("mails cannot be sent", metadata: ["error": "\(reason)"]) }
    }

    private func report(_ end: MailQueue.End) {
        switch end {
        case .paused(_, let halt):
            let reason = halt.map(\.numbers) ?? "see petition-coordinator mail status"
            logger.error("mail is paused until the operator resumes it", metadata: ["reason": "\(reason)"])
        case .unreachable(_, let time):
            logger.warning("the mail server is away", metadata: ["retry": "\(time)"])
        case .done, .busy, .notSetUp, .stopped: break
        }
    }

    /// Adds what the metrics say of mails: numbers alone.
    func add(to text: inout MetricsText) throws {
        guard let outbox = try coordinator.existingOutbox() else { return }
        let (counts, standing, now) = (try outbox.counts(), try outbox.standing(), coordinator.clock.now.seconds)
        let states = [
            ("waiting", counts.waiting + counts.held), ("accepted", counts.accepted), ("failed", counts.failed),
            ("bounced", counts.bounced),
        ]
        text.add(
            "roundrobin_mails", "gauge", "Mails of all rolls that are not forgotten.",
            states.map { ("{state=\"\($0.0)\"}", "\($0.1)") })
        text.add(
            "roundrobin_mail_requests_waiting", "gauge", "Requests for invitations that wait for their mails.",
            [("", "\(try outbox.waitingRequests().values.reduce(0, +))")])
        text.add(
            "roundrobin_mail_oldest_waiting_seconds", "gauge", "Since when the oldest mail waits.",
            [("", "\(counts.oldest.map { max(0, now - $0.seconds) } ?? 0)")])
        text.add(
            "roundrobin_mail_paused", "gauge", "1 while nothing is sent until the operator acts.",
            [("", standing.pause == nil || standing.isOperators ? "0" : "1")])
    }
}
