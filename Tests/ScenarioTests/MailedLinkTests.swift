import AsyncHTTPClient
import Documents
import Foundation
import NIOCore
import NIOHTTP1
import Testing

/// Invitation links after what mail programs and filters do to them, with the real programs.
@Suite struct MailedLinkTests {
    @Test func everybodyEnrolsWhateverBecameOfTheLink() throws {
        let deployment = try Deployment(people: 8)
        func parts(_ person: Int) throws -> (link: String, code: String) {
            let parts = deployment.links[person].split(separator: "#").map(String.init)
            return (try #require(parts.first), try #require(parts.last))
        }
        func encoded(_ text: String) -> String {
            text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        }
        let whole = deployment.links
        let (apart, quoted, typed) = (try parts(4), try parts(5), try parts(6))
        let code = try #require(InvitationCode(text: typed.code))
        let arguments: [[String]] = [
            ["<\(whole[0])>."], [whole[1].replacing("#", with: "%23")], [whole[2].replacing("#", with: "%2523")],
            ["https://eur01.safelinks.protection.outlook.com/?url=\(encoded(whole[3]))&data=05%7C&reserved=0"],
            [apart.link, apart.code],
            ["https://urldefense.com/v3/__\(quoted.link)*\(quoted.code)__;Iw!!AbC!xyz$"],
            // As the letter shows it, in groups, of which the shell makes words.
            [typed.link] + code.text.split(separator: "-").map(String.init),
            ["\(whole[7].prefix(12))\n \(whole[7].dropFirst(12))"],
        ]
        for (person, arguments) in arguments.enumerated() {
            let run = try deployment.signer(person, "enrol", with: arguments)
            #expect(run.code == 0 && run.output.contains("You are enrolled"), "\(arguments): \(run.errors)")
            // Where the code goes is said, whatever host a filter's link shows.
            #expect(run.errors.contains("Your invitation is for \(apart.link), at localhost"))
            #expect(run.errors.contains("a mail filter") == [3, 5].contains(person))
        }
    }

    @Test func eachRefusalSaysWhy() throws {
        let deployment = try Deployment(people: 4)
        let (link, other) = (deployment.links[0], deployment.links[1])
        let refusals: [([String], Int32, String)] = [
            ([String(link.prefix { $0 != "#" })], 2, "this link has no code"),
            ([String(link.dropLast())], 1, "26 characters instead of 27"), ([link + "00"], 1, "instead of 27"),
            ([String(link.dropLast()) + "$"], 1, "mistyped"),
            ([String(link.dropLast()) + "é"], 1, "a character that no code has: é"),
            ([link, String(other.split(separator: "#")[1])], 1, "these are two different codes"),
            ([deployment.coordinatorURL + "/petitions/x"], 1, "not an invitation link"),
            (["mailto:ada@example.org"], 2, "it begins with mailto"),
        ]
        for (arguments, code, words) in refusals {
            let run = try deployment.signer(0, "enrol", with: arguments)
            #expect(run.code == code && run.errors.contains(words), "\(arguments): \(run.errors)")
            #expect(run.errors.contains("hint: "))
        }
        // Nothing was used up.
        try deployment.expectSigner(0, "enrol", with: [link])
    }

    /// What a scanner of mails does with everything that it finds changes nothing.
    @Test func aScannerChangesNothing() async throws {
        let deployment = try Deployment(people: 4)
        let link = try #require(deployment.links.first)
        let roll = try #require(link.split(separator: "#").first).description
        let descriptor = try RollDescriptor(parsing: [UInt8](try await HTTP.get(roll).body))
        let log = descriptor.url.text + "/enrolment/checkpoint"
        let before = try await HTTP.get(log).body
        for path in [roll, link.replacing("#", with: "%23"), link.replacing("#", with: "%2523"), roll + "/"] {
            for method in [HTTPMethod.GET, .HEAD, .POST, .PUT, .DELETE] {
                for accept in ["text/html", "*/*"] {
                    var request = HTTPClientRequest(url: path)
                    request.method = method
                    request.headers.add(name: "Accept", value: accept)
                    if method == .POST { request.body = .bytes(ByteBuffer(string: "url=\(link)")) }
                    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
                    let body = try await response.body.collect(upTo: 1 << 20)
                    // The page, for a browser, also where the code became a part of the path.
                    let isPage = [.GET, .HEAD].contains(method) && accept == "text/html" && !path.hasSuffix("/")
                    #expect(!isPage || response.status == .ok, "\(method) \(path)")
                    if isPage, method == .GET { #expect(String(buffer: body).contains("petition-signer enrol")) }
                    // The code is nowhere in what the server says.
                    #expect(!String(buffer: body).contains(link.split(separator: "#")[1]))
                }
            }
        }
        #expect(try await HTTP.get(log).body == before)
        try deployment.expectSigner(0, "enrol", with: [link])
    }
}
