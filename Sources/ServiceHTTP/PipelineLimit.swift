import NIOCore
import NIOHTTPTypes

/// Closes a connection on which more requests await answers than any client needs: each takes memory, and one
/// connection could deliver thousands at once.
final class PipelineLimit: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart

    /// The largest number of unanswered requests (RFC 9112 section 9.3.2).
    static let limit = 16

    private var unanswered = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head = unwrapInboundIn(data) {
            unanswered += 1
            if unanswered > Self.limit { context.close(promise: nil) }
        }
        // Drop whatever was read beyond the limit.
        if unanswered <= Self.limit { context.fireChannelRead(data) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data), unanswered <= Self.limit { unanswered -= 1 }
        context.write(data, promise: promise)
    }
}
