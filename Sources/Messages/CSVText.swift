/// Writes tables as CSV (RFC 4180) that are safe to open in a spreadsheet. All CSV output is written here.
public enum CSVText {
    /// The characters that begin a formula in a spreadsheet.
    private static let formulaStarts = "=+-@\t\r".unicodeScalars

    /// A table with one line per row. Fields are quoted where necessary. Lines end with CR LF, as in the RFC, or with
    /// `lineEnd`, in files for local tools.
    public static func table(_ rows: [[String]], lineEnd: String = "\r\n") -> String {
        rows.map { $0.map(field).joined(separator: ",") + lineEnd }.joined()
    }

    private static func field(_ text: String) -> String {
        // By scalars: a quotation mark and a combining mark form one Character.
        let scalars = (isFormula(text) ? "'" + text : text).unicodeScalars
        guard scalars.contains(where: { ",\"\r\n".unicodeScalars.contains($0) }) else {
            return String(String.UnicodeScalarView(scalars))
        }
        var quoted = String.UnicodeScalarView("\"".unicodeScalars)
        for scalar in scalars {
            if scalar == "\"" { quoted.append(scalar) }
            quoted.append(scalar)
        }
        quoted.append("\"")
        return String(quoted)
    }

    /// True for text that a spreadsheet would evaluate, but not for a signed number or a telephone number.
    private static func isFormula(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, formulaStarts.contains(first) else { return false }
        let isSign = first == "+" || first == "-"
        let rest = text.unicodeScalars.dropFirst()
        return !(isSign && !rest.isEmpty && rest.allSatisfy { ("0"..."9").contains($0) || $0 == " " || $0 == "." })
    }
}
