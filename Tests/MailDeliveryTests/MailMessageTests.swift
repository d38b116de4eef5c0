import Documents
import Foundation
import MailDelivery
import Testing

@Suite struct MailMessageTests {
    private func message(
        from: String = "Harbour Union <invite@union.example>", subject: String = "Hello", text: String = "One\nTwo",
        seconds: Int64 = 1_795_949_588
    ) throws -> MailMessage {
        try MailMessage(
            from: try Mailbox(from), to: try MailAddress("ada@example.org"), subject: subject, text: text,
            date: UTCTime(seconds: seconds), id: "0a1b", language: "en",
            unsubscribe: ServiceURL("https://union.example/stop/00"))
    }

    private func text(_ message: MailMessage) -> String { String(decoding: message.bytes(), as: UTF8.self) }

    @Test func aPlainMailIsSentAsItIs() throws {
        #expect(
            text(try message()) == """
                Date: Sun, 29 Nov 2026 10:53:08 +0000\r
                From: "Harbour Union" <invite@union.example>\r
                To: <ada@example.org>\r
                Subject: Hello\r
                Message-ID: <0a1b@union.example>\r
                Auto-Submitted: auto-generated\r
                List-Unsubscribe: <https://union.example/stop/00>\r
                List-Unsubscribe-Post: List-Unsubscribe=One-Click\r
                MIME-Version: 1.0\r
                Content-Type: text/plain; charset=utf-8\r
                Content-Transfer-Encoding: 7bit\r
                Content-Language: en\r
                \r
                One\r
                Two\r

                """)
        #expect(!String(decoding: try message().bytes(lineEnd: "\n"), as: UTF8.self).contains("\r"))
    }

    @Test(
        arguments: [
            (0, "Thu, 1 Jan 1970 00:00:00 +0000"), (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 +0000"),
            (-1, "Wed, 31 Dec 1969 23:59:59 +0000"), (4_102_444_800, "Fri, 1 Jan 2100 00:00:00 +0000"),
        ] as [(Int64, String)])
    func datesAreThoseOfTheCalendar(seconds: Int64, date: String) throws {
        #expect(text(try message(seconds: seconds)).hasPrefix("Date: \(date)\r\n"))
    }

    @Test func namesAndSubjectsAreQuotedOrEncoded() throws {
        func header(_ name: String, _ message: MailMessage) -> String? {
            text(message).split(separator: "\r\n").first { $0.hasPrefix(name) }.map(String.init)
        }
        let quoted = try message(from: "Un\"ion, <Harbour\\> <invite@union.example>")
        #expect(header("From", quoted) == #"From: "Un\"ion, <Harbour\\>" <invite@union.example>"#)
        let encoded = try message(from: "Syndicat français <invite@union.example>", subject: "Größe")
        #expect(header("From", encoded) == "From: =?utf-8?B?U3luZGljYXQgZnJhbsOnYWlz?=")
        #expect(text(encoded).contains("\r\n <invite@union.example>\r\nTo:"))
        #expect(header("Subject", encoded) == "Subject: =?utf-8?B?R3LDtsOfZQ==?=")
        // What only looks encoded is encoded.
        #expect(header("Subject", try message(subject: "=?utf-8?B?aGFoYQ==?=")) != "Subject: =?utf-8?B?aGFoYQ==?=")
        let long = try message(subject: String(repeating: "è ", count: 200))
        #expect(text(long).split(separator: "\r\n").allSatisfy { $0.utf8.count <= 78 })
    }

    @Test(arguments: ["One\rTwo", "One\0", "One\u{1B}[2J", "One\u{2028}Two", "One\u{85}"])
    func nothingSteersAProgram(text: String) {
        #expect(throws: MailMessage.Fault.line(1)) { try message(text: text) }
        #expect(throws: MailMessage.Fault.subject) { try message(subject: text) }
    }

    @Test func whatIsTooLongIsRefused() throws {
        #expect(throws: MailMessage.Fault.line(2)) { try message(text: "a\n" + String(repeating: "b", count: 999)) }
        _ = try message(text: String(repeating: "b", count: 998))
        #expect(throws: MailMessage.Fault.tooLarge) { try message(text: String(repeating: "b\n", count: 40_000)) }
        #expect(throws: MailMessage.Fault.subject) { try message(subject: String(repeating: "b", count: 901)) }
        #expect(throws: MailMessage.Fault.subject) { try message(subject: "") }
        #expect(throws: MailMessage.Fault.subject) { try message(subject: "a\nBcc: eve@example.org") }
    }

    /// Read back by a library that did not write it, Python's.
    @Test func otherProgramsReadTheSame() throws {
        let texts = [
            "Grüße aus dem Hafen\n\nhttps://union.example/rolls/members-2027#\(String(repeating: "0", count: 27))\n.\nFrom here",
            "Ends with a space \nand a tab\t\n= signs =3D\n" + String(repeating: "ü", count: 300),
            "From the harbour\n.dot\n\n..\nplain",
            String(repeating: "x", count: 75) + "é" + String(repeating: "y", count: 200),
        ]
        let subjects = ["Einladung: Größe", "Plain", String(repeating: "日本", count: 60), " spaces  inside "]
        let program = """
            import sys, email, email.policy, json
            m = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
            print(json.dumps([m['subject'], m.get_content(), str(m['from'].addresses[0].display_name), len(m.defects)]))
            """
        for (text, subject) in zip(texts, subjects) {
            let mail = try message(from: "Gewerkschaft „Hafen“ <invite@union.example>", subject: subject, text: text)
            let lines = String(decoding: mail.bytes(), as: UTF8.self).split(separator: "\r\n")
            #expect(lines.allSatisfy { $0.utf8.count <= 100 && !$0.hasPrefix("From ") && $0.last != " " })
            let process = Process()
            let (input, output) = (Pipe(), Pipe())
            process.executableURL = URL(filePath: "/usr/bin/python3")
            process.arguments = ["-c", program]
            (process.standardInput, process.standardOutput) = (input, output)
            try process.run()
            try input.fileHandleForWriting.write(contentsOf: Data(mail.bytes()))
            try input.fileHandleForWriting.close()
            let said = try output.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            let read = try #require(try JSONSerialization.jsonObject(with: said) as? [Any])
            #expect(read[0] as? String == subject)
            #expect((read[1] as? String)?.replacing("\r\n", with: "\n") == text + "\n")
            #expect(read[2] as? String == "Gewerkschaft „Hafen“")
            #expect(read[3] as? Int == 0)
        }
    }
}

