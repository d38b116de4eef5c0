import ArgumentParser
import CommandSupport
import LogClient

/// How a server reaches others.
public struct ProxyOption: ParsableArguments {
    @Option(help: "SOCKS5 proxy for every request, host names included, such as socks5://127.0.0.1:9050.")
    var proxy: String?

    /// For the argument parser.
    public init() {}

    /// The proxy; nil if none is given. Throws a ``UserError`` for what is no proxy's address.
    public func parsed() throws -> SOCKSProxy? {
        try proxy.map { text in
            guard let proxy = SOCKSProxy(text) else {
                throw UserError(
                    .usage, "this is not the address of a SOCKS5 proxy", hint: "write it like socks5://127.0.0.1:9050")
            }
            return proxy
        }
    }
}
