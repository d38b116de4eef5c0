import HTTPTypes
import Hummingbird
import LogStorage
import NIOCore
import Petitions
import Platform
import Storage
import TransparencyLog

/// Recently requested tiles and bundles, up to a bound: they never change, and many clients read the same ones.
public final class ResourceCache: Sendable {
    private static let limit = 64 << 20
    private struct State {
        var resources: [String: ByteBuffer] = [:]
        var count = 0
    }
    private let state = Mutex(State())

    /// An empty cache of at most 64 MiB.
    public init() {}

    func resource(_ name: String, make: () throws -> [UInt8]?) rethrows -> ByteBuffer? {
        if let known = state.withLock({ $0.resources[name] }) { return known }
        guard let made = try make().map({ ByteBuffer(bytes: $0) }) else { return nil }
        state.withLock { state in
            guard state.resources.updateValue(made, forKey: name) == nil else { return }
            state.count += made.readableBytes
            // Drop everything at once: resources that are read again come back.
            guard state.count > Self.limit else { return }
            state = State()
        }
        return made
    }
}

/// How a log's resources are sent (C2SP tlog-tiles): with their content types, and cached for long (tiles) or a second
/// (checkpoints).
public enum LogResponse {
    /// A checkpoint of a log with `size` entries.
    public static func checkpoint(_ note: [UInt8], size: UInt64, for request: Request) -> Response {
        checkpoint(note, tag: "\(size)", for: request)
    }

    /// A checkpoint whose entity tag has this text between the quotes.
    public static func checkpoint(_ note: [UInt8], tag: String, for request: Request) -> Response {
        var response = current("\"\(tag)\"", type: "text/plain; charset=utf-8", for: request) {
            ByteBuffer(bytes: note)
        }
        response.headers[.cacheControl] = "public, max-age=1"
        return response
    }

    /// The tile or bundle at `path` of `log`, or a 404 problem.
    public static func tile(
        of log: StoredLog, path: String, database: any Storage, cache: ResourceCache, for request: Request
    ) throws -> Response {
        try tile(path, of: log.origin, cache: cache, for: request) {
            try database.read { try log.resource($0, path: path) }
        }
    }

    /// The tile or bundle at `path`, from `read`, or a 404 problem. `log` must name no other log in the cache.
    public static func tile(
        _ path: String, of log: String, cache: ResourceCache, for request: Request, read: () throws -> [UInt8]?
    ) throws -> Response {
        // Partial tiles are not cached: there are up to 255 for each full one, and few requests are for the same.
        let isFull = !path.contains(".p/")
        let bytes = isFull ? try cache.resource("\(log) \(path)", make: read) : try read().map { ByteBuffer(bytes: $0) }
        guard let bytes else { throw missing }
        // The resource at a path never changes, so one entity tag is enough.
        let headers: HTTPFields = [
            .contentType: "application/octet-stream", .cacheControl: "public, max-age=604800, immutable",
            .eTag: "\"1\"",
        ]
        guard !isKnown("\"1\"", to: request) else { return Response(status: .notModified, headers: headers) }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: bytes))
    }

    private static var missing: Problem { Problem(.notFound, "The log has no such resource.") }

    /// A resource that changes: caches must revalidate it with `tag` (an entity tag with its quotes).
    public static func current(
        _ tag: String, type: String, for request: Request, _ body: () -> ByteBuffer
    ) -> Response {
        let headers: HTTPFields = [.contentType: type, .cacheControl: "no-cache", .eTag: tag]
        guard !isKnown(tag, to: request) else { return Response(status: .notModified, headers: headers) }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: body()))
    }

    /// True if the request's `If-None-Match` contains the tag (RFC 9110 section 13.1.2).
    private static func isKnown(_ tag: String, to request: Request) -> Bool {
        guard let tags = request.headers[.ifNoneMatch] else { return false }
        return tags == "*"
            || tags.split(separator: ",").contains { part in
                let one = part.drop { $0 == " " }
                return (one.hasPrefix("W/") ? one.dropFirst(2) : one).prefix { $0 != " " } == tag
            }
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
}
