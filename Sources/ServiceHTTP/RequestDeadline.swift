import NIOCore
import NIOHTTPTypes

/// Closes a connection whose request is not complete in time, even if its bytes keep trickling in. The time for
/// preparing the answer is not limited here.
final class RequestDeadline: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart

    /// How long a request may take from its head to its end.
    static let limit = TimeAmount.seconds(10)

    /// How long a client may go without reading a pending answer.
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
        // Most requests arrive in one read; only the others need a timer.
        if isReading, deadline == nil {
            let channel = context.channel
            deadline = context.eventLoop.scheduleTask(in: Self.limit) { channel.close(promise: nil) }
        }
        context.fireChannelReadComplete()
    }

    /// Closes the connection of a client that stops reading its answers.
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
