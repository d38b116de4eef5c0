import Dispatch
import Platform

/// Connections that are open at the same time, each used by one thread at a time.
final class ConnectionPool: Sendable {
    /// In seconds.
    private static let longestWait = 15.0
    private let connect: @Sendable () throws -> PostgresConnection
    private let places: DispatchSemaphore
    private let idle = Mutex<[PostgresConnection]>([])
    private let trouble = Mutex<Trouble?>(nil)

    /// A server that did not answer. Nobody waits for it until `until`, and then one who finds out whether it does.
    private struct Trouble {
        let error: StorageError
        var until: ContinuousClock.Instant
    }

    /// For how long nobody asks a server that did not answer.
    private static let pause = Duration.milliseconds(100)
    /// For how long others do not wait while one finds out: longer than that takes.
    private static let probing = Duration.seconds(30)

    init(count: Int, _ connect: @escaping @Sendable () throws -> PostgresConnection) {
        self.connect = connect
        places = DispatchSemaphore(value: count)
    }

    /// Passes a connection to `body`, after the statement `beginning`. Whatever `body` left open is rolled back.
    func use<T>(_ beginning: String?, _ body: (PostgresConnection) throws -> T) throws -> T {
        try use(beginning) { connection, _ in try body(connection) }
    }

    /// The same; `body` gets the first value of the answer to `beginning`, too.
    func use<T>(_ beginning: String?, _ body: (PostgresConnection, String?) throws -> T) throws -> T {
        try checkTrouble()
        // Nobody waits for ever: those who have the connections may wait for a server that stands still.
        guard places.wait(timeout: .now() + Self.longestWait) == .success else { throw StorageError.busy }
        defer { places.signal() }
        try checkTrouble(isNext: true)
        let (connection, answer) = try noting { try begun(beginning) }
        defer { giveBack(connection) }
        return try body(connection, answer)
    }

    /// Throws what was wrong with the server, if that was a moment ago: those who would wait for it, too, would keep
    /// threads from those who need no database. If `isNext`, only one goes on afterwards.
    func checkTrouble(isNext: Bool = false) throws {
        try trouble.withLock { trouble in
            guard let known = trouble else { return }
            guard known.until <= .now else { throw known.error }
            if isNext { trouble?.until = .now + Self.probing }
        }
    }

    private func noting<T>(_ body: () throws -> T) throws -> T {
        do {
            let value = try body()
            trouble.withLock { $0 = nil }
            return value
        } catch {
            trouble.withLock { trouble in
                switch error {
                case StorageError.unreachable, StorageError.connectionLost:
                    trouble = (error as? StorageError).map { Trouble(error: $0, until: .now + Self.pause) }
                default: trouble = nil
                }
            }
            throw error
        }
    }

    /// A connection on which the beginning was done. The server may have ended those that were idle.
    private func begun(_ beginning: String?) throws -> (PostgresConnection, String?) {
        while let connection = idle.withLock({ $0.popLast() }) {
            guard connection.isStillThere else { continue }
            do { return try begun(beginning, connection) } catch StorageError.connectionLost {
                // The others would keep waiting, too, if the server stands still.
                guard !connection.isGivenUp else { throw StorageError.connectionLost("the server does not answer") }
            }
        }
        return try begun(beginning, connect())
    }

    private func begun(
        _ beginning: String?, _ connection: PostgresConnection
    ) throws -> (PostgresConnection, String?) {
        do { return (connection, try beginning.flatMap { try connection.command($0).text }) } catch {
            giveBack(connection)
            throw error
        }
    }

    private func giveBack(_ connection: PostgresConnection) {
        // One that still waits for an answer is of no more use.
        if connection.isInTransaction { _ = try? connection.command("ROLLBACK") }
        guard connection.isIdle else { return }
        idle.withLock { $0.append(connection) }
    }

    func close() { idle.withLock { $0 = [] } }
}
