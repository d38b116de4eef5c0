import Bytes
import Documents
import Foundation
import Petitions
import Ristretto255
import Sodium
import Testing
import TransparencyLog

/// The offline copy of a petition whose secrets are all known, made by `roundrobin-testlog`: rings of 64 members. A
/// test may put other logs into it, signed by the proper keys.
final class MadePetition {
    /// A log of the copy.
    enum Log: CaseIterable {
        case petition, members, enrolment, announcements
    }

    let scratch: Scratch
    /// The petition's id.
    private(set) var id: String
    /// The key that signs every document and log.
    static var key: Ed25519SecretKey {
        Ed25519SecretKey(seed: SecretBytes(copying: [UInt8](repeating: 1, count: 32)))
    }

    /// Equal numbers of rings give the same petition.
    init(records: Int, bad: Int = 0, rings: Int = 5, options: [String] = [], in given: Scratch? = nil) throws {
        scratch = try given ?? Scratch()
        let run = try Programs.run(
            "roundrobin-testlog",
            ["copy", "--records", "\(records)", "--ring-size", "64", "--rings", "\(rings)", "--bad", "\(bad)"]
                + options,
            in: scratch.url)
        #expect(run.code == 0, "\(run.errors)")
        id = run.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func verifier(_ arguments: String...) throws -> Run {
        try Programs.run("petition-verifier", arguments, in: scratch.url)
    }

    /// The JSON report and the program's exit code.
    func report(_ arguments: String...) throws -> (code: Int32, report: [String: Any]) {
        let run = try Programs.run("petition-verifier", arguments + ["--json"], in: scratch.url)
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
        return (run.code, try #require(object as? [String: Any], "\(run.errors)"))
    }

    // MARK: Documents

    func manifest() throws -> PetitionManifest {
        try PetitionManifest(parsing: try read("petition"))
    }

    /// The roll at `index` in the manifest.
    func roll(_ index: Int = 0) throws -> RollDescriptor {
        try RollDescriptor(parsing: try read(folder(ofRoll: try manifest().rolls[index].id) + "/roll"))
    }

    /// Replaces the petition by one over other rolls, or other roots of them, and announces it. It has no records: the
    /// existing ones are of another petition.
    func petition(over rolls: [(roll: RollDescriptor, reference: PetitionManifest.RollReference)]) throws {
        let old = try manifest()
        let petition = try PetitionManifest.make(
            url: old.url, text: old.text, rolls: rolls.map(\.reference), aggregators: old.aggregators,
            key: Self.key)
        try write(petition.note, "petition")
        id = petition.id.hex
        try rewrite([], in: .petition)
        try rewrite(
            rolls.map { Announcement.roll($0.roll).bytes } + [Announcement.petition(petition.id).bytes],
            in: .announcements)
    }

    /// A reference to a roll in the copy: to its whole log, or to its first `size` entries.
    func reference(
        to roll: RollDescriptor, size: Int? = nil, laterRings: Bool = false
    ) throws -> PetitionManifest.RollReference {
        let entries = try entries(below: folder(ofRoll: roll.id) + "/members")
        let tree = Self.tree(entries.prefix(size ?? entries.count))
        return .init(
            id: roll.id, coordinator: roll.coordinator, label: nil, size: tree.size, root: tree.root,
            laterRings: laterRings)
    }

    /// Puts a roll into the copy. Its enrolment log obeys all rules unless another is given.
    func add(_ roll: RollDescriptor, rings: [[RollEntry]], enrolment: [[UInt8]]? = nil) throws {
        let members = rings.reduce(0) { $0 + $1.count }
        let enrolment = enrolment ?? Self.enrolment(of: members)
        let tree = Self.tree(enrolment[...])
        let seal = RollEntry.seal(enrolmentSize: tree.size, enrolmentRoot: tree.root)
        let folder = folder(ofRoll: roll.id)
        try write(roll.note, "\(folder)/roll")
        try write(enrolment, below: "\(folder)/enrolment", origin: roll.enrolmentLogKey.name)
        try write(
            rings.flatMap { $0 + [seal] }.map(\.bytes), below: "\(folder)/members", origin: roll.membersKey.name)
    }

    /// An enrolment log in which `members` people are invited and enrol, and joining opens.
    static func enrolment(of members: Int) -> [[UInt8]] {
        let codes = (0..<members).map { SHA256.hash(Array("code \($0)".utf8)) }
        return codes.map { EnrolmentEntry.invited(codeHash: $0).bytes }
            + codes.map { EnrolmentEntry.issued(codeHash: $0).bytes }
            + [EnrolmentEntry.joiningOpens(round: 0, opened: 0).bytes]
    }

    // MARK: Logs

    private func folder(ofRoll id: RollID) -> String { "rolls/\(id.hex)" }

    /// The folder of the log in the copy, and its origin.
    func location(_ log: Log) throws -> (folder: String, origin: String) {
        switch log {
        case .petition: return ("aggregators/0", "count.example.net/petitions/\(id)")
        case .announcements: return ("announcements", try manifest().url.bare + "/announcements")
        case .members:
            let roll = try roll()
            return (folder(ofRoll: roll.id) + "/members", roll.membersKey.name)
        case .enrolment:
            let roll = try roll()
            return (folder(ofRoll: roll.id) + "/enrolment", roll.enrolmentLogKey.name)
        }
    }

    func entries(_ log: Log = .petition) throws -> [[UInt8]] { try entries(below: try location(log).folder) }

    private func entries(below folder: String) throws -> [[UInt8]] {
        let head = String(decoding: try read("\(folder)/checkpoint"), as: UTF8.self).split(separator: "\n")
        let size = try #require(UInt64(head[1]))
        return try TileRow(count: size).flatMap { tile in
            let path = TileID.bundlePath(index: tile.index, width: tile.width)
            return try #require(EntryBundle.decode(try read("\(folder)/\(path)")))
        }
    }

    /// Replaces the entries of a log, under a checkpoint signed by its own key; removes a tally.
    func rewrite(_ entries: [[UInt8]], in log: Log = .petition) throws {
        let (folder, origin) = try location(log)
        try write(entries, below: folder, origin: origin)
    }

    /// Appends entries to a log.
    func append(_ entries: [[UInt8]], to log: Log) throws {
        try rewrite(try self.entries(log) + entries, in: log)
    }

    private func write(_ entries: [[UInt8]], below folder: String, origin: String) throws {
        try? FileManager.default.removeItem(at: url(folder))
        for tile in TileRow(count: UInt64(entries.count)) {
            let first = Int(tile.index) * TileID.fullWidth
            try write(
                EntryBundle.encode(entries[first..<first + tile.width]),
                "\(folder)/\(TileID.bundlePath(index: tile.index, width: tile.width))")
        }
        let tree = Self.tree(entries[...])
        let checkpoint = Checkpoint(origin: origin, size: tree.size, root: tree.root)
        try write(checkpoint.signed(by: Self.key), "\(folder)/checkpoint")
    }

    static func tree(_ entries: ArraySlice<[UInt8]>) -> GrowingTree {
        entries.reduce(into: GrowingTree()) { $0.append(MerkleHash.leaf($1)) }
    }

    /// Signs a checkpoint of the petition's log with another size, over the same root.
    func claim(size: String) throws {
        let path = try location(.petition).folder + "/checkpoint"
        let lines = String(decoding: try read(path), as: UTF8.self).split(separator: "\n")
        let text = "\(lines[0])\n\(size)\n\(lines[2])\n"
        try write(Self.key.signNote(Array(text.utf8), name: String(lines[0])), path)
    }

    // MARK: What is only claimed

    /// Writes a file that claims that everything in the petition's log was verified.
    func claimVerified(in file: String) throws {
        let entries = try entries()
        let root = Base64.encode(Self.tree(entries[...]).root.array)
        try scratch.write(
            """
            {"format": "roundrobin-verified/v1", "petition": "\(id)", "ranges": [{"log": "\(try location(.petition).origin)", \
            "first": 0, "end": \(entries.count), "hash": "\(root)", "exceptions": []}]}
            """, to: file)
    }

    /// Bytes with the layout of a signature for a ring whose members are numbered by `digits` digits, with valid points
    /// and scalars but no valid proof.
    static func invented(_ number: UInt64, ring: UInt8, digits: Int = 3) -> [UInt8] {
        let tag = GroupElement.base.multiplied(by: Scalar(number + 1))
        let points = [tag] + [GroupElement](repeating: .base, count: 2 + 2 * digits)
        return [1, 0, 0, 0, 0, ring] + points.flatMap(\.encoding.array)
            + [UInt8](repeating: 0, count: 32 * (3 * digits + 2))
    }

    // MARK: Files

    func url(_ path: String) -> URL { scratch.url.appending(path: "copy/\(path)") }

    func read(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: url(path))) }

