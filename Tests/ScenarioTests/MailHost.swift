import Documents
import Foundation
import Testing

/// A real mail server on this machine (`Tests/MailServer`).
final class MailHost {
    /// A mail that it took.
    struct Mail: Decodable {
        let from: String
        let to: [String]
        let text: String

        func header(_ name: String) -> String? {
            text.split(separator: "\r\n", omittingEmptySubsequences: false).prefix { !$0.isEmpty }
                .first { $0.hasPrefix("\(name): ") }.map { String($0.dropFirst(name.count + 2)) }
        }

        /// The lines of the text.
        var lines: [String] {
            text.split(separator: "\r\n", omittingEmptySubsequences: false).drop { !$0.isEmpty }.dropFirst()
                .map(String.init)
        }

        /// The link of the invitation, as a person sees it.
        var link: String { lines.first { $0.contains("/rolls/") && $0.contains("#") } ?? "" }
    }

    private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let python = repository.appending(path: ".build/mail/bin/python")

    let port: Int
    let folder: URL
    private let process = Process()

    /// Starts a server that keeps its mails in a folder of `scratch`, with options of its own.
    init(_ options: [String] = [], in scratch: URL) throws {
        port = try freePort()
        folder = scratch.appending(path: "mails-\(port)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let log = folder.appending(path: "log")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        process.executableURL = Self.python
        process.arguments =
            [Self.repository.appending(path: "Tests/MailServer/mail_server.py").path, "\(port)", folder.path] + options
        process.standardOutput = try FileHandle(forWritingTo: log)
        process.standardError = process.standardOutput
        try process.run()
        for _ in 0..<600 {
            if try String(contentsOf: log, encoding: .utf8).contains("Serving") { return }
            guard process.isRunning else { break }
            usleep(50_000)
        }
        throw Server.Problem.didNotStart(try String(contentsOf: log, encoding: .utf8))
    }

    var address: String { "smtp://localhost:\(port)" }

    /// The mails in the order in which they came.
    var mails: [Mail] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }.sorted()
                .map { try JSONDecoder().decode(Mail.self, from: Data(contentsOf: folder.appending(path: $0))) }
        }
    }

    /// How many connections there were.
    var connections: Int {
        let text = try? String(contentsOf: folder.appending(path: "connections"), encoding: .utf8)
        return text?.split(separator: "\n").count ?? 0
    }

    func stop() {
        guard process.isRunning else { return }
        // It inherits which signals this thread blocks.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    deinit { stop() }

    /// A certificate for this name, and its key, in files of `scratch`.
    static func certificate(for name: String, in scratch: URL) throws -> (certificate: String, key: String) {
        let (certificate, key) = (scratch.appending(path: "\(name).pem"), scratch.appending(path: "\(name).key"))
        let openssl = Process()
        openssl.executableURL = URL(filePath: "/usr/bin/openssl")
        let subject = name.first?.isNumber == true ? "IP:\(name)" : "DNS:\(name)"
        openssl.arguments = [
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key.path, "-out", certificate.path, "-days",
            "2",
            "-subj", "/CN=\(name)", "-addext", "subjectAltName=\(subject)",
        ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
        try #require(openssl.terminationStatus == 0)
        return (certificate.path, key.path)
    }
}

/// A coordinator with a roll that is invited by mail. No server runs, unless a test starts one.
final class MailingCoordinator {
    let scratch: Scratch
    let url: String
    var folder: URL { scratch.url }

    init() throws {
        scratch = try Scratch()
        url = "http://localhost:\(try freePort())"
        try expect("init", "--name", "Town", "--url", url, "coordinator")
        try expect("roll", "create", "--name", "People", "--ring-capacity", "16", "--minimum-ring", "4", "people")
    }

    @discardableResult
    func expect(_ arguments: String...) throws -> String {
        let run = try Programs.run("petition-coordinator", arguments, in: folder)
        try #require(run.code == 0, "\(arguments): \(run.errors)\(run.output)")
        return run.output + run.errors
    }

    /// Runs a command, with a faulty disk or a moved clock if `faults` says so.
    func run(_ arguments: String..., faults: [String: String] = [:]) throws -> Run {
        try Programs.run("petition-coordinator", arguments, in: folder, environment: Programs.faults(faults))
    }

    func setUp(_ host: MailHost, _ more: String...) throws {
        let arguments = ["mail", "setup", "--from", "Town <invite@town.example>", "--server", host.address] + more
        let run = try Programs.run("petition-coordinator", arguments, in: folder)
        try #require(run.code == 0, "\(run.errors)")
    }

    /// Writes a list of these people, each a name of an address.
    func list(_ names: [String], file: String = "people.csv") throws {
        let lines = names.map { "\($0) Ahr,\($0)@example.org" }
        try scratch.write("name,email\n" + lines.joined(separator: "\n") + "\n", to: file)
    }

    func invite(_ names: [String], faults: [String: String] = [:]) throws -> Run {
        try list(names)
        return try run("invite", "--send", "--yes", "people", "people.csv", faults: faults)
    }

    /// `people --json`.
    func people(_ options: String..., faults: [String: String] = [:]) throws -> [[String: String]] {
        let run = try Programs.run(
            "petition-coordinator", ["people", "--json"] + options + ["people"], in: folder,
            environment: Programs.faults(faults))
        try #require(run.code == 0, "\(run.errors)")
        return try #require(
            try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: String]])
    }

    /// The state of the mail of one person.
    func mail(of name: String) throws -> String {
        try people().first { $0["label"]?.hasPrefix("\(name) ") == true }?["mail"] ?? "nobody"
    }

    /// Resumes, which sends at once, at a moved time.
    @discardableResult
    func resume(ahead seconds: Int = 0) throws -> Run {
        try run("mail", "resume", faults: seconds == 0 ? [:] : ["FAULT_CLOCK": "\(seconds)"])
    }

    func server(faults: [String: String] = [:], metrics: Int? = nil) throws -> Server {
        let options = metrics.map { ["--metrics-listen", "127.0.0.1:\($0)"] } ?? []
        return try Server(
            "petition-coordinator", command: ["serve"] + options, environment: Programs.faults(faults), in: folder)
    }

    /// Enrols with a link, as a wallet of its own.
    func enrol(_ link: String) throws -> Run {
        try Programs.run(
            "petition-signer", ["enrol", "--wallet", "wallet-\(UUID().uuidString)", "--passphrase-fd", "0", link],
            in: folder, passphrase: "a passphrase")
    }
}
