import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import TransparencyLog

/// A SOCKS5 proxy that all requests go through; it resolves host names too.
public struct SOCKSProxy: Equatable, Sendable {
    /// The proxy's host.
    public let host: String
    /// The proxy's port.
    public let port: Int

    /// Reads `socks5://host:port`, `socks5h` alike; nil on anything else.
    public init?(_ text: String) {
        guard let url = URLComponents(string: text), ["socks5", "socks5h"].contains(url.scheme), let host = url.host,
            !host.isEmpty, let port = url.port, url.path.isEmpty, url.user == nil, url.query == nil
        else { return nil }
        self.host = host
        self.port = port
    }
}

/// An answer to a request.
public struct HTTPAnswer: Sendable {
    /// The status code.
    public let status: Int
    /// The body, within the limit of the request.
    public let body: [UInt8]
}

/// Makes HTTP requests, directly or through a proxy. It follows no redirect, keeps no cookie, and says nothing about the
/// program or the machine that asks.
public final class HTTPConnection: Sendable {
    private static let timeout = TimeAmount.seconds(60)
    private let client: HTTPClient

    /// Every instance has connections of its own, so that two of them cannot be linked by one.
    public init(proxy: SOCKSProxy?) {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(20), read: Self.timeout))
        configuration.proxy = proxy.map { .socksServer(host: $0.host, port: $0.port) }
        configuration.httpVersion = .http1Only
        // Shorter than any server keeps an idle connection: one that is closed while a request is on its way loses it.
        configuration.connectionPool.idleTimeout = .seconds(15)
        // A server that is away is said to be away at once, not after a minute of trying.
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Ends all connections. Must be called before the last reference goes away.
    public func close() async {
        try? await client.shutdown()
    }

    /// Runs `body` with a connection that is closed afterwards.
    public static func with<T: Sendable>(
        proxy: SOCKSProxy?, _ body: (HTTPConnection) async throws -> T
    ) async throws -> T {
        let connection = HTTPConnection(proxy: proxy)
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
        return try await execute(request, limit: limit)
    }

    /// `POST url`, at most `limit` bytes in the answer.
    public func post(
        _ url: String, body: [UInt8], contentType: String, headers: [(name: String, value: String)] = [], limit: Int
    ) async throws -> HTTPAnswer {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "content-type", value: contentType)
        for header in headers { request.headers.add(name: header.name, value: header.value) }
        request.body = .bytes(ByteBuffer(bytes: body))
        return try await execute(request, limit: limit)
    }

    private func execute(_ request: HTTPClientRequest, limit: Int) async throws -> HTTPAnswer {
        do {
            let response = try await client.execute(request, timeout: Self.timeout)
            let body = try await response.body.collect(upTo: limit)
            return HTTPAnswer(status: Int(response.status.code), body: Array(body.readableBytesView))
        } catch is NIOTooManyBytesError {
            throw SourceError.tooLarge(location: request.url)
        } catch {
            throw SourceError.unreachable(location: request.url, reason: Self.reason(error))
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError where error == .connectTimeout || error == .deadlineExceeded:
            "no answer in time"
        default: "no connection"
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
