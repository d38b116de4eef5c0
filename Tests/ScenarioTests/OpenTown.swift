import Documents
import Foundation
import Testing

/// An open petition: a coordinator with a roll by e-mail, a mail server, and an aggregator, with a clock that is moved.
final class OpenTown {
    let scratch: Scratch
    let clock: MovedClock
    let host: MailHost
    let url: String
    let aggregatorURL: String
    private(set) var coordinator: Server
    private(set) var aggregator: Server?
    private(set) var petition = ""
    private(set) var passed = 0
    var folder: URL { scratch.url }
    var faults: [String: String] { Programs.faults(["FAULT_TIME": clock.path]) }
    let metrics: Int

    /// Rings have 4 to 16 members, and joining takes two hours. `init` is told with `database` where its database is.
    init(domains: [String] = [], crowd: Int = 6, serve: [String] = [], database: [String] = []) throws {
        scratch = try Scratch()
        clock = try MovedClock(in: scratch, ahead: 0)
        host = try MailHost(in: scratch.url)
        url = "http://localhost:\(try freePort())"
        aggregatorURL = "http://localhost:\(try freePort())"
        metrics = try freePort()
        let (faults, scratch, url) = (Programs.faults(["FAULT_TIME": clock.path]), scratch, url)
        let (address, port) = (host.address, metrics)
        func run(_ arguments: [String]) throws {
            let run = try Programs.run("petition-coordinator", arguments, in: scratch.url, environment: faults)
            try #require(run.code == 0, "\(arguments): \(run.errors)\(run.output)")
        }
        try run(["init", "--name", "Town", "--url", url] + database + ["coordinator"])
        try run(
            [
                "roll", "create", "--name", "Everybody", "--by-email", "--ring-capacity", "16", "--minimum-ring", "4",
                "--joining-time", "2h", "everybody",
            ] + domains.flatMap { ["--domain", $0] })
        try run(["rounds", "set", "everybody", "--crowd", "\(crowd)", "--at-least", "10m", "--at-most", "1h"])
        try run(["mail", "setup", "--from", "Town <invite@town.example>", "--server", address])
        let options = ["--commit-joins-every", "0", "--metrics-listen", "127.0.0.1:\(port)"]
        coordinator = try Server(
            "petition-coordinator", command: ["serve"] + options + serve, environment: faults, in: scratch.url)
    }

    func pass(_ seconds: Int) throws {
        passed += seconds
        try clock.move(ahead: passed)
    }

    /// Moves the clock on a bit, but not while one of `people` does what its moment has come for: a test has hours in
    /// seconds, and nobody must be late because of that.
    func advance(_ people: [Running], by step: Int) async throws {
        let now = Int64(Date().timeIntervalSince1970) + Int64(passed)
        let isBusy = people.contains { person in
            guard person.process.isRunning, let said = person.said.matches(of: /Joining at (\S+Z)\./).last,
                let moment = UTCTime(String(said.1))
            else { return false }
            return moment.seconds <= now && !person.said[said.range.upperBound...].contains("Joined")
        }
        if !isBusy { try pass(step) }
        try await Task.sleep(for: .milliseconds(350))
    }

    @discardableResult
    func expect(_ arguments: String...) throws -> String {
        let run = try Programs.run("petition-coordinator", arguments, in: folder, environment: faults)
        try #require(run.code == 0, "\(arguments): \(run.errors)\(run.output)")
        return run.output + run.errors
    }

    func run(_ program: String, _ arguments: String...) throws -> Run {
        try Programs.run(program, arguments, in: folder, environment: faults)
    }

    func roll() async throws -> RollDescriptor {
        try RollDescriptor(parsing: [UInt8](try await HTTP.get("\(url)/rolls/everybody").body))
    }

    func restart(_ options: [String] = []) throws {
        coordinator.stop()
        coordinator = try Server(
            "petition-coordinator", command: ["serve", "--commit-joins-every", "0"] + options, environment: faults,
            in: folder)
    }

    func stopCoordinator() { coordinator.stop() }

