import Bytes
import Documents
import Petitions
import Sodium
import Testing

/// 64 lower-case hexadecimal digits.
private let someID = SHA256.hash([]).hex

@Suite struct RollSlugTests {
    @Test func slugsAreOneSegment() {
        let longest = repeated("a", 200)
        for text in ["a", "0", "marlow-2026", "a.b_c-1", "...", ".a", "-", "_", "rolls", "a.roll", longest] {
            let slug = RollSlug(text)
            #expect(slug?.text == text)
        }
        let wrong = [
            "", ".", "..", "A", "Marlow", "a/b", "/", "/a", "a/", "a b", " a", "a\n", "a\u{0}", "a#b", "a?b", "a%2fb",
            "%61", "a:b", "a@b", "a+b", "a~b", "\u{E9}", "e\u{301}", "\u{301}a", "\u{661}", longest + "a",
        ]
        for text in wrong {
            let isRefused = RollSlug(text) == nil
            #expect(isRefused, "\(text)")
        }
    }

    @Test func noSlugLooksLikeAnId() {
        let ids = [someID, repeated("0", 64), repeated("f", 64), Fixture.rollID, repeated("0123456789abcdef", 4)]
        for id in ids {
            let isRefused = RollSlug(id) == nil
            #expect(isRefused, "\(id)")
            let short = RollSlug(id.dropLast())
            #expect(short?.text == String(id.dropLast()))
            let long = RollSlug(id + "0")
            #expect(long?.text == id + "0")
        }
        // Slugs have no upper case, so that another spelling of an id is not a slug either.
        let upper = RollSlug(someID.uppercased())
        #expect(upper == nil)
        // 64 characters that are not all hexadecimal digits.
        for text in [repeated("g", 64), repeated("a", 63) + "z", repeated("0", 63) + "-", repeated("z", 64)] {
            let slug = RollSlug(text)
            #expect(slug?.text == text)
        }
    }

    @Test func aDescriptorHasASlugByTheSameRules() throws {
        for slug in ["a", "a.b_c-1", String(someID.dropLast()), repeated("g", 64), repeated("a", 200)] {
            let draft = Fixture.roll.with("slug", quoted(slug))
            let descriptor = try RollDescriptor(parsing: Fixture.signed(draft, name: Fixture.coordinatorName))
            #expect(descriptor.link.slug.text == slug)
            #expect(descriptor.link.url.text == Fixture.coordinator + "/rolls/" + slug)
        }
        let wrong = [
            someID, Fixture.rollID, repeated("0", 64), ".", "..", "Marlow", "a/b", "/a", "a/", "a b", "a#b", "a?b",
            "\u{E9}", "", repeated("a", 201), repeated("\u{E9}", 100),
        ]
        for slug in wrong {
            let refusal = Fixture.rollRefusal(Fixture.roll.with("slug", quoted(slug)))
            #expect(refusal?.invalidField == "slug", "\(slug)")
        }
    }
}

@Suite struct RollLinkTests {
    private func link(_ text: String) -> RollLink? {
        ServiceURL(text).flatMap { RollLink($0) }
    }

    @Test func aLinkIsTheCoordinatorAndASlug() throws {
        let links = [
            ("https://coordinator.example.org", "marlow-2026"), ("http://localhost:8080/base", "a.b_c-1"),
            ("https://example.org/deep/er", "a"), ("https://example.org/rolls", "a"),
            ("https://example.org", "rolls"), ("https://example.org/rolls/a", "b"),
            ("http://[::1]:8080", String(someID.dropLast())),
        ]
        for (coordinator, slug) in links {
            let made = RollLink(coordinator: try Fixture.url(coordinator), slug: try Fixture.slug(slug))
            #expect(made.url.text == coordinator + "/rolls/" + slug)
            let read = try #require(link(made.url.text))
            #expect(read == made)
            #expect(read.coordinator.text == coordinator)
            #expect(read.slug.text == slug)
        }
    }

    @Test func anAddressIsNoLink() throws {
        let id = try #require(RollID(hex: someID))
        let address = RollLink.address(of: id, coordinator: try Fixture.url("https://example.org/base"))
        #expect(address.text == "https://example.org/base/rolls/" + someID)
        let read = RollLink(address)
        #expect(read == nil)
    }

    @Test func otherUrlsAreNoLinks() {
        let wrong = [
            "https://example.org", "https://example.org/rolls", "https://example.org/a", "https://example.org/a/b",
            "https://example.org/rolls/a/b", "https://example.org/petitions/a", "https://example.org/roll/a",
            "https://example.org/rolls/a/members", "https://example.org/rolls/" + someID + "/members",
            "https://example.org/rolls/" + repeated("a", 201),
        ]
        for text in wrong {
            let isRefused = link(text) == nil
            #expect(isRefused, "\(text)")
        }
    }

