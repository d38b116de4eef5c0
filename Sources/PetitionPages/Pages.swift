import Bytes
import Documents
import Foundation
import Messages
import Mustache
import PageParts
import Petitions
import Platform
import Sodium
import TransparencyLog
import Witnessing

/// The pages of a server, each as one HTML document that loads a stylesheet and scripts, and nothing else.
public struct Pages: Sendable {
    private let site: ServiceURL
    private let hasList: Bool
    let programs: ProgramsPart?
    private let statements = Statements()
    private let charts = Charts()
    /// The templates for each language, with its phrases filled in.
    private let templates: [Language: MustacheLibrary]

    /// Pages for the server at `site`; `hasList` is true when that address shows a list of petitions, as an
    /// aggregator's does. Those on which a person needs a program say where it is offered, if it is.
    public init(site: ServiceURL, hasList: Bool, programs: ProgramsOffer? = nil) {
        self.site = site
        self.hasList = hasList
        self.programs = programs.map { offer in
            ProgramsPart(
                url: offer.url.text, files: offer.files.map { ProgramsPart.File(name: $0.name, hash: $0.hash) },
                browserSigner: ProgramsOffer.browserSigner(in: offer.files))
        }
        let files = [
            "head": PackageResources.head_mustache, "foot": PackageResources.foot_mustache,
            "list": PackageResources.list_mustache, "petition": PackageResources.petition_mustache,
            "poster": PackageResources.poster_mustache, "check": PackageResources.check_mustache,
            "problem": PackageResources.problem_mustache, "stop": PackageResources.stop_mustache,
            "enrolment": PackageResources.enrolment_mustache, "asked": PackageResources.asked_mustache,
            "front": PackageResources.front_mustache, "programs": PackageResources.programs_mustache,
        ]
        templates = Dictionary(uniqueKeysWithValues: Language.allCases.map { ($0, Templates.load(files, in: $0)) })
    }

    // MARK: Pages

    /// Every petition of the aggregator.
    public func list(_ petitions: [PetitionView], language: Language) -> String {
        let entries = petitions.map { view in
            ListPage.Entry(facts: facts(view, language), href: view.address.path, title: view.manifest.text.title)
        }
        let frame = frame(language.phrase(.petitions), language)
        return render("list", ListPage(frame: frame, atom: site.path + "/feed", petitions: entries), language)
    }

    /// A petition with its count.
    public func petition(_ view: PetitionView, language: Language) -> String {
        let text = view.manifest.text
        let statement = statements.rendered(view.manifest)
        let labels = view.tally.perLabel.enumerated().map { index, label in
            PetitionPage.Label(
                index: index, label: label.group.label, count: language.number(label.count.signatures))
        }
        let admissions = view.tally.perAdmission.enumerated().map { index, part in
            PetitionPage.Admission(
                kind: part.admission.rawValue, name: language.phrase(Self.name(of: part.admission)),
                count: language.number(part.count.signatures),
                caution: part.admission.caution.map { _ in language.phrase(.severalMailboxes) }, isLater: index > 0)
        }
        let chart = charts.drawn(view, language).map {
            PetitionPage.Chart(svg: $0.svg, text: $0.text, path: view.address.path)
        }
        let page = PetitionPage(
            frame: frame(text.title, language), facts: facts(view, language), scripts: [file(.live), file(.copy)],
            programs: programs,
            isOpen: view.status == .open,
            description: statement.preview, image: view.address.text + "/qr.png", statement: statement.html,
            website: text.website, replaces: text.replaces?.hex, opens: text.opens.description,
            opensDay: language.day(text.opens.seconds), checkpoint: view.checkpointTime.description,
            checkpointMinute: language.minute(view.checkpointTime.seconds),
            waits: view.waitsSince.map { language.phrase(.waitsForWitnesses, language.minute($0.seconds)) },
            hasAdmissions: !admissions.isEmpty, admissions: admissions, hasLabels: labels.count > 1,
            labels: labels, chart: chart,
            // Escaped twice: it is shown as the source of markup that others paste into a page.
            badgeAlt: text.title.escapedForXML, mailSubject: Self.percentEncoded(text.title),
            mailBody: Self.percentEncoded(view.address.text))
        return render("petition", page, language)
    }

    /// A sheet for printing.
    public func poster(_ view: PetitionView, language: Language) -> String {
        let page = PosterPage(
            frame: frame(view.manifest.text.title, language), facts: facts(view, language),
            browserHash: programs?.browserSigner.map { Fingerprint.groups(of: $0) },
            qr: QRCode(view.address.text)?.svg(title: language.phrase(.qr)))
        return render("poster", page, language)
    }

