import Documents
import Foundation
import Testing

/// Invitations by mail: the real programs, and a real mail server on this machine.
@Suite(.withinTheRun) struct MailTests {
    private func names(_ range: Range<Int>) -> [String] { range.map { "p\($0)" } }

    @Test func everybodyEnrolsFromTheTextOfTheirMail() async throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(in: coordinator.folder)
        let hash = String(repeating: "5e", count: 32)
        try coordinator.scratch.write("\(hash)  roundrobin-signer.html\n", to: "SHA256SUMS")
        try coordinator.setUp(host, "--bounce", "back@town.example", "--programs-sums", "SHA256SUMS")
        #expect(try coordinator.expect("mail", "status").contains("mails say SHA-256 \(hash)"))
        let run = try coordinator.invite(names(0..<6))
        #expect(run.code == 0 && run.output.contains("Accepted 6 of 6."), "\(run.errors)\(run.output)")
        let metricsPort = try freePort()
        let server = try coordinator.server(metrics: metricsPort)
        let metrics = String(
            decoding: try await HTTP.get("http://127.0.0.1:\(metricsPort)/metrics").body, as: UTF8.self)
        #expect(metrics.contains("roundrobin_mails{state=\"accepted\"} 6\n"))
        #expect(metrics.contains("roundrobin_mail_paused 0\n") && !metrics.contains("@"))
        for mail in try host.mails {
            #expect(mail.header("To") == "<\(mail.to[0])>" && mail.header("From") == "\"Town\" <invite@town.example>")
            #expect(mail.from.wholeMatch(of: /back\+[0-9a-f]{32}@town\.example/) != nil)
            #expect(mail.header("Auto-Submitted") == "auto-generated")
            #expect(mail.header("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click")
            #expect(mail.header("List-Unsubscribe") == "<\(mail.lines.last { $0.contains("/stop/") } ?? "")>")
            // The code also stands apart, and nothing that is typed in the list is there.
            let code = try #require(mail.link.split(separator: "#").last)
            let apart = mail.lines.first { $0.contains("-") && $0.filter { $0 != "-" } == code }
            #expect(apart != nil && !mail.text.contains("Ahr"))
            // A browser is enough, if the file is the one that the organiser means.
            #expect(mail.lines.contains(hash) && mail.text.contains("roundrobin-signer.html"))
            #expect(!mail.text.lowercased().contains("<html") && !mail.text.contains("format=flowed"))
            let enrolled = try coordinator.enrol(mail.link)
            #expect(enrolled.code == 0, "\(enrolled.errors)")
        }
        #expect(try host.mails.count == 6 && host.connections == 1)
        #expect(Set(try host.mails.compactMap { $0.header("Message-ID") }).count == 6)
        #expect(
            try coordinator.people().allSatisfy { $0["state"] == "enrolled" && $0["mail"]?.hasPrefix("sent") == true })
        server.stop()
        #expect(!server.said.contains("example.org"))
    }

    /// 450, 421, a cut after the text, 550 and 552: each is tried again or not, with the same bytes.
    @Test func whatServersAnswerDecides() throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(in: coordinator.folder)
        try coordinator.setUp(host)
        // In any order; 421 ends it for a minute.
        let first = try coordinator.invite(["good", "never", "later", "full", "cut", "busy"])
        #expect(first.code != 0, "\(first.output)\(first.errors)")
        // A minute later, as a server would do it.
        for minutes in [2, 10, 60] { _ = try run(coordinator, ahead: minutes * 60) }
        #expect(try coordinator.mail(of: "full").hasPrefix("failed: 552 5.2.2"))
        #expect(try coordinator.mail(of: "never").hasPrefix("failed: 550 5.1.1"))
        for name in ["good", "later", "cut", "busy"] {
            #expect(try coordinator.mail(of: name).hasPrefix("sent"), "\(name)")
        }
        let mails = try host.mails
        #expect(Set(mails.map { $0.to[0] }) == Set(["good", "later", "cut", "busy"].map { "\($0)@example.org" }))
        // What was cut came twice, as the same mail.
        let cut = mails.filter { $0.to[0].hasPrefix("cut") }
        #expect(cut.count == 2 && Set(cut.map(\.text)).count == 1)
    }

    /// Lets a server with a moved clock send what is due.
    private func run(_ coordinator: MailingCoordinator, ahead seconds: Int) throws -> String {
        let server = try coordinator.server(faults: ["FAULT_CLOCK": "\(seconds)"])
        var last = ""
        for _ in 0..<40 {
            usleep(100_000)
            last = try coordinator.expect("mail", "status")
        }
        server.stop()
        #expect(!server.said.contains("example.org"), "\(server.said)")
        return last
    }

    /// Nothing is ever sent in plain text, nor to whom the certificate does not name, nor after a wrong password.
    @Test func whateverIsWrongWithTheServerPausesTheQueue() throws {
        let coordinator = try MailingCoordinator()
        let certificate = try MailHost.certificate(for: "127.0.0.1", in: coordinator.folder)
        let other = try MailHost.certificate(for: "other.example", in: coordinator.folder)
        try coordinator.scratch.write("secret\n", to: "right")
        try coordinator.scratch.write("wrong\n", to: "wrong")
        for file in ["right", "wrong"] { chmod(coordinator.scratch.path(file), 0o600) }
        func host(_ options: String...) throws -> MailHost { try MailHost(options, in: coordinator.folder) }
        let tls = try host("--starttls", certificate.certificate, certificate.key, "--auth", "invite", "secret")
        let wrongName = try host("--starttls", other.certificate, other.key)
        let stripped = try host()
        let smtps = try host("--tls", certificate.certificate, certificate.key, "--auth", "invite", "secret")
        // 127.1 is this machine, but does not look like it.
        func server(_ host: MailHost) -> String { "smtp://127.1:\(host.port)" }
        let ca = ["--ca-file", certificate.certificate]
        let user = ["--user", "invite", "--password-file", "right"]
        let cases: [(MailHost, [String], String)] = [
            (tls, ["--server", server(tls)] + user, "certificate"),
            (wrongName, ["--server", server(wrongName), "--ca-file", other.certificate], "certificate"),
            (stripped, ["--server", server(stripped)] + ca + user, "no encryption"),
            (tls, ["--server", server(tls), "--user", "invite", "--password-file", "wrong"] + ca, "535"),
            (tls, ["--server", server(tls)] + ca, "530"),
            (smtps, ["--server", "smtps://127.0.0.1:\(smtps.port)"] + user, "certificate"),
        ]
        try coordinator.list(["ada", "bo"])
        var isInvited = false
        for (host, options, words) in cases {
            let setup = ["mail", "setup", "--from", "invite@town.example"] + options
            let done = try Programs.run("petition-coordinator", setup, in: coordinator.folder)
            #expect(done.code == 0, "\(done.errors)")
            let sent =
                isInvited
                ? try coordinator.resume()
                : try coordinator.run("invite", "--send", "--yes", "people", "people.csv")
            isInvited = true
            #expect(
                sent.code == 3 && sent.errors.contains(words) && sent.errors.contains("mail resume"), "\(sent.errors)")
            #expect(try host.mails.isEmpty)
            let status = try coordinator.expect("mail", "status")
            #expect(status.contains("PAUSED") && status.contains("waiting    2"), "\(status)")
        }
        for (host, address) in [(tls, server(tls)), (smtps, "smtps://127.0.0.1:\(smtps.port)")] {
            let setup =
                ["mail", "setup", "--from", "invite@town.example", "--server", address] + ca + user
            #expect(try Programs.run("petition-coordinator", setup, in: coordinator.folder).code == 0)
            _ = try coordinator.resume()
            try coordinator.expect("mail", "test", "ada@example.org")
            #expect(try !host.mails.isEmpty)
        }
        #expect(try tls.mails.count == 3 && coordinator.mail(of: "ada").hasPrefix("sent"))
        // The password is in no file but its own.
        for name in try FileManager.default.subpathsOfDirectory(atPath: coordinator.scratch.path("coordinator")) {
            let bytes = FileManager.default.contents(atPath: coordinator.scratch.path("coordinator/\(name)"))
            #expect(bytes?.firstRange(of: Data("secret".utf8)) == nil)
        }
    }

    /// A refusal at each command: of the sender or at the start it pauses, of the recipient or the text it is theirs.
    @Test(arguments: [
        ("GREETING", "554 5.7.1 not you", true, true), ("GREETING", "421 4.3.2 busy", false, true),
        ("MAIL", "550 5.7.1 not this sender", true, true), ("MAIL", "451 4.3.0 later", false, true),
        ("RCPT", "550 5.1.1 nobody", false, false), ("RCPT", "451 4.3.0 later", false, true),
        ("DATA", "554 5.3.0 no", false, false), ("DATA", "451 4.3.0 later", false, true),
        ("TEXT", "552 5.3.4 message too large", false, false), ("TEXT", "451 4.3.0 later", false, true),
    ])
    func refusedAtEachCommand(step: String, reply: String, isPaused: Bool, isKept: Bool) throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(["--refuse", step, reply], in: coordinator.folder)
        try coordinator.setUp(host)
        _ = try coordinator.invite(["ada"])
        let status = try coordinator.expect("mail", "status")
        #expect(status.contains("PAUSED") == isPaused, "\(status)")
        #expect(
            status.contains("waiting    \(isKept ? 1 : 0)") && status.contains("failed     \(isKept ? 0 : 1)"),
            "\(status)")
        // Whatever it was, another server gets it.
        let good = try MailHost(in: coordinator.folder)
        try coordinator.setUp(good)
        if isKept {
            try coordinator.resume()
        } else {
            try coordinator.expect("mail", "resend", "--yes", "--failed", "people")
        }
        #expect(try good.mails.count == 1 && coordinator.mail(of: "ada").hasPrefix("sent"))
    }

    @Test func aServerThatIsAwayIsTriedAgain() throws {
        let coordinator = try MailingCoordinator()
        let gone = try MailHost(in: coordinator.folder)
        try coordinator.setUp(gone)
        gone.stop()
        let run = try coordinator.invite(["ada", "bo"])
        #expect(run.code == 3 && run.errors.contains("cannot be reached") && run.errors.contains("nothing is lost"))
        #expect(try coordinator.mail(of: "ada") == "waiting")
        // One that is slow is waited for.
        let slow = try MailHost(["--delay", "0.3"], in: coordinator.folder)
        try coordinator.setUp(slow)
        #expect(try coordinator.resume().code == 0)
        #expect(try slow.mails.count == 2)
    }

    @Test func twentyRefusalsInARowAreAnAlarm() throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(["--refuse", "TEXT", "554 5.7.1 looks like spam"], in: coordinator.folder)
        try coordinator.setUp(host)
        let run = try coordinator.invite(names(0..<30))
        let words = "20 mails in a row were refused, the last with 554 5.7.1"
        #expect(run.code == 3 && run.errors.contains(words), "\(run.errors)")
        let good = try MailHost(in: coordinator.folder)
        try coordinator.setUp(good)
        try coordinator.resume()
        try coordinator.expect("mail", "resend", "--yes", "--failed", "people")
        #expect(Set(try good.mails.map { $0.to[0] }).count == 30)
    }

    @Test func anOrganiserChangesTheServerInTheMiddle() throws {
        let coordinator = try MailingCoordinator()
        let first = try MailHost(["--delay", "0.005"], in: coordinator.folder)
        let second = try MailHost(in: coordinator.folder)
        try coordinator.setUp(first)
        try coordinator.list(names(0..<200))
        let sending = try Running(
            "petition-coordinator", ["invite", "--send", "--yes", "people", "people.csv"], in: coordinator.folder,
            passphrase: "")
        for _ in 0..<400 where try first.mails.count < 5 { usleep(20_000) }
        try coordinator.setUp(second)
        #expect(sending.end() == 0, "\(sending.said)")
        let (one, other) = (try first.mails, try second.mails)
        #expect(!one.isEmpty && !other.isEmpty && Set((one + other).map { $0.to[0] }).count == 200)
        #expect(one.count + other.count == 200)
    }

    /// The operator's pause stops what another process is sending.
    @Test func aPauseHoldsInTheMiddle() throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(["--delay", "0.005"], in: coordinator.folder)
        try coordinator.setUp(host)
        try coordinator.list(names(0..<200))
        let sending = try Running(
            "petition-coordinator", ["invite", "--send", "--yes", "people", "people.csv"], in: coordinator.folder,
            passphrase: "")
        for _ in 0..<400 where try host.mails.count < 5 { usleep(20_000) }
        try coordinator.expect("mail", "pause")
        #expect(sending.end() == 3 && sending.said.contains("the operator paused it"), "\(sending.said)")
        let count = try host.mails.count
        #expect(count < 200)
        #expect(try coordinator.run("invite", "--send", "--yes", "people", "people.csv").code == 1)
        #expect(try host.mails.count == count)
        #expect(try coordinator.resume().code == 0)
        #expect(try host.mails.count == 200)
    }

    @Test func tenThousandMailsGoThroughOneConnection() throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(in: coordinator.folder)
        try coordinator.setUp(host)
        let run = try coordinator.invite(names(0..<10_000))
        #expect(run.code == 0 && run.output.contains("Accepted 10000 of 10000."), "\(run.errors)\(run.output)")
        #expect(host.connections == 1)
        let links = Set(try host.mails.map(\.link))
        #expect(links.count == 10_000)
    }

    @Test func msmtpSendsAsSendmailDoes() throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(in: coordinator.folder)
        let configuration = coordinator.scratch.path("msmtprc")
        try coordinator.scratch.write(
            "account default\nhost localhost\nport \(host.port)\nauth off\ntls off\n", to: "msmtprc")
        let program = coordinator.scratch.path("sendmail")
        try coordinator.scratch.write("#!/bin/sh\nexec /usr/bin/msmtp -C '\(configuration)' \"$@\"\n", to: "sendmail")
        chmod(program, 0o755)
        try coordinator.expect(
            "mail", "setup", "--from", "Town <invite@town.example>", "--bounce", "back@town.example", "--sendmail",
            program)
        _ = try coordinator.invite(["good", "never", "later"])
        #expect(try coordinator.mail(of: "good").hasPrefix("sent"))
        #expect(try coordinator.mail(of: "never").hasPrefix("failed: 550 5.1.1"))
        #expect(try coordinator.mail(of: "later").hasPrefix("waiting, tried 1: 450 4.7.1"))
        let mail = try #require(try host.mails.first)
        #expect(mail.from.hasPrefix("back+") && mail.to == ["good@example.org"] && mail.link.contains("#"))
        // A program that cannot be run is an alarm.
        try FileManager.default.removeItem(atPath: program)
        let run = try coordinator.resume()
        #expect(run.code == 3 && run.errors.contains("is not a program"), "\(run.errors)")
    }
}
