// Whoever has the parts of pages has their languages.
@_exported import Languages

extension Language {
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

    /// The phrase for `key` in this language, with `values` in place of each `%`.
    package func phrase(_ key: Phrase, _ values: String...) -> String {
        let template =
            switch self {
            case .english: Phrase.english(key)
            case .french: Phrase.french(key)
            case .german: Phrase.german(key)
            case .spanish: Phrase.spanish(key)
            }
        return Self.fill(template, values)
    }
}
