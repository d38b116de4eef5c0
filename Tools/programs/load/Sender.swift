import NIOCore
import NIOHTTP1
import NIOPosix

/// An answer of the server.
struct Answer: Sendable {
    let status: Int
    let headers: HTTPHeaders
    let body: [UInt8]
}

/// Sends requests over many connections of one event loop. A request waits if no connection is free.
final class Sender: @unchecked Sendable {
    // Sendable: mutable state is accessed only on the event loop.
    let loop: any EventLoop
    private let host: String
    private let address: SocketAddress
    private let path: String
    private let limit: Int
    private var open = 0
    private var idle: [ClientConnection] = []
    private var waiting: CircularBuffer<Request> = []

    /// A request and a callback, which gets the answer, or nil if the connection failed, and the time of sending.
    struct Request {
        var method = HTTPMethod.POST
        /// The path below the sender's path.
        var resource = "/records"
        var body = ByteBuffer()
        var headers: HTTPHeaders = [:]
        let answered: (Answer?, ContinuousClock.Instant) -> Void
    }

    /// A sender of requests for resources below `path`, over at most `limit` connections.
    init(loop: any EventLoop, host: String, port: Int, path: String, limit: Int) throws {
        self.loop = loop
        self.host = host
        // Resolved only once, to its first address, since thousands of connections are opened.
        address = try SocketAddress.makeAddressResolvingHost(host, port: port)
        self.path = path
        self.limit = limit
    }

    /// The number of requests waiting for a connection.
    var backlog: Int { waiting.count }

    /// Sends a request as soon as a connection is free. Call it on the event loop.
    func send(_ request: Request) {
        if let connection = idle.popLast() { return connection.send(request, path: path) }
        waiting.append(request)
        if open < limit { connect() }
    }

    private func connect() {
        open += 1
        let bootstrap = ClientBootstrap(group: loop).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let connection = ClientConnection(host: self.host, freed: self.freed, closed: self.closed)
                try channel.pipeline.syncOperations.addHTTPClientHandlers()
                try channel.pipeline.syncOperations.addHandler(connection)
            }
        }
        bootstrap.connect(to: address).whenFailure { _ in
            self.open -= 1
            self.waiting.popFirst()?.answered(nil, .now)
            // Retried later: an immediate failure, for want of sockets, would otherwise fail every waiting request.
            self.loop.execute { if !self.waiting.isEmpty, self.open < self.limit { self.connect() } }
        }
    }

    private func freed(_ connection: ClientConnection) {
        if let next = waiting.popFirst() { connection.send(next, path: path) } else { idle.append(connection) }
    }

    private func closed(_ connection: ClientConnection) {
        open -= 1
        idle.removeAll { $0 === connection }
        if !waiting.isEmpty, open < limit { connect() }
    }
}

/// A connection with at most one outstanding request.
final class ClientConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let host: String
    private let freed: (ClientConnection) -> Void
    private let closed: (ClientConnection) -> Void
    private var context: ChannelHandlerContext?
    private var request: Sender.Request?
    private var sent = ContinuousClock.now
    private var head: HTTPResponseHead?
    private var body: [UInt8] = []

    init(
        host: String, freed: @escaping (ClientConnection) -> Void, closed: @escaping (ClientConnection) -> Void
    ) {
        self.host = host
        self.freed = freed
        self.closed = closed
    }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        freed(self)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        request?.answered(nil, sent)
        request = nil
        closed(self)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func send(_ request: Sender.Request, path: String) {
        guard let context else { return request.answered(nil, .now) }
        self.request = request
        sent = .now
        var headers = request.headers
        headers.add(name: "host", value: host)
        if request.method == .POST {
            headers.add(name: "content-type", value: "application/octet-stream")
            headers.add(name: "content-length", value: "\(request.body.readableBytes)")
        }
        let head = HTTPRequestHead(
            version: .http1_1, method: request.method, uri: path + request.resource, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(request.body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body(let part): body += part.readableBytesView
        case .end:
            guard let head, let request else { return }
            let answer = Answer(status: Int(head.status.code), headers: head.headers, body: body)
            (self.head, self.request, body) = (nil, nil, [])
            request.answered(answer, sent)
            if head.isKeepAlive { freed(self) } else { context.close(promise: nil) }
        }
    }
}
