import Bytes
import Documents
import Foundation
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import Testing
import TransparencyLog

/// A coordinator, alone or together with others, can do no harm to a petition that is being collected.
@Suite struct SpoilingTests {
    /// Keys that are on no roll of a deployment, except with negligible probability.
    private static let others = (2...5).map { MemberKey(GroupElement.base.multiplied(by: Scalar(UInt64($0)))) }

    private func record(_ deployment: Deployment, _ person: Int, _ petition: String) throws -> Data {
        let file = "record-\(person)"
        try deployment.expectSigner(person, "sign", with: ["--minimum-ring", "4", "--yes", "--out", file, petition])
        return try Data(contentsOf: deployment.folder.appending(path: file))
    }

    private func post(_ record: Data, _ petition: String) async throws -> HTTP {
        try await HTTP.post(petition + "/records", record, type: "application/octet-stream")
    }

    /// The same record for an unknown ring, which makes the aggregator read the roll before it answers.
    private func unknownRing(_ record: Data, roll: UInt8 = 0) -> Data {
        var record = record
        record[1] = roll
        record[5] = 7
        return record
    }

    /// Exports repeatedly until the copy has `announcements` announcements, which the aggregator reads in its own time.
    /// Returns the folder.
    private func export(_ deployment: Deployment, announcements: Int? = nil) async throws -> String {
        for attempt in 0..<100 {
            let folder = "copy-\(attempt)"
            try deployment.expect("petition-aggregator", "export", folder)
            let head = try String(
                contentsOf: deployment.folder.appending(path: folder + "/announcements/checkpoint"), encoding: .utf8)
            if announcements.map({ head.split(separator: "\n")[1] == "\($0)" }) ?? true { return folder }
            try FileManager.default.removeItem(at: deployment.folder.appending(path: folder))
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("the announcements are not kept")
        return "nothing"
    }

    /// Expects that the verifier finds the copy valid, with this number of signatures and exactly these remarks.
    private func expectValid(_ deployment: Deployment, _ folder: String, signatures: Int, remarks expected: [String])
        throws
    {
        let (code, report) = try deployment.verify(folder)
        #expect(code == 0 && report["valid"] as? Bool == true, "\(report)")
        #expect(report["signatures"] as? Int == signatures)
        let remarks = (report["remarks"] as? [[String: Any]] ?? []).map {
            "\($0["log"] ?? "-") \($0["index"] ?? "-") \($0["rule"] ?? "-")"
        }
        #expect(remarks.sorted() == expected.sorted())
        let rolls = (report["rolls"] as? [[String: Any]] ?? []).map { $0["verdict"] as? String }
        #expect(rolls.allSatisfy { $0 == "valid" } && !rolls.isEmpty)
    }

    // MARK: A petition that is collected

    @Test func junkBehindTheManifestsSizeLeavesTheTotal() async throws {
        let deployment = try Deployment(people: 4)
        try deployment.seal(0..<4)
        try deployment.petition(laterRings: true)
        let records = try (0..<2).map { try record(deployment, $0, deployment.petition) }
        #expect(try await post(records[0], deployment.petition).status == 201)
        let coordinator = try await LyingCoordinator(of: deployment)
        coordinator.showJunk()
        deployment.aggregator?.stop()
        try deployment.restartAggregator()
        // Later rings are not admitted, but nothing else is lost.
        let unknown = try await post(unknownRing(records[0]), deployment.petition)
        #expect(unknown.status == 403 && unknown.rule == "ring-not-admitted", "\(unknown.status)")
        #expect(try await post(records[1], deployment.petition).status == 201)
        let signed = try deployment.sign(2)
        #expect(signed.code == 0, "\(signed.errors)")
        try deployment.expect("petition-aggregator", "fsck")
        let announced = try #require(coordinator.honest[.announcements]).count
        let copy = try await export(deployment, announcements: announced + 1)
        try expectValid(deployment, copy, signatures: 3, remarks: LyingCoordinator.Log.allCases.map(coordinator.remark))
        // So does every verifier that reads it where it is published.
        try expectValid(
            deployment, deployment.petition, signatures: 3,
            remarks: LyingCoordinator.Log.allCases.map(coordinator.remark))
    }

    @Test func oneOrganisationsJunkDoesNotSpoilThePetitionOfTwo() async throws {
        let deployment = try Deployment(people: 4)
        try deployment.seal(0..<4)
        let other = try LyingCoordinator(enrolmentKey: .base, members: Self.others)
        try deployment.scratch.write("Please act.\n", to: "statement.md")
        let option = try Self.initialise(deployment)
        try deployment.expect(
            "petition-coordinator", "petition", "create", "--yes", "--title", "Act", "--statement", "statement.md",
            "--started-by", "Town", "--addressed-to", "The council", "--closes", "2099-01-01T00:00:00Z",
            "--later-rings", "--roll", "people", "--roll", other.roll.link.url.text, "--aggregator", option,
            "act.petition")
        let added = try deployment.expect("petition-aggregator", "add", "act.petition")
        let petition = added.components(separatedBy: " at ")[1].trimmingCharacters(in: .whitespacesAndNewlines)
        try deployment.restartAggregator()
        let records = try (0..<2).map { try record(deployment, $0, petition) }
        #expect(try await post(records[0], petition).status == 201)
        other.showJunk()
        let unknown = try await post(unknownRing(records[0], roll: 1), petition)
        #expect(unknown.status == 403 && unknown.rule == "ring-not-admitted", "\(unknown.status)")
        #expect(try await post(records[1], petition).status == 201)
        let signed = try deployment.signer(2, "sign", with: ["--minimum-ring", "4", "--yes", petition])
        #expect(signed.code == 0, "\(signed.errors)")
        // The petition of another coordinator needs nothing of its announcements log.
        try expectValid(
            deployment, try await export(deployment), signatures: 3,
            remarks: [other.remark(.members), other.remark(.enrolment)])
    }

    @Test func aCoordinatorThatRewritesItsLogsStopsNothing() async throws {
        let deployment = try Deployment(people: 4)
        try deployment.seal(0..<4)
        try deployment.petition(laterRings: true)
        let records = try (0..<2).map { try record(deployment, $0, deployment.petition) }
        let coordinator = try await LyingCoordinator(of: deployment)
        // Another order of members, fewer codes, and no announcements, all properly signed.
        let members = try #require(coordinator.honest[.members])
        let others = Array(members.dropLast().reversed()) + Array(members.suffix(1)) + [LyingCoordinator.junk]
        coordinator.show(.members, others)
        coordinator.show(.enrolment, Array(try #require(coordinator.honest[.enrolment]).dropLast()))
        coordinator.show(.announcements, [])
        deployment.aggregator?.stop()
        try deployment.restartAggregator()
        #expect(try await post(records[0], deployment.petition).status == 201)
        // An unknown ring could be a new one.
        let unknown = try await post(unknownRing(records[0]), deployment.petition)
        #expect(unknown.status == 503 && unknown.rule == "roll-unreachable", "\(unknown.status)")
        #expect(try #require(deployment.aggregator).said.contains("roll unavailable"))
        #expect(try await post(records[1], deployment.petition).status == 201)
        try expectValid(deployment, try await export(deployment), signatures: 2, remarks: [])
        try deployment.expect("petition-aggregator", "fsck")
        // Another petition over that roll is refused: the roll contradicts the copy that was kept.
        let option = try deployment.expect("petition-aggregator", "status").components(separatedBy: "--aggregator ")[1]
        try deployment.expect(
            "petition-coordinator", "petition", "create", "--yes", "--title", "More", "--statement", "statement.md",
            "--started-by", "Town", "--addressed-to", "The council", "--closes", "2099-01-01T00:00:00Z", "--roll",
            "people", "--aggregator", String(option.split(separator: "\n")[0]), "more.petition")
        refused(
            try deployment.run("petition-aggregator", "add", "more.petition"), "do not give the root that was signed")
    }

    @Test func aCoordinatorThatIsGoneDoesNotStopTheExport() async throws {
        let deployment = try Deployment(people: 4)
        try deployment.seal(0..<4)
        try deployment.petition(laterRings: true)
        let records = try (0..<2).map { try record(deployment, $0, deployment.petition) }
        deployment.coordinator?.kill()
        #expect(try await post(records[0], deployment.petition).status == 201)
        deployment.aggregator?.kill()
        try deployment.restartAggregator()
        #expect(try await post(records[1], deployment.petition).status == 201)
        #expect(try deployment.sign(2).code == 3)
        let again = try deployment.expect("petition-aggregator", "add", "act.petition")
        #expect(again.contains(deployment.petition))
        try expectValid(deployment, try await export(deployment), signatures: 2, remarks: [])
        try deployment.expect("petition-aggregator", "fsck")
    }

    @Test func whatIsKeptIsServedBelowThePetitionThatStandsOnIt() async throws {
        let deployment = try Deployment(people: 4)
        try deployment.seal(0..<4)
        try deployment.petition()
        let other = try LyingCoordinator(enrolmentKey: .base, members: Self.others)
        let option = try deployment.expect("petition-aggregator", "status").components(separatedBy: "--aggregator ")[1]
        let second = try other.petition(
            over: [other.reference()], aggregator: try aggregator(String(option.split(separator: "\n")[0])))
        let added = try add(second, of: other, announcing: [other.roll], in: deployment)
        #expect(added.code == 0, "\(added.errors)")
        let secondURL = "\(deployment.aggregatorURL)/petitions/\(second.id.hex)"

        let roll = try await deployment.roll()
        let kept = "\(deployment.petition)/rolls/\(roll.id.hex)"
        for (base, path) in [
            (roll.url.text, ""), (roll.url.text, "/members/checkpoint"),
            (roll.url.text, "/members/tile/entries/000.p/5"), (roll.url.text, "/enrolment/checkpoint"),
            (deployment.coordinatorURL, "/announcements/checkpoint"),
            (deployment.coordinatorURL, "/announcements/tile/entries/000.p/2"),
        ] {
            let copy =
                base == deployment.coordinatorURL ? deployment.petition + path : kept + (path.isEmpty ? "/roll" : path)
            let (published, answer) = (try await HTTP.get(base + path), try await HTTP.get(copy))
            #expect(answer.status == 200 && answer.body == published.body && !answer.body.isEmpty, "\(copy)")
            #expect(answer.headers["content-type"] == published.headers["content-type"], "\(copy)")
            #expect(answer.headers["cache-control"] == published.headers["cache-control"], "\(copy)")
            if let tag = answer.headers["etag"] {
                #expect(try await HTTP.get(copy, headers: ["if-none-match": tag]).status == 304, "\(copy)")
            }
        }
        let head = try await HTTP.get("\(secondURL)/announcements/checkpoint")
        #expect(String(decoding: head.body, as: UTF8.self).hasPrefix("\(other.roll.coordinator.bare)/announcements\n"))
        #expect(try await HTTP.get("\(secondURL)/rolls/\(other.roll.id.hex)/roll").body == Data(other.roll.note))
        // Only the rolls of each petition are served, and hash tiles are never computed.
        for nothing in [
            "\(secondURL)/rolls/\(roll.id.hex)/roll", "\(secondURL)/rolls/\(roll.id.hex)/members/checkpoint",
            "\(deployment.petition)/rolls/\(other.roll.id.hex)/roll", kept, "\(deployment.petition)/announcements",
            "\(kept)/members", "\(kept)/members/tile/0/000.p/5", "\(kept)/members/tile/entries/000",
            "\(kept)/members/tile/entries/000.p/6", "\(kept)/members/roll",
        ] {
            let answer = try await HTTP.get(nothing)
            #expect(answer.status == 404 && answer.rule == "not-found", "\(nothing): \(answer.status)")
        }
    }

    // MARK: A petition that is to be taken

    private static func initialise(_ deployment: Deployment) throws -> String {
        try deployment.expect("petition-aggregator", "init", "--url", deployment.aggregatorURL)
            .components(separatedBy: "--aggregator ")[1].trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func aggregator(_ option: String) throws -> PetitionManifest.Aggregator {
        let parts = option.split(separator: "=", maxSplits: 1).map(String.init)
        return .init(
            url: try #require(ServiceURL(parts[0])), key: Ed25519PublicKey(try #require(Base64.decode32(parts[1]))))
    }

    private func refused(
        _ run: Run, _ words: String, code: Int32 = 1, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(run.code == code, "\(run.errors)\(run.output)", sourceLocation: sourceLocation)
        #expect(run.errors.contains(words), "\(run.errors)", sourceLocation: sourceLocation)
        #expect(run.errors.contains("hint: "), "\(run.errors)", sourceLocation: sourceLocation)
    }

    /// Adds a petition to the aggregator, after its coordinator has announced `rolls` and, by default, the petition.
    private func add(
        _ petition: PetitionManifest, of coordinator: LyingCoordinator, announcing rolls: [RollDescriptor],
        isAnnounced: Bool = true, in deployment: Deployment
    ) throws -> Run {
        coordinator.show(
            .announcements,
            rolls.map { Announcement.roll($0).bytes } + (isAnnounced ? [Announcement.petition(petition.id).bytes] : []))
        try Data(petition.note).write(to: deployment.folder.appending(path: "made.petition"))
        return try deployment.run("petition-aggregator", "add", "made.petition")
    }

    @Test func clonedKeysAreRefused() async throws {
        let deployment = try Deployment(people: 4)
        try deployment.seal(0..<4)
        let coordinator = try await LyingCoordinator(of: deployment)
        let aggregator = try self.aggregator(try Self.initialise(deployment))
        func add(_ other: LyingCoordinator) throws -> Run {
            let petition = try coordinator.petition(
                over: [coordinator.reference(), other.reference()], aggregator: aggregator)
            return try self.add(petition, of: coordinator, announcing: [coordinator.roll, other.roll], in: deployment)
        }
        let sameKey = try LyingCoordinator(enrolmentKey: coordinator.roll.enrolmentKey, members: Self.others)
        refused(try add(sameKey), "enrolment-key-reused")
        let first = try #require(coordinator.honest[.members]?.first)
        guard case .member(let member) = try RollEntry(parsing: first) else {
            Issue.record("the log does not begin with a member")
            return
        }
        let sameMember = try LyingCoordinator(enrolmentKey: .base, members: Array(Self.others.dropLast()) + [member])
        let run = try add(sameMember)
        refused(run, "member-in-two-rolls")
        #expect(run.errors.contains(coordinator.roll.url.text) && run.errors.contains(sameMember.roll.url.text))
        // Nothing of them remains.
        #expect(try deployment.expect("petition-aggregator", "status", "--json").contains("\"petitions\":[]"))
        let distinct = try LyingCoordinator(enrolmentKey: .base, members: Self.others)
        let taken = try add(distinct)
        #expect(taken.code == 0, "\(taken.errors)")
    }

    @Test func aPetitionThatIsNotWhatItSaysIsNotTaken() async throws {
        let deployment = try Deployment(people: 4)
        try deployment.seal(0..<4)
        let coordinator = try await LyingCoordinator(of: deployment)
        let aggregator = try self.aggregator(try Self.initialise(deployment))
        let (roll, members) = (coordinator.roll, try #require(coordinator.honest[.members]))
        let petition = try coordinator.petition(over: [coordinator.reference()], aggregator: aggregator)
        func add(_ petition: PetitionManifest, _ rolls: [RollDescriptor], isAnnounced: Bool = true) throws -> Run {
            try self.add(petition, of: coordinator, announcing: rolls, isAnnounced: isAnnounced, in: deployment)
        }
        refused(try add(petition, [roll], isAnnounced: false), "the petition is not in the announcements log")
        refused(try add(petition, []), "the roll \(roll.url) is not in the announcements log")

        let wrong = try coordinator.petition(
            over: [coordinator.reference(to: Array(members.dropLast()) + [LyingCoordinator.junk])],
            aggregator: aggregator)
        refused(try add(wrong, [roll]), "(root-mismatch at size \(members.count))")
        let unsealed = try coordinator.petition(
            over: [coordinator.reference(to: Array(members.prefix(2)))], aggregator: aggregator)
        refused(try add(unsealed, [roll]), "entry 1 of the log \(roll.membersKey.name) breaks the rule ring-size")
        let spoiled = members + [LyingCoordinator.junk]
        let tooMuch = try coordinator.petition(over: [coordinator.reference(to: spoiled)], aggregator: aggregator)
        refused(try add(tooMuch, [roll]), "has \(members.count) entries", code: 3)
        coordinator.show(.members, spoiled)
        refused(try add(tooMuch, [roll]), "entry \(members.count) of the log")
        // In the enrolment log, a fault within what the seals refer to.
        let enrolment = try #require(coordinator.honest[.enrolment])
        coordinator.show(.enrolment, [LyingCoordinator.junk] + enrolment)
        refused(try add(petition, [roll]), "entry 0 of the log \(roll.enrolmentLogKey.name)")
        coordinator.show(.enrolment, Array(enrolment.dropLast()))
        refused(try add(petition, [roll]), "entries, and the petition needs", code: 3)
        coordinator.show(.enrolment, enrolment)

        let away = try LyingCoordinator(enrolmentKey: .base, members: Self.others)
        away.tamperingProxy.lie(at: away.roll.url.path, status: 502, [UInt8]())
        let shared = try coordinator.petition(
            over: [coordinator.reference(), away.reference()], aggregator: aggregator)
        let unreachable = try add(shared, [roll, away.roll])
        refused(unreachable, "\(away.roll.url) cannot be read", code: 3)
        #expect(unreachable.errors.contains("run the same command again"))
        let proxied = try deployment.run(
            "petition-aggregator", "add", "--proxy", "socks5://127.0.0.1:1", "made.petition")
        refused(proxied, "cannot be reached: is Tor running", code: 3)
        for command in [["add", "made.petition"], ["serve"], ["export", "copy"]] {
            let run = try Programs.run("petition-aggregator", command + ["--proxy", "http://x"], in: deployment.folder)
            refused(run, "not the address of a SOCKS5 proxy", code: 2)
        }
        away.tamperingProxy.lie(at: away.roll.url.path, away.roll.note)
        #expect(try deployment.expect("petition-aggregator", "status", "--json").contains("\"petitions\":[]"))

        // Junk after what the petition refers to is not a reason for refusal.
        let taken = try add(shared, [roll, away.roll])
        #expect(taken.code == 0, "\(taken.errors)")
        let again = try add(shared, [])
        #expect(again.code == 0, "\(again.errors)")
    }
}
