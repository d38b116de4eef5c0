import NIOCore
import NIOHTTPTypes

/// Closes a connection whose request does not arrive whole in time, however slowly its bytes trickle in. Time for the
/// answer is not limited here.
final class RequestDeadline: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart

    /// From the head of a request to its end.
    static let limit = TimeAmount.seconds(10)

    /// For which nothing of an answer may be taken.
    static let readingLimit = TimeAmount.seconds(30)

    private var isReading = false
    private var unread: Scheduled<Void>?
    private var deadline: Scheduled<Void>?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: isReading = true
        case .end:
            isReading = false
            deadline?.cancel()
            deadline = nil
        case .body: break
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Most requests are read at once: only the others cost a timer.
        if isReading, deadline == nil {
            let channel = context.channel
            deadline = context.eventLoop.scheduleTask(in: Self.limit) { channel.close(promise: nil) }
        }
        context.fireChannelReadComplete()
    }

    /// Whoever asks for much and does not read it is not waited for.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        unread?.cancel()
        unread = nil
        if !context.channel.isWritable {
            let channel = context.channel
            unread = context.eventLoop.scheduleTask(in: Self.readingLimit) { channel.close(promise: nil) }
        }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        unread?.cancel()
        context.fireChannelInactive()
    }
}
