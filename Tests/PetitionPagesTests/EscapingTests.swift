import Mustache
import PageParts
import PetitionPages
import Testing

/// Texts of petitions in pages: brackets and quotes stay text, whatever is next to them.
@Suite struct EscapingTests {
    /// Scalars that Swift joins with their neighbours into one Character.
    static let neighbours = ["", "\u{600}", "\u{301}", "\u{200D}", "\u{FE0F}", "\u{1F3FB}", "\r"]

    @Test(arguments: ["<", ">", "&", "\"", "'"], neighbours)
    func nothingKeepsAScalarFromBeingEscaped(scalar: String, neighbour: String) throws {
        let library = Templates.load(
            ["page": Array("{{a}}{{#b}}{{a}}{{/b}}{{> part}}".utf8), "part": Array("{{a}}".utf8)], in: .english)
        for text in [neighbour + scalar, scalar + neighbour, neighbour + scalar + neighbour] {
            let page = try #require(library.render(["a": text, "b": true] as [String: Any], withTemplate: "page"))
            // Compared by bytes: comparing Characters is the mistake being tested for.
            for (html, copies) in [(text.escapedForXML, 1), (page, 3)] {
                #expect(!html.utf8.contains { "<>\"'".utf8.contains($0) }, "\(html)")
                #expect(html.utf8.count { $0 == UInt8(ascii: "&") } == copies)
                #expect(html.utf8.count { $0 == UInt8(ascii: ";") } == copies)
            }
        }
    }

    @Test func whatXMLForbidsIsLeftOut() {
        #expect("a\u{0}\u{1}\u{B}b\u{FFFE}\tc\n".escapedForXML == "ab\tc\n")
    }
}
