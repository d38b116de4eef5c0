import Bytes
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
        ("url", quoted(Fixture.rollURL)),
        ("key", quoted(Fixture.coordinatorKey)),
        ("enrolmentKey", quoted(Fixture.enrolmentKey)),
        ("ringCapacity", "1024"),
        ("minimumRing", "64"),
    ])

    /// A draft as a note, signed by the coordinator's key unless another seed is given.
    static func signed(_ draft: Draft, name: String, by seed: UInt8 = 0) -> [UInt8] {
        let key = noteKey(seed)
        return key.signNote(draft.text, name: name)
    }

    /// Why a note is no roll descriptor; nil when it is one.
    static func rollRefusal(_ note: [UInt8]) -> DocumentError? {
        do throws(DocumentError) {
            _ = try RollDescriptor(parsing: note)
            return nil
        } catch {
            return error
        }
    }

    /// The same for a draft that is signed as it should be.
    static func rollRefusal(_ draft: Draft) -> DocumentError? {
        rollRefusal(signed(draft, name: Fixture.rollName))
    }
}

@Suite struct RollDescriptorTests {
    private func made(ringCapacity: Int = 1024, minimumRing: Int = 64) throws -> RollDescriptor {
        let key = Fixture.noteKey(0)
        let enrolmentKey = try GroupElement(decoding: Fixture.bytes32(base64: Fixture.enrolmentKey))
        return try RollDescriptor.make(
            name: "Crew of the Marlow, 2026", url: Fixture.url(Fixture.rollURL), enrolmentKey: enrolmentKey,
            ringCapacity: ringCapacity, minimumRing: minimumRing, key: key)
    }

    @Test func theExampleIsMadeByteForByte() throws {
        let signature =
            "\u{2014} coordinator.example.org/rolls/marlow-2026 "
            + "a047cakJedfoet962YWlwQFQz8f4vvV6Eo0298/yDLCXh3hrQOvyccrelNs4+t1ehMflR9xTr/4zMZwnDsuv9bNkuAw=\n"
        let text = Fixture.roll.text
        let descriptor = try made()
        #expect(descriptor.note == joined(text, [0x0A], Array(signature.utf8)))
        #expect(descriptor.id.hex == Fixture.rollID)
        #expect(descriptor.id.bytes == SHA256.hash(text))
    }

    @Test func whatIsMadeIsReadBack() throws {
        let descriptor = try RollDescriptor(parsing: made(ringCapacity: 100, minimumRing: 50).note)
        #expect(descriptor.name == "Crew of the Marlow, 2026")
        #expect(descriptor.url.text == Fixture.rollURL)
        #expect(descriptor.coordinator.text == Fixture.coordinator)
        #expect(descriptor.key == Fixture.publicKey(0))
        #expect(descriptor.key.bytes == (try Fixture.bytes32(base64: Fixture.coordinatorKey)))
        #expect(descriptor.enrolmentKey.encoding == (try Fixture.bytes32(base64: Fixture.enrolmentKey)))
        #expect(descriptor.ringCapacity == 100)
        #expect(descriptor.minimumRing == 50)
        #expect(descriptor.witnesses == nil)
        #expect(descriptor.membersKey.name == "coordinator.example.org/rolls/marlow-2026/members")
        #expect(descriptor.enrolmentLogKey.name == "coordinator.example.org/rolls/marlow-2026/enrolment")
        #expect(descriptor.membersKey.publicKey == descriptor.key)
    }

