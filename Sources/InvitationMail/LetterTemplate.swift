import Documents
import MailDelivery
import PageParts

/// The text of invitations by mail, with placeholders: `Subject: …`, an empty line, and the text. Nothing that belongs
/// to one person can be in it but the link and the code.
public struct LetterTemplate: Hashable, Sendable {
    /// The most bytes of a template.
    public static let largest = 32 * 1024

    /// What stands for something else, written `{{name}}`.
    public enum Placeholder: String, CaseIterable, Sendable {
        /// The person's own link.
        case link
        /// The code of the link, in groups.
        case code
        /// The roll's name.
        case roll
        /// The coordinator's name.
        case coordinator
        /// The roll's page: the link without the code.
        case page
        /// The address where further mails are stopped.
        case stop
        /// The SHA-256 of the signer for browsers. Its paragraph is left out where none is offered.
        case browser
    }

    /// What a mail is for.
    public enum Kind: Int, CaseIterable, Sendable {
        /// It invites somebody who is on a list.
        case listed = 0
        /// It invites somebody who asked for it, to an open roll.
        case asked = 1
        /// It tells somebody who asked that the invitation of this mailbox was used: it has no link and no code.
        case used = 2
    }

    /// Why a text is no template.
    public enum Fault: Error, Equatable, Sendable {
        /// It is not text in UTF-8, or has more than 32 KiB.
        case notText
        /// It does not begin with `Subject: …` and an empty line.
        case noSubject
        /// The link or the code is missing in the text.
        case missing(Placeholder)
        /// The link is in a line with other words, from which mail programs do not separate it reliably.
        case linkNotAlone(line: Int)
        /// A link, a code or the page is in the subject, which everybody sees who looks at the list of mails.
        case inSubject(Placeholder)
        /// This line has a placeholder that does not exist, or braces that do not close in it.
        case placeholder(line: Int, String)
        /// This line is too long, or has a control character.
        case line(Int)
    }

    /// The language in which programs read it aloud, and of the built-in text.
    public let language: Language
    /// The template as written, with lines ended by LF.
    public let text: String
    private let subject: String
    private let body: String

    /// The built-in template of a language.
    public init(language: Language, kind: Kind = .listed) {
        let bytes =
            switch (kind, language) {
            case (.listed, .english): PackageResources.en_txt
            case (.listed, .french): PackageResources.fr_txt
            case (.listed, .german): PackageResources.de_txt
            case (.listed, .spanish): PackageResources.es_txt
            case (.asked, .english): PackageResources.asked_en_txt
            case (.asked, .french): PackageResources.asked_fr_txt
            case (.asked, .german): PackageResources.asked_de_txt
            case (.asked, .spanish): PackageResources.asked_es_txt
            case (.used, .english): PackageResources.used_en_txt
            case (.used, .french): PackageResources.used_fr_txt
            case (.used, .german): PackageResources.used_de_txt
            case (.used, .spanish): PackageResources.used_es_txt
            }
        do { try self.init(bytes, language: language, kind: kind) } catch {
            preconditionFailure("a built-in template: \(error)")
        }
    }

    /// Reads a template. Throws a ``Fault``.
    public init(_ bytes: [UInt8], language: Language, kind: Kind = .listed) throws(Fault) {
        guard bytes.count <= Self.largest, let decoded = String(validating: bytes, as: UTF8.self) else {
            throw .notText
        }
        var text = decoded.replacing("\r\n", with: "\n")
        if text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
        self.language = language
        self.text = text
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let start = "Subject: "
        guard lines.count > 2, lines[0].hasPrefix(start), lines[1].isEmpty else { throw .noSubject }
        subject = String(lines[0].dropFirst(start.count))
        // A file ends with an end of line, which is no empty line.
        if lines.last == "" { lines.removeLast() }
        body = lines.dropFirst(2).joined(separator: "\n")
        try Self.check(lines, kind)
        try checkWhole()
    }

