import Documents
import PageParts
import PetitionPages
import Testing

/// Where a page says that the programs are offered.
@Suite struct ProgramsOfferTests {
    private let hash = String(repeating: "0a", count: 32)

    private func offer(_ sums: String) throws -> ProgramsOffer {
        try ProgramsOffer(
            url: #require(ServiceURL("https://union.example/get")), files: ProgramsOffer.files(in: sums))
    }

    @Test func theOutputOfSha256sumIsTaken() throws {
        let offer = try offer("\(hash)  signer.deb\n\(hash) *archive.tar.gz\r\n\n")
        #expect(offer.files.map(\.name) == ["signer.deb", "archive.tar.gz"])
        #expect(offer.files.map(\.hash) == [hash, hash])
        for (sums, fault) in [
            ("", ProgramsOffer.Fault.count(0)), ("nonsense\n", .line(1)), ("\(hash)  a\n\(hash)\n", .line(2)),
            ("\(hash)xx a\n", .line(1)), (String(repeating: "\(hash)  a\n", count: 33), .count(33)),
        ] { #expect(throws: fault) { try self.offer(sums) } }
    }

    @Test(arguments: Language.allCases) func everyPageThatNeedsAProgramLinksIt(_ language: Language) throws {
        let site = try #require(ServiceURL("https://union.example"))
        let page = Pages(site: site, hasList: false, programs: try offer("\(hash)  signer.deb\n"))
            .front(name: "The <union>", petitions: [], rolls: [], language: language)
        #expect(page.contains("<a href=\"https://union.example/get\" rel=\"noopener noreferrer\">"))
        #expect(page.contains("signer.deb") && page.contains(hash) && page.contains("The &lt;union&gt;"))
        let browser = language.phrase(.programsBrowser)
        #expect(!page.contains(browser))
        let sums = "\(hash)  signer.deb\n\(hash)  roundrobin-signer.html\n"
        let withBrowser = Pages(site: site, hasList: false, programs: try offer(sums))
            .front(name: "x", petitions: [], rolls: [], language: language)
        #expect(withBrowser.contains(browser))
        let without = Pages(site: site, hasList: false).front(name: "x", petitions: [], rolls: [], language: language)
        #expect(!without.contains("sha256sum"))
    }
}
