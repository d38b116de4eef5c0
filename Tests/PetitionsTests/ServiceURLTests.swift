import Documents
import LogReading
import PetitionCopies
import Petitions
import Testing

@Suite struct ServiceURLTests {
    private func expectAccepted(_ texts: [String]) {
        for text in texts {
            let read = ServiceURL(text)
            #expect(read?.text == text, "\(text)")
        }
    }

    private func expectRefused(_ texts: [String]) {
        for text in texts {
            let isRefused = ServiceURL(text) == nil
            #expect(isRefused, "\(text)")
        }
    }

    @Test func secureUrlsInTheOneSpellingAreAccepted() {
        expectAccepted([
            "https://example.org",
            "https://coordinator.example.org/rolls/marlow-2026",
            "https://example.org:8443/a/b_c/d.e-f",
            "https://example.org:80",
            "https://example.org:1",
            "https://example.org:65535",
            "https://1.2.3.4:8080/a",
            "https://a",
            "https://xn--bcher-kva.example",
            "https://localhost",
            "https://[::1]/a",
            "https://example.org/...",
            "https://example.org/.well-known/-/_",
        ])
    }

    @Test func plainUrlsAreForThisMachineAndOnionServicesOnly() {
        expectAccepted([
            "http://localhost",
            "http://localhost:8080/rolls/a",
            "http://localhost:443",
            "http://127.0.0.1:1",
            "http://[::1]",
            "http://[::1]:8080/a",
            "http://abcdefghijklmnopqrstuvwxyz234567.onion",
            "http://www.abcdefghijklmnopqrstuvwxyz234567.onion:8080/a",
        ])
        expectRefused([
            "http://example.org",
            "http://127.0.0.2",
            "http://0.0.0.0",
            "http://localhost.example.org",
            "http://notlocalhost",
            "http://onion",
            "http://.onion",
            "http://example.onion.org",
            "http://example.onion.",
            "http://[::2]",
        ])
    }

    @Test func otherSchemesAreRefused() {
        expectRefused([
            "",
            "https",
            "example.org",
            "//example.org",
            "https:example.org",
            "https:/example.org",
            "https//example.org",
            "HTTPS://example.org",
            "Https://example.org",
            "HTTP://localhost",
            " https://example.org",
            "ftp://example.org",
            "wss://example.org",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "https://https://example.org",
        ])
    }

    @Test func otherHostsAreRefused() {
        expectRefused([
            "https://",
            "https:///a",
            "https://Example.org",
            "https://example.ORG/a",
            "https://exa mple.org",
            "https://exa\u{0}mple.org",
            "https://b\u{FC}cher.example",
            "https://ex\u{430}mple.org",
            "https://.example.org",
            "https://example..org",
            "https://example.org.",
            "https://-a.example",
            "https://a-.example",
            "https://a_b.example",
            "https://a%62.example",
            "https://[::2]",
            "https://[::1",
            "https://::1",
            "https://[::1]x",
            "https://x[::1]",
            "https://\u{301}example.org",
            "https://example.org\u{301}",
        ])
    }

    @Test func hostsAndTheirLabelsHaveALongestLength() {
        let label = repeated("a", 63)
        let host = repeated("a.", 126)
        expectAccepted(["https://\(label).example", "https://\(host)a"])
        expectRefused(["https://\(label)a.example", "https://\(host)a.a"])
    }

    @Test func aDefaultPortIsLeftOut() {
        expectRefused([
            "https://example.org:443",
            "https://example.org:443/a",
            "https://[::1]:443",
            "http://localhost:80",
            "http://[::1]:80/a",
        ])
    }

    @Test func portsAreDecimalWithoutLeadingZero() {
        expectRefused([
            "https://example.org:",
            "https://example.org:/a",
            "https://example.org:0",
            "https://example.org:08443",
            "https://example.org:0443",
            "https://example.org:00443",
            "http://localhost:080",
            "https://example.org:65536",
            "https://example.org:99999999999999999999",
            "https://example.org:+8443",
            "https://example.org:-1",
            "https://example.org:84a3",
            "https://example.org: 8443",
            "https://example.org:8443:8443",
            "https://example.org:\u{FF18}\u{FF10}",
            "http://[::1]:",
            "http://[::1]:08080",
        ])
    }

