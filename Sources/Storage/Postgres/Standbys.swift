import Platform

// What a server says about its standbys.
extension PostgresConnection {
    /// Whoever else receives what is written is no standby: a copy that is being made and an archive, which replay
    /// nothing, and what follows single tables, perhaps of another database.
    private static let question = """
        SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND replay_lsn IS NOT NULL AND pid NOT IN
        (SELECT active_pid FROM pg_replication_slots WHERE slot_type = 'logical' AND active_pid IS NOT NULL)
        """

    /// How many standbys stream from the server.
    func standbyCount() throws -> Int { try count(Self.question) }

    /// Waits until so many standbys have on disk what the server has. Throws ``StorageError/unconfirmed(_:)`` if they
    /// do not have it in time.
    func confirm(standbys: Int, within patience: Duration) throws {
        guard standbys > 0 else { return }
        let position = try command("SELECT pg_current_wal_flush_lsn()").text ?? ""
        let end = ContinuousClock.now + patience
        var present = 0
        repeat {
            present = try count("\(Self.question) AND flush_lsn >= '\(position)'")
            if present >= standbys { return }
            usleep(10_000)
        } while ContinuousClock.now < end
        throw StorageError.unconfirmed("\(present) of \(standbys) standbys have it")
    }

    private func count(_ sql: String) throws -> Int { try command(sql).text.flatMap { Int($0) } ?? 0 }
}

extension PostgresStorage {
    /// How many standbys stream from a server.
    public static func standbyCount(of address: PostgresAddress) throws -> Int {
        try PostgresConnection.open(address).standbyCount()
    }

    /// For how many standbys a commit waits on a server (`synchronous_standby_names`): 0, `FIRST n`, `ANY n`, or 1.
    public static func synchronousStandbys(of address: PostgresAddress) throws -> Int {
        let names = try PostgresConnection.open(address).command("SHOW synchronous_standby_names").text ?? ""
        return standbys(waitedForBy: names)
    }

    package static func standbys(waitedForBy names: String) -> Int {
        guard !names.allSatisfy(\.isWhitespace) else { return 0 }
        let number = names.prefixMatch(of: /\s*(?:(?:FIRST|ANY)\s+)?(\d+)\s*\(/.ignoresCase())?.1
        return number.flatMap { Int($0) } ?? 1
    }
}
