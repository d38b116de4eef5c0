import HTTPTypes
import Hummingbird
import LogStorage
import Logging
import Messages
import NIOCore
import PageParts
import PetitionPages
import Petitions
import Platform
import Storage

/// A refusal as a problem document of RFC 9457: `application/problem+json` with the name of the broken rule.
public struct Problem: HTTPResponseError, Equatable {
    /// The rule that was broken.
    public let rule: Rule
    /// What to do about it, for people. Never contains anything secret.
    public let detail: String
    /// The number of seconds after which a retry makes sense.
    public let retryAfter: Int?
    /// The proof of work with which a retry is accepted.
    public let work: ProofOfWorkChallenge?

    /// A refusal by `rule`.
    public init(_ rule: Rule, _ detail: String, retryAfter: Int? = nil, work: ProofOfWorkChallenge? = nil) {
        self.rule = rule
        self.detail = detail
        self.retryAfter = retryAfter
        self.work = work
    }

    /// The status for the rule by `Protocol/http.md`.
    public var status: HTTPResponse.Status {
        switch rule {
        case .malformedRequest, .malformedRecord, .nonCanonicalPoint, .identityPoint, .nonCanonicalScalar: .badRequest
        case .tooLarge: .contentTooLarge
        case .notFound: .notFound
        case .busy where work != nil: .tooManyRequests
        case .busy, .rollUnreachable, .enrolmentPaused: .serviceUnavailable
        case .unknownCode, .voidedCode, .tokenInvalid, .petitionNotOpen, .petitionClosed, .ringNotAdmitted,
            .enrolmentClosed, .domainNotAdmitted:
            .forbidden
        case .codeAlreadyUsed, .issuingClosed, .joiningClosed, .alreadyWithdrawn, .notSigned: .conflict
        case .proofInvalid: .unprocessableContent
        default: .internalServerError
        }
    }

    private var json: String {
        ProblemDocument(rule, status: status.code, detail: detail, work: work).json
    }

    /// The response.
    public func response(from request: Request, context: some RequestContext) -> Response {
        finished(
            Response(
                status: status, headers: [.contentType: "application/problem+json", .cacheControl: "no-store"],
                body: .init(byteBuffer: ByteBuffer(string: json))))
    }

    /// The response for a browser, with the page `html`.
    func response(page html: String) -> Response { finished(LogResponse.page(html, status: status)) }

    private func finished(_ response: Response) -> Response {
        var response = response
        if let retryAfter { response.headers[.retryAfter] = String(retryAfter) }
        return response
    }
}

/// The failures logged recently, to log each kind only once in a while: a full disk fails every request, and the log
/// must not reveal when each came.
private final class Failures: Sendable {
    private static let silence = Duration.seconds(10)
    private let logged = Mutex<[String: ContinuousClock.Instant]>([:])

    /// True if this kind of failure was not logged in the last ten seconds.
    func isNews(_ kind: String) -> Bool {
        logged.withLock { logged in
            let now = ContinuousClock.now
            guard logged[kind].map({ now - $0 > Self.silence }) ?? true else { return false }
            logged[kind] = now
            return true
        }
    }
}

/// Turns every error into a problem document, or into a page for a browser, opens public resources to any web origin,
/// and answers preflight requests. Logs the server's own failures by kind, without anything of the request.
public struct PublicInterface<Context: RequestContext>: RouterMiddleware {
    private let failures = Failures()
    private let metrics: ServiceMetrics
    private let logger: Logger
    private let pages: Pages
    private let refusalDelay: RefusalDelay

    /// The middleware of coordinator and aggregator. It counts refusals and failures in `metrics`, and delays answers
    /// to refused writes by `refusalDelay`.
    public init(metrics: ServiceMetrics, logger: Logger, pages: Pages, refusalDelay: RefusalDelay) {
        self.metrics = metrics
        self.logger = logger
        self.pages = pages
        self.refusalDelay = refusalDelay
    }

    /// Passes the request on, and turns an error into a response.
    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        var response: Response
        if request.method == .options {
            response = Response(
                status: .noContent,
                headers: [
                    .accessControlAllowMethods: "GET, POST",
                    .accessControlAllowHeaders: "content-type, \(ProofOfWorkChallenge.header)",
                    .accessControlMaxAge: "86400",
                ])
        } else {
            do {
                response = try await next(request, context)
            } catch let problem as Problem {
                metrics.refused(problem.rule)
                response = answer(problem, to: request, context)
            } catch let error as any HTTPResponseError {
                let problem = Self.problem(for: error.status)
                metrics.refused(problem.rule)
                response = answer(problem, to: request, context)
            } catch {
                metrics.failed()
                // Errors of the store are our own and contain nothing of the request; of other errors only the type is
                // logged.
                let kind = (error as? StorageError)?.explanation ?? String(describing: type(of: error))
                if failures.isNews(kind) { logger.error("requests fail", metadata: ["error": "\(kind)"]) }
                let problem = Problem(.busy, "The server could not do this now. Try again later.", retryAfter: 30)
                response = answer(problem, to: request, context)
            }
        }
        response.headers[.accessControlAllowOrigin] = "*"
        response.headers[.xContentTypeOptions] = "nosniff"
        // Reads are cheap, and an answer about a missing page should not be delayed.
        if ![.get, .head].contains(request.method), response.status.code >= 400 {
            await refusalDelay.wait(since: start)
        }
        // Refusals too must have no body here: it would be read as the beginning of the next answer.
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func answer(_ problem: Problem, to request: Request, _ context: Context) -> Response {
        guard request.wantsPage else { return problem.response(from: request, context: context) }
        return problem.response(
            page: pages.problem(
                isMissing: problem.rule == .notFound, detail: problem.detail, language: request.language ?? .english))
    }

    private static func problem(for status: HTTPResponse.Status) -> Problem {
        switch status {
        case .notFound, .methodNotAllowed: Problem(.notFound, "There is nothing at this address.")
        case .contentTooLarge: Problem(.tooLarge, "The body is larger than this request may be.")
        default: Problem(.malformedRequest, "The request cannot be read.")
        }
    }
}

extension Request {
    /// The body. If it is longer than `limit` bytes it is refused: before reading if the request says so, otherwise
    /// while reading.
    public func boundedBody(limit: Int) async throws -> [UInt8] {
        let problem = Problem(.tooLarge, "The body has more than \(limit) bytes.")
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit { throw problem }
        do {
            return Array(try await body.collect(upTo: limit).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw problem
        } catch {
            // The sender broke off, or broke the rules of HTTP: not a failure of the server.
            throw Problem(.malformedRequest, "The body did not arrive whole.")
        }
    }
}
