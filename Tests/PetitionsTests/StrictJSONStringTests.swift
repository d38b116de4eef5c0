import Bytes
import Documents
import Petitions
import Testing

@Suite struct StrictJSONStringTests {
    /// The scalars that no decoded string may contain, as listed in `Protocol/documents.md`.
    private static let refused: [ClosedRange<UInt32>] = [
        0...0x1F, 0x7F...0x9F, 0x61C...0x61C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069,
    ]

    private func escaped(_ code: UInt32) -> String {
        let digits = String(code, radix: 16)
        return "\\u" + repeated("0", 4 - digits.count) + digits
    }

    private func raw(_ code: UInt32) throws -> String {
        let scalar = try #require(Unicode.Scalar(code))
        return String(Character(scalar))
    }

    @Test func everyRefusedCharacterIsRefusedAsItIsAndEscaped() throws {
        for range in Self.refused {
            for code in range {
                for literal in [escaped(code), try raw(code)] {
                    let alone = StrictJSON.string(literal)
                    #expect(alone == nil, "U+\(String(code, radix: 16))")
                    let inside = StrictJSON.string("a\(literal)b")
                    #expect(inside == nil, "U+\(String(code, radix: 16))")
                    guard code != 0x0A else { continue }
                    let multiline = StrictJSON.string("a\(literal)b", isMultiline: true)
                    #expect(multiline == nil, "U+\(String(code, radix: 16))")
                }
            }
        }
    }

    @Test func theCharactersBesideTheRefusedOnesAreTaken() throws {
        let codes: [UInt32] = [
            0x20, 0x21, 0x7E, 0xA0, 0xAD, 0x61B, 0x61D, 0x200B, 0x200C, 0x200D, 0x2010, 0x2027, 0x202F, 0x2065, 0x206A,
            0xD7FF, 0xE000, 0xFEFF, 0xFFFD,
        ]
        for code in codes {
            let literal = try raw(code)
            #expect(StrictJSON.scalars(literal) == [code], "U+\(String(code, radix: 16))")
            #expect(StrictJSON.scalars(escaped(code)) == [code], "U+\(String(code, radix: 16))")
        }
        let beyond: [UInt32] = [0x10000, 0x1F600, 0xE0001, 0x10FFFF]
        for code in beyond {
            let literal = try raw(code)
            #expect(StrictJSON.scalars(literal) == [code], "U+\(String(code, radix: 16))")
        }
    }

    @Test func lineFeedsStandOnlyWhereLinesAreAllowed() {
        #expect(StrictJSON.scalars("a\\nb", isMultiline: true) == [0x61, 0x0A, 0x62])
        #expect(StrictJSON.scalars("\\u000a", isMultiline: true) == [0x0A])
        #expect(StrictJSON.scalars("\\u000A", isMultiline: true) == [0x0A])
        #expect(StrictJSON.string("a\\nb") == nil)
        #expect(StrictJSON.string("a\\u000ab") == nil)
        #expect(StrictJSON.string("a\nb", isMultiline: true) == nil)
        #expect(StrictJSON.string("a\\r\\nb", isMultiline: true) == nil)
        #expect(StrictJSON.string("a\\tb", isMultiline: true) == nil)
    }

    @Test func escapesStandForTheirCharacters() {
        #expect(StrictJSON.scalars(#"\"\\\/"#) == [0x22, 0x5C, 0x2F])
        #expect(StrictJSON.scalars(#"\u0061\u00e9\u00E9\u0022\u005c"#) == [0x61, 0xE9, 0xE9, 0x22, 0x5C])
        for literal in [#"\b"#, #"\f"#, #"\r"#, #"\t"#] {
            #expect(StrictJSON.string(literal) == nil, "\(literal)")
        }
    }

    @Test func otherEscapesAreRefused() {
        let literals = [
            #"\a"#, #"\x41"#, #"\U0041"#, #"\'"#, #"\0"#, #"\ "#, #"\u"#, #"\u1"#, #"\u12"#, #"\u123"#, #"\u12g4"#,
            #"\u+123"#, #"\u 123"#, #"\u0x41"#, #"\u{41}"#, #"\"#, #"a\"#,
        ]
        for literal in literals {
            #expect(StrictJSON.isMalformed("{\"a\":\"\(literal)\"}"), "\(literal)")
        }
        #expect(StrictJSON.isMalformed("{\"a\":\"\\u00\u{E9}0\"}"))
        #expect(StrictJSON.isMalformed("{\"a\":\"\\u004"))
        #expect(StrictJSON.isMalformed("{\"a\":\"\\"))
    }

