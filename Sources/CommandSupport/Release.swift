import CRelease
import Multiscalar
import Sodium

/// What `--version` of every program prints.
public enum Release {
    /// The names of all labels and formats begin with it.
    private static let protocolName = "roundrobin-v1"
    private static var version: String { String(cString: roundrobin_version()) }

    /// Version, commit, protocol, libsodium and engine, one on each line: what a report of a fault needs.
    public static func text(of program: String) -> String {
        """
        \(program) \(version)
        commit     \(String(cString: roundrobin_commit()))
        protocol   \(protocolName)
        libsodium  \(SodiumLibrary.version)
        engine     \(Engine.current.name)
        """
    }
}
