import Bytes
import FoundationEssentials
import Sodium

/// A SOCKS5 proxy that all requests go through; it resolves host names too.
public struct SOCKSProxy: Equatable, Sendable {
    /// The proxy's host.
    public let host: String
    /// The proxy's port.
    public let port: Int
    /// Who we are to the proxy on every connection. When nil, each ``HTTPConnection`` is somebody of its own.
    public let user: SOCKSUser?

    /// Reads `socks5://host:port` or `socks5://user:password@host:port`, `socks5h` alike; nil on anything else.
    public init?(_ text: String) {
        guard let url = URLComponents(string: text), ["socks5", "socks5h"].contains(url.scheme), let host = url.host,
            !host.isEmpty, let port = url.port, (1...65_535).contains(port), url.path.isEmpty, url.query == nil,
            url.fragment == nil
        else { return nil }
        if url.percentEncodedUser == nil, url.percentEncodedPassword == nil {
            user = nil
        } else {
            guard let user = SOCKSUser(name: url.user, password: url.password) else { return nil }
            self.user = user
        }
        // Brackets belong to the url, not to the address.
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        self.port = port
    }
}

/// A user of a SOCKS5 proxy and the password (RFC 1929).
///
/// Tor knows no accounts: connections that differ in either get a circuit each (`IsolateSOCKSAuth`, its default).
public struct SOCKSUser: Equatable, Sendable {
    private static let counts = 1...255
    /// The user.
    public let name: String
    /// The password.
    public let password: String

    /// Nil unless both are there, and not longer than RFC 1929 can say.
    init?(name: String?, password: String?) {
        guard let name, let password, Self.counts.contains(name.utf8.count), Self.counts.contains(password.utf8.count)
        else { return nil }
        self.name = name
        self.password = password
    }

    private init(random count: Int) {
        name = Hex.encode(SystemRandomness.bytes(count))
        password = Hex.encode(SystemRandomness.bytes(count))
    }

    /// Somebody that nobody was before.
    static func random() -> SOCKSUser {
        SOCKSUser(random: 16)
    }

    /// The message that says both to the proxy.
    var message: [UInt8] {
        [1, UInt8(name.utf8.count)] + Array(name.utf8) + [UInt8(password.utf8.count)] + Array(password.utf8)
    }
}
