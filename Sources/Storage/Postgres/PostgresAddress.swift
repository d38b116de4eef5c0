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
        var names: Set<String> = []
        var option = options
        while let keyword = option.pointee.keyword {
            if option.pointee.val != nil { names.insert(String(cString: keyword)) }
            option += 1
        }
        guard names.isDisjoint(with: Self.secrets) else { throw .address("it has a password, which others could read") }
        guard names.contains("dbname") else { throw .address("it names no database") }
        self.text = text
    }

    /// What libpq is asked to connect with: the address, and what notices within half a minute that a server is gone
    /// without a word. What the address says itself goes first.
    var parameters: [(name: String, value: String)] {
        [
            ("connect_timeout", "5"), ("keepalives_idle", "10"), ("keepalives_interval", "5"),
            ("keepalives_count", "3"), ("tcp_user_timeout", "20000"), ("application_name", "roundrobin"),
            ("dbname", text), ("client_encoding", "UTF8"),
        ]
    }
}
