import Foundation
import Testing

/// Runs the transcripts below `Tests/Transcripts`: what a person types, and every word of the output. They pin the
/// wording of the programs.
///
/// A transcript is a text file. Its first lines say what it shows. Then, line by line:
///
///     $ cat > NAME <<END        writes the lines up to END to a file
///     $ PROGRAM ARGUMENTS &     starts a server, and goes on when it serves
///     $ kill PROGRAM            stops that server
///     $ rm NAME                 removes a file or folder
///     $ PROGRAM ARGUMENTS       runs a program, with `passphrase` on its standard input
///     TEXT                      a line that the program printed
///     ! TEXT                    a line that it wrote to standard error
///     exit NUMBER               how it ended, unless with 0
///
/// `$COORDINATOR`, `$AGGREGATOR` and `$WITNESS` are addresses where nothing else listens, `$LINK1` is the link in the
/// first letter of `letters.csv`, `$KEY` the value for `--aggregator` printed by `petition-aggregator init`, and
/// `$PETITION` the address printed by `add`. Parts that differ in each run are written as `<id>`, `<hash>`, `<key>`,
/// `<code>` and `<time>`.
///
/// With `ROUNDROBIN_TRANSCRIPTS=write` in the environment, the files are rewritten; `git diff` then shows what changed.
@Suite(.onFiles) struct TranscriptTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Transcripts")

    /// Their paths below the folder.
    static let all: [String] = {
        let files = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        return files.filter { $0.hasSuffix(".txt") }.sorted()
    }()

    @Test(arguments: all) func everyWordIsAsWritten(_ path: String) throws {
        let file = Self.folder.appending(path: path)
        let written = try String(contentsOf: file, encoding: .utf8)
        let found = try Transcript(written).run()
        if ProcessInfo.processInfo.environment["ROUNDROBIN_TRANSCRIPTS"] == "write" {
            try found.write(to: file, atomically: true, encoding: .utf8)
            return
        }
        let (expected, lines) = (written.components(separatedBy: "\n"), found.components(separatedBy: "\n"))
        for (number, pair) in zip(expected, lines).enumerated() where pair.0 != pair.1 {
            Issue.record("\(path), line \(number + 1)\nexpected: \(pair.0)\nfound:    \(pair.1)")
            return
        }
        #expect(expected.count == lines.count, "\(path)")
    }

    /// What libraries call their errors is no word for people.
    @Test(arguments: all) func noErrorOfALibraryIsShown(_ path: String) throws {
        let text = try String(contentsOf: Self.folder.appending(path: path), encoding: .utf8)
        let names = [
            "NSCocoaErrorDomain", "CocoaError", "SocketAddressError", "CommandError", "UNIQUE constraint",
            "SQLite error",
            "DatabaseError", "NIOConnectionError", "HTTPClientError", "NIOSSL", "IOError", "DecodingError",
            "Error Domain=",
            "unexpected: ", "Optional(", "Swift.", "Fatal error",
        ]
        for name in names { #expect(!text.contains(name), "\(path): \(name)") }
    }

    @Test func thereAreTranscriptsOfEachProgram() {
        for program in ["coordinator", "signer", "aggregator", "verifier", "witness"] {
            #expect(Self.all.count { $0.hasPrefix("petition-\(program)/") } >= 3, "\(program)")
        }
    }
}

/// A transcript and the state of its run.
private final class Transcript {
    private let lines: [String]
    private let scratch: Scratch
    private var servers: [String: Server] = [:]
    private var values: [(name: String, value: String)]

    init(_ text: String) throws {
        lines = text.components(separatedBy: "\n")
        scratch = try Scratch()
        values = [
            ("$COORDINATOR", "http://localhost:\(try freePort())"),
            ("$AGGREGATOR", "http://localhost:\(try freePort())"),
            ("$WITNESS", "http://localhost:\(try freePort())"),
        ]
    }

    enum Problem: Error { case noEnd }

