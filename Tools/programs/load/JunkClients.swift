import ArgumentParser
import Documents
import NIOCore
import NIOPosix
import Petitions
import RingSignatures
import Sodium

/// The kinds of junk.
enum Junk: String, CaseIterable, ExpressibleByArgument {
    /// Random bytes.
    case random
    /// Records with a valid layout, points and scalars, but a wrong proof; each with a different tag.
    case wrong
    /// Records that have already been sent.
    case duplicate
    /// Bodies of a megabyte.
    case giant

    /// A body of this kind; some kinds are made from good `records`.
    fileprivate func body(_ records: [[UInt8]]) -> [UInt8] {
        let record = records[Int.random(in: 0..<records.count)]
        switch self {
        case .random: return SystemRandomness.bytes(record.count)
        case .giant: return [UInt8](repeating: 1, count: 1 << 20)
        case .duplicate: return record
        case .wrong:
            // Uses a point of another record as the tag, which the index of tags cannot contain yet, and changes z.
            let other = records[Int.random(in: 0..<records.count)]
            var wrong = record
            let tag = RecordOutline.signature(roll: 0, ring: 0).tagRange
            let point = tag.upperBound + 32 * Int.random(in: 0..<4)
            wrong.replaceSubrange(tag, with: other[point..<point + 32])
            wrong[wrong.count - 32] ^= UInt8.random(in: 1...255)
            return wrong
        }
    }

    /// True if the server does not read the whole body: then nothing is sent after it.
    fileprivate var endsConnection: Bool { self == .giant }
}

/// Attackers who want the petition to fail with as little work of their own as possible: they pipeline requests on each
/// connection (RFC 9112 section 9.3.2), and parse answers only as far as counting needs.
final class JunkClients: @unchecked Sendable {
    // Sendable: mutable state is accessed only on the event loop.
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
    /// The index of the connection to be used next.
    private var next = 0
    private var counts: [String: Int] = [:]

    /// How often each kind of answer came, and how many answers are outstanding.
    var answers: [String: Int] {
        let unanswered = connections.reduce(0) { $0 + $1.unanswered }
        return unanswered == 0 ? counts : counts.merging(["unanswered": unanswered]) { $1 }
    }

    /// Sends junk of `kinds` in turn, `rate` per second, over at most `connections` connections. Throws if the server's
    /// name cannot be resolved.
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
            // The server accepts them no faster.
            counts["not-sent", default: 0] += due.upperBound - number
            break
        }
        for connection in connections { connection.flush() }
    }

    /// Sends one body on the next connection that has room for it; false if none has.
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

/// A connection that sends junk.
private final class JunkConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The number of pipelined requests.
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

    /// The kind under which the next answer is counted; nil until the answer is complete.
    private func takeAnswer() -> String? {
        let answer = unread.withUnsafeReadableBytes { bytes -> (kind: String, count: Int)? in
            guard let end = bytes.firstRange(of: "\r\n\r\n") else { return nil }
            let head = UnsafeRawBufferPointer(rebasing: bytes[..<end.upperBound])
            // Matches Content-Length in any capitalisation.
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

/// Connections that send a never-ending request at one byte per second.
final class SlowClients: @unchecked Sendable {
    // Sendable: mutable state is accessed only on the event loop.
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
            // Every other connection does not even finish the head.
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
