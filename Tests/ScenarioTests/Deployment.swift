import AsyncHTTPClient
import Documents
import Foundation
import NIOCore
import NIOHTTP1
import Petitions
import Testing
import Witnessing

/// A coordinator, an aggregator and people with wallets, all as real programs on this machine.
///
/// Sendable: a test changes it from one task only.
final class Deployment: @unchecked Sendable {
    let scratch: Scratch
    let coordinatorURL: String
    let aggregatorURL: String
    private(set) var coordinator: Server?
    private(set) var aggregator: Server?
    private(set) var links: [String] = []
    private(set) var petition = ""

    /// Immediate receipts, since most scenarios are not about the time between checkpoints.
    private static let promptly = ["--publish-every", "0"]
    /// Immediate commits of joins, for the same reason.
    private static let atOnce = ["--commit-joins-every", "0"]
    /// Options for a round without waiting: every join is made at once, and confirmed.
    static let joinNow = ["--despite", "short-window", "--minimum-round", "4"]

    /// The roll as returned at its link.
    func roll(_ slug: String = "people") async throws -> RollDescriptor {
        try RollDescriptor(parsing: [UInt8](try await HTTP.get("\(coordinatorURL)/rolls/\(slug)").body))
    }

    /// The id of the petition.
    var id: String { String(petition.split(separator: "/").last ?? "") }
    var folder: URL { scratch.url }

    /// The proxies between people and servers, which may lie; nil without `hasLiars`.
    private(set) var coordinatorLiar: TamperingProxy?
    private(set) var aggregatorLiar: TamperingProxy?
    private let hasLiars: Bool
    /// Where the coordinator shows its metrics; empty with `hasLiars`.
    private(set) var coordinatorMetrics = ""

    /// The witnesses of roll and petition, of which more than half have to cosign.
    private(set) var witnesses: [TestWitness] = []
    /// The clock of servers and witnesses, if it can be moved.
    let clock: MovedClock?
    private var faults: [String: String] { clock.map { ["FAULT_CLOCK": $0.path] } ?? [:] }
    private var witnessOptions: [String] { witnesses.isEmpty ? [] : ["--witness-every", "0.1"] }
    private var policyOptions: [String] { witnesses.isEmpty ? [] : ["--witnesses", "policy"] }

    /// Invites `people` to a roll whose rings have `minimumRing` to 16 members, and starts the coordinator. With
    /// `hasLiars`, every request goes through a ``TamperingProxy``. With `witnesses`, there are so many;
    /// the roll has none of them if `hasPlainRoll`. `init` is told with `database` where the coordinator's is.
    init(
        people: Int, minimumRing: Int = 4, joiningTime: String = "0s", hasLiars: Bool = false, witnesses count: Int = 0,
        hasClock: Bool = false, hasPlainRoll: Bool = false, database: [String] = []
    ) throws {
        scratch = try Scratch()
        clock = hasClock ? try MovedClock(in: scratch, ahead: 0) : nil
        self.hasLiars = hasLiars
        coordinatorURL = "http://localhost:\(try freePort())"
        aggregatorURL = "http://localhost:\(try freePort())"
        try require(
            "petition-coordinator",
            ["init", "--name", "Town", "--url", coordinatorURL] + database + ["coordinator"])
        try startWitnesses(count)
        let create = [
            "roll", "create", "--name", "People", "--ring-capacity", "16", "--minimum-ring", "\(minimumRing)",
            "--joining-time", joiningTime, "people",
        ]
        try require("petition-coordinator", create + (hasPlainRoll ? [] : policyOptions))
        try invite(people)
        if hasLiars {
            let port = try freePort()
            coordinator = try Server(
                "petition-coordinator",
                command: ["serve"] + Self.atOnce + witnessOptions + ["--listen", "127.0.0.1:\(port)"],
                environment: Programs.faults(faults), in: folder)
            coordinatorLiar = try TamperingProxy(publicURL: coordinatorURL, backend: "http://127.0.0.1:\(port)")
        } else {
            let port = try freePort()
            coordinatorMetrics = "http://127.0.0.1:\(port)/metrics"
            coordinator = try Server(
                "petition-coordinator",
                command: ["serve"] + Self.atOnce + witnessOptions + ["--metrics-listen", "127.0.0.1:\(port)"],
                environment: Programs.faults(faults), in: folder)
        }
    }

