import PageParts
import PetitionPages
import Testing

/// How a statement is rendered: its author must be able to do nothing but write.
@Suite struct StatementTests {
    @Test(arguments: [
        ("**a** *b* `c`", "<p><strong>a</strong> <em>b</em> <code>c</code></p>\n"),
        ("# One\n\n## Two\n\n##### Five", "<h3>One</h3>\n<h4>Two</h4>\n<h6>Five</h6>\n"),
        ("[a](https://example.org/b)", "<p><a href=\"https://example.org/b\">a</a></p>\n"),
        ("[a](mailto:a@example.org)", "<p><a href=\"mailto:a@example.org\">a</a></p>\n"),
        // Links that would run code, or lead to this server, become plain text.
        ("[a](javascript:alert(1))", "<p>a</p>\n"), ("[a](data:text/html,b)", "<p>a</p>\n"),
        ("[a](/petitions)", "<p>a</p>\n"), ("[a](//example.org)", "<p>a</p>\n"), ("[a](JaVaScRiPt:b)", "<p>a</p>\n"),
        // Nothing is fetched: of an image, the alternative text remains.
        ("![a *b*](https://example.org/c.png)", "<p>a <em>b</em></p>\n"),
        ("[![a](https://example.org/c.png)](https://example.org)", "<p><a href=\"https://example.org\">a</a></p>\n"),
        ("[![a](b.png)](javascript:c)", "<p>a</p>\n"),
    ])
    func isRendered(markdown: String, html: String) {
        #expect(StatementHTML.render(markdown) == html)
    }

    @Test(arguments: [
        "<script>alert(1)</script>", "a <img src=x onerror=alert(1)> b", "<iframe src=\"https://example.org\">",
        "<style>*{display:none}</style>", "<svg onload=alert(1)>", "a <!-- b --> c <b onclick=\"d\">e</b>",
    ])
    func hasNoHTMLOfItsOwn(markdown: String) {
        let html = StatementHTML.render(markdown)
        for tag in ["<script", "<img", "<iframe", "<style", "<svg", "<b ", "onclick", "onerror"] {
            #expect(!html.contains(tag), "\(html)")
        }
    }

    /// Statements of the maximum length, made to be expensive.
    @Test(arguments: ["[", "*a ", "> ", "![", "`", "- ", "[a](", "<", "&", "_a_"])
    func longAndNestedOnesAreRendered(part: String) {
        let markdown = String(repeating: part, count: 100_000 / part.utf8.count)
        #expect(StatementHTML.render(markdown).utf8.count < 20_000_000)
        #expect(StatementHTML.preview(markdown, limit: 200).count <= 202)
    }

    @Test(arguments: [
        ("Short *words*\nand `code`.", "Short words and code."), ("# A\n\nB ![c](d)", "A B c"), ("", ""),
        ("one two three four", "one two …"), ("水を求めます、毎日の当直に", "水を求めます、毎日の …"),
    ])
    func hasAPreview(markdown: String, words: String) {
        #expect(StatementHTML.preview(markdown, limit: words.hasSuffix("…") ? 10 : 200) == words)
    }
}
