import InvitationMail
import MailDelivery
import Testing

@Suite struct BounceReportTests {
    private let token = String(repeating: "0a", count: 16)
    private var bounces: MailAddress { get throws { try MailAddress("back@union.example") } }

    private func report(_ text: String) throws -> BounceReport? {
        BounceReport(Array(text.replacing("TOKEN", with: token).utf8), bounces: try bounces)
    }

    /// As RFC 3464 has it.
    private let failure = """
        From: Mail Delivery System <MAILER-DAEMON@mx.example>
        To: back+TOKEN@union.example
        Auto-Submitted: auto-replied
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=delivery-status; boundary="b"

        --b

        Your message could not be delivered.

        --b
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.example

        Final-Recipient: rfc822; ada@example.org
        Action: failed
        Status: 5.1.1
        Diagnostic-Code: smtp; 550 5.1.1 no such user

        --b--
        """

    @Test func reportsAreRead() throws {
        let read = try #require(try report(failure))
        #expect(read.token.text == token && read.meaning == .failed)
        #expect(read.text == "5.1.1 smtp; 550 5.1.1 no such user")
        // Whatever the ends of lines and the case.
        let other = failure.replacing("\n", with: "\r\n").replacing("back+TOKEN", with: "Back+\(token.uppercased())")
        #expect(try report(other) == read)
        #expect(try report(failure.replacing("Action: failed", with: "Action: delayed"))?.meaning == .delayed)
        #expect(try report(failure.replacing("Action: failed", with: "Action: relayed"))?.meaning == .other)
    }

    @Test func theTokenMayBeAnywhere() throws {
        #expect(try report("Delivered-To: back+TOKEN@union.example\nFrom: <MAILER-DAEMON>\n\nx")?.meaning == .failed)
        #expect(try report("From: mailer-daemon@x\n\nReturn-Path: <back+TOKEN@union.example>\n")?.meaning == .failed)
        // A mail system that makes no reports is known by its name.
        #expect(try report("From: MAILER-DAEMON@x.y\nTo: back+TOKEN@union.example\n\nno")?.meaning == .failed)
    }

    @Test func answersAreNoBounces() throws {
        #expect(try report("From: ada@example.org\nTo: back+TOKEN@union.example\n\nHello")?.meaning == .other)
        let holiday = "Return-Path: <>\nAuto-Submitted: auto-generated\nTo: back+TOKEN@union.example\n\nI am on holiday"
        #expect(try report(holiday)?.meaning == .other)
        let absent = "Return-Path: <>\nAuto-Submitted: auto-replied\nTo: back+TOKEN@union.example\n\nI am away"
        #expect(try report(absent)?.meaning == .other)
    }

    @Test(arguments: [
        "", "back+", "back+TOKEN", "back+TOKEN@other.example", "back+00@union.example", "bäck+TOKEN@union.example",
        "back+TOKENff@union.example", "back+zz@union.example", String(repeating: "back+", count: 1000),
    ])
    func othersAreNotOurs(text: String) throws {
        #expect(try report("Return-Path: <>\n\n\(text)") == nil)
    }

    @Test func hostileReportsAreShort() throws {
        let long = failure.replacing("no such user", with: String(repeating: "\u{1B}[2Jx", count: 100_000))
        let read = try #require(try report(long))
        #expect(read.text.utf8.count <= 200 && read.text.unicodeScalars.allSatisfy { $0.value >= 0x20 })
        // Scalars that make one Character of a whole text.
        for scalar in ["\u{1F1E6}", "\u{0301}", "\u{200D}\u{1F468}"] {
            let flags = failure.replacing("no such user", with: String(repeating: scalar, count: 200_000))
            #expect(try #require(try report(flags)).text.utf8.count <= 200)
        }
        var bytes = [UInt8](repeating: UInt8(ascii: "b"), count: 5 << 20)
        bytes.replaceSubrange((4 << 20)..., with: Array(failure.utf8))
        #expect(BounceReport(bytes, bounces: try bounces) == nil)
    }
}
