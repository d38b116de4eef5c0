import Foundation
import Mustache

/// What every page is made of: templates of the module that asks, in one language, and one stylesheet.
package enum Templates {
    /// The stylesheet.
    package static let style: [UInt8] = PackageResources.page_css

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