    private func startWitnesses(_ count: Int) throws {
        guard count > 0 else { return }
        witnesses = try (0..<count).map { try TestWitness("w\($0)", in: scratch) }
        let status = try expect("petition-coordinator", "status")
        let key = try #require(status.firstMatch(of: /Key of all logs +(\S+=)/)?.1)
        for witness in witnesses {
            try #require(try witness.run("trust", String(key), coordinatorURL).code == 0)
            try witness.start(faults: faults)
        }
        let lines = witnesses.enumerated().map { "witness w\($0) \($1.key.vkey) \($1.url)\n" }.joined()
        let names = (0..<count).map { "w\($0)" }.joined(separator: " ")
        try scratch.write("\(lines)group most \(count / 2 + 1) \(names)\nquorum most\n", to: "policy")
    }

    private func require(_ program: String, _ arguments: [String]) throws {
        try require(Programs.run(program, arguments, in: folder), "\(program) \(arguments)")
    }

    @discardableResult
    private func require(_ run: Run, _ what: String) throws -> Run {
        try #require(run.code == 0, "\(what): \(run.errors)\(run.output)")
        return run
    }

    /// Invites more people; their links are appended.
    func invite(_ count: Int) throws {
        let first = links.count
        let names = (first..<first + count).map { "person \($0),p\($0)@example.org" }
        try scratch.write("name,email\n" + names.joined(separator: "\n") + "\n", to: "people-\(first).csv")
        try expect("petition-coordinator", "invite", "--yes", "people", "people-\(first).csv", "letters-\(first).csv")
        let letters = try String(contentsOf: folder.appending(path: "letters-\(first).csv"), encoding: .utf8)
        links += letters.split(separator: "\n").dropFirst().map { String($0.split(separator: ",").last ?? "") }
    }

    /// Runs a program that must succeed, and returns what it printed.
    @discardableResult
    func expect(_ program: String, _ arguments: String...) throws -> String {
        try require(Programs.run(program, arguments, in: folder), "\(program) \(arguments)").output
    }

    /// Runs a program, whether it succeeds or not.
    func run(_ program: String, _ arguments: String...) throws -> Run {
        try Programs.run(program, arguments, in: folder)
    }

    /// Runs petition-signer with a person's wallet, at another time if `clock` is given (`FAULT_CLOCK`).
    func signer(
        _ person: Int, _ command: String..., with arguments: [String] = [], clock: String? = nil
    ) throws -> Run {
        try signer(person, words: command, with: arguments, clock: clock)
    }

    private func signer(
        _ person: Int, words command: [String], with arguments: [String], clock: String? = nil
    ) throws -> Run {
        try Programs.run(
            "petition-signer", command + ["--wallet", "wallet-\(person)", "--passphrase-fd", "0"] + arguments,
            in: folder,
            passphrase: "passphrase of \(person)",
            environment: Programs.faults(clock.map { ["FAULT_CLOCK": $0] } ?? [:]))
    }

    func expectSigner(_ person: Int, _ command: String..., with arguments: [String] = []) throws {
        let run = try untilWitnessed { try signer(person, words: command, with: arguments) }
        try require(run, "\(command) of \(person)")
    }

    /// Makes everyone in `people` enrol and join, and seals them.
    func seal(_ people: Range<Int>) throws {
        for person in people { try expectSigner(person, "enrol", with: [links[person]]) }
        try expect("petition-coordinator", "joining", "open", "people")
        for person in people {
            try expectSigner(person, "join", with: Self.joinNow)
        }
        try expect("petition-coordinator", "seal", "people")
    }

