import Documents
import Foundation
import Testing

/// Attacks on invitations by mail that once worked.
@Suite(.withinTheRun) struct MailAttackTests {
    private func resend(_ coordinator: MailingCoordinator, _ arguments: String...) throws -> Run {
        try Programs.run(
            "petition-coordinator", ["mail", "resend", "--yes", "people"] + arguments, in: coordinator.folder)
    }

    /// Two codes are two votes, whatever a list calls a person.
    @Test func oneAddressHasOneCode() throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(in: coordinator.folder)
        try coordinator.setUp(host)
        func invite(_ text: String, _ options: String...) throws -> Run {
            try coordinator.scratch.write(text, to: "list.csv")
            return try Programs.run(
                "petition-coordinator", ["invite", "--send", "--yes"] + options + ["people", "list.csv"],
                in: coordinator.folder)
        }
        #expect(try invite("name,email\nAda,ada@example.org\nBob,bob@exmaple.org\n", "--label", "name").code == 0)
        for again in [
            try invite("name,email\nAda Ahr,ada@example.org\n", "--label", "name"),
            try invite("name,email\nAda,ADA@example.org\n"),
            try resend(coordinator, "Bob", "--to", "ada@example.org"),
        ] {
            #expect(again.code == 1 && again.errors.contains("invited"), "\(again.errors)")
        }
        #expect(try resend(coordinator, "Bob", "--to", "bob@example.org").code == 0)
        let moved = try invite("name,email\nRobert,bob@example.org\n")
        #expect(moved.code == 1 && moved.errors.contains("bob@example.org"), "\(moved.errors)")
        // By letters, too.
        try coordinator.scratch.write("name,email\nRobert,bob@example.org\n", to: "list.csv")
        #expect(try coordinator.run("invite", "--yes", "people", "list.csv", "letters.csv").code == 1)
        #expect(try coordinator.people("--unused").count == 2)
        // Whoever's code was voided is invited anew.
        try coordinator.expect("void", "people", "Ada")
        #expect(try invite("name,email\nAda Ahr,ada@example.org\n", "--label", "name").code == 0)
    }

    @Test func aKeyThatIsGoneStopsNobodyElse() throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(in: coordinator.folder)
        try coordinator.setUp(host)
        try coordinator.expect("mail", "pause")
        _ = try coordinator.invite(["lost"])
        try FileManager.default.removeItem(atPath: coordinator.scratch.path("coordinator/mail-keys"))
        _ = try coordinator.invite(["ada"])
        let run = try coordinator.resume()
        #expect(run.code == 1 && run.errors.contains("1 mail was refused"), "\(run.errors)")
        #expect(try coordinator.mail(of: "ada").hasPrefix("sent"))
        #expect(try coordinator.mail(of: "lost").contains("mail resend"))
        #expect(try resend(coordinator, "--failed").errors.contains("1 person gets a new code"))
        #expect(try coordinator.people("--unused").allSatisfy { $0["mail"]?.hasPrefix("sent") == true })
        #expect(try host.mails.count == 2)
    }

    /// A filter that quotes what it does not like.
    @Test func noAnswerOfAServerKeepsACode() throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(in: coordinator.folder)
        try coordinator.setUp(host)
        _ = try coordinator.invite(["quote1", "quote2"])
        let people = try coordinator.expect("people", "--json", "people")
        #expect(people.contains("554 5.7.1 bad link: …") && !people.contains("#"), "\(people)")
    }

    /// A program that prints what it was given.
    @Test func noOutputOfAProgramKeepsACode() throws {
        for code in [1, 68, 75, 77] {
            let coordinator = try MailingCoordinator()
            let program = coordinator.scratch.path("program")
            try coordinator.scratch.write("#!/bin/sh\necho \"cannot: $(grep '#')\" >&2\nexit \(code)\n", to: "program")
            chmod(program, 0o755)
            try coordinator.expect("mail", "setup", "--from", "invite@town.example", "--sendmail", program)
            let run = try coordinator.invite(["ada"])
            let said = try run.errors + coordinator.expect("mail", "status") + coordinator.expect("people", "people")
            #expect(said.contains("cannot: …") && !said.contains("/rolls/people#"), "\(said)")
        }
    }

    /// A family with one address, which the organiser has agreed to.
    @Test func twoPeopleAtOneAddressAreSentAgain() throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(in: coordinator.folder)
        try coordinator.setUp(host)
        try coordinator.scratch.write(
            "name,email\nAda,fam@example.org\nBob,fam@example.org\nCid,cid@example.org\n", to: "people.csv")
        try coordinator.expect("invite", "--send", "--yes", "--again", "people", "people.csv")
        let late = try coordinator.run(
            "mail", "resend", "--yes", "people", "--unused", "--older-than", "7d", faults: ["FAULT_CLOCK": "777600"])
        #expect(late.code == 0 && late.errors.contains("3 people get a new code"), "\(late.errors)")
        #expect(try host.mails.count == 6 && Set(host.mails.map(\.link)).count == 6)
    }

    /// Some servers take so many mails on a connection, and then close it.
    @Test func aConnectionMayEndAfterSomeMails() throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(["--per-connection", "5"], in: coordinator.folder)
        try coordinator.setUp(host)
        _ = try coordinator.invite((0..<30).map { "p\($0)" })
        let sent = try coordinator.people().count { $0["mail"]?.hasPrefix("sent") == true }
        #expect(sent == 25 && host.connections >= 5)
        #expect(try !coordinator.expect("mail", "status").contains("AWAY"))
        #expect(try coordinator.resume().code == 0)
        #expect(Set(try host.mails.map { $0.to[0] }).count == 30)
    }

    @Test func aServerThatPostponesEverybodyIsAskedLess() throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(["--refuse", "MAIL", "451 4.3.0 later"], in: coordinator.folder)
        try coordinator.setUp(host)
        let run = try coordinator.invite((0..<40).map { "p\($0)" })
        #expect(run.code == 3 && run.errors.contains("451 4.3.0") && host.connections == 20, "\(run.errors)")
        #expect(try coordinator.expect("mail", "status").contains("waiting    40"))
    }

    @Test func askedForAPasswordAtAnyCommandItPauses() throws {
        for step in ["RCPT", "DATA"] {
            let coordinator = try MailingCoordinator()
            let host = try MailHost(["--refuse", step, "530 5.7.0 Authentication required"], in: coordinator.folder)
            try coordinator.setUp(host)
            let run = try coordinator.invite(["ada", "bo"])
            #expect(run.code == 3 && run.errors.contains("user and password"), "\(run.errors)")
            #expect(try coordinator.expect("mail", "status").contains("failed     0"))
        }
    }

    @Test func aKeyFileThatIsDamagedStopsNobodyElse() throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(in: coordinator.folder)
        try coordinator.setUp(host)
        try coordinator.expect("mail", "pause")
        _ = try coordinator.invite(["lost"])
        let keys = coordinator.scratch.path("coordinator/mail-keys")
        for name in try FileManager.default.contentsOfDirectory(atPath: keys) {
            try Data().write(to: URL(filePath: "\(keys)/\(name)"))
        }
        _ = try coordinator.invite(["ada"])
        #expect(try coordinator.resume().code == 1)
        #expect(try coordinator.mail(of: "ada").hasPrefix("sent") && coordinator.mail(of: "lost").hasPrefix("failed"))
    }

    @Test func aForgottenRollIsNotSentAnyMore() throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(["--delay", "0.03"], in: coordinator.folder)
        try coordinator.setUp(host)
        try coordinator.expect("roll", "create", "--name", "Others", "others")
        try coordinator.expect("mail", "pause")
        _ = try coordinator.invite((0..<40).map { "p\($0)" })
        // Another roll needs the key of the day.
        try coordinator.list(["other"], file: "others.csv")
        _ = try coordinator.run("invite", "--send", "--yes", "others", "others.csv")
        let sending = try Running("petition-coordinator", ["mail", "resume"], in: coordinator.folder, passphrase: "")
        for _ in 0..<400 where try host.mails.count < 3 { usleep(20_000) }
        try coordinator.expect("roll", "forget", "--yes", "people")
        let count = try host.mails.count
        #expect(sending.end() == 0, "\(sending.said)")
        // What was on its way, and that of the other roll.
        #expect(try host.mails.count <= count + 2 && host.mails.count < 30)
        #expect(try host.mails.contains { $0.to[0].hasPrefix("other@") })
    }

    @Test func anInterruptedForgettingIsCompletedByTheNext() throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(in: coordinator.folder)
        try coordinator.setUp(host)
        let server = try coordinator.server()
        _ = try coordinator.invite(["forgotten"])
        for at in 1...12 {
            _ = try coordinator.run(
                "roll", "forget", "--yes", "people",
                faults: [
                    "FAULT_CALL": "sync", "FAULT_PATH": "coordinator/", "FAULT_AT": "\(at)",
                    "FAULT_ACTION": "kill-after",
                ])
        }
        try coordinator.expect("roll", "forget", "--yes", "people")
        let folder = coordinator.scratch.path("coordinator")
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
            let bytes = FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data()
            #expect(bytes.firstRange(of: Data("forgotten@".utf8)) == nil, "\(name)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/mail-keys").isEmpty)
        server.stop()
    }

    /// A program that neither sends nor listens to signals does not keep the server from stopping.
    @Test func aProgramThatHangsIsEnded() throws {
        let coordinator = try MailingCoordinator()
        let program = coordinator.scratch.path("hang")
        try coordinator.scratch.write("#!/bin/sh\ntrap '' TERM INT\nwhile :; do sleep 1; done\n", to: "hang")
        chmod(program, 0o755)
        try coordinator.expect("mail", "setup", "--from", "invite@town.example", "--sendmail", program)
        try coordinator.expect("mail", "pause")
        _ = try coordinator.invite(["ada"])
        let server = try coordinator.server()
        // Resumes beside the server: one of the two runs the program.
        let resume = try Running("petition-coordinator", ["mail", "resume"], in: coordinator.folder, passphrase: "")
        usleep(3_000_000)
        kill(resume.process.processIdentifier, SIGKILL)
        usleep(3_000_000)
        server.process.terminate()
        for _ in 0..<200 where server.process.isRunning { usleep(50_000) }
        #expect(!server.process.isRunning)
        #expect(try coordinator.mail(of: "ada").hasPrefix("waiting"))
        let left = try Programs.run("petition-coordinator", ["mail", "status"], in: coordinator.folder)
        #expect(left.output.contains("waiting    1"))
        _ = try? Process.run(URL(filePath: "/usr/bin/pkill"), arguments: ["-9", "-f", program])
    }

    @Test func encryptionThatIsOnlyPutOffIsWaitedFor() throws {
        let coordinator = try MailingCoordinator()
        let certificate = try MailHost.certificate(for: "127.0.0.1", in: coordinator.folder)
        let host = try MailHost(
            ["--starttls", certificate.certificate, certificate.key, "--refuse", "STARTTLS", "454 4.7.0 later"],
            in: coordinator.folder)
        try coordinator.expect(
            "mail", "setup", "--from", "invite@town.example", "--server", "smtp://127.1:\(host.port)", "--ca-file",
            certificate.certificate)
        let run = try coordinator.invite(["ada"])
        #expect(
            run.code == 3 && run.errors.contains("454 4.7.0") && run.errors.contains("nothing is lost"), "\(run.errors)"
        )
        #expect(try host.mails.isEmpty && !coordinator.expect("mail", "status").contains("PAUSED"))
    }
}
