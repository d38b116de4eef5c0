import Documents
import Foundation
import Testing

/// What people type, what others send, and what breaks on the way, around invitations by mail.
@Suite(.withinTheRun) struct MailMistakesTests {
    /// Killed at each step that writes: nobody has two codes, no mail has a code that is not in the log, and in the end
    /// everybody has a mail.
    @Test(
        .onFiles,
        arguments: [
            ("pwrite", "mail-keys", "kill-before"), ("sync", "mail-keys", "kill-after"),
            ("pwrite", "outbox.sqlite-wal", "kill-before"),
            ("pwrite", "outbox.sqlite-wal", "kill-after"), ("sync", "outbox.sqlite-wal", "kill-before"),
            ("sync", "outbox.sqlite-wal", "kill-after"), ("pwrite", "coordinator.sqlite-wal", "kill-before"),
            ("pwrite", "coordinator.sqlite-wal", "kill-after"), ("sync", "coordinator.sqlite-wal", "kill-before"),
            ("sync", "coordinator.sqlite-wal", "kill-after"), ("rename", "/published/", "kill-before"),
            ("rename", "/published/", "kill-after"),
        ])
    func killedAtEachStep(call: String, path: String, action: String) async throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(in: coordinator.folder)
        try coordinator.setUp(host)
        var deaths = 0
        for at in [1, 2, 3, 5, 9] {
            let run = try coordinator.invite(
                (0..<3).map { "p\(at)x\($0)" },
                faults: ["FAULT_CALL": call, "FAULT_PATH": path, "FAULT_AT": "\(at)", "FAULT_ACTION": action])
            if run.code == -SIGKILL { deaths += 1 }
            // Whoever was not invited is invited now; whoever was is refused.
            _ = try coordinator.run("invite", "--send", "--yes", "people", "people.csv")
        }
        #expect(deaths > 0)
        let server = try coordinator.server()
        for _ in 0..<200 where try !coordinator.people().allSatisfy({ $0["mail"]?.hasPrefix("sent") == true }) {
            try await Task.sleep(for: .milliseconds(100))
        }
        let people = try coordinator.people()
        #expect(people.count == 15 && Set(people.map { $0["label"] }).count == 15)
        #expect(people.allSatisfy { $0["mail"]?.hasPrefix("sent") == true }, "\(people)")
        // At least once each, and always the same.
        let links = Dictionary(grouping: try host.mails, by: { $0.to[0] }).mapValues { Set($0.map(\.link)) }
        #expect(links.count == 15 && links.values.allSatisfy { $0.count == 1 })
        let enrolled = try coordinator.enrol(try #require(links.values.first?.first))
        #expect(enrolled.code == 0, "\(enrolled.errors)")
        server.stop()
    }