    @Test func aMinusSignIsNoHexadecimalDigit() {
        for literal in [#"\u-000"#, #"\u-00"#, #"\u-123"#, #"\u0-00"#, #"\ud83d\u-000"#] {
            #expect(StrictJSON.string(literal) == nil, "\(literal)")
            #expect(StrictJSON.string("a\(literal)", isMultiline: true) == nil, "\(literal)")
            #expect(StrictJSON.isMalformed("{\"\(literal)\":1}"), "\(literal)")
        }
    }

    @Test func surrogatePairsAreOneCharacter() {
        #expect(StrictJSON.scalars(#"\ud83d\ude00"#) == [0x1F600])
        #expect(StrictJSON.scalars(#"\uD800\uDC00"#) == [0x10000])
        #expect(StrictJSON.scalars(#"\uDbFf\udFfF"#) == [0x10FFFF])
        #expect(StrictJSON.scalars(#"a\ud83d\ude00\ud83d\ude00b"#) == [0x61, 0x1F600, 0x1F600, 0x62])
    }

    @Test func loneSurrogatesAreRefused() {
        let literals = [
            #"\ud800"#, #"\udbff"#, #"\udc00"#, #"\udfff"#, #"\ud800\ud800"#, #"\udc00\ud800"#, #"\udc00\udc00"#,
            #"\ud83da"#, #"\ud83d\n"#, #"\ud83d\u0041"#, #"\ud83d\ue000"#, #"\ud83d\\ude00"#, #"\ud83d \ude00"#,
            #"\ud83d\"#, #"\ud83d\u"#, #"\ud83d\ude0"#, #"a\ude00\ud83d"#,
        ]
        for literal in literals {
            #expect(StrictJSON.isMalformed("{\"a\":\"\(literal)\"}"), "\(literal)")
            #expect(StrictJSON.isMalformed("{\"\(literal)\":1}"), "\(literal)")
        }
    }

    @Test func stringsAreNotEmpty() {
        #expect(StrictJSON.string("") == nil)
        #expect(StrictJSON.string("", isMultiline: true) == nil)
        let refusal = StrictJSON.refusal("{\"a\":\"\"}") { _ = try $0.optionalString("a", limit: 9) }
        #expect(refusal?.invalidField == "a")
    }

    @Test func lengthsAreCountedInBytesOfTheDecodedString() {
        #expect(StrictJSON.string(repeated("a", 200), limit: 200) != nil)
        #expect(StrictJSON.string(repeated("a", 201), limit: 200) == nil)
        #expect(StrictJSON.string(repeated("\u{E9}", 100), limit: 200) != nil)
        #expect(StrictJSON.string(repeated("\u{E9}", 101), limit: 200) == nil)
        #expect(StrictJSON.string(repeated("\\u00e9", 100), limit: 200) != nil)
        #expect(StrictJSON.string(repeated("\\u00e9", 101), limit: 200) == nil)
        #expect(StrictJSON.string(repeated("\u{1F600}", 50), limit: 200) != nil)
        #expect(StrictJSON.string(repeated("\\ud83d\\ude00", 51), limit: 200) == nil)
    }

    @Test func stringsAreNotNormalised() {
        #expect(StrictJSON.scalars("e\u{301}") == [0x65, 0x301])
        #expect(StrictJSON.scalars("\u{E9}") == [0xE9])
        #expect(StrictJSON.scalars("\\u0065\\u0301") == [0x65, 0x301])
        #expect(StrictJSON.scalars("a\\u0301\u{302}") == [0x61, 0x301, 0x302])
    }

