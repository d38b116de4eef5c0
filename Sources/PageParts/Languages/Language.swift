import Documents

/// A language of the interface. A petition's own text stays in its language.
public enum Language: String, CaseIterable, Sendable {
    case english = "en"
    case french = "fr"
    case german = "de"
    case spanish = "es"

    private var written: WrittenLanguage {
        switch self {
        case .english: .english
        case .french: .french
        case .german: .german
        case .spanish: .spanish
        }
    }

    /// The language's own name for itself.
    package var name: String { written.name }

    /// The supported language with the highest weight in an `Accept-Language` header (RFC 9110 section 12.5.4); nil
    /// when none of them is acceptable.
    public init?(accepting header: String) {
        var best: (language: Language, weight: Double)?
        for range in header.split(separator: ",") {
            let parts = range.split(separator: ";").map(Self.trimmed)
            let quality = parts.dropFirst().first { $0.lowercased().hasPrefix("q=") }
            let weight = quality.map { Self.weight($0.dropFirst(2)) } ?? 1
            // Of several with the same weight, the first is chosen.
            if let language = parts.first.flatMap({ Self(tag: $0) }), weight > best?.weight ?? 0 {
                best = (language, weight)
            }
        }
        guard let best else { return nil }
        self = best.language
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let start = text.drop { $0 == " " || $0 == "\t" }
        let end = start.lastIndex { $0 != " " && $0 != "\t" }
        return end.map { start[...$0] } ?? ""
    }

    /// The weight; 0 if it is not a number between 0 and 1, so that the language range is ignored.
    private static func weight(_ text: Substring) -> Double {
        guard let weight = Double(text), (0...1).contains(weight) else { return 0 }
        return weight
    }

    /// The language of `tag` (BCP 47), if the interface has it.
    public init?(tag: some StringProtocol) {
        self.init(rawValue: tag.prefix { $0 != "-" }.lowercased())
    }

    /// Languages that are written from right to left unless a tag names another script, and right-to-left scripts.
    private static let rightToLeft: Set<String> = [
        "ar", "ckb", "dv", "fa", "he", "iw", "ks", "lrc", "mzn", "nqo", "ps", "rhg", "sd", "syr", "ug", "ur", "yi",
    ]
    private static let rightToLeftRegions: Set<String> = ["pa-pk", "uz-af"]
    private static let rightToLeftScripts: Set<String> = ["adlm", "arab", "hebr", "nkoo", "rohg", "syrc", "thaa"]

    /// The direction of text in the language `tag` (BCP 47): `ltr` or `rtl`.
    package static func direction(of tag: String) -> String {
        // What follows a subtag of one character is an extension or private.
        let parts = tag.lowercased().split(separator: "-").prefix { $0.count > 1 }.map(String.init)
        // A script has four letters; subtags of four characters that begin with a digit are variants.
        let script = parts.dropFirst().first { $0.count == 4 && $0.allSatisfy(\.isLetter) }
        let isRightToLeft =
            script.map { rightToLeftScripts.contains($0) }
            ?? (parts.first.map { rightToLeft.contains($0) } ?? false)
            || rightToLeftRegions.contains(parts.prefix(2).joined(separator: "-"))
        return isRightToLeft ? "rtl" : "ltr"
    }

    /// A count as the language writes it.
    package func number(_ count: UInt64) -> String { written.number(count) }

    /// A day as the language writes it, in UTC.
    package func day(_ seconds: Int64) -> String {
        let date = UTCTime(seconds: seconds).date
        return written.day(date.day, written.months[Int(date.month) - 1], date.year)
    }

    /// Day and minute, in UTC.
    package func minute(_ seconds: Int64) -> String {
        let date = UTCTime(seconds: seconds).date
        let minute = (date.minute < 10 ? "0" : "") + String(date.minute)
        return written.minute(day(seconds), date.hour, minute) + " UTC"
    }

    /// The phrase for `key` in this language, with `values` in place of each `%`.
    package func phrase(_ key: Phrase, _ values: String...) -> String {
        var parts = written.phrase(key).split(separator: "%", omittingEmptySubsequences: false).map(String.init)[...]
        var text = parts.popFirst() ?? ""
        var values = values[...]
        while let part = parts.popFirst() { text += (values.popFirst() ?? "%") + part }
        return text
    }
}
