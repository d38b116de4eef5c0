import MailDelivery
import Testing

@Suite struct MailAddressTests {
    @Test(arguments: [
        ("ada@example.org", "ada@example.org"), (" Ada.Ahr+x@EXAMPLE.org ", "Ada.Ahr+x@example.org"),
        ("o'neil@example.org", "o'neil@example.org"), ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"), ("a@straße.example", "a@xn--strae-oqa.example"),
        ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example"), ("root@localhost", "root@localhost"),
        ("a@例え.テスト", "a@xn--r8jz45g.xn--zckzah"), ("!#$%&'*+-/=?^_`{|}~@x.y", "!#$%&'*+-/=?^_`{|}~@x.y"),
    ])
    func isRead(text: String, address: String) throws {
        #expect(try MailAddress(text).text == address)
    }

    @Test(
        arguments: [
            ("", .incomplete), ("ada", .incomplete), ("@example.org", .incomplete), ("ada@", .incomplete),
            ("a@b@example.org", .severalAts), ("ada@example.org\r\nRCPT TO:<eve@x.y>", .controlCharacter),
            ("ada\n@example.org", .controlCharacter), ("ada@example.org\n", .controlCharacter),
            ("ada\0@example.org", .controlCharacter), ("ada@exam\u{85}ple.org", .controlCharacter),
            ("a da@example.org", .symbol(" ")), ("\"ada\"@example.org", .symbol("\"")),
            ("<ada@example.org", .symbol("<")),
            ("ada(x)@example.org", .symbol("(")), ("a,b@example.org", .symbol(",")), ("a;b@example.org", .symbol(";")),
            ("a:b@example.org", .symbol(":")), ("a\\b@example.org", .symbol("\\")), ("jürgen@example.org", .notASCII),
            ("Ada@example.org".replacing("A", with: "А"), .notASCII), (".ada@example.org", .dots),
            ("ada.@example.org", .dots), ("a..b@example.org", .dots), ("ada@[127.0.0.1]", .literal),
            ("ada@[IPv6:::1]", .literal), ("ada@example", .domain("example")), ("ada@example.", .domain("example.")),
            ("ada@.example.org", .domain(".example.org")), ("ada@-x.org", .domain("-x.org")),
            ("ada@a_b.org", .domain("a_b.org")), ("ada@a b.org", .domain("a b.org")),
            ("ada@example.org>", .domain("example.org>")), ("ada@10.0.0.1", .domain("10.0.0.1")),
            ("ada@example.org(x)", .domain("example.org(x)")),
            (String(repeating: "a", count: 65) + "@example.org", .tooLong),
            ("a@" + String(repeating: "a.", count: 150) + "org", .tooLong),
        ] as [(String, MailAddress.Fault)])
    func isRefused(text: String, fault: MailAddress.Fault) {
        #expect(throws: fault) { try MailAddress(text) }
    }

    @Test func labelsThatAreTooLongAreNoDomain() {
        let label = String(repeating: "a", count: 64)
        #expect(throws: MailAddress.Fault.domain("\(label).org")) { try MailAddress("a@\(label).org") }
        // Short as written, too long as A-labels.
        let wide = String(repeating: "例え", count: 40)
        #expect(throws: MailAddress.Fault.self) { try MailAddress("a@\(wide).org") }
    }

    @Test func aDetailNamesTheSameMailbox() throws {
        let bounces = try MailAddress("bounces@union.example")
        #expect(bounces.with(detail: "abc")?.text == "bounces+abc@union.example")
        #expect(bounces.with(detail: String(repeating: "a", count: 56))?.localPart.utf8.count == 64)
        #expect(bounces.with(detail: String(repeating: "a", count: 57)) == nil)
    }

    @Test func mailboxesHaveNames() throws {
        #expect(try Mailbox("a@x.org").name.isEmpty)
        #expect(try Mailbox("Harbour Union <invite@union.example>").name == "Harbour Union")
        #expect(try Mailbox("\"Union, Harbour\" <invite@union.example>").name == "Union, Harbour")
        #expect(throws: Mailbox.Fault.name) { try Mailbox("Eve\r\nBcc: all@x.org <a@x.org>") }
        #expect(throws: Mailbox.Fault.address(.incomplete)) { try Mailbox("Union <union>") }
    }

    @Test(
        arguments: [
            ("smtps://mail.example.org", "smtps://mail.example.org:465", .implicit),
            ("smtp://mail.example.org", "smtp://mail.example.org:587", .startTLS),
            ("SMTP://Mail.example.org:25/", "smtp://mail.example.org:25", .startTLS),
            ("smtp://localhost", "smtp://localhost:25", .none),
            ("smtp://127.0.0.1:2525", "smtp://127.0.0.1:2525", .none),
            ("smtp://[::1]:2525", "smtp://[::1]:2525", .none),
            ("smtps://localhost:465", "smtps://localhost:465", .implicit),
            ("smtp://localhost.example.org", "smtp://localhost.example.org:587", .startTLS),
            ("smtp://127.0.0.1.example.org", "smtp://127.0.0.1.example.org:587", .startTLS),
            ("smtp://127.1", "smtp://127.1:587", .startTLS),
            ("smtp://[2001:db8::1]", "smtp://[2001:db8::1]:587", .startTLS),
        ] as [(String, String, MailServer.Encryption)])
    func serversAreRead(text: String, server: String, encryption: MailServer.Encryption) throws {
        let read = try #require(MailServer(text))
        #expect(read.description == server && read.encryption == encryption)
    }

    @Test(arguments: [
        "mail.example.org", "http://mail.example.org", "smtp://", "smtp://user@mail.example.org", "smtp://a b",
        "smtp://mail.example.org/path", "smtp://mail.example.org:0", "smtp://mail.example.org:70000",
        "smtp://mail.example.org:+25", "smtp://[::1", "smtp://[::1]x", "smtp://-x", "smtp://x\r\ny",
        "smtp://127.0.0.1#x", "smtp://bücher.example",
    ])
    func serversAreRefused(text: String) {
        #expect(MailServer(text) == nil)
    }
}
