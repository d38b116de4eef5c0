import Documents
import Testing

/// Addresses as people paste them.
@Suite struct PastedAddressTests {
    @Test(
        arguments: [
            ("https://union.example", "https://union.example", nil),
            ("https://union.example/", "https://union.example", nil),
            ("https://union.example//", "https://union.example", nil),
            (" https://union.example\n", "https://union.example", nil),
            ("<https://union.example/rolls/m>", "https://union.example/rolls/m", nil),
            ("<URL:https://union.example/rolls/m>.", "https://union.example/rolls/m", nil),
            ("(https://union.example/rolls/m).", "https://union.example/rolls/m", nil),
            ("“https://union.example/rolls/m”", "https://union.example/rolls/m", nil),
            ("https://Union.Example./rolls/m?lang=de", "https://union.example/rolls/m", nil),
            ("HTTPS://union.example:443/a", "https://union.example/a", nil),
            ("http://localhost:80/a", "http://localhost/a", nil),
            ("https://union.example:8443/", "https://union.example:8443", nil),
            ("union.example/rolls/m#ABC", "https://union.example/rolls/m", "ABC"),
            ("localhost:8080/rolls/m", "http://localhost:8080/rolls/m", nil),
            ("https://union.example/rolls/m?lang=fr#3AYCE 96ME5", "https://union.example/rolls/m", "3AYCE96ME5"),
            ("https://union.example/pe\r\n titions/00", "https://union.example/petitions/00", nil),
            ("https://union.example/a\u{200B}", "https://union.example/a", nil),
            ("[::1]:8080/a", "http://[::1]:8080/a", nil),
            ("http://abc.onion/", "http://abc.onion", nil),
        ] as [(String, String, String?)])
    func whatIsMeantIsTaken(_ pasted: String, _ url: String, _ fragment: String?) throws {
        let address = try PastedAddress(pasted)
        #expect(address.url.text == url)
        #expect(address.fragment == fragment)
    }

    @Test(
        arguments: [
            ("", .empty), ("<>", .empty), ("?x", .empty), ("ftp://union.example", .scheme("ftp")),
            ("mailto:a@union.example", .scheme("mailto")), ("http://union.example", .plain),
            ("https://me@union.example", .user), ("https://münchen.example", .international(host: "münchen.example")),
            ("https://a_b.example", .host("a_b.example")),
            ("https://union.example:99999", .host("union.example:99999")),
            ("https://union.example/A", .segment("A")), ("https://union.example/a//b", .segment("")),
            ("https://union.example/../b", .segment("..")),
        ] as [(String, PastedAddress.Fault)])
    func whatCannotBeMeantIsRefused(_ pasted: String, _ fault: PastedAddress.Fault) {
        #expect(throws: fault) { try PastedAddress(pasted) }
    }

    /// An address in its one form is never changed.
    @Test func theOneFormStays() throws {
        for text in ["https://a.example", "http://localhost:1/x", "https://a.example/b.c/d_e", "http://[::1]:81"] {
            #expect(try PastedAddress(text).url.text == text)
        }
    }
}
