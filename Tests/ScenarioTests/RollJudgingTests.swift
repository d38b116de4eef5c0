import Bytes
import Documents
import Foundation
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import Testing
import TransparencyLog

/// What the verifier reports about rolls whose coordinators break rules, and about their announcements: what a manifest
/// has fixed cannot be spoiled later.
@Suite struct RollJudgingTests {
    private static let junk: [UInt8] = [0x09]

    /// The keys of `secrets`, none of which is on the roll that `roundrobin-testlog` makes.
    private func members(_ secrets: Range<Int>) -> [RollEntry] {
        secrets.map { MemberKey(GroupElement.base.multiplied(by: Scalar(UInt64($0)))) }.sorted().map { .member($0) }
    }

    /// Checks the verifier's report on the copy; for a valid one, also that its total is complete.
    private func check(
        _ made: MadePetition, code expected: Int32, refusals: [String] = [], remarks: [String] = [],
        rolls: [String] = ["valid"], signatures: Int? = 0, _ what: String = ""
    ) throws {
        let (code, report) = try made.report("verify", "--id", made.id, "copy")
        let checks = (report["checks"] as? [[String: Any]] ?? []).filter { $0["result"] as? String != "passed" }
        #expect(code == expected, "\(what): \(checks)")
        #expect(ReportJSON.refusals(report) == refusals, "\(what)")
        #expect(ReportJSON.remarks(report) == remarks, "\(what)")
        #expect(ReportJSON.rolls(report) == rolls, "\(what)")
        #expect(report["signatures"] as? Int == signatures, "\(what)")
    }

