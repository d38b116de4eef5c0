import Documents
import Foundation
import GRDB
import Testing

/// Open petitions, with the real programs and a real mail server, from the form to the verified count.
@Suite(.serialized, .withinTheRun) struct OpenPetitionTests {
    /// Moves the clock on, a bit at a time, until all have said this.
    private func wait(_ town: OpenTown, _ people: [Running], for words: String, step: Int = 60) async throws {
        for _ in 0..<600 {
            if people.allSatisfy({ $0.said.contains(words) }) { return }
            try await town.advance(people, by: step)
        }
        for person in people where !person.said.contains(words) { Issue.record("\(words): \(person.said)") }
        try #require(Bool(false))
    }

    @Test func everybodySupportsFromTheirMail() async throws {
        let town = try OpenTown()
        try town.openPetition()
        try await town.ask((0..<6).map { "p\($0)@place\($0).example" })
        let mails = try await town.mails(6)
        #expect(mails.count == 6 && Set(mails.map(\.link)).count == 6)
        // Nothing of this is in the log, and what is asked for is not kept.
        #expect(try await town.enrolmentSize() == 0)
        let people = try mails.enumerated().map { try town.support($1.link, wallet: "wallet-\($0)") }
        for person in people { #expect(await person.hears("Enrolled in \"Everybody\""), "\(person.said)") }
        try await wait(town, people, for: "Joined \"Everybody\"")
        try await wait(town, people, for: "Signed and counted")
        for person in people { #expect(person.end() == 0, "\(person.said)") }
        let copy = try town.run("petition-verifier", "fetch", town.petition, "copy")
        #expect(copy.code == 0, "\(copy.errors)")
        let verified = try town.run("petition-verifier", "verify", "copy")
        #expect(verified.code == 0, "\(verified.output)\(verified.errors)")
        #expect(verified.output.contains("  by e-mail  6, 0 withdrawn; one person may have several mailboxes\n6 sign"))
        #expect(verified.output.contains("people admitted by e-mail: one place for each mailbox"))
        #expect(verified.output.contains("admits mailboxes, not people"))
        let report = try town.run("petition-verifier", "verify", "--report", "report.html", "copy")
        let html = try String(contentsOf: town.folder.appending(path: "report.html"), encoding: .utf8)
        #expect(report.code == 0 && html.contains("by e-mail 6, one person may have several mailboxes"))
        let page = try await HTTP.get(town.petition + "?lang=de", headers: ["accept": "text/html"])
        #expect(
            String(decoding: page.body, as: UTF8.self).contains("per E-Mail <b data-show=\"admission-email\">6</b>"))
        #expect(try town.wallet("wallet-0").output.contains("people admitted by e-mail"))
    }

    @Test func theLogIsPublishedInSteps() async throws {
        let town = try OpenTown()
        try town.openPetition()
        // From the beginning of a step.
        try town.pass(600 - Int(Date().timeIntervalSince1970) % 600)
        try await town.ask((0..<5).map { "p\($0)@place\($0).example" })
        let mails = try await town.mails(5)
        let people = try mails.enumerated().map { try town.support($1.link, wallet: "wallet-\($0)") }
        for person in people { #expect(await person.hears("Enrolled in"), "\(person.said)") }
        // Whoever looks now sees nothing of it, neither in the log nor elsewhere.
        let roll = try await town.roll()
        #expect(try await town.enrolmentSize() == 0)
        #expect(try await HTTP.get("\(roll.url)/enrolment/tile/entries/000.p/10").status == 404)
        let round = try await HTTP.get("\(roll.url)/round").body
        #expect(String(decoding: round, as: UTF8.self).contains("\"issued\":0,\"next\":{\"missing\":4}"))
        try town.pass(600)
        for _ in 0..<50 where try await town.enrolmentSize() == 0 { try await Task.sleep(for: .milliseconds(100)) }
        // Each code is invited and issued in one step.
        #expect(try await town.enrolmentSize() == 10)
        let entries = try await HTTP.get("\(roll.url)/enrolment/tile/entries/000.p/10").body
        #expect(entries.count == 10 * (2 + 33))
        for index in 0..<5 {
            let (first, second) = (entries[index * 70..<index * 70 + 35], entries[index * 70 + 35..<index * 70 + 70])
            #expect(first[first.startIndex + 2] == 1 && second[second.startIndex + 2] == 2)
            #expect(first.suffix(32) == second.suffix(32))
        }
        let later = String(decoding: try await HTTP.get("\(roll.url)/round").body, as: UTF8.self)
        let time = try #require(later.firstMatch(of: /"issued":5,"next":\{"notBefore":"([^"]+)","missing":0\}/)?.1)
        #expect(try #require(UTCTime(String(time))).seconds % 600 == 0)
        let page = try await HTTP.get("\(town.url)/rolls/everybody", headers: ["accept": "text/html"])
        #expect(String(decoding: page.body, as: UTF8.self).contains("In this round, 5 enrolled and wait."))
    }

    @Test func theAnswerIsTheSameForEveryMailbox() async throws {
        let town = try OpenTown()
        let form = try await town.form()
        // Too fast, and too late.
        try town.pass(-600)
        #expect(try await town.post("ada@place.example", form: form).status == 400)
        try town.pass(603)
        let unknown = try await town.post("ada@place.example", form: form)
        #expect(unknown.status == 202)
        let mail = try #require(try await town.mails(1).first)
        let stop = try #require(mail.lines.last { $0.contains("/stop/") })
        let enrolled = try Programs.run(
            "petition-signer", ["enrol", "--wallet", "w", "--passphrase-fd", "0", mail.link], in: town.folder,
            passphrase: "a passphrase", environment: town.faults)
        #expect(enrolled.code == 0, "\(enrolled.errors)")
        var answers = [unknown]
        for address in ["ada@place.example", "Ada+x@place.example", "never@place.example"] {
            answers.append(try await town.post(address, form: form))
        }
        _ = try await HTTP.post(
            stop, Data("List-Unsubscribe=One-Click".utf8), type: "application/x-www-form-urlencoded")
        answers.append(try await town.post("ada@place.example", form: form))
        for answer in answers {
            #expect(
                answer.status == 202 && answer.body == unknown.body, "\(String(decoding: answer.body, as: UTF8.self))")
            #expect(answer.headers.filter { $0.key != "date" } == unknown.headers.filter { $0.key != "date" })
        }
        let roll = try await town.roll()
        for address in ["ada@place.example", "other@place.example"] {
            let answer = try await HTTP.post("\(roll.url)/request", Data("{\"address\":\"\(address)\"}".utf8))
            #expect(answer.status == 202 && String(decoding: answer.body, as: UTF8.self) == "{\"hours\":0}")
        }
        try town.pass(3600)
        #expect(try await town.post("late@place.example", form: form).status == 400)
    }

    @Test func whoHasAPlaceAlreadyIsToldByMailOnly() async throws {
        let town = try OpenTown()
        try await town.ask(["ada@place.example"])
        let link = try #require(try await town.mails(1).first?.link)
        let enrolled = try Programs.run(
            "petition-signer", ["enrol", "--wallet", "w", "--passphrase-fd", "0", link], in: town.folder,
            passphrase: "a passphrase", environment: town.faults)
        #expect(enrolled.code == 0 && enrolled.errors.contains("by e-mail: one place for each mailbox"))
        try town.pass(700)
        try await town.ask(["ADA+again@place.example"])
        let second = try await town.mails(2)[1]
        #expect(second.text.contains("Your place is taken already") && second.link.isEmpty)
        // The same link again is the same wallet's, and nobody else's.
        let other = try Programs.run(
            "petition-signer", ["enrol", "--wallet", "v", "--passphrase-fd", "0", link], in: town.folder,
            passphrase: "a passphrase", environment: town.faults)
        #expect(other.code == 1 && other.errors.contains("used already"), "\(other.errors)")
    }

    @Test func scannersThatOpenEveryLinkUseNothingUp() async throws {
        let town = try OpenTown()
        try await town.ask(["ada@place.example"])
        let mail = try #require(try await town.mails(1).first)
        for line in mail.lines where line.hasPrefix("http") {
            let target = line.split(separator: "#")[0]
            for accept in ["text/html", "*/*"] {
                #expect(try await HTTP.get(String(target), headers: ["accept": accept]).status == 200, "\(target)")
                _ = try await HTTP.send("HEAD", String(target), body: nil, headers: ["accept": accept])
            }
        }
        #expect(try await town.enrolmentSize() == 0)
        // Neither was further mail stopped.
        try town.pass(700)
        try await town.ask(["ada@place.example"])
        #expect(try await town.mails(2)[1].link == mail.link)
        let enrolled = try Programs.run(
            "petition-signer", ["enrol", "--wallet", "w", "--passphrase-fd", "0", mail.link], in: town.folder,
            passphrase: "a passphrase", environment: town.faults)
        #expect(enrolled.code == 0, "\(enrolled.errors)")
    }

    @Test func onlyDomainsOfTheRollAreAdmitted() async throws {
        let town = try OpenTown(domains: ["union.example", "bücher.example"])
        let roll = try await town.roll()
        func ask(_ address: String) async throws -> (Int, String?) {
            let body = try JSONSerialization.data(withJSONObject: ["address": address])
            let answer = try await HTTP.post("\(roll.url)/request", body)
            return (answer.status, answer.rule)
        }
        for address in ["a@union.example", "b@UNION.example", "c@bücher.example", "d@xn--bcher-kva.example"] {
            #expect(try await ask(address) == (202, nil), "\(address)")
        }
        let others = [
            "a@mail.union.example", "a@union.example.evil.example", "a@unіon.example", "a@un1on.example",
            "a@bucher.example", "a@union.examp1e",
        ]
        for address in others { #expect(try await ask(address) == (403, "domain-not-admitted"), "\(address)") }
        let tricks = [
            "a@union.example\r\nBcc: x@evil.example", "a@union.example,b@evil.example", "<a@union.example>",
            "\"a b\"@union.example", "a@evil.example@union.example", "a%evil.example@union.example\n", "@union.example",
            "a@[127.0.0.1]", "a@union.example\0", "",
        ]
        for address in tricks { #expect(try await ask(address).0 == 400, "\(address)") }
        #expect(try await town.mails(4).count == 4)
        let page = try await HTTP.get("\(town.url)/rolls/everybody", headers: ["accept": "text/html"])
        #expect(
            String(decoding: page.body, as: UTF8.self).contains("one place for each mailbox at union.example, xn--"))
        let form = try await town.form()
        try town.pass(3)
        let refused = try await town.post("a@other.example", form: form, lang: "fr")
        #expect(refused.status == 403)
        #expect(String(decoding: refused.body, as: UTF8.self).contains("chez union.example"))
    }

    @Test func formsOfOtherPagesAreRefused() async throws {
        let town = try OpenTown()
        let form = try await town.form()
        try town.pass(3)
        for headers in [
            ["sec-fetch-site": "cross-site"], ["sec-fetch-site": "same-site"], ["origin": "https://evil.example"],
        ] {
            #expect(try await town.post("a@place.example", form: form, headers: headers).status == 400)
        }
        for token in ["", "1", "1.2", form.token + "0", "0." + (form.token.split(separator: ".").last ?? "")] {
            #expect(try await town.post("a@place.example", form: (String(token), form.action)).status == 400)
        }
        for headers in [["sec-fetch-site": "same-origin", "origin": "null"], ["origin": town.url]] {
            #expect(try await town.post("a@place.example", form: form, headers: headers).status == 202)
        }
        let bad = try await town.post("no address", form: form)
        #expect(bad.status == 400 && String(decoding: bad.body, as: UTF8.self).contains("value=\"no address\""))
        let script = try await town.post("\"><script>@x", form: form)
        #expect(script.status == 400 && !String(decoding: script.body, as: UTF8.self).contains("<script>@"))
    }

    @Test func askingIsPausedAndClosed() async throws {
        let town = try OpenTown()
        let roll = try await town.roll()
        func ask(_ address: String) async throws -> (Int, String?) {
            let answer = try await HTTP.post("\(roll.url)/request", Data("{\"address\":\"\(address)\"}".utf8))
            return (answer.status, answer.rule)
        }
        #expect(try await ask("planted.person@rare-domain.example") == (202, nil))
        let link = try #require(try await town.mails(1).first?.link)
        try town.expect("enrolment", "pause", "everybody")
        #expect(try await ask("b@place.example") == (503, "enrolment-paused"))
        let paused = try await HTTP.get("\(town.url)/rolls/everybody", headers: ["accept": "text/html"])
        #expect(String(decoding: paused.body, as: UTF8.self).contains("Nobody can ask for an invitation just now"))
        try town.expect("enrolment", "open", "everybody")
        #expect(try await ask("b@place.example") == (202, nil))
        let early = try town.run("petition-coordinator", "roll", "forget", "--yes", "everybody")
        #expect(early.code == 1 && early.errors.contains("enrolment close everybody"))
        try town.expect("enrolment", "close", "everybody")
        #expect(try await ask("c@place.example") == (403, "enrolment-closed"))
        // Links stay good until the roll is forgotten.
        let enrolled = try Programs.run(
            "petition-signer", ["enrol", "--wallet", "w", "--passphrase-fd", "0", link], in: town.folder,
            passphrase: "a passphrase", environment: town.faults)
        #expect(enrolled.code == 0, "\(enrolled.errors)")
        let metrics = try await HTTP.get("http://127.0.0.1:\(town.metrics)/metrics").body
        #expect(!String(decoding: metrics, as: UTF8.self).contains("rare-domain"))
        #expect(try town.run("petition-coordinator", "status").output.contains("as keyed hashes: see roll forget"))
        let told = try town.expect("roll", "forget", "--yes", "everybody")
        #expect(told.contains("1 invitation is unused: their links end with this"), "\(told)")
        #expect(try town.run("petition-coordinator", "status").output.contains("people         forgotten"))
        #expect(!town.coordinator.said.contains("rare-domain") && !town.coordinator.said.contains("planted"))
        let folder = town.folder.appending(path: "coordinator").path
        let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        #expect(files.contains("outbox.sqlite") && !files.contains { $0.hasPrefix("mailbox-") })
        for file in files {
            guard let bytes = FileManager.default.contents(atPath: "\(folder)/\(file)") else { continue }
            for planted in ["planted", "rare-domain"] { #expect(bytes.range(of: Data(planted.utf8)) == nil, "\(file)") }
        }
        let again = try town.run("petition-coordinator", "enrolment", "open", "everybody")
        #expect(again.code == 1 && again.errors.contains("forgotten"))
    }

    @Test func aFullQueueDemandsWork() async throws {
        let town = try OpenTown()
        let roll = try await town.roll()
        let body = Data("{\"address\":\"ada@place.example\"}".utf8)
        #expect(try await HTTP.post("\(roll.url)/request", body).status == 202)
        _ = try await town.mails(1)
        // What a flood below the rate that costs nothing leaves in some minutes.
        let queue = try DatabaseQueue(path: town.scratch.path("coordinator/outbox.sqlite"))
        try await queue.write { db in
            try db.execute(
                sql: """
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2600)
                    INSERT INTO request (roll, address, domain, isListed, room, language, at)
                    SELECT 'elsewhere', i || '@f.example', (i % 5) || 'f.example', 0, 2, 'en', ?
                    FROM n
                    """, arguments: [Int64(Date().timeIntervalSince1970) + 600])
        }
        let refused = try await HTTP.post("\(roll.url)/request", Data("{\"address\":\"bo@place.example\"}".utf8))
        #expect(refused.status == 429)
        let demand = try #require(JSONSerialization.jsonObject(with: refused.body) as? [String: Any])
        #expect(demand["workBits"] as? Int == 15, "\(demand)")
        let page = try await HTTP.get("\(town.url)/rolls/everybody", headers: ["accept": "text/html"])
        #expect(String(decoding: page.body, as: UTF8.self).contains("data-bits=\"15\""))
        let asked = try town.run("petition-signer", "ask", "\(town.url)/rolls/everybody", "bo@place.example")
        #expect(asked.code == 0, "\(asked.errors)")
        // Who comes with the work does not wait behind the flood.
        #expect(try await town.mails(2).contains { $0.to == ["bo@place.example"] })
    }

    @Test func whileMailIsPausedNobodyIsPromisedAny() async throws {
        let town = try OpenTown()
        let roll = try await town.roll()
        try town.expect("mail", "pause")
        let refused = try await HTTP.post("\(roll.url)/request", Data("{\"address\":\"ada@place.example\"}".utf8))
        #expect(refused.status == 503 && refused.rule == "enrolment-paused")
        let page = try await HTTP.get("\(town.url)/rolls/everybody", headers: ["accept": "text/html"])
        #expect(String(decoding: page.body, as: UTF8.self).contains("Nobody can ask for an invitation just now"))
        try town.expect("mail", "resume")
        #expect(
            try await HTTP.post("\(roll.url)/request", Data("{\"address\":\"ada@place.example\"}".utf8)).status == 202)
        #expect(try await town.mails(1).count == 1)
    }

    /// Cron beside a server, or by itself: many at once do each step once.
    @Test func stepsOfManyProcessesAreDoneOnce() async throws {
        let town = try OpenTown(crowd: 4)
        try await town.ask((0..<4).map { "p\($0)@place\($0).example" })
        for (number, mail) in try await town.mails(4).enumerated() {
            let enrolled = try Programs.run(
                "petition-signer", ["enrol", "--wallet", "w\(number)", "--passphrase-fd", "0", mail.link],
                in: town.folder, passphrase: "a passphrase", environment: town.faults)
            #expect(enrolled.code == 0, "\(enrolled.errors)")
        }
        town.stopCoordinator()
        try town.pass(1300)
        // It is not known yet whether the clock can be believed.
        let first = try town.run("petition-coordinator", "rounds", "step")
        #expect(first.code == 0 && first.output.contains("waits until the clock was steady for 10m more"), "\(first)")
        try town.clock.move(ahead: town.passed + 601)
        let ahead = try Programs.run(
            "petition-coordinator", ["rounds", "step"], in: town.folder,
            environment: Programs.faults(["FAULT_CLOCK": "\(town.passed + 5000)"]))
        #expect(ahead.output.contains("waits until the clock was steady"), "\(ahead)")
        _ = try town.run("petition-coordinator", "rounds", "step")
        try town.clock.move(ahead: town.passed + 1300)
        let runs = try (0..<8).map { _ in
            try Running(
                "petition-coordinator", ["rounds", "step"], in: town.folder, passphrase: "", environment: town.faults)
        }
        let codes = runs.map { $0.end() }
        #expect(codes.allSatisfy { $0 == 0 }, "\(runs.map(\.said))")
        #expect(runs.count { $0.said.contains("everybody: joining opened in round 0, in which 4 enrolled") } == 1)
        #expect(runs.count { $0.said.contains("Nothing is due.") } == 7, "\(runs.map(\.said))")
        let status = try town.run("petition-coordinator", "status").output
        #expect(status.contains("4 mailboxes as keyed hashes") && status.contains("joining open, at least until"))
    }

    @Test func rollsByAListAndByMailStayApart() throws {
        let town = try OpenTown()
        try town.scratch.write("name,email\nAda,ada@place.example\n", to: "people.csv")
        let invited = try town.run("petition-coordinator", "invite", "--yes", "everybody", "people.csv", "letters.csv")
        #expect(invited.code == 1 && invited.errors.contains("nobody is invited to it by a list"))
        let sent = try town.run("petition-coordinator", "invite", "--send", "--yes", "everybody", "people.csv")
        #expect(sent.code == 1 && sent.errors.contains("nobody is invited to it by a list"))
        try town.expect("roll", "create", "--name", "Crew", "--ring-capacity", "16", "--minimum-ring", "4", "crew")
        let asked = try town.run("petition-coordinator", "enrolment", "open", "crew")
        #expect(asked.code == 1 && asked.errors.contains("by a list"))
        let domain = try town.run("petition-coordinator", "roll", "create", "--name", "X", "--domain", "x.example", "x")
        #expect(domain.code == 2 && domain.errors.contains("--by-email"))
        // One label over both would say what neither is worth.
        try town.scratch.write("Please **act**.\n", to: "statement.md")
        let key = Data(repeating: 1, count: 32).base64EncodedString()
        let made = try town.run(
            "petition-coordinator", "petition", "create", "--dry-run", "--title", "Act", "--statement", "statement.md",
            "--started-by", "Town", "--addressed-to", "X", "--closes", "2099-01-01T00:00:00Z", "--later-rings",
            "--roll",
            "everybody=All", "--roll", "crew=All", "--aggregator", "http://localhost:1=\(key)", "act.petition")
        #expect(made.code == 1 && made.errors.contains("admitted in different ways"), "\(made.errors)")
        let apart = try town.run(
            "petition-coordinator", "petition", "create", "--dry-run", "--title", "Act", "--statement", "statement.md",
            "--started-by", "Town", "--addressed-to", "X", "--closes", "2099-01-01T00:00:00Z", "--later-rings",
            "--roll",
            "everybody", "--roll", "crew", "--aggregator", "http://localhost:1=\(key)", "act.petition")
        #expect(apart.errors.contains("people admitted by e-mail"), "\(apart.errors)\(apart.output)")
        #expect(apart.errors.contains("people admitted by its coordinator's list"))
    }

    @Test func aScriptThatAsksForThousandsGetsLittle() async throws {
        let town = try OpenTown(serve: ["--mails-per-hour", "20"])
        let roll = try await town.roll()
        var statuses: [Int: Int] = [:]
        for block in 0..<8 {
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        let body = Data("{\"address\":\"n\(block)-\(number)@flood\(number).example\"}".utf8)
                        return try await HTTP.post("\(roll.url)/request", body).status
                    }
                }
                for try await status in group { statuses[status, default: 0] += 1 }
            }
        }
        // A few get in without work; then it takes more and more of it.
        #expect(Set(statuses.keys).isSubset(of: [202, 429]) && statuses[429] ?? 0 > 250, "\(statuses)")
        let taken = try #require(statuses[202])
        _ = try await town.mails(min(20, taken))
        try await Task.sleep(for: .seconds(3))
        #expect(try town.host.mails.count == min(20, taken))
        #expect(try await town.enrolmentSize() == 0)
        // A person whose program does the work gets in.
        let asked = try town.run("petition-signer", "ask", "\(town.url)/rolls/everybody", "ada@place.example")
        #expect(asked.code == 0, "\(asked.errors)")
        try town.pass(3601)
        let mails = try await town.mails(min(20, taken) + 1)
        #expect(mails.contains { $0.to == ["ada@place.example"] })
    }
}
