import Bytes
import Documents
import Petitions
import Sodium
import Testing

@Suite struct PetitionRuleTests {
    private typealias Wrong = [(field: String, values: [String])]

    @Test func everyValueThatBreaksARuleIsRefused() {
        let long = repeated("a", 201)
        let line = [
            "\"\"", "\"\(long)\"", "\"a\\nb\"", "\"a\\u202eb\"", "\"a\\u0000b\"", "\"\u{2066}\"", "1", "[]", "{}",
        ]
        let wrong: Wrong = [
            ("format", ["\"roundrobin-petition/v2\"", "\"roundrobin-roll/v1\"", "\"\"", "1"]),
            ("title", line),
            ("startedBy", line),
            ("addressedTo", line),
            ("statement", ["\"\"", "\"a\\tb\"", "\"a\\r\\nb\"", "\"a\\u202eb\"", "\"a\\u2028b\"", "1"]),
            ("url", ["\"https://coordinator.example.org/\"", "\"http://coordinator.example.org\"", "\"\"", "1"]),
            ("key", ["\"\"", "\"AAAA\"", "\"\(repeated("A", 43))\"", "\"\(repeated("0", 64))\"", "1"]),
            (
                "website",
                [
                    "\"\"", "\"http://marlow.example.org\"", "\"https://marlow.example.org/\"",
                    "\"marlow.example.org\"",
                    "\"https://marlow.example.org/?a\"", "\"javascript:alert(1)\"", "1",
                ]
            ),
            ("goal", ["0", "\"250\"", "true", "[250]"]),
            ("witnesses", ["1", "\"a\\tb\""] + Fixture.badPolicies),
            ("rolls", ["[]", "{}", "\"\"", "1", "true"]),
            ("aggregators", ["[]", "{}", "\"\"", "1", "true"]),
        ]
        for (field, values) in wrong {
            for value in values {
                let refusal = Fixture.petitionRefusal(Fixture.petition.with(field, value))
                #expect(refusal?.invalidField == field, "\(field): \(value)")
            }
        }
    }

    @Test func nobodyIsTheirOwnWitness() throws {
        for key in [Fixture.coordinatorKey, Fixture.aggregatorKey] {
            let refusal = Fixture.petitionRefusal(Fixture.petition.with("witnesses", try Fixture.policy(key: key)))
            #expect(refusal?.invalidField == "witnesses")
        }
        let own = try Fixture.policy(key: Fixture.coordinatorKey)
        #expect(Fixture.rollRefusal(Fixture.roll.with("witnesses", own))?.invalidField == "witnesses")
        let other = try Fixture.policy(key: Fixture.aggregatorKey)
        #expect(Fixture.rollRefusal(Fixture.roll.with("witnesses", other)) == nil, "a roll knows no aggregators")
    }

    @Test func numbersThatAreNotPlainAreNotJSON() {
        for goal in ["250.0", "25e1", "-1", "0250", "+250", "9007199254740992", "null"] {
            let refusal = Fixture.petitionRefusal(Fixture.petition.with("goal", goal))
            #expect(refusal?.isMalformed == true, "\(goal)")
        }
        #expect(Fixture.petitionRefusal(Fixture.petition.with("goal", "1")) == nil)
        #expect(Fixture.petitionRefusal(Fixture.petition.with("goal", "9007199254740991")) == nil)
    }

    @Test func languagesAreTags() {
        let long = "aaaaaaaa-aaaaaaaa-aaaaaaaa-aaaaaaaa"
        for language in ["en", "pt-BR", "zh-Hant-TW", "de-CH-1996", "x-a", long] {
            let refusal = Fixture.petitionRefusal(Fixture.petition.with("language", quoted(language)))
            #expect(refusal == nil, "\(language)")
        }
        let wrong = [
            "", "-", "en_US", "e n", "-en", "en-", "en--US", "abcdefghi", "\u{E9}n", "en\\n", "\u{661}",
        ]
        for language in wrong {
            let refusal = Fixture.petitionRefusal(Fixture.petition.with("language", quoted(language)))
            #expect(refusal?.invalidField == "language", "\(language)")
        }
    }

    @Test func timesHaveOneSpelling() {
        let times = [
            "2026-03-01T08:00:00+00:00", "2026-03-01T08:00:00", "2026-03-01 08:00:00Z", "2026-02-30T08:00:00Z",
            "2026-03-01T08:00:60Z", "2026-03-01T08:00:00.000Z", "",
        ]
        for time in times {
            for field in ["opens", "closes"] {
                let refusal = Fixture.petitionRefusal(Fixture.petition.with(field, quoted(time)))
                #expect(refusal?.invalidField == field, "\(time)")
            }
        }
    }

