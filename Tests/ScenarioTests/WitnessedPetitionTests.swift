import Bytes
import Documents
import Foundation
import Petitions
import Sodium
import Testing
import TransparencyLog
import Witnessing

/// A whole petition under a policy of two of three witnesses, for its roll and for itself: the real programs, and what
/// a signer does when coordinator and aggregator together show it something else than others.
@Suite(.serialized, .withinTheRun) struct WitnessedPetitionTests {
    private func refused(
        _ run: Run, _ words: String, code: Int32 = 1, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(run.code == code, "\(run.errors)\(run.output)", sourceLocation: sourceLocation)
        #expect(run.errors.contains(words), "\(run.errors)", sourceLocation: sourceLocation)
    }

    @Test func everythingIsCosignedAndTheClosingTimeIsProven() async throws {
        let deployment = try Deployment(people: 5, witnesses: 3, hasClock: true)
        let clock = try #require(deployment.clock)
        try deployment.seal(0..<5)
        // One witness is away for all of the petition.
        deployment.witnesses[2].kill()
        let closes = Int64(Date.now.timeIntervalSince1970) + 7200
        try deployment.petition(closes: UTCTime(seconds: closes).description)
        for person in 0..<3 {
            let run = try deployment.sign(person)
            #expect(run.code == 0, "\(run.errors)")
            #expect(run.errors.contains("Witnesses saw that others are shown the same: w0.example/w, w1.example/w."))
            #expect(run.errors.contains("One of them could deceive you together with the servers."))
        }
        let receipt = try deployment.signer(0, "receipt", "check")
        #expect(receipt.code == 0 && receipt.output.contains("w0.example/w, w1.example/w"), "\(receipt.output)")

        // It is open: counted, and nothing is said about the end.
        let open = try deployment.verify(deployment.petition)
        #expect(open.code == 0 && open.report["signatures"] as? Int == 3, "\(open.report)")

        // What is kept of the roll's times, at the coordinator and at the aggregator.
        let roll = try await deployment.roll()
        let policy = try WitnessPolicy(parsing: [UInt8](Data(contentsOf: deployment.folder.appending(path: "policy"))))
        let path = "enrolment/phases/0"
        let note = [UInt8](try await HTTP.get("\(roll.url.text)/\(path)").body)
        _ = try CosignedCheckpoint(verifying: note, key: roll.enrolmentLogKey, policy: policy, now: .max)
        var kept = try await HTTP.get("\(deployment.petition)/rolls/\(roll.id.hex)/\(path)")
        for _ in 0..<100 where kept.status != 200 {
            try await Task.sleep(for: .milliseconds(100))
            kept = try await HTTP.get("\(deployment.petition)/rolls/\(roll.id.hex)/\(path)")
        }
        #expect([UInt8](kept.body) == note)
        #expect(try await HTTP.get("\(roll.url.text)/enrolment/phases/1").status == 404)
        #expect(try await HTTP.get("\(deployment.petition)/announcement").status == 200)

        // The page that checks receipts knows whose lines to look for.
        let page = String(decoding: try await HTTP.get("\(deployment.petition)/check").body, as: UTF8.self)
        #expect(page.contains("data-witnesses=\"[[&quot;w0.example/w&quot;,"), "\(page)")

        let shown = try deployment.expect("petition-aggregator", "status")
        #expect(shown.contains("3 entries are shown, cosigned by w0.example/w, w1.example/w\n"), "\(shown)")
        #expect(shown.contains("without w2.example/w"), "\(shown)")

        // It closes.
        try clock.move(ahead: 7300)
        refused(
            try deployment.signer(
                3, "sign", with: ["--minimum-ring", "4", "--yes", deployment.petition], clock: clock.path),
            "the petition closed at")
        try deployment.expect("petition-aggregator", "export", "export")
        for folder in ["export", deployment.petition] {
            let run = try Programs.run(
                "petition-verifier", ["verify", "--json", folder], in: deployment.folder,
                environment: Programs.faults(["FAULT_CLOCK": clock.path]))
            let report = try #require(
                try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any], "\(run.errors)")
            #expect(run.code == 0 && report["signatures"] as? Int == 3, "\(folder): \(report)")
            let sizes = (report["logs"] as? [[String: Any]] ?? []).compactMap { $0["closingSize"] as? Int }
            #expect(sizes == [3], "\(report)")
        }
    }

    /// A petition through proxies that may lie.
    private func town(hasClock: Bool = false) throws -> Deployment {
        let deployment = try Deployment(people: 5, hasLiars: true, witnesses: 3, hasClock: hasClock)
        try deployment.seal(0..<5)
        try deployment.petition()
        return deployment
    }

    private func withCoordinatorKey<T>(
        _ deployment: Deployment, _ body: (borrowing Ed25519SecretKey) throws -> T
    ) throws -> T {
        let seed = [UInt8](
            try Data(contentsOf: deployment.folder.appending(path: "coordinator/note.key")))
        return try body(Ed25519SecretKey(seed: SecretBytes(copying: seed)))
    }

    @Test func announcementsForkedForOneSignerAreSeenTheFirstTime() async throws {
        let deployment = try town()
        let (coordinator, aggregator) = (
            try #require(deployment.coordinatorLiar), try #require(deployment.aggregatorLiar)
        )
        let proof = "/petitions/\(deployment.id)/announcement"
        // No proof, one of another petition, one whose lines are gone, garbage.
        aggregator.lie(at: proof, status: 404, [])
        refused(try deployment.sign(0), "do not vouch for the announcement of the petition", code: 3)
        let real = try LogProof(
            parsing: [UInt8](try await HTTP.get("\(deployment.coordinatorURL)\(proof)").body))
        let note = String(decoding: real.checkpoint, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
        let bare = Array((note.prefix(5) + [""]).joined(separator: "\n").utf8)
        aggregator.lie(at: proof, LogProof(inclusion: real.inclusion, checkpoint: bare).encoded)
        refused(try deployment.sign(0), "no witness of the policy has cosigned it", code: 3)
        let one = Array((note.prefix(6) + [""]).joined(separator: "\n").utf8)
        aggregator.lie(at: proof, LogProof(inclusion: real.inclusion, checkpoint: one).encoded)
        refused(try deployment.sign(0), "cosigned it, which is no quorum", code: 3)
        aggregator.lie(at: proof, Array("nonsense".utf8))
        refused(try deployment.sign(0), "it is no proof", code: 3)
        let wrong = InclusionProof(index: 0, hashes: real.inclusion.hashes)
        aggregator.lie(at: proof, LogProof(inclusion: wrong, checkpoint: real.checkpoint).encoded)
        refused(try deployment.sign(0), "it does not prove the entry", code: 3)
        aggregator.stopLying()

        // A log of announcements for this signer alone, by the coordinator's own key: a wallet that never saw the log
        // before knows it for what it is, and has the proof.
        let roll = try await deployment.roll()
        let entries = [
            Announcement.roll(roll).bytes, [UInt8](repeating: 9, count: 33),
            Announcement.petition(try #require(PetitionID(hex: deployment.id))).bytes,
        ]
        try withCoordinatorKey(deployment) { key in
            coordinator.lie(
                log: "/announcements", origin: Announcement.logKey(coordinator: roll.coordinator, key: roll.key).name,
                entries: entries, key: key)
        }
        try deployment.expectSigner(1, "export", with: ["moved"])
        let moved = try Programs.run(
            "petition-signer", ["import", "--wallet", "wallet-fresh", "--passphrase-fd", "0", "moved"],
            in: deployment.folder, passphrase: "passphrase of 1")
        #expect(moved.code == 0, "\(moved.errors)")
        let fresh = try Programs.run(
            "petition-signer",
            [
                "sign", "--wallet", "wallet-fresh", "--passphrase-fd", "0", "--minimum-ring", "4", "--yes",
                "--despite", "restored-wallet", deployment.petition,
            ],
            in: deployment.folder, passphrase: "passphrase of 1")
        refused(fresh, "is not a continuation of the")
        let evidence = try Programs.run(
            "petition-signer", ["evidence", "--wallet", "wallet-fresh", "--passphrase-fd", "0", "proof.json"],
            in: deployment.folder, passphrase: "passphrase of 1")
        #expect(evidence.code == 0, "\(evidence.errors)")
        coordinator.stopLying()
        #expect(try deployment.sign(0).code == 0)
    }

    @Test func aRollForkedForOneSignerIsNotSignedUnder() async throws {
        let deployment = try town()
        let coordinator = try #require(deployment.coordinatorLiar)
        let roll = try await deployment.roll()
        // The same entries and more, under the coordinator's signature, for one person: no witness has seen that.
        let path = "/rolls/\(roll.id.hex)"
        let head = try Checkpoint(
            verifying: [UInt8](try await HTTP.get("\(roll.url.text)/enrolment/checkpoint").body),
            key: roll.enrolmentLogKey)
        let bundle = try await HTTP.get(
            "\(roll.url.text)/enrolment/\(TileID.bundlePath(index: 0, width: Int(head.size)))")
        let entries = try #require(EntryBundle.decode([UInt8](bundle.body)))
        try withCoordinatorKey(deployment) { key in
            coordinator.lie(
                log: "\(path)/enrolment", origin: roll.enrolmentLogKey.name,
                entries: entries + [EnrolmentEntry.issuingOpens(round: 1).bytes], key: key)
        }
        refused(try deployment.sign(0), "the witnesses do not vouch for the log", code: 3)
        coordinator.stopLying()
        // The roll's own announcement needs its quorum, too.
        coordinator.lie(at: "/rolls/people/announcement", status: 404, [])
        refused(try deployment.sign(0), "do not vouch for the announcement of the roll", code: 3)
        try deployment.invite(1)
        refused(
            try deployment.signer(5, "enrol", with: [deployment.links[5]]),
            "do not vouch for the announcement of the roll", code: 3)
        coordinator.stopLying()
        #expect(try deployment.sign(0).code == 0)
    }

    @Test func aRollWithoutWitnessesIsNotSaidToHaveAny() throws {
        let deployment = try Deployment(people: 5, witnesses: 3, hasPlainRoll: true)
        try deployment.seal(0..<5)
        try deployment.petition()
        let asked = try deployment.sign(0)
        refused(asked, "stopped: the petition has witnesses, and your roll has none")
        #expect(!asked.errors.contains("Witnesses saw that others are shown the same"), "\(asked.errors)")
        let options = ["--minimum-ring", "4", "--yes", "--despite", "unwitnessed-roll", deployment.petition]
        let agreed = try deployment.signer(0, "sign", with: options)
        #expect(agreed.code == 0, "\(agreed.errors)")
        #expect(agreed.errors.contains("could show you another roll than others"), "\(agreed.errors)")
    }

    /// The code of an invitation can be used once: it is not sent before the witnesses vouch for the roll.
    @Test func nothingIsSentToARollThatIsNotVouchedFor() throws {
        let deployment = try Deployment(people: 5, witnesses: 3)
        try deployment.expectSigner(0, "enrol", with: [deployment.links[0]])
        let ahead = try MovedClock(in: deployment.scratch, ahead: 3 * 3600)
        let stale = try deployment.signer(1, "enrol", with: [deployment.links[1]], clock: ahead.path)
        refused(stale, "for a long time", code: 3)
        #expect(stale.errors.contains("this computer's clock"), "\(stale.errors)")
        #expect(try deployment.expect("petition-coordinator", "status").contains("issued         1,"))
        try deployment.expectSigner(1, "enrol", with: [deployment.links[1]])
    }

    @Test func whatIsOldIsNotBelieved() async throws {
        let deployment = try town(hasClock: true)
        let clock = try #require(deployment.clock)
        let (coordinator, aggregator) = (
            try #require(deployment.coordinatorLiar), try #require(deployment.aggregatorLiar)
        )
        #expect(try deployment.sign(0).code == 0)
        let roll = try await deployment.roll()
        let enrolment = "/rolls/\(roll.id.hex)/enrolment/checkpoint"
        let old = (
            try await HTTP.get(deployment.coordinatorURL + enrolment).body,
            try await HTTP.get(deployment.petition + "/checkpoint").body
        )
        try clock.move(ahead: 3 * 3600)
        // Everything is renewed every hour.
        func waits(_ url: String, _ key: VerifierKey) async throws {
            let policy = try #require(roll.witnesses)
            for _ in 0..<100 {
                let note = [UInt8](try await HTTP.get(url).body)
                let head = try? CosignedCheckpoint(verifying: note, key: key, policy: policy, now: .max)
                if let head, head.newestQuorumTime > UInt64(Date.now.timeIntervalSince1970) + 3 * 3600 - 600 { return }
                try await Task.sleep(for: .milliseconds(100))
            }
            Issue.record("\(url) is not renewed")
        }
        try await waits(deployment.coordinatorURL + enrolment, roll.enrolmentLogKey)
        try await waits("\(roll.url.text)/members/checkpoint", roll.membersKey)
        let manifest = try PetitionManifest(
            parsing: [UInt8](Data(contentsOf: deployment.folder.appending(path: "act.petition"))))
        try await waits(deployment.petition + "/checkpoint", manifest.logKey(aggregator: 0))
        func sign(_ person: Int) throws -> Run {
            try deployment.signer(
                person, "sign", with: ["--minimum-ring", "4", "--yes", deployment.petition], clock: clock.path)
        }
        coordinator.lie(at: enrolment, old.0)
        refused(try sign(1), "for a long time", code: 3)
        coordinator.stopLying()
        aggregator.lie(at: "/petitions/\(deployment.id)/checkpoint", old.1)
        refused(try sign(1), "for a long time", code: 3)
        aggregator.stopLying()
        let fresh = try sign(1)
        #expect(fresh.code == 0, "\(fresh.errors)")
    }

    @Test func aReceiptNeedsTheQuorumAndSaysWhenItIsLate() async throws {
        let deployment = try town()
        let aggregator = try #require(deployment.aggregatorLiar)
        let records = "/petitions/\(deployment.id)/records"
        // The aggregator answers with a good receipt, from which the lines are gone.
        try deployment.expectSigner(
            0, "sign", with: ["--minimum-ring", "4", "--yes", "--out", "record", deployment.petition])
        let record = try Data(contentsOf: deployment.folder.appending(path: "record"))
        let answer = try await HTTP.post(
            deployment.petition + "/records", record, type: "application/octet-stream")
        let good = try LogProof(parsing: [UInt8](answer.body))
        let lines = String(decoding: good.checkpoint, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
        let bare = Array((lines.prefix(5) + [""]).joined(separator: "\n").utf8)
        aggregator.lie(at: records, status: 201, LogProof(inclusion: good.inclusion, checkpoint: bare).encoded)
        refused(try deployment.sign(0), "the petition's witnesses do not vouch for the receipt", code: 3)
        #expect(try deployment.signer(0, "receipts").output.contains("signed, not counted yet"))
        refused(
            try deployment.run("petition-signer", "submit", "record", deployment.petition),
            "do not vouch for the receipt", code: 3)

        // The same, cosigned after the petition has closed (by witnesses that collude, for nobody else could do it
        // now).
        let manifest = try PetitionManifest(
            parsing: [UInt8](Data(contentsOf: deployment.folder.appending(path: "act.petition"))))
        let head = try Checkpoint(verifying: good.checkpoint, key: manifest.logKey(aggregator: 0))
        let late = UInt64(manifest.text.closes.seconds) + 1
        var note = bare
        for (number, witness) in deployment.witnesses.enumerated() {
            let seed = [UInt8](try Data(contentsOf: deployment.folder.appending(path: "w\(number)/note.key")))
            let secret = Ed25519SecretKey(seed: SecretBytes(copying: seed))
            note += Array(secret.cosign(head, name: witness.key.name, at: late).utf8)
        }
        aggregator.lie(at: records, status: 200, LogProof(inclusion: good.inclusion, checkpoint: note).encoded)
        let clock = try MovedClock(
            in: deployment.scratch,
            ahead: Int(manifest.text.closes.seconds - Int64(Date.now.timeIntervalSince1970)) + 60)
        let run = try deployment.signer(
            0, "sign", with: ["--minimum-ring", "4", "--yes", deployment.petition], clock: clock.path)
        refused(run, "your signature came too late: it is entry 0")
        #expect(try deployment.signer(0, "receipts").output.contains("entry 0, too late to count"))
        let check = try deployment.signer(0, "receipt", "check", clock: clock.path)
        refused(check, "came after the petition had closed")
        #expect(check.output.contains("seen too late to count, by "), "\(check.output)")
        // By this computer's clock, such a receipt is of the future: it says nothing.
        refused(try deployment.sign(0), "at a time that is still to come, by this computer's clock", code: 3)
        aggregator.stopLying()
        #expect(try deployment.sign(0).output.contains("Signed and counted, as entry 0"))
        #expect(try deployment.signer(0, "receipt", "check").code == 0)
    }

    @Test func howLongJoiningLastedIsProvenToEverybody() async throws {
        let deployment = try Deployment(people: 5, joiningTime: "8s", witnesses: 3)
        for person in 0..<5 { try deployment.expectSigner(person, "enrol", with: [deployment.links[person]]) }
        for witness in deployment.witnesses.prefix(2) { witness.kill() }
        try deployment.expect("petition-coordinator", "joining", "open", "people")
        try await Task.sleep(for: .seconds(8))
        // No quorum has seen that joining is open, and so nobody can have joined.
        func seal() throws -> Run { try deployment.run("petition-coordinator", "seal", "people") }
        refused(try seal(), "no quorum of the roll's witnesses has seen yet")
        for witness in deployment.witnesses.prefix(2) { try witness.start() }
        let roll = try await deployment.roll()
        for _ in 0..<100 {
            if try await HTTP.get("\(roll.url.text)/enrolment/phases/0").status == 200 { break }
            try await Task.sleep(for: .milliseconds(200))
        }
        // One of five is slow.
        refused(try seal(), "joining goes on until")
        let now = Deployment.joinNow + ["--despite", "late-notice"]
        for person in 0..<4 { try deployment.expectSigner(person, "join", with: now) }
        var sealed = try seal()
        for _ in 0..<60 where sealed.code != 0 {
            try await Task.sleep(for: .milliseconds(500))
            sealed = try seal()
        }
        #expect(sealed.code == 0, "\(sealed.errors)")
        try deployment.petition()
        #expect(try deployment.sign(0).code == 0)
        let (code, report) = try deployment.verify(deployment.petition)
        let checks = (report["checks"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
        #expect(code == 0 && checks.contains { $0.contains("how long witnesses saw joining open") }, "\(report)")
        #expect(!(report["reservations"] as? [String] ?? []).contains { $0.contains("joining lasted") })
    }

    @Test func withoutItsWitnessesARollStandsStillAndSaysSo() async throws {
        let deployment = try Deployment(people: 5, witnesses: 3)
        let roll = try await deployment.roll()
        try deployment.expectSigner(0, "enrol", with: [deployment.links[0]])
        for witness in deployment.witnesses.prefix(2) { witness.kill() }
        // The first waits in vain; what was asked is kept, and the answer comes with the witnesses.
        refused(
            try deployment.signer(1, "enrol", with: [deployment.links[1]]), "witnesses have not cosigned its log",
            code: 3)
        refused(
            try deployment.signer(2, "enrol", with: [deployment.links[2]]), "witnesses have not cosigned its log",
            code: 3)
        let shown = try Checkpoint(
            verifying: [UInt8](try await HTTP.get("\(roll.url.text)/enrolment/checkpoint").body),
            key: roll.enrolmentLogKey)
        #expect(shown.size == 6, "five invitations and one issue")
        let status = try deployment.expect("petition-coordinator", "status")
        #expect(status.contains("issued         2"), "\(status)")
        let hidden = TileID.bundlePath(index: 0, width: 7)
        #expect(try await HTTP.get("\(roll.url.text)/enrolment/\(hidden)").status == 404)
        let metrics = String(decoding: try await HTTP.get(deployment.coordinatorMetrics).body, as: UTF8.self)
        #expect(metrics.contains("roundrobin_witness_absent{log=\"\(roll.enrolmentLogKey.name)\""), "\(metrics)")
        try deployment.witnesses[0].start()
        var run = try deployment.signer(1, "enrol", with: [deployment.links[1]])
        for _ in 0..<20 where run.code != 0 { run = try deployment.signer(1, "enrol", with: [deployment.links[1]]) }
        #expect(run.code == 0, "\(run.errors)")
    }
}
