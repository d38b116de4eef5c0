import CWebPage
import Documents
import LogReading
import SignerWallet
import SignerWords

/// Requests that the page sends with `fetch`: without cookies, referrer or cache, and without following redirects. They
/// fail once one visit has taken too long, as with the command line.
final class PageConnection: RequestConnection {
    private let words: SignerWords
    private let isProxied: Bool
    private let end: Double

    init(words: SignerWords, isProxied: Bool) {
        (self.words, self.isProxied) = (words, isProxied)
        end = page_elapsed() + Double(SignerNetwork.longestVisit.components.seconds) * 1000
    }

    /// What the page is told of a request.
    private func fields(
        of request: OutgoingRequest, patience: Int64 = PageConnection.patience
    ) throws(SourceError) -> [(name: String, value: JSONValue)] {
        // Before any name is looked up: that alone would tell the network where somebody wants to go.
        guard isProxied || ServiceURL(request.url)?.host.hasSuffix(".onion") != true else {
            throw .unreachable(location: request.url, reason: words(.fetchOnion))
        }
        let left = (end - page_elapsed()) / 1000
        guard left >= 1 else { throw .unreachable(location: request.url, reason: words(.fetchLate)) }
        let seconds = min(Int64(left), max(patience, request.timeout?.components.seconds ?? 0))
        var fields: [(name: String, value: JSONValue)] = [
            ("url", .string(request.url)), ("limit", .integer(UInt64(request.limit))),
            (
                "headers",
                .array(request.headers.map { .object([("name", .string($0.name)), ("value", .string($0.value))]) })
            ),
            ("seconds", .integer(UInt64(seconds))),
        ]
        if let content = request.content { fields.append(("type", .string(content.type))) }
        return fields
    }

    /// The page asks for them already, while the one before is read.
    func expect(_ requests: [OutgoingRequest]) {
        // Whatever keeps a request from being sent is told when it is sent.
        // They share a line: together they may take as long as one after the other.
        let patience = Self.patience * Int64(requests.count)
        let told = requests.compactMap { (try? fields(of: $0, patience: patience)).map { JSONValue.object($0) } }
        _ = Page.ask("expect", [("requests", .array(told))])
    }

    func send(_ request: OutgoingRequest) throws(SourceError) -> HTTPAnswer {
        var answer = Page.ask("fetch", try fields(of: request), content: request.content?.bytes ?? [])
        if let status = try? answer.fields.integer("status", in: 100...599) {
            return HTTPAnswer(status: Int(status), body: answer.content)
        }
        let reason: SignerPhrase =
            switch answer.text("failure") {
            case "large": throw .tooLarge(location: request.url)
            case "offline": .fetchOffline
            case "late": .fetchLate
            case "page": .fetchPage
            case "stopped": .interrupted
            default: .fetchFailed
            }
        throw .unreachable(location: request.url, reason: words(reason))
    }

    func close() {}

    /// How long an answer may take, in seconds. Through Tor, connecting alone may take half of it.
    private static let patience: Int64 = 120
}
