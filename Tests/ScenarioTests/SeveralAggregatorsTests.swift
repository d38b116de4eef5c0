import Foundation
import Testing

/// One petition, two aggregators: the tally is the union of their logs by tag.
@Suite struct SeveralAggregatorsTests {
    private func sign(_ deployment: Deployment, _ wallet: Int, passphraseOf person: Int, _ url: String) throws {
        let run = try Programs.run(
            "petition-signer",
            [
                "sign", "--wallet", "wallet-\(wallet)", "--passphrase-fd", "0", "--minimum-ring", "4", "--yes",
                "--despite",
                "restored-wallet", url,
            ],
            in: deployment.folder, passphrase: "passphrase of \(person)")
        try #require(run.code == 0, "\(run.errors)")
    }

    @Test func aTagInTwoLogsCountsOnceAndAWithdrawalInOneCounts() throws {
        let deployment = try Deployment(people: 5)
        try deployment.seal(0..<5)
        let two = try TwoAggregators(deployment, roll: "people=Town")
        let (firstPetition, secondPetition) = (two.first, two.second)
        let firstServer = try Server("petition-aggregator", in: deployment.folder)
        let secondServer = try Server("petition-aggregator", ["--folder", "aggregator2"], in: deployment.folder)

        try deployment.expectSigner(1, "export", with: ["backup"])
        let restored = try Programs.run(
            "petition-signer", ["import", "--wallet", "wallet-51", "--passphrase-fd", "0", "backup"],
            in: deployment.folder,
            passphrase: "passphrase of 1")
        #expect(restored.code == 0)
        try sign(deployment, 0, passphraseOf: 0, firstPetition)
        try sign(deployment, 1, passphraseOf: 1, firstPetition)
        try sign(deployment, 51, passphraseOf: 1, secondPetition)
        try sign(deployment, 2, passphraseOf: 2, secondPetition)
        try sign(deployment, 3, passphraseOf: 3, secondPetition)
        try deployment.expectSigner(3, "withdraw", with: ["--yes", secondPetition])

        try deployment.expect("petition-aggregator", "export", "copy")
        let (code, report) = try deployment.verify("copy")
        #expect(code == 0)
        // 0, 1 (in both logs) and 2; 3 withdrew.
        #expect(report["signatures"] as? Int == 3 && report["withdrawn"] as? Int == 1)
        #expect((report["perLabel"] as? [[String: Any]])?.first?["label"] as? String == "Town")

        // A record made for the first aggregator goes to the second if the first is unreachable.
        try deployment.expectSigner(
            4, "sign", with: ["--minimum-ring", "4", "--yes", "--out", "record", firstPetition])
        firstServer.stop()
        #expect(try deployment.signer(4, "sign", with: ["--minimum-ring", "4", "--yes", firstPetition]).code == 3)
        try sign(deployment, 4, passphraseOf: 4, secondPetition)
        let restarted = try Server("petition-aggregator", in: deployment.folder)
        defer { restarted.stop() }

        // One of the logs is unreachable: the rest is checked, but a part is not a total.
        secondServer.stop()
        let partial = try deployment.verify(firstPetition)
        #expect(partial.code == 3 && partial.report["signatures"] == nil && partial.report["valid"] is NSNull)
        #expect((partial.report["logs"] as? [Any])?.count == 4)
        // An export has everything else, and reports that.
        let exported = try deployment.run("petition-aggregator", "export", "half")
        #expect(exported.code == 3 && exported.output.contains("\"Act\" to half, not whole."), "\(exported.errors)")
        #expect(exported.errors.contains("warning: \(secondPetition)/"), "\(exported.errors)")
        #expect(exported.errors.contains("the copy is not whole"))
        let half = try deployment.verify("half")
        #expect(half.code == 3 && (half.report["logs"] as? [Any])?.count == 4, "\(half.report)")
    }

    /// What one aggregator has not seen, another has.
    @Test func ofSeveralAggregatorsTheOneThatSawMostIsAsked() throws {
        let deployment = try Deployment(people: 8)
        try deployment.seal(0..<4)
        let two = try TwoAggregators(deployment, laterRings: true)
        let (firstPetition, secondPetition) = (two.first, two.second)
        let publish = ["--publish-every", "0"]
        let early = try Server("petition-aggregator", publish, in: deployment.folder)
        try sign(deployment, 0, passphraseOf: 0, firstPetition)
        early.stop()
        // A ring that the first aggregator never saw.
        try deployment.expect("petition-coordinator", "issuing", "open", "people")
        try deployment.seal(4..<8)
        let secondServer = try Server(
            "petition-aggregator", publish + ["--folder", "aggregator2"], in: deployment.folder)
        defer { secondServer.stop() }
        try sign(deployment, 4, passphraseOf: 4, secondPetition)
        deployment.coordinator?.kill()
        let firstServer = try Server("petition-aggregator", publish, in: deployment.folder)
        defer { firstServer.stop() }

        let run = try deployment.run("petition-verifier", "verify", "--json", firstPetition)
        #expect(run.code == 0 && run.output.contains("\"signatures\":2,"), "\(run.errors)\(run.output)")
        #expect(run.errors.contains("copied instead: the roll "), "\(run.errors)")
        #expect(run.errors.contains("as kept by \(secondPetition)\n"), "\(run.errors)")
        #expect(!run.errors.contains("contradict"), "\(run.errors)")
        // So does the export of the aggregator that saw less.
        let exported = try deployment.run("petition-aggregator", "export", "copy")
        #expect(exported.code == 0 && exported.errors.contains("as kept by \(secondPetition)"), "\(exported.errors)")
        let copied = try deployment.verify("copy")
        #expect(copied.code == 0 && copied.report["signatures"] as? Int == 2, "\(copied.report)")
    }
}
