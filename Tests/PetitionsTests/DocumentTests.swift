import Bytes
import Documents
import Petitions
import Ristretto255
import Sodium
import Testing
import TransparencyLog

extension Fixture {
    /// The roll descriptor of `Protocol/documents.md`.
    static let roll = Draft([
        ("format", quoted("roundrobin-roll/v1")),
        ("name", quoted("Crew of the Marlow, 2026")),
        ("url", quoted(Fixture.coordinator)),
        ("slug", quoted(Fixture.rollSlug)),
        ("key", quoted(Fixture.coordinatorKey)),
        ("enrolmentKey", quoted(Fixture.enrolmentKey)),
        ("ringCapacity", "1024"),
        ("minimumRing", "64"),
        ("joiningSeconds", "86400"),
        ("admission", "{\n    \"by\": \"list\"\n  }"),
    ])

    /// A draft as a note, signed by the coordinator's key unless another seed is given.
    static func signed(_ draft: Draft, name: String, by seed: UInt8 = 0) -> [UInt8] {
        let key = noteKey(seed)
        return key.signNote(draft.text, name: name)
    }

    /// Why a note is not a roll descriptor; nil if it is one.
    static func rollRefusal(_ note: [UInt8]) -> DocumentError? {
        do throws(DocumentError) {
            _ = try RollDescriptor(parsing: note)
            return nil
        } catch {
            return error
        }
    }

    /// The same for a properly signed draft.
    static func rollRefusal(_ draft: Draft) -> DocumentError? {
        rollRefusal(signed(draft, name: Fixture.coordinatorName))
    }
}

@Suite struct RollDescriptorTests {
    private func made(
        _ terms: RollTerms = RollTerms(ringCapacity: 1024, minimumRing: 64), admission: RollAdmission = .list
    ) throws -> RollDescriptor {
        let key = Fixture.noteKey(0)
        let enrolmentKey = try GroupElement(decoding: Fixture.bytes32(base64: Fixture.enrolmentKey))
        return try RollDescriptor.make(
            name: "Crew of the Marlow, 2026", link: Fixture.link(), enrolmentKey: enrolmentKey, terms: terms,
            admission: admission, key: key)
    }

    @Test func theExampleIsMadeByteForByte() throws {
        let signature =
            "\u{2014} coordinator.example.org "
            + "ELlAgn1PvSXtlLAdT/Xih1t/PLzuHxv8U6SulI5AbXjGuust1GynDksFMVI7izksy9FBIXnxcRJGyy/yWeQIS4GjdgI=\n"
        let text = Fixture.roll.text
        let descriptor = try made()
        #expect(descriptor.note == joined(text, [0x0A], Array(signature.utf8)))
        #expect(descriptor.id.hex == Fixture.rollID)
        #expect(descriptor.id.bytes == SHA256.hash(text))
    }

    @Test func whatIsMadeIsReadBack() throws {
        let terms = RollTerms(ringCapacity: 100, minimumRing: 50, joiningSeconds: 3600)
        let descriptor = try RollDescriptor(parsing: made(terms).note)
        #expect(descriptor.name == "Crew of the Marlow, 2026")
        #expect(descriptor.coordinator.text == Fixture.coordinator)
        #expect(descriptor.link.slug.text == Fixture.rollSlug)
        #expect(descriptor.link.url.text == Fixture.rollLink)
        #expect(descriptor.key == Fixture.publicKey(0))
        #expect(descriptor.key.bytes == (try Fixture.bytes32(base64: Fixture.coordinatorKey)))
        #expect(descriptor.enrolmentKey.encoding == (try Fixture.bytes32(base64: Fixture.enrolmentKey)))
        #expect(descriptor.terms == terms)
        #expect(descriptor.terms.ringCapacity == 100)
        #expect(descriptor.terms.minimumRing == 50)
        #expect(descriptor.terms.joiningSeconds == 3600)
        #expect(descriptor.admission == .list)
        #expect(descriptor.witnesses == nil)
        let day = try RollDescriptor(parsing: made().note)
        #expect(day.terms.joiningSeconds == 86_400)
    }

    @Test func theAddressEndsInTheIdAndTheLogsWithIt() throws {
        let descriptor = try made()
        #expect(descriptor.url.text == Fixture.rollURL)
        let members = descriptor.membersKey
        let enrolment = descriptor.enrolmentLogKey
        let address = "coordinator.example.org/rolls/" + Fixture.rollID
        #expect(members.name == address + "/members")
        #expect(enrolment.name == address + "/enrolment")
        #expect(members.publicKey == descriptor.key && enrolment.publicKey == descriptor.key)
        #expect(members.vkey == address + "/members+59bb73b2+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4")
        #expect(enrolment.vkey == address + "/enrolment+33641ea3+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4")
    }

