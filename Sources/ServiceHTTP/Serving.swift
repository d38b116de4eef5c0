import Documents
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Petitions
import Platform
import ServiceLifecycle

/// The address that a server listens on.
public struct ListenAddress: Equatable, Sendable {
    /// Name or number.
    public let host: String
    /// 0 lets the system choose.
    public let port: Int

    /// Reads `host:port`; nil on anything else.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port), colon != text.startIndex
        else { return nil }
        host = text[..<colon].trimmingCharacters("[]")
        self.port = port
    }

    /// Where a server of `url` listens unless told otherwise: on this machine, at the url's port if that is local, else
    /// at 8080 behind a proxy.
    public init(for url: ServiceURL) {
        host = "127.0.0.1"
        port = url.isPlain ? url.port : 8080
    }
}

extension Substring {
    fileprivate func trimmingCharacters(_ characters: String) -> String {
        String(drop { characters.contains($0) }.reversed().drop { characters.contains($0) }.reversed())
    }
}

/// What a server allows its clients, so that no number of them takes more than it has.
public enum ServingLimits {
    /// Seconds for which a connection may be open without a request on it.
    static let idleSeconds: Int64 = 30
    /// Bytes of a request's head.
    static let headBytes = 16 * 1024
    /// File descriptors that are not for connections: databases, logs, requests of our own.
    private static let reservedDescriptors = 256

    /// Connections at the same time: as many as there are file descriptors for, but not more than memory is meant for.
    static let connections: Int = {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return max(64, min(16_384, Int(clamping: limit.rlim_cur) - reservedDescriptors))
    }()

    /// Connections that may be kept open to be told of news: the others are for those who sign.
    public static let watchers = connections / 2
}

/// Runs a server until it is told to stop: SIGTERM and SIGINT let it finish what it accepted.
public func serve<Context: RequestContext>(
    _ router: Router<Context>, on address: ListenAddress, services: [any Service] = [], logger: Logger,
    onRunning: @escaping @Sendable (Int) async -> Void
) async throws where Context: InitializableFromSource<ApplicationRequestContextSource> {
    let application = Application(
        router: router,
        server: .http1(
            configuration: .init(
                additionalChannelHandlers: [PipelineLimit(), RequestDeadline()],
                idleTimeout: .seconds(ServingLimits.idleSeconds),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: ServingLimits.headBytes, maxHeaderListSize: ServingLimits.headBytes,
                    maxHeaderFieldCount: 100))),
        configuration: .init(
            address: .hostname(address.host, port: address.port), serverName: nil, backlog: 4096,
            availableConnectionsDelegate: MaximumAvailableConnections(ServingLimits.connections)),
        services: services,
        onServerRunning: { await onRunning($0.localAddress?.port ?? address.port) },
        logger: logger)
    try await application.runService()
}
