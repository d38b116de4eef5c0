import Documents
import Foundation
import InvitationMail
import MailDelivery
import PageParts
import Platform
import Sodium
import Testing

/// The database of mails with a clock that is moved.
@Suite struct OutboxTests {
    private let folder: String
    private let time = Moved()
    private let outbox: Outbox
    private let letter = LetterTemplate(language: .english)
    private let yes = SMTPReply(code: 250, enhanced: nil, text: "yes")
    private let later = SMTPReply(code: 450, enhanced: "4.7.1", text: "later")

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "roundrobin-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        outbox = try Outbox(folder: folder, clock: time.clock)
    }

    private func addresses(_ count: Int) throws -> [MailAddress] {
        try (0..<count).map { try MailAddress("p\($0)@example.org") }
    }

    private func hold(_ count: Int = 3, roll: String = "members") throws -> [InvitationCode] {
        try outbox.hold(roll: roll, try addresses(count), letter: letter)
    }

    private func release() throws { _ = try outbox.settle { _, _ in true } }

    private func message(_ mail: Outbox.Mail) throws -> MailMessage? {
        let address = try #require(ServiceURL("https://union.example/rolls/members"))
        let link = try #require(RollLink(address))
        return try outbox.message(
            mail,
            settings: MailSettings(from: try Mailbox("invite@union.example"), bounces: nil, route: .program("/x")),
            link: link, roll: "Members", coordinator: "Union",
            stop: try #require(ServiceURL("https://union.example/stop/\(mail.token.text)")),
            openKey: { OpenRollKey(SecretBytes(randomCount: 32)) })?.0
    }

    @Test func heldMailsAreReleasedOrDropped() throws {
        let codes = try hold(4)
        #expect(try Set(codes.map(\.hash)).count == 4 && outbox.due(limit: 10).isEmpty)
        let invited = Set(codes.prefix(3).map(\.hash))
        #expect(try outbox.settle { $0 == "members" && invited.contains($1) } == 3)
        #expect(try Set(outbox.due(limit: 10).map(\.codeHash)) == invited)
        #expect(try outbox.counts().total == 3)
        // Once more changes nothing.
        #expect(try outbox.settle { _, _ in false } == 0)
        #expect(try outbox.counts().waiting == 3)
    }

    @Test func eachTryHasTheSameBytes() throws {
        let codes = try hold()
        try release()
        let mails = try outbox.due(limit: 10)
        let first = try mails.map { try message($0)?.bytes() ?? [] }
        time.pass(2 * 86_400)
        let other = try Outbox(folder: folder, clock: time.clock)
        let again = try other.due(limit: 10)
        #expect(try again.map { try message($0)?.bytes() ?? [] } == first)
        for (mail, bytes) in zip(mails, first) {
            let code = try #require(codes.first { $0.hash == mail.codeHash })
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(text.contains("/rolls/members#\(code.symbols)\r\n") && text.contains("\r\n\(code.text)\r\n"))
        }
    }

    @Test func noFileHasACode() throws {
        let codes = try hold(20)
        try release()
        for mail in try outbox.due(limit: 20) { try outbox.record(mail, .accepted(yes)) }
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
            guard let bytes = FileManager.default.contents(atPath: "\(folder)/\(name)") else { continue }
            for code in codes {
                for secret in [Data(code.bytes), Data(code.symbols.utf8), Data(code.text.utf8)] {
                    #expect(bytes.firstRange(of: secret) == nil, "\(name)")
                }
            }
        }
    }

    @Test func outcomesAreKept() throws {
        _ = try hold(5)
        try release()
        let mails = try outbox.due(limit: 10)
        try outbox.record(mails[0], .accepted(yes))
        try outbox.record(mails[1], .refused(SMTPReply(code: 550, enhanced: "5.1.1", text: "no")))
        try outbox.record(mails[2], .later(later))
        try outbox.record(mails[3], .unknown("cut"))
        try outbox.record(mails[4], .stopped)
        let counts = try outbox.counts()
        #expect(counts.accepted == 1 && counts.failed == 1 && counts.waiting == 3)
        #expect(try outbox.due(limit: 10).map(\.token) == [mails[4].token])
        time.pass(60)
        #expect(try outbox.due(limit: 10).count == 3)
        #expect(try outbox.mail(mails[1].token)?.answer == "550 5.1.1 no")
        #expect(try outbox.mail(mails[3].token)?.tries == 1)
        // What is accepted stays so, whatever comes late.
        try outbox.record(mails[0], .refused(later))
        #expect(try outbox.mail(mails[0].token)?.state == .accepted)
    }

    @Test func aMailIsTriedForThreeDays() throws {
        _ = try hold(1)
        try release()
        var tries = 0
        for _ in 0..<100 {
            for mail in try outbox.due(limit: 1) {
                tries += 1
                try outbox.record(mail, .later(later))
            }
            time.pass(3600)
        }
        #expect(try tries == 11 && outbox.counts().failed == 1)
    }

    @Test func aServerThatIsAwayCostsNoMailATry() throws {
        _ = try hold(2)
        try release()
        let mail = try #require(try outbox.due(limit: 1).first)
        var waits: [Int64] = []
        for _ in 0..<11 {
            try outbox.record(mail, .unreachable("no route to ada@example.org"))
            let standing = try outbox.standing()
            #expect(standing.reason == "no route to …")
            waits.append(standing.retryAt.seconds - time.clock.now.seconds)
        }
        #expect(waits == [60, 300, 900] + Array(repeating: 3600, count: 8))
        #expect(try outbox.mail(mail.token)?.tries == 0 && outbox.counts().waiting == 2)
        // Nobody waits for ever, but this machine may have been off.
        time.pass(3 * 86_400 + 1)
        #expect(try outbox.due(limit: 10).count == 2)
        try outbox.record(mail, .unreachable("no route"))
        #expect(try outbox.counts().failed == 2)
    }

    /// The answer to the old mail is none to the new one.
    @Test func aMailThatIsWrittenAnewMeanwhileIsSent() throws {
        _ = try hold(1)
        try release()
        let mail = try outbox.due(limit: 1)[0]
        try outbox.repeatMails([(mail, LetterTemplate(language: .french))])
        try outbox.record(mail, .accepted(yes))
        let again = try #require(try outbox.due(limit: 1).first)
        #expect(again.state == .waiting && again.written > mail.written)
    }

    @Test func aServerThatAnswersIsNotAway() throws {
        _ = try hold(1)
        try release()
        let mail = try outbox.due(limit: 1)[0]
        try outbox.setUnreachable("no route")
        try outbox.record(mail, .later(later))
        #expect(try outbox.standing().reason.isEmpty)
    }

    @Test func afterAGapEachMailIsTried() throws {
        _ = try hold(1)
        try release()
        time.pass(10 * 86_400)
        let mail = try #require(try outbox.due(limit: 1).first)
        try outbox.record(mail, .unreachable("the network is not up yet"))
        #expect(try outbox.counts().waiting == 1)
        time.pass(60)
        try outbox.record(mail, .accepted(yes))
        #expect(try outbox.counts().accepted == 1 && outbox.standing().reason.isEmpty)
    }

    @Test func aClockThatWasAheadBlocksNothing() throws {
        time.pass(300_000_000)
        _ = try hold(1)
        try release()
        let mail = try #require(try outbox.due(limit: 1).first)
        try outbox.record(mail, .later(later))
        try outbox.setUnreachable("away")
        time.pass(-300_000_000)
        #expect(try outbox.due(limit: 1).count == 1 && outbox.retryTime(outbox.standing()) == nil)
    }

    @Test func anAlarmDoesNotReplaceTheOperatorsPause() throws {
        try outbox.pause("by hand", isOperators: true)
        try outbox.pause("an alarm", isOperators: false)
        #expect(try outbox.standing().pause == "by hand" && outbox.standing().isOperators)
        _ = try hold(1)
        try release()
        time.pass(5 * 86_400)
        try outbox.resume()
        // The three days begin again.
        #expect(try outbox.standing().pause == nil && outbox.due(limit: 1).count == 1)
    }

    @Test func keysAreDeletedAfterAWeek() throws {
        _ = try hold(2)
        try release()
        let mails = try outbox.due(limit: 2)
        try outbox.record(mails[0], .accepted(yes))
        time.pass(7 * 86_400)
        #expect(try outbox.isRepeatable(mails[0]))
        time.pass(86_400)
        #expect(try !outbox.isRepeatable(mails[0]))
        // One mail still waits: it could be sent.
        try outbox.deleteOldKeys()
        #expect(try outbox.keyCount == 1 && message(mails[1]) != nil)
        try outbox.record(mails[1], .accepted(yes))
        try outbox.deleteOldKeys()
        #expect(try outbox.keyCount == 0 && message(mails[1]) == nil)
        // The next day has a key of its own.
        #expect(try hold(1).count == 1 && outbox.keyCount == 1)
    }

    @Test func bouncesAndRequestsAreMarks() throws {
        _ = try hold(2)
        try release()
        let mail = try outbox.due(limit: 1)[0]
        #expect(try outbox.mark(bounce: mail.token, text: "5.1.1 gone"))
        #expect(try outbox.mail(mail.token)?.bounce?.text == "5.1.1 gone" && outbox.counts().bounced == 1)
        #expect(try !outbox.mark(bounce: .random(), text: ""))
        #expect(try outbox.mark(stopped: true, mail.token))
        #expect(try outbox.objecting(try addresses(5)) == [mail.address])
        #expect(try !outbox.mark(stopped: true, .random()))
        // What waits for them is not sent, and they are remembered without a name.
        #expect(try outbox.mail(mail.token)?.state == .withdrawn && outbox.due(limit: 9).count == 1)
        try outbox.forget(roll: "members")
        #expect(try outbox.objecting(try addresses(5)) == [mail.address])
    }

    @Test func whoeverTakesItBackGetsMailAgain() throws {
        _ = try hold(1)
        try release()
        let mail = try outbox.due(limit: 1)[0]
        #expect(try outbox.mark(stopped: true, mail.token) && outbox.mark(stopped: false, mail.token))
        #expect(try outbox.objecting(try addresses(5)).isEmpty)
    }

    /// With another text, as a new mail, and without the mark of the bounce before.
    @Test func sentAgainItIsANewMail() throws {
        let codes = try hold(1)
        try release()
        let mail = try outbox.due(limit: 1)[0]
        let first = try #require(try message(mail))
        try outbox.record(mail, .accepted(yes))
        _ = try outbox.mark(bounce: mail.token, text: "4.2.2")
        try outbox.repeatMails([(mail, LetterTemplate(language: .german))])
        let again = try outbox.due(limit: 1)[0]
        let second = try #require(try message(again))
        #expect(again.bounce == nil && second.id != first.id && second.date > first.date)
        #expect(second.subject.hasPrefix("Ihre Einladung") && second.lines.contains { $0.contains(codes[0].symbols) })
    }

    /// What cannot be read at the moment is not replaced, and costs no mail its code.
    @Test func aKeyThatCannotBeReadJustNowIsKept() throws {
        _ = try hold(1)
        try release()
        let keys = folder + "/mail-keys"
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: keys).first)
        let mail = try outbox.due(limit: 1)[0]
        try FileManager.default.moveItem(atPath: "\(keys)/\(name)", toPath: folder + "/kept")
        // Opens, and fails when it is read.
        try FileManager.default.createDirectory(atPath: "\(keys)/\(name)", withIntermediateDirectories: false)
        #expect(throws: (any Error).self) { try message(mail) }
        #expect(throws: (any Error).self) { try hold(1) }
        #expect(try outbox.counts().waiting == 1)
        try FileManager.default.removeItem(atPath: "\(keys)/\(name)")
        try FileManager.default.moveItem(atPath: folder + "/kept", toPath: "\(keys)/\(name)")
        #expect(try message(mail) != nil)
    }

    /// A key that is half erased is no key: everybody could make its codes.
    @Test func aKeyIsErasedUnderAnotherName() throws {
        _ = try hold(1)
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: folder + "/mail-keys").first)
        // As a crash leaves it.
        try FileManager.default.moveItem(
            atPath: "\(folder)/mail-keys/\(name)", toPath: "\(folder)/mail-keys/\(name).erased")
        try Data(count: 32).write(to: URL(filePath: "\(folder)/mail-keys/\(name).erased"))
        #expect(outbox.keyCount == 0)
        let codes = try hold(1)
        #expect(outbox.keyCount == 1 && codes.count == 1)
        try outbox.deleteOldKeys()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/mail-keys") == [name])
        let key = try #require(FileManager.default.contents(atPath: "\(folder)/mail-keys/\(name)"))
        #expect(key.contains { $0 != 0 })
        // The mail whose key is lost has no code any more, and is no trouble for others.
        try release()
        let mails = try outbox.due(limit: 2)
        #expect(try mails.count { try message($0) == nil } == 1)
    }

    @Test func whatIsForgottenIsInNoFile() throws {
        _ = try hold(50)
        _ = try outbox.hold(roll: "others", [try MailAddress("kept@example.net")], letter: letter)
        try release()
        for mail in try outbox.due(limit: 25) { try outbox.record(mail, .later(later)) }
        try outbox.forget(roll: "members")
        #expect(try outbox.counts().total == 1 && outbox.keyCount == 1)
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
            let bytes = FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data()
            #expect(bytes.firstRange(of: Data("@example.org".utf8)) == nil, "\(name)")
        }
        try outbox.forget(roll: "others")
        #expect(outbox.keyCount == 0)
    }

    @Test func settingsAreKept() throws {
        #expect(try outbox.settings() == nil)
        let server = try #require(MailServer("smtps://mail.example.org"))
        let settings = MailSettings(
            from: try Mailbox("Union, \"Harbour\" <invite@union.example>"),
            bounces: try MailAddress("back@union.example"),
            route: .server(server, user: "invite", passwordFile: "/etc/password", authorities: nil),
            browserSigner: String(repeating: "5e", count: 32))
        try outbox.set(settings)
        #expect(try outbox.settings() == settings)
        let program = MailSettings(from: settings.from, bounces: nil, route: .program("/usr/sbin/sendmail"))
        try outbox.set(program)
        #expect(try Outbox(folder: folder, clock: time.clock).settings() == program)
    }
}