@Suite struct SMTPReplyTests {
    @Test func repliesAreRead() throws {
        let one = try #require(SMTPReply(lines: ["550 5.1.1 <ada@example.org> does not exist"]))
        #expect(one.code == 550 && one.enhanced == "5.1.1" && one.text == "<ada@example.org> does not exist")
        #expect(one.numbers == "550 5.1.1")
        let many = try #require(SMTPReply(lines: ["421-4.3.2 closing", "421 4.3.2 come again"]))
        #expect(many.code == 421 && many.enhanced == "4.3.2" && many.text == "closing come again")
        #expect(try #require(SMTPReply(lines: ["250"])).description == "250")
        // A code of another class is no enhanced code of this reply.
        #expect(try #require(SMTPReply(lines: ["450 5.1.1 x"])).enhanced == nil)
        #expect(try #require(SMTPReply(lines: ["550 5.1 x"])).enhanced == nil)
    }

    @Test(arguments: ["", "25", "abc", "250x", "099 x", "600 x", "2 50"]) func othersAreNone(line: String) {
        #expect(SMTPReply(lines: [line]) == nil)
        #expect(SMTPReply(lines: []) == nil)
        #expect(SMTPReply(lines: ["250 good", line]) == nil)
    }

    @Test func hostileTextIsOneShortLine() throws {
        let reply = try #require(
            SMTPReply(lines: ["550 \u{1B}[2J\u{202E}evil\r\n" + String(repeating: "é", count: 500)]))
        #expect(reply.text.utf8.count <= 200 && reply.text.unicodeScalars.allSatisfy { $0.value >= 0x20 })
        #expect(!reply.text.contains("\u{202E}"))
    }

    /// A filter quotes what it does not like.
    @Test func noAnswerKeepsALinkOrACode() throws {
        let code = "73HP2QK8M4N5P6R7S8T9V0W1XYZ"
        for quoted in [
            "https://union.example/rolls/m#\(code)", code, "73HP2-QK8M4-N5P6R-7S8T9-V0W1X-YZ", code.lowercased(),
            "AGludml0ZQBzZWNyZXQgc2VjcmV0",
        ] {
            let reply = try #require(SMTPReply(lines: ["554 5.7.1 blocked \(quoted) found"]))
            #expect(reply.text == "blocked … found")
        }
        // In words that are short.
        let spaced = try #require(SMTPReply(lines: ["554 blocked 73HP2 QK8M4 N5P6R found"]))
        #expect(spaced.quotes(code) && !spaced.quotes(String(repeating: "Z", count: 27)))
        #expect(Delivery.refused(spaced).without(code) == .refused(spaced.wordless))
        let plain = try #require(SMTPReply(lines: ["550 5.1.1 <ada.longname@mail.example.org> unknown"]))
        #expect(plain.text == "<ada.longname@mail.example.org> unknown" && !plain.quotes(code))
    }

    @Test func triesHaveTheirTimes() {
        let minute: Int64 = 60
        var (now, times, tries) = (Int64(0), [Int64](), 0)
        while let next = RetrySchedule.next(afterTries: tries + 1, since: 0, now: now) {
            tries += 1
            times.append(next - now)
            now = next
        }
        #expect(
            times == [1, 5, 15, 60, 240, 720, 720, 720, 720, 720].map { $0 * minute },
            "one try each, and the last within three days: \(times)")
        #expect(now <= RetrySchedule.longest)
    }
}
