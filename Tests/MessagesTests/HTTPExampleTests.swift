import Documents
import Foundation
import Messages
import Petitions
import Testing

/// The examples of `Protocol/http.md`, read and written by the messages that the programs exchange.
@Suite struct HTTPExampleTests {
    /// A fenced code block of the page: its head, if any, and its body.
    private struct Example {
        let head: String
        let body: String

        init(_ block: String) {
            let isHTTP = block.hasPrefix("POST ") || block.hasPrefix("GET ") || block.hasPrefix("HTTP/")
            let parts = isHTTP ? block.components(separatedBy: "\n\n") : ["", block]
            head = parts[0]
            body = parts.dropFirst().joined(separator: "\n\n").trimmingCharacters(in: .whitespacesAndNewlines)
        }

        var bytes: [UInt8] { Array(body.utf8) }

        /// The body without the line breaks and indentation of the page.
        var compact: String {
            body.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined()
        }
    }

    private let examples: [Example]

    init() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Protocol/http.md")
        // Every second part is inside a fence, whatever follows the fence markers.
        let parts = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "```")
        examples = stride(from: 1, to: parts.count, by: 2).map { Example(String(parts[$0].dropFirst())) }
        #expect(examples.count >= 10)
    }

    /// The examples whose body begins with `beginning` and, if given, whose head contains `request`.
    private func find(_ beginning: String, request: String = "") -> [Example] {
        examples.filter { $0.body.hasPrefix(beginning) && (request.isEmpty || $0.head.contains(request)) }
    }

    @Test func issueAndJoin() throws {
        let issue = try #require(find("{\"code\"", request: "/issue ").first)
        #expect(try IssueRequest(parsing: issue.bytes).json == issue.compact)
        let issued = try #require(find("{\"evaluated\"").first)
        #expect(try IssueAnswer(parsing: issued.bytes).json == issued.compact)
        let join = try #require(find("{\"member\"", request: "/join ").first)
        #expect(try JoinRequest(parsing: join.bytes).json == join.compact)
        let pending = try #require(find("{\"status\":\"pending\"", request: "202 Accepted").first)
        #expect(try JoinAnswer(parsing: pending.bytes) == .pending)
        #expect(JoinAnswer.pending.json == pending.compact)
        let sealed = JoinAnswer.sealed(ring: 3)
        #expect(try JoinAnswer(parsing: Array(sealed.json.utf8)) == sealed)
    }

    @Test func problems() throws {
        let problems = find("{\"type\"")
        #expect(problems.count == 2)
        for example in problems {
            let problem = try ProblemDocument(parsing: example.bytes)
            #expect(problem.json == example.compact && Rule(rawValue: problem.rule) != nil)
            if !example.head.isEmpty { #expect(example.head.hasPrefix("HTTP/1.1 \(problem.status) ")) }
        }
        #expect(try problems.map { try ProblemDocument(parsing: $0.bytes).work?.bits } == [nil, 9])
    }

    @Test func listsAndRounds() throws {
        let list = try #require(find("[{\"id\"").first)
        #expect(PetitionListing.json(try PetitionListing.list(parsing: list.bytes)) == list.compact)
        let round = try #require(find("{\"phase\"").first)
        #expect(try RoundStatus(parsing: round.bytes).json == round.compact)
        let issuing = "{\"phase\":\"issuing\",\"round\":1,\"issued\":0}"
        #expect(try RoundStatus(parsing: Array(issuing.utf8)).json == issuing)
    }

    @Test func tallyAndHistory() throws {
        let example = try #require(examples.first { $0.head.contains("ETag: ") })
        let tally = try PublishedTally(parsing: example.bytes)
        #expect(example.head.contains("ETag: \(tally.entityTag(status: .open))"))
        let served = tally.json(checkpointTime: UTCTime("2026-03-14T09:26:53Z"), status: .open)
        func object(_ text: String) throws -> NSDictionary {
            try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary)
        }
        #expect(try object(served) == object(example.body))
        let history = try #require(find("{\"hours\"").first)
        #expect(try GrowthHistory(parsing: history.bytes).json == history.compact)
    }

    @Test func whatIsNoMessageIsRefused() throws {
        for text in ["", "{}", "[]", "{\"status\":\"maybe\"}", "{\"status\":\"sealed\"}"] {
            let bytes = Array(text.utf8)
            #expect(throws: (any Error).self) { try JoinAnswer(parsing: bytes) }
            #expect(throws: Rule.malformedRequest) { try IssueRequest(parsing: bytes) }
            #expect(throws: Rule.malformedRequest) { try JoinRequest(parsing: bytes) }
            #expect(throws: Rule.malformedRequest) { try IssueAnswer(parsing: bytes) }
            #expect(throws: (any Error).self) { try ProblemDocument(parsing: bytes) }
            #expect(throws: (any Error).self) { try RoundStatus(parsing: bytes) }
        }
        let join = try #require(find("{\"member\"").first).compact
        // A request must not have additional or duplicate fields.
        for text in [join.dropLast() + ",\"name\":\"Zoe\"}", join.dropLast() + ",\"token\":\"\"}"] {
            #expect(throws: Rule.malformedRequest) { try JoinRequest(parsing: Array(text.utf8)) }
        }
        let zero = "{\"member\":\"\(String(repeating: "A", count: 43))=\",\"token\":\"\"}"
        #expect(throws: Rule.identityPoint) { try JoinRequest(parsing: Array(zero.utf8)) }
    }
}
