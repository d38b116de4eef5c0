import Documents
import HTTPTypes
import Hummingbird
import Messages
import NIOCore
import PageParts
import PetitionPages

/// How HTML pages are sent. This is the only place that decides what a browser may do on them.
extension LogResponse {
    /// A page made for this response alone, never cached.
    public static func page(
        _ html: String, status: HTTPResponse.Status = .ok, connects: Bool = true, posts: Bool = false
    ) -> Response {
        guarded(
            Response(
                status: status, headers: [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store"],
                body: .init(byteBuffer: ByteBuffer(string: html))), connects: connects, posts: posts)
    }

    /// `response` with the headers of a page: styles, scripts and images only from its own server, no framing, and no
    /// referrer for other sites. Without `connects`, the page's script cannot make requests either; only with `posts`
    /// can a form be sent, to its own server.
    public static func guarded(_ response: Response, connects: Bool = true, posts: Bool = false) -> Response {
        var response = response
        response.headers[.contentSecurityPolicy] = """
            default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src \
            \(connects ? "'self'" : "'none'"); base-uri 'none'; form-action \
            \(posts ? "'self'" : "'none'"); frame-ancestors 'none'
            """
        response.headers[.vary] = "Accept, Accept-Language"
        // Under "no-referrer" some browsers do not say that a form comes from this page.
        response.headers[.referrerPolicy] = posts ? "same-origin" : "no-referrer"
        response.headers[.xFrameOptions] = "DENY"
        response.headers[.crossOriginResourcePolicy] = "same-origin"
        response.headers[.crossOriginOpenerPolicy] = "same-origin"
        response.headers[.permissionsPolicy] = "camera=(), geolocation=(), microphone=(), browsing-topics=()"
        return response
    }

    /// An image or file that accompanies the pages: opened alone in a tab, it may do nothing. Other sites may embed it
    /// only if `isEmbeddable`.
    public static func inert(_ response: Response, isEmbeddable: Bool) -> Response {
        var response = response
        response.headers[.contentSecurityPolicy] =
            "default-src 'none'; frame-ancestors \(isEmbeddable ? "*" : "'none'")"
        response.headers[.crossOriginResourcePolicy] = isEmbeddable ? "cross-origin" : "same-origin"
        return response
    }

    /// A file that pages load. Its name must change whenever its bytes do.
    public static func asset(_ bytes: [UInt8], type: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: type, .cacheControl: "public, max-age=31536000, immutable"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

extension Request {
    /// True for the address of the server itself. The router takes one that it cannot decode for it, too.
    public func isFor(_ site: ServiceURL) -> Bool {
        let path = uri.string.utf8.prefix { $0 != UInt8(ascii: "?") }
        return path.elementsEqual(site.path.utf8) || path.elementsEqual((site.path + "/").utf8)
    }

    /// True for a browser that navigates to an address: it gets a page, where programs get notes and JSON.
    public var wantsPage: Bool {
        guard let accepted = headers[.accept] else { return false }
        return accepted.contains("text/html") && !accepted.contains("json")
    }

    /// The language that `?lang=` requests, or else one from the browser's `Accept-Language`; nil if the pages have
    /// neither.
    public var language: Language? {
        chosenLanguage ?? headers[.acceptLanguage].flatMap { Language(accepting: $0) }
    }

    /// The language that `?lang=` requests; nil if the pages do not have it.
    public var chosenLanguage: Language? { uri.queryParameters["lang"].flatMap { Language(tag: $0) } }
}

extension HTTPField.Name {
    /// Where a request comes from, as a browser says it (Fetch Metadata Request Headers).
    public static let fetchSite = known("Sec-Fetch-Site")
    /// The work for a record or a request.
    public static let work = known(ProofOfWorkChallenge.header)

    private static func known(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("a header's name") }
        return name
    }

    fileprivate static let crossOriginResourcePolicy = known("Cross-Origin-Resource-Policy")
    fileprivate static let crossOriginOpenerPolicy = known("Cross-Origin-Opener-Policy")
    fileprivate static let permissionsPolicy = known("Permissions-Policy")
    fileprivate static let referrerPolicy = known("Referrer-Policy")
    fileprivate static let xFrameOptions = known("X-Frame-Options")
}
