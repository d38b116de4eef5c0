import AsyncHTTPClient
import Documents
import Documents
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSOCKS
import NIOSSL
import Platform

/// Why a request had no usable answer, in words that tell one cause from another.
struct ConnectionTrouble {
    private static let timeouts: [HTTPClientError] = [
        .connectTimeout, .socksHandshakeTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout, .deadlineExceeded,
    ]
    private static let closed: [HTTPClientError] = [.remoteConnectionClosed]
    private let proxy: SOCKSProxy?

    /// Words for requests through `proxy`, or direct ones if it is nil.
    init(proxy: SOCKSProxy?) {
        self.proxy = proxy
    }

    // MARK: Errors

    /// The cause of an error of the client.
    func reason(_ error: any Error) -> String {
        switch error {
        case is TimedOut: "no answer in time\(way)"
        case let error as HTTPClientError where Self.timeouts.contains(error): "no answer in time\(way)"
        case let error as HTTPClientError where Self.closed.contains(error): "it closed the connection\(way)"
        case let error as SOCKSError.ConnectionFailed: reason(reply: error.reply.value)
        case let error as NIOConnectionError: reason(error)
        case let error as NIOSSLError: reason(error)
        case is NIOSSLExtraError: "its certificate is for another host"
        case let error as IOError: reason(error)
        case is HTTPParserError: "it does not answer in HTTP"
        default: "the connection failed\(way)"
        }
    }

    private var way: String { proxy.map { " through the proxy \($0.host):\($0.port)" } ?? "" }

    private func reason(_ error: NIOConnectionError) -> String {
        if let failure = error.connectionErrors.first?.error as? IOError { return reason(failure) }
        if error.dnsAError != nil || error.dnsAAAAError != nil {
            return "no host \(error.host) is known: see whether the name is right and this computer is online"
        }
        return "the connection failed"
    }

    private func reason(_ error: IOError) -> String {
        switch error.errnoCode {
        case ECONNREFUSED: "nothing answers at its port: the server is not running, or the address is wrong"
        case ENETUNREACH, EHOSTUNREACH, ENETDOWN: "there is no way to it: see whether this computer is online"
        case ECONNRESET, EPIPE: "it closed the connection\(way)"
        case EMFILE, ENFILE: "this computer has too many files open"
        default: String(cString: strerror(error.errnoCode))
        }
    }

    private func reason(_ error: NIOSSLError) -> String {
        guard case .handshakeFailed(let cause) = error else { return "the TLS connection failed" }
        let text = "\(cause)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return
                "its certificate is not valid: it is expired, self-made or of somebody else, or this computer's clock "
                + "is wrong, which says \(UTCTime.now)"
        }
        if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") {
            return "it does not speak TLS at this port"
        }
        return "the TLS connection failed"
    }

    /// RFC 1928, section 6, and the replies of our own relay.
    private func reason(reply: UInt8) -> String {
        let name = proxy.map { "the proxy \($0.host):\($0.port)" } ?? "the proxy"
        return switch ProxyRefusal(rawValue: reply) {
        case .unreachable: "\(name) cannot be reached: is Tor running there?"
        case .user: "\(name) refused the user and password"
        case .noProxy: "\(name) does not answer as a SOCKS5 proxy"
        case nil:
            switch reply {
            case 1: "\(name) failed to reach it: try again, Tor then takes another way"
            case 2: "\(name) is not allowed to connect there"
            case 3: "\(name) finds no network: is it online?"
            case 4: "\(name) finds no such host, or cannot reach it now"
            case 5: "\(name) was refused by it: the server is not running, or the address is wrong"
            case 6: "\(name) had no answer in time"
            // Tor's replies about onion services (its proposal 304).
            case 0xF0: "\(name) finds no such onion service now: the address is wrong, or the service is off"
            case 0xF1, 0xF2, 0xF3, 0xF6, 0xF7: "\(name) could not reach this onion service: try again"
            default: "\(name) could not reach it (SOCKS reply \(reply))"
            }
        }
    }

    // MARK: Answers

    /// Why an answer cannot be one of our servers; nil if it can. They never redirect, and send pages only to browsers.
    func reason(status: Int, location: String?, body: [UInt8]) -> String? {
        if (300...399).contains(status), status != 304 {
            let target = location.map(Self.plain).map { " to \($0)" } ?? ""
            return "it redirects\(target): use the address that it leads to, if you know it, or log in to this network "
                + "first, if it asks for that"
        }
        guard (200...299).contains(status), Self.isPage(body) else { return nil }
        return "it answered with a web page: another site is at this address, it is under maintenance, or this network "
            + "wants a login first"
    }

    /// A text chosen by a server, without what steers a terminal.
    private static func plain(_ text: String) -> String {
        String(decoding: text.utf8.filter { (0x21...0x7E).contains($0) }.prefix(200), as: UTF8.self)
    }

    private static func isPage(_ body: [UInt8]) -> Bool {
        let start = body.drop { [0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains($0) }.prefix(14)
        let text = String(decoding: start, as: UTF8.self).lowercased()
        return text.hasPrefix("<!doctype html") || text.hasPrefix("<html")
    }
}

/// No answer came in time.
struct TimedOut: Error {}
