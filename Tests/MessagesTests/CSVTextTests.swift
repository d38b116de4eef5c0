import Messages
import Testing

/// Tables that are safe to open in a spreadsheet.
@Suite struct CSVTextTests {
    @Test(arguments: [
        ("plain", "plain"), ("", ""), ("a,b", "\"a,b\""), ("say \"no\"", "\"say \"\"no\"\"\""),
        ("two\nlines", "\"two\nlines\""),
        ("cr\r\nlf", "\"cr\r\nlf\""), ("=1+1", "'=1+1"), ("@sum", "'@sum"), ("+cmd|x", "'+cmd|x"), ("-a", "'-a"),
        ("\tx", "'\tx"), ("=a,b", "\"'=a,b\""), ("+49 170 123", "+49 170 123"), ("-5", "-5"), ("-", "'-"),
        // A quotation mark and a combining mark form one Character.
        ("\"\u{301}", "\"\"\"\u{301}\""), ("=\u{301}", "'=\u{301}"),
    ])
    func fieldsAreQuotedAndFormulasAreNot(field: String, written: String) {
        let table = CSVText.table([["x", field]])
        #expect(Array(table.utf8) == Array("x,\(written)\r\n".utf8))
    }

    @Test func everyLineIsEnded() {
        #expect(CSVText.table([["a"], ["b", "c"]], lineEnd: "\n") == "a\nb,c\n")
        #expect(CSVText.table([]).isEmpty)
    }
}
