import Foundation
import Platform
import PostgresCluster
import Storage
import Testing

// Who works on a database, and what an operator is told.
extension PostgresFaultTests {
    // MARK: Office

    private static let atWork = "FROM pg_locks WHERE locktype = 'advisory' AND granted"

    /// Of two servers one works. Once another has taken over, it writes nothing any more, whatever it believes.
    @Test func onlyOneServerIsAtWork() throws {
        let primary = try PostgresCluster()
        let (first, second) = (try Self.open(primary), try Self.open(primary))
        #expect(try first.takeOver() && !second.takeOver())
        #expect(throws: StorageError.deposed) { try second.stayInOffice() }
        try Self.add(1, first)
        try first.stayInOffice()
        // Its connection is cut, as when its machine is gone for the database.
        try primary.sql("SELECT pg_terminate_backend(pid) \(Self.atWork)")
        try primary.wait(until: "0", to: "SELECT count(*) \(Self.atWork)")
        #expect(try second.takeOver())
        try Self.add(2, second)
        #expect(throws: StorageError.deposed) { try Self.add(3, first) }
        #expect(throws: StorageError.deposed) { try first.stayInOffice() }
        #expect(throws: StorageError.deposed) { try first.writeRepeatable { _ in } }
        #expect(try Self.numbers(second) == [1, 2])
        // When that one ends, the first may work again.
        try second.close()
        try primary.wait(until: "0", to: "SELECT count(*) \(Self.atWork)")
        #expect(try first.takeOver())
        try Self.add(3, first)
    }

    /// A database that was only restarted has lost nothing, and its server goes on; one that was promoted may have.
    @Test func aServerStaysAtWorkUnlessAnotherMayHaveBeen() throws {
        let (primary, standby) = try Self.pair()
        // Both under one address.
        let address =
            "postgresql://roundrobin@127.0.0.1:\(primary.port),127.0.0.1:\(standby.port)/roundrobin"
            + "?target_session_attrs=read-write"
        let storage = try PostgresStorage(
            PostgresAddress(address), schema: "test", isNew: true, standbys: 0, migrations: [Self.tables])
        #expect(try storage.takeOver())
        try primary.stop()
        #expect(throws: StorageError.self) { try storage.stayInOffice() }
        try primary.start()
        try primary.wait(forStandbys: 1)
        try storage.stayInOffice()
        try Self.add(1, storage)
        try primary.kill()
        try standby.promote()
        #expect(throws: StorageError.deposed) { try storage.stayInOffice() }
        // Whoever begins anew finds everything.
        #expect(try storage.takeOver() && Self.numbers(storage) == [1])
        try storage.stayInOffice()
    }

    // MARK: Words

