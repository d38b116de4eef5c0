import Foundation
import Mustache
import PageParts

/// Templates of pages, in one language.
package enum Templates {
    /// Parses templates once their `{{t.…}}` are what the language says.
    package static func load(_ files: [String: [UInt8]], in language: Language) -> MustacheLibrary {
        MustacheContentTypes.register(EscapedByScalars(), named: EscapedByScalars.name)
        return MustacheLibrary(
            templates: files.mapValues { bytes in
                var text = EscapedByScalars.pragma + String(decoding: bytes, as: UTF8.self)
                for phrase in Phrase.allCases {
                    text = text.replacingOccurrences(
                        of: "{{t.\(phrase.rawValue)}}", with: language.phrase(phrase).escapedForXML)
                }
                do { return try MustacheTemplate(string: text) } catch {
                    preconditionFailure("a template does not parse: \(error)")
                }
            })
    }
}

/// What templates put in their places. The library's own escaping goes by `Character`.
struct EscapedByScalars: MustacheContentType {
    /// The name under which templates ask for it.
    static let name = "SCALARS"
    /// Stands before each template.
    static let pragma = "{{% CONTENT_TYPE: \(name)}}"

    func escapeText(_ text: String) -> String { text.escapedForXML }
}
