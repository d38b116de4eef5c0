import Documents
import InvitationMail
import MailDelivery
import PageParts
import Testing

@Suite struct LetterTemplateTests {
    private func template(_ text: String) throws -> LetterTemplate {
        try LetterTemplate(Array(text.utf8), language: .english)
    }

    private func link() throws -> RollLink {
        let address = try #require(ServiceURL("https://union.example/rolls/members"))
        return try #require(RollLink(address))
    }

    private let good = "Subject: Come\n\nHello\n{{link}}\nCode {{code}}.\n"

    @Test(arguments: Language.allCases) func builtInTextsHaveEverything(language: Language) throws {
        let template = LetterTemplate(language: language)
        for name in LetterTemplate.Placeholder.allCases { #expect(template.text.contains("{{\(name.rawValue)}}")) }
        let link = try link()
        let invitation = InvitationLink(roll: link, code: .random())
        let stop = try #require(ServiceURL("https://union.example/stop/00"))
        let hash = String(repeating: "5e", count: 32)
        let filled = template.filled(
            link: invitation.roll, code: invitation.code, roll: "Members", coordinator: "Union", stop: stop,
            browserSigner: hash)
        let lines = filled.text.split(separator: "\n").map(String.init)
        // Alone in their lines, so that every mail program sees where they end.
        for line in [invitation.text, link.url.text, invitation.code.text, stop.text, hash] {
            #expect(lines.contains(line))
        }
        // Where no signer for browsers is offered, nothing is said of it.
        let without = template.filled(
            link: invitation.roll, code: invitation.code, roll: "Members", coordinator: "Union", stop: stop,
            browserSigner: nil)
        #expect(filled.text.contains("roundrobin-signer.html") && !without.text.contains("roundrobin-signer.html"))
        // Whoever copies all of it, or drops the saved mail on the signer in a browser, has their invitation.
        let mail = try MailMessage(
            from: Mailbox("ada@example.org"), to: MailAddress("bo@example.org"), subject: filled.subject,
            text: filled.text, date: UTCTime(seconds: 0), id: "0", language: language.rawValue, unsubscribe: stop)
        for text in [filled.text, without.text, String(decoding: mail.bytes(), as: UTF8.self)] {
            let read = try PastedInvitation(text)
            #expect(read.roll == link && read.code?.text == invitation.code.text)
        }
        #expect(!without.text.contains("SHA-256") && !without.text.contains("{{") && !without.text.contains("\n\n\n"))
        #expect(!filled.text.contains("{{") && !filled.subject.contains("{{"))
        #expect(!filled.subject.contains(invitation.code.text))
        // As people see it in a terminal and a mail program.
        #expect(lines.allSatisfy { $0.count <= 78 })
    }

    @Test func aNameBringsNoPlaceholderAndNoLine() throws {
        let link = try link()
        let invitation = InvitationLink(roll: link, code: .random())
        let stop = try #require(ServiceURL("https://union.example/stop/00"))
        let text = try template("Subject: {{roll}}\n\n{{coordinator}}\n{{link}}\n{{code}}")
        let filled = text.filled(
            link: link, code: invitation.code, roll: "{{link}}\nBcc: x", coordinator: "{{code}}\r\n.", stop: stop,
            browserSigner: nil)
        #expect(filled.subject == "{{link}} Bcc: x")
        #expect(
            filled.text.split(separator: "\n").map(String.init) == [
                "{{code}}  .", invitation.text, invitation.code.text,
            ])
    }

    @Test func anOrganisersTextIsTaken() throws {
        _ = try template(good)
        _ = try template(good.replacing("\n", with: "\r\n"))
        _ = try template("\u{FEFF}" + good)
        _ = try template(good + "\n\n")
    }

    @Test(
        arguments: [
            ("", .noSubject), ("Hello\n\n{{link}}\n{{code}}", .noSubject),
            ("Subject: x\n{{link}}\n{{code}}", .noSubject),
            ("Subject: x\n\n{{link}}\n", .missing(.code)), ("Subject: x\n\n{{code}}\n", .missing(.link)),
            ("Subject: x\n\nOpen {{link}}\n{{code}}", .linkNotAlone(line: 3)),
            ("Subject: x\n\n{{link}}.\n{{code}}", .linkNotAlone(line: 3)),
            ("Subject: x\n\n {{link}}\n{{code}}", .linkNotAlone(line: 3)),
            ("Subject: x\n\n{{link}} {{page}}\n{{code}}", .linkNotAlone(line: 3)),
            ("Subject: {{code}}\n\n{{link}}\n{{code}}", .inSubject(.code)),
            ("Subject: {{link}}\n\n{{link}}\n{{code}}", .inSubject(.link)),
            ("Subject: {{browser}}\n\n{{link}}\n{{code}}", .inSubject(.browser)),
            ("Subject: x\n\n{{li\nnk}}\n{{link}}\n{{code}}", .placeholder(line: 3, "li")),
            ("Subject: x\n\n{{name}}\n{{link}}\n{{code}}", .placeholder(line: 3, "name")),
            ("Subject: x\n\n{{ link }}\n{{link}}\n{{code}}", .placeholder(line: 3, " link ")),
            ("Subject: x\n\nlink}}\n{{link}}\n{{code}}", .placeholder(line: 3, "}}")),
            ("Subject: x\n\na\rb\n{{link}}\n{{code}}", .line(3)), ("Subject: x\ry\n\n{{link}}\n{{code}}", .line(1)),
            ("Subject: \n\n{{link}}\n{{code}}", .line(1)), ("Subject: x\n\na\0\n{{link}}\n{{code}}", .line(3)),
            ("Subject: x\n\n\(String(repeating: "a", count: 999))\n{{link}}\n{{code}}", .line(3)),
            (String(repeating: "a", count: 40_000), .notText),
        ] as [(String, LetterTemplate.Fault)])
    func othersAreRefused(text: String, fault: LetterTemplate.Fault) {
        #expect(throws: fault) { try template(text) }
    }

    @Test func whatIsNoTextIsRefused() {
        #expect(throws: LetterTemplate.Fault.notText) { try LetterTemplate([0xFF, 0xFE], language: .english) }
    }
}
