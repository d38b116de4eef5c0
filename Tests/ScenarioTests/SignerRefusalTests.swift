import Bytes
import Documents
import Foundation
import Petitions
import Sodium
import Testing
import TransparencyLog

/// Every check that a signer makes before it enrols, joins and signs, with a server that lies about what is checked.
@Suite struct SignerRefusalTests {
    /// Passes the coordinator's own key: the strongest liar can sign whatever it likes.
    private func withCoordinatorKey<T>(_ deployment: Deployment, _ body: (borrowing Ed25519SecretKey) throws -> T)
        throws -> T
    {
        var seed = [UInt8](try Data(contentsOf: deployment.folder.appending(path: "coordinator/note.key")))
        return try body(Ed25519SecretKey(seed: SecretBytes(moving: &seed)))
    }

    private func refused(
        _ run: Run, _ words: String, code: Int32 = 1, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(run.code == code, "\(run.errors)\(run.output)", sourceLocation: sourceLocation)
        #expect(run.errors.contains(words), "\(run.errors)", sourceLocation: sourceLocation)
    }

    private func bare(_ url: String) -> String { String(url.dropFirst("http://".count)) }

    @Test func enrolRefusesARollThatIsNotAnnouncedAndAnAnswerUnderAnotherKey() async throws {
        let deployment = try Deployment(people: 2, hasLiars: true)
        let tamperingProxy = try #require(deployment.coordinatorLiar)
        let origin = bare(deployment.coordinatorURL) + "/announcements"
        try withCoordinatorKey(deployment) {
            tamperingProxy.lie(log: "/announcements", origin: origin, entries: [], key: $0)
        }
        refused(try deployment.signer(0, "enrol", with: [deployment.links[0]]), "not in the announcements log")
        tamperingProxy.stopLying()
        // An answer with another key would mark this person's token.
        tamperingProxy.lie(
            at: "/rolls/\(try await deployment.roll().id.hex)/issue",
            Array(
                """
                {"evaluated":"\(Base64.encode(generator))","proof":"\(Base64.encode([UInt8](repeating: 1, count: 31) + [0] + [UInt8](repeating: 1, count: 31) + [0]))"}
                """.utf8))
        refused(try deployment.signer(0, "enrol", with: [deployment.links[0]]), "was not made with its published key")
        tamperingProxy.stopLying()
        try deployment.expectSigner(0, "enrol", with: [deployment.links[0]])
    }

    private let generator: [UInt8] = [
        0xe2, 0xf2, 0xae, 0x0a, 0x6a, 0xbc, 0x4e, 0x71, 0xa8, 0x84, 0xa9, 0x61, 0xc5, 0x00, 0x51, 0x5f, 0x58, 0xe3,
        0x0b,
        0x6a, 0xa5, 0x82, 0xdd, 0x8d, 0xb6, 0xa6, 0x59, 0x45, 0xe0, 0x8d, 0x2d, 0x76,
    ]

    @Test func joinRefusesALogWithoutItselfASmallRoundAndARewrittenLog() async throws {
        let deployment = try Deployment(people: 4, hasLiars: true)
        let tamperingProxy = try #require(deployment.coordinatorLiar)
        for person in 0..<4 { try deployment.expectSigner(person, "enrol", with: [deployment.links[person]]) }
        let now = Deployment.joinNow
        refused(try deployment.signer(0, "join", with: now), "joining is not open yet")
        try deployment.expect("petition-coordinator", "joining", "open", "people")
        refused(try deployment.signer(0, "join", with: ["--despite", "short-window"]), "fewer than the 16")
        // A log that opens joining without this signer's entry.
        let path = "/rolls/\(try await deployment.roll().id.hex)/enrolment"
        let origin = bare(deployment.coordinatorURL) + path
        let codes = (0..<4).map { SHA256.hash([UInt8($0)]) }
        let entries = codes.map { EnrolmentEntry.invited(codeHash: $0).bytes }
        try withCoordinatorKey(deployment) {
            tamperingProxy.lie(log: path, origin: origin, entries: entries, key: $0)
        }
        // Everyone saw the log when they enrolled.
        for person in 0..<2 { refused(try deployment.signer(person, "join", with: now), "not a continuation") }
        tamperingProxy.stopLying()
        try deployment.expectSigner(0, "join", with: now + ["--despite", "seen-older-log"])
    }

