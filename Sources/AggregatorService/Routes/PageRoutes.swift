import Bytes
import Documents
import HTTPTypes
import Hummingbird
import LogStorage
import Messages
import NIOCore
import PageParts
import PetitionPages
import Petitions
import Platform
import ServiceHTTP
import TransparencyLog

/// What people see, share and print: pages, images, figures and the feed. Each is made once for each checkpoint,
/// language and hour, and cached in memory.
struct PageRoutes: Sendable {
    /// The views of every petition, oldest first.
    let views: @Sendable () throws -> [PetitionView]
    /// The view of the petition that a request names.
    let view: @Sendable (BasicRequestContext) throws -> PetitionView
    private let pages: Pages
    private let cache = PageCache()

    init(
        pages: Pages, views: @escaping @Sendable () throws -> [PetitionView],
        view: @escaping @Sendable (BasicRequestContext) throws -> PetitionView
    ) {
        self.views = views
        self.view = view
        self.pages = pages
    }

    /// Adds the routes that exist once for all petitions.
    func add(toSite group: RouterGroup<BasicRequestContext>) {
        group.get { request, _ in
            let views = try views()
            let language = request.chosenLanguage ?? .english
            let version = views.map(Self.version).joined(separator: ",")
            return try page("list", version, language, for: request) { pages.list(views, language: language) }
        }
        group.get("feed") { request, _ in
            let views = try views()
            let version = views.map(Self.version).joined(separator: ",")
            return try cached("feed", version, type: "application/atom+xml; charset=utf-8", for: request) {
                Array(pages.feed(views).utf8)
            }
        }
        group.get("assets/:name") { _, context in
            guard let asset = Asset.all[try context.parameters.require("name")] else { throw Problem.noSuchPage }
            return LogResponse.asset(asset.bytes, type: asset.type)
        }
        group.get("p/:short") { _, context in
            let short = try context.parameters.require("short")
            let found = try views().filter { $0.manifest.id.shortForm == short }
            // If two petitions share the short form, neither is chosen.
            guard found.count == 1 else { throw Problem.noSuchPage }
            return Response(status: .seeOther, headers: [.location: found[0].address.path, .cacheControl: "no-cache"])
        }
    }

    /// Adds the routes of each petition.
    func add(toPetition group: RouterGroup<BasicRequestContext>) {
        addPage("poster", to: group) { pages.poster($0, language: $1) }
        group.get("check") { request, context in
            let view = try view(context)
            let language = request.chosenLanguage ?? view.language
            let name = "check \(view.manifest.id.hex)"
            // Nothing may leave this page, and the browser enforces it.
            return try page(name, Self.version(view), language, connects: false, for: request) {
                pages.check(view, language: language)
            }
        }
        addFile("qr.svg", "image/svg+xml", to: group) { view, _ in view.qrCode?.svg(title: view.address.text).utf8Bytes
        }
        addFile("qr.png", "image/png", to: group) { view, _ in view.qrCode?.png }
        addFile("growth.svg", "image/svg+xml", to: group) { $0.growthChart(language: $1)?.utf8Bytes }
        addFile("badge.svg", "image/svg+xml", isEmbeddable: true, to: group) { $0.badge(language: $1).utf8Bytes }
        addFile("tally.csv", "text/csv; charset=utf-8; header=present", to: group) { view, _ in view.tallyCSV.utf8Bytes
        }
        addFile("history.csv", "text/csv; charset=utf-8; header=present", to: group) { view, _ in
            view.history.csv.utf8Bytes
        }
        addFile("history", "application/json", to: group) { view, _ in view.history.json.utf8Bytes }
    }

    /// The page of one petition.
    func petition(_ view: PetitionView, for request: Request) throws -> Response {
        let language = request.chosenLanguage ?? view.language
        return try page("petition \(view.manifest.id.hex)", Self.version(view), language, for: request) {
            pages.petition(view, language: language)
        }
    }

    // MARK: Responses

    private func addPage(
        _ name: String, to group: RouterGroup<BasicRequestContext>,
        _ make: @escaping @Sendable (PetitionView, Language) -> String
    ) {
        group.get(RouterPath(name)) { request, context in
            let view = try view(context)
            let language = request.chosenLanguage ?? view.language
            return try page("\(name) \(view.manifest.id.hex)", Self.version(view), language, for: request) {
                make(view, language)
            }
        }
    }

    private func addFile(
        _ name: String, _ type: String, isEmbeddable: Bool = false, to group: RouterGroup<BasicRequestContext>,
        _ make: @escaping @Sendable (PetitionView, Language) -> [UInt8]?
    ) {
        group.get(RouterPath(name)) { request, context in
            let view = try view(context)
            let language = request.chosenLanguage ?? view.language
            let response = try cached(
                "\(name) \(language.rawValue) \(view.manifest.id.hex)", Self.version(view), type: type, for: request
            ) { make(view, language) }
            return LogResponse.inert(response, isEmbeddable: isEmbeddable)
        }
    }

    private func page(
        _ name: String, _ version: String, _ language: Language, connects: Bool = true, for request: Request,
        _ make: () -> String
    ) throws -> Response {
        let response = try cached(
            "\(name) \(language.rawValue)", version, type: "text/html; charset=utf-8", for: request
        ) { Array(make().utf8) }
        return LogResponse.guarded(response, connects: connects)
    }

    private func cached(
        _ name: String, _ version: String, type: String, for request: Request, _ make: () -> [UInt8]?
    ) throws -> Response {
        guard let made = cache.page(name, version, make) else { throw Problem.noSuchPage }
        return LogResponse.current(made.tag, type: type, for: request) { made.bytes }
    }

    /// What a page about a petition depends on.
    private static func version(_ view: PetitionView) -> String {
        "\(view.tally.rootHash.hex) \(view.status.rawValue) \(view.history.points.count)"
    }
}

extension String {
    fileprivate var utf8Bytes: [UInt8] { Array(utf8) }
}

extension Problem {
    /// There is no such page, image or file.
    fileprivate static let noSuchPage = Problem(.notFound, "There is nothing at this address.")
}

/// The newest version of each page, for each petition and language. It does not grow with the number of visitors.
private final class PageCache: Sendable {
    struct Page {
        let version: String
        let bytes: ByteBuffer
        /// A strong entity tag, with its quotes.
        let tag: String
    }
    private let pages = Mutex<[String: Page]>([:])

    func page(_ name: String, _ version: String, _ make: () -> [UInt8]?) -> Page? {
        if let page = pages.withLock({ $0[name] }), page.version == version { return page }
        guard let bytes = make() else { return nil }
        let tag = "\"\(MerkleHash.leaf(bytes).hex.prefix(24))\""
        let page = Page(version: version, bytes: ByteBuffer(bytes: bytes), tag: tag)
        pages.withLock { $0[name] = page }
        return page
    }
}