    func write(_ bytes: [UInt8], _ path: String) throws {
        let file = url(path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
    }
}

/// The contents of a verifier's JSON report in short form.
enum ReportJSON {
    /// Each as "index rule", with "-" for the index if it concerns the whole.
    static func refusals(_ report: [String: Any]) -> [String] { found(report["refusals"]) }
    /// The same for remarks, which do not affect the verdict.
    static func remarks(_ report: [String: Any]) -> [String] { found(report["remarks"]) }

    private static func found(_ list: Any?) -> [String] {
        (list as? [[String: Any]] ?? []).map { "\($0["index"] ?? "-") \($0["rule"] ?? "-")" }
    }

    /// The details of refusals and remarks.
    static func details(_ report: [String: Any]) -> [String] {
        ["refusals", "remarks"].flatMap { report[$0] as? [[String: Any]] ?? [] }.compactMap { $0["detail"] as? String }
    }

    /// The verdict on each roll.
    static func rolls(_ report: [String: Any]) -> [String] {
        (report["rolls"] as? [[String: Any]] ?? []).compactMap { $0["verdict"] as? String }
    }

    /// Each as "file records".
    static func proofsTaken(_ report: [String: Any]) -> [String] {
        (report["proofsTaken"] as? [[String: Any]] ?? []).map { "\($0["file"] ?? "-") \($0["records"] ?? "-")" }
    }
}
