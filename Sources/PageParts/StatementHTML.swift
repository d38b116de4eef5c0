import CCmark
import Platform

/// A petition's statement as HTML: CommonMark by the reference renderer, without raw HTML, without images, and with no
/// link that runs a script.
package enum StatementHTML {
    /// The statement's headings are below those of the page, which has two levels of its own.
    private static let headingShift: Int32 = 2

    package static func render(_ markdown: String) -> String {
        // Not CMARK_OPT_UNSAFE: raw HTML and links such as javascript: are left out.
        let options = CMARK_OPT_VALIDATE_UTF8 | CMARK_OPT_SMART
        guard let document = cmark_parse_document(markdown, markdown.utf8.count, options) else { return "" }
        defer { cmark_node_free(document) }
        for node in nodes(of: document) {
            switch cmark_node_get_type(node) {
            case CMARK_NODE_IMAGE: replaceByText(node)
            case CMARK_NODE_LINK where !leadsSomewhere(node): replaceByText(node)
            case CMARK_NODE_HEADING:
                cmark_node_set_heading_level(node, min(6, cmark_node_get_heading_level(node) + headingShift))
            default: break
            }
        }
        guard let html = cmark_render_html(document, options) else { return "" }
        defer { free(html) }
        return String(cString: html)
    }

    /// Something in a statement that no page shows.
    package enum Dropped: Equatable, Sendable {
        /// Raw HTML that begins in this line.
        case html(line: Int)
        /// An image, of which only the text alternative is shown.
        case image(line: Int)
        /// A link that leads nowhere, of which only the words are shown.
        case link(line: Int, to: String)
    }

    /// What ``render(_:)`` leaves out, in the order of the text.
    package static func dropped(_ markdown: String) -> [Dropped] {
        guard let document = cmark_parse_document(markdown, markdown.utf8.count, CMARK_OPT_VALIDATE_UTF8) else {
            return []
        }
        defer { cmark_node_free(document) }
        return nodes(of: document).compactMap { node in
            let line = Int(cmark_node_get_start_line(node))
            return switch cmark_node_get_type(node) {
            case CMARK_NODE_HTML_BLOCK, CMARK_NODE_HTML_INLINE: .html(line: line)
            case CMARK_NODE_IMAGE: .image(line: line)
            case CMARK_NODE_LINK where !leadsSomewhere(node):
                .link(line: line, to: cmark_node_get_url(node).map { String(cString: $0) } ?? "")
            default: nil
            }
        }
    }

    /// The beginning of the statement as plain words, for previews: at most `limit` characters.
    package static func preview(_ markdown: String, limit: Int) -> String {
        // What follows is not shown: links and markup take at most a few times the length of the words, or else the
        // preview is shorter.
        let start = String(markdown.prefix(4 * limit))
        guard let document = cmark_parse_document(start, start.utf8.count, CMARK_OPT_VALIDATE_UTF8) else { return "" }
        defer { cmark_node_free(document) }
        var words = ""
        for node in nodes(of: document) {
            switch cmark_node_get_type(node) {
            case CMARK_NODE_TEXT, CMARK_NODE_CODE:
                words += cmark_node_get_literal(node).map { String(cString: $0) } ?? ""
            case CMARK_NODE_SOFTBREAK, CMARK_NODE_LINEBREAK, CMARK_NODE_PARAGRAPH, CMARK_NODE_HEADING:
                if let last = words.last, last != " " { words += " " }
            default: break
            }
        }
        guard words.count > limit || start.count < markdown.count else { return words }
        let beginning = words.prefix(limit)
        // Cut at the end of a word, in scripts that separate words.
        return beginning[..<(beginning.lastIndex(of: " ") ?? beginning.endIndex)] + " …"
    }

    /// Every node once, in the order of the text.
    private static func nodes(of document: OpaquePointer) -> [OpaquePointer] {
        var nodes: [OpaquePointer] = []
        let walk = cmark_iter_new(document)
        defer { cmark_iter_free(walk) }
        while true {
            let event = cmark_iter_next(walk)
            if event == CMARK_EVENT_DONE { return nodes }
            if event == CMARK_EVENT_ENTER, let node = cmark_iter_get_node(walk) { nodes.append(node) }
        }
    }

    /// True for absolute web and mail addresses: a statement has no pages of its own that other links could lead to.
    private static func leadsSomewhere(_ link: OpaquePointer) -> Bool {
        let url = cmark_node_get_url(link).map { String(cString: $0) } ?? ""
        return ["https://", "http://", "mailto:"].contains { url.lowercased().hasPrefix($0) }
    }

    /// Replaces an image, which would be fetched from somewhere, by its text alternative, and a link by its words.
    private static func replaceByText(_ node: OpaquePointer) {
        while let child = cmark_node_first_child(node) { cmark_node_insert_before(node, child) }
        cmark_node_unlink(node)
        cmark_node_free(node)
    }
}