    @Test func trailingSlashesAndEmptySegmentsAreRefused() {
        expectRefused([
            "https://example.org/",
            "https://example.org/a/",
            "https://example.org//",
            "https://example.org//a",
            "https://example.org/a//b",
            "http://localhost:8080/",
        ])
    }

    @Test func usersQueriesAndFragmentsAreRefused() {
        expectRefused([
            "https://user@example.org",
            "https://user:secret@example.org",
            "https://@example.org",
            "https://example.org@evil.example",
            "https://example.org?a=b",
            "https://example.org/a?b=c",
            "https://example.org/a?",
            "https://example.org#a",
            "https://example.org/a#b",
            "https://example.org/a#",
        ])
    }

    @Test func segmentsHaveNoDotsAloneAndNoOtherCharacters() {
        expectRefused([
            "https://example.org/.",
            "https://example.org/..",
            "https://example.org/a/../b",
            "https://example.org/a/./b",
            "https://example.org/A",
            "https://example.org/a%20b",
            "https://example.org/%61",
            "https://example.org/%2e%2e",
            "https://example.org/a%",
            "https://example.org/a b",
            "https://example.org/a+b",
            "https://example.org/a~b",
            "https://example.org/a:b",
            "https://example.org/a;b",
            "https://example.org/a@b",
            "https://example.org/a\\b",
            "https://example.org/a\n",
            "https://example.org/a\r\nb",
            "https://example.org/a\t",
            "https://example.org/\u{0}",
            "https://example.org/\u{E9}",
            "https://example.org/e\u{301}",
            "https://example.org/\u{301}a",
            "https://example.org/a\u{2F}\u{301}b",
        ])
    }

    @Test func pathsMayBeLong() {
        let segment = repeated("a", 5000)
        expectAccepted(["https://example.org/\(segment)", "https://example.org" + repeated("/a", 2000)])
    }

    @Test func thePartsAreAsWritten() throws {
        let plain = try Fixture.url("http://[::1]:8080/rolls/a")
        #expect(plain.isPlain)
        #expect(plain.host == "[::1]")
        #expect(plain.port == 8080)
        #expect(plain.segments == ["rolls", "a"])
        #expect(plain.path == "/rolls/a")
        #expect(plain.description == plain.text)
        let secure = try Fixture.url("https://example.org")
        #expect(!secure.isPlain)
        #expect(secure.host == "example.org")
        #expect(secure.port == 443)
        #expect(secure.segments.isEmpty)
        #expect(secure.path.isEmpty)
        let onion = try Fixture.url("http://example.onion")
        #expect(onion.port == 80)
    }

    @Test func theBareUrlHasNoScheme() throws {
        let urls = [
            "https://example.org": "example.org",
            "https://example.org:8443/a/b": "example.org:8443/a/b",
            "http://localhost:8080/rolls/a": "localhost:8080/rolls/a",
            "http://[::1]": "[::1]",
        ]
        for (text, bare) in urls {
            let url = try Fixture.url(text)
            #expect(url.bare == bare)
        }
    }

    @Test func urlsAreComparedByteForByte() throws {
        let url = try Fixture.url("https://example.org/a")
        let others = [
            "https://example.org/a.", "https://example.org:8443/a", "https://example.org", "https://localhost/a",
        ]
        for text in others {
            let other = try Fixture.url(text)
            #expect(url != other)
        }
        let again = try Fixture.url("https://example.org/a")
        #expect(url == again)
    }

