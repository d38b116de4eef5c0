import NIOCore
import NIOPosix

/// A local SOCKS5 proxy that forwards each connection to the real one and authenticates there.
///
/// AsyncHTTPClient's SOCKS client does not support authentication, but Tor decides by user and password which
/// connections may share a circuit. The client connects to the relay without authentication. The relay logs in to the
/// proxy, and then passes bytes both ways, including the client's own request to connect.
///
/// Another program on this machine can connect to the port while it is open. It learns neither the user and password
/// nor what we send, but what it sends takes this program's circuit.
final class SOCKSRelay: Sendable {
    static let host = "127.0.0.1"
    /// The port it listens on.
    let port: Int
    private let listener: any Channel

    private init(listener: any Channel, port: Int) {
        self.listener = listener
        self.port = port
    }

    /// Listens for connections to forward to `proxy` as `user`. `onNoUsers` is called if the proxy does not ask for a
    /// user.
    static func start(
        to proxy: SOCKSProxy, as user: SOCKSUser, connectTimeout: TimeAmount, onNoUsers: @escaping @Sendable () -> Void
    ) async throws -> SOCKSRelay {
        // A single event loop for everything, so that the two ends of a connection need no lock.
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton.next())
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptedConnections())
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        Reception(proxy: proxy, user: user, connectTimeout: connectTimeout, onNoUsers: onNoUsers))
                }
            }
            .bind(host: host, port: 0).get()
        guard let port = listener.localAddress?.port else { throw ChannelError.unknownLocalAddress }
        return SOCKSRelay(listener: listener, port: port)
    }

    /// Stops listening, and closes the open connections.
    func close() async {
        try? await listener.close()
    }
}

/// Why the login to the proxy failed, as a reply code that SOCKS leaves unassigned: AsyncHTTPClient passes it on
/// unchanged.
enum ProxyRefusal: UInt8 {
    /// Nothing answers at the proxy's address.
    case unreachable = 0xE0
    /// The proxy refuses the user, or every authentication method that we support.
    case user
    /// The peer is not a SOCKS5 proxy, or closes the connection early.
    case noProxy

    /// The answer to a request to connect.
    var answer: ByteBuffer {
        ByteBuffer(bytes: [5, rawValue, 0, 1, 0, 0, 0, 0, 0, 0])
    }
}

/// Closes all accepted connections when the listener closes.
private final class AcceptedConnections: ChannelInboundHandler {
    typealias InboundIn = any Channel
    private var open: [ObjectIdentifier: any Channel] = [:]

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let channel = unwrapInboundIn(data)
        let id = ObjectIdentifier(channel)
        open[id] = channel
        channel.closeFuture.assumeIsolated().whenComplete { _ in self.open[id] = nil }
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        for channel in open.values { channel.close(promise: nil) }
        context.fireChannelInactive()
    }
}

/// The client's end until the login to the proxy succeeds: answers the client's greeting and holds back its request.
private final class Reception: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        case greeting
        case waiting
        case refusing(ProxyRefusal)
    }

    /// The length of the longest greeting and the longest request: a client sends no more before the answer.
    private static let limit = (2 + 255) + (4 + 1 + 255 + 2)
    private let proxy: SOCKSProxy
    private let user: SOCKSUser
    private let connectTimeout: TimeAmount
    private let onNoUsers: @Sendable () -> Void
    private var phase = Phase.greeting
    private var received = ByteBuffer()

    init(
        proxy: SOCKSProxy, user: SOCKSUser, connectTimeout: TimeAmount, onNoUsers: @escaping @Sendable () -> Void
    ) {
        self.proxy = proxy
        self.user = user
        self.connectTimeout = connectTimeout
        self.onNoUsers = onNoUsers
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        guard received.readableBytes <= Self.limit else { return context.close(promise: nil) }
        switch phase {
        case .greeting: greet(context)
        case .waiting: break
        case .refusing(let refusal): refuse(refusal, context)
        }
    }

    /// A client that closes its output has given up: it never does so while it waits for an answer.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    /// Accepts whatever methods the client offers: our own client always offers no authentication.
    private func greet(_ context: ChannelHandlerContext) {
        guard let (version, count) = received.peekPair() else { return }
        guard version == 5 else { return context.close(promise: nil) }
        guard received.readSlice(length: 2 + Int(count)) != nil else { return }
        phase = .waiting
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: [5, 0])), promise: nil)
        openProxy(context)
    }

    private func openProxy(_ context: ChannelHandlerContext) {
        ClientBootstrap(group: context.eventLoop)
            .connectTimeout(connectTimeout)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: proxy.host, port: proxy.port)
            .assumeIsolated().whenComplete { result in
                switch result {
                case .success(let channel): self.logIn(channel, context)
                case .failure: self.refuse(.unreachable, context)
                }
            }
    }

    private func logIn(_ channel: any Channel, _ context: ChannelHandlerContext) {
        // Once the client is gone, nothing waits for the proxy any more.
        context.channel.closeFuture.whenComplete { _ in channel.close(promise: nil) }
        let login = ProxyLogin(user: user, onNoUsers: onNoUsers) { refusal in
            if let refusal { self.refuse(refusal, context) } else { self.handOver(to: channel, context) }
        }
        do {
            try channel.pipeline.syncOperations.addHandler(login)
        } catch {
            refuse(.noProxy, context)
        }
    }

    private func handOver(to channel: any Channel, _ context: ChannelHandlerContext) {
        let (near, far) = Glue.pair()
        do {
            try context.pipeline.syncOperations.addHandler(near)
            try channel.pipeline.syncOperations.addHandler(far)
        } catch {
            return context.close(promise: nil)
        }
        context.fireChannelRead(wrapInboundOut(received))
        context.fireChannelReadComplete()
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    private func refuse(_ refusal: ProxyRefusal, _ context: ChannelHandlerContext) {
        phase = .refusing(refusal)
        // The client expects an answer only after its request.
        guard received.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(refusal.answer)).assumeIsolated().whenComplete { _ in
            context.close(promise: nil)
        }
    }
}

