import Hummingbird
import LogStorage
import NIOCore
import Petitions
import TransparencyLog

/// How a log's resources are sent (C2SP tlog-tiles): content types, tiles for ever, checkpoints for seconds.
public enum LogResponse {
    /// The resource at `path` of `log`, or a 404 problem.
    public static func make(_ log: StoredLog?, path: String, database: ServerDatabase) throws -> Response {
        guard let log, let bytes = try database.read({ try log.resource($0, path: path) }) else {
            throw Problem(.notFound, "The log has no such resource.")
        }
        let isCheckpoint = path == "checkpoint"
        return Response(
            status: .ok,
            headers: [
                .contentType: isCheckpoint ? "text/plain; charset=utf-8" : "application/octet-stream",
                .cacheControl: isCheckpoint ? "public, max-age=1" : "public, max-age=604800, immutable",
            ],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// A text such as a note or a receipt.
    public static func text(_ bytes: [UInt8], status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-cache"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// A JSON document.
    public static func json(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-cache"],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    /// A page for people.
    public static func html(_ text: String) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-cache",
                .contentSecurityPolicy: "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
            ],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}

extension String {
    /// The text with the characters that mean something in HTML replaced.
    public var escapedForHTML: String {
        reduce(into: "") { result, character in
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.append(character)
            }
        }
    }
}
