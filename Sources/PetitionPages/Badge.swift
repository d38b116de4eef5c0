import Messages
import PageParts

/// A badge with a petition's count for other websites: one SVG image, no script.
enum Badge {
    static func svg(title: String, tally: PublishedTally, language: Language) -> String {
        let short = title.count > 44 ? title.prefix(43) + "…" : title[...]
        let count =
            language.number(tally.signatures) + " "
            + language.phrase(tally.signatures == 1 ? .one : .signatures)
        let label = "\(title): \(count)".escapedForXML
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="360" height="64" viewBox="0 0 360 64" role="img" \
            aria-label="\(label)"><title>\(label)</title>\
            <rect width="360" height="64" rx="8" fill="#0b5a6b"/>\
            <g fill="#fff" font-family="system-ui, sans-serif"><text x="16" y="27" font-size="14" textLength="\
            \(min(328, short.count * 8))" lengthAdjust="spacingAndGlyphs">\(String(short).escapedForXML)</text>\
            <text x="16" y="51" font-size="19" font-weight="700">\(count.escapedForXML)</text></g></svg>
            """
    }
}