    @Test func aPetitionClosesAfterItOpens() {
        let opens = Fixture.petition.with("opens", quoted("2026-04-30T19:59:59Z"))
        #expect(Fixture.petitionRefusal(opens) == nil)
        for time in ["2026-04-30T20:00:00Z", "2026-04-30T20:00:01Z", "2027-01-01T00:00:00Z"] {
            let refusal = Fixture.petitionRefusal(Fixture.petition.with("opens", quoted(time)))
            #expect(refusal?.invalidField == "closes", "\(time)")
        }
    }

    @Test func theReplacedPetitionIsAnId() {
        let id = Fixture.rollID
        let upper = id.uppercased()
        let short = String(id.dropFirst())
        for text in ["", upper, short, "\(id)0", "g\(short)", " \(short)", "-\(short)"] {
            let refusal = Fixture.petitionRefusal(Fixture.petition.with("replaces", quoted(text)))
            #expect(refusal?.invalidField == "replaces", "\(text)")
        }
        #expect(Fixture.petitionRefusal(Fixture.petition.with("replaces", quoted(id))) == nil)
    }

    @Test func lengthsAreAtMostWhatTheRulesSay() {
        for field in ["title", "startedBy", "addressedTo"] {
            let draft = Fixture.petition.with(field, quoted(repeated("\u{E9}", 100)))
            #expect(Fixture.petitionRefusal(draft) == nil)
        }
        let largest = Fixture.petition.with("statement", quoted(repeated("a", 99_998) + "\\nb"))
        #expect(Fixture.petitionRefusal(largest) == nil)
        let tooLarge = Fixture.petition.with("statement", quoted(repeated("a", 99_999) + "\\nb"))
        #expect(Fixture.petitionRefusal(tooLarge)?.invalidField == "statement")
    }

    @Test func fieldsMustBeThereOnceAndAreNeverNull() {
        for name in Fixture.petition.names {
            let missing = Fixture.petitionRefusal(Fixture.petition.without(name))
            let expected: DocumentError? = name == "website" ? nil : .missing(field: name)
            #expect(missing == expected)
            let twice = Fixture.petitionRefusal(Fixture.petition.repeating(name))
            #expect(twice?.isMalformed == true, "\(name)")
            let null = Fixture.petitionRefusal(Fixture.petition.with(name, "null"))
            #expect(null?.isMalformed == true, "\(name)")
        }
        for name in ["replaces", "witnesses"] {
            let null = Fixture.petitionRefusal(Fixture.petition.with(name, "null"))
            #expect(null?.isMalformed == true, "\(name)")
        }
    }

    @Test func noOtherFieldMayBeThere() {
        for name in ["colour", "Title", "id", "name", "ringCapacity"] {
            let refusal = Fixture.petitionRefusal(Fixture.petition.with(name, "1"))
            #expect(refusal == DocumentError.unknown(field: name))
        }
        for name in ["colour", "name", "key", "slug", "coordinator"] {
            let refusal = Fixture.refusal(roll: Fixture.rollReference.with(name, "1"))
            #expect(refusal == DocumentError.unknown(field: name))
        }
        for name in ["colour", "name", "id"] {
            let refusal = Fixture.refusal(aggregator: Fixture.aggregatorReference.with(name, "1"))
            #expect(refusal == DocumentError.unknown(field: name))
        }
    }

    @Test func everyValueOfARollThatBreaksARuleIsRefused() {
        let upper = Fixture.rollID.uppercased()
        let short = String(Fixture.rollID.dropLast())
        let wrong: Wrong = [
            ("id", [quoted(upper), quoted(short), quoted(Fixture.rollID + "00"), "\"\"", "1"]),
            ("url", [quoted(Fixture.coordinator + "/"), "\"http://coordinator.example.org\"", "\"\"", "1"]),
            ("label", ["\"\"", quoted(repeated("a", 201)), "\"a\\nb\"", "\"\\u061c\"", "1"]),
            ("size", ["\"412\"", "true"]),
            ("root", ["\"\"", "\"AAAA\"", quoted(repeated("A", 43)), quoted(Fixture.rollID), "1"]),
            ("laterRings", ["0", "1", "\"true\"", "[]"]),
        ]
        for (field, values) in wrong {
            for value in values {
                let refusal = Fixture.refusal(roll: Fixture.rollReference.with(field, value))
                #expect(refusal?.invalidField == field, "\(field): \(value)")
            }
        }
        #expect(Fixture.refusal(roll: Fixture.rollReference.with("size", "412.0"))?.isMalformed == true)
        #expect(Fixture.refusal(roll: Fixture.rollReference.with("size", "1")) == nil)
        // Nobody is in the roll yet: only later rings can sign, and there is only one root.
        let empty = Fixture.rollReference.with("size", "0").with("root", quoted(Base64.encode(SHA256.hash([]).array)))
        #expect(Fixture.refusal(roll: empty) == nil)
        #expect(Fixture.refusal(roll: empty.with("laterRings", "false"))?.invalidField == "size")
        #expect(Fixture.refusal(roll: Fixture.rollReference.with("size", "0"))?.invalidField == "root")
        #expect(Fixture.refusal(roll: Fixture.rollReference.with("laterRings", "false")) == nil)
    }

