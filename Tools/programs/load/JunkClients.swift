import ArgumentParser
import Documents
import NIOCore
import NIOPosix
import Petitions
import RingSignatures
import Sodium

/// What junk there is.
enum Junk: String, CaseIterable, ExpressibleByArgument {
    /// Random bytes.
    case random
    /// Valid layout, points and scalars, a wrong proof; each with another tag.
    case wrong
    /// Records that were sent before.
    case duplicate
    /// Bodies of a megabyte.
    case giant

    /// One of this kind, some made from good `records`.
    fileprivate func body(_ records: [[UInt8]]) -> [UInt8] {
        let record = records[Int.random(in: 0..<records.count)]
        switch self {
        case .random: return SystemRandomness.bytes(record.count)
        case .giant: return [UInt8](repeating: 1, count: 1 << 20)
        case .duplicate: return record
        case .wrong:
            // A point of another record as tag, in the one index where it cannot be known before; another z.
            let other = records[Int.random(in: 0..<records.count)]
            var wrong = record
            let point = SignatureHeader.tagRange.upperBound + 32 * Int.random(in: 0..<4)
            wrong.replaceSubrange(SignatureHeader.tagRange, with: other[point..<point + 32])
            wrong[wrong.count - 32] ^= UInt8.random(in: 1...255)
            return wrong
        }
    }

    /// The server does not read the whole body: nothing is sent behind it.
    fileprivate var endsConnection: Bool { self == .giant }
}

/// Whoever wants the petition to fail, with as little work of his own as he can: several requests are on their way on
/// each connection (RFC 9112, section 9.3.2), and of an answer no more is read than by what it is counted.
final class JunkClients: @unchecked Sendable {
    // Sendable: everything that changes is touched on the event loop alone.
    private static let openedAtOnce = 16

    private let kinds: [Junk]
    private let records: [[UInt8]]
    private let url: ServiceURL
    private let address: SocketAddress
    private let loop: any EventLoop
    private let limit: Int
    private var arrivals: Arrivals
    private var connections: [JunkConnection] = []
    private var opening = 0
    /// The connection whose turn it is.
    private var next = 0
    private var counts: [String: Int] = [:]

    /// How often each kind of answer came, and how many are on their way.
    var answers: [String: Int] {
        let unanswered = connections.reduce(0) { $0 + $1.unanswered }
        return unanswered == 0 ? counts : counts.merging(["unanswered": unanswered]) { $1 }
    }

    /// Junk of `kinds` in turn, `rate` a second, over `connections` at most. Throws when the server's name is not
    /// known.
    init(
        _ kinds: [Junk], made from: [[UInt8]], to url: ServiceURL, on loop: any EventLoop, rate: Double,
        connections: Int
    ) throws {
        self.kinds = kinds
        records = from
        self.url = url
        address = try SocketAddress.makeAddressResolvingHost(url.host, port: url.port)
        self.loop = loop
        limit = connections
        arrivals = Arrivals(rate: rate)
    }

    func tick() {
        let due = arrivals.takeDue()
        let missing = limit - connections.count - opening
        for _ in 0..<min(due.count, missing, Self.openedAtOnce) { connect() }
        for number in due where !send(kinds[number % kinds.count]) {
            // The server does not take them any faster.
            counts["not-sent", default: 0] += due.upperBound - number
            break
        }
        for connection in connections { connection.flush() }
    }

    /// Sends one on the next connection that has room for it; false when none has.
    private func send(_ kind: Junk) -> Bool {
        for step in connections.indices {
            let index = (next + step) % connections.count
            guard connections[index].hasRoom else { continue }
            next = index + 1
            connections[index].add(kind, request(kind.body(records)))
            return true
        }
        return false
    }

    private func request(_ body: [UInt8]) -> ByteBuffer {
        let head = """
            POST \(url.path)/records HTTP/1.1\r\nhost: \(url.host)\r\n\
            content-type: application/octet-stream\r\ncontent-length: \(body.count)\r\n\r\n
            """
        var buffer = ByteBuffer(string: head)
        buffer.writeBytes(body)
        return buffer
    }