    @Test func twoTextsShareALinkAndNeverALog() throws {
        let text = Fixture.roll.text
        let key = Fixture.noteKey(0)
        let descriptor = try RollDescriptor(parsing: key.signNote(text, name: Fixture.coordinatorName))
        let blank = joined(Array(text.dropLast()), [0x20, 0x0A])
        let other = try RollDescriptor(parsing: key.signNote(blank, name: Fixture.coordinatorName))
        #expect(other.link == descriptor.link)
        #expect(other.id != descriptor.id)
        #expect(other.url != descriptor.url)
        #expect(other.membersKey.name != descriptor.membersKey.name)
        #expect(other.enrolmentLogKey.name != descriptor.enrolmentLogKey.name)
    }

    @Test func aDescriptorThatBreaksARuleIsNotMade() {
        let numbers = [
            (15, 2, 0), (4097, 64, 0), (1024, 1, 0), (1024, 513, 0), (16, 9, 0), (1024, 64, 604_801), (1024, 64, .max),
            (.max, 64, 0), (1024, .max, 0), (-1, 64, 0), (-1024, 64, 0), (1024, -1, 0), (1024, -64, 0),
            (1024, 64, -1), (1024, 64, .min),
        ]
        for (capacity, minimum, seconds) in numbers {
            let terms = RollTerms(ringCapacity: capacity, minimumRing: minimum, joiningSeconds: seconds)
            #expect(throws: DocumentError.self, "\(terms)") { try made(terms) }
        }
    }

    @Test func everyValueThatBreaksARuleIsRefused() {
        let long = repeated("a", 201)
        let wrong: [(field: String, values: [String])] = [
            (
                "format",
                ["\"roundrobin-roll/v2\"", "\"roundrobin-petition/v1\"", "\"Roundrobin-roll/v1\"", "\"\"", "1"]
            ),
            ("name", ["\"\"", "\"\(long)\"", "\"a\\nb\"", "\"a\\u202eb\"", "\"\u{200F}\"", "1", "[]"]),
            (
                "url",
                [
                    "\"https://coordinator.example.org/\"", "\"https://coordinator.example.org/a/\"",
                    "\"https://coordinator.example.org:443\"", "\"http://coordinator.example.org\"",
                    "\"https://coordinator.example.org/Base\"", "\"https://Coordinator.example.org\"",
                    "\"https://coordinator.example.org?a\"", "\"https://coordinator.example.org#a\"",
                    "\"coordinator.example.org\"", "\"\"", "1",
                ]
            ),
            ("slug", ["\"\"", "\"a\\nb\"", "\"\\u0000\"", "1", "true", "[]", "{}"]),
            ("key", ["\"\"", "\"AAAA\"", "\"\(repeated("A", 43))\"", "\"\(repeated("0", 64))\"", "1"]),
            ("enrolmentKey", ["\"\"", "\"AAAA\"", "\"\(repeated("A", 43))\"", "\"\(repeated("0", 64))\"", "1"]),
            ("ringCapacity", ["0", "15", "4097", "9007199254740991", "\"1024\"", "true"]),
            ("minimumRing", ["0", "1", "513", "2049", "9007199254740991", "\"64\"", "true"]),
            ("joiningSeconds", ["604801", "9007199254740991", "\"86400\"", "true", "[]"]),
            ("witnesses", ["1", "\"a\\tb\"", "\"a\\r\\nb\""] + Fixture.badPolicies),
        ]
        for (field, values) in wrong {
            for value in values {
                let refusal = Fixture.rollRefusal(Fixture.roll.with(field, value))
                #expect(refusal?.invalidField == field, "\(field): \(value)")
            }
        }
    }

    @Test func theEnrolmentKeyIsACanonicalPointOtherThanTheIdentity() throws {
        let good = try Fixture.bytes32(base64: Fixture.enrolmentKey).array
        let identity = [UInt8](repeating: 0, count: 32)
        let offGroup = identity.replacing(at: 0, with: [2])
        for encoding in [identity, offGroup, good.settingBit255(at: 0), good.flipped(at: 0)] {
            let draft = Fixture.roll.with("enrolmentKey", quoted(Base64.encode(encoding)))
            #expect(Fixture.rollRefusal(draft)?.invalidField == "enrolmentKey", "\(encoding)")
        }
        let base = Fixture.roll.with("enrolmentKey", quoted(Base64.encode(GroupElement.base.encoding.array)))
        #expect(Fixture.rollRefusal(base) == nil)
    }

