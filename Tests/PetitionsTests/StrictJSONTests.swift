import Bytes
import Documents
import Petitions
import Testing

@Suite struct StrictJSONTests {
    private func expectMalformed(_ texts: [String]) {
        for text in texts {
            #expect(StrictJSON.isMalformed(text), "\(text)")
        }
    }

    @Test func whiteSpaceMayStandBetweenValues() throws {
        var fields = try JSONFields(parsing: Array(" {\n\t\"a\" : 1 ,\r\n \"b\" : [ ] , \"c\" : { } }\r\n ".utf8))
        let value = try fields.integer("a", in: 0...1)
        #expect(value == 1)
    }

    @Test func onlyObjectsAreDocuments() {
        expectMalformed(["", " ", "[]", "[{}]", "1", "true", "\"a\"", "null"])
        #expect(StrictJSON.refusal("{}") == nil)
    }

    @Test func whatIsNotJSONIsRefused() {
        expectMalformed([
            "{", "}", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{\"a\"}", "{\"a\":}",
            "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{\"a\":1,,\"b\":2}", "{a:1}", "{'a':1}", "{1:1}", "{\"a\":'b'}",
            "{\"a\":[1,]}", "{\"a\":[,1]}", "{\"a\":[1 2]}", "{\"a\":[1}", "{\"a\":[1}]", "{\"a\":{]}", "{\"a\":\"b}",
            "{\"a\":\"b\\\"}", "{\"a\":1/*b*/}", "{\"a\":1}//b", "{\"a\"=1}", "{\"a\":1;\"b\":2}", "{\"a\":undefined}",
            "{\u{A0}\"a\":1}", "{\u{B}\"a\":1}", "{\u{C}\"a\":1}", "{\u{2028}\"a\":1}",
        ])
    }

    @Test func nullNeverOccurs() {
        expectMalformed(["{\"a\":null}", "{\"a\":[null]}", "{\"a\":{\"b\":null}}", "{\"a\":nul}", "{\"a\":NULL}"])
    }

    @Test func booleansHaveOneSpelling() {
        expectMalformed(["{\"a\":True}", "{\"a\":TRUE}", "{\"a\":tru}", "{\"a\":truex}", "{\"a\":false1}", "{\"a\":f}"])
        #expect(StrictJSON.refusal("{\"a\":true,\"b\":false}") == nil)
    }

    @Test func nothingFollowsADocument() {
        expectMalformed(["{}{}", "{} {}", "{},", "{}x", "{}\u{0}", "{}]", "{}}", "{}\u{FEFF}", "{}1"])
    }

    @Test func aByteOrderMarkIsRefused() {
        expectMalformed(["\u{FEFF}{}", "\u{FEFF}{\"a\":1}", " \u{FEFF}{}"])
        let utf16: [UInt8] = [0xFE, 0xFF, 0x00, 0x7B, 0x00, 0x7D]
        #expect(StrictJSON.refusal(utf16)?.isMalformed == true)
        let wide: [UInt8] = [0x7B, 0x00, 0x7D, 0x00]
        #expect(StrictJSON.refusal(wide)?.isMalformed == true)
    }

    @Test func bytesThatAreNotUTF8AreRefused() {
        let sequences: [[UInt8]] = [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xE2, 0x82], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80],
            [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80],
            [0xFE], [0xFF],
        ]
        for sequence in sequences {
            let inString = Array("{\"a\":\"".utf8) + sequence + Array("\"}".utf8)
            #expect(StrictJSON.refusal(inString)?.isMalformed == true, "\(sequence)")
            let inName = Array("{\"".utf8) + sequence + Array("\":1}".utf8)
            #expect(StrictJSON.refusal(inName)?.isMalformed == true, "\(sequence)")
        }
    }

    @Test func aFieldStandsOnceAtEveryLevel() {
        expectMalformed([
            "{\"a\":1,\"a\":1}",
            "{\"a\":1,\"b\":2,\"a\":3}",
            "{\"a\":1,\"\\u0061\":2}",
            "{\"a\":{\"b\":1,\"b\":2}}",
            "{\"a\":[{\"b\":1},{\"b\":1,\"b\":2}]}",
            "{\"\":1,\"\":2}",
        ])
        #expect(StrictJSON.refusal("{\"a\":{\"a\":1},\"b\":{\"a\":1},\"c\":[{\"a\":1},{\"a\":1}]}") == nil)
    }

    @Test func namesHavePlainCharactersOnly() {
        expectMalformed([
            "{\"\\u00e9\":1,\"e\\u0301\":2}", "{\"\u{E9}\":1}", "{\"e\u{301}\":1}", "{\"\u{212A}\":1}", "{\"a b\":1}",
            "{\" a\":1}", "{\"a\\n\":1}", "{\"\\u0000\":1}", "{\"\\u001b[0m\":1}", "{\"\\u202e\":1}", "{\"\u{7F}\":1}",
            "{\"a\":{\"\u{E9}\":1}}",
        ])
        #expect(StrictJSON.refusal("{\"a-b_c.d~!\":1}") == nil)
    }

    @Test func aFieldThatIsNotKnownIsRefused() {
        let one = StrictJSON.refusal("{\"a\":1,\"b\":2}") { fields in
            _ = try fields.integer("a", in: 0...9)
            try fields.finish()
        }
        #expect(one == DocumentError.unknown(field: "b"))
        let empty = StrictJSON.refusal("{\"\":2}") { try $0.finish() }
        #expect(empty == DocumentError.unknown(field: ""))
        let upper = StrictJSON.refusal("{\"A\":2}") { fields in
            _ = try fields.integer("a", in: 0...9)
        }
        #expect(upper == DocumentError.missing(field: "a"))
    }

    @Test func aFieldThatMustBeThereIsMissed() {
        let refusals: [DocumentError?] = [
            StrictJSON.refusal("{}") { _ = try $0.string("a", limit: 9) },
            StrictJSON.refusal("{}") { _ = try $0.integer("a", in: 0...9) },
            StrictJSON.refusal("{}") { _ = try $0.bytes32("a") },
            StrictJSON.refusal("{}") { _ = try $0.bytes("a", count: 4) },
            StrictJSON.refusal("{}") { _ = try $0.url("a") },
            StrictJSON.refusal("{}") { _ = try $0.time("a") },
        ]
        for refusal in refusals { #expect(refusal == DocumentError.missing(field: "a")) }
        let absent = StrictJSON.refusal("{}") { _ = try $0.optionalString("a", limit: 9) }
        #expect(absent == nil)
    }

    @Test func aValueOfAnotherKindIsRefused() {
        for value in ["1", "true", "[]", "{}", "[\"a\"]", "{\"a\":\"b\"}"] {
            let json = "{\"a\":\(value)}"
            let refusals: [DocumentError?] = [
                StrictJSON.refusal(json) { _ = try $0.string("a", limit: 9) },
                StrictJSON.refusal(json) { _ = try $0.optionalString("a", limit: 9) },
                StrictJSON.refusal(json) { _ = try $0.bytes32("a") },
                StrictJSON.refusal(json) { _ = try $0.url("a") },
                StrictJSON.refusal(json) { _ = try $0.time("a") },
            ]
            for refusal in refusals { #expect(refusal?.invalidField == "a", "\(value)") }
        }
        for value in ["\"1\"", "true", "[1]", "{}"] {
            let refusal = StrictJSON.refusal("{\"a\":\(value)}") { _ = try $0.integer("a", in: 0...9) }
            #expect(refusal?.invalidField == "a", "\(value)")
        }
    }

    @Test func integersArePlainDecimalBelowTwoToThe53() throws {
        let maximum: UInt64 = 9_007_199_254_740_991
        #expect(JSONValue.maximumInteger == maximum)
        for value in [0, 1, 9, 10, 42, 1_000_000, maximum - 1, maximum] {
            var fields = try JSONFields(parsing: Array("{\"a\":\(value)}".utf8))
            let read = try fields.integer("a", in: 0...maximum)
            #expect(read == value)
        }
        let refused = [
            "-0", "-1", "+1", "00", "01", "007", "0x10", "1.0", "1.", ".5", "0.0", "250.0", "1e3", "1E3", "1e0", "0e0",
            "1_000", "1,000", "9007199254740992", "9007199254740993", "18446744073709551615", "18446744073709551616",
            "99999999999999999999999999", "NaN", "Infinity", "-Infinity", "\u{661}", "\u{FF11}", "1a", "1 2",
        ]
        expectMalformed(refused.map { "{\"a\":\($0)}" })
        expectMalformed(refused.map { "{\"a\":[\($0)]}" })
    }

    @Test func integersStayInTheirRange() {
        for value in [0, 11, 9_007_199_254_740_991] {
            let refusal = StrictJSON.refusal("{\"a\":\(value)}") { _ = try $0.integer("a", in: 1...10) }
            #expect(refusal?.invalidField == "a")
        }
        for value in [1, 10] {
            let refusal = StrictJSON.refusal("{\"a\":\(value)}") { _ = try $0.integer("a", in: 1...10) }
            #expect(refusal == nil)
        }
    }

    @Test func nestingIsLimited() {
        #expect(StrictJSON.refusal("{\"a\":[{\"b\":[{\"c\":1}]}]}") == nil)
        for depth in [100, 100_000] {
            let arrays = "{\"a\":" + repeated("[", depth) + repeated("]", depth) + "}"
            #expect(StrictJSON.isMalformed(arrays))
            #expect(StrictJSON.isMalformed(repeated("[", depth)))
            let objects = repeated("{\"a\":", depth) + "1" + repeated("}", depth)
            #expect(StrictJSON.isMalformed(objects))
        }
    }

    @Test func listsHoldObjectsOnly() throws {
        var list = try JSONFields.list(parsing: Array("[{\"a\":1},{\"a\":2}]".utf8))
        #expect(list.count == 2)
        let second = try list[1].integer("a", in: 0...9)
        #expect(second == 2)
        let empty = try JSONFields.list(parsing: Array("[]".utf8))
        #expect(empty.isEmpty)
        for text in ["{}", "[1]", "[{},1]", "[[]]", "[{}", "[{},]", "[{}]x", "[{\"a\":1,\"a\":1}]", "[null]", ""] {
            let isRefused = (try? JSONFields.list(parsing: Array(text.utf8))) == nil
            #expect(isRefused, "\(text)")
        }
    }

    @Test func urlsAndTimesAreReadByTheirOwnRules() throws {
        let json = "{\"u\":\"https:\\/\\/a.example\",\"t\":\"2026-01-31T12:00:00Z\"}"
        var fields = try JSONFields(parsing: Array(json.utf8))
        let url = try fields.url("u")
        #expect(url.text == "https://a.example")
        let time = try fields.time("t")
        #expect(time.description == "2026-01-31T12:00:00Z")
        for text in ["https://a.example/", "https://a.example:443", "", "a"] {
            let refusal = StrictJSON.refusal("{\"a\":\"\(text)\"}") { _ = try $0.url("a") }
            #expect(refusal?.invalidField == "a", "\(text)")
        }
        for text in ["2026-01-31T12:00:00+00:00", "2026-02-30T12:00:00Z", ""] {
            let refusal = StrictJSON.refusal("{\"a\":\"\(text)\"}") { _ = try $0.time("a") }
            #expect(refusal?.invalidField == "a", "\(text)")
        }
    }

    @Test func valuesAreWrittenAsTheyAreRead() {
        let value = JSONValue.object([
            (name: "a", value: .string("\u{1}\"\\\n\u{E9}")),
            (name: "b", value: .array([.integer(1), .boolean(true), .boolean(false), .array([]), .object([])])),
        ])
        #expect(value.text(isPretty: false) == "{\"a\":\"\\u0001\\\"\\\\\\n\u{E9}\",\"b\":[1,true,false,[],{}]}")
        let pretty = #"""
            {
              "a": "\u0001\"\\\n\#u{E9}",
              "b": [
                1,
                true,
                false,
                [],
                {}
              ]
            }
            """#
        #expect(value.text(isPretty: true) == pretty)
        #expect(StrictJSON.refusal(value.text(isPretty: false)) == nil)
        #expect(StrictJSON.refusal(value.text(isPretty: true)) == nil)
    }
}