    /// A roll in addition to the copy's own one, by default of the same coordinator.
    private func otherRoll(
        _ made: MadePetition, _ name: String, coordinator: String? = nil, enrolmentKey: GroupElement = .base
    ) throws -> RollDescriptor {
        let url = try coordinator.map { try #require(ServiceURL($0)) } ?? made.roll().coordinator
        let key = MadePetition.key
        return try RollDescriptor.make(
            name: name, link: RollLink(coordinator: url, slug: try #require(RollSlug(name))),
            enrolmentKey: enrolmentKey, terms: RollTerms(ringCapacity: 64, minimumRing: 16), key: key)
    }

    /// In an open roll nobody is invited who does not enrol at once: a coordinator cannot keep codes for itself.
    @Test func aSpareCodeOfAnOpenRollIsFound() throws {
        let made = try MadePetition(records: 0)
        let open = try RollDescriptor.make(
            name: "open",
            link: RollLink(coordinator: try made.roll().coordinator, slug: try #require(RollSlug("open"))),
            enrolmentKey: .base, terms: RollTerms(ringCapacity: 64, minimumRing: 16), admission: .email(domains: []),
            key: MadePetition.key)
        let codes = (0..<17).map { EnrolmentEntry.invited(codeHash: SHA256.hash(Array("open \($0)".utf8))).bytes }
        let issued = codes.map { [2] + $0.dropFirst() }
        let pairs = (0..<16).flatMap { [codes[$0], issued[$0]] }
        let joining = [EnrolmentEntry.joiningOpens(round: 0, opened: 0).bytes]
        func judge(_ what: String, _ enrolment: [[UInt8]], refusals: [String]) throws {
            try made.add(open, rings: [members(1000..<1016)], enrolment: enrolment)
            try made.petition(over: [(open, try made.reference(to: open))])
            try check(
                made, code: refusals.isEmpty ? 0 : 1, refusals: refusals,
                rolls: [refusals.isEmpty ? "valid" : "invalid"], what)
        }
        try judge("good", pairs + joining, refusals: [])
        try judge("before", [codes[16]] + pairs + joining, refusals: ["1 spare-code"])
        try judge("used later", [codes[16]] + pairs + [issued[16]] + joining, refusals: ["1 spare-code"])
        try judge("behind the opening", pairs + joining + [codes[16]], refusals: ["33 spare-code"])
        let voided = [3] + codes[16].dropFirst()
        try judge("voided", pairs + [codes[16], voided] + joining, refusals: ["33 spare-code"])
    }

    // MARK: Beyond what the manifest fixes

    @Test func whatFollowsInARollDoesNotSpoilThePetition() throws {
        let size = 5 * 65
        let first = try MadePetition(records: 0).entries(.members)[0]
        let wrongSeal = RollEntry.seal(enrolmentSize: 641, enrolmentRoot: MerkleHash.emptyRoot).bytes
        let beyond = RollEntry.seal(enrolmentSize: 1000, enrolmentRoot: MerkleHash.emptyRoot).bytes
        let ring = members(5000..<5016).map(\.bytes)
        for (what, entries, remark) in [
            ("junk", [Self.junk], "\(size) entry-malformed"),
            ("an empty entry", [[]], "\(size) entry-malformed"),
            ("a key that is in a ring already", [first], "\(size) duplicate-member"),
            ("members without a seal", ring, "\(size + 16) ring-size"),
            ("a ring that is too small", Array(ring[..<4]) + [wrongSeal], "\(size + 4) ring-size"),
            ("a seal of more than was issued", ring + [wrongSeal], "\(size + 16) root-mismatch"),
            ("a seal of what is not there", ring + [beyond], "\(size + 16) enrolment-exceeded"),
        ] as [(String, [[UInt8]], String)] {
            let made = try MadePetition(records: 20)
            try made.append(entries, to: .members)
            try check(made, code: 0, remarks: [remark], signatures: 20, what)
            let run = try made.verifier("verify", "--report", "report.html", "copy")
            #expect(run.output.contains("What does not change the result:\n"), "\(what)")
            let page = try String(contentsOf: made.scratch.url.appending(path: "report.html"), encoding: .utf8)
            #expect(page.contains("What does not change the result"), "\(what)")
        }
    }

    @Test func whatFollowsInAnEnrolmentLogDoesNotSpoilThePetition() throws {
        for (what, entry, rule) in [
            ("junk", Self.junk, "entry-malformed"), ("an empty entry", [], "entry-malformed"),
            (
                "a code that was never invited", EnrolmentEntry.issued(codeHash: SHA256.hash([1])).bytes,
                "code-reused"
            ),
            ("joining a second time", EnrolmentEntry.joiningOpens(round: 0, opened: 1).bytes, "phase-violated"),
        ] as [(String, [UInt8], String)] {
            let made = try MadePetition(records: 20)
            let size = try made.entries(.enrolment).count
            try made.append([entry], to: .enrolment)
            try check(made, code: 0, remarks: ["\(size) \(rule)"], signatures: 20, what)
        }
    }

    /// A root that the entries do not give, signed by the coordinator after the petition was made, does not affect what
    /// the manifest's root and its seals fix.
    @Test func aFalseRootBehindWhatIsFixedDoesNotSpoilThePetition() throws {
        for log in [MadePetition.Log.members, .enrolment] {
            let made = try MadePetition(records: 20)
            try made.append([Self.junk], to: log)
            let (folder, origin) = try made.location(log)
            let size = UInt64(try made.entries(log).count)
            let head = Checkpoint(origin: origin, size: size, root: SHA256.hash([7]))
            try made.write(head.signed(by: MadePetition.key), folder + "/checkpoint")
            let (code, report) = try made.report("verify", "--id", made.id, "copy")
            #expect(code == 0, "\(log): \(report["checks"] ?? "")")
            #expect(ReportJSON.remarks(report).contains { $0.hasSuffix(" root-mismatch") }, "\(log)")
            #expect(report["signatures"] as? Int == 20 && ReportJSON.rolls(report) == ["valid"], "\(log)")
        }
        // A false entry within what is fixed is still found.
        for log in [MadePetition.Log.members, .enrolment] {
            let made = try MadePetition(records: 20)
            var entries = try made.entries(log)
            entries[1][5] ^= 1
            try made.rewrite(entries, in: log)
            #expect(try made.report("verify", "--id", made.id, "copy").code == 1, "\(log)")
        }
    }

    @Test func aTileOfHashesThatDoesNotFitIsAFaultOfTheCopy() throws {
        let made = try MadePetition(records: 300)
        for log in MadePetition.Log.allCases {
            let folder = try made.location(log).folder
            let width = min(256, try made.entries(log).count)
            let path = "\(folder)/\(TileID(level: 0, index: 0).path(width: width))"
            let good = try made.read(path)
            var flipped = good
            flipped[40] ^= 1
            for bad in [flipped, Array(good.dropLast()), good + [0], []] {
                try made.write(bad, path)
                let (code, report) = try made.report("verify", "copy")
                #expect(code == 0 && report["signatures"] as? Int == 300)
                #expect(ReportJSON.remarks(report) == ["- root-mismatch"], "\(log)")
                #expect(ReportJSON.details(report).allSatisfy { $0.hasPrefix(path + ": ") }, "\(log)")
            }
            try made.write(good, path)
        }
        try check(made, code: 0, signatures: 300)
    }

    /// Rings about which nothing is known affect only the records that name them; rings after a fault are not admitted.
    @Test func laterRingsAreAdmittedWhenTheirSealsAreGood() throws {
        let made = try MadePetition(records: 0)
        let roll = try made.roll()
        try made.petition(over: [(roll, try made.reference(to: roll, laterRings: true))])
        let (good, enrolment) = (try made.entries(.members), try made.entries(.enrolment))
        let more =
            [
                EnrolmentEntry.issuingOpens(round: 1).bytes
            ] + MadePetition.enrolment(of: 340).filter { !enrolment.contains($0) && $0.count == 33 } + [
                EnrolmentEntry.joiningOpens(round: 1, opened: 0).bytes
            ]
        let tree = MadePetition.tree((enrolment + more)[...])
        let ring = members(5000..<5016) + [.seal(enrolmentSize: tree.size, enrolmentRoot: tree.root)]
        let records = (0..<UInt64(16)).map { MadePetition.invented($0, ring: 5, digits: 2) }
        func judge(
            _ what: String, records: [[UInt8]], members: [[UInt8]], enrolment: [[UInt8]], code: Int32,
            refusals: [String] = [], remarks: [String] = [], rolls: String = "valid", signatures: Int
        ) throws {
            try made.rewrite(records, in: .petition)
            try made.rewrite(members, in: .members)
            try made.rewrite(enrolment, in: .enrolment)
            try made.claimVerified(in: "state")
            let (found, report) = try made.report("verify", "--state", "state", "copy")
            #expect(found == code, "\(what): \(report)")
            #expect(ReportJSON.refusals(report) == refusals, "\(what)")
            #expect(ReportJSON.remarks(report) == remarks, "\(what)")
            #expect(ReportJSON.rolls(report) == [rolls], "\(what)")
            #expect(report["signatures"] as? Int == signatures, "\(what)")
        }
        let sealed = good + ring.map(\.bytes)
        try judge("good", records: records, members: sealed, enrolment: enrolment + more, code: 0, signatures: 16)
        let unread = ["\(good.count + 16) enrolment-exceeded"]
        try judge(
            "unread, and nobody signed", records: [], members: sealed, enrolment: enrolment, code: 0,
            remarks: unread, signatures: 0)
        try judge(
            "unread", records: records, members: sealed, enrolment: enrolment, code: 3, remarks: unread,
            rolls: "undecided", signatures: 16)
        // An older log, however genuine, says nothing about a ring beyond its end, nor about who admitted the ring's
        // records.
        try judge(
            "not there yet", records: records, members: good, enrolment: enrolment + more, code: 3, signatures: 0)
        let refused = records.indices.map { "\($0) ring-not-admitted" }
        try judge(
            "a fault before the ring", records: records, members: good + [Self.junk] + ring.map(\.bytes),
            enrolment: enrolment + more, code: 1, refusals: refused, remarks: ["\(good.count) entry-malformed"],
            signatures: 0)
        try judge(
            "a fault before the seal's size", records: records, members: sealed,
            enrolment: enrolment + [Self.junk] + more, code: 1, refusals: refused,
            remarks: ["\(enrolment.count) entry-malformed", "\(good.count + 16) root-mismatch"], signatures: 0)
        try judge(
            "a fault, and the rest is missing", records: records, members: sealed,
            enrolment: enrolment + [Self.junk], code: 1, refusals: refused,
            remarks: ["\(enrolment.count) entry-malformed"], signatures: 0)
    }

    // MARK: What the manifest fixes

    @Test func aRollThatIsNotThePetitionsGivesNoTotal() throws {
        let made = try MadePetition(records: 20)
        let size = 5 * 65
        let roll = try made.roll()
        var entries = try made.entries(.members)
        entries.swapAt(0, 65)
        try made.rewrite(entries, in: .members)
        try check(made, code: 1, refusals: ["\(size - 1) root-mismatch"], rolls: ["invalid"], signatures: nil)
        // A log that is only shorter may be an older copy.
        entries.swapAt(0, 65)
        try made.rewrite(Array(entries[..<(4 * 65)]), in: .members)
        try check(made, code: 3, rolls: ["undecided"], signatures: nil)
        try made.rewrite(entries, in: .members)
        // The descriptor of another roll at this index.
        try made.write(try otherRoll(made, "other").note, "rolls/\(roll.id.hex)/roll")
        try check(made, code: 1, refusals: ["- id-mismatch"], rolls: ["invalid"], signatures: nil)
    }

    @Test func aFaultThatTheManifestFixesIsNamedAndTheTotalShown() throws {
        let made = try MadePetition(records: 0)
        let roll = try otherRoll(made, "second")
        let ring = members(1000..<1016)
        func judge(
            _ what: String, rings: [[RollEntry]], enrolment: [[UInt8]]? = nil, size: Int? = nil, refusals: [String],
            remarks: [String] = []
        ) throws {
            try made.add(roll, rings: rings, enrolment: enrolment)
            try made.petition(over: [(roll, try made.reference(to: roll, size: size))])
            let verdict = refusals.isEmpty ? "valid" : "invalid"
            try check(
                made, code: refusals.isEmpty ? 0 : 1, refusals: refusals, remarks: remarks, rolls: [verdict], what)
        }
        try judge("good", rings: [ring, members(2000..<2016)], refusals: [])
        try judge("too few", rings: [ring, members(2000..<2015)], refusals: ["32 ring-size"])
        try judge("twice", rings: [ring, ring], refusals: ["17 duplicate-member"])
        try judge("out of order", rings: [ring.reversed()], refusals: ["1 members-not-ascending"])
        try judge("unsealed", rings: [ring, members(2000..<2016)], size: 20, refusals: ["19 ring-size"])
        try judge(
            "later", rings: [ring, ring], size: 17, refusals: [], remarks: ["17 duplicate-member"])

        let codes = MadePetition.enrolment(of: 16)
        try judge(
            "more members than issues", rings: [ring, members(2000..<2016)], enrolment: codes,
            refusals: ["33 enrolment-exceeded"])
        try judge("issuing", rings: [ring], enrolment: codes.dropLast(), refusals: ["16 phase-violated"])
        try judge("a code twice", rings: [ring], enrolment: [codes[0]] + codes, refusals: ["1 code-reused"])
        try judge("junk", rings: [ring], enrolment: codes + [Self.junk], refusals: ["33 entry-malformed"])
    }

    @Test func aShorterEnrolmentLogCannotBeDecided() throws {
        let made = try MadePetition(records: 20)
        let entries = try made.entries(.enrolment)
        try made.rewrite(Array(entries.dropLast()), in: .enrolment)
        try check(made, code: 3, rolls: ["undecided"], signatures: 20)
        try FileManager.default.removeItem(at: made.url(try made.location(.enrolment).folder))
        try check(made, code: 3, rolls: ["undecided"], signatures: 20)
    }

    // MARK: Announcements

    /// Another roll under the same link is a proof. What is merely missing may be announced in the next entry: a copy
    /// contains only as much of the log as its maker chose.
    @Test func whatWasNotAnnouncedIsNotValid() throws {
        let made = try MadePetition(records: 20)
        let roll = try made.roll()
        let good = try made.entries(.announcements)
        let petition = good[1]
        let other = Announcement.roll(RollID(SHA256.hash([1])), linkHash: roll.link.hash).bytes
        func judge(
            _ what: String, _ entries: [[UInt8]], code: Int32 = 0, refusals: [String] = [], remarks: [String] = [],
            rolls: [String] = ["valid"]
        ) throws {
            try made.rewrite(entries, in: .announcements)
            try check(
                made, code: code, refusals: refusals, remarks: remarks, rolls: rolls, signatures: 20, what)
        }
        let refused = ["- not-announced"]
        try judge("as it should be", good)
        try judge("no petition", [good[0]], code: 3)
        try judge("no roll", [petition], code: 3, rolls: ["undecided"])
        try judge("nothing", [], code: 3, rolls: ["undecided"])
        let older = try made.verifier("verify", "copy").output
        #expect(
            older.contains(
                "UNDECIDED  announcement of the petition and its rolls: the announcements log in this copy, with 0 "
                    + "entries, does not have the petition, the roll \(roll.url.bare): it may be older"), "\(older)")
        try judge("another roll, no petition", [other], code: 1, refusals: refused, rolls: ["invalid"])
        try judge(
            "another roll before", [other] + good, code: 1, refusals: refused, remarks: ["1 not-announced"],
            rolls: ["invalid"])
        let run = try made.verifier("verify", "copy")
        #expect(run.output.contains("its link was announced before for the roll \(SHA256.hash([1]).hex)"))
        #expect(run.output.contains("INVALID    \(roll.url.text): not-announced"))
        // Entries that are ignored do no harm.
        try judge(
            "ignored", good + [other, Self.junk, [], good[0]],
            remarks: ["2 not-announced", "3 entry-malformed", "4 entry-malformed"])
    }

    /// The announcements of the petition's coordinator are not a fault of another coordinator's roll: the petition is
    /// invalid, but the roll is not.
    @Test func aRollOfAnotherCoordinatorIsNotBlamedForAnnouncements() throws {
        let made = try MadePetition(records: 0)
        let own = try otherRoll(made, "own")
        let foreign = try otherRoll(
            made, "foreign", coordinator: "https://others.example.net",
            enrolmentKey: GroupElement.base.multiplied(by: Scalar(7)))
        try made.add(own, rings: [members(1000..<1016)])
        try made.add(foreign, rings: [members(2000..<2016)])
        try made.petition(over: [(own, try made.reference(to: own)), (foreign, try made.reference(to: foreign))])
        let good = try made.entries(.announcements)
        try check(made, code: 0, rolls: ["valid", "valid"], "as it should be")
        try made.rewrite([good[0], good[2]], in: .announcements)
        try check(made, code: 3, rolls: ["valid", "undecided"], "not there")
        for (what, roll, rolls) in [("foreign", foreign, ["valid", "undecided"]), ("own", own, ["invalid", "valid"])] {
            let other = Announcement.roll(RollID(SHA256.hash([1])), linkHash: roll.link.hash).bytes
            try made.rewrite([other] + good, in: .announcements)
            try check(
                made, code: 1, refusals: ["- not-announced"],
                remarks: [roll.id == own.id ? "1 not-announced" : "2 not-announced"], rolls: rolls, what)
        }
    }

    @Test func withoutAnnouncementsNothingIsDecided() throws {
        let made = try MadePetition(records: 20)
        let folder = try made.location(.announcements).folder
        let entries = try made.entries(.announcements)
        try FileManager.default.removeItem(at: made.url(folder))
        try check(made, code: 3, rolls: ["undecided"], signatures: 20)
        // A part of the records can be verified all the same.
        #expect(try made.verifier("verify", "--range", "0..20", "--part", "part", "copy").code == 0)
        // A log that claims to be larger than any may be.
        let key = MadePetition.key
        let large = Checkpoint(
            origin: try made.location(.announcements).origin, size: 1 << 17, root: MerkleHash.emptyRoot)
        try made.write(large.signed(by: key), "\(folder)/checkpoint")
        try check(made, code: 3, rolls: ["undecided"], signatures: 20)
        // A rewritten log is noticed by a verifier that saw it before.
        try made.rewrite(entries, in: .announcements)
        #expect(try made.verifier("verify", "--state", "state", "copy").code == 0)
        try made.rewrite(entries.reversed(), in: .announcements)
        try check(made, code: 0, signatures: 20)
        let (code, report) = try made.report("verify", "--state", "state", "copy")
        #expect(code == 1 && ReportJSON.refusals(report) == ["- root-mismatch"])
    }

    // MARK: Several rolls

    @Test func rollsOfOnePetitionShareNothing() throws {
        let made = try MadePetition(records: 0)
        let (first, key) = (try otherRoll(made, "first"), GroupElement.base.multiplied(by: Scalar(7)))
        try made.add(first, rings: [members(1000..<1016), members(2000..<2016)])
        let (cloned, second) = (try otherRoll(made, "cloned"), try otherRoll(made, "second", enrolmentKey: key))
        func judge(
            _ what: String, _ roll: RollDescriptor, _ rings: [[RollEntry]], size: Int? = nil, refusals: [String] = [],
            remarks: [String] = []
        ) throws {
            try made.add(roll, rings: rings)
            try made.petition(over: [
                (first, try made.reference(to: first)),
                (roll, try made.reference(to: roll, size: size, laterRings: true)),
            ])
            try check(
                made, code: refusals.isEmpty ? 0 : 1, refusals: refusals, remarks: remarks,
                rolls: refusals.isEmpty ? ["valid", "valid"] : ["invalid", "invalid"], what)
        }
        try judge("nothing shared", second, [members(3000..<3016)])
        try judge("the enrolment key", cloned, [members(3000..<3016)], refusals: ["- enrolment-key-reused"])
        let shared = members(2010..<2026)
        let index = try #require(shared.firstIndex { members(2000..<2016).contains($0) })
        try judge("members", second, [shared], refusals: ["\(index) member-in-two-rolls"])
        // It cannot be known which of the two rolls took the key from the other.
        let both = try made.verifier("verify", "copy").output
        for (roll, other, at) in [(first, second, ""), (second, first, " at entry \(index)")] {
            let words = "INVALID    \(roll.url.text): member-in-two-rolls\(at) (shared with the roll \(other.url.bare))"
            #expect(both.contains(words), "\(both)")
        }
        // A later ring does no harm: one key, one tag, one count.
        try judge(
            "later members", second, [members(3000..<3016), shared], size: 17,
            remarks: ["\(17 + index) member-in-two-rolls"])
        let run = try made.verifier("verify", "copy")
        #expect(run.output.contains("shared with the roll \(first.url.bare)"), "\(run.output)")
        #expect(run.output.contains("  valid      \(second.url.text)\n"))
    }
}