    /// Creates a petition, at another time if `clock` is given (`FAULT_CLOCK`), and starts the aggregator, which `init`
    /// is told with `database` where to keep its own.
    func petition(
        opens: String = "2020-01-01T00:00:00Z", closes: String = "2099-01-01T00:00:00Z", laterRings: Bool = false,
        clock: String? = nil, database: [String] = []
    ) throws {
        try scratch.write("Please **act**.\n", to: "statement.md")
        let made = try Programs.run("petition-aggregator", ["init", "--url", aggregatorURL] + database, in: folder)
        try #require(made.code == 0, "\(made.errors)")
        let printed = made.output
        let option = printed.split(separator: "--aggregator ").last.map(String.init) ?? ""
        let arguments = [
            "petition", "create", "--yes", "--title", "Act", "--statement", "statement.md", "--started-by", "Town",
            "--addressed-to", "The council", "--opens", opens, "--closes", closes, "--roll", "people", "--aggregator",
            option.trimmingCharacters(in: .whitespacesAndNewlines), "act.petition",
        ]
        let created = try Programs.run(
            "petition-coordinator", arguments + policyOptions + (laterRings ? ["--later-rings"] : []), in: folder,
            environment: Programs.faults(clock.map { ["FAULT_CLOCK": $0] } ?? [:]))
        try #require(created.code == 0, "\(created.errors)")
        let added = try addToAggregator(key: option)
        petition =
            added.split(separator: " ").last.map(String.init)?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
        if hasLiars {
            let port = try freePort()
            aggregator = try Server(
                "petition-aggregator",
                command: ["serve"] + Self.promptly + witnessOptions + ["--listen", "127.0.0.1:\(port)"],
                environment: Programs.faults(faults), in: folder)
            aggregatorLiar = try TamperingProxy(publicURL: aggregatorURL, backend: "http://127.0.0.1:\(port)")
        } else {
            aggregator = try Server(
                "petition-aggregator", command: ["serve"] + Self.promptly + witnessOptions,
                environment: Programs.faults(faults), in: folder)
        }
    }

    private func addToAggregator(key option: String) throws -> String {
        let arguments = ["add", "--yes", "act.petition"]
        guard !witnesses.isEmpty else { return try expect("petition-aggregator", "add", "act.petition") }
        let key = option.trimmingCharacters(in: .whitespacesAndNewlines).split(separator: "=", maxSplits: 1)[1]
        for witness in witnesses {
            try #require(try witness.run("trust", String(key), aggregatorURL).code == 0)
        }
        let run = try untilWitnessed { try Programs.run("petition-aggregator", arguments, in: folder) }
        return try require(run, "add").output
    }

    /// Runs a program again while it cannot decide: servers show nothing before witnesses have seen it.
    private func untilWitnessed(_ body: () throws -> Run) throws -> Run {
        var run = try body()
        for _ in 0..<100 where !witnesses.isEmpty && run.code == 3 {
            usleep(100_000)
            run = try body()
        }
        return run
    }

    func sign(_ person: Int) throws -> Run {
        try signer(person, "sign", with: ["--minimum-ring", "4", "--yes", petition])
    }

    func restartAggregator() throws { aggregator = try Server("petition-aggregator", Self.promptly, in: folder) }
    func restartCoordinator(faults: [String: String] = [:]) throws {
        coordinator = try Server(
            "petition-coordinator", command: ["serve"] + Self.atOnce, environment: Programs.faults(faults), in: folder)
    }

    /// The verifier's JSON report of a copy.
    func verify(_ folder: String) throws -> (code: Int32, report: [String: Any]) {
        let run = try run("petition-verifier", "verify", "--json", folder)
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
        return (run.code, try #require(object as? [String: Any]))
    }
}

/// Sends requests as any client may, and holds the answer.
struct HTTP {
    let status: Int
    let body: Data
    let headers: [String: String]

    static func get(_ url: String, headers: [String: String] = [:]) async throws -> HTTP {
        try await send("GET", url, body: nil, headers: headers)
    }

    static func post(_ url: String, _ body: Data, type: String = "application/json") async throws -> HTTP {
        try await send("POST", url, body: body, headers: ["content-type": type])
    }

    static func send(
        _ method: String, _ url: String, body: Data?, headers: [String: String], seconds: Int64 = 60
    ) async throws -> HTTP {
        var request = HTTPClientRequest(url: url)
        request.method = .RAW(value: method)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(ByteBuffer(bytes: Array(body))) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(seconds))
        let bytes = try await response.body.collect(upTo: 1 << 24)
        let pairs = response.headers.map { ($0.name.lowercased(), $0.value) }
        return HTTP(
            status: Int(response.status.code), body: Data(Array(bytes.readableBytesView)),
            headers: Dictionary(pairs, uniquingKeysWith: { first, _ in first }))
    }

    /// The rule named in a problem document.
    var rule: String? {
        let object = try? JSONSerialization.jsonObject(with: body) as? [String: Any]
        return (object?["type"] as? String)?.replacingOccurrences(of: "urn:roundrobin:error:", with: "")
    }

    var json: [String: Any] { (try? JSONSerialization.jsonObject(with: body) as? [String: Any]) ?? [:] }
}
