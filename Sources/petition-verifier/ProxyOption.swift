import ArgumentParser
import CommandSupport
import LogClient

/// How the network is reached.
struct ProxyOption: ParsableArguments {
    @Option(help: "SOCKS5 proxy for every request, host names included, such as socks5://127.0.0.1:9050.")
    var proxy: String?

    /// The proxy, nil when there is none.
    func parsed() throws -> SOCKSProxy? {
        try proxy.map { text in
            guard let proxy = SOCKSProxy(text) else {
                throw UserError(.usage, "\(text) is not a proxy", hint: "write it like socks5://127.0.0.1:9050")
            }
            return proxy
        }
    }
}
