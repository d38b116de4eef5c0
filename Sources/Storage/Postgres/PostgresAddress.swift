import CPostgres

/// Where a PostgreSQL database is, without its password: that comes from a file or from the environment.
public struct PostgresAddress: Hashable, Sendable {
    /// The address as it may be shown and logged: `postgresql://user@host:port/database`.
    public let text: String

    private static let schemes = ["postgresql://", "postgres://"]
    /// What must not stand in an address: every user of this machine could read it in the list of processes.
    private static let secrets: Set<String> = ["password", "sslpassword"]

    /// True if this is written like an address, and not like a file.
    public static func isAddress(_ text: String) -> Bool { schemes.contains { text.hasPrefix($0) } }

    /// Reads an address by the rules of libpq ("Connection URIs"). Throws ``StorageError/address(_:)`` for what is
    /// none, and for one with a password.
    public init(_ text: String) throws(StorageError) {
        // It is kept in a line of a file.
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw .address("it has spaces or control characters: write those as %20")
        }
        guard Self.isAddress(text), let options = PQconninfoParse(text, nil) else {
            throw .address("it is not written like postgresql://user@host/database")
        }
        defer { PQconninfoFree(options) }
        var values: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { values[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        guard Self.secrets.isDisjoint(with: values.keys) else {
            throw .address("it has a password, which others could read")
        }
        guard values["dbname"] != nil else { throw .address("it names no database") }
        self.text = text
        servers = try Self.servers(values)
    }

    /// The parameters that name one server each, if the address has several.
    private let servers: [[Parameter]]
    typealias Parameter = (name: String, value: String)

    /// Several servers are separated by commas, and so are their ports, unless there is one for all.
    private static func servers(_ values: [String: String]) throws(StorageError) -> [[Parameter]] {
        func list(_ name: String) -> [String] {
            values[name].map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) } ?? []
        }
        let lists = ["host", "hostaddr", "port"].map { (name: $0, values: list($0)) }
        let count = max(lists[0].values.count, lists[1].values.count)
        guard count > 1 else { return [[]] }
        guard lists.allSatisfy({ [0, count].contains($0.values.count) || ($0.name == "port" && $0.values.count == 1) })
        else { throw .address("it has not one port for each server") }
        guard lists.allSatisfy({ $0.name == "port" || !$0.values.contains("") }) else {
            throw .address("it has a server without a name")
        }
        return (0..<count).map { index in
            lists.filter { !$0.values.isEmpty }.map { list in
                let value = list.values.count == 1 ? list.values[0] : list.values[index]
                // Libpq would take an empty value for none, and all ports of the address instead.
                return (list.name, value.isEmpty ? defaultPort : value)
            }
        }
    }

    private static let defaultPort = "5432"

    /// What libpq is asked to connect with, for one server after the other.
    var alternatives: [[Parameter]] { servers.map { parameters + $0 } }

    /// True for two addresses with the same text.
    public static func == (left: PostgresAddress, right: PostgresAddress) -> Bool { left.text == right.text }

    /// The text decides.
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }

    /// What libpq is asked to connect with: the address, and what notices within half a minute that a server is gone
    /// without a word. What the address says itself goes first.
    private var parameters: [Parameter] {
        [
            ("connect_timeout", "5"), ("keepalives_idle", "10"), ("keepalives_interval", "5"),
            ("keepalives_count", "3"), ("tcp_user_timeout", "20000"), ("application_name", "roundrobin"),
            ("dbname", text), ("client_encoding", "UTF8"),
        ]
    }
}