    @Test func signRefusesWhatIsNotThePetitionThatEverybodySees() async throws {
        let deployment = try Deployment(people: 6, hasLiars: true)
        let coordinator = try #require(deployment.coordinatorLiar)
        for person in 0..<5 { try deployment.expectSigner(person, "enrol", with: [deployment.links[person]]) }
        try deployment.expect("petition-coordinator", "joining", "open", "people")
        let now = Deployment.joinNow
        for person in 0..<4 { try deployment.expectSigner(person, "join", with: now) }
        try deployment.expect("petition-coordinator", "seal", "people")
        try deployment.petition()
        let aggregator = try #require(deployment.aggregatorLiar)
        let path = "/petitions/\(deployment.id)/petition"
        let note = [UInt8](try Data(contentsOf: deployment.folder.appending(path: "act.petition")))

        refused(try deployment.signer(0, "sign", with: ["--yes", deployment.petition]), "your ring has only 4 members")
        try deployment.expectSigner(4, "join", with: now)
        refused(try deployment.sign(4), "your key is in no ring")

        var text = String(decoding: note, as: UTF8.self)
        text = text.replacing("Please **act**.", with: "Please **act now**.")
        aggregator.lie(at: path, text.utf8)
        refused(try deployment.sign(0), "is not valid")
        let resigned = try withCoordinatorKey(deployment) { key in
            let manifest = text.components(separatedBy: "\n\n\u{2014} ")[0] + "\n"
            return key.signNote(Array(manifest.utf8), name: bare(deployment.coordinatorURL))
        }
        aggregator.lie(at: path, resigned)
        refused(try deployment.sign(0), "not the document that its address names")
        aggregator.stopLying()

        // The petition is hidden from the announcements log: it may have been made for this signer alone.
        let origin = bare(deployment.coordinatorURL) + "/announcements"
        let roll = try await deployment.roll()
        try withCoordinatorKey(deployment) {
            coordinator.lie(
                log: "/announcements", origin: origin, entries: [Announcement.roll(roll).bytes], key: $0)
        }
        refused(try deployment.sign(1), "the petition is not in the announcements log")
        // A signer that saw the petition there before notices that the log was cut.
        refused(try deployment.sign(0), "not a continuation of the 2 entries")
        coordinator.stopLying()

        // Another roll, under the right key: the same members, sealed at another time.
        let members = try await HTTP.get(roll.url.text + "/members/tile/entries/000.p/5").body
        let entries = try #require(EntryBundle.decode([UInt8](members)))
        let seal = RollEntry.seal(enrolmentSize: 0, enrolmentRoot: MerkleHash.emptyRoot)
        let forged = entries.prefix(4) + [seal.bytes]
        try withCoordinatorKey(deployment) {
            coordinator.lie(
                log: "/rolls/\(roll.id.hex)/members", origin: roll.membersKey.name,
                entries: Array(forged), key: $0)
        }
        refused(try deployment.sign(0), "not a continuation")
        // A signer that saw no members there before can compare with the petition.
        refused(try deployment.sign(2), "the roll you are shown is not the one")
        coordinator.stopLying()
    }

