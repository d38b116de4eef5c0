import NIOCore
import NIOHTTPTypes

/// Closes a connection on which more requests wait for an answer than any client needs: each takes memory, and one
/// connection could bring thousands in a moment.
final class PipelineLimit: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart

    /// Requests without an answer at most (RFC 9112, section 9.3.2).
    static let limit = 16

    private var unanswered = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head = unwrapInboundIn(data) {
            unanswered += 1
            if unanswered > Self.limit { context.close(promise: nil) }
        }
        // What was read together with the one too many is for nobody any more.
        if unanswered <= Self.limit { context.fireChannelRead(data) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data), unanswered <= Self.limit { unanswered -= 1 }
        context.write(data, promise: promise)
    }
}
