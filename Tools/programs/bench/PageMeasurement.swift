import Bytes
import Documents
import InsecureTestKeys
import Messages
import PageParts
import PetitionPages
import Petitions
import Sodium
import TransparencyLog

/// Measures rendering a petition's page, which a server does once for each checkpoint and language.
struct PageMeasurement {
    private let pages: Pages
    private let view: PetitionView

    enum Failure: Error { case url }

    /// Prepares a page with a statement of some 6,000 characters and an hourly history of a year.
    init() throws {
        guard let site = ServiceURL("https://count.example"), let home = ServiceURL("https://union.example") else {
            throw Failure.url
        }
        let known = try InsecureTestRoll(coordinator: home, rings: 1, ringSize: 16)
        let statement = String(
            repeating:
                "We ask for *fresh water* on **every watch**, as [the log](https://example.org) says.\n\n- a cask\n\n",
            count: 64)
        var members = GrowingTree()
        members.append(MerkleHash.leaf([]))
        let manifest = try known.petition(
            members: members, aggregator: .init(url: site, key: InsecureTestRoll.noteKey.publicKey),
            statement: statement
        )
        let count = Tally.Count(signatures: 8760, withdrawn: 0)
        pages = Pages(site: site, hasList: true)
        view = PetitionView(
            manifest: manifest, address: manifest.logURL(aggregator: 0), logKey: manifest.logKey(aggregator: 0),
            tally: PublishedTally(
                manifest, tally: Tally(perRoll: [count]), groups: [.init(label: "Members", admission: .list)],
                treeSize: 8760,
                rootHash: MerkleHash.emptyRoot),
            checkpointTime: UTCTime(seconds: 1_800_000_000), status: .open,
            history: GrowthHistory(
                (1...8760).map { hour in
                    GrowthPoint(until: Int64(hour) * 3600, treeSize: UInt64(hour), signatures: UInt64(hour))
                }))
    }

    /// Renders the page; its statement and chart are kept after the first time.
    func render() { _ = pages.petition(view, language: .english) }
}
