import Foundation
import Testing

/// Mistakes that people make, and how the programs answer: with a sentence, a hint, and the documented exit code.
@Suite struct MistakesTests {
    @Test func wrongCommandLinesAreUsageErrors() throws {
        let scratch = try Scratch()
        for (program, arguments) in [
            ("petition-coordinator", ["init", "--name", "X", "--url", "ftp://x"]),
            ("petition-coordinator", ["roll", "create"]), ("petition-aggregator", ["nonsense"]),
            ("petition-signer", ["sign", "https://example.org/"]), ("petition-verifier", ["verify"]),
            ("petition-verifier", ["fetch", "https://example.org/x", "y"]),
            ("petition-signer", ["petitions", "--proxy", "http://x", "https://example.org"]),
        ] {
            let run = try Programs.run(program, arguments, in: scratch.url)
            #expect(run.code == 2, "\(program) \(arguments): \(run.errors)")
            #expect(run.errors.hasPrefix("\(program): error: "), "\(run.errors)")
        }
    }

    @Test func helpFitsAScreenAndHasAnExample() throws {
        let scratch = try Scratch()
        for program in ["petition-coordinator", "petition-aggregator", "petition-signer", "petition-verifier"] {
            let run = try Programs.run(program, ["--help"], in: scratch.url)
            #expect(run.code == 0)
            #expect(run.output.split(separator: "\n", omittingEmptySubsequences: false).count <= 45)
            #expect(run.output.contains("Example") && run.output.contains("Exit codes"))
        }
    }

    @Test func missingFoldersWrongPassphrasesAndBusyPortsAreSaid() throws {
        let deployment = try Deployment(people: 4)
        func complains(_ run: Run, _ code: Int32, _ words: String, sourceLocation: SourceLocation = #_sourceLocation) {
            #expect(run.code == code, "\(run.errors)", sourceLocation: sourceLocation)
            #expect(run.errors.contains(words), "\(run.errors)", sourceLocation: sourceLocation)
        }
        complains(try deployment.run("petition-coordinator", "status", "--folder", "nowhere"), 1, "hint: ")
        complains(
            try deployment.run(
                "petition-coordinator", "init", "--name", "X", "--url", "http://localhost:1", "coordinator"),
            1, "already")
        complains(try deployment.run("petition-coordinator", "serve"), 1, "another server runs on this folder")
        complains(
            try deployment.run("petition-coordinator", "invite", "--yes", "people", "missing.csv", "x.csv"), 1,
            "there is no file missing.csv")
        complains(
            try deployment.run("petition-coordinator", "invite", "--yes", "people", "people-0.csv", "letters-0.csv"), 1,
            "exists already")
        complains(try deployment.run("petition-coordinator", "joining", "open", "people"), 1, "at least 4")
        complains(try deployment.run("petition-coordinator", "seal", "people"), 1, "issuing is open")
        complains(try deployment.run("petition-coordinator", "seal", "nobody"), 1, "no roll nobody")
        complains(try deployment.run("petition-verifier", "verify", "nowhere"), 3, "there is no folder")
        complains(
            try deployment.run(
                "petition-verifier", "verify",
                "\(deployment.coordinatorURL)/petitions/\(String(repeating: "0", count: 64))"),
            3, "missing")
        complains(
            try deployment.signer(0, "enrol", with: ["\(deployment.coordinatorURL)/rolls/people#00000-00000"]), 1,
            "10 characters instead of 27")
        complains(
            try deployment.signer(0, "enrol", with: [deployment.coordinatorURL + "/rolls/people"]), 2,
            "some mail programs drop what follows the #")
        complains(
            try deployment.signer(0, "enrol", with: [deployment.coordinatorURL + "/people"]), 1,
            "not an invitation link")
        complains(try deployment.signer(0, "join", with: ["--despite", "nothing"]), 2, "short-window")
        try deployment.expectSigner(0, "enrol", with: [deployment.links[0]])
        complains(try deployment.signer(0, "enrol", with: [deployment.links[0]]), 1, "already")
        complains(try deployment.signer(1, "enrol", with: [deployment.links[0]]), 1, "code-already-used")
        complains(try deployment.signer(0, "join"), 1, "joining is not open yet")
        complains(try deployment.signer(0, "receipts", "nonsense"), 2, "neither a petition's address nor its id")
        complains(try deployment.signer(0, "receipts", String(repeating: "0", count: 64)), 1, "no counted signature")
        let wrong = try Programs.run(
            "petition-signer", ["receipts", "--wallet", "wallet-0", "--passphrase-fd", "0"], in: deployment.folder,
            passphrase: "wrong")
        complains(wrong, 1, "the passphrase is wrong")
        try deployment.expect(
            "petition-coordinator", "init", "--name", "Other", "--url", deployment.coordinatorURL, "other")
        complains(try deployment.run("petition-coordinator", "serve", "--folder", "other"), 1, "the port is in use")
        let mode = try FileManager.default.attributesOfItem(atPath: deployment.scratch.path("coordinator/note.key"))
        #expect(mode[.posixPermissions] as? Int == 0o600)
    }

    @Test func voidedCodesDoNotEnrol() throws {
        let deployment = try Deployment(people: 2)
        try deployment.expect("petition-coordinator", "void", "people", "person 0, p0@example.org")
        #expect(try deployment.signer(0, "enrol", with: [deployment.links[0]]).errors.contains("voided-code"))
        let again = try deployment.run("petition-coordinator", "void", "people", "person 0, p0@example.org")
        #expect(again.code == 1 && again.errors.contains("no unused code"))
    }

    @Test(.onFiles) func aFullDiskChangesNothing() throws {
        let deployment = try Deployment(people: 2)
        // A limit on file sizes simulates a full disk: the database cannot grow.
        let process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        process.currentDirectoryURL = deployment.folder
        let program = Programs.folder.appending(path: "petition-coordinator").path
        try deployment.scratch.write(
            "name\n" + (0..<400).map { "someone \($0)" }.joined(separator: "\n") + "\n", to: "many.csv")
        process.arguments = [
            "-c", "ulimit -f 64; trap '' XFSZ; exec '\(program)' invite --yes people many.csv many-letters.csv",
        ]
        let pipe = Pipe()
        process.standardError = pipe
        try process.run()
        let errors = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 1 && errors.contains("hint: "), "\(errors)")
        #expect(try deployment.expect("petition-coordinator", "status", "--json").contains("\"invited\":2,"))
        #expect(!FileManager.default.fileExists(atPath: deployment.scratch.path("many-letters.csv")))
    }
}
