import Bytes
import Testing

@Suite struct Base64Tests {
    /// The test vectors of RFC 4648 section 10.
    @Test func vectorsAreWrittenAndRead() {
        let vectors = [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ]
        for (text, encoded) in vectors {
            #expect(Base64.encode(text.utf8) == encoded)
            #expect(Base64.decode(encoded) == Array(text.utf8))
        }
        let all = (0...255).map { UInt8($0) }
        for count in 0...256 { #expect(Base64.decode(Base64.encode(all.prefix(count))) == Array(all.prefix(count))) }
    }

    @Test func everyOtherSpellingIsRefused() {
        for text in [
            "Zg", "Zg=", "Zg===", "=", "====", "Z", "Zh==", "Zm9=", "Zm8", "Zm9v=", " Zg==", "Zg== ", "Zg==\n", "Z g==",
            "Zg==Zg==", "Zm9v\u{0}", "Zm9_", "Zm9-", "Zm\u{e9}v", "Zm9vZg", "\u{0}",
            // Four bytes each, some of them above 0x7F.
            "Zm\u{e9}", "\u{e9}\u{e9}", "\u{20ac}A", "\u{1f600}",
        ] {
            #expect(Base64.decode(text) == nil, "\(text)")
        }
        #expect(Base64.decode32("") == nil && Base64.decode32("AAAA") == nil)
    }
}