    private static func check(_ lines: [String], _ kind: Kind) throws(Fault) {
        var found = Set<Placeholder>()
        for (index, line) in lines.enumerated() {
            let number = index + 1
            let placeholders = try Self.placeholders(in: line, number: number)
            if index == 0, let secret = placeholders.first(where: { ![.roll, .coordinator].contains($0) }) {
                throw .inSubject(secret)
            }
            let alone: [Placeholder] = [.link, .page, .stop]
            if let address = placeholders.first(where: { alone.contains($0) }), line != Self.written(address) {
                throw .linkNotAlone(line: number)
            }
            if index > 0 { found.formUnion(placeholders) }
        }
        guard kind != .used else { return }
        for needed in [Placeholder.link, .code] where !found.contains(needed) { throw .missing(needed) }
    }

    private static func written(_ placeholder: Placeholder) -> String { "{{\(placeholder.rawValue)}}" }

    private static func placeholders(in line: String, number: Int) throws(Fault) -> [Placeholder] {
        var found: [Placeholder] = []
        var rest = line[...]
        while let open = rest.firstRange(of: "{{") {
            let behind = rest[open.upperBound...]
            guard let close = behind.firstRange(of: "}}") else { throw .placeholder(line: number, String(behind)) }
            let name = String(behind[..<close.lowerBound])
            guard let placeholder = Placeholder(rawValue: name) else { throw .placeholder(line: number, name) }
            found.append(placeholder)
            rest = behind[close.upperBound...]
        }
        guard !rest.contains("}}") else { throw .placeholder(line: number, "}}") }
        return found
    }

    /// Makes a mail of it, so that what no mail can have is found before anybody is invited.
    private func checkWhole() throws(Fault) {
        guard let address = try? MailAddress("ada@example.org"), let from = try? Mailbox("ada@example.org") else {
            preconditionFailure("a plain address is refused")
        }
        do {
            _ = try MailMessage(
                from: from, to: address, subject: subject, text: body, date: UTCTime(seconds: 0), id: "0",
                language: language.rawValue)
        } catch {
            switch error {
            case .subject: throw .line(1)
            case .line(let number): throw .line(number + 2)
            case .tooLarge: throw .notText
            }
        }
    }

    /// What one person is sent: subject and text; without a code, what needs one is left out. `browserSigner` is the
    /// SHA-256 of the signer for browsers, if the organiser offers it: 64 lower-case hexadecimal digits.
    public func filled(
        link: RollLink, code: InvitationCode?, roll: String, coordinator: String, stop: ServiceURL,
        browserSigner: String?
    ) -> (subject: String, text: String) {
        let values: [Placeholder: String] = [
            .link: code.map { InvitationLink(roll: link, code: $0).text } ?? "", .code: code?.text ?? "",
            .roll: Self.oneLine(roll), .coordinator: Self.oneLine(coordinator), .page: link.url.text, .stop: stop.text,
            .browser: browserSigner ?? "",
        ]
        return (Self.fill(subject, values), Self.fill(body(hasBrowserSigner: browserSigner != nil), values))
    }

    private func body(hasBrowserSigner: Bool) -> String {
        guard !hasBrowserSigner else { return body }
        let paragraphs = body.split(separator: "\n\n", omittingEmptySubsequences: false)
        return paragraphs.filter { !$0.contains(Self.written(.browser)) }.joined(separator: "\n\n")
    }

    /// Replaces in one pass, so that a name cannot bring a placeholder.
    private static func fill(_ text: String, _ values: [Placeholder: String]) -> String {
        var filled = ""
        var rest = text[...]
        while let open = rest.firstRange(of: "{{"), let close = rest[open.upperBound...].firstRange(of: "}}") {
            filled += rest[..<open.lowerBound]
            filled +=
                Placeholder(rawValue: String(rest[open.upperBound..<close.lowerBound])).flatMap { values[$0] } ?? ""
            rest = rest[close.upperBound...]
        }
        return filled + rest
    }

    /// A name from a document, which may have several lines.
    private static func oneLine(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.value < 0x20 || $0.properties.isWhitespace ? " " : $0 }))
    }
}