    @Test(
        .onFiles,
        arguments: [
            ("pwrite", "outbox.sqlite-wal", ENOSPC), ("sync", "outbox.sqlite-wal", EIO),
            ("pwrite", "mail-keys", ENOSPC),
            ("pwrite", "coordinator.sqlite-wal", ENOSPC),
        ])
    func nobodyIsInvitedWhenTheDiskIsFull(call: String, path: String, error: Int32) throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(in: coordinator.folder)
        try coordinator.setUp(host)
        let run = try coordinator.invite(
            ["ada", "bo"],
            faults: ["FAULT_CALL": call, "FAULT_PATH": path, "FAULT_AT": "1", "FAULT_ACTION": "\(error)"])
        #expect(run.code == 1 && run.errors.contains("error:") && run.errors.contains("hint:"), "\(run.errors)")
        #expect(try host.mails.isEmpty && coordinator.people().isEmpty)
        #expect(try coordinator.invite(["ada", "bo"]).code == 0)
        #expect(try host.mails.count == 2)
    }

    @Test func twoInvitationsAtOnce() throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(in: coordinator.folder)
        try coordinator.setUp(host)
        try coordinator.list((0..<40).map { "p\($0)" }, file: "same.csv")
        try coordinator.list((0..<40).map { "q\($0)" }, file: "other.csv")
        let server = try coordinator.server()
        let runs = try ["same.csv", "same.csv", "other.csv"].map { file in
            try Running(
                "petition-coordinator", ["invite", "--send", "--yes", "people", file], in: coordinator.folder,
                passphrase: "")
        }
        let codes = runs.map { $0.end() }
        #expect(codes[2] == 0 && Set([codes[0], codes[1]]) == [0, 1], "\(runs.map(\.said))")
        for _ in 0..<100 where try host.mails.count < 80 { usleep(100_000) }
        let mails = try host.mails
        #expect(Set(mails.map { $0.to[0] }).count == 80 && Set(mails.map(\.link)).count == 80)
        #expect(try coordinator.people().count == 80)
        server.stop()
    }

    /// Nothing in a list becomes a header, a command or a text of a mail.
    @Test func noFieldOfTheListGetsIntoAMail() throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(in: coordinator.folder)
        try coordinator.setUp(host)
        for address in [
            "\"ada@example.org\r\nRCPT TO:<eve@example.org>\"", "\"ada@example.org\nBcc: eve@example.org\"",
            "ada@example.org>", "\"ada@example.org, eve@example.org\"", "<ada@example.org>",
            "\"\"\"ada\"\"@example.org\"", "ada(eve@x.org)@example.org", "ada@[127.0.0.1]", "ada", "jürgen@example.org",
            "-oQ/tmp@", "ada@example", "ada@example.org%0d%0aRCPT",
        ] {
            try coordinator.scratch.write("name,email\nAda,\(address)\n", to: "people.csv")
            let run = try coordinator.run("invite", "--send", "--yes", "people", "people.csv")
            #expect(
                run.code == 1 && run.errors.contains("line 2") && run.errors.contains("hint:"),
                "\(address): \(run.errors)")
        }
        try coordinator.scratch.write(
            "name,email,\"note\r\nBcc: x\"\n\"Ada\r\nBcc: eve@example.org\",ada@example.org,\"{{link}}\r\n.\r\nRSET\"\n",
            to: "people.csv")
        let run = try coordinator.run("invite", "--send", "--yes", "people", "people.csv")
        #expect(run.code == 0, "\(run.errors)")
        let mails = try host.mails
        #expect(mails.count == 1 && mails[0].to == ["ada@example.org"])
        #expect(!mails[0].text.contains("eve@") && !mails[0].text.contains("Bcc") && !mails[0].text.contains("RSET"))
    }

    @Test func thePersonIsNotInvitedTwice() throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(in: coordinator.folder)
        try coordinator.setUp(host)
        func invite(_ text: String, _ options: String...) throws -> Run {
            try coordinator.scratch.write(text, to: "people.csv")
            return try Programs.run(
                "petition-coordinator", ["invite", "--send", "--yes"] + options + ["people", "people.csv"],
                in: coordinator.folder)
        }
        // Two spellings of one domain.
        let twice = try invite("name,email\nAda,ada@bücher.example\nBo,ada@xn--bcher-kva.example\n")
        #expect(twice.code == 1 && twice.errors.contains("line 3") && twice.errors.contains("line 2 too"))
        #expect(try invite("name,email\nAda,ada@bücher.example\n").code == 0)
        #expect(try invite("name,email\nBo,ADA@BÜCHER.example\n").code == 1)
        #expect(try invite("name,other\nBo,bo@example.org\n").code == 0)
        let missing = try invite("name,email\nCleo,\n")
        #expect(missing.code == 1 && missing.errors.contains("line 2 has no address"))
        let column = try invite("name,number\nCleo,7\n")
        #expect(column.code == 1 && column.errors.contains("--address"))
        // A label of one column, which then names people.
        #expect(try invite("name,email,member\nCleo,cleo@example.org,4711\n", "--label", "member").code == 0)
        #expect(try coordinator.people().contains { $0["label"] == "4711" && $0["address"] == "cleo@example.org" })
        #expect(try invite("id,email\n1,x@example.org\n1,y@example.org\n", "--label", "id").code == 1)
        #expect(try host.mails.count == 3)
    }

    @Test func aDryRunDoesNothing() throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(in: coordinator.folder)
        try coordinator.list(["ada"])
        let early = try coordinator.run("invite", "--send", "--dry-run", "people", "people.csv")
        #expect(early.code == 1 && early.errors.contains("mail setup"))
        try coordinator.setUp(host)
        let run = try coordinator.run("invite", "--send", "--dry-run", "people", "people.csv")
        #expect(run.code == 0 && run.output.contains("/rolls/people#") && run.output.contains("Nothing was done"))
        #expect(try coordinator.people().isEmpty && host.mails.isEmpty)
    }

    @Test func templatesAreCheckedBeforeAnybodyIsInvited() throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(in: coordinator.folder)
        try coordinator.setUp(host)
        try coordinator.list(["ada"])
        func invite(_ text: String) throws -> Run {
            try coordinator.scratch.write(text, to: "text")
            return try coordinator.run("invite", "--send", "--yes", "--template", "text", "people", "people.csv")
        }
        for (text, words) in [
            ("Hello {{link}}", "Subject"), ("Subject: x\n\n{{code}}\n", "{{link}}"),
            ("Subject: x\n\n{{link}}\n", "{{code}}"),
            ("Subject: x\n\nOpen {{link}} now\n{{code}}\n", "line 3"), ("Subject: x\n\n{{name}}\n", "line 3"),
            ("Subject: x\r\rBcc: eve@example.org\n\n{{link}}\n{{code}}\n", "line 1"),
        ] {
            let run = try invite(text)
            #expect(run.code == 1 && run.errors.contains(words) && run.errors.contains("hint:"), "\(run.errors)")
        }
        #expect(try host.mails.isEmpty && coordinator.people().isEmpty)
        let built = try coordinator.run("mail", "template", "--language", "de").output
        #expect(built.hasPrefix("Subject: Ihre Einladung"))
        #expect(try invite(built.replacing("Sie", with: "Du")).code == 0)
        let mail = try #require(try host.mails.first)
        #expect(
            mail.link.hasPrefix(coordinator.url) && mail.text.contains("Content-Transfer-Encoding: quoted-printable"))
    }

    @Test func sendingAgain() throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(in: coordinator.folder)
        try coordinator.setUp(host)
        _ = try coordinator.invite(["ada", "bo", "never", "cleo"])
        let first = Dictionary(uniqueKeysWithValues: try host.mails.map { ($0.to[0], $0.link) })
        let server = try coordinator.server()
        #expect(try coordinator.enrol(first["cleo@example.org"] ?? "").code == 0)
        server.stop()
        func resend(_ arguments: String..., faults: [String: String] = [:]) throws -> Run {
            try Programs.run(
                "petition-coordinator", ["mail", "resend", "--yes", "people"] + arguments, in: coordinator.folder,
                environment: Programs.faults(faults))
        }
        // The same code again.
        #expect(try resend("ada Ahr, ada@example.org").code == 0)
        #expect(try host.mails.last?.link == first["ada@example.org"])
        // Another address: another code, and the first is void.
        let moved = try resend("bo Ahr, bo@example.org", "--to", "bo@example.net")
        #expect(moved.code == 0 && moved.errors.contains("1 person gets a new code"))
        let new = try #require(try host.mails.last)
        #expect(new.to == ["bo@example.net"] && new.link != first["bo@example.org"])
        let again = try coordinator.server()
        #expect(try coordinator.enrol(first["bo@example.org"] ?? "").code == 1)
        #expect(try coordinator.enrol(new.link).code == 0)
        again.stop()
        // Whoever enrolled, and whoever is not there.
        for label in ["cleo Ahr, cleo@example.org", "nobody"] {
            let run = try resend(label)
            #expect(run.code == 1 && run.errors.contains("no unused code has the label"), "\(run.errors)")
        }
        // The failed one, at another address.
        #expect(try resend("never Ahr, never@example.org", "--to", "found@example.org").code == 0)
        // A week later the code can no longer be made.
        let unused = try resend("--unused", "--older-than", "7d", faults: ["FAULT_CLOCK": "\(9 * 86_400)"])
        #expect(
            unused.code == 0 && unused.errors.contains("2 people get a new code"), "\(unused.errors)\(unused.output)")
        let last = try host.mails.suffix(2)
        #expect(Set(last.map { $0.to[0] }) == ["ada@example.org", "found@example.org"])
        #expect(last.allSatisfy { mail in !first.values.contains(mail.link) })
        #expect(try coordinator.people("--voided").count == 4)
        #expect(try coordinator.expect("fsck").contains("All is well"))
    }

    @Test func bouncesAreMarksAndVoidNothing() throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(in: coordinator.folder)
        try coordinator.setUp(host, "--bounce", "back@town.example")
        _ = try coordinator.invite(["ada", "bo", "cleo"])
        let mails = try host.mails
        let paths = Dictionary(uniqueKeysWithValues: mails.map { ($0.to[0], $0.from) })
        func bounce(_ person: String, action: String = "failed") -> String {
            """
            Return-Path: <>
            From: MAILER-DAEMON@mx.example
            To: \(paths["\(person)@example.org"] ?? "")
            Content-Type: multipart/report; report-type=delivery-status; boundary=b

            --b
            Content-Type: message/delivery-status

            Action: \(action)
            Status: 5.1.1
            Diagnostic-Code: smtp; 550 no such user

            --b--
            """
        }
        for folder in ["new", "cur", "tmp"] {
            try FileManager.default.createDirectory(
                atPath: coordinator.scratch.path("Maildir/\(folder)"), withIntermediateDirectories: true)
        }
        try coordinator.scratch.write(bounce("ada"), to: "Maildir/new/1")
        try coordinator.scratch.write(bounce("bo", action: "delayed"), to: "Maildir/new/2")
        try coordinator.scratch.write("From: bo@example.org\nTo: invite@town.example\n\nThank you", to: "Maildir/new/3")
        try coordinator.scratch.write(String(repeating: "x", count: 5 << 20), to: "Maildir/new/4")
        let read = try coordinator.expect("mail", "bounce", "--maildir", "Maildir")
        #expect(read.contains("1 mail came back") && read.contains("2 other messages"), "\(read)")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: coordinator.scratch.path("Maildir/new")).sorted() == [
                "3", "4",
            ])
        #expect(try coordinator.people("--bounced").map { $0["label"] } == ["ada Ahr, ada@example.org"])
        #expect(try coordinator.mail(of: "ada").hasPrefix("bounced: 5.1.1"))
        // The code is still good: a bounce can be forged. The organiser decides.
        #expect(try coordinator.people("--unused").count == 3)
        let asked = try coordinator.run("void", "people", "--bounced")
        #expect(asked.code == 2 && asked.errors.contains("1 unused code whose mail came back"), "\(asked.errors)")
        #expect(try coordinator.expect("void", "--yes", "people", "--bounced").contains("ada Ahr"))
        #expect(try coordinator.people("--unused").count == 2)
        let unrelated = try Programs.run(
            "petition-coordinator", ["mail", "bounce"], in: coordinator.folder, passphrase: "Hello")
        #expect(unrelated.code == 1 && unrelated.output.contains("No bounce"))
        let csv = try coordinator.expect("people", "--csv", "people")
        #expect(csv.hasPrefix("state,mail,address,label\n") && csv.contains("voided,bounced: 5.1.1"))
    }

    /// RFC 8058: one POST with one field. What a scanner sends changes nothing, and the code stays good.
    @Test func whoeverWantsNoMoreMailGetsNone() async throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(in: coordinator.folder)
        try coordinator.setUp(host)
        _ = try coordinator.invite(["ada"])
        let server = try coordinator.server()
        let mail = try #require(try host.mails.first)
        let stop = try #require(mail.header("List-Unsubscribe")?.dropFirst().dropLast()).description
        func post(_ body: String, _ url: String, type: String = "application/x-www-form-urlencoded") async throws -> Int
        {
            try await HTTP.post(url, Data(body.utf8), type: type).status
        }
        for method in ["GET", "HEAD", "PUT", "DELETE"] {
            _ = try await HTTP.send(method, stop, body: nil, headers: ["accept": "text/html"])
        }
        for body in [
            "", "List-Unsubscribe", "url=\(mail.link)", "List-Unsubscribe=One-Clicks", "x=List-Unsubscribe=One-Click",
        ] {
            #expect(try await post(body, stop) == 400)
        }
        #expect(try await post(String(repeating: "x", count: 1 << 20), stop) == 413)
        #expect(try coordinator.mail(of: "ada").hasSuffix("Z"))
        let page = try await HTTP.get(stop, headers: ["accept": "text/html", "accept-language": "de"])
        #expect(
            page.status == 200 && String(decoding: page.body, as: UTF8.self).contains("Keine Nachrichten mehr an mich"))
        #expect(page.headers["content-security-policy"]?.contains("form-action 'self'") == true)
        let other = stop.dropLast(32) + String(repeating: "0", count: 32)
        #expect(try await post("List-Unsubscribe=One-Click", String(other)) == 404)
        #expect(try await post("List-Unsubscribe=One-Click", stop) == 200)
        #expect(try coordinator.mail(of: "ada").hasSuffix("wants no more"))
        let resent = try coordinator.run("mail", "resend", "--yes", "people", "ada Ahr, ada@example.org")
        #expect(resent.code == 0 && resent.errors.contains("wants no more mail") && resent.output.contains("Nobody"))
        try coordinator.expect("roll", "create", "--name", "Others", "others")
        let invited = try coordinator.run("invite", "--send", "--yes", "others", "people.csv")
        #expect(invited.code == 1 && invited.errors.contains("wants no more mail"))
        // As mail programs send it, too; and back.
        let form = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n"
        #expect(try await post("List-Unsubscribe=Undo", stop) == 200)
        #expect(try coordinator.mail(of: "ada").hasSuffix("Z"))
        #expect(try await post(form, stop, type: "multipart/form-data; boundary=b") == 200)
        #expect(try coordinator.mail(of: "ada").hasSuffix("wants no more"))
        #expect(try host.mails.count == 1)
        #expect(try coordinator.enrol(mail.link).code == 0)
        server.stop()
    }

    /// What is forgotten is in no file of the folder, also while the server runs.
    @Test func aForgottenRollNamesNobody() throws {
        let coordinator = try MailingCoordinator()
        let host = try MailHost(in: coordinator.folder)
        try coordinator.setUp(host)
        let server = try coordinator.server()
        _ = try coordinator.invite((0..<50).map { "forgotten\($0)" })
        #expect(try coordinator.expect("status").contains("50 labels, 50 mails with addresses"))
        let asked = try coordinator.run("roll", "forget", "people")
        #expect(asked.code == 2 && asked.errors.contains("50 labels") && asked.errors.contains("50 codes are unused"))
        try coordinator.expect("roll", "forget", "--yes", "people")
        #expect(try coordinator.expect("status").contains("people         forgotten"))
        let folder = coordinator.scratch.path("coordinator")
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
            let bytes = FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data()
            #expect(bytes.firstRange(of: Data("forgotten1".utf8)) == nil, "\(name)")
        }
        // Whoever is invited now may have a code already.
        let again = try coordinator.invite(["new"])
        #expect(again.code == 1 && again.errors.contains("forgotten"))
        try coordinator.list(["new"])
        #expect(try coordinator.run("invite", "--yes", "people", "people.csv", "letters.csv").code == 1)
        // The mails' links are as good as before.
        #expect(try coordinator.enrol(try #require(try host.mails.first).link).code == 0)
        #expect(try coordinator.expect("fsck").contains("All is well"))
        server.stop()
    }
}
