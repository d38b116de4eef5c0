import Bytes
import Documents
import Petitions
import Sodium
import Testing
import TransparencyLog

extension Fixture {
    static let rollReference = Draft([
        ("id", quoted(Fixture.rollID)),
        ("url", quoted(Fixture.coordinator)),
        ("label", quoted("Crew")),
        ("size", "412"),
        ("root", quoted(Fixture.root)),
        ("laterRings", "true"),
    ])

    static let aggregatorReference = Draft([
        ("url", quoted(Fixture.aggregator)), ("key", quoted(Fixture.aggregatorKey)),
    ])

    static let petition = Draft([
        ("format", quoted("roundrobin-petition/v1")),
        ("url", quoted(Fixture.coordinator)),
        ("key", quoted(Fixture.coordinatorKey)),
        ("title", quoted("Fresh water on every watch")),
        ("statement", quoted("We ask that **every watch** be issued the same ration.\\n\\nAnd soon.")),
        ("startedBy", quoted("The foretop mess")),
        ("addressedTo", quoted("The owners of the Marlow")),
        ("website", quoted("https://marlow.example.org/water")),
        ("language", quoted("en")),
        ("opens", quoted("2026-03-01T08:00:00Z")),
        ("closes", quoted("2026-04-30T20:00:00Z")),
        ("goal", "250"),
        ("rolls", Fixture.list([Fixture.rollReference])),
        ("aggregators", Fixture.list([Fixture.aggregatorReference])),
    ])

    static func list(_ drafts: [Draft]) -> String {
        let objects = drafts.map { $0.compact }
        return "[" + objects.joined(separator: ",") + "]"
    }

    /// Why a note is not a petition manifest; nil if it is one.
    static func petitionRefusal(_ note: [UInt8]) -> DocumentError? {
        do throws(DocumentError) {
            _ = try PetitionManifest(parsing: note)
            return nil
        } catch {
            return error
        }
    }

    /// The same for a properly signed draft.
    static func petitionRefusal(_ draft: Draft) -> DocumentError? {
        petitionRefusal(signed(draft, name: Fixture.coordinatorName))
    }

    /// The same for the petition with another roll.
    static func refusal(roll: Draft) -> DocumentError? {
        petitionRefusal(petition.with("rolls", list([roll])))
    }

    /// The same for the petition with another aggregator.
    static func refusal(aggregator: Draft) -> DocumentError? {
        petitionRefusal(petition.with("aggregators", list([aggregator])))
    }
}

@Suite struct PetitionManifestTests {
    private func made(_ text: PetitionManifest.Text, label: String? = "Crew") throws -> PetitionManifest {
        let key = Fixture.noteKey(0)
        let roll = PetitionManifest.RollReference(
            id: try #require(RollID(hex: Fixture.rollID)), coordinator: try Fixture.url(Fixture.coordinator),
            label: label, size: 412, root: try Fixture.bytes32(base64: Fixture.root), laterRings: true)
        let coordinator = try Fixture.url(Fixture.coordinator)
        let aggregators = try Fixture.aggregators()
        return try PetitionManifest.make(
            url: coordinator, text: text, rolls: [roll], aggregators: aggregators, key: key)
    }

    @Test func theExampleIsMadeByteForByte() throws {
        let petition = try made(Fixture.petitionText())
        #expect(petition.id.hex == "199fd771f5b3cc5c078b6978625cea6cf56e509843cdb420ba185ef2d8814099")
        let signature =
            "\n\n\u{2014} coordinator.example.org "
            + "ELlAgurxD2gzoN521dDjayqDZTVZJHER9xfded8xLSF6XVUKkoMuRWJ8sUUNGuSchDj7f0TzETEAnAajku+cpqiBdAY=\n"
        let end = Array(petition.note.suffix(signature.utf8.count))
        #expect(end == Array(signature.utf8))
        let text = Array(petition.note.dropLast(signature.utf8.count - 1))
        #expect(petition.id.bytes == SHA256.hash(text))
        #expect(Array(petition.document.utf8) == text)
    }

    @Test func whatIsMadeIsReadBack() throws {
        var text = try Fixture.petitionText()
        text.website = nil
        text.replaces = PetitionID(hex: Fixture.rollID)
        text.language = "pt-BR"
        let petition = try PetitionManifest(parsing: made(text, label: nil).note)
        #expect(petition.url.text == Fixture.coordinator)
        #expect(petition.key == Fixture.publicKey(0))
        #expect(petition.text.title == text.title)
        #expect(petition.text.statement == text.statement)
        #expect(petition.text.startedBy == text.startedBy)
        #expect(petition.text.addressedTo == text.addressedTo)
        #expect(petition.text.website == nil)
        #expect(petition.text.language == "pt-BR")
        #expect(petition.text.opens == text.opens)
        #expect(petition.text.closes == text.closes)
        #expect(petition.text.goal == 250)
        #expect(petition.text.replaces?.hex == Fixture.rollID)
        #expect(petition.witnesses == nil)
        #expect(petition.rolls.count == 1)
        #expect(petition.rolls[0].id.hex == Fixture.rollID)
        #expect(petition.rolls[0].coordinator.text == Fixture.coordinator)
        #expect(petition.rolls[0].url.text == Fixture.rollURL)
        #expect(petition.rolls[0].label == nil)
        #expect(petition.rolls[0].size == 412)
        #expect(petition.rolls[0].root == (try Fixture.bytes32(base64: Fixture.root)))
        #expect(petition.rolls[0].laterRings)
        #expect(petition.aggregators.count == 1)
        #expect(petition.aggregators[0].url.text == Fixture.aggregator)
        #expect(petition.aggregators[0].key == Fixture.publicKey(32))
    }

