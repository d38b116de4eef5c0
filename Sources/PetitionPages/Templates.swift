import Foundation
import Mustache
import PageParts

/// Templates of pages, in one language.
package enum Templates {
    /// Parses templates after replacing each `{{t.…}}` by the phrase of the language.
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

/// Escapes the values that templates insert. The library's own escaping works on `Character`.
struct EscapedByScalars: MustacheContentType {
    /// The name by which templates select it.
    static let name = "SCALARS"
    /// The line to put before each template.
    static let pragma = "{{% CONTENT_TYPE: \(name)}}"

    func escapeText(_ text: String) -> String { text.escapedForXML }
}