    @Test func valuesAtTheirBoundsAreAccepted() {
        for (capacity, minimum) in [(16, 2), (16, 8), (17, 9), (1024, 512), (1023, 512), (4096, 2048)] {
            let draft = Fixture.roll.with("ringCapacity", "\(capacity)").with("minimumRing", "\(minimum)")
            #expect(Fixture.rollRefusal(draft) == nil, "\(capacity) \(minimum)")
        }
        for (capacity, minimum) in [(16, 9), (17, 10), (1023, 513), (4095, 2049)] {
            let draft = Fixture.roll.with("ringCapacity", "\(capacity)").with("minimumRing", "\(minimum)")
            #expect(Fixture.rollRefusal(draft)?.invalidField == "minimumRing", "\(capacity) \(minimum)")
        }
        for seconds in ["0", "1", "604800"] {
            #expect(Fixture.rollRefusal(Fixture.roll.with("joiningSeconds", seconds)) == nil, "\(seconds)")
        }
        for seconds in ["-1", "-0", "1.5", "1e3", "007", "9007199254740992"] {
            let refusal = Fixture.rollRefusal(Fixture.roll.with("joiningSeconds", seconds))
            #expect(refusal?.isMalformed == true, "\(seconds)")
        }
        #expect(Fixture.rollRefusal(Fixture.roll.with("name", quoted(repeated("a", 200)))) == nil)
        #expect(Fixture.rollRefusal(Fixture.roll.with("witnesses", Fixture.policy)) == nil)
    }

    @Test func anyCoordinatorUrlMayStandBeforeTheRoll() throws {
        let urls = [
            "http://localhost:8080": "http://localhost:8080/rolls/",
            "https://example.org/deep/er": "https://example.org/deep/er/rolls/",
            "https://example.org/rolls": "https://example.org/rolls/rolls/",
            "http://example.onion": "http://example.onion/rolls/",
        ]
        for (text, folder) in urls {
            let url = try Fixture.url(text)
            let note = Fixture.signed(Fixture.roll.with("url", quoted(text)), name: url.bare)
            let descriptor = try RollDescriptor(parsing: note)
            #expect(descriptor.coordinator == url)
            #expect(descriptor.link.url.text == folder + Fixture.rollSlug)
            #expect(descriptor.url.text == folder + descriptor.id.hex)
        }
    }

    @Test func peopleComeOntoARollByEmailToo() throws {
        func admission(_ json: String) throws -> RollAdmission {
            let note = Fixture.signed(Fixture.roll.with("admission", json), name: Fixture.coordinatorName)
            return try RollDescriptor(parsing: note).admission
        }
        let domains = ["union.example", "xn--bcher-kva.example", "a.b.c.d-e.example"]
        let parsed = domains.compactMap { MailDomain($0) }
        #expect(parsed.count == domains.count)
        let list = domains.map { "\"\($0)\"" }.joined(separator: ",")
        #expect(try admission("{\"by\":\"email\"}") == RollAdmission.email(domains: []))
        #expect(try admission("{\"by\":\"email\",\"domains\":[\(list)]}") == RollAdmission.email(domains: parsed))
        #expect(RollAdmission.email(domains: parsed).isOpen && !RollAdmission.list.isOpen)
        // What is written is read as the same, and is another roll than one by a list.
        let ids = try [RollAdmission.list, .email(domains: []), .email(domains: parsed)].map { admission in
            let roll = try made(admission: admission)
            #expect(roll.admission == admission)
            return roll.id
        }
        #expect(Set(ids).count == 3)
    }