    @Test func whatAnOperatorGetsWrong() throws {
        let (primary, standby) = try Self.pair(isSynchronous: false)
        func failure(_ text: String, standbys: Int = 0) -> StorageError? {
            do {
                let address = try PostgresAddress(text)
                _ = try PostgresStorage(
                    address, schema: "test", isNew: true, standbys: standbys, patience: .seconds(1),
                    migrations: [Self.tables])
                return nil
            } catch { return error as? StorageError }
        }
        let place = "127.0.0.1:\(primary.port)"
        // Secrets stay out of command lines, however they are written.
        for text in ["roundrobin:secret@\(place)/roundrobin", "\(place)/roundrobin?password=secret"] {
            guard case .address(let reason) = try #require(failure("postgresql://\(text)")) else {
                Issue.record("\(text)")
                continue
            }
            #expect(!reason.contains("secret"))
        }
        for text in ["aggregator.sqlite", "http://\(place)/roundrobin", "postgresql://\(place)", "postgresql://%zz/x"] {
            guard case .address = failure(text) else {
                Issue.record("\(text)")
                continue
            }
        }
        func isUnreachable(_ error: StorageError?, _ words: String) -> Bool {
            guard case .unreachable(_, let reason) = error else { return false }
            return reason.contains(words)
        }
        #expect(isUnreachable(failure("postgresql://nobody@\(place)/roundrobin"), "\"nobody\" does not exist"))
        #expect(isUnreachable(failure("postgresql://roundrobin@\(place)/other"), "\"other\" does not exist"))
        #expect(isUnreachable(failure("postgresql://roundrobin@127.0.0.1:1/x"), "refused"))
        #expect(failure(standby.address) == .standby)
        try primary.sql("CREATE ROLE poor LOGIN")
        guard case .notAllowed = failure("postgresql://poor@\(place)/roundrobin") else {
            Issue.record("a user without rights")
            return
        }
        guard case .notAllowed(let reason) = failure("postgresql://poor@\(place)/roundrobin", standbys: 1) else {
            Issue.record("a user who sees no standbys")
            return
        }
        #expect(reason.contains("pg_monitor"))
        try primary.set("fsync", "off")
        try primary.wait(until: "off", to: "SHOW fsync")
        #expect(failure(primary.address) == .notDurable(setting: "fsync"))
        try primary.set("fsync", "on")
        try primary.wait(until: "on", to: "SHOW fsync")
        #expect(failure(primary.address) == nil)
        try primary.set("log_transaction_sample_rate", "1")
        try primary.wait(until: "1", to: "SHOW log_transaction_sample_rate")
        #expect(failure(primary.address) == .logsParameters(setting: "log_transaction_sample_rate"))
        try primary.set("log_transaction_sample_rate", "0")
        try primary.wait(until: "0", to: "SHOW log_transaction_sample_rate")
        // A password is asked for, and comes from a file.
        try primary.sql("ALTER ROLE roundrobin PASSWORD 'right'")
        try primary.admit("host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256")
        let passwords = primary.folder.appending(path: "passwords").path
        for (password, words) in [("wrong", "authentication failed"), ("right", "")] {
            try "*:*:*:roundrobin:\(password)\n".write(toFile: passwords, atomically: true, encoding: .utf8)
            chmod(passwords, 0o600)
            let error = failure("\(primary.address)?passfile=\(passwords)")
            #expect(words.isEmpty ? error == nil : isUnreachable(error, words), "\(String(describing: error))")
        }
    }

    /// Of several servers the next one is asked, also when one can be reached and does not let anybody in.
    @Test func aServerThatLetsNobodyInIsPassedOver() throws {
        let (primary, standby) = try Self.pair(isSynchronous: false)
        try standby.admit("host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 reject")
        func open(_ hosts: String) throws -> PostgresStorage {
            let address = "postgresql://roundrobin@\(hosts)/roundrobin?target_session_attrs=read-write"
            return try PostgresStorage(
                PostgresAddress(address), schema: "test", isNew: true, standbys: 0, migrations: [Self.tables])
        }
        let (first, second) = ("127.0.0.1:\(standby.port)", "127.0.0.1:\(primary.port)")
        try Self.add(1, open("\(first),\(second)"))
        #expect(try Self.numbers(open("\(second),\(first)")) == [1])
        // When none lets it in, the reasons of all are said.
        #expect { try open("\(first),127.0.0.1:1") } throws: { error in
            guard case StorageError.unreachable(_, let reason) = error else { return false }
            return reason.contains("rejects connection") && reason.contains("refused")
        }
        // Ports may be left out: then it is PostgreSQL's own.
        for hosts in ["127.0.0.1,localhost", "127.0.0.1:1,localhost", "127.0.0.1,localhost:1"] {
            #expect { try open(hosts) } throws: { error in
                guard case StorageError.unreachable(_, let reason) = error else { return false }
                let ports = reason.matches(of: /port (\d+) failed/).map { String($0.1) }
                return ports.allSatisfy { ["5432", "1"].contains($0) } && ports.count >= 2
            }
        }
        for hosts in ["a,b,c/x?port=1,2", "a,b/x?hostaddr=127.0.0.1", "a,,b/x"] {
            #expect {
                _ = try PostgresAddress("postgresql://u@\(hosts)")
            } throws: { error in
                if case StorageError.address = error { true } else { false }
            }
        }
    }

    @Test(arguments: [
        ("", 0), ("  ", 0), ("*", 1), ("s1", 1), ("s1, s2", 1), ("ANY 2 (s1, s2, s3)", 2), ("first 1 (*)", 1),
        ("3 (a, b, c, d)", 3), ("ANY 17 (*)", 17), ("\"2 (odd\"", 1),
    ])
    func forHowManyStandbysACommitWaits(_ names: String, _ number: Int) {
        #expect(PostgresStorage.standbys(waitedForBy: names) == number)
    }
}
