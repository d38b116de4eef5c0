/// An HTTP request as a value, separate from the code that sends it.
public struct OutgoingRequest: Equatable, Sendable {
    /// The body of a `POST`.
    public struct Content: Equatable, Sendable {
        /// The bytes.
        public let bytes: [UInt8]
        /// Their media type.
        public let type: String

        /// A body of the given media type.
        public init(_ bytes: [UInt8], type: String) {
            self.bytes = bytes
            self.type = type
        }
    }

    /// A header field of the request.
    public struct Header: Equatable, Sendable {
        /// The lower-case name.
        public let name: String
        /// The value.
        public let value: String

        /// A name and its value.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The url that is requested.
    public let url: String
    /// The body; nil for a `GET`.
    public let content: Content?
    /// Further header fields.
    public let headers: [Header]
    /// The largest size of the answer's body in bytes.
    public let limit: Int
    /// A longer timeout than the default; a shorter one has no effect.
    public let timeout: Duration?

    /// A `GET`, or a `POST` if there is content.
    public init(
        _ url: String, content: Content? = nil, headers: [Header] = [], limit: Int, timeout: Duration? = nil
    ) {
        self.url = url
        self.content = content
        self.headers = headers
        self.limit = limit
        self.timeout = timeout
    }
}

/// An answer to a request.
public struct HTTPAnswer: Equatable, Sendable {
    /// The status code.
    public let status: Int
    /// The body, within the limit of the request.
    public let body: [UInt8]

    /// An answer.
    public init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}

/// Sends requests that may be linked to each other, and to nothing else: a connection, or a substitute in a test.
public protocol RequestConnection: AnyObject, Sendable {
    /// Sends a request and returns its answer.
    func send(_ request: OutgoingRequest) async throws(SourceError) -> HTTPAnswer

    /// Says that these requests without content are sent next: see ``ResourceSource/expect(_:limit:)``.
    func expect(_ requests: [OutgoingRequest])

    /// Closes the connection. Nothing may be sent over it afterwards.
    func close() async
}

extension RequestConnection {
    /// Does nothing.
    public func expect(_ requests: [OutgoingRequest]) {}
}

/// Published resources below a url, read over HTTP.
public final class HTTPSource: ResourceSource {
    private let connection: any RequestConnection
    private let base: String

    /// Reads below `base`, which has no trailing slash.
    public init(connection: any RequestConnection, base: String) {
        self.connection = connection
        self.base = base
    }

    /// The resource's url.
    public func location(of path: String) -> String {
        path.isEmpty ? base : "\(base)/\(path)"
    }

    /// Tells the connection.
    public func expect(_ paths: [String], limit: Int) {
        connection.expect(paths.map { OutgoingRequest(location(of: $0), limit: limit) })
    }

    /// The body of a 200 answer; nil on 404.
    public func read(_ path: String, limit: Int) async throws(SourceError) -> [UInt8]? {
        let url = location(of: path)
        let answer = try await connection.send(OutgoingRequest(url, limit: limit))
        switch answer.status {
        case 200: return answer.body
        case 404: return nil
        default: throw .answered(location: url, status: answer.status)
        }
    }
}