    @Test func aDescriptorThatBreaksARuleIsNotMade() {
        for (capacity, minimum) in [(15, 2), (4097, 64), (1024, 1), (1024, 513), (16, 9)] {
            let descriptor = try? made(ringCapacity: capacity, minimumRing: minimum)
            #expect(descriptor == nil, "\(capacity) \(minimum)")
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
                    "\"https://coordinator.example.org/rolls/marlow-2026/\"",
                    "\"https://coordinator.example.org/rolls\"",
                    "\"https://coordinator.example.org/marlow-2026\"", "\"https://coordinator.example.org/rolls/a/b\"",
                    "\"https://coordinator.example.org:443/rolls/a\"", "\"http://coordinator.example.org/rolls/a\"",
                    "\"https://coordinator.example.org/Rolls/a\"", "\"https://Coordinator.example.org/rolls/a\"",
                    "\"https://coordinator.example.org\"", "\"coordinator.example.org/rolls/a\"", "\"\"", "1",
                ]
            ),
            ("key", ["\"\"", "\"AAAA\"", "\"\(repeated("A", 43))\"", "\"\(repeated("0", 64))\"", "1"]),
            ("enrolmentKey", ["\"\"", "\"AAAA\"", "\"\(repeated("A", 43))\"", "\"\(repeated("0", 64))\"", "1"]),
            ("ringCapacity", ["0", "15", "4097", "9007199254740991", "\"1024\"", "true"]),
            ("minimumRing", ["0", "1", "513", "2049", "9007199254740991", "\"64\"", "true"]),
            ("witnesses", ["\"\"", "1", "\"a\\tb\"", "\"a\\r\\nb\""]),
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
        #expect(Fixture.rollRefusal(Fixture.roll.with("name", quoted(repeated("a", 200)))) == nil)
        #expect(Fixture.rollRefusal(Fixture.roll.with("witnesses", "\"witness a\\nquorum a\\n\"")) == nil)
    }

    @Test func anyCoordinatorUrlMayStandBeforeTheRoll() throws {
        let urls = [
            "http://localhost:8080/rolls/a": "http://localhost:8080",
            "https://example.org/deep/er/rolls/a": "https://example.org/deep/er",
            "https://example.org/rolls/rolls": "https://example.org",
        ]
        for (text, coordinator) in urls {
            let url = try Fixture.url(text)
            let note = Fixture.signed(Fixture.roll.with("url", quoted(text)), name: url.bare)
            let descriptor = try RollDescriptor(parsing: note)
            #expect(descriptor.coordinator.text == coordinator)
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
        for name in ["colour", "Name", "id", "opens", ""] {
            let refusal = Fixture.rollRefusal(Fixture.roll.with(name, "1"))
            #expect(refusal == DocumentError.unknown(field: name))
        }
    }

    @Test func fieldsMayStandInAnyOrderAndGiveAnotherId() throws {
        var turned = Fixture.roll
        turned.fields.reverse()
        let descriptor = try RollDescriptor(parsing: Fixture.signed(turned, name: Fixture.rollName))
        #expect(descriptor.name == "Crew of the Marlow, 2026")
        #expect(descriptor.id.hex != Fixture.rollID)
        #expect(descriptor.id.bytes == SHA256.hash(turned.text))
    }
}

@Suite struct DocumentNoteTests {
    private let note = Fixture.signed(Fixture.roll, name: Fixture.rollName)

    private func signatureLine(of note: [UInt8], after text: [UInt8]) -> [UInt8] {
        Array(note.dropFirst(text.count + 1))
    }

    @Test func aSignatureByAnotherKeyIsRefused() {
        for seed: UInt8 in [1, 32] {
            let other = Fixture.signed(Fixture.roll, name: Fixture.rollName, by: seed)
            #expect(Fixture.rollRefusal(other)?.isNote == true)
        }
    }

    @Test func aSignatureUnderAnotherNameIsRefused() {
        for name in ["coordinator.example.org", Fixture.rollURL, Fixture.rollName + "/members", "a"] {
            let other = Fixture.signed(Fixture.roll, name: name)
            #expect(Fixture.rollRefusal(other)?.isNote == true, "\(name)")
        }
    }

    @Test func aSignatureOnAnotherTextIsRefused() {
        let text = Fixture.roll.text
        let otherDraft = Fixture.roll.with("name", quoted("Crew of the Marlow, 2027"))
        let other = Fixture.signed(otherDraft, name: Fixture.rollName)
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
            Fixture.signed(Fixture.roll, name: Fixture.rollName, by: 5),
            Fixture.signed(Fixture.roll, name: "coordinator.example.org"),
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
        let descriptor = try RollDescriptor(parsing: Fixture.signed(draft, name: Fixture.rollName, by: 7))
        #expect(descriptor.key == Fixture.publicKey(7))
        #expect(descriptor.id.hex != Fixture.rollID)
    }

    @Test func aNoteAbove256KiBIsRefused() {
        let key = Fixture.noteKey(0)
        let text = Array(Fixture.roll.text.dropLast())
        let room = SignedNote.maximumCount - note.count
        let spaces = [UInt8](repeating: 0x20, count: room)
        let largest = key.signNote(joined(text, spaces, [0x0A]), name: Fixture.rollName)
        #expect(largest.count == SignedNote.maximumCount)
        #expect(Fixture.rollRefusal(largest) == nil)
        let tooLarge = key.signNote(joined(text, spaces, [0x20, 0x0A]), name: Fixture.rollName)
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
