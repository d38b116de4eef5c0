import Hummingbird
import Logging
import NIOCore
import Petitions
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

/// Runs a server until it is told to stop: SIGTERM and SIGINT let it finish what it accepted.
public func serve<Context: RequestContext>(
    _ router: Router<Context>, on address: ListenAddress, services: [any Service] = [], logger: Logger,
    onRunning: @escaping @Sendable (Int) async -> Void
) async throws where Context: InitializableFromSource<ApplicationRequestContextSource> {
    let application = Application(
        router: router,
        server: .http1(configuration: .init(idleTimeout: .seconds(60))),
        configuration: .init(address: .hostname(address.host, port: address.port), serverName: nil),
        services: services,
        onServerRunning: { await onRunning($0.localAddress?.port ?? address.port) },
        logger: logger)
    try await application.runService()
}
