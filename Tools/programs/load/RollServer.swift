import ArgumentParser
import Bytes
import CommandSupport
import Documents
import Foundation
import Hummingbird
import LogClient
import LogReading
import NIOCore
import PetitionCopies
import Petitions
import TransparencyLog
import Witnessing

/// Serves the roll and the announcements of ``Prepare`` in place of a coordinator, from files that do not change.
struct ServeRoll: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "roll", abstract: "Serve the roll, in the place of its coordinator.")
    @Argument(help: "The folder that prepare made.") var folder: String
    @Option(help: "The port on this machine.") var port = 8101

    func validate() throws {
        guard (1...65_535).contains(port) else { throw ValidationError("--port takes 1 to 65535") }
    }

    func run() async throws {
        let router = Router(context: BasicRequestContext.self)
        let folder = folder
        let note = [UInt8](try Data(contentsOf: URL(filePath: "\(folder)/roll")))
        let roll = try RollDescriptor(parsing: note)
        for name in [roll.id.hex, roll.link.slug.text] {
            router.get(RouterPath("rolls/\(name)")) { _, _ in Self.answer(Data(note)) }
        }
        for (path, log) in [
            ("rolls/\(roll.id.hex)/members", "members"), ("rolls/\(roll.id.hex)/enrolment", "enrolment"),
            ("announcements", "announcements"),
        ] {
            router.get(RouterPath("\(path)/**")) { _, context in
                let path = context.parameters.getCatchAll().joined(separator: "/")
                guard !path.contains("..") else { throw HTTPError(.notFound) }
                return try Self.file("\(folder)/\(log)/\(path)")
            }
        }
        let petition = try PetitionManifest(parsing: [UInt8](try Data(contentsOf: URL(filePath: "\(folder)/petition"))))
        router.get(RouterPath("petitions/\(petition.id.hex)/announcement")) { _, _ in
            guard let proof = try await AnnouncementProof(petition: petition, folder: folder).proof() else {
                throw HTTPError(.serviceUnavailable)
            }
            return Self.answer(Data(proof))
        }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { _ in FileStream.error.write("Serving the roll on port \(port).\n") })
        try await application.runService()
    }

    private static func file(_ path: String) throws -> Response {
        guard let data = FileManager.default.contents(atPath: path) else { throw HTTPError(.notFound) }
        return answer(data)
    }

    private static func answer(_ data: Data) -> Response {
        Response(status: .ok, body: .init(byteBuffer: ByteBuffer(bytes: data)))
    }
}

/// The proof that the petition was announced, with whatever its witnesses cosign when it is asked for. The witnesses'
/// addresses are those of the policy.
private struct AnnouncementProof {
    let petition: PetitionManifest
    let folder: String

    /// The proof; nil without the quorum.
    func proof() async throws -> [UInt8]? {
        guard let policy = petition.witnesses else { return nil }
        let log = OfflineCopy.announcementsLog(
            coordinator: petition.url, key: petition.key, source: FolderSource(folder: folder),
            prefix: OfflineCopy.announcements)
        let (checkpoint, note) = try await log.readCheckpoint()
        // The roll comes first, and then the petition.
        var leaves: [Bytes32] = []
        _ = try await log.readEntries(upTo: checkpoint) { _, _, read in leaves += read }
        let lines = try await HTTPConnection.with(proxy: nil) { connection in
            var lines: [Cosignature] = []
            for witness in policy.witnesses {
                guard let url = witness.url else { continue }
                lines += await cosignatures(of: checkpoint, note, by: witness.key, at: url, connection)
            }
            return lines
        }
        guard policy.quorumTime(lines) != nil else { return nil }
        return LogProof(
            inclusion: InclusionProof(index: 1, hashes: [leaves[0]]),
            checkpoint: note + Array(lines.map(\.line).joined().utf8)
        ).encoded
    }

    private func cosignatures(
        of checkpoint: Checkpoint, _ note: [UInt8], by key: WitnessKey, at url: String, _ connection: HTTPConnection
    ) async -> [Cosignature] {
        // The log never grows: whoever knows it already knows all of it.
        for old in [0, checkpoint.size] {
            let body = AddCheckpointRequest(oldSize: old, proof: ConsistencyProof(hashes: []), note: note).encoded
            let request = OutgoingRequest(
                "\(url)/\(AddCheckpointRequest.path)", content: .init(body, type: "text/plain"), limit: 1 << 17)
            guard let answer = try? await connection.send(request), answer.status == 200 else { continue }
            return checkpoint.cosignatures(inLines: answer.body, by: [key])
        }
        return []
    }
}