/// The proxy's end until the login succeeds: chooses a method (RFC 1928), and sends user and password (RFC 1929) if the
/// proxy chooses that.
private final class ProxyLogin: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let noAuthentication: UInt8 = 0
    private static let password: UInt8 = 2
    private let user: SOCKSUser
    private let onNoUsers: @Sendable () -> Void
    private var received = ByteBuffer()
    private var isChosen = false
    private var finish: ((ProxyRefusal?) -> Void)?

    /// Calls `finish` once, with nil if the login succeeded.
    init(user: SOCKSUser, onNoUsers: @escaping @Sendable () -> Void, finish: @escaping (ProxyRefusal?) -> Void) {
        self.user = user
        self.onNoUsers = onNoUsers
        self.finish = finish
    }

    func handlerAdded(context: ChannelHandlerContext) {
        // Tor prefers the password. A proxy without users, such as that of ssh, takes the other method.
        send([5, 2, Self.password, Self.noAuthentication], context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        guard let (version, choice) = received.peekPair() else { return }
        // Both answers of the proxy have two bytes, and it sends nothing more unasked.
        guard received.readableBytes == 2 else { return end(.noProxy, context) }
        received.clear()
        if isChosen {
            // The first byte should be 1, but some proxies send 5 again. Only the status matters.
            return end(choice == 0 ? nil : .user, context)
        }
        guard version == 5 else { return end(.noProxy, context) }
        switch choice {
        case Self.noAuthentication:
            onNoUsers()
            end(nil, context)
        case Self.password:
            isChosen = true
            send(user.message, context)
        default: end(.user, context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { end(.noProxy, context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(.noProxy, context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(.noProxy, context)
    }

    private func send(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    }

    private func end(_ refusal: ProxyRefusal?, _ context: ChannelHandlerContext) {
        guard let finish else { return }
        self.finish = nil
        finish(refusal)
        if refusal == nil {
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        } else {
            context.close(promise: nil)
        }
    }
}

/// One of two connected ends: passes what it reads to the other end, no faster than that accepts it, and then the end
/// of the stream.
private final class Glue: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var context: ChannelHandlerContext?
    private var partner: Glue?
    private var waitsToRead = false

    static func pair() -> (Glue, Glue) {
        let (one, other) = (Glue(), Glue())
        one.partner = other
        other.partner = one
        return (one, other)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        partner = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        partner?.context?.write(data, promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        partner?.context?.flush()
    }

    func read(context: ChannelHandlerContext) {
        if partner?.context?.channel.isWritable == true {
            context.read()
        } else {
            waitsToRead = true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable, let partner, partner.waitsToRead else { return }
        partner.waitsToRead = false
        partner.context?.read()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { partner?.end(.output) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        partner?.end(.all)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    /// Closes once everything is written: closing at once would drop pending bytes.
    private func end(_ mode: CloseMode) {
        guard let context else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
            context.close(mode: mode, promise: nil)
        }
    }
}

extension ByteBuffer {
    /// The first two bytes, without consuming them.
    fileprivate func peekPair() -> (UInt8, UInt8)? {
        var copy = self
        return copy.readMultipleIntegers(as: (UInt8, UInt8).self)
    }
}
