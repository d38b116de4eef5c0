/// A request over HTTP as a value: what is wanted of the network, before anybody makes it.
public struct OutgoingRequest: Equatable, Sendable {
    /// What is sent with `POST`.
    public struct Content: Equatable, Sendable {
        /// The bytes.
        public let bytes: [UInt8]
        /// Their media type.
        public let type: String

        /// Bytes of a media type.
        public init(_ bytes: [UInt8], type: String) {
            self.bytes = bytes
            self.type = type
        }
    }

    /// One line of the request's head.
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

    /// Where it goes.
    public let url: String
    /// What is sent; nil for a `GET`.
    public let content: Content?
    /// What else stands in its head.
    public let headers: [Header]
    /// The most bytes that the answer may have.
    public let limit: Int
    /// For an answer that takes longer than others may; it shortens nothing.
    public let timeout: Duration?

    /// A `GET`, or a `POST` where there is content.
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

/// Makes requests that may be linked to each other, and to nothing else: a connection, or what a test has in its place.
public protocol RequestConnection: Sendable {
    /// Makes a request. Throws a ``SourceError``.
    func send(_ request: OutgoingRequest) async throws -> HTTPAnswer

    /// Ends it. Nothing is sent over it afterwards.
    func close() async
}

/// Published resources below a url.
public struct HTTPSource: ResourceSource {
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

    /// The body of a 200 answer; nil on 404.
    public func read(_ path: String, limit: Int) async throws -> [UInt8]? {
        let url = location(of: path)
        let answer = try await connection.send(OutgoingRequest(url, limit: limit))
        switch answer.status {
        case 200: return answer.body
        case 404: return nil
        default: throw SourceError.unreachable(location: url, reason: "it answered with status \(answer.status)")
        }
    }
}