    @Test func theDomainsOfARollAreWrittenInOneWay() {
        let label = String(repeating: "a", count: 64)
        let long = (0..<127).map { _ in "a" }.joined(separator: ".") + ".b"
        let wrong = [
            "Union.example", "union", "localhost", ".union.example", "union.example.", "union..example",
            "bücher.example",
            "union_1.example", "-union.example", "union-.example", "union.example-", "10.0.0.1", "a.1", "*.example",
            "@union.example", "a@union.example", "union.example ", "\(label).example", long, "[::1]",
        ]
        for domain in wrong {
            #expect(MailDomain(domain) == nil, "\(domain)")
            let admission = "{\"by\":\"email\",\"domains\":[\"a.example\",\"\(domain)\"]}"
            let refusal = Fixture.rollRefusal(Fixture.roll.with("admission", admission))
            #expect(refusal?.invalidField == "domains", "\(domain)")
        }
        let many = (0...64).map { "\"d\($0).example\"" }.joined(separator: ",")
        let lists = ["[]", "\"union.example\"", "{}", "[1]", "[\"\"]", "[\"a.example\",\"a.example\"]", "[\(many)]"]
        for domains in lists {
            let admission = "{\"by\":\"email\",\"domains\":\(domains)}"
            let refusal = Fixture.rollRefusal(Fixture.roll.with("admission", admission))
            #expect(refusal?.invalidField == "domains", "\(domains)")
        }
        let listed = Fixture.rollRefusal(
            Fixture.roll.with("admission", "{\"by\":\"list\",\"domains\":[\"union.example\"]}"))
        #expect(listed == DocumentError.unknown(field: "domains"))
    }

    @Test func peopleComeOntoARollInNoOtherWay() {
        #expect(Fixture.rollRefusal(Fixture.roll.with("admission", "{\"by\":\"list\"}")) == nil)
        for by in ["mail", "Email", "e-mail", "List", "list ", "lists", "a"] {
            let refusal = Fixture.rollRefusal(Fixture.roll.with("admission", "{\"by\":\"\(by)\"}"))
            #expect(refusal?.invalidField == "admission", "\(by)")
        }
        for admission in ["\"list\"", "\"\"", "1", "true", "[]", "[{\"by\":\"list\"}]"] {
            let refusal = Fixture.rollRefusal(Fixture.roll.with("admission", admission))
            #expect(refusal?.invalidField == "admission", "\(admission)")
        }
        for by in ["\"\"", "1", "[\"list\"]", "{}", "true"] {
            let refusal = Fixture.rollRefusal(Fixture.roll.with("admission", "{\"by\":\(by)}"))
            #expect(refusal?.invalidField == "by", "\(by)")
        }
        let empty = Fixture.rollRefusal(Fixture.roll.with("admission", "{}"))
        #expect(empty == DocumentError.missing(field: "by"))
        for more in ["domain", "By", "admission", ""] {
            let admission = "{\"by\":\"list\",\"\(more)\":\"a\"}"
            let refusal = Fixture.rollRefusal(Fixture.roll.with("admission", admission))
            #expect(refusal == DocumentError.unknown(field: more))
        }
        for admission in ["null", "{\"by\":null}", "{\"by\":\"list\",\"by\":\"list\"}"] {
            let refusal = Fixture.rollRefusal(Fixture.roll.with("admission", admission))
            #expect(refusal?.isMalformed == true, "\(admission)")
        }
    }

    @Test func everyFieldMustBeThereOnceAndIsNeverNull() {
        for name in Fixture.roll.names {
            #expect(Fixture.rollRefusal(Fixture.roll.without(name)) == DocumentError.missing(field: name))
            #expect(Fixture.rollRefusal(Fixture.roll.repeating(name))?.isMalformed == true, "\(name)")
            #expect(Fixture.rollRefusal(Fixture.roll.with(name, "null"))?.isMalformed == true, "\(name)")
        }
        #expect(Fixture.rollRefusal(Fixture.roll.with("witnesses", "null"))?.isMalformed == true)
    }

    @Test func noOtherFieldMayBeThere() {
        for name in ["colour", "Name", "id", "link", "opens", "by", ""] {
            let refusal = Fixture.rollRefusal(Fixture.roll.with(name, "1"))
            #expect(refusal == DocumentError.unknown(field: name))
        }
    }

    @Test func fieldsMayStandInAnyOrderAndGiveAnotherId() throws {
        var turned = Fixture.roll
        turned.fields.reverse()
        let descriptor = try RollDescriptor(parsing: Fixture.signed(turned, name: Fixture.coordinatorName))
        #expect(descriptor.name == "Crew of the Marlow, 2026")
        #expect(descriptor.id.hex != Fixture.rollID)
        #expect(descriptor.id.bytes == SHA256.hash(turned.text))
    }
}

@Suite struct DocumentNoteTests {
    private let note = Fixture.signed(Fixture.roll, name: Fixture.coordinatorName)

    private func signatureLine(of note: [UInt8], after text: [UInt8]) -> [UInt8] {
        Array(note.dropFirst(text.count + 1))
    }

