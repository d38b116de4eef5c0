import Petitions
import ServiceHTTP

/// The plain pages that people see: a list of petitions, and one petition with its count.
enum PetitionPages {
    private static let style = """
        body{font:1.1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}
        strong{font-size:2.5rem}pre{white-space:pre-wrap;font:inherit}code{overflow-wrap:anywhere}
        """

    private static func page(_ title: String, language: String, _ body: String) -> String {
        """
        <!doctype html><html lang="\(language.escapedForHTML)"><meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(title.escapedForHTML)</title><style>\(style)</style><main>\(body)</main></html>
        """
    }

    static func list(_ petitions: [(title: String, address: ServiceURL)]) -> String {
        let items = petitions.map { petition in
            "<li><a href=\"\(petition.address.path.escapedForHTML)\">\(petition.title.escapedForHTML)</a></li>"
        }
        return page("Petitions", language: "en", "<h1>Petitions</h1><ul>\(items.joined())</ul>")
    }

    static func petition(
        _ petition: PetitionManifest, at address: ServiceURL, tally: PublishedTally, now: UTCTime
    ) -> String {
        let text = petition.text
        let state =
            switch petition.status(at: now) {
            case .notOpen: "Opens \(text.opens)"
            case .open: "Open until \(text.closes)"
            case .closed: "Closed since \(text.closes)"
            }
        let groups =
            tally.perLabel.count < 2
            ? ""
            : "<ul>" + tally.perLabel.map { "<li>\($0.label.escapedForHTML): \($0.count.signatures)</li>" }.joined()
                + "</ul>"
        return page(
            text.title, language: text.language,
            """
            <h1>\(text.title.escapedForHTML)</h1>
            <p>Started by \(text.startedBy.escapedForHTML). Addressed to \(text.addressedTo.escapedForHTML).</p>
            <p><strong>\(tally.signatures)</strong> of \(tally.nextGoal) signatures, \(tally.withdrawn) withdrawn.
            \(state).</p>\(groups)
            <pre>\(text.statement.escapedForHTML)</pre>
            <h2>Sign</h2><p>With an enrolled wallet:</p>
            <p><code>petition-signer sign \(address.text.escapedForHTML)</code></p>
            <h2>Check the number yourself</h2>
            <p><code>petition-verifier verify \(address.text.escapedForHTML)</code></p>
            <p>Petition id: <code>\(petition.id.hex)</code></p>
            """)
    }
}
