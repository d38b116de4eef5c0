import Bytes
import Documents
import Foundation
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import Testing
import TransparencyLog
import Witnessing

/// Which entries were there when a petition closed, by what its witnesses cosigned: copies with every kind of evidence,
/// judged by the verifier.
@Suite struct ClosingTimeTests {
    /// A copy of a petition that has closed, with eight records, under a policy of two of three witnesses whose keys
    /// are known.
    private struct Copy {
        static let closesText = "2026-06-01T00:00:00Z"
        let closes: UInt64
        let made: MadePetition
        let log = "aggregators/0"

        init(roll: Bool = false, witnesses count: Int = 3) throws {
            closes = UInt64(try #require(UTCTime(Self.closesText)).seconds)
            let scratch = try Scratch()
            let lines = (0..<count).map { "witness w\($0) \(Self.key($0).vkey)\n" }.joined()
            let names = (0..<count).map { "w\($0)" }.joined(separator: " ")
            try scratch.write("\(lines)group most \(count / 2 + 1) \(names)\nquorum most\n", to: "policy")
            let options = ["--witnesses", "policy", "--closes", Self.closesText]
            made = try MadePetition(
                records: 8, rings: 1, options: options + (roll ? ["--roll-witnesses", "policy"] : []), in: scratch)
            try announce(at: closes - 5000, by: count / 2 + 1)
        }

        private static func secret(_ witness: Int) -> Ed25519SecretKey {
            Ed25519SecretKey(seed: SecretBytes(copying: [UInt8](repeating: UInt8(20 + witness), count: 32)))
        }
        static func name(_ witness: Int) -> String { "w\(witness).example/w" }
        static func key(_ witness: Int) -> WitnessKey {
            WitnessKey(name: name(witness), publicKey: secret(witness).publicKey)
        }

        /// The checkpoint of the first entries of a log, or of a fork of it.
        func checkpoint(_ size: Int, of log: MadePetition.Log = .petition, fork: Bool = false) throws -> Checkpoint {
            let entries = try made.entries(log).prefix(size) + (fork ? [[1, 2, 3]] : [])
            let tree = MadePetition.tree(entries[...].suffix(fork ? size : entries.count))
            return Checkpoint(origin: try made.location(log).origin, size: UInt64(size), root: tree.root)
        }

        /// A checkpoint that the log's key signed and witnesses cosigned at some times.
        func note(
            _ size: Int, of log: MadePetition.Log = .petition, fork: Bool = false, at times: [(Int, UInt64)]
        ) throws -> [UInt8] {
            try cosigned(checkpoint(size, of: log, fork: fork), at: times)
        }

        func cosigned(_ head: Checkpoint, at times: [(Int, UInt64)]) -> [UInt8] {
            head.signed(by: MadePetition.key) + Array(times.map { line(head, by: $0, at: $1) }.joined().utf8)
        }

        func line(_ head: Checkpoint, by witness: Int, at time: UInt64) -> String {
            Self.secret(witness).cosign(head, name: Self.name(witness), at: time)
        }

        func write(closing note: [UInt8]) throws { try made.write(note, "\(log)/closing") }
        func write(_ note: [UInt8], shownBy witness: Int) throws { try made.write(note, "\(log)/witness-\(witness)") }

        /// The announcement's proof.
        func announce(at time: UInt64, by count: Int = 2, fork: Bool = false) throws {
            let entries = try made.entries(.announcements)
            let head = Checkpoint(
                origin: try made.location(.announcements).origin, size: 2,
                root: fork
                    ? MadePetition.tree([Array("other".utf8), entries[1]][...]).root
                    : MadePetition.tree(entries[..<2]).root)
            let other = fork ? Array("other".utf8) : entries[0]
            let proof = LogProof(
                inclusion: InclusionProof(index: 1, hashes: [MerkleHash.leaf(other)]),
                checkpoint: cosigned(head, at: (0..<count).map { ($0, time) }))
            try made.write(proof.encoded, "announcement")
        }

        /// A receipt for an entry.
        func receipt(_ index: UInt64, _ size: Int, at times: [(Int, UInt64)]) throws -> [UInt8] {
            var tiles: [TileID: [Bytes32]] = [:]
            var tree = GrowingTree()
            for entry in try made.entries().prefix(size) { tree.append(MerkleHash.leaf(entry)) { tiles[$0] = $1 } }
            for (tile, hashes) in tree.partialTiles { tiles[tile] = hashes }
            return LogProof(
                inclusion: try MerkleProver(size: UInt64(size)) { tiles[$0] }.inclusion(of: index),
                checkpoint: try note(size, at: times)
            ).encoded
        }

        func verify(_ arguments: String..., clock: String? = nil) throws -> Verdict {
            let run = try Programs.run(
                "petition-verifier", ["verify", "copy", "--json"] + arguments, in: made.scratch.url,
                environment: Programs.faults(clock.map { ["FAULT_CLOCK": $0] } ?? [:]))
            let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
            return Verdict(code: run.code, report: try #require(object, "\(run.errors)"))
        }
    }

    private struct Verdict {
        let code: Int32
        let report: [String: Any]
        var signatures: Int? { report["signatures"] as? Int }
        var log: [String: Any]? {
            (report["logs"] as? [[String: Any]])?.first { ($0["url"] as? String)?.contains("/petitions/") == true }
        }
        var closingSize: Int? { log?["closingSize"] as? Int }
        var undecided: [String] {
            (report["checks"] as? [[String: Any]] ?? []).filter { $0["result"] as? String == "undecided" }
                .compactMap { $0["name"] as? String }
        }
        var passed: [String] {
            (report["checks"] as? [[String: Any]] ?? []).filter { $0["result"] as? String == "passed" }
                .compactMap { $0["name"] as? String }
        }
        var reservations: String { (report["reservations"] as? [String] ?? []).joined(separator: "\n") }

        func counts(_ size: Int, late: Int, sourceLocation: SourceLocation = #_sourceLocation) {
            #expect(code == 0 && signatures == size && closingSize == size, "\(report)", sourceLocation: sourceLocation)
            let remarks = ReportJSON.remarks(report).filter { $0.contains("petition-closed") }
            #expect(
                remarks == (late > 0 ? ["\(size) petition-closed"] : []), "\(report)", sourceLocation: sourceLocation)
            #expect(!reservations.contains("closing time not proven"), sourceLocation: sourceLocation)
        }

        func isOpen(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) {
            #expect(
                code == 3 && signatures == nil && undecided.contains { $0.contains(name) }, "\(report)",
                sourceLocation: sourceLocation)
            #expect(reservations.contains("closing time not proven"), sourceLocation: sourceLocation)
        }