    private func connect() {
        opening += 1
        let bootstrap = ClientBootstrap(group: loop).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let connection = JunkConnection(opened: self.opened, closed: self.closed, count: self.count)
                try channel.pipeline.syncOperations.addHandler(connection)
            }
        }
        bootstrap.connect(to: address).whenFailure { _ in self.opening -= 1 }
    }

    private func opened(_ connection: JunkConnection) {
        opening -= 1
        connections.append(connection)
    }

    private func closed(_ connection: JunkConnection) { connections.removeAll { $0 === connection } }

    private func count(_ kind: String) { counts[kind, default: 0] += 1 }
}

/// One connection for junk.
private final class JunkConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Requests on their way at once.
    private static let depth = 16

    private let opened: (JunkConnection) -> Void
    private let closed: (JunkConnection) -> Void
    private let count: (String) -> Void
    private var context: ChannelHandlerContext?
    private(set) var unanswered = 0
    private var isEnding = false
    private var unwritten = ByteBuffer()
    private var unread = ByteBuffer()

    init(
        opened: @escaping (JunkConnection) -> Void, closed: @escaping (JunkConnection) -> Void,
        count: @escaping (String) -> Void
    ) {
        self.opened = opened
        self.closed = closed
        self.count = count
    }

    var hasRoom: Bool { !isEnding && context != nil && unanswered < Self.depth }

    func add(_ kind: Junk, _ request: ByteBuffer) {
        unanswered += 1
        isEnding = kind.endsConnection
        unwritten.writeImmutableBuffer(request)
    }

    func flush() {
        guard let context, unwritten.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(unwritten), promise: nil)
        unwritten = ByteBuffer()
    }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        opened(self)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        for _ in 0..<unanswered { count("no-answer") }
        closed(self)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        unread.writeImmutableBuffer(unwrapInboundIn(data))
        while let kind = takeAnswer() {
            unanswered -= 1
            count(kind)
        }
        if isEnding, unanswered == 0 { context.close(promise: nil) }
        unread.discardReadBytes()
    }

    /// What the next answer is counted by, nil until it is here whole.
    private func takeAnswer() -> String? {
        let answer = unread.withUnsafeReadableBytes { bytes -> (kind: String, count: Int)? in
            guard let end = bytes.firstRange(of: "\r\n\r\n") else { return nil }
            let head = UnsafeRawBufferPointer(rebasing: bytes[..<end.upperBound])
            // Of Content-Length, however it is spelled.
            let length = head.firstRange(of: "ength: ").flatMap { range in
                UInt16(String(decoding: head[range.upperBound...].prefix { $0 != UInt8(ascii: "\r") }, as: UTF8.self))
            }
            let count = head.count + Int(length ?? 0)
            guard bytes.count >= count else { return nil }
            let isGood = head.dropFirst("HTTP/1.1 ".count).first == UInt8(ascii: "2")
            return (isGood ? "good" : Refusal.rule(UnsafeRawBufferPointer(rebasing: bytes[head.count..<count])), count)
        }
        guard let answer else { return nil }
        unread.moveReaderIndex(forwardBy: answer.count)
        return answer.kind
    }
}

/// Connections that send one byte a second of a request that never ends.
final class SlowClients: @unchecked Sendable {
    // Sendable: everything that changes is touched on the event loop alone.
    private let host: String
    private let port: Int
    private let path: String
    private let count: Int
    private var channels: [any Channel] = []
    private var ticker: RepeatedTask?

    init(host: String, port: Int, path: String, count: Int) {
        self.host = host
        self.port = port
        self.path = path
        self.count = count
    }

    func start(on loop: any EventLoop) async throws {
        guard count > 0 else { return }
        let head = "POST \(path) HTTP/1.1\r\nhost: \(host)\r\ncontent-length: 900\r\n\r\n"
        for index in 0..<count {
            guard let channel = try? await ClientBootstrap(group: loop).connect(host: host, port: port).get() else {
                continue
            }
            // Every other one does not even finish its head.
            let text = index % 2 == 0 ? head : String(head.dropLast(2))
            try? await channel.writeAndFlush(ByteBuffer(string: text))
            channels.append(channel)
        }
        let channels = channels
        ticker = loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            for channel in channels { channel.writeAndFlush(ByteBuffer(string: "x"), promise: nil) }
        }
    }

    func stop() {
        ticker?.cancel()
        for channel in channels { channel.close(promise: nil) }
    }
}
