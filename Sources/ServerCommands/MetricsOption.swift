import ArgumentParser
import CommandSupport
import ServiceHTTP

/// Where a server shows its metrics.
public struct MetricsOption: ParsableArguments {
    @Option(
        name: .customLong("metrics-listen"),
        help: ArgumentHelp(
            "Show metrics at http://host:port/metrics, on this machine only. Default: nowhere.",
            valueName: "host:port"))
    var text: String?

    /// For the argument parser.
    public init() {}

    /// The address; nil if none is given. Throws a ``UserError`` for one that others could reach.
    public func address() throws -> ListenAddress? {
        guard let text else { return nil }
        guard let address = ListenAddress(text) else {
            throw UserError(
                .usage, "--metrics-listen: \(shown(text)) is not an address", hint: "write it like 127.0.0.1:9100")
        }
        guard address.isLoopback else {
            throw UserError(
                .usage, "--metrics-listen: \(shown(text)) can be reached by others: metrics tell when somebody signed",
                hint: "use 127.0.0.1, and fetch them from this machine")
        }
        return address
    }
}