    /// The transcript with the actual output of the programs.
    func run() throws -> String {
        var result = Array(lines.prefix { !$0.hasPrefix("$ ") })
        var index = result.count
        while index < lines.count {
            let line = lines[index]
            index += 1
            guard line.hasPrefix("$ ") else {
                // Recorded output, which is replaced.
                continue
            }
            result.append(line)
            if let (name, _) = line.firstMatch(of: /\$ cat > (\S+) <<END/).map({ (String($0.1), 0) }) {
                guard let end = lines[index...].firstIndex(of: "END") else { throw Problem.noEnd }
                try scratch.write(lines[index..<end].map { filled($0) + "\n" }.joined(), to: name)
                result += lines[index...end] + [""]
                index = end + 1
            } else {
                result += try run(String(line.dropFirst(2))) + [""]
            }
        }
        while result.last == "" { result.removeLast() }
        return result.joined(separator: "\n") + "\n"
    }

    private func run(_ command: String) throws -> [String] {
        var words = Self.words(filled(command))
        let program = words.removeFirst()
        switch program {
        case "kill":
            servers.removeValue(forKey: words[0])?.stop()
            return []
        case "rm":
            try FileManager.default.removeItem(atPath: scratch.path(words[0]))
            return []
        default: break
        }
        if words.last == "&" {
            servers[program] = try Server(program, command: Array(words.dropLast()), in: scratch.url)
            return []
        }
        let run = try Programs.run(program, words, in: scratch.url, passphrase: "passphrase")
        if program == "petition-aggregator", words.first == "init", let key = run.output.split(separator: " ").last {
            set("$KEY", key.trimmingCharacters(in: .whitespacesAndNewlines))
        }
        if program == "petition-aggregator", words.first == "add", let url = run.output.split(separator: " ").last {
            set("$PETITION", url.trimmingCharacters(in: .whitespacesAndNewlines))
        }
        if program == "petition-coordinator", words.first == "invite", run.code == 0 { takeLinks() }
        return plain(run.output) + plain(run.errors).map { $0.isEmpty ? "!" : "! \($0)" }
            + (run.code == 0 ? [] : ["exit \(run.code)"])
    }

    private func takeLinks() {
        guard let letters = try? String(contentsOfFile: scratch.path("letters.csv"), encoding: .utf8) else { return }
        for (number, letter) in letters.split(separator: "\n").dropFirst().enumerated() {
            set("$LINK\(number + 1)", letter.split(separator: ",").last.map(String.init) ?? "")
        }
    }

    private func set(_ name: String, _ value: String) {
        values.removeAll { $0.name == name }
        values.append((name, value))
    }

    /// Replaces names by their values.
    private func filled(_ text: String) -> String {
        values.sorted { $0.name.count > $1.name.count }
            .reduce(text) { $0.replacingOccurrences(of: $1.name, with: $1.value) }
    }

    /// The lines of a program's output, with names in place of parts that differ in each run.
    private func plain(_ text: String) -> [String] {
        var text = values.sorted { $0.value.count > $1.value.count }
            .reduce(text) { $0.replacingOccurrences(of: $1.value, with: $1.name) }
        for (name, value) in values where value.hasPrefix("http://") {
            text = text.replacingOccurrences(of: value.dropFirst("http://".count), with: name)
        }
        text = text.replacingOccurrences(of: scratch.url.path + "/", with: "")
            .replacing(/#[0-9A-Z*~$=]{27}/, with: "#<code>")
            .replacing(/[0-9a-f]{64}/, with: "<id>")
            .replacing(/\+[0-9a-f]{8}\+[A-Za-z0-9+\/]{44}/, with: "+<key>")
            .replacing(/[A-Za-z0-9+\/]{43}=/, with: "<hash>")
            .replacing(/[0-9A-Z*~$=]{5}(-[0-9A-Z*~$=]{5}){4}-[0-9A-Z*~$=]{2}/, with: "<code>")
            .replacing(/commit     ([0-9a-f]{40}\+?|unknown)/, with: "commit     <commit>")
            .replacing(/libsodium  [0-9.]+/, with: "libsodium  <version>")
            .replacing(/engine     (portable|ifma)/, with: "engine     <engine>")
            .replacing(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/, with: "<time>")
        var lines = text.components(separatedBy: "\n")
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    /// Splits a command into words like a shell: quoted text stays together.
    private static func words(_ command: String) -> [String] {
        var (words, word, quote): ([String], String?, Character?) = ([], nil, nil)
        for character in command {
            if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + String(character) }
            } else if character == "\"" || character == "'" {
                (quote, word) = (character, word ?? "")
            } else if character == " " {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        return words + (word.map { [$0] } ?? [])
    }
}