    @Test func theHashCoversTheWholeLinkAndItsLabel() throws {
        let example = try Fixture.link()
        let text = "roundrobin-v1 roll link" + Fixture.rollLink
        #expect(example.hash == SHA256.hash(Array(text.utf8)))
        #expect(example.hash.hex == "b4f1dbc9f18994fd407eee7c45a7d75a55eef0724a7fc36c78764fece94ae37f")
        let others = [
            "http://localhost/rolls/a", "http://localhost:8080/rolls/a", "https://localhost/rolls/a",
            "http://localhost/base/rolls/a", "http://localhost/rolls/b", "http://localhost/rolls/a.",
        ]
        let hashes = others.compactMap { link($0)?.hash }
        #expect(Set(hashes).count == others.count)
    }
}

@Suite struct InvitationLinkTests {
    private let symbols: String
    private let code: InvitationCode

    init() throws {
        code = try #require(InvitationCode([UInt8](0..<16)))
        symbols = code.symbols
    }

    private func refusal(_ text: String) -> InvitationLinkError? {
        do throws(InvitationLinkError) {
            _ = try InvitationLink(parsing: text)
            return nil
        } catch {
            return error
        }
    }

    @Test func aLinkIsReadAsItIsWritten() throws {
        let links = [
            "https://coordinator.example.org/rolls/marlow-2026", "http://localhost:8080/base/rolls/a.b_c-1",
            "https://example.org/rolls/rolls", "https://example.org/rolls/" + String(someID.dropLast()),
        ]
        for text in links {
            let roll = try #require(RollLink(try Fixture.url(text)))
            let written = InvitationLink(roll: roll, code: code)
            #expect(written.text == text + "#" + symbols)
            let read = try InvitationLink(parsing: written.text)
            #expect(read.roll == roll)
            #expect(read.code.bytes == code.bytes)
        }
        let random = InvitationCode.random()
        let read = try InvitationLink(parsing: InvitationLink(roll: try Fixture.link(), code: random).text)
        #expect(read.code.hash == random.hash)
    }

    @Test func aCodeMayBeTypedAsInALetter() throws {
        for typed in [code.text, code.text.lowercased(), symbols.lowercased(), " " + symbols] {
            let read = try InvitationLink(parsing: Fixture.rollLink + "#" + typed)
            #expect(read.code.bytes == code.bytes, "\(typed)")
        }
    }

    @Test func aLinkWithAnIdIsRefused() {
        for id in [someID, Fixture.rollID, repeated("0", 64)] {
            #expect(refusal(Fixture.coordinator + "/rolls/" + id + "#" + symbols) == .namesAnID)
            // Whatever follows the id: this reason matters more than a mistyped code.
            #expect(refusal(Fixture.coordinator + "/rolls/" + id + "#") == .namesAnID)
            #expect(refusal("http://localhost:8080/base/rolls/" + id + "#" + symbols) == .namesAnID)
        }
    }

    @Test func otherTextsAreNoLinks() {
        let wrong = [
            "", "#", "a", symbols, "#" + symbols, Fixture.rollLink, Fixture.rollURL, Fixture.rollLink + symbols,
            Fixture.rollLink + "/#" + symbols, Fixture.rollLink + "?#" + symbols, Fixture.rollLink + "/a#" + symbols,
            Fixture.rollLink + " #" + symbols, Fixture.coordinator + "#" + symbols,
            Fixture.coordinator + "/rolls#" + symbols, Fixture.coordinator + "/rolls/#" + symbols,
            Fixture.coordinator + "/Rolls/a#" + symbols, Fixture.coordinator + "/rolls/A#" + symbols,
            Fixture.coordinator + "/rolls/" + someID.uppercased() + "#" + symbols,
            Fixture.coordinator + "/petitions/a#" + symbols, "http://example.org/rolls/a#" + symbols,
            "coordinator.example.org/rolls/a#" + symbols,
        ]
        for text in wrong { #expect(refusal(text) == .notALink, "\(text)") }
    }

    @Test func theCodeIsChecked() {
        let last = symbols.last == "0" ? "1" : "0"
        let wrong = [
            "", symbols + symbols, String(symbols.dropLast()), String(symbols.dropLast()) + last, symbols + "0",
            "#" + symbols, symbols + "#", symbols + "#" + symbols, "a",
        ]
        for text in wrong { #expect(refusal(Fixture.rollLink + "#" + text) == .badCode, "\(text)") }
    }
}
