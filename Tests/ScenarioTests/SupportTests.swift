import Documents
import Foundation
import Testing

/// One command for a supporter, that goes on whatever happens to it.
@Suite(.serialized, .withinTheRun) struct SupportTests {
    /// A town with people who have enrolled, so that the person of the test has a round.
    private func town(_ others: Int = 5) async throws -> (town: OpenTown, links: [String]) {
        let town = try OpenTown(crowd: others + 1)
        try town.openPetition()
        let names = (0...others).map { "p\($0)@place\($0).example" }
        try await town.ask(names)
        let mails = try await town.mails(others + 1)
        // In the order in which they asked: mails of one second come in any.
        return (town, try names.map { name in try #require(mails.first { $0.to == [name] }?.link) })
    }

    /// Moves the clock on until something is said; nil if that does not happen.
    private func move(
        _ town: OpenTown, until person: Running, says words: String, beside others: [Running] = [], step: Int = 60
    ) async throws -> Bool {
        for _ in 0..<600 {
            if person.said.contains(words) { return true }
            guard person.process.isRunning else { return person.said.contains(words) }
            try await town.advance(others + [person], by: step)
        }
        return false
    }

    @Test func killedAtEachStepItGoesOn() async throws {
        let (town, links) = try await town()
        let others = try links.dropFirst().enumerated().map { try town.support($1, wallet: "other-\($0)") }
        for other in others { #expect(await other.hears("Enrolled in"), "\(other.said)") }
        // Before anything is sent, and after each thing that it says.
        var person = try town.support(links[0], wallet: "w")
        for words in [
            "Making a new wallet", "Enrolled in", "waiting until joining", "Joining at", "Joined", "signing",
            "Sending at",
        ] {
            let found = try await move(town, until: person, says: words, beside: others)
            // A step may be done already when it was killed right behind it.
            #expect(found || person.said.contains("done"), "\(words): \(person.said)")
            kill(person.process.processIdentifier, SIGKILL)
            person.process.waitUntilExit()
            // Without a wallet nothing was agreed to yet.
            let hasWallet = FileManager.default.fileExists(atPath: town.scratch.path("w"))
            person = hasWallet ? try town.person("continue", wallet: "w") : try town.support(links[0], wallet: "w")
        }
        #expect(try await move(town, until: person, says: "Act: done", beside: others), "\(person.said)")
        #expect(person.end() == 0)
        for other in others {
            #expect(try await move(town, until: other, says: "Signed and counted", beside: others), "\(other.said)")
        }
        let status = try town.wallet("w")
        #expect(status.output.contains("counted as entry") && status.output.contains("Agreed: Act: done."))
        let verified = try town.run("petition-verifier", "verify", "--json", town.petition)
        #expect(verified.code == 0 && verified.output.contains("\"signatures\":6,"), "\(verified.errors)")
    }

    @Test func aCoordinatorThatIsAwayForADayIsWaitedFor() async throws {
        let (town, links) = try await town()
        let people = try links.enumerated().map { try town.support($1, wallet: "w-\($0)") }
        for person in people { #expect(await person.hears("Enrolled in"), "\(person.said)") }
        town.stopCoordinator()
        for _ in 0..<12 {
            try town.pass(7200)
            try await Task.sleep(for: .milliseconds(500))
        }
        for person in people { #expect(person.process.isRunning, "\(person.said)") }
        try town.restart()
        for person in people {
            #expect(try await move(town, until: person, says: "Signed and counted", beside: people), "\(person.said)")
        }
    }

    @Test func aPetitionThatClosesMeanwhileIsToldInWords() async throws {
        let town = try OpenTown()
        try town.openPetition(closes: UTCTime(seconds: UTCTime.now.seconds + 5 * 3600).description)
        try await town.ask(["ada@place.example"])
        let link = try #require(try await town.mails(1).first?.link)
        let person = try town.support(link, wallet: "w")
        #expect(await person.hears("Enrolled in"), "\(person.said)")
        kill(person.process.processIdentifier, SIGKILL)
        person.process.waitUntilExit()
        try town.pass(6 * 3600)
        // Nobody can ask any more whether it should be supported.
        let late = try town.support(link, wallet: "v")
        #expect(late.end() == 1 && late.said.contains("the petition is closed since"), "\(late.said)")
        let again = try town.person("continue", wallet: "w")
        #expect(await again.hears("waiting until joining opens"), "\(again.said)")
        #expect(try town.wallet("w").output.contains("next, the key is handed in"))
        kill(again.process.processIdentifier, SIGKILL)
        again.process.waitUntilExit()
        // Whoever changes their mind takes it back.
        let last = town.petition.hasSuffix("0") ? "1" : "0"
        let other = try town.person("wallet drop", [town.petition.dropLast() + last], wallet: "w", with: ["--yes"])
        #expect(other.end() == 1 && other.said.contains("nothing that was agreed to has this address"))
        let dropped = try town.person("wallet drop", [town.petition], wallet: "w", with: ["--yes"])
        #expect(dropped.end() == 0 && dropped.said.contains("Taken back."), "\(dropped.said)")
        let over = try town.person("continue", wallet: "w")
        #expect(over.end() == 0 && over.said.contains("Nothing was agreed to"), "\(over.said)")
    }

    @Test func whatWasNotSeenIsNotSigned() async throws {
        let (town, links) = try await town()
        // A petition for other people, and one that does not admit who joins later.
        try town.expect("roll", "create", "--name", "Crew", "--ring-capacity", "16", "--minimum-ring", "4", "crew")
        let other = try town.support(
            links[0].replacing("/rolls/everybody#", with: "/rolls/crew#"), wallet: "w")
        #expect(other.end() == 1 && other.said.contains("not for members of \"Crew\""), "\(other.said)")
        let unread = try Programs.run(
            "petition-signer", ["support", "--wallet", "w", "--passphrase-fd", "0", links[0], town.petition],
            in: town.folder, passphrase: "a passphrase", environment: town.faults)
        #expect(unread.code == 2 && unread.errors.contains("Please **act**") && unread.errors.contains("--yes"))
        #expect(!FileManager.default.fileExists(atPath: town.scratch.path("w")))
        #expect(try await town.enrolmentSize() == 0)
    }

    @Test func aSmallRingIsRefused() async throws {
        let (town, links) = try await town()
        let people = try links.enumerated().map { index, link in
            try town.support(link, wallet: "w-\(index)", with: index == 0 ? ["--minimum-ring", "7"] : [])
        }
        for person in people { #expect(await person.hears("Enrolled in"), "\(person.said)") }
        #expect(try await move(town, until: people[0], says: "ended, since", beside: people), "\(people[0].said)")
        #expect(people[0].said.contains("6 members") && people[0].end() == 0, "\(people[0].said)")
        #expect(try await move(town, until: people[1], says: "Signed and counted", beside: people), "\(people[1].said)")
    }

    @Test func aProxyIsNotForgotten() async throws {
        let (town, links) = try await town(0)
        let proxy = try NamesProxy(to: town.url)
        let options = ["--wallet", "w", "--passphrase-fd", "0", "--proxy", "socks5://127.0.0.1:\(proxy.port)"]
        let begun = try Running(
            "petition-signer", ["support", "--yes"] + options + [links[0]], in: town.folder, passphrase: "a passphrase",
            environment: town.faults)
        #expect(await begun.hears("Enrolled in"), "\(begun.said)")
        #expect(begun.said.contains("All of it goes through the proxy."))
        kill(begun.process.processIdentifier, SIGKILL)
        begun.process.waitUntilExit()
        // Each visit to a server is a circuit of its own, for Tor.
        #expect(proxy.visits.count > 3 && Set(proxy.visits.compactMap(\.user)).count == proxy.visits.count)
        let without = try town.person("continue", wallet: "w")
        let words = "you began something with this wallet through a proxy"
        #expect(without.end() == 1 && without.said.contains(words), "\(without.said)")
        // Neither does any other command with this wallet.
        for (command, argument) in [("join", []), ("sign", [town.petition]), ("enrol", [links[0]]), ("ring", [])] {
            let within = command == "ring" ? ["--within", "0s"] : []
            let run = try Programs.run(
                "petition-signer", [command, "--wallet", "w", "--passphrase-fd", "0"] + within + argument,
                in: town.folder, passphrase: "a passphrase", environment: town.faults)
            #expect(run.code == 1 && run.errors.contains(words), "\(command): \(run.errors)")
        }
        let on = try town.person("continue", wallet: "w", with: Array(options.suffix(2)))
        #expect(await on.hears("waiting until joining opens"), "\(on.said)")
    }

    /// Two rolls that join at the same time: who waits for a moment in one is not late in the other.
    @Test func oneWaitDoesNotKeepTheOther() async throws {
        let (town, links) = try await town(3)
        try town.expect(
            "roll", "create", "--name", "Crew", "--ring-capacity", "16", "--minimum-ring", "4", "--joining-time", "2h",
            "crew")
        try town.scratch.write("name\n" + (0..<4).map { "p\($0)\n" }.joined(), to: "people.csv")
        try town.expect("invite", "--yes", "crew", "people.csv", "letters.csv")
        let letters = try String(contentsOfFile: town.scratch.path("letters.csv"), encoding: .utf8)
            .split(separator: "\n").dropFirst().compactMap { $0.split(separator: ",").last.map(String.init) }
        for (wallet, link) in zip(["a", "b", "c"], letters.dropFirst()) {
            let enrolled = try Programs.run(
                "petition-signer", ["enrol", "--wallet", wallet, "--passphrase-fd", "0", link], in: town.folder,
                passphrase: "a passphrase", environment: town.faults)
            #expect(enrolled.code == 0, "\(enrolled.errors)")
        }
        // One wallet has both, beside three people of the open roll.
        let others = try links.dropFirst().enumerated().map { try town.support($1, wallet: "other-\($0)") }
        for other in others { #expect(await other.hears("Enrolled in"), "\(other.said)") }
        let first = try town.person(
            "support", [letters[0]], wallet: "w", with: ["--yes", "--minimum-round", "4", "--minimum-ring", "4"])
        #expect(await first.hears("Enrolled in \"Crew\""), "\(first.said)")
        kill(first.process.processIdentifier, SIGKILL)
        first.process.waitUntilExit()
        let person = try town.support(links[0], wallet: "w")
        // Not right after what it did for the other roll.
        #expect(await person.hears("waiting "), "\(person.said)")
        #expect(!person.said.contains("Enrolled in"), "\(person.said)")
        #expect(try await move(town, until: person, says: "Enrolled in \"Everybody\"", beside: others))
        #expect(try await move(town, until: others[0], says: "Joining at", beside: [person]), "\(others[0].said)")
        try town.expect("joining", "open", "crew")
        for words in ["Joined \"Crew\"", "Joined \"Everybody\""] {
            #expect(try await move(town, until: person, says: words, beside: others), "\(person.said)")
        }
        // Each at its own moment, and both before the time was over: otherwise it would have asked.
        #expect(person.said.matches(of: /Joining at/).count == 2, "\(person.said)")
    }

    @Test func twoThatGoOnWithOneWalletAreOne() async throws {
        let (town, links) = try await town(0)
        let first = try town.support(links[0], wallet: "w")
        #expect(await first.hears("waiting until joining opens"), "\(first.said)")
        let second = try town.person("continue", wallet: "w")
        #expect(second.end() == 0 && second.said.contains("goes on with everything in this wallet"), "\(second.said)")
        // Others may use the wallet meanwhile.
        #expect(try town.wallet("w").output.contains("Go on with: petition-signer continue"))
        let json = try town.wallet("w", "--json")
        let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
        #expect((object?["rolls"] as? [[String: Any]])?.first?["state"] as? String == "enrolled")
    }

    @Test func theTimerStartsWhatItSays() async throws {
        let (town, links) = try await town(0)
        try town.scratch.write("a passphrase\n", to: "pass word's file")
        let open = try Running(
            "petition-signer",
            [
                "support", "--yes", "--wallet", "v", "--passphrase-fd", "0", "--install-timer", "--passphrase-file",
                "pass word's file", links[0], town.petition,
            ], in: town.folder, passphrase: "a passphrase", environment: town.faults)
        #expect(open.end() == 1 && open.said.contains("can be read by others"), "\(open.said)")
        chmod(town.scratch.path("pass word's file"), 0o600)
        let home = town.folder.appending(path: "home of 100%, $5").path
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        let run = try Running(
            "petition-signer",
            [
                "support", "--yes", "--wallet", town.scratch.path("a wallet"), "--passphrase-fd", "0",
                "--install-timer",
                "--passphrase-file", "pass word's file", "--minimum-round", "4", links[0], town.petition,
            ], in: town.folder, passphrase: "a passphrase", environment: town.faults.merging(["HOME": home]) { $1 })
        #expect(await run.hears("Enrolled in"), "\(run.said)")
        #expect(run.said.contains("whoever reads your files can open your wallet"))
        kill(run.process.processIdentifier, SIGKILL)
        run.process.waitUntilExit()
        let folder = home + "/.config/systemd/user/"
        let files = try FileManager.default.contentsOfDirectory(atPath: folder)
        let units = folder + String(try #require(files.first { $0.hasSuffix(".timer") }).dropLast(".timer".count))
        let service = try String(contentsOfFile: units + ".service", encoding: .utf8)
        #expect(service.contains("home of 100%%, $$5/.config") && !service.contains("a passphrase"))
        #expect(try String(contentsOfFile: units + ".timer", encoding: .utf8).contains("OnUnitInactiveSec=1h"))
        // What systemd would start.
        let started = Process()
        started.executableURL = URL(filePath: "/bin/sh")
        started.arguments = [units + ".sh"]
        started.environment = ProcessInfo.processInfo.environment.merging(town.faults) { $1 }
        let out = town.folder.appending(path: "started")
        _ = FileManager.default.createFile(atPath: out.path, contents: nil)
        started.standardOutput = try FileHandle(forWritingTo: out)
        started.standardError = started.standardOutput
        try started.run()
        for _ in 0..<200 where try !String(contentsOf: out, encoding: .utf8).contains("waiting until joining") {
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(try String(contentsOf: out, encoding: .utf8).contains("waiting until joining opens in everybody"))
        kill(started.processIdentifier, SIGKILL)
        started.waitUntilExit()
    }
}
