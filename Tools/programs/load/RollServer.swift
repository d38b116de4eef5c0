import ArgumentParser
import CommandSupport
import Foundation
import Hummingbird
import NIOCore

/// Serves the roll of ``Prepare``, in a coordinator's place: files that do not change.
struct ServeRoll: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "roll", abstract: "Serve the roll, in the place of its coordinator.")
    @Argument(help: "The folder that prepare made.") var folder: String
    @Option(help: "The port on this machine.") var port = 8101

    func run() async throws {
        let router = Router(context: BasicRequestContext.self)
        let folder = folder
        router.get("rolls/test") { _, _ in try Self.file("\(folder)/roll") }
        router.get("rolls/test/**") { _, context in
            let path = context.parameters.getCatchAll().joined(separator: "/")
            guard !path.contains("..") else { throw HTTPError(.notFound) }
            return try Self.file("\(folder)/\(path)")
        }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { _ in FileStream.error.write("Serving the roll on port \(port).\n") })
        try await application.runService()
    }

    private static func file(_ path: String) throws -> Response {
        guard let data = FileManager.default.contents(atPath: path) else { throw HTTPError(.notFound) }
        return Response(status: .ok, body: .init(byteBuffer: ByteBuffer(bytes: data)))
    }
}
