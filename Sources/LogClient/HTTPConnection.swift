import AsyncHTTPClient
import FoundationEssentials
import LogReading
import NIOCore
import NIOHTTP1
import NIOSOCKS
import TransparencyLog

/// Makes HTTP requests, directly or through a proxy. It follows no redirects, keeps no cookies, and reveals nothing
/// about the program or the machine.
///
/// Instances share no connections, so that they cannot be linked by one. Through a proxy, every instance is a different
/// user, so that Tor gives each its own circuit; if the proxy's url names a user, all instances use that one.
public final class HTTPConnection: RequestConnection {
    /// The longest time until a connection is established, and until the answer is complete.
    private struct Patience {
        static let direct = Patience(connect: .seconds(20), answer: .seconds(60))
        /// Longer, since Tor first builds a circuit, and everything takes longer on it.
        static let throughProxy = Patience(connect: .seconds(60), answer: .seconds(120))
        let connect: TimeAmount
        let answer: Duration
    }

    private struct Opened: Sendable {
        let client: HTTPClient
        let relay: SOCKSRelay?
    }

    private let proxy: SOCKSProxy?
    private let patience: Patience
    /// The time at which every request must be done; nil for no limit.
    private let end: ContinuousClock.Instant?
    private let opening: Task<Opened, any Error>

    /// Connects through `proxy`, or directly if it is nil. With `lifetime`, requests that are not done by then fail, so
    /// that a server cannot stall the caller for ever by answering each one slowly. `onNoUsers` is called if the proxy
    /// does not ask for a user, and so may send everything over one circuit. `answering` is how long an answer may take
    /// instead of the usual time.
    public init(
        proxy: SOCKSProxy?, lifetime: Duration? = nil, answering: Duration? = nil,
        onNoUsers: @escaping @Sendable () -> Void = {}
    ) {
        let usual = proxy == nil ? Patience.direct : .throughProxy
        let patience = answering.map { Patience(connect: usual.connect, answer: $0) } ?? usual
        self.proxy = proxy
        self.patience = patience
        end = lifetime.map { .now + $0 }
        opening = Task { try await Self.open(proxy, patience, onNoUsers) }
    }

    private static func open(
        _ proxy: SOCKSProxy?, _ patience: Patience, _ onNoUsers: @escaping @Sendable () -> Void
    ) async throws -> Opened {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: patience.connect))
        configuration.httpVersion = .http1Only
        // Shorter than any server keeps idle connections: a request that meets a closing connection is lost.
        configuration.connectionPool.idleTimeout = .seconds(15)
        // Report an unreachable server at once, not after a minute of retries.
        configuration.connectionPool.retryConnectionEstablishment = false
        var relay: SOCKSRelay?
        if let proxy {
            let started = try await SOCKSRelay.start(
                to: proxy, as: proxy.user ?? .random(), connectTimeout: patience.connect, onNoUsers: onNoUsers)
            configuration.proxy = .socksServer(host: SOCKSRelay.host, port: started.port)
            relay = started
        }
        return Opened(
            client: HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration), relay: relay)
    }

    /// Closes all connections. Must be called before the last reference is released.
    public func close() async {
        guard let opened = try? await opening.value else { return }
        try? await opened.client.shutdown()
        await opened.relay?.close()
    }

    /// Calls `body` with a connection, and closes it afterwards.
    public static func with<T: Sendable>(
        proxy: SOCKSProxy?, lifetime: Duration? = nil, onNoUsers: @escaping @Sendable () -> Void = {},
        _ body: (HTTPConnection) async throws -> T
    ) async throws -> T {
        let connection = HTTPConnection(proxy: proxy, lifetime: lifetime, onNoUsers: onNoUsers)
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Sends a request and returns its answer. Throws also for what no server of ours answers: a redirect, or a web
    /// page.
    public func send(_ request: OutgoingRequest) async throws(SourceError) -> HTTPAnswer {
        var made = HTTPClientRequest(url: request.url)
        for header in request.headers { made.headers.add(name: header.name, value: header.value) }
        if let content = request.content {
            made.method = .POST
            made.headers.add(name: "content-type", value: content.type)
            made.body = .bytes(ByteBuffer(bytes: content.bytes))
        }
        return try await execute(made, limit: request.limit, timeout: request.timeout)
    }

    private func execute(
        _ request: HTTPClientRequest, limit: Int, timeout: Duration?
    ) async throws(SourceError) -> HTTPAnswer {
        guard proxy != nil || !Self.isOnion(request.url) else {
            // Checked before any name is resolved: the look-up alone would reveal the destination to the network.
            throw SourceError.unreachable(
                location: request.url,
                reason: "an onion service is reached through Tor only: use --proxy socks5://127.0.0.1:9050")
        }
        let trouble = ConnectionTrouble(proxy: proxy)
        do {
            let client = try await opening.value.client
            let (answer, location) = try await Self.within(time(for: timeout)) {
                // The client's own deadline covers only the head of the answer.
                let response = try await client.execute(request, deadline: .distantFuture)
                let body = try await response.body.collect(upTo: limit)
                let answer = HTTPAnswer(status: Int(response.status.code), body: Array(body.readableBytesView))
                return (answer, response.headers.first(name: "location"))
            }
            if let reason = trouble.reason(status: answer.status, location: location, body: answer.body) {
                throw SourceError.unreachable(location: request.url, reason: reason)
            }
            return answer
        } catch let error as SourceError {
            throw error
        } catch is NIOTooManyBytesError {
            throw SourceError.tooLarge(location: request.url)
        } catch {
            throw SourceError.unreachable(location: request.url, reason: trouble.reason(error))
        }
    }

    /// How long a request may take.
    private func time(for timeout: Duration?) -> Duration {
        let time = max(patience.answer, timeout ?? .zero)
        return end.map { min(time, max(.zero, ContinuousClock.now.duration(to: $0))) } ?? time
    }

    /// Runs `body`, and cancels it after `time`.
    private static func within<T: Sendable>(
        _ time: Duration, _ body: @escaping @Sendable () async throws -> T
    ) async throws -> T {
        try await withThrowingTaskGroup(of: T.self) { group in
            defer { group.cancelAll() }
            group.addTask(operation: body)
            group.addTask {
                try await Task.sleep(for: time)
                throw TimedOut()
            }
            guard let first = try await group.next() else { throw TimedOut() }
            return first
        }
    }

    private static func isOnion(_ url: String) -> Bool {
        URL(string: url)?.host?.lowercased().split(separator: ".").last == "onion"
    }
}
