import Bytes
import Documents
import Foundation
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import Testing
import TransparencyLog

/// A coordinator that lies in order to tell people apart: how each signer reacts, with the real programs.
@Suite struct OneViewTests {
    // MARK: Two rolls under one link

    @Test func aSecondDescriptorUnderOneLinkStopsTheSigner() async throws {
        let lying = try await LyingDeployment(people: 6)
        let (deployment, tamperingProxy, twin) = (lying.deployment, lying.tamperingProxy, try lying.twin())
        try lying.enrol(0..<4)
        // Announced openly as well, but the first announcement of the link is that of another roll.
        tamperingProxy.lie(at: "/rolls/people", twin.note)
        lying.lie("/announcements", try await lying.entries("/announcements") + [Announcement.roll(twin).bytes])
        tamperingProxy.forget()
        refused(
            try deployment.signer(5, "enrol", with: [deployment.links[5]]),
            "another roll than yours was announced first")
        #expect(!tamperingProxy.requests.contains { $0.path.contains(twin.id.hex) })

        // Announced only to this person, who enrols: the coordinator knows who that is.
        let code = try InvitationLink(parsing: deployment.links[4]).code
        let issued = EnrolmentEntry.issued(codeHash: code.hash).bytes
        let twinPath = "/rolls/\(twin.id.hex)"
        lying.lie("/announcements", [Announcement.roll(twin).bytes])
        lying.lie(twinPath + "/enrolment", [EnrolmentEntry.invited(codeHash: code.hash).bytes, issued])
        lying.lie(twinPath + "/members", [])
        tamperingProxy.pass(twinPath, as: "/rolls/\(lying.roll.id.hex)")
        try deployment.expectSigner(4, "enrol", with: [deployment.links[4]])

        // Joins are anonymous. The link is requested first, and gives the same answer as to everyone.
        tamperingProxy.stopLying()
        try lying.openJoining()
        tamperingProxy.forget()
        refused(try deployment.signer(4, "join", with: Deployment.joinNow), "one of them may be made for you alone")
        #expect(tamperingProxy.requests.map(\.line) == ["GET /rolls/people"])
        try deployment.expectSigner(4, "evidence", with: ["twins.json"])
        let proof = try evidence(deployment, "twins.json")
        let notes = try [proof.seen, proof.shown].map { try RollDescriptor(parsing: Array($0.utf8)) }
        #expect(
            notes.map(\.id) == [twin.id, lying.roll.id] && notes[0].link == notes[1].link && proof.leaves.isEmpty)

