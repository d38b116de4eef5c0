import ArgumentParser
import CommandSupport
import Documents
import Foundation
import Hummingbird
import NIOCore
import Petitions

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