    @Test func aManifestThatBreaksARuleIsNotMade() throws {
        var text = try Fixture.petitionText()
        text.title = "a\nb"
        var petition = try? made(text)
        #expect(petition == nil)
        text = try Fixture.petitionText()
        text.closes = text.opens
        petition = try? made(text)
        #expect(petition == nil)
        text = try Fixture.petitionText()
        text.goal = 0
        petition = try? made(text)
        #expect(petition == nil)
    }

    @Test func theStatusFollowsTheDatesBothIncluded() throws {
        let petition = try made(Fixture.petitionText())
        let opens = petition.text.opens.seconds
        let closes = petition.text.closes.seconds
        let expected: [(Int64, PetitionManifest.Status)] = [
            (opens - 1, .notOpen), (opens, .open), (opens + 1, .open), (closes - 1, .open), (closes, .open),
            (closes + 1, .closed),
        ]
        for (seconds, status) in expected {
            let found = petition.status(at: UTCTime(seconds: seconds))
            #expect(found == status)
        }
    }

    @Test func logsAreNamedByTheirBareUrls() throws {
        let petition = try made(Fixture.petitionText())
        let path = "/petitions/" + petition.id.hex
        #expect(petition.logURL(aggregator: 0).text == Fixture.aggregator + path)
        let key = petition.logKey(aggregator: 0)
        #expect(key.name == "count.example.net" + path)
        #expect(key.publicKey == Fixture.publicKey(32))
        let announcements = Announcement.logKey(coordinator: petition.url, key: petition.key)
        #expect(announcements.name == "coordinator.example.org/announcements")
        #expect(announcements.publicKey == petition.key)
    }

    @Test func aRollIsNamedByItsCoordinatorAndItsId() throws {
        let text = try made(Fixture.petitionText()).document
        #expect(text.contains("\"url\": \"\(Fixture.coordinator)\",\n      \"label\": \"Crew\""))
        #expect(!text.contains("/rolls/"))
        // A roll of another coordinator, at a url with a path.
        let foreign = Fixture.rollReference.with("url", quoted("http://localhost:8080/base"))
        let draft = Fixture.petition.with("rolls", Fixture.list([foreign]))
        let petition = try PetitionManifest(parsing: Fixture.signed(draft, name: Fixture.coordinatorName))
        #expect(petition.url.text == Fixture.coordinator)
        #expect(petition.rolls[0].coordinator.text == "http://localhost:8080/base")
        #expect(petition.rolls[0].url.text == "http://localhost:8080/base/rolls/" + Fixture.rollID)
    }

    @Test func noByteOfANoteCanBeFlipped() {
        let note = Fixture.signed(Fixture.petition, name: Fixture.coordinatorName)
        #expect(Fixture.petitionRefusal(note) == nil)
        var accepted: [Int] = []
        for offset in note.indices where Fixture.petitionRefusal(note.flipped(at: offset)) == nil {
            accepted.append(offset)
        }
        #expect(accepted.isEmpty)
    }

    @Test func anotherKeyOrNameDoesNotSign() {
        let otherKey = Fixture.signed(Fixture.petition, name: Fixture.coordinatorName, by: 1)
        #expect(Fixture.petitionRefusal(otherKey)?.isNote == true)
        let aggregatorKey = Fixture.signed(Fixture.petition, name: Fixture.coordinatorName, by: 32)
        #expect(Fixture.petitionRefusal(aggregatorKey)?.isNote == true)
        for name in [Fixture.coordinator, "coordinator.example.org/petitions", "count.example.net"] {
            let otherName = Fixture.signed(Fixture.petition, name: name)
            #expect(Fixture.petitionRefusal(otherName)?.isNote == true, "\(name)")
        }
    }

    @Test func aRollIsNoPetitionAndAPetitionNoRoll() {
        let roll = Fixture.signed(Fixture.roll, name: Fixture.coordinatorName)
        #expect(Fixture.petitionRefusal(roll) != nil)
        let petition = Fixture.signed(Fixture.petition, name: Fixture.coordinatorName)
        #expect(Fixture.rollRefusal(petition) != nil)
    }
}