    @Test func aSignatureByAnotherKeyIsRefused() {
        for seed: UInt8 in [1, 32] {
            let other = Fixture.signed(Fixture.roll, name: Fixture.coordinatorName, by: seed)
            #expect(Fixture.rollRefusal(other)?.isNote == true)
        }
    }

    @Test func aSignatureUnderAnotherNameIsRefused() {
        let names = [
            "coordinator.example.org/rolls/marlow-2026", "coordinator.example.org/rolls/" + Fixture.rollID,
            Fixture.coordinator, Fixture.coordinatorName + "/members", "a",
        ]
        for name in names {
            let other = Fixture.signed(Fixture.roll, name: name)
            #expect(Fixture.rollRefusal(other)?.isNote == true, "\(name)")
        }
    }

    @Test func aSignatureOnAnotherTextIsRefused() {
        let text = Fixture.roll.text
        let otherDraft = Fixture.roll.with("name", quoted("Crew of the Marlow, 2027"))
        let other = Fixture.signed(otherDraft, name: Fixture.coordinatorName)
        let forged = joined(text, [0x0A], signatureLine(of: other, after: otherDraft.text))
        #expect(Fixture.rollRefusal(forged)?.isNote == true)
        let genuine = joined(text, [0x0A], signatureLine(of: note, after: text))
        #expect(genuine == note)
        #expect(Fixture.rollRefusal(genuine) == nil)
    }

    @Test func aTextAloneIsNoDocument() {
        let text = Fixture.roll.text
        #expect(Fixture.rollRefusal(text)?.isNote == true)
        #expect(Fixture.rollRefusal(text + [0x0A])?.isNote == true)
        #expect(Fixture.rollRefusal([UInt8]())?.isNote == true)
        #expect(Fixture.rollRefusal(Array(note.dropLast()))?.isNote == true)
        #expect(Fixture.rollRefusal(note + [0x0A])?.isNote == true)
    }

    @Test func theDocumentsOwnKeySignsExactlyOnce() {
        let line = signatureLine(of: note, after: Fixture.roll.text)
        #expect(Fixture.rollRefusal(note + line)?.isNote == true)
    }

    @Test func linesOfUnknownKeysAreIgnoredAndDoNotChangeTheId() throws {
        let text = Fixture.roll.text
        let others = [
            Fixture.signed(Fixture.roll, name: "witness.example.org", by: 5),
            Fixture.signed(Fixture.roll, name: Fixture.coordinatorName, by: 5),
            Fixture.signed(Fixture.roll, name: "coordinator.example.org/rolls/marlow-2026"),
        ]
        let own = signatureLine(of: note, after: text)
        for other in others {
            let line = signatureLine(of: other, after: text)
            let after = try RollDescriptor(parsing: note + line)
            let before = try RollDescriptor(parsing: joined(text, [0x0A], line, own))
            #expect(after.id.hex == Fixture.rollID)
            #expect(before.id.hex == Fixture.rollID)
            #expect(after.note == note + line)
        }
    }

    @Test func theKeyInTheTextIsTheKeyThatSigns() throws {
        let key = Base64.encode(Fixture.publicKey(7).bytes.array)
        let draft = Fixture.roll.with("key", quoted(key))
        #expect(Fixture.rollRefusal(draft)?.isNote == true)
        let descriptor = try RollDescriptor(parsing: Fixture.signed(draft, name: Fixture.coordinatorName, by: 7))
        #expect(descriptor.key == Fixture.publicKey(7))
        #expect(descriptor.id.hex != Fixture.rollID)
    }

    @Test func aNoteAbove256KiBIsRefused() {
        let key = Fixture.noteKey(0)
        let text = Array(Fixture.roll.text.dropLast())
        let room = SignedNote.maximumCount - note.count
        let spaces = [UInt8](repeating: 0x20, count: room)
        let largest = key.signNote(joined(text, spaces, [0x0A]), name: Fixture.coordinatorName)
        #expect(largest.count == SignedNote.maximumCount)
        #expect(Fixture.rollRefusal(largest) == nil)
        let tooLarge = key.signNote(joined(text, spaces, [0x20, 0x0A]), name: Fixture.coordinatorName)
        #expect(Fixture.rollRefusal(tooLarge)?.isNote == true)
    }

    @Test func noByteOfANoteCanBeFlipped() {
        #expect(Fixture.rollRefusal(note) == nil)
        var accepted: [Int] = []
        for offset in note.indices where Fixture.rollRefusal(note.flipped(at: offset)) == nil {
            accepted.append(offset)
        }
        #expect(accepted.isEmpty)
    }
}