        // Nor in the announcements, where the link means the same as for everyone again.
        tamperingProxy.lie(at: "/rolls/people", twin.note)
        tamperingProxy.forget()
        refused(try deployment.signer(4, "join", with: Deployment.joinNow), "not a continuation of the 1 entries")
        #expect(!tamperingProxy.requests.contains { $0.path.contains(twin.id.hex) })
    }

    @Test func aSecondAnnouncementOfALinkIsIgnored() async throws {
        let lying = try await LyingDeployment(people: 4)
        let deployment = lying.deployment
        try lying.sealed(0..<4)
        try deployment.petition()
        let entries = try await lying.entries("/announcements")
        lying.lie("/announcements", entries + [Announcement.roll(try lying.twin()).bytes])
        for person in 0..<4 { #expect(try deployment.sign(person).code == 0) }
        let (code, report) = try deployment.verify(deployment.petition)
        #expect(code == 0 && report["signatures"] as? Int == 4)
        let remarks = try #require(report["remarks"] as? [[String: Any]])
        #expect(remarks.contains { $0["rule"] as? String == "not-announced" && $0["index"] as? Int == entries.count })
    }

    @Test func aLinkWithAnIdIsRefused() async throws {
        let lying = try await LyingDeployment(people: 4)
        let code = lying.deployment.links[0].split(separator: "#")[1]
        lying.tamperingProxy.forget()
        refused(try lying.deployment.signer(0, "enrol", with: ["\(lying.roll.url)#\(code)"]), "names a roll by its id")
        #expect(lying.tamperingProxy.requests.isEmpty)
        let slug = String(repeating: "0a", count: 32)
        let made = try lying.deployment.run("petition-coordinator", "roll", "create", "--name", "Trap", slug)
        refused(made, "cannot be the last part of a roll's link", code: 2)
    }

    // MARK: What is read

    @Test func twoRollsAreNotJoinedInOneGo() async throws {
        let lying = try await LyingDeployment(people: 4)
        let deployment = lying.deployment
        try lying.enrol(0..<4)
        try deployment.expect(
            "petition-coordinator", "roll", "create", "--name", "Others", "--minimum-ring", "4", "--ring-capacity",
            "16", "--joining-time", "0s", "others")
        try deployment.scratch.write("name\nZoe\n", to: "zoe.csv")
        try deployment.expect("petition-coordinator", "invite", "--yes", "others", "zoe.csv", "zoe-letter.csv")
        let letter = try String(contentsOf: deployment.folder.appending(path: "zoe-letter.csv"), encoding: .utf8)
        let link = String(letter.split(separator: "\n")[1].split(separator: ",")[2])
        let enrolled = try deployment.signer(0, "enrol", with: [link])
        #expect(enrolled.code == 0, "\(enrolled.errors)")
        // One invitation, while the other roll has four that were used: such a roll may have been made for one person.
        #expect(enrolled.errors.contains("has 2 rolls") && enrolled.errors.contains("twice as large as yours"))
        try lying.openJoining()
        let other = try RollDescriptor(
            parsing: [UInt8](try await HTTP.get(deployment.coordinatorURL + "/rolls/others").body))
        lying.tamperingProxy.forget()
        refused(try deployment.signer(0, "join", with: Deployment.joinNow), "several rolls", code: 2)
        #expect(lying.tamperingProxy.requests.isEmpty)
        try deployment.expectSigner(0, "join", with: Deployment.joinNow + [deployment.coordinatorURL + "/rolls/people"])
        #expect(
            !lying.tamperingProxy.requests.contains { $0.path.contains("others") || $0.path.contains(other.id.hex) })
    }

    @Test func whatIsReadIsTheSameForAllMembers() async throws {
        let lying = try await LyingDeployment(people: 5)
        let (deployment, tamperingProxy) = (lying.deployment, lying.tamperingProxy)
        try lying.enrol(0..<5)
        try lying.openJoining()
        var lists: Set<[String]> = []
        for person in 0..<5 {
            tamperingProxy.forget()
            try deployment.expectSigner(person, "join", with: Deployment.joinNow)
            lists.insert(tamperingProxy.requests.map(\.line))
        }
        #expect(lists.count == 1, "\(lists)")
        let join = try #require(lists.first)
        let R = "/rolls/\(lying.roll.id.hex)"
        #expect(join.first == "GET /rolls/people" && join.last == "POST \(R)/join")
        func position(_ path: String) -> Int { join.firstIndex { $0.contains(path) } ?? -1 }
        #expect(
            position("/announcements") < position("\(R)/members")
                && position("\(R)/members") < position("\(R)/enrolment"))
        try deployment.expect("petition-coordinator", "seal", "people")
        try deployment.petition()
        let aggregator = try #require(deployment.aggregatorLiar)
        // The aggregator reads the roll through the same proxy once a minute; if that happens, try once more. One
        // person has seen more, which must make no difference.
        try deployment.expectSigner(
            0, "sign", with: ["--minimum-ring", "4", "--yes", "--out", "record-once-more", deployment.petition])
        for attempt in 0..<4 where lists.count != 1 || attempt == 0 {
            lists = []
            for person in 0..<5 {
                tamperingProxy.forget()
                aggregator.forget()
                // Nothing is submitted, so that everyone sees the same.
                try deployment.expectSigner(
                    person, "sign",
                    with: ["--minimum-ring", "4", "--yes", "--out", "record-\(attempt)-\(person)", deployment.petition])
                lists.insert(tamperingProxy.requests.map(\.line) + aggregator.requests.map(\.line))
            }
        }
        #expect(lists.count == 1, "\(lists)")
        let first = try #require(lists.first)
        #expect(first.first == "GET /rolls/people" && first.contains("GET \(R)/enrolment/checkpoint"))
        #expect(!first.contains { $0.hasPrefix("POST") })
    }

    @Test func aRestoredWalletAsks() async throws {
        let lying = try await LyingDeployment(people: 4)
        let (deployment, tamperingProxy) = (lying.deployment, lying.tamperingProxy)
        try lying.enrol(0..<4)
        try deployment.expectSigner(0, "export", with: ["backup"])
        try lying.openJoining()
        for person in 0..<4 { try deployment.expectSigner(person, "join", with: Deployment.joinNow) }
        try deployment.expect("petition-coordinator", "seal", "people")
        try deployment.petition()
        func restored(_ command: [String], _ arguments: [String] = []) throws -> Run {
            try Programs.run(
                "petition-signer", command + ["--wallet", "wallet-90", "--passphrase-fd", "0"] + arguments,
                in: deployment.folder, passphrase: "passphrase of 0")
        }
        #expect(try restored(["import"], ["backup"]).code == 0)
        let signing = ["--minimum-ring", "4", "--yes", deployment.petition]
        refused(try restored(["sign"], signing), "does not remember its joining")
        // A sealed key is not sent again, but that does not count as a memory of joining.
        tamperingProxy.forget()
        let join = try restored(["join"], Deployment.joinNow)
        #expect(join.code == 0 && join.output.contains("nothing was sent"), "\(join.errors)")
        #expect(lying.joins.isEmpty)
        refused(try restored(["sign"], signing), "--despite restored-wallet")
        #expect(try restored(["sign"], signing + ["--despite", "restored-wallet"]).code == 0)
        #expect(try deployment.sign(0).output.contains("You signed this petition before"))

        // Nor does an export made after joining know what was seen since.
        try deployment.expectSigner(1, "export", with: ["later"])
        func moved(_ command: [String], _ arguments: [String] = []) throws -> Run {
            try Programs.run(
                "petition-signer", command + ["--wallet", "wallet-91", "--passphrase-fd", "0"] + arguments,
                in: deployment.folder, passphrase: "passphrase of 1")
        }
        #expect(try moved(["import"], ["later"]).code == 0)
        refused(try moved(["sign"], signing), "--despite restored-wallet")
        #expect(try deployment.sign(1).code == 0)
    }

    @Test func whoSignsIsToldHowManySignedAndHowLargeTheRollsAre() async throws {
        let lying = try await LyingDeployment(people: 5)
        let deployment = lying.deployment
        try lying.sealed(0..<5)
        try deployment.petition()
        let first = try deployment.sign(0)
        #expect(first.errors.contains("Nobody has signed yet"), "\(first.errors)")
        for person in 1..<4 { #expect(try deployment.sign(person).code == 0) }
        let last = try deployment.sign(4)
        #expect(last.errors.contains("has 4 entries; the proofs of the first 4 signatures"), "\(last.errors)")
        #expect(!last.errors.contains("Few have signed yet"))

        // An aggregator that shows invented signatures only to this person.
        let more = try await LyingDeployment(people: 4)
        try more.sealed(0..<4)
        try more.deployment.petition()
        #expect(try more.deployment.sign(0).code == 0)
        let aggregator = try #require(more.deployment.aggregatorLiar)
        let path = "/petitions/\(more.deployment.id)"
        let bytes = [UInt8](try await HTTP.get(more.deployment.petition + "/tile/entries/000.p/1").body)
        var record = try #require(EntryBundle.decode(bytes)?.first)
        record[record.count - 32] ^= 1
        var seed = [UInt8](try Data(contentsOf: more.deployment.folder.appending(path: "aggregator/note.key")))
        let key = Ed25519SecretKey(seed: SecretBytes(moving: &seed))
        let origin = String(more.deployment.petition.dropFirst("http://".count))
        aggregator.lie(log: path, origin: origin, entries: [record], key: key)
        refused(try more.deployment.sign(1), "breaks the rule proof-invalid")
    }

    @Test func whatIsNotKnownOfOtherRollsIsSaidAndStopsNobody() async throws {
        let lying = try await LyingDeployment(people: 4)
        let deployment = lying.deployment
        try deployment.expect("petition-coordinator", "roll", "create", "--name", "Others", "others")
        let others = try await deployment.roll("others").url.path
        lying.tamperingProxy.lie(at: others, status: 404, [])
        let unknown = "Of 1 more that it announced the size is not known"
        let enrolled = try deployment.signer(0, "enrol", with: [deployment.links[0]])
        #expect(enrolled.code == 0 && enrolled.errors.contains(unknown), "\(enrolled.errors)\(enrolled.output)")
        lying.tamperingProxy.stopLying()
        lying.tamperingProxy.lie(at: others + "/members/checkpoint", Array("no checkpoint\n".utf8))
        let second = try deployment.signer(1, "enrol", with: [deployment.links[1]])
        #expect(second.code == 0 && second.errors.contains(unknown), "\(second.errors)\(second.output)")
        try lying.enrol(2..<4)
        try lying.openJoining()
        for person in 0..<4 { try deployment.expectSigner(person, "join", with: Deployment.joinNow) }
        try deployment.expect("petition-coordinator", "seal", "people")
        try deployment.petition()
        let signed = try deployment.sign(0)
        #expect(signed.code == 0 && signed.errors.contains(unknown), "\(signed.errors)\(signed.output)")
    }

    // MARK: Rolls of one petition

    /// A coordinator of another organisation that exists only as lies: one roll, whose logs obey every rule.
    private func stranger(enrolmentKey: GroupElement, members: [MemberKey]) throws -> (
        tamperingProxy: TamperingProxy, link: String
    ) {
        let url = try #require(ServiceURL("http://localhost:\(try freePort())"))
        let key = Ed25519SecretKey(seed: SecretBytes(copying: [UInt8](repeating: 9, count: 32)))
        let link = RollLink(coordinator: url, slug: try #require(RollSlug("clone")))
        let roll = try RollDescriptor.make(
            name: "Clone", link: link, enrolmentKey: enrolmentKey,
            terms: RollTerms(ringCapacity: 16, minimumRing: 4, joiningSeconds: 0), key: key)
        let codes = members.indices.map { SHA256.hash([UInt8($0)]) }
        let enrolment =
            codes.map { EnrolmentEntry.invited(codeHash: $0).bytes }
            + codes.map { EnrolmentEntry.issued(codeHash: $0).bytes }
            + [EnrolmentEntry.joiningOpens(round: 0, opened: 0).bytes]
        var tree = GrowingTree()
        for entry in enrolment { tree.append(MerkleHash.leaf(entry)) }
        let seal = RollEntry.seal(enrolmentSize: tree.size, enrolmentRoot: tree.root)
        let tamperingProxy = try TamperingProxy(publicURL: url.text, backend: "http://localhost:1")
        tamperingProxy.lie(at: link.url.path, roll.note)
        tamperingProxy.lie(at: roll.url.path, roll.note)
        let logs: [(VerifierKey, [[UInt8]])] = [
            (Announcement.logKey(coordinator: url, key: key.publicKey), [Announcement.roll(roll).bytes]),
            (roll.membersKey, members.sorted().map { RollEntry.member($0).bytes } + [seal.bytes]),
            (roll.enrolmentLogKey, enrolment),
        ]
        for (log, entries) in logs {
            let path = String(log.name.drop { $0 != "/" })
            tamperingProxy.lie(log: path, origin: log.name, entries: entries, key: key)
        }
        return (tamperingProxy, link.url.text)
    }

    @Test func aPetitionOverClonedRollsIsNotMade() async throws {
        let lying = try await LyingDeployment(people: 4)
        let deployment = lying.deployment
        try lying.sealed(0..<4)
        let others = (1...4).map { MemberKey(GroupElement.base.multiplied(by: Scalar(UInt64($0)))) }
        var member: MemberKey?
        for entry in try await lying.entries(lying.membersPath) {
            if case .member(let key) = try RollEntry(parsing: entry) { member = key }
        }
        let ours = try #require(member)
        try deployment.scratch.write("Please act.\n", to: "statement.md")
        let option = try deployment.expect("petition-aggregator", "init", "--url", deployment.aggregatorURL)
            .components(separatedBy: "--aggregator ")[1].trimmingCharacters(in: .whitespacesAndNewlines)
        func create(_ name: String, _ link: String) throws -> Run {
            try deployment.run(
                "petition-coordinator", "petition", "create", "--yes", "--title", "Act", "--statement", "statement.md",
                "--started-by", "Town", "--addressed-to", "The council", "--closes", "2099-01-01T00:00:00Z", "--roll",
                "people", "--roll", link, "--aggregator", option, name)
        }
        let sameKey = try stranger(enrolmentKey: lying.roll.enrolmentKey, members: others)
        refused(try create("same-key.petition", sameKey.link), "enrolment-key-reused")
        let sameMember = try stranger(enrolmentKey: .base, members: others.dropLast() + [ours])
        refused(try create("same-member.petition", sameMember.link), "member-in-two-rolls")
        // A roll that its own coordinator does not announce may have been made for us.
        let hidden = try stranger(enrolmentKey: .base, members: others)
        let key = Ed25519SecretKey(seed: SecretBytes(copying: [UInt8](repeating: 9, count: 32)))
        let origin = hidden.link.dropFirst("http://".count).prefix { $0 != "/" } + "/announcements"
        hidden.tamperingProxy.lie(log: "/announcements", origin: String(origin), entries: [], key: key)
        refused(try create("hidden.petition", hidden.link), "not-announced")
        let before = try await lying.entries("/announcements").count
        let good = try stranger(enrolmentKey: .base, members: others)
        let made = try create("good.petition", good.link)
        #expect(made.code == 0, "\(made.errors)")
        // The petition, and the other organisation's roll before it.
        let entries = try await lying.entries("/announcements")
        #expect(entries.count == before + 2 && entries.suffix(2).map(\.count) == [65, 33])
        for name in ["same-key", "same-member", "hidden"] {
            #expect(!FileManager.default.fileExists(atPath: deployment.scratch.path("\(name).petition")))
        }
    }

    // MARK: Hostile logs

    @Test func aLogThatIsTooLargeIsNotRead() async throws {
        let lying = try await LyingDeployment(people: 4)
        let (deployment, tamperingProxy) = (lying.deployment, lying.tamperingProxy)
        // Entries as long as tlog-tiles allows, and a log that claims more entries than any log may have.
        let long = [UInt8](repeating: 0x01, count: 60_000)
        lying.lie("/announcements", (0..<4).map { _ in long })
        refused(try deployment.signer(0, "enrol", with: [deployment.links[0]]), "larger than it can be", code: 3)
        tamperingProxy.stopLying()
        let checkpoint = Checkpoint(
            origin: String(deployment.coordinatorURL.dropFirst(7)) + "/announcements", size: 1 << 17,
            root: MerkleHash.emptyRoot)
        tamperingProxy.lie(at: "/announcements/checkpoint", checkpoint.signed(by: lying.key))
        refused(try deployment.signer(0, "enrol", with: [deployment.links[0]]), "more than", code: 3)
    }
}
