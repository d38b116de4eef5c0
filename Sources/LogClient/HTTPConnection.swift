import AsyncHTTPClient
import Foundation
import LogReading
import NIOCore
import NIOHTTP1
import NIOSOCKS
import TransparencyLog

/// An answer to a request.
public struct HTTPAnswer: Sendable {
    /// The status code.
    public let status: Int
    /// The body, within the limit of the request.
    public let body: [UInt8]
}

/// Makes HTTP requests, directly or through a proxy. It follows no redirect, keeps no cookie, and says nothing about
/// the program or the machine that asks.
///
/// Every instance has connections of its own, so that two of them cannot be linked by one. Through a proxy every
/// instance is another user, so that Tor gives each a circuit of its own; a proxy that is given with a user always sees
/// that one.
public final class HTTPConnection: Sendable {
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

    /// `GET url`, at most `limit` bytes.
    public func get(_ url: String, accept: String? = nil, limit: Int) async throws -> HTTPAnswer {
        var request = HTTPClientRequest(url: url)
        if let accept { request.headers.add(name: "accept", value: accept) }
        return try await execute(request, limit: limit, timeout: nil)
    }

    /// `POST url`, at most `limit` bytes in the answer. `timeout` is for an answer that takes longer than others may;
    /// it shortens nothing.
    public func post(
        _ url: String, body: [UInt8], contentType: String, headers: [(name: String, value: String)] = [], limit: Int,
        timeout: Duration? = nil
    ) async throws -> HTTPAnswer {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "content-type", value: contentType)
        for header in headers { request.headers.add(name: header.name, value: header.value) }
        request.body = .bytes(ByteBuffer(bytes: body))
        return try await execute(request, limit: limit, timeout: timeout)
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

/// Published resources below a url.
public struct HTTPSource: ResourceSource {
    private let connection: HTTPConnection
    private let base: String

    /// Reads below `base`, which has no trailing slash.
    public init(connection: HTTPConnection, base: String) {
        self.connection = connection
        self.base = base
    }

    /// The resource's url.
    public func location(of path: String) -> String {
        path.isEmpty ? base : "\(base)/\(path)"
    }

    /// The body of a 200 answer; nil on 404.
    public func read(_ path: String, limit: Int) async throws -> [UInt8]? {
        let url = location(of: path)
        let answer = try await connection.get(url, limit: limit)
        switch answer.status {
        case 200: return answer.body
        case 404: return nil
        default: throw SourceError.unreachable(location: url, reason: "it answered with status \(answer.status)")
        }
    }
}