    /// Makes the petition over the roll, in which nobody is yet.
    func openPetition(closes: String = "2099-01-01T00:00:00Z") throws {
        try scratch.write("Please **act**.\n", to: "statement.md")
        let printed = try run("petition-aggregator", "init", "--url", aggregatorURL).output
        let option = printed.split(separator: "--aggregator ").last.map(String.init) ?? ""
        try expect(
            "petition", "create", "--yes", "--title", "Act", "--statement", "statement.md", "--started-by", "Town",
            "--addressed-to", "The council", "--closes", closes, "--roll", "everybody", "--later-rings", "--aggregator",
            option.trimmingCharacters(in: .whitespacesAndNewlines), "act.petition")
        let added = try run("petition-aggregator", "add", "--yes", "act.petition")
        try #require(added.code == 0, "\(added.errors)")
        petition =
            added.output.split(separator: " ").last.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) } ?? ""
        aggregator = try Server(
            "petition-aggregator", command: ["serve", "--publish-every", "0"], environment: faults, in: folder)
    }

    /// The form on the roll's page.
    func form() async throws -> (token: String, action: String) {
        let page = try await HTTP.get("\(url)/rolls/everybody", headers: ["accept": "text/html"])
        let text = String(decoding: page.body, as: UTF8.self)
        let token = try #require(text.firstMatch(of: /name="form" value="([^"]+)"/)?.1, "\(text)")
        let action = try #require(text.firstMatch(of: /method="post" action="([^"]+)"/)?.1)
        return (String(token), url + action)
    }

    /// Sends the form as a browser does.
    func post(
        _ address: String, form: (token: String, action: String), headers: [String: String] = [:], lang: String = "en"
    ) async throws -> HTTP {
        let encoded = address.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        let body = "address=\(encoded)&form=\(form.token)&lang=\(lang)&work="
        return try await HTTP.send(
            "POST", form.action, body: Data(body.utf8),
            headers: ["content-type": "application/x-www-form-urlencoded", "accept": "text/html"].merging(headers) {
                $1
            })
    }

    /// Asks for invitations with a form that was open for some seconds.
    func ask(_ addresses: [String]) async throws {
        for address in addresses {
            let form = try await form()
            try pass(3)
            let answer = try await post(address, form: form)
            try #require(answer.status == 202, "\(String(decoding: answer.body, as: UTF8.self))")
        }
    }

    /// The mails, once there are so many.
    func mails(_ count: Int) async throws -> [MailHost.Mail] {
        for _ in 0..<200 where try host.mails.count < count { try await Task.sleep(for: .milliseconds(100)) }
        return try host.mails
    }

    /// What the servers published of the enrolment log.
    func enrolmentSize() async throws -> Int {
        let roll = try await roll()
        let note = try await HTTP.get("\(roll.url)/enrolment/checkpoint")
        let lines = String(decoding: note.body, as: UTF8.self).split(separator: "\n")
        return try #require(lines.count > 1 ? Int(lines[1]) : nil)
    }

    /// Runs `support` with a person's wallet.
    func support(_ link: String, wallet: String, with more: [String] = []) throws -> Running {
        try person(
            "support", [link, petition], wallet: wallet,
            with: ["--yes", "--minimum-round", "4", "--minimum-ring", "4"] + more)
    }

    /// What a person's wallet has.
    func wallet(_ wallet: String, _ options: String...) throws -> Run {
        try Programs.run(
            "petition-signer", ["wallet", "status", "--wallet", wallet, "--passphrase-fd", "0"] + options, in: folder,
            passphrase: "a passphrase", environment: faults)
    }

    /// Runs `continue`, or another command, with a person's wallet.
    func person(_ command: String, _ arguments: [String] = [], wallet: String, with more: [String] = []) throws
        -> Running
    {
        try Running(
            "petition-signer",
            command.split(separator: " ").map(String.init) + ["--wallet", wallet, "--passphrase-fd", "0"]
                + (command.contains("wallet") ? [] : ["--within", "1s"]) + more + arguments, in: folder,
            passphrase: "a passphrase", environment: faults)
    }
}

extension Running {
    /// Waits at most a minute until the output contains `words`, and lets other tests go on meanwhile.
    func hears(_ words: String) async -> Bool {
        for _ in 0..<600 {
            if said.contains(words) || !process.isRunning { break }
            try? await Task.sleep(for: .milliseconds(100))
        }
        return said.contains(words)
    }
}
