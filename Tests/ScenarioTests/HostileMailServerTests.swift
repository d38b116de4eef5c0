import Documents
import Foundation
import MailDelivery
import Testing

/// Servers that are no mail servers: they cut, fall silent, or never stop.
@Suite(.withinTheRun) struct HostileMailServerTests {
    /// What a session makes of a server that answers like this, and how long that takes.
    private func send(
        patience: Duration = .seconds(2), _ answer: @escaping @Sendable (Int32) -> Void
    ) throws -> (Delivery, Duration) {
        let port = try freePort()
        let listener = try Sockets.listen(UInt16(port))
        defer { close(listener) }
        Sockets.serve(listener, answer)
        let server = try #require(MailServer("smtp://localhost:\(port)"))
        let session = SMTPSession(server: server, client: "town.example", credentials: nil, patience: patience)
        let message = try MailMessage(
            from: try Mailbox("invite@town.example"), to: try MailAddress("ada@example.org"), subject: "x", text: "y",
            date: UTCTime(seconds: 0), id: "0", language: "en")
        let start = ContinuousClock.now
        return (session.send(message, from: try MailAddress("invite@town.example")), ContinuousClock.now - start)
    }

    /// Answers the first commands well, and then as `end` does.
    private static func answers(_ count: Int, _ end: @escaping @Sendable (Int32) -> Void) -> @Sendable (Int32) -> Void {
        { connection in
            let replies = ["220 x\r\n", "250 x\r\n", "250 x\r\n", "250 x\r\n", "354 x\r\n", "250 x\r\n"]
            for (index, reply) in replies.prefix(count).enumerated() {
                if index > 0 { _ = read(connection, isText: index == 5) }
                Sockets.write(Array(reply.utf8), to: connection)
            }
            if count > 0 { _ = read(connection, isText: count == 5) }
            end(connection)
        }
    }

    private static func read(_ connection: Int32, isText: Bool) -> Bool {
        var (line, byte) = ([UInt8](), UInt8(0))
        while recv(connection, &byte, 1, 0) == 1 {
            line.append(byte)
            if line.suffix(isText ? 5 : 2).elementsEqual((isText ? "\r\n.\r\n" : "\r\n").utf8) { return true }
        }
        return false
    }

    @Test(arguments: 0...5) func aServerThatCutsAtEachCommand(count: Int) throws {
        let (outcome, _) = try send(Self.answers(count) { _ in })
        // Before MAIL nothing was tried; from then on the server may have it.
        switch outcome {
        case .unreachable: #expect(count < 2)
        case .unknown: #expect(count >= 2)
        default: Issue.record("\(count): \(outcome)")
        }
    }

    @Test(arguments: 0...4) func aServerThatFallsSilent(count: Int) throws {
        let (outcome, time) = try send(patience: .seconds(1), Self.answers(count) { _ in sleep(30) })
        #expect(time < .seconds(20))
        switch outcome {
        case .unreachable: #expect(count < 2)
        case .unknown: #expect(count >= 2)
        default: Issue.record("\(count): \(outcome)")
        }
    }

    /// The answer to a text may take longer: a scanner reads it.
    @Test func theAnswerToATextMayTakeLonger() throws {
        let (outcome, _) = try send(
            patience: .seconds(1),
            Self.answers(5) { connection in
                sleep(3)
                Sockets.write(Array("250 2.0.0 scanned\r\n".utf8), to: connection)
                _ = Self.read(connection, isText: false)
            })
        #expect(outcome == .accepted(SMTPReply(code: 250, enhanced: "2.0.0", text: "scanned")))
    }

    @Test(arguments: ["250-more\r\n", String(repeating: "x", count: 4096), "250 \u{1B}[2J\r\n", "\0\r\n"])
    func aServerThatNeverStops(reply: String) throws {
        for count in [0, 2] {
            let (outcome, time) = try send(
                Self.answers(count) { connection in
                    // Slowly, so that no limit of size is reached first.
                    for _ in 0..<600 {
                        let sent = Array(reply.utf8).withUnsafeBytes {
                            Foundation.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                        }
                        guard sent > 0 else { return }
                        usleep(50_000)
                    }
                })
            #expect(time < .seconds(25))
            switch outcome {
            case .unreachable, .unknown: break
            default: Issue.record("\(outcome)")
            }
        }
    }
}
