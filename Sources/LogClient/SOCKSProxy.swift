import Bytes
import FoundationEssentials
import Sodium

/// A SOCKS5 proxy that all requests go through; it resolves host names too.
public struct SOCKSProxy: Equatable, Sendable {
    /// The proxy's host.
    public let host: String
    /// The proxy's port.
    public let port: Int
    /// The user name and password for every connection. If nil, each ``HTTPConnection`` is a different user.
    public let user: SOCKSUser?

    /// Reads `socks5://host:port` or `socks5://user:password@host:port`, also with `socks5h`; nil for anything else.
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
        // The brackets of an IPv6 address belong to the url, not to the address.
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        self.port = port
    }
}

/// A user name and password for a SOCKS5 proxy (RFC 1929).
///
/// Tor has no accounts: it gives connections that differ in either separate circuits (`IsolateSOCKSAuth`, its default).
public struct SOCKSUser: Equatable, Sendable {
    private static let counts = 1...255
    /// The user.
    public let name: String
    /// The password.
    public let password: String

    /// Nil unless both are given and have the 1 to 255 bytes that RFC 1929 allows.
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

    /// A user that has never been used before.
    static func random() -> SOCKSUser {
        SOCKSUser(random: 16)
    }

    /// The message that sends both to the proxy.
    var message: [UInt8] {
        [1, UInt8(name.utf8.count)] + Array(name.utf8) + [UInt8(password.utf8.count)] + Array(password.utf8)
    }
}
