import Documents
import Foundation
import PostgresCluster
import Testing

/// A coordinator whose database is on PostgreSQL, when its standby is away or its primary dies.
@Suite(.serialized, .withinTheRun, .onPostgres) struct CoordinatorFailoverTests {
    private static func database(_ servers: PostgresCluster..., standbys: Int) -> [String] {
        let hosts = servers.map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
        let address = "postgresql://\(PostgresCluster.user)@\(hosts)/\(PostgresCluster.user)"
        return ["--database", address + "?target_session_attrs=read-write", "--standbys", "\(standbys)"]
    }

    private static func pair() throws -> (PostgresCluster, PostgresCluster) {
        let primary = try PostgresCluster()
        let standby = try PostgresCluster(name: "s1", standbyOf: primary)
        try primary.set("synchronous_standby_names", "'s1'")
        try primary.wait(until: "sync", to: "SELECT sync_state FROM pg_stat_replication")
        return (primary, standby)
    }

    private static func promote(_ standby: PostgresCluster) throws {
        try standby.stop("immediate")
        try standby.start()
        try standby.promote()
    }

    /// Whoever hears that they joined is on two machines, also when they ask again, and when the operator of the
    /// database made commits wait for nobody.
    @Test func whoHeardThatTheyJoinedIsOnTheRoll() throws {
        let (primary, standby) = try Self.pair()
        let deployment = try Deployment(people: 5, database: Self.database(primary, standby, standbys: 1))
        for person in 0..<5 { try deployment.expectSigner(person, "enrol", with: [deployment.links[person]]) }
        try deployment.expect("petition-coordinator", "joining", "open", "people")
        func joins(_ person: Int) throws -> Bool {
            try deployment.signer(person, "join", with: Deployment.joinNow).code == 0
        }
        for person in 0..<3 { #expect(try joins(person)) }
        try standby.pauseReceiver()
        #expect(try !joins(3))
        // It is stored now, and asked for again.
        #expect(try primary.sql("SELECT count(*) FROM coordinator.member", database: PostgresCluster.user) == "4")
        #expect(try !joins(3))
        try primary.set("synchronous_standby_names", "''")
        try primary.wait(until: "", to: "SHOW synchronous_standby_names")
        #expect(try !joins(3) && !joins(4))
        try primary.kill()
        try Self.promote(standby)
        let another = try PostgresCluster(name: "s2", standbyOf: standby)
        try standby.wait(forStandbys: 1)
        for person in 3...4 { #expect(try joins(person)) }
        let sealed = try deployment.expect("petition-coordinator", "seal", "people")
        #expect(sealed.contains("5 members"), "\(sealed)")
        extendLifetime(another)
    }

    /// Letters whose codes may be stored are kept: nobody else has the codes.
    @Test func lettersOfWhatMayBeStoredAreKept() throws {
        let (primary, standby) = try Self.pair()
        let deployment = try Deployment(people: 4, database: Self.database(primary, standby, standbys: 1))
        try standby.pauseReceiver()
        try deployment.scratch.write("name,email\nlate,late@example.org\n", to: "late.csv")
        let invited = try deployment.run(
            "petition-coordinator", "invite", "--yes", "people", "late.csv", "late-letters.csv")
        #expect(invited.code == 3 && invited.errors.contains("Keep late-letters.csv"), "\(invited.errors)")
        let letters = try String(contentsOf: deployment.folder.appending(path: "late-letters.csv"), encoding: .utf8)
        try standby.stop("immediate")
        try standby.start()
        try primary.wait(forStandbys: 1)
        let link = try #require(letters.split(separator: "\n").last?.split(separator: ",").last)
        try deployment.expectSigner(0, "enrol", with: [String(link)])
    }

    /// A step of an open roll's log is shown once it is on two machines, and not before.
    @Test func stepsAreConfirmed() async throws {
        let (primary, standby) = try Self.pair()
        let town = try OpenTown(database: Self.database(primary, standby, standbys: 1))
        try town.pass(600 - Int(Date().timeIntervalSince1970) % 600)
        try await town.ask((0..<2).map { "p\($0)@place\($0).example" })
        let links = try await town.mails(2).map(\.link)
        func enrol(_ person: Int) throws -> Run {
            try Programs.run(
                "petition-signer", ["enrol", "--wallet", "wallet-\(person)", "--passphrase-fd", "0", links[person]],
                in: town.folder, passphrase: "a passphrase", environment: town.faults)
        }
        #expect(try enrol(0).code == 0)
        try standby.pauseReceiver()
        #expect(try enrol(1).code != 0)
        let sql = "SELECT max(size) FROM coordinator.log WHERE origin LIKE '%enrolment'"
        #expect(try primary.sql(sql, database: PostgresCluster.user) == "4")
        try town.pass(600)
        let checkpoint = "\(try await town.roll().url)/enrolment/checkpoint"
        // Each answer takes as long as standbys are waited for.
        for _ in 0..<3 {
            let note = String(decoding: try await HTTP.get(checkpoint).body, as: UTF8.self)
            #expect(!note.contains("\n4\n"), "\(note)")
            try await Task.sleep(for: .milliseconds(250))
        }
        try standby.stop("immediate")
        try standby.start()
        var isShown = false
        for _ in 0..<200 where !isShown {
            isShown = String(decoding: try await HTTP.get(checkpoint).body, as: UTF8.self).contains("\n4\n")
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(isShown)
    }

    /// A coordinator whose database has less than it published, ends.
    @Test func aCoordinatorEndsOnAnOlderDatabase() throws {
        let primary = try PostgresCluster()
        let standby = try PostgresCluster(name: "s1", standbyOf: primary)
        try primary.wait(forStandbys: 1)
        let deployment = try Deployment(people: 4, database: Self.database(primary, standby, standbys: 0))
        try primary.wait(
            until: "t", to: "SELECT bool_and(flush_lsn = pg_current_wal_flush_lsn()) FROM pg_stat_replication")
        try standby.pauseReceiver()
        // By another process: the server itself has not seen it.
        try deployment.invite(2)
        try primary.kill()
        try Self.promote(standby)
        for _ in 0..<300 where deployment.coordinator?.process.isRunning == true { usleep(100_000) }
        #expect(deployment.coordinator?.process.isRunning == false)
        #expect(deployment.coordinator?.process.terminationStatus == 1)
        #expect(deployment.coordinator?.said.contains("older than what was published") == true)
    }
}