    @Test func everyValueOfAnAggregatorThatBreaksARuleIsRefused() {
        let wrong: Wrong = [
            ("url", [quoted(Fixture.aggregator + "/"), "\"http://count.example.net\"", "\"\"", "1"]),
            ("key", ["\"\"", "\"AAAA\"", quoted(repeated("A", 43)), "1"]),
        ]
        for (field, values) in wrong {
            for value in values {
                let refusal = Fixture.refusal(aggregator: Fixture.aggregatorReference.with(field, value))
                #expect(refusal?.invalidField == field, "\(field): \(value)")
            }
        }
    }

    @Test func fieldsOfRollsAndAggregatorsMustBeThereOnceAndAreNeverNull() {
        for name in Fixture.rollReference.names {
            let missing = Fixture.refusal(roll: Fixture.rollReference.without(name))
            let expected: DocumentError? = name == "label" ? nil : .missing(field: name)
            #expect(missing == expected)
            let twice = Fixture.refusal(roll: Fixture.rollReference.repeating(name))
            #expect(twice?.isMalformed == true, "\(name)")
            let null = Fixture.refusal(roll: Fixture.rollReference.with(name, "null"))
            #expect(null?.isMalformed == true, "\(name)")
        }
        for name in Fixture.aggregatorReference.names {
            let missing = Fixture.refusal(aggregator: Fixture.aggregatorReference.without(name))
            #expect(missing == DocumentError.missing(field: name))
            let twice = Fixture.refusal(aggregator: Fixture.aggregatorReference.repeating(name))
            #expect(twice?.isMalformed == true, "\(name)")
        }
    }

    @Test func aPetitionHasOneTo256DistinctRolls() {
        var rolls: [Draft] = []
        for number in 0..<257 {
            let id = SHA256.hash([UInt8(number / 256), UInt8(number % 256)])
            rolls.append(Fixture.rollReference.with("id", quoted(id.hex)))
        }
        let all = Fixture.petition.with("rolls", Fixture.list(Array(rolls.prefix(256))))
        #expect(Fixture.petitionRefusal(all) == nil)
        let tooMany = Fixture.petition.with("rolls", Fixture.list(rolls))
        #expect(Fixture.petitionRefusal(tooMany)?.invalidField == "rolls")
        let twice = Fixture.list([rolls[0], rolls[1], rolls[0].with("url", quoted(Fixture.coordinator + "/b"))])
        #expect(Fixture.petitionRefusal(Fixture.petition.with("rolls", twice))?.invalidField == "rolls")
        #expect(Fixture.petitionRefusal(Fixture.petition.with("rolls", "[1]"))?.isMalformed == true)
    }

    @Test func aPetitionHasOneTo16DistinctAggregators() {
        var aggregators: [Draft] = []
        for number in 0..<17 {
            aggregators.append(Fixture.aggregatorReference.with("url", quoted("https://count-\(number).example.net")))
        }
        let all = Fixture.petition.with("aggregators", Fixture.list(Array(aggregators.prefix(16))))
        #expect(Fixture.petitionRefusal(all) == nil)
        let tooMany = Fixture.petition.with("aggregators", Fixture.list(aggregators))
        #expect(Fixture.petitionRefusal(tooMany)?.invalidField == "aggregators")
        let sameUrl = aggregators[0].with("key", quoted(Fixture.coordinatorKey))
        let twice = Fixture.list([aggregators[0], sameUrl])
        #expect(Fixture.petitionRefusal(Fixture.petition.with("aggregators", twice))?.invalidField == "aggregators")
        #expect(Fixture.petitionRefusal(Fixture.petition.with("aggregators", "[[]]"))?.isMalformed == true)
    }
}
