import Documents
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Petitions
import Platform
import ServiceLifecycle
import Storage

/// The address that a server listens on.
public struct ListenAddress: Equatable, Sendable {
    /// A host name or an IP address.
    public let host: String
    /// The port; 0 lets the system choose.
    public let port: Int

    /// Reads `host:port`; nil for anything else.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port), colon != text.startIndex
        else { return nil }
        host = text[..<colon].trimmingCharacters("[]")
        self.port = port
    }

    /// True for an address that only programs on this machine reach.
    public var isLoopback: Bool { ["localhost", "::1"].contains(host) || host.hasPrefix("127.") }

    /// Where the server of `url` listens by default: on the loopback interface, at the url's port if the url is local,
    /// and otherwise at 8080, behind a proxy.
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

/// What a server allows its clients, so that no number of them can exhaust it.
public enum ServingLimits {
    /// How many seconds a connection may be idle.
    static let idleSeconds: Int64 = 30
    /// The largest size of a request's head in bytes.
    static let headBytes = 16 * 1024
    /// File descriptors kept for other uses than connections: databases, logs, outgoing requests.
    private static let reservedDescriptors = 256

    /// The largest number of simultaneous connections: as many as the file descriptors allow, but no more than memory
    /// is sized for.
    static let connections: Int = {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return max(64, min(16_384, Int(clamping: limit.rlim_cur) - reservedDescriptors))
    }()

    /// The largest number of connections held open to wait for news; the others are left for signers.
    public static let watchers = connections / 2
}

/// A listener of its own for the metrics at `/metrics`: scraped often, they tell when somebody signed, so they must not
/// be anywhere on the listener that the public reaches. To what `text` tells, it adds how the database is.
public func metricsService(
    on address: ListenAddress, of database: any Storage, logger: Logger,
    text: @escaping @Sendable () async throws -> MetricsText
) -> any Service {
    let router = Router(context: BasicRequestContext.self)
    router.addMiddleware { DatabaseThreads(for: database) }
    router.get("metrics") { _, _ in
        var text = try await text()
        text.add(database)
        return LogResponse.text(Array(text.text.utf8))
    }
    return Application(
        router: router,
        configuration: .init(address: .hostname(address.host, port: address.port), serverName: nil), logger: logger)
}

/// Runs a server until SIGTERM or SIGINT, after which it finishes the requests it has accepted.
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