    @Test func segmentsAreAppended() throws {
        let base = try Fixture.url("https://example.org")
        let roll = base.appending("rolls", "a")
        #expect(roll?.text == "https://example.org/rolls/a")
        let same = base.appending()
        #expect(same == base)
        let local = try Fixture.url("http://localhost:8080/c")
        let petitions = local.appending("petitions")
        #expect(petitions?.text == "http://localhost:8080/c/petitions")
    }

    @Test func aSegmentThatIsNotAllowedIsNotAppended() throws {
        let base = try Fixture.url("https://example.org/c")
        for segment in ["", ".", "..", "A", "a b", "a?b", "a#b", "%2f", "\u{E9}", "a/", "/a"] {
            let isRefused = base.appending(segment) == nil && base.appending("rolls", segment) == nil
            #expect(isRefused, "\(segment)")
        }
    }

    @Test func theLastSegmentsAreRemoved() throws {
        let url = try Fixture.url("http://[::1]:8080/c/rolls/a")
        #expect(url.removingLast(0) == url)
        #expect(url.removingLast(1)?.text == "http://[::1]:8080/c/rolls")
        #expect(url.removingLast(2)?.text == "http://[::1]:8080/c")
        #expect(url.removingLast(3)?.text == "http://[::1]:8080")
        let tooMany = url.removingLast(4)
        #expect(tooMany == nil)
    }

    /// Resolvers take any of these for an IPv4 address.
    @Test func addressesHaveOneSpelling() {
        let refused = [
            "127.1", "0177.0.0.1", "127.0.0.0x1", "10.1", "2130706433", "0x7f000001", "1.2.3.256", "01.2.3.4", "1.2.3",
            "1.2.3.4.5", "example.1", "example.0x7f", "example.00",
        ]
        expectRefused(refused.map { "https://\($0)" })
        let accepted = ["1.2.3.4", "255.255.255.255", "0.0.0.0", "1.example", "example.1a", "x0"]
        expectAccepted(accepted.map { "https://\($0)" })
    }

    @Test func addressesOfPrivateNetworksAreKnown() throws {
        let hosts = [
            "localhost", "127.0.0.1", "[::1]", "router", "nas.local", "db.internal", "a.lan", "b.home.arpa", "10.0.0.1",
            "172.16.0.1", "172.31.255.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        ]
        for host in hosts { #expect(try Fixture.url("https://\(host)").isPrivate, "\(host)") }
        for host in ["example.org", "172.32.0.1", "192.169.1.1", "8.8.8.8", "local.example.org", "1.2.3.4.example.org"]
        {
            #expect(try !Fixture.url("https://\(host)").isPrivate, "\(host)")
        }
        #expect(try !Fixture.url("http://aaaaaaaaaaaaaaaa.onion").isPrivate)
    }

    @Test func aPublicPetitionLeadsToNoPrivateAddress() async throws {
        final class Nothing: ResourceSource {
            func read(_ path: String, limit: Int) async throws(SourceError) -> [UInt8]? { nil }
            func location(of path: String) -> String { path }
        }
        let key = Fixture.noteKey(0)
        let roll = PetitionManifest.RollReference(
            id: try #require(RollID(hex: Fixture.rollID)), coordinator: try Fixture.url(Fixture.coordinator),
            label: "Crew", size: 412, root: try Fixture.bytes32(base64: Fixture.root), laterRings: true)
        let manifest = try PetitionManifest.make(
            url: try Fixture.url("http://localhost:8080"), text: try Fixture.petitionText(), rolls: [roll],
            aggregators: try Fixture.aggregators(), key: key)
        for (address, isAsked) in [("https://example.org/p", false), ("http://localhost/p", true)] {
            let petition = ServedPetition(
                try Fixture.url(address), aggregators: { _ in Nothing() }, coordinators: { _ in Nothing() },
                witnesses: { _ in Nothing() })
            let source = petition.coordinator(of: manifest)
            if isAsked {
                #expect(try await source.read("checkpoint", limit: 100) == nil)
            } else {
                await #expect(throws: SourceError.self) { try await source.read("checkpoint", limit: 100) }
            }
        }
    }
}