    @Test func signRefusesAStrangersPetitionWitnessesAlarmsAndBadReceipts() async throws {
        let deployment = try Deployment(people: 5, hasLiars: true)
        try deployment.seal(0..<5)
        try deployment.petition()
        let aggregator = try #require(deployment.aggregatorLiar)

        // A petition of another coordinator over this roll, announced by it: the person must be asked.
        let strangerURL = "http://localhost:\(try freePort())"
        try deployment.expect("petition-coordinator", "init", "--name", "Stranger", "--url", strangerURL, "stranger")
        let status = try deployment.expect("petition-aggregator", "status")
        let option = status.components(separatedBy: "--aggregator ")[1].split(separator: "\n")[0]
        try deployment.expect(
            "petition-coordinator", "petition", "create", "--yes", "--folder", "stranger", "--title", "Strange",
            "--statement",
            "statement.md", "--started-by", "X", "--addressed-to", "Y", "--closes", "2099-01-01T00:00:00Z", "--roll",
            deployment.coordinatorURL + "/rolls/people", "--aggregator", String(option), "strange.petition")
        let server = try Server("petition-coordinator", ["--folder", "stranger"], in: deployment.folder)
        let added = try deployment.expect("petition-aggregator", "add", "strange.petition")
        let strange = added.components(separatedBy: " at ")[1].trimmingCharacters(in: .whitespacesAndNewlines)
        let run = try deployment.signer(0, "sign", with: ["--minimum-ring", "4", "--yes", strange])
        refused(run, "signed by a key that none of its rolls has")
        server.stop()

        let note = String(
            decoding: try Data(contentsOf: deployment.folder.appending(path: "act.petition")), as: UTF8.self)
        let policy =
            "witness w witness.example.org/w1+f3c080b6+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X\\nquorum w\\n"
        let text =
            note.components(separatedBy: "\n\n\u{2014} ")[0].dropLast(2) + ",\n  \"witnesses\": \"\(policy)\"\n}\n"
        let witnessed = try withCoordinatorKey(deployment) {
            $0.signNote(Array(text.utf8), name: bare(deployment.coordinatorURL))
        }
        let id = SHA256.hash(Array(text.utf8)).hex
        aggregator.lie(at: "/petitions/\(id)/petition", witnessed)
        let address = deployment.aggregatorURL + "/petitions/\(id)"
        refused(
            try deployment.signer(0, "sign", with: ["--yes", address]), "do not vouch for the announcement", code: 3)
        aggregator.stopLying()

        let records = "/petitions/\(deployment.id)/records"
        aggregator.lie(
            at: records, status: 422,
            Array(#"{"type":"urn:roundrobin:error:proof-invalid","title":"x","status":422,"detail":"no"}"#.utf8))
        refused(try deployment.sign(0), "ALARM")
        aggregator.lie(at: records, status: 201, Array("c2sp.org/tlog-proof@v1\nindex 0\n\nnonsense".utf8))
        refused(try deployment.sign(0), "the receipt is not valid")
        aggregator.lie(at: records, status: 502, Array("<html>".utf8))
        refused(try deployment.sign(0), "cannot answer now", code: 3)
        aggregator.stopLying()
        // The record is made only once: the one that finally arrives is the one that was refused.
        try deployment.expectSigner(0, "sign", with: ["--minimum-ring", "4", "--yes", deployment.petition])
        #expect(try await HTTP.get(deployment.petition + "/tally").json["treeSize"] as? Int == 1)

        // A receipt for another person's entry, or for the signature instead of its withdrawal, is not a receipt.
        let receipt = try await HTTP.post(
            deployment.petition + "/records", try await bundle(deployment), type: "application/octet-stream")
        #expect(receipt.status == 200)
        aggregator.lie(at: records, receipt.body)
        refused(try deployment.sign(1), "somebody else's entry")
        refused(try deployment.signer(0, "withdraw", with: ["--yes", deployment.petition]), "somebody else's entry")
    }

    /// The first record of the log.
    private func bundle(_ deployment: Deployment) async throws -> Data {
        let bytes = try await HTTP.get(deployment.petition + "/tile/entries/000.p/1").body
        return Data(try #require(EntryBundle.decode([UInt8](bytes))?.first))
    }

    @Test func wrongWalletsAndRollsAreRefused() async throws {
        let deployment = try Deployment(people: 5)
        try deployment.seal(0..<5)
        try deployment.petition()
        try deployment.expect(
            "petition-coordinator", "roll", "create", "--name", "Others", "--minimum-ring", "4", "--ring-capacity",
            "16", "--joining-time", "0s", "others")
        try deployment.scratch.write("name\nZoe\n", to: "zoe.csv")
        try deployment.expect("petition-coordinator", "invite", "--yes", "others", "zoe.csv", "zoe-letter.csv")
        let letter = try String(contentsOf: deployment.folder.appending(path: "zoe-letter.csv"), encoding: .utf8)
        let link = letter.split(separator: "\n")[1].split(separator: ",")[2]
        try deployment.expectSigner(70, "enrol", with: [String(link)])
        refused(try deployment.sign(70), "enrolled in none of the petition's rolls")
        refused(try deployment.signer(0, "withdraw", with: ["--yes", deployment.petition]), "no counted signature")
        refused(try deployment.signer(0, "receipt", "check"), "no counted signature")
        let mistaken = try deployment.run(
            "petition-verifier", "verify", "--id", String(repeating: "0", count: 64), deployment.petition)
        #expect(mistaken.code == 2)
        #expect(mistaken.errors.contains("another petition"))
    }
}
