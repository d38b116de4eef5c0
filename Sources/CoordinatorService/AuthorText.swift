import Documents
import PageParts
import Petitions

/// What an organiser wrote, made ready to be signed. A petition can never be changed: what cannot be meant is refused,
/// and what may not be meant is named, to be asked about.
package struct AuthorText: Sendable {
    /// Why a text is refused.
    package enum Fault: Error, Equatable, Sendable {
        /// Nothing but white space.
        case blank(field: String)
        /// A character that documents forbid, with its place in the text as it was written; lines and columns count
        /// from 1.
        case character(field: String, Unicode.Scalar, line: Int, column: Int)
        /// A line end in a field of one line.
        case severalLines(field: String)
        /// More bytes than there may be.
        case tooLong(field: String, bytes: Int, limit: Int)
        /// It closes before now.
        case closedAlready(UTCTime)
        /// It closes before it opens.
        case closesBeforeOpening(opens: UTCTime, closes: UTCTime)
    }

    /// Something that may not be meant.
    package enum Doubt: Equatable, Sendable {
        /// The page shows nothing of this.
        case dropped(StatementHTML.Dropped)
        /// It opens before now: everybody sees a time at which it did not exist.
        case opensInThePast(UTCTime)
        /// It is open for more than two years.
        case openForLong(until: UTCTime)
        /// The petition to be replaced is not one of this coordinator.
        case unknownReplaced(PetitionID)
        /// The text has no more than a few words.
        case short(bytes: Int)
    }

    /// The text, ready to be signed.
    package let text: PetitionManifest.Text
    /// What to ask about.
    package let doubts: [Doubt]

    private static let twoYears: Int64 = 2 * 366 * 86_400
    /// A minute for typing.
    private static let tolerance: Int64 = 60

    /// Checks a text at `now`; `known` are the petitions of this coordinator.
    package init(_ written: PetitionManifest.Text, now: UTCTime, known: [PetitionID]) throws(Fault) {
        var text = written
        text.title = try Self.line(written.title, "title")
        text.startedBy = try Self.line(written.startedBy, "started-by")
        text.addressedTo = try Self.line(written.addressedTo, "addressed-to")
        text.statement = try Self.paragraphs(written.statement, "statement", limit: DocumentLimits.statement)
        guard text.closes.seconds > now.seconds else { throw .closedAlready(text.closes) }
        guard text.opens < text.closes else { throw .closesBeforeOpening(opens: text.opens, closes: text.closes) }
        self.text = text
        var doubts = StatementHTML.dropped(text.statement).map { Doubt.dropped($0) }
        if text.statement.utf8.count < 40 { doubts.append(.short(bytes: text.statement.utf8.count)) }
        if text.opens.seconds < now.seconds - Self.tolerance { doubts.append(.opensInThePast(text.opens)) }
        if text.closes.seconds > now.seconds + Self.twoYears { doubts.append(.openForLong(until: text.closes)) }
        if let replaced = text.replaces, !known.contains(replaced) { doubts.append(.unknownReplaced(replaced)) }
        self.doubts = doubts
    }

    /// A field of one line, without white space around it.
    package static func line(_ text: String, _ field: String) throws(Fault) -> String {
        let line = try paragraphs(text, field, limit: DocumentLimits.line)
        guard !line.utf8.contains(0x0A) else { throw .severalLines(field: field) }
        return line
    }

    /// A text of several lines: line ends are line feeds, tabs are spaces, and there is no white space around it.
    private static func paragraphs(_ text: String, _ field: String, limit: Int) throws(Fault) -> String {
        var (scalars, line, column) = (String.UnicodeScalarView(), 1, 0)
        var previous: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            defer { previous = scalar }
            column += 1
            switch scalar {
            case "\n" where previous == "\r": column = 0
            case "\n", "\r":
                scalars.append("\n")
                (line, column) = (line + 1, 0)
            case "\t":
                // To the next multiple of four, as CommonMark counts.
                let width = 4 - (column - 1) % 4
                for _ in 0..<width { scalars.append(" ") }
                column += width - 1
            default:
                guard !JSONFields.isRefused(scalar) else {
                    throw .character(field: field, scalar, line: line, column: column)
                }
                scalars.append(scalar)
            }
        }
        let result = trimmedLines(String(scalars))
        guard !result.isEmpty else { throw .blank(field: field) }
        guard result.utf8.count <= limit else { throw .tooLong(field: field, bytes: result.utf8.count, limit: limit) }
        return result
    }

    /// Without empty lines before and white space after; spaces that begin the first line mean something in Markdown.
    private static func trimmedLines(_ text: String) -> String {
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)[...]
        func isBlank(_ line: Substring.UnicodeScalarView) -> Bool { line.allSatisfy(\.properties.isWhitespace) }
        while let first = lines.first, isBlank(first) { lines.removeFirst() }
        while let last = lines.last, isBlank(last) { lines.removeLast() }
        let isOne = lines.count == 1
        let whole = lines.map { String($0) }.joined(separator: "\n")
        return isOne ? trimmed(whole) : whole
    }
}
