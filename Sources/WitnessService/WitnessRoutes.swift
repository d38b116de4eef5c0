import Bytes
import Dispatch
import Documents
import HTTPTypes
import Hummingbird
import LogStorage
import Logging
import NIOCore
import Platform
import ServiceHTTP
import ServiceLifecycle
import Storage
import TransparencyLog
import Witnessing

/// The witness's HTTP interface (C2SP tlog-witness), and what it reads of others.
public struct WitnessServer: Sendable {
    private let witness: Witness
    private let metrics = WitnessMetrics()
    /// How often it is checked that the database knows what was cosigned.
    private static let checking = Duration.seconds(30)
    private let logger: Logger
    private let lists: (any Service)?
    /// The queue on which requests are judged: they wait for the disk, which the serving threads must not do.
    private let judging = DispatchQueue(label: "roundrobin.witness")

    /// A server for `witness`. `lists` keeps reading lists of logs.
    public init(_ witness: Witness, lists: (any Service)? = nil, logger: Logger) {
        self.witness = witness
        self.lists = lists
        self.logger = logger
    }

    /// Serves until told to stop, and the metrics at another address if there is one. `onRunning` is called with the
    /// port.
    public func run(
        on address: ListenAddress, metricsOn metricsAddress: ListenAddress? = nil,
        onRunning: @escaping @Sendable (Int) async -> Void
    ) async throws {
        let forMetrics = metricsAddress.map { address in
            metricsService(on: address, of: witness.database, logger: logger) {
                metrics.text(try witness.status(), at: witness.clock.now)
            }
        }
        let watch = DatabaseWatch(of: witness.database, every: Self.checking) { [witness] in try witness.check() }
        try await serve(
            router(), on: address, services: [watch] + [lists, forMetrics].compactMap { $0 }, logger: logger,
            onRunning: onRunning)
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self, options: .autoGenerateHeadEndpoints)
        router.addMiddleware { DatabaseThreads(for: witness.database) }
        let group = router.group(RouterPath(witness.url.path))
        group.post("\(AddCheckpointRequest.path)") { request, _ in
            await addCheckpoint(request)
        }
        group.get(":origin/checkpoint") { request, context in
            guard let hash = context.parameters.get("origin").flatMap({ Hex.decode($0) }).flatMap({ Bytes32($0) }),
                let found = try witness.note(originHash: hash)
            else { return Self.plain(.notFound, "No checkpoint of such a log was cosigned here.\n") }
            return LogResponse.checkpoint(found.note, tag: "\(found.size)-\(found.time)", for: request)
        }
        group.get("health") { _, _ in LogResponse.json("{\"status\":\"ok\"}") }
        return router
    }

    private func addCheckpoint(_ request: Request) async -> Response {
        let body: [UInt8]
        do { body = try await request.boundedBody(limit: AddCheckpointRequest.maximumCount) } catch {
            metrics.answered(.badRequest)
            return Self.plain(.badRequest, "The body is not one that add-checkpoint takes.\n")
        }
        let result: Result<Witness.Answer, any Error> = await withCheckedContinuation { continuation in
            judging.async { [witness] in continuation.resume(returning: Result { try witness.answer(body) }) }
        }
        let response = response(to: result)
        metrics.answered(response.status)
        return response
    }

    private func response(to result: Result<Witness.Answer, any Error>) -> Response {
        switch result {
        case .success(.cosigned(let line)): return Self.plain(.ok, line)
        case .success(.refused(let verdict)): return Self.refusal(verdict)
        case .success(.tooMany):
            return Self.retry(.tooManyRequests, "This log has used up what it may submit. Try again later.\n")
        case .success(.clockSetBack):
            metrics.failed("the clock is behind what was cosigned before: set it, or see accept-clock", logger)
            return Self.retry(.serviceUnavailable, "This witness cannot cosign at the moment.\n")
        case .failure(let error):
            metrics.failed((error as? StorageError)?.explanation ?? String(describing: type(of: error)), logger)
            return Self.retry(.serviceUnavailable, "This witness cannot store anything at the moment.\n")
        }
    }

    private static func refusal(_ verdict: WitnessVerdict) -> Response {
        switch verdict {
        case .conflict(let size):
            var response = plain(.conflict, "\(size)\n")
            response.headers[.contentType] = "text/x.tlog.size"
            return response
        case .malformed: return plain(.badRequest, "The body is not one that add-checkpoint takes.\n")
        case .untrusted: return plain(.forbidden, "The key that this log is followed by did not sign this.\n")
        case .unknownOrigin: return plain(.notFound, "This log is not followed here.\n")
        case .inconsistent, .cosign:
            return plain(.unprocessableContent, "This does not extend what was cosigned before.\n")
        }
    }

    private static func plain(_ status: HTTPResponse.Status, _ text: String) -> Response {
        LogResponse.text(Array(text.utf8), status: status)
    }

    private static func retry(_ status: HTTPResponse.Status, _ text: String) -> Response {
        var response = plain(status, text)
        response.headers[.retryAfter] = "30"
        return response
    }
}

/// What a witness counts of its answers. Logs are public, and so is what is counted of them.
private final class WitnessMetrics: Sendable {
    private static let silence = Duration.seconds(10)
    private struct State {
        var answers: [Int: UInt64] = [:]
        var failures: UInt64 = 0
        var warnedAt: ContinuousClock.Instant?
    }
    private let state = Mutex(State())

    func answered(_ status: HTTPResponse.Status) {
        state.withLock { $0.answers[status.code, default: 0] += 1 }
    }

    /// Logs what keeps the witness from cosigning, but not at every request.
    func failed(_ reason: String, _ logger: Logger) {
        let isNews = state.withLock { state in
            let now = ContinuousClock.now
            state.failures += 1
            guard state.warnedAt.map({ now - $0 > Self.silence }) ?? true else { return false }
            state.warnedAt = now
            return true
        }
        if isNews { logger.error("nothing is cosigned", metadata: ["error": "\(reason)"]) }
    }

    func text(_ status: Witness.Status, at now: UTCTime) -> MetricsText {
        var text = MetricsText()
        text.add(
            "roundrobin_witness_answers_total", "counter", "Answers to add-checkpoint, by status.",
            state.withLock { $0.answers }.sorted { $0.key < $1.key }.map { ("{status=\"\($0.key)\"}", "\($0.value)") })
        text.add(
            "roundrobin_witness_failures_total", "counter", "Requests that the disk or the clock made fail.",
            state.withLock { $0.failures })
        text.add("roundrobin_witness_logs", "gauge", "Logs of which something was cosigned.", status.logs.count)
        text.add(
            "roundrobin_witness_contradictions", "gauge",
            "Checkpoints that prove that a log contradicts itself.",
            status.contradictions.values.reduce(0, +))
        text.add(
            "roundrobin_witness_lists_unreadable", "gauge", "Lists of logs that could not be read last.",
            status.lists.count { $0.problem != nil })
        if let newest = status.logs.map(\.time).max() {
            text.add(
                "roundrobin_witness_newest_age_seconds", "gauge", "Seconds since something was cosigned.",
                max(0, now.seconds - newest))
        }
        return text
    }
}
