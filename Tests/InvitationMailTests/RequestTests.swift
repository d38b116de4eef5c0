import Bytes
import Documents
import Foundation
import InvitationMail
import LogStorage
import MailDelivery
import PageParts
import Platform
import Sodium
import Testing

/// Invitations that somebody asks for, with a clock that is moved.
@Suite struct RequestTests {
    private let folder: String
    private let time = Moved()
    private let outbox: Outbox
    private let yes = Delivery.accepted(SMTPReply(code: 250, enhanced: nil, text: "yes"))

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "roundrobin-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        outbox = try Outbox(folder: folder, clock: time.clock)
        for roll in ["a", "b", "c"] { _ = try KeyFile.create(at: "\(folder)/\(roll).key") }
    }

    private func key(_ roll: String) throws -> OpenRollKey {
        OpenRollKey(try KeyFile.read(at: "\(folder)/\(roll).key"))
    }

    private func ask(_ address: String, roll: String = "a", isListed: Bool = false) throws -> Bool {
        try outbox.ask(roll: roll, try MailAddress(address), isListed: isListed, language: .english, blur: 0)
    }

    private func load(_ domain: String, after seconds: Int64 = 1, blur: UInt8 = 0) throws -> Int {
        let now = time.seconds.withLock { $0 }
        return try outbox.requestLoad(
            domain: domain, isListed: false, asOf: UTCTime(seconds: now + seconds), blur: blur)
    }

    @discardableResult
    private func answer(perHour: Int = 300, isUsed: Bool = false) throws -> Int {
        try outbox.answerRequests(perHour: perHour, key: { try? key($0) }, isUsed: { _, _ in isUsed })
    }

    /// The mails that wait now, each with its text; then all are delivered.
    private func deliver() throws -> [(mail: Outbox.Mail, text: String, code: InvitationCode?)] {
        let address = try #require(ServiceURL("https://union.example/rolls/a"))
        let link = try #require(RollLink(address))
        let stop = try #require(ServiceURL("https://union.example/stop/00"))
        let settings = MailSettings(from: try Mailbox("i@union.example"), bounces: nil, route: .program("/x"))
        return try outbox.due(limit: 10_000).map { mail in
            let message = try outbox.message(
                mail, settings: settings, link: link, roll: "Town", coordinator: "Union", stop: stop,
                openKey: { try key(mail.roll) })
            let made = try #require(message)
            try outbox.record(mail, yes)
            return (mail, made.0.lines.joined(separator: "\n"), made.1)
        }
    }

    @Test func aMailboxGetsThreeMailsInThirtyDays() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var times: [Int64] = []
        let start = time.seconds.withLock { $0 }
        // A stranger asks all the time, for three rolls, and in all spellings.
        let spellings = [
            "victim@town.example", "Victim@TOWN.example", "victim+1@town.example", "VICTIM+x+y@town.example",
        ]
        for step in 0..<1440 {
            let roll = ["a", "b", "c"][step % 3]
            #expect(try ask(spellings[step % 4], roll: roll))
            try answer()
            for sent in try deliver() {
                times.append(sent.mail.written.seconds - start)
                #expect(sent.mail.address.domain == "town.example")
            }
            time.pass(step < 200 ? 60 : 1800)
        }
        #expect(times.count == 3)
        #expect(times[0] == 0 && times[1] == 600 && times[2] >= 600 + 86_400 && times[2] < 600 + 86_400 + 1800)
        // 30 days after the first, while the key of limits was replaced at least once.
        time.pass(30 * 86_400 - (time.seconds.withLock { $0 } - start) - 60)
        #expect(try ask("victim@town.example") && answer() == 0)
        time.pass(61)
        #expect(try ask("victim@town.example") && answer() == 1)
        let keys = try FileManager.default.contentsOfDirectory(atPath: folder + "/mail-keys")
        #expect((1...2).contains(keys.count { $0.hasPrefix("limits-") }))
        time.pass(100 * 86_400)
        #expect(try ask("other@town.example") && answer() == 1)
        let later = try FileManager.default.contentsOfDirectory(atPath: folder + "/mail-keys")
        #expect(later.count { $0.hasPrefix("limits-") } == 1)
    }

    @Test func oneMailboxHasOneCodeInARoll() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(try ask("ada@town.example") && ask("ada@town.example", roll: "b") && ask("bo@town.example"))
        try answer()
        let first = try deliver()
        // Of the two rolls that Ada asks for at once, one mail comes; the other within its limits.
        #expect(first.map(\.mail.address.text).sorted() == ["ada@town.example", "bo@town.example"])
        let ada = try #require(first.first { $0.mail.address.localPart == "ada" })
        time.pass(601)
        #expect(try ask("Ada+spam@town.example", roll: ada.mail.roll))
        try answer()
        let second = try deliver()
        #expect(
            second.map { $0.code?.symbols } == [ada.code?.symbols]
                && second[0].mail.address.text == "Ada@town.example")
        #expect(second[0].mail.token != ada.mail.token)
        time.pass(86_401)
        #expect(try ask("ada@town.example", roll: ada.mail.roll == "a" ? "b" : "a"))
        try answer()
        let other = try deliver()
        #expect(other.count == 1 && other[0].code?.symbols != ada.code?.symbols && other[0].code != nil)
        // The code is in no file.
        let code = try #require(ada.code)
        let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        for file in files {
            guard let bytes = FileManager.default.contents(atPath: "\(folder)/\(file)") else { continue }
            #expect(
                bytes.range(of: Data(code.symbols.utf8)) == nil && bytes.range(of: Data(code.bytes)) == nil, "\(file)")
        }
    }

    @Test func whoHasAPlaceIsTold() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(try ask("ada@town.example"))
        #expect(try answer(isUsed: true) == 1)
        let sent = try deliver()
        #expect(sent[0].code == nil && sent[0].mail.kind == .used)
        #expect(sent[0].text.contains("was used before") && !sent[0].text.contains("#"))
        #expect(try outbox.openCodes(roll: "a").isEmpty)
    }

    @Test func aUsedCodeIsForgotten() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(try ask("ada@town.example"))
        try answer()
        let mail = try #require(try outbox.due(limit: 1).first)
        #expect(try outbox.mailbox(roll: "a", code: mail.codeHash) != nil)
        #expect(try outbox.mailbox(roll: "b", code: mail.codeHash) == nil)
        try outbox.forgetCode(roll: "a", mail.codeHash)
        #expect(try outbox.mailbox(roll: "a", code: mail.codeHash) == nil)
        // A mail that was not sent yet has no code any more.
        let address = try #require(ServiceURL("https://u.example/rolls/a"))
        let link = try #require(RollLink(address))
        let settings = MailSettings(from: try Mailbox("i@union.example"), bounces: nil, route: .program("/x"))
        let message = try outbox.message(
            mail, settings: settings, link: link, roll: "Town", coordinator: "Union", stop: link.url,
            openKey: { try key("a") })
        #expect(message?.0.lines == nil)
    }

    @Test func addressesAreDeletedAndStopLinksGoOn() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(try ask("planted.person@rare-domain.example"))
        try answer()
        let sent = try deliver()
        #expect(sent.count == 1)
        try outbox.eraseTraces()
        let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        #expect(files.contains("outbox.sqlite"))
        for file in files {
            guard let bytes = FileManager.default.contents(atPath: "\(folder)/\(file)") else { continue }
            for planted in ["planted", "rare-domain"] { #expect(bytes.range(of: Data(planted.utf8)) == nil, "\(file)") }
        }
        let token = sent[0].mail.token
        #expect(try outbox.mail(token) == nil)
        time.pass(700)
        #expect(try outbox.mark(stopped: true, token))
        #expect(try ask("Planted.Person+more@rare-domain.example") && answer() == 0)
        #expect(try outbox.mark(stopped: false, token))
        #expect(try ask("Planted.Person+more@rare-domain.example") && answer() == 1)
        // What waits when somebody objects is not sent.
        #expect(try outbox.mark(stopped: true, token))
        #expect(try outbox.due(limit: 10).isEmpty)
    }

    @Test func domainsHaveTheirTurnsAndTheirShare() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for number in 0..<400 { #expect(try ask("n\(number)@flood.example")) }
        for number in 0..<30 { #expect(try ask("p\(number)@town.example")) }
        for number in 0..<300 { #expect(try ask("m\(number)@listed.example", isListed: true)) }
        for number in 0..<200 { #expect(try ask("g\(number)@gmail.com")) }
        func sent() throws -> [String: Int] {
            try answer()
            return Dictionary(grouping: try deliver(), by: \.mail.address.domain).mapValues(\.count)
        }
        // 300 in all: each domain in turn, until it has its share.
        var counts = try sent()
        #expect(counts == ["flood.example": 50, "town.example": 30, "listed.example": 110, "gmail.com": 110])
        time.pass(3599)
        #expect(try sent().isEmpty)
        time.pass(2)
        counts = try sent()
        #expect(counts == ["flood.example": 50, "listed.example": 160, "gmail.com": 90])
        #expect(try outbox.waitingRequests() == ["flood.example": 300, "listed.example": 30])
        // Who comes now does not wait behind those.
        time.pass(3601)
        #expect(try ask("new@small.example"))
        #expect(try sent()["small.example"] == 1)
        // The operator may change a share.
        let flood = try #require(MailDomain("flood.example"))
        try outbox.setRate(of: flood, perHour: 0)
        time.pass(3601)
        #expect(try sent().isEmpty)
    }

    /// Whoever invents a domain for each request takes no mail from people at others.
    @Test func inventedDomainsTakeTheirShareOnly() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var wanted = Set<String>()
        for hour in 0..<3 {
            // What was invented comes first.
            for number in 0..<400 { #expect(try ask("x@fake\(hour)-\(number).example")) }
            for (domain, isListed) in [("gmail.com", false), ("town.example", false), ("listed.example", true)] {
                for number in 0..<20 {
                    #expect(try ask("p\(hour)-\(number)@\(domain)", isListed: isListed))
                    wanted.insert("p\(hour)-\(number)@\(domain)")
                }
            }
            #expect(try answer() == 300)
            let sent = try deliver().map(\.mail.address.text)
            #expect(sent.count { $0.hasPrefix("x@") } >= 200)
            wanted.subtract(sent)
            time.pass(3601)
        }
        // A domain that had no mail in the hour is as good as an invented one, until its first mail.
        #expect(wanted.allSatisfy { $0.hasSuffix("@town.example") }, "\(wanted.count)")
    }

    /// Nobody learns from the load that they can see whether a mailbox has asked before.
    @Test func theLoadIsTheSameForWhoAskedBefore() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var loads: [Int] = []
        // One mailbox again and again is as many as others.
        for number in 0..<2 {
            let town = try #require(MailDomain("town\(number).example"))
            try outbox.setRate(of: town, perHour: 1)
            for place in 0..<30 { #expect(try ask(number == 0 ? "ada@\(town.text)" : "n\(place)@\(town.text)")) }
            loads.append(try load(town.text))
        }
        #expect(loads == [5, 5])
        #expect(try outbox.waitingRequests() == ["town0.example": 30, "town1.example": 30])
    }

    /// Whoever fills a small domain's queue up to where more work is demanded does not see one request more of it.
    @Test func oneRequestMoreOfADomainIsNotSeen() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // An eighth of what is taken for such a domain, but one.
        for number in 0..<299 { #expect(try ask("n\(number)@family.example")) }
        time.pass(600)
        #expect(try load("family.example", after: 0) == 0)
        #expect(try ask("victim@family.example"))
        // What came in this slot does not count, and in the next one nobody knows what is added.
        #expect(try load("family.example", after: 0) == 0)
        time.pass(600)
        #expect(try load("family.example", after: 0) == 1 && load("family.example", after: -600) == 0)
        let loads = try (0...255).map { try load("family.example", after: -600, blur: UInt8($0)) }
        #expect(Set(loads) == [0, 1] && loads == loads.sorted())
        // Where nobody waits, nothing is demanded, whatever is added.
        #expect(try load("other.example", blur: 255) == 0)
    }

    /// What somebody asks for under one name of a mailbox takes nothing from another, which may be somebody else's.
    @Test func anotherNameOfAMailboxHasItsOwnMails() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var codes: [String?] = []
        for pause: Int64 in [0, 601, 86_401] {
            time.pass(pause)
            #expect(try ask("victim@mac.com") && answer() == 1)
            codes.append(try deliver()[0].code?.symbols)
        }
        #expect(try ask("victim@icloud.com") && answer() == 1)
        let own = try deliver()
        #expect(own[0].mail.address.text == "victim@icloud.com")
        // The place is one all the same.
        #expect(Set(codes + [own[0].code?.symbols]).count == 1)
    }

    /// 100,000 addresses at thousands of domains: what waits is bounded, and so is what goes out.
    @Test func aFloodOfDomainsIsBounded() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var taken = 0
        for number in 0..<100_000 where try ask("n\(number)@d\(number % 5000).example") { taken += 1 }
        // Others have room of their own.
        #expect(try ask("ada@gmail.com") && ask("ada@listed.example", isListed: true))
        #expect(try load("gmail.com") == 0)
        #expect(try load("d1.example") == 8)
        #expect(taken == Outbox.RequestLimits.waiting)
        for _ in 0..<2 {
            #expect(try answer() == 300 && answer() == 0)
            _ = try deliver()
            time.pass(3601)
        }
        let size = try FileManager.default.attributesOfItem(atPath: folder + "/outbox.sqlite")[.size] as? Int
        #expect(try #require(size) < 8 << 20)
    }

    /// 10,000 requests for one mailbox, over all rolls and in all spellings: three mails, whatever waits.
    @Test func tenThousandRequestsForOneMailboxAreThreeMails() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let spellings = ["victim@town.example", "Victim@TOWN.example", "victim+1@town.example"]
        for number in 0..<10_000 {
            #expect(try ask(spellings[number % 3], roll: ["a", "b", "c"][number / 3 % 3], isListed: true))
        }
        #expect(try !ask(spellings[0], isListed: true))
        var mails = 0
        while try !outbox.waitingRequests().isEmpty {
            try answer()
            mails += try deliver().count
            time.pass(3601)
        }
        #expect(mails == 3)
    }

    @Test func aFloodIsBounded() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var taken = 0
        for number in 0..<5200 where try ask("n\(number)@flood.example") { taken += 1 }
        // What two days have room for.
        #expect(taken == 48 * Outbox.RequestLimits.perDomain)
        #expect(try ask("a@town.example") && ask("a@town.example"))
        #expect(try outbox.waitingRequests()["town.example"] == 2)
        #expect(try answer() == 51)
        #expect(try outbox.waitingRequests()["town.example"] == nil)
        #expect(try deliver().count { $0.mail.address.domain == "town.example" } == 1)
    }

    @Test func aClockThatWasAheadBlocksNobodyForYears() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        time.pass(3 * 365 * 86_400)
        #expect(try ask("ada@town.example") && answer() == 1)
        _ = try deliver()
        time.pass(-3 * 365 * 86_400)
        #expect(try ask("ada@town.example") && answer() == 1)
    }

    @Test func withoutTheKeyOfTheRollNothingIsSent() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(try ask("ada@town.example"))
        try FileManager.default.removeItem(atPath: folder + "/a.key")
        #expect(try ask("bo@other.example", roll: "b"))
        // The other roll goes on.
        #expect(try answer() == 1)
        #expect(try outbox.waitingRequests() == ["town.example": 1])
        time.pass(2 * 86_400 + 1)
        #expect(try answer() == 0 && outbox.waitingRequests().isEmpty)
    }
}

/// One mailbox, however its address is spelled.
@Suite struct MailboxRuleTests {
    @Test(
        arguments: [
            ("Ada@Town.Example", "ada@town.example"), ("ada+x@town.example", "ada@town.example"),
            ("ada+x+y@town.example", "ada@town.example"), ("+ada@town.example", "+ada@town.example"),
            ("a.d.a@town.example", "a.d.a@town.example"), ("A.d.a+x@gmail.com", "ada@gmail.com"),
            ("ada@GoogleMail.com", "ada@gmail.com"), ("ada@mail.gmail.com", "ada@mail.gmail.com"),
            ("ada@xn--tst-qla.example", "ada@xn--tst-qla.example"), ("ada@täst.example", "ada@xn--tst-qla.example"),
        ] as [(String, String)])
    func isRead(address: String, mailbox: String) throws {
        #expect(try MailAddress(address).mailbox == mailbox)
    }
}