    /// How the page and the poster of a petition will look that nobody has signed yet: one document that loads nothing.
    /// `groups` says what each of its rolls is counted with.
    public func preview(_ manifest: PetitionManifest, groups: [TallyGroup]) -> String {
        let view = PetitionView(
            manifest: manifest, address: manifest.logURL(aggregator: 0), logKey: manifest.logKey(aggregator: 0),
            tally: PublishedTally(
                manifest, tally: Tally(perRoll: manifest.rolls.map { _ in Tally.Count() }),
                groups: groups, treeSize: 0, rootHash: MerkleHash.emptyRoot),
            checkpointTime: manifest.text.opens, status: manifest.status(at: manifest.text.opens),
            history: GrowthHistory([]))
        let page = Self.content(petition(view, language: view.language))
        // One document has one main part, and every other part is named.
        let name = view.language.phrase(.poster).escapedForXML
        let poster = Self.content(poster(view, language: view.language))
            .replacing("<main id=\"main\"", with: "<section aria-label=\"\(name)\"").replacing(
                "</main>", with: "</section>")
        return """
            <!doctype html>
            <html lang="\(view.language.rawValue)">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(manifest.text.title.escapedForXML)</title>
            <style>\(String(decoding: Stylesheet.bytes, as: UTF8.self))</style>
            </head>
            <body>
            \(page)
            <hr>
            \(poster)
            </body>
            </html>

            """
    }

    /// A page without what surrounds its content.
    private static func content(_ page: String) -> String {
        guard let start = page.range(of: "<main"), let end = page.range(of: "</main>", options: .backwards) else {
            return page
        }
        return String(page[start.lowerBound..<end.upperBound])
    }

    /// The page on which a person checks a receipt.
    public func check(_ view: PetitionView, language: Language) -> String {
        let page = CheckPage(
            frame: frame(language.phrase(.checkTitle), language), facts: facts(view, language), scripts: [file(.check)],
            programs: programs,
            title: view.manifest.text.title, origin: view.logKey.name,
            key: Base64.encode(view.logKey.publicKey.bytes.array), witnesses: view.manifest.witnesses.map(Self.pairs))
        return render("check", page, language)
    }

    /// Not inlined: the compiler (Swift 6.3.1) fails on this where it is called.
    @inline(never)
    private static func pairs(_ policy: WitnessPolicy) -> String {
        var pairs: [JSONValue] = []
        for key in policy.keys {
            guard let publicKey = key.ed25519 else { continue }
            pairs.append(.array([.string(key.name), .string(Base64.encode(publicKey.bytes.array))]))
        }
        return JSONValue.array(pairs).text(isPretty: false)
    }

    /// What a person sees instead of a page that cannot be shown: because there is none if `isMissing` is true, or
    /// because it is unavailable just now. `detail` says more, in English.
    public func problem(isMissing: Bool, detail: String, language: Language) -> String {
        let heading = language.phrase(isMissing ? .missing : .unavailable)
        return render("problem", ProblemPage(frame: frame(heading, language), detail: detail), language)
    }

    private static func name(of admission: RollAdmission.Kind) -> Phrase {
        switch admission {
        case .list: .tallyByList
        case .email: .tallyByMail
        }
    }

    /// The aggregator's petitions as an Atom feed (RFC 4287).
    public func feed(_ petitions: [PetitionView]) -> String {
        let entries = petitions.map { view -> String in
            let text = view.manifest.text
            let count =
                view.language.number(view.tally.signatures) + " "
                + view.language.phrase(view.tally.signatures == 1 ? .one : .signatures)
            return """
                <entry xml:lang="\(text.language.escapedForXML)"><id>urn:sha256:\(view.manifest.id.hex)</id>\
                <title>\(text.title.escapedForXML)</title><link href="\(view.address.text.escapedForXML)"/>\
                <author><name>\(text.startedBy.escapedForXML)</name></author>\
                <published>\(text.opens)</published><updated>\(Self.updated(view))</updated>\
                <summary>\(count.escapedForXML). \(StatementHTML.preview(text.statement, limit: 300).escapedForXML)</summary></entry>
                """
        }
        let newest = petitions.map(Self.updated).max() ?? "1970-01-01T00:00:00Z"
        return """
            <?xml version="1.0" encoding="utf-8"?>
            <feed xmlns="http://www.w3.org/2005/Atom"><id>\(site.text.escapedForXML)/feed</id>\
            <title>\(Language.english.phrase(.petitions)): \(site.bare.escapedForXML)</title>\
            <link rel="self" href="\(site.text.escapedForXML)/feed"/><link href="\(site.text.escapedForXML)"/>\
            <updated>\(newest)</updated>\(entries.joined())</feed>
            """
    }

    /// The time of the last change, to the hour: a feed, which readers keep, must not reveal when exactly people sign.
    private static func updated(_ view: PetitionView) -> String {
        let hour = GrowthPoint.resolution
        return UTCTime(seconds: view.checkpointTime.seconds / hour * hour).description
    }

    // MARK: Parts

    func render(_ template: String, _ page: some PageModel, _ language: Language) -> String {
        guard let html = templates[language]?.render(page.values, withTemplate: template) else {
            preconditionFailure("there is such a template")
        }
        return html
    }

    func frame(_ heading: String, _ language: Language) -> Frame {
        let languages = Language.allCases.map {
            Frame.Languages.Entry(code: $0.rawValue, name: $0.name, current: $0 == language)
        }
        // Without a list, no links to this page in other languages: they would lose an invitation's code after the #.
        return Frame(
            heading: heading, lang: language.rawValue, icon: path(.icon), css: file(.style),
            host: hasList ? nil : site.bare,
            home: hasList ? "\(site.path.isEmpty ? "/" : site.path)?lang=\(language.rawValue)" : nil,
            languages: hasList ? Frame.Languages(all: languages) : nil)
    }

