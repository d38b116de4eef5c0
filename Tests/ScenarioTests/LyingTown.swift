import Bytes
import Foundation
import Petitions
import Sodium
import Testing
import TransparencyLog

/// A coordinator with the key of the honest one, that shows what it likes.
final class LyingTown {
    let town: Town
    let liar: Liar
    let roll: RollDescriptor
    let key: Ed25519SecretKey

    init(people: Int, joiningTime: String = "0s") async throws {
        town = try Town(people: people, joiningTime: joiningTime, hasLiars: true)
        liar = try #require(town.coordinatorLiar)
        roll = try await town.roll()
        var seed = [UInt8](try Data(contentsOf: town.folder.appending(path: "coordinator/note.key")))
        key = Ed25519SecretKey(seed: SecretBytes(moving: &seed))
    }

    /// The entries of one of the coordinator's logs as they are, by its path.
    func entries(_ path: String) async throws -> [[UInt8]] {
        let url = town.coordinatorURL + path
        let checkpoint = String(decoding: try await HTTP.get(url + "/checkpoint").body, as: UTF8.self)
        let size = try #require(checkpoint.split(separator: "\n").dropFirst().first.flatMap { UInt64($0) })
        var entries: [[UInt8]] = []
        for tile in TileRow(count: size) {
            let bundle = TileID.bundlePath(index: tile.index, width: tile.width)
            entries += try #require(EntryBundle.decode([UInt8](try await HTTP.get("\(url)/\(bundle)").body)))
        }
        return entries
    }

    func lie(_ path: String, _ entries: [[UInt8]]) {
        let bare = String(town.coordinatorURL.dropFirst("http://".count))
        liar.lie(log: path, origin: bare + path, entries: entries, key: key)
    }

    var enrolmentPath: String { "/rolls/\(roll.id.hex)/enrolment" }
    var membersPath: String { "/rolls/\(roll.id.hex)/members" }

    func enrol(_ people: Range<Int>) throws {
        for person in people { try town.expectSigner(person, "enrol", with: [town.links[person]]) }
    }

    func openJoining() throws { try town.expect("petition-coordinator", "joining", "open", "people") }

    func sealed(_ people: Range<Int>) throws {
        try enrol(people)
        try openJoining()
        for person in people { try town.expectSigner(person, "join", with: Town.joinNow) }
        try town.expect("petition-coordinator", "seal", "people")
    }

    /// The same roll with one blank more in its text.
    func twin() throws -> RollDescriptor {
        let text = String(decoding: roll.note, as: UTF8.self).components(separatedBy: "\n\n\u{2014} ")[0] + "\n"
        let other = text.replacing("\"format\": ", with: "\"format\":  ")
        return try RollDescriptor(parsing: key.signNote(Array(other.utf8), name: roll.coordinator.bare))
    }

    var joins: [Liar.Request] { liar.requests.filter { $0.path.hasSuffix("/join") } }
}

/// Expects that a program refuses, in these words.
func refused(
    _ run: Run, _ words: String, code: Int32 = 1, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(run.code == code, "\(run.errors)\(run.output)", sourceLocation: sourceLocation)
    #expect(run.errors.contains(words), "\(run.errors)", sourceLocation: sourceLocation)
}

/// What `petition-signer evidence` wrote.
func evidence(_ town: Town, _ name: String) throws -> (
    seen: String, shown: String, leaves: [Bytes32]
) {
    let data = try Data(contentsOf: town.folder.appending(path: name))
    let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(object["format"] as? String == "roundrobin-evidence/v1")
    let leaves = try #require(object["leaves"] as? [String])
    return (
        try #require(object["seen"] as? String), try #require(object["shown"] as? String),
        try leaves.map { try #require(Base64.decode32($0)) }
    )
}