        func isFork(sourceLocation: SourceLocation = #_sourceLocation) {
            #expect(code == 1, "\(report)", sourceLocation: sourceLocation)
            #expect(
                ReportJSON.details(report).contains { $0.contains("its key signed another log too") }, "\(report)",
                sourceLocation: sourceLocation)
        }
    }

    private let closing = "there at closing time"

    @Test func whatAQuorumSawInTimeCountsAndTheRestIsLate() throws {
        let copy = try Copy()
        // At the last second, and a second later.
        try copy.write(closing: try copy.note(5, at: [(0, copy.closes - 60), (1, copy.closes)]))
        try copy.verify().counts(5, late: 3)
        try copy.write(closing: try copy.note(5, at: [(0, copy.closes - 60), (1, copy.closes + 1)]))
        try copy.verify().isOpen(closing)
        // One saw more than the other: so much had a quorum.
        try copy.write(closing: try copy.note(5, at: [(0, copy.closes - 60)]))
        try copy.write(try copy.note(7, at: [(1, copy.closes - 1)]), shownBy: 1)
        try copy.verify().counts(5, late: 3)
        // All of it, by the log's own checkpoint: nothing is late.
        try copy.made.write(try copy.note(8, at: [(1, copy.closes), (2, copy.closes)]), "aggregators/0/checkpoint")
        try copy.verify().counts(8, late: 0)
        let text = try Programs.run("petition-verifier", ["verify", "copy"], in: copy.made.scratch.url)
        #expect(text.output.contains("VALID") && text.output.contains("entries of count.example.net"), "\(text.output)")
    }

    @Test func anOlderClosingNoteIsDisprovedByReceiptsAndByWitnesses() throws {
        let copy = try Copy()
        try copy.write(closing: try copy.note(3, at: [(0, copy.closes - 900), (1, copy.closes - 900)]))
        try copy.verify().counts(3, late: 5)
        let receipt = try copy.receipt(5, 6, at: [(0, copy.closes - 800), (2, copy.closes - 800)])
        try Data(receipt).write(to: copy.made.scratch.url.appending(path: "receipt"))
        try copy.verify("--receipt", "receipt").counts(6, late: 2)
        // What two witnesses show now, each for itself.
        for witness in [1, 2] {
            try copy.write(try copy.note(7, at: [(witness, copy.closes - 5)]), shownBy: witness)
        }
        try copy.verify().counts(7, late: 1)
        // More than the copy has: then the copy, and not the petition, lacks something.
        try copy.made.write(try copy.note(2, at: []), "aggregators/0/checkpoint")
        let short = try copy.verify()
        #expect(short.code == 3 && short.signatures == nil, "\(short.report)")
        // A receipt of something else is not passed over in silence.
        try Data("nothing".utf8).write(to: copy.made.scratch.url.appending(path: "other"))
        #expect(try copy.verify("--receipt", "other").undecided.contains("other"))
    }

    @Test func whatMayBeLateIsNoFault() throws {
        let copy = try Copy()
        // The last entry is no record. The aggregator may have added it after the end, where nothing counts.
        try copy.made.rewrite(try copy.made.entries().dropLast() + [Array("no record".utf8)])
        let part = ["--range", "0..8", "--part", "part"]
        func judged(_ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation) throws -> Run {
            let files = copy.made.scratch.url
            try? FileManager.default.removeItem(at: files.appending(path: "part"))
            return try Programs.run("petition-verifier", ["verify", "copy"] + arguments, in: files)
        }
        for arguments in [[], part] {
            let unknown = try judged(arguments)
            let words = "invalid unless all of these are late"
            #expect(unknown.code == 3 && unknown.output.contains(words), "\(unknown.output)")
        }
        // It was late.
        try copy.write(closing: try copy.note(7, at: [(0, copy.closes), (1, copy.closes)]))
        try copy.verify().counts(7, late: 1)
        #expect(try judged(part).code == 0)
        let merged = try Programs.run("petition-verifier", ["merge", "copy", "part"], in: copy.made.scratch.url)
        #expect(merged.code == 0 && merged.output.contains("7 signatures"), "\(merged.output)")
        // It was in time.
        try copy.write(closing: try copy.note(8, at: [(0, copy.closes), (1, copy.closes)]))
        for arguments in [[], part] {
            let bad = try judged(arguments)
            #expect(bad.code == 1 && bad.output.contains("malformed"), "\(bad.output)")
        }
    }

    @Test func onlyGoodLinesOfWitnessesCount() throws {
        let copy = try Copy()
        let head = try copy.checkpoint(5)
        let (signed, closes) = (head.signed(by: MadePetition.key), copy.closes)
        func isOpen(_ lines: [String], sourceLocation: SourceLocation = #_sourceLocation) throws {
            try copy.write(closing: signed + Array(lines.joined().utf8))
            try copy.verify().isOpen(closing, sourceLocation: sourceLocation)
        }
        let (good, other) = (copy.line(head, by: 0, at: closes - 1), copy.line(head, by: 1, at: closes - 1))
        try isOpen([good])
        try isOpen([good, good])
        // Time 0 says nothing; a time that cannot be is no time.
        try isOpen([good, copy.line(head, by: 1, at: 0)])
        // A bad line spoils the note: somebody changed it.
        let stale = copy.line(try copy.checkpoint(4), by: 2, at: closes - 1)
        try isOpen([good, other, stale])
        // A right name with another key's ID is a stranger's line, and is passed over.
        let thief = Ed25519SecretKey(seed: SecretBytes(copying: [UInt8](repeating: 77, count: 32)))
        try isOpen([good, thief.cosign(head, name: Copy.name(1), at: closes - 1)])
        // A line of another log that has the same key.
        let elsewhere = Checkpoint(origin: "elsewhere.example/log", size: head.size, root: head.root)
        try isOpen([good, copy.line(elsewhere, by: 1, at: closes - 1)])
        // Two lines of one key, the later first: the earliest is taken.
        try copy.write(
            closing: signed
                + Array(
                    [good, copy.line(head, by: 1, at: closes + 9), copy.line(head, by: 1, at: closes - 9)].joined().utf8
                ))
        try copy.verify().counts(5, late: 3)
        // A note that the log's key did not sign is no evidence of anything.
        let forged = Checkpoint(origin: head.origin, size: 5, root: head.root).signed(by: thief)
        try copy.write(closing: forged + Array((good + other).utf8))
        try copy.verify().isOpen(closing)
    }

    @Test func asManyWitnessesAsAPolicyMayHave() throws {
        let copy = try Copy(witnesses: 32)
        func note(_ size: Int, by witnesses: Range<Int>) throws -> [UInt8] {
            try copy.note(size, at: witnesses.map { ($0, copy.closes - 100 + UInt64($0)) })
        }
        try copy.write(closing: try note(8, by: 0..<16))
        try copy.verify().isOpen(closing)
        try copy.write(closing: try note(8, by: 0..<17))
        try copy.verify().counts(8, late: 0)
        try copy.write(closing: try note(8, by: 0..<32))
        try copy.verify().counts(8, late: 0)
        // Half by the note, and one more by what it shows itself.
        try copy.write(closing: try note(6, by: 0..<16))
        try copy.write(try note(7, by: 31..<32), shownBy: 31)
        try copy.verify().counts(6, late: 2)
    }

    @Test func aForkIsProvenWhoeverShowsIt() throws {
        let copy = try Copy()
        try copy.write(closing: try copy.note(8, at: [(0, copy.closes), (1, copy.closes)]))
        try copy.verify().counts(8, late: 0)
        // A quorum only across forks.
        try copy.write(try copy.note(6, fork: true, at: [(2, copy.closes - 1)]), shownBy: 2)
        try copy.verify().isFork()
        try FileManager.default.removeItem(at: copy.made.url("aggregators/0/witness-2"))
        try copy.verify().counts(8, late: 0)
        // The same by a receipt that somebody brings, without a single witness.
        try Data(try copy.note(6, fork: true, at: [])).write(to: copy.made.scratch.url.appending(path: "fork"))
        try copy.verify("--receipt", "fork").isFork()
    }

    @Test func untilItClosesTheNewestCheckpointNeedsTheQuorum() throws {
        let copy = try Copy()
        let clock = try MovedClock(
            in: copy.made.scratch, ahead: Int(copy.closes) - Int(Date.now.timeIntervalSince1970) - 3600)
        let now = copy.closes - 3600
        try copy.made.write(try copy.note(8, at: [(0, now - 60), (2, now - 60)]), "aggregators/0/checkpoint")
        let open = try copy.verify(clock: clock.path)
        #expect(open.code == 0 && open.signatures == 8 && open.closingSize == nil, "\(open.report)")
        #expect(open.reservations.contains("closing time not proven"))
        try copy.made.write(try copy.note(8, at: [(0, now - 60)]), "aggregators/0/checkpoint")
        try copy.verify(clock: clock.path).isOpen("witnesses of the petition log")
        // A line that is far ahead of this computer's clock counts as absent, one that is a little ahead does not.
        try copy.made.write(try copy.note(8, at: [(0, now), (1, now + 400)]), "aggregators/0/checkpoint")
        try copy.verify(clock: clock.path).isOpen("witnesses of the petition log")
        try copy.made.write(try copy.note(8, at: [(0, now), (1, now + 200)]), "aggregators/0/checkpoint")
        #expect(try copy.verify(clock: clock.path).code == 0)
    }

    @Test func theAnnouncementNeedsItsQuorum() throws {
        let copy = try Copy()
        try copy.write(closing: try copy.note(8, at: [(0, copy.closes), (1, copy.closes)]))
        try copy.announce(at: copy.closes, fork: true)
        try copy.verify().isFork()
        try copy.made.write(Array("c2sp.org/tlog-proof@v1\n".utf8), "announcement")
        let bad = try copy.verify()
        #expect(bad.code == 3 && bad.undecided == ["witnesses of the petition's announcement"], "\(bad.report)")
        #expect(bad.signatures == 8, "what is not known of the announcement does not stop the count")
        try FileManager.default.removeItem(at: copy.made.url("announcement"))
        #expect(try copy.verify().code == 3)
    }

    @Test func aRollNeedsItsQuorum() throws {
        let copy = try Copy(roll: true)
        try copy.write(closing: try copy.note(8, at: [(0, copy.closes), (1, copy.closes)]))
        let none = try copy.verify()
        #expect(none.code == 3 && none.signatures == nil, "\(none.report)")
        let (members, enrolment) = (try copy.made.entries(.members).count, try copy.made.entries(.enrolment).count)
        let folders = (
            try copy.made.location(.members).folder, try copy.made.location(.enrolment).folder
        )
        let seal = try copy.note(members, of: .members, at: [(0, copy.closes), (1, copy.closes)])
        let phase = try copy.note(enrolment, of: .enrolment, at: [(0, copy.closes), (2, copy.closes)])
        try copy.made.write(seal, "\(folders.0)/checkpoint")
        try copy.made.write(phase, "\(folders.1)/checkpoint")
        let good = try copy.verify()
        #expect(good.code == 0 && good.signatures == 8, "\(good.report)")
    }

    @Test func joiningLastedAsLongAsItsCheckpointsShow() throws {
        let copy = try Copy(roll: true)
        let roll = try copy.made.roll()
        let promised = UInt64(roll.terms.joiningSeconds)
        #expect(promised > 0)
        // Of 17 people who enrolled, 16 joined.
        let keys = (5000..<5016).map { MemberKey(GroupElement.base.multiplied(by: Scalar(UInt64($0)))) }.sorted()
        try copy.made.add(roll, rings: [keys.map { .member($0) }], enrolment: MadePetition.enrolment(of: 17))
        try copy.made.petition(over: [(roll, try copy.made.reference(to: roll))])
        let (members, enrolment) = (try copy.made.location(.members).folder, try copy.made.location(.enrolment).folder)
        for (log, folder, size) in [(MadePetition.Log.members, members, 17), (.enrolment, enrolment, 35)] {
            try copy.made.write(
                try copy.note(size, of: log, at: [(0, copy.closes), (1, copy.closes)]), "\(folder)/checkpoint")
        }
        /// The three checkpoints, and whether they prove it.
        func isProven(
            opened: [(Int, UInt64)], _ openedSize: Int = 35, fork: Bool = false, open: [(Int, UInt64)],
            _ openSize: Int = 35, unsealed: [(Int, UInt64)], _ unsealedSize: Int = 0
        ) throws -> Bool {
            try copy.made.write(
                try copy.note(openedSize, of: .enrolment, fork: fork, at: opened), "\(enrolment)/phases/0")
            try copy.made.write(try copy.note(openSize, of: .enrolment, at: open), "\(enrolment)/ends/0")
            try copy.made.write(try copy.note(unsealedSize, of: .members, at: unsealed), "\(members)/ends/0")
            let verdict = try copy.verify()
            let isProven = verdict.passed.contains { $0.contains("how long witnesses saw joining open") }
            #expect(verdict.code == (fork ? 1 : 0), "\(verdict.report)")
            #expect(verdict.reservations.contains("joining lasted") != isProven, "\(verdict.reservations)")
            return isProven
        }
        let opened = [(0, copy.closes - 200_000), (1, copy.closes - 200_000)]
        func end(_ late: Int64, by witnesses: [Int] = [1, 2]) -> [(Int, UInt64)] {
            witnesses.map { ($0, UInt64(Int64(copy.closes - 200_000 + promised) + late)) }
        }
        #expect(try isProven(opened: opened, open: end(0), unsealed: end(0)))
        #expect(try !isProven(opened: opened, open: end(-1), unsealed: end(0)))
        #expect(try !isProven(opened: opened, open: end(0), unsealed: end(-1)))
        // A quorum, of each.
        #expect(try !isProven(opened: opened, open: end(0), unsealed: end(0, by: [1])))
        #expect(try !isProven(opened: opened, open: end(0, by: [2]), unsealed: end(0)))
        #expect(try !isProven(opened: [opened[0]], open: end(0), unsealed: end(0)))
        #expect(try !isProven(opened: [opened[0], (1, copy.closes - 199_999)], open: end(0), unsealed: end(0)))
        #expect(try !isProven(opened: opened, open: end(-1, by: [1]) + end(0, by: [2]), unsealed: end(0)))
        // The opening is in the first two, and no member of the ring in the third.
        #expect(try !isProven(opened: opened, 34, open: end(0), unsealed: end(0)))
        #expect(try !isProven(opened: opened, open: end(0), 34, unsealed: end(0)))
        #expect(try !isProven(opened: opened, open: end(0), unsealed: end(0), 17))
        #expect(try !isProven(opened: opened, fork: true, open: end(0), unsealed: end(0)))

        // Joining was closed in the meantime: what was seen at the end has more than that.
        let whole = MadePetition.enrolment(of: 17)
        try copy.made.rewrite(whole + [EnrolmentEntry.issuingOpens(round: 1).bytes], in: .enrolment)
        try copy.made.write(
            try copy.note(36, of: .enrolment, at: [(0, copy.closes), (1, copy.closes)]), "\(enrolment)/checkpoint")
        #expect(try isProven(opened: opened, open: end(0), unsealed: end(0)))
        #expect(try !isProven(opened: opened, open: end(0), 36, unsealed: end(0)))
    }

    @Test func thatEverybodyHadJoinedIsTheWordOfTheCoordinator() throws {
        let copy = try Copy(roll: true)
        for log in [MadePetition.Log.members, .enrolment] {
            let (folder, size) = (try copy.made.location(log).folder, try copy.made.entries(log).count)
            try copy.made.write(
                try copy.note(size, of: log, at: [(0, copy.closes), (1, copy.closes)]), "\(folder)/checkpoint")
        }
        try copy.write(closing: try copy.note(8, at: [(0, copy.closes), (1, copy.closes)]))
        let verdict = try copy.verify()
        #expect(verdict.code == 0 && verdict.reservations.contains("1 of the rings of"), "\(verdict.report)")
        #expect(verdict.reservations.contains("that they are the same people is the word of its coordinator"))
    }
}