    /// The test vectors of RFC 4648 section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func base64IsThatOfTheStandard(text: String, encoded: String) {
        #expect(Base64.encode(text.utf8) == encoded)
        #expect(Base64.decode(encoded) == Array(text.utf8))
    }

    @Test func keysHaveOneBase64Spelling() throws {
        let text = "+/" + repeated("A", 40) + "E="
        let key = try Fixture.bytes32(base64: text)
        #expect(Base64.encode(key.array) == text)
        let same = StrictJSON.refusal("{\"a\":\"\(text)\"}") { _ = try $0.bytes32("a") }
        #expect(same == nil)
        var fields = try JSONFields(parsing: Array("{\"a\":\"\(text)\"}".utf8))
        let read = try fields.bytes32("a")
        #expect(read == key)
    }

    @Test func anyOtherSpellingOfAKeyIsRefused() {
        let a20 = repeated("A", 20)
        let a40 = repeated("A", 40)
        let texts: [String] = [
            "", "A", "=", "\(a40)AAA", "\(a40)AAA==", "\(a40)AAA= ", " \(a40)AAA=", "\(a40)AAA=\\n", "A\\n\(a40)AA=",
            "\(a40)AAB=", "\(a40)AAD=", "\(a40)AA==", "-_\(a40)A=", "+_\(a40)A=", "+/\(a40)F=", "\(a40)AA*=",
            "\(a40)AAAA", "\(a40)====", "=\(a40)AAA", "\(a40)", "\(a40)A==", "\(a40)AAA\u{2261}", "\(a40)AA\\u0000=",
            "\(a20)=\(a20)AAA", "\(a20)\(a20)\(a20)AAAA",
        ]
        for text in texts {
            let refusal = StrictJSON.refusal("{\"a\":\"\(text)\"}") { _ = try $0.bytes32("a") }
            #expect(refusal?.invalidField == "a", "\(text)")
        }
    }

    @Test func bytesHaveTheirExactLength() {
        for count in [31, 33, 64] {
            let text = Base64.encode([UInt8](repeating: 7, count: count))
            let refusal = StrictJSON.refusal("{\"a\":\"\(text)\"}") { _ = try $0.bytes32("a") }
            #expect(refusal?.invalidField == "a")
            let exact = StrictJSON.refusal("{\"a\":\"\(text)\"}") { _ = try $0.bytes("a", count: count) }
            #expect(exact == nil)
        }
    }
}

@Suite struct StrictJSONHostileInputTests {
    private static let template = """
        {"format":"a/v1","s":"Gr\\u00fc\\ud83d\\ude00\\n\\"x\\"","n":9007199254740991,"b":[true,false,[],{}],
         "k":"WiPVrX+p3sgM7WIBaByiLgjbqj42oWL0SZDkkLnCpzY=","u":"https://a.example/b","t":"2026-03-01T08:00:00Z"}
        """

    /// Passes the bytes to the readers of JSON. True if they are a JSON object.
    private func exercise(_ bytes: [UInt8]) -> Bool {
        guard var fields = try? JSONFields(parsing: bytes) else { return false }
        _ = try? fields.string("format", limit: 100)
        _ = try? fields.optionalString("s", limit: 100, isMultiline: true)
        _ = try? fields.integer("n", in: 0...JSONValue.maximumInteger)
        _ = try? fields.bytes("k", count: 32)
        _ = try? fields.url("u")
        _ = try? fields.time("t")
        try? fields.finish()
        return true
    }

    @Test func randomBytesNeverStopTheReader() {
        var generator = SeededGenerator(seed: 1)
        var refused = 0
        for _ in 0..<5000 {
            let count = generator.index(below: 64)
            if !exercise(generator.bytes(count)) { refused += 1 }
        }
        #expect(refused > 4000)
    }

    @Test func randomPiecesOfJSONNeverStopTheReader() {
        let texts = [
            "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "d83d", "\\ude00", "\"a\"", "\"a\":", "{\"a\":", "0", "1",
            "9007199254740993", "true", "false", "null", "-", ".", "e", " ", "\n", "\u{FEFF}", "\u{E9}", "\u{0}",
        ]
        var pieces: [[UInt8]] = texts.map { Array($0.utf8) }
        pieces.append([0xFF])
        pieces.append([0xED, 0xA0, 0x80])
        var generator = SeededGenerator(seed: 2)
        var accepted = 0
        for _ in 0..<5000 {
            var bytes: [UInt8] = []
            for _ in 0..<generator.index(below: 14) { bytes += pieces[generator.index(below: pieces.count)] }
            if exercise(bytes) { accepted += 1 }
            _ = try? JSONFields.list(parsing: bytes)
        }
        #expect(accepted < 5000)
    }

    @Test func changedJSONNeverStopsTheReader() {
        let original = Array(Self.template.utf8)
        #expect(exercise(original))
        var generator = SeededGenerator(seed: 3)
        var accepted = 0
        for _ in 0..<10_000 {
            var bytes = original
            for _ in 0...generator.index(below: 3) { change(&bytes, &generator) }
            if exercise(bytes) { accepted += 1 }
        }
        #expect(accepted > 0 && accepted < 10_000)
    }

    private func change(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        guard bytes.count > 1 else { return }
        let position = generator.index(below: bytes.count)
        let other = generator.index(below: bytes.count)
        switch generator.index(below: 6) {
        case 0: bytes[position] ^= UInt8(1) << UInt8(generator.index(below: 8))
        case 1: bytes[position] = generator.byte()
        case 2: bytes.remove(at: position)
        case 3: bytes.insert(bytes[other], at: position)
        case 4: bytes.removeSubrange(position...)
        default: bytes.insert(contentsOf: Array(bytes[min(position, other)..<max(position, other)]), at: position)
        }
    }
}
