import Documents
import InsecureTestKeys
import Messages
import PageParts
import PetitionPages
import Petitions
import Sodium
import Testing
import TransparencyLog

@Suite struct PetitionPageTests {
    /// Charts are cached, but a page never gets one of another history or in another language.
    /// Whoever stands before a poster can compare what they were given.
    @Test(arguments: Language.allCases) func aPosterHasTheHashOfTheSignerForBrowsers(language: Language) throws {
        let site = try #require(ServiceURL("https://count.example"))
        let home = try #require(ServiceURL("https://union.example"))
        var members = GrowingTree()
        members.append(MerkleHash.leaf([]))
        let manifest = try InsecureTestRoll(coordinator: home, rings: 1, ringSize: 16).petition(
            members: members, aggregator: .init(url: site, key: InsecureTestRoll.noteKey.publicKey))
        let view = PetitionView(
            manifest: manifest, address: manifest.logURL(aggregator: 0), logKey: manifest.logKey(aggregator: 0),
            tally: PublishedTally(
                manifest, tally: Tally(perRoll: [Tally.Count()]), groups: [.init(label: "Members", admission: .list)],
                treeSize: 0, rootHash: MerkleHash.emptyRoot),
            checkpointTime: UTCTime(seconds: 1_800_000_000), status: .open, history: GrowthHistory([]))
        let words = language.phrase(.posterBrowser)
        for (name, isShown) in [("roundrobin-signer.html", true), ("roundrobin-signer.deb", false)] {
            let sums = "\(String(repeating: "0a1b", count: 16))  \(name)\n"
            let programs = ProgramsOffer(url: home, files: try ProgramsOffer.files(in: sums))
            let poster = Pages(site: site, hasList: true, programs: programs).poster(view, language: language)
            #expect(poster.contains(words) == isShown && poster.contains("0a1b 0a1b 0a1b") == isShown)
        }
    }

    @Test func theChartIsOfTheHistoryThatThePageHas() throws {
        let site = try #require(ServiceURL("https://count.example"))
        let home = try #require(ServiceURL("https://union.example"))
        var members = GrowingTree()
        members.append(MerkleHash.leaf([]))
        let manifest = try InsecureTestRoll(coordinator: home, rings: 1, ringSize: 16).petition(
            members: members, aggregator: .init(url: site, key: InsecureTestRoll.noteKey.publicKey))
        let pages = Pages(site: site, hasList: true)
        func page(
            _ counts: [UInt64], _ language: Language = .english, _ status: PetitionManifest.Status = .open
        ) -> String {
            let total = Tally.Count(signatures: counts.last ?? 0, withdrawn: 0)
            let points = counts.enumerated().map { hour, count in
                GrowthPoint(until: Int64(hour + 1) * GrowthPoint.resolution, treeSize: count, signatures: count)
            }
            return pages.petition(
                PetitionView(
                    manifest: manifest, address: manifest.logURL(aggregator: 0),
                    logKey: manifest.logKey(aggregator: 0),
                    tally: PublishedTally(
                        manifest, tally: Tally(perRoll: [total]),
                        groups: [.init(label: "Members", admission: .list)], treeSize: total.signatures,
                        rootHash: MerkleHash.emptyRoot),
                    checkpointTime: UTCTime(seconds: 1_800_000_000), status: status, history: GrowthHistory(points)),
                language: language)
        }
        #expect(!page([]).contains("<svg"))
        let first = page([3])
        #expect(first.contains(": 3 signatures.</desc>"))
        #expect(page([3, 7]).contains(": 7 signatures.</desc>"))
        #expect(page([3, 7], .german).contains(": 7 Unterschriften.</desc>"))
        #expect(page([3]) == first && !page([]).contains("<svg"))
        // Nobody is told to sign when nobody can.
        for language in Language.allCases {
            for (status, isOpen) in [(PetitionManifest.Status.notOpen, false), (.open, true), (.closed, false)] {
                let page = page([3], language, status)
                #expect(page.contains("petition-signer sign") == isOpen)
                #expect(page.contains(language.phrase(.support)) == isOpen)
                #expect(page.contains(language.phrase(.supportNotNow)) == !isOpen)
            }
        }
    }

    /// An invitation has the link that all people share, and never the address, whose id may be one person's alone.
    @Test func thePageOfAnInvitationHasTheLink() throws {
        let site = try #require(ServiceURL("https://union.example/base"))
        let roll = try InsecureTestRoll(coordinator: site, rings: 1, ringSize: 16).descriptor
        let pages = Pages(site: site, hasList: false)
        for language in Language.allCases {
            let page = pages.enrolment(roll, coordinator: "The union", language: language)
            #expect(page.contains("petition-signer enrol '\(roll.link.url.text)#CODE'"))
            #expect(page.contains(language.phrase(.enrolWhere)))
            #expect(page.contains("<code>\(roll.id.hex)</code>"))
            #expect(!page.contains(roll.url.text))
            #expect(!page.contains("rolls/\(roll.id.hex)"))
        }
    }
}
