import Foundation
import PostgresCluster
import Testing

/// An aggregator whose database has a synchronous standby, when the primary dies.
@Suite(.serialized, .withinTheRun, .onPostgres) struct FailoverTests {
    /// The primary is killed while people sign, and the standby takes its place: every receipt that anybody got is
    /// good, and everybody is counted once.
    @Test func everyReceiptOutlivesThePrimary() async throws {
        let primary = try PostgresCluster()
        let standby = try PostgresCluster(name: "s1", standbyOf: primary)
        try primary.set("synchronous_standby_names", "'s1'")
        try primary.wait(until: "sync", to: "SELECT sync_state FROM pg_stat_replication")
        let people = 8
        let deployment = try Deployment(people: people)
        try deployment.seal(0..<people)
        let hosts = "127.0.0.1:\(primary.port),127.0.0.1:\(standby.port)"
        let address = "postgresql://\(PostgresCluster.user)@\(hosts)/\(PostgresCluster.user)"
        try deployment.petition(database: ["--database", address + "?target_session_attrs=read-write"])
        let kept = try String(contentsOf: deployment.folder.appending(path: "aggregator/database"), encoding: .utf8)
        #expect(kept.hasSuffix("\nstandbys 1\n"))
        for person in 0..<3 { #expect(try deployment.sign(person).code == 0) }

        // The standby stands still: what is stored meanwhile is on one machine, and nobody gets a receipt for it.
        try standby.pauseReceiver()
        let refused = try deployment.sign(3)
        #expect(refused.code != 0, "\(refused.output)")
        try primary.kill()
        #expect(try deployment.sign(4).code != 0)
        try standby.stop("immediate")
        try standby.start()
        try standby.promote()
        // The server may have been deposed, and ends; systemd starts it again.
        for _ in 0..<200 where deployment.aggregator?.process.isRunning == true { usleep(100_000) }
        #expect(deployment.aggregator?.process.isRunning == false)
        #expect(deployment.aggregator?.process.terminationStatus == 3, "\(deployment.aggregator?.said ?? "")")
        #expect(deployment.aggregator?.said.contains("another server has taken over on this database") == true)

        // As long as the new primary has no standby, nothing new is shown, and nobody gets a receipt.
        try deployment.restartAggregator()
        #expect(try deployment.sign(3).code != 0)
        let tally = try await HTTP.get("\(deployment.petition)/tally")
        #expect(String(decoding: tally.body, as: UTF8.self).contains("\"signatures\":3"))
        let another = try PostgresCluster(name: "s2", standbyOf: standby)
        try standby.wait(forStandbys: 1)
        for person in 3..<people { #expect(try deployment.sign(person).code == 0) }
        #expect(try deployment.expect("petition-aggregator", "fsck").contains("All is well"))
        try deployment.expect("petition-aggregator", "export", "copy")
        let (code, report) = try deployment.verify("copy")
        #expect(code == 0 && report["signatures"] as? Int == people, "\(report)")
        for person in 0..<people {
            let checked = try deployment.signer(person, "receipt", "check", with: ["--copy", "copy"])
            #expect(checked.code == 0, "\(checked.errors)")
        }
        // A backup is a file, which can be checked like any other.
        try deployment.expect("petition-aggregator", "backup", "backup.sqlite")
        let (files, folder) = (FileManager.default, deployment.folder)
        let restored = folder.appending(path: "restored")
        try files.copyItem(at: folder.appending(path: "aggregator"), to: restored)
        try files.removeItem(at: restored.appending(path: "database"))
        try files.moveItem(
            at: folder.appending(path: "backup.sqlite"), to: restored.appending(path: "aggregator.sqlite"))
        let checked = try deployment.expect("petition-aggregator", "fsck", "--folder", "restored")
        #expect(checked.contains("All is well"))
        extendLifetime(another)
    }

    /// Commits do not wait for the standby, which is behind when it takes the primary's place: whoever published more
    /// does not go on with it, neither when it runs nor when it is started again.
    @Test func aStandbyThatIsBehindIsRefused() throws {
        let primary = try PostgresCluster()
        let standby = try PostgresCluster(name: "s1", standbyOf: primary)
        try primary.wait(forStandbys: 1)
        let deployment = try Deployment(people: 4)
        try deployment.seal(0..<4)
        let hosts = "127.0.0.1:\(primary.port),127.0.0.1:\(standby.port)"
        let address = "postgresql://\(PostgresCluster.user)@\(hosts)/\(PostgresCluster.user)"
        try deployment.petition(database: ["--database", address + "?target_session_attrs=read-write"])
        #expect(try deployment.sign(0).code == 0)
        try primary.wait(
            until: "t", to: "SELECT bool_and(flush_lsn = pg_current_wal_flush_lsn()) FROM pg_stat_replication")
        try standby.pauseReceiver()
        for person in 1...2 { #expect(try deployment.sign(person).code == 0) }
        try primary.kill()
        try standby.stop("immediate")
        try standby.start()
        try standby.promote()
        for _ in 0..<300 where deployment.aggregator?.process.isRunning == true { usleep(100_000) }
        #expect(deployment.aggregator?.process.isRunning == false)
        let again = try deployment.run("petition-aggregator", "serve")
        #expect(again.code == 1 && again.errors.contains("the database is older than what was published"))
        let moved = try deployment.run(
            "petition-aggregator", "database", "--standbys", "0", "--database", standby.address)
        #expect(moved.code == 1 && moved.errors.contains("promote the other standby"), "\(moved.errors)")
    }
}