    private func path(_ asset: Asset) -> String { "\(site.path)/assets/\(asset.name)" }

    func file(_ asset: Asset) -> LinkedFile { LinkedFile(href: path(asset), integrity: asset.integrity) }

    private func facts(_ view: PetitionView, _ language: Language) -> Facts {
        let (text, tally) = (view.manifest.text, view.tally)
        let goal = language.phrase(.ofGoal).components(separatedBy: "%")
        return Facts(
            petitionLang: text.language, dir: Language.direction(of: text.language), startedBy: text.startedBy,
            addressedTo: text.addressedTo, signatures: language.number(tally.signatures),
            plainSignatures: tally.signatures, unit: language.phrase(tally.signatures == 1 ? .one : .signatures),
            withdrawn: language.number(tally.withdrawn), goal: language.number(tally.nextGoal),
            plainGoal: tally.nextGoal, goalBefore: goal[0], goalAfter: goal.count > 1 ? goal[1] : "",
            state: state(view, language), path: view.address.path, url: view.address.text,
            id: view.manifest.id.hex, shortID: view.manifest.id.shortForm,
            fingerprint: view.manifest.id.fingerprint,
            shortURL: "\(site.text)/p/\(view.manifest.id.shortForm)")
    }

    private func state(_ view: PetitionView, _ language: Language) -> String {
        let text = view.manifest.text
        return switch view.status {
        case .notOpen: language.phrase(.notOpen, language.minute(text.opens.seconds))
        case .open: language.phrase(.open, language.minute(text.closes.seconds))
        case .closed: language.phrase(.closed, language.minute(text.closes.seconds))
        }
    }

    /// The text encoded for the parts of a `mailto:` url (RFC 6068): it keeps only characters never special there.
    private static func percentEncoded(_ text: String) -> String {
        text.utf8.map { byte in
            let character = Character(UnicodeScalar(byte))
            let isPlain = byte < 0x80 && (character.isLetter || character.isNumber || "-._~".contains(character))
            return isPlain ? String(character) : "%" + Hex.encode([byte]).uppercased()
        }.joined()
    }
}

/// Rendered statements, each made once: a petition's id is a hash over its statement, which never changes.
private final class Statements: Sendable {
    struct Rendered: Sendable {
        let html: String
        /// Its first 200 characters as plain words.
        let preview: String
    }
    private let known = Mutex<[PetitionID: Rendered]>([:])

    func rendered(_ manifest: PetitionManifest) -> Rendered {
        if let rendered = known.withLock({ $0[manifest.id] }) { return rendered }
        let statement = manifest.text.statement
        let rendered = Rendered(
            html: StatementHTML.render(statement), preview: StatementHTML.preview(statement, limit: 200))
        known.withLock { $0[manifest.id] = rendered }
        return rendered
    }
}

/// The newest chart of each petition and language: a history grows by the hour, while its page is made for each
/// checkpoint.
private final class Charts: Sendable {
    private struct Key: Hashable {
        let petition: PetitionID
        let language: Language
    }

    struct Drawn: Sendable {
        let history: GrowthHistory
        let svg: String
        /// The same in words.
        let text: String
    }
    private let known = Mutex<[Key: Drawn]>([:])

    /// The chart of a view's history; nil before there is anything to show.
    func drawn(_ view: PetitionView, _ language: Language) -> Drawn? {
        let key = Key(petition: view.manifest.id, language: language)
        if let drawn = known.withLock({ $0[key] }), drawn.history == view.history { return drawn }
        guard let chart = GrowthChart(view.history.points, language: language) else { return nil }
        let drawn = Drawn(history: view.history, svg: chart.svg, text: chart.text)
        known.withLock { $0[key] = drawn }
        return drawn
    }
}

/// The images that represent a petition elsewhere.
extension PetitionView {
    /// Its url, which ends in its id, as a QR code; nil if it is longer than a code can hold.
    public var qrCode: QRCode? { QRCode(address.text) }

    /// A badge with its count for other websites, as SVG.
    public func badge(language: Language) -> String {
        Badge.svg(title: manifest.text.title, tally: tally, language: language)
    }

    /// How its count grew, as SVG; nil before there is anything to show.
    public func growthChart(language: Language) -> String? {
        GrowthChart(history.points, language: language)?.svg
    }

    /// The counts as CSV (RFC 4180): a line for each label, and the total.
    public var tallyCSV: String {
        func row(_ label: String, _ admission: String, _ signatures: UInt64, _ withdrawn: UInt64) -> [String] {
            [label, admission, String(signatures), String(withdrawn)]
        }
        return CSVText.table(
            [["label", "admission", "signatures", "withdrawn"]]
                + tally.perLabel.map {
                    row($0.group.label, $0.group.admission.rawValue, $0.count.signatures, $0.count.withdrawn)
                }
                + [row("total", "", tally.signatures, tally.withdrawn)])
    }
}
