import AsyncHTTPClient
import FoundationEssentials
import LogReading
import NIOCore
import NIOHTTP1
import NIOSOCKS
import TransparencyLog

/// Makes HTTP requests, directly or through a proxy. It follows no redirect, keeps no cookie, and says nothing about
/// the program or the machine that asks.
///
/// Every instance has connections of its own, so that two of them cannot be linked by one. Through a proxy every
/// instance is another user, so that Tor gives each a circuit of its own; a proxy that is given with a user always sees
/// that one.
public final class HTTPConnection: RequestConnection {
    /// How long to wait: the longest time until there is a connection, and until the answer is there in full.
    private struct Patience {
        static let direct = Patience(connect: .seconds(20), answer: .seconds(60))
        /// Tor builds a circuit first, and everything takes longer on it.
        static let throughProxy = Patience(connect: .seconds(60), answer: .seconds(120))
        let connect: TimeAmount
        let answer: Duration
    }

    private struct Opened: Sendable {
        let client: HTTPClient
        let relay: SOCKSRelay?
    }

    private struct TimedOut: Error {}

    private static let timeouts: [HTTPClientError] = [
        .connectTimeout, .socksHandshakeTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout, .deadlineExceeded,
    ]
    private let proxy: SOCKSProxy?
    private let patience: Patience
    /// When everything must be done.
    private let end: ContinuousClock.Instant?
    private let opening: Task<Opened, any Error>

    /// Through `proxy`, or directly when it is nil. With `lifetime`, every request fails that is not done by then: a
    /// server that answers each one slowly cannot keep somebody for ever. `onNoUsers` is told when the proxy knows no
    /// users, and so may send everything over one line.
    public init(
        proxy: SOCKSProxy?, lifetime: Duration? = nil, onNoUsers: @escaping @Sendable () -> Void = {}
    ) {
        let patience = proxy == nil ? Patience.direct : .throughProxy
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
        // Shorter than any server keeps an idle connection: one that is closed while a request is on its way loses it.
        configuration.connectionPool.idleTimeout = .seconds(15)
        // A server that is away is said to be away at once, not after a minute of trying.
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

    /// Ends all connections. Must be called before the last reference goes away.
    public func close() async {
        guard let opened = try? await opening.value else { return }
        try? await opened.client.shutdown()
        await opened.relay?.close()
    }

    /// Runs `body` with a connection that is closed afterwards.
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

    /// Makes a request. Throws a ``SourceError``.
    public func send(_ request: OutgoingRequest) async throws -> HTTPAnswer {
        var made = HTTPClientRequest(url: request.url)
        for header in request.headers { made.headers.add(name: header.name, value: header.value) }
        if let content = request.content {
            made.method = .POST
            made.headers.add(name: "content-type", value: content.type)
            made.body = .bytes(ByteBuffer(bytes: content.bytes))
        }
        return try await execute(made, limit: request.limit, timeout: request.timeout)
    }

    private func execute(_ request: HTTPClientRequest, limit: Int, timeout: Duration?) async throws -> HTTPAnswer {
        guard proxy != nil || !Self.isOnion(request.url) else {
            // Before anything is resolved: the look-up alone would tell the network where somebody wants to go.
            throw SourceError.unreachable(
                location: request.url,
                reason: "an onion service is reached through Tor only: use --proxy socks5://127.0.0.1:9050")
        }
        do {
            let client = try await opening.value.client
            return try await Self.within(time(for: timeout)) {
                // The client's own deadline ends with the head of the answer.
                let response = try await client.execute(request, deadline: .distantFuture)
                let body = try await response.body.collect(upTo: limit)
                return HTTPAnswer(status: Int(response.status.code), body: Array(body.readableBytesView))
            }
        } catch is NIOTooManyBytesError {
            throw SourceError.tooLarge(location: request.url)
        } catch {
            throw SourceError.unreachable(location: request.url, reason: reason(error))
        }
    }

    /// How long a request may take.
    private func time(for timeout: Duration?) -> Duration {
        let time = max(patience.answer, timeout ?? .zero)
        return end.map { min(time, max(.zero, ContinuousClock.now.duration(to: $0))) } ?? time
    }

    /// Runs `body`, which is cancelled when the time is over.
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

    private func reason(_ error: any Error) -> String {
        switch error {
        case is TimedOut: "no answer in time"
        case let error as HTTPClientError where Self.timeouts.contains(error): "no answer in time"
        case let error as SOCKSError.ConnectionFailed: reason(reply: error.reply.value)
        default: "no connection"
        }
    }

    private func reason(reply: UInt8) -> String {
        switch ProxyRefusal(rawValue: reply) {
        case .unreachable: "the proxy cannot be reached"
        case .user: "the proxy refused the user and password"
        case .noProxy: "the proxy does not answer as a SOCKS5 proxy"
        case nil: "the proxy could not reach it (SOCKS reply \(reply))"
        }
    }
}
