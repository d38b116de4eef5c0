import Bytes
import Documents
import Foundation
import Petitions
import Sodium
import Testing
import TransparencyLog

/// A coordinator with the key of the honest one, which shows whatever it likes.
final class LyingDeployment {
    let deployment: Deployment
    let tamperingProxy: TamperingProxy
    let roll: RollDescriptor
    let key: Ed25519SecretKey

    init(people: Int, joiningTime: String = "0s") async throws {
        deployment = try Deployment(people: people, joiningTime: joiningTime, hasLiars: true)
        tamperingProxy = try #require(deployment.coordinatorLiar)
        roll = try await deployment.roll()
        var seed = [UInt8](try Data(contentsOf: deployment.folder.appending(path: "coordinator/note.key")))
        key = Ed25519SecretKey(seed: SecretBytes(moving: &seed))
    }

    /// The current entries of the coordinator's log at `path`.
    func entries(_ path: String) async throws -> [[UInt8]] {
        let url = deployment.coordinatorURL + path
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
        let bare = String(deployment.coordinatorURL.dropFirst("http://".count))
        tamperingProxy.lie(log: path, origin: bare + path, entries: entries, key: key)
    }

    var enrolmentPath: String { "/rolls/\(roll.id.hex)/enrolment" }
    var membersPath: String { "/rolls/\(roll.id.hex)/members" }

    func enrol(_ people: Range<Int>) throws {
        for person in people { try deployment.expectSigner(person, "enrol", with: [deployment.links[person]]) }
    }

    func openJoining() throws { try deployment.expect("petition-coordinator", "joining", "open", "people") }

    func sealed(_ people: Range<Int>) throws {
        try enrol(people)
        try openJoining()
        for person in people { try deployment.expectSigner(person, "join", with: Deployment.joinNow) }
        try deployment.expect("petition-coordinator", "seal", "people")
    }

    /// The same roll with an additional space in its text.
    func twin() throws -> RollDescriptor {
        let text = String(decoding: roll.note, as: UTF8.self).components(separatedBy: "\n\n\u{2014} ")[0] + "\n"
        let other = text.replacing("\"format\": ", with: "\"format\":  ")
        return try RollDescriptor(parsing: key.signNote(Array(other.utf8), name: roll.coordinator.bare))
    }

    var joins: [TamperingProxy.Request] { tamperingProxy.requests.filter { $0.path.hasSuffix("/join") } }
}

/// Expects that a program refuses with these words.
func refused(
    _ run: Run, _ words: String, code: Int32 = 1, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(run.code == code, "\(run.errors)\(run.output)", sourceLocation: sourceLocation)
    #expect(run.errors.contains(words), "\(run.errors)", sourceLocation: sourceLocation)
}

/// What `petition-signer evidence` wrote.
func evidence(_ deployment: Deployment, _ name: String) throws -> (
    seen: String, shown: String, leaves: [Bytes32]
) {
    let data = try Data(contentsOf: deployment.folder.appending(path: name))
    let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(object["format"] as? String == "roundrobin-evidence/v1")
    let leaves = try #require(object["leaves"] as? [String])
    return (
        try #require(object["seen"] as? String), try #require(object["shown"] as? String),
        try leaves.map { try #require(Base64.decode32($0)) }
    )
}
