import Documents
import Foundation
import Testing

/// Streams, files, folders and signals, as people and other programs use them.
@Suite struct HabitsTests {
    private static let programs = [
        "petition-coordinator", "petition-signer", "petition-aggregator", "petition-verifier", "petition-witness",
    ]

    /// Runs a line of the shell in which the programs are known by name.
    private func shell(_ line: String, in folder: URL, environment: [String: String] = [:]) throws -> Run {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-c", line]
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment
            .merging(["PATH": Programs.folder.path + ":/usr/bin:/bin"]) { $1 }.merging(environment) { $1 }
        let (out, err) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (out, err)
        try process.run()
        let output = String(decoding: try out.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        let errors = String(decoding: try err.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        return Run(code: process.terminationStatus, output: output, errors: errors)
    }

    private func testLog(in scratch: Scratch) throws {
        let made = try Programs.run(
            "roundrobin-testlog", ["copy", "--records", "4", "--ring-size", "64", "--rings", "1"], in: scratch.url)
        try #require(made.code == 0, "\(made.errors)")
    }

    // MARK: Streams

    @Test(arguments: programs) func aLostResultIsNotFine(_ program: String) throws {
        let scratch = try Scratch()
        for lost in [">/dev/full", ">&-"] {
            let run = try shell("\(program) --help \(lost)", in: scratch.url)
            #expect(run.code == 3 && run.errors.contains("standard output cannot be written"), "\(lost): \(run.errors)")
        }
        // A reader that has gone.
        let piped = try shell("(sleep 0.3; \(program) --version; echo $? >code) | true", in: scratch.url)
        #expect(piped.errors.contains("standard output cannot be written"), "\(piped.errors)")
        #expect(try String(contentsOfFile: scratch.path("code"), encoding: .utf8) == "3\n")
    }

    @Test func aLostReportIsNotFineAndAProofOutweighsIt() throws {
        let scratch = try Scratch()
        try testLog(in: scratch)
        for (options, code) in [("--json copy", 3), ("copy", 3), ("--id \(String(repeating: "0", count: 64)) copy", 1)]
        {
            let run = try shell("petition-verifier verify \(options) >/dev/full", in: scratch.url)
            #expect(run.code == code && run.errors.contains("cannot be written"), "\(options): \(run.errors)")
        }
    }

    /// The next file that a program opens takes the number of a closed stream, and must not get what is printed.
    @Test func aClosedStreamDoesNotWriteIntoAFile() throws {
        let scratch = try Scratch()
        _ = try shell(
            "petition-aggregator init --url http://localhost:1 >&- 2>&-; petition-aggregator status >&- 2>&- <&-",
            in: scratch.url)
        let fsck = try shell("petition-aggregator fsck", in: scratch.url)
        #expect(fsck.code == 0, "\(fsck.errors)\(fsck.output)")
    }

    @Test func standardInputAndOutputAreFiles() throws {
        let scratch = try Scratch()
        try testLog(in: scratch)
        let url = "http://localhost:1/petitions/" + String(repeating: "0", count: 64)
        let record = try shell("echo nonsense | petition-signer submit - \(url)", in: scratch.url)
        #expect(record.code == 1 && record.errors.contains("- is not a signed record"), "\(record.errors)")
        _ = try shell("petition-aggregator init --url http://localhost:1", in: scratch.url)
        let add = try shell("head -c 100 copy/petition | petition-aggregator add -", in: scratch.url)
        #expect(add.code == 1 && add.errors.contains("- is no petition"), "\(add.errors)")
    }

    // MARK: Signals

    /// A person's terminal shows what is typed again, whatever ends the question for the passphrase.
    @Test(arguments: ["INT", "TERM", "HUP", "QUIT"]) func theEchoComesBack(_ signal: String) throws {
        let scratch = try Scratch()
        try scratch.write(
            """
            import os, pty, signal, sys, termios, time
            child, terminal = pty.fork()
            if child == 0:
                # A shell's background jobs ignore some.
                signal.signal(getattr(signal, "SIG" + sys.argv[1]), signal.SIG_DFL)
                os.execvp("petition-signer", ["petition-signer", "import", "--wallet", "wallet", "nothing"])
            echo = lambda: bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
            for _ in range(200):
                if not echo(): break
                time.sleep(0.05)
            assert not echo(), "the passphrase would be shown"
            os.kill(child, getattr(signal, "SIG" + sys.argv[1]))
            for _ in range(200):
                ended, status = os.waitpid(child, os.WNOHANG)
                if ended: break
                time.sleep(0.05)
            assert ended, "it goes on"
            assert os.WIFSIGNALED(status), status
            assert os.WTERMSIG(status) == getattr(signal, "SIG" + sys.argv[1]), status
            assert echo(), "the terminal stays silent"
            """, to: "terminal.py")
        // Swift's own handler of QUIT would print where the program stands, and take its time.
        let run = try shell(
            "python3 terminal.py \(signal)", in: scratch.url, environment: ["SWIFT_BACKTRACE": "enable=no"])
        #expect(run.code == 0, "\(run.errors)")
    }

    // MARK: Files and folders

    @Test func linksStayLinks() throws {
        let scratch = try Scratch()
        try testLog(in: scratch)
        try FileManager.default.createDirectory(atPath: scratch.path("elsewhere"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path("state"), withDestinationPath: "elsewhere/state")
        for _ in 0..<2 {
            let run = try shell("petition-verifier verify --state state copy", in: scratch.url)
            #expect(run.code == 0, "\(run.errors)")
            #expect(
                try FileManager.default.destinationOfSymbolicLink(atPath: scratch.path("state")) == "elsewhere/state")
        }
        #expect(FileManager.default.fileExists(atPath: scratch.path("elsewhere/state")))
    }

    @Test func lettersGoToStandardOutputAloneAndANewFileNeverIsADash() throws {
        let scratch = try Scratch()
        let made = try shell(
            """
            petition-coordinator init --name Crew --url http://localhost:1 &&
            petition-coordinator roll create --name Members --ring-capacity 16 --minimum-ring 4 members &&
            printf 'name\nAda\nBrun\n' >people.csv
            """, in: scratch.url)
        try #require(made.code == 0, "\(made.errors)")
        // The codes are made only if they arrive.
        let lost = try shell("petition-coordinator invite --yes members people.csv - >/dev/full", in: scratch.url)
        #expect(lost.code != 0 && lost.errors.contains("standard output cannot be written"), "\(lost.errors)")
        let nobody = try shell("petition-coordinator people members", in: scratch.url)
        #expect(nobody.output == "Nobody was invited to members yet.\n")
        let run = try shell("petition-coordinator invite --yes members people.csv -", in: scratch.url)
        #expect(run.code == 0 && run.errors.contains("Invited 2 people"), "\(run.errors)")
        #expect(run.output.hasPrefix("name,code,link\nAda,") && run.output.split(separator: "\n").count == 3)
        #expect(!FileManager.default.fileExists(atPath: scratch.path("-")))
        try run.output.write(toFile: scratch.path("letters.csv"), atomically: true, encoding: .utf8)
        let void = try shell("petition-coordinator void --yes --letters letters.csv members", in: scratch.url)
        #expect(void.output == "Voided the code of Ada.\nVoided the code of Brun.\n", "\(void.errors)")
    }

    @Test func whoIsInvitedIsATableAndUnusedCodesAreVoidedTogether() throws {
        let scratch = try Scratch()
        let made = try shell(
            """
            petition-coordinator init --name Crew --url http://localhost:1 &&
            petition-coordinator roll create --name Members --ring-capacity 16 --minimum-ring 4 members &&
            printf 'name,email\n"Ahr, Ada",ada@example.org\n=Brun,brun@example.org\n' >people.csv &&
            echo 'Cleo,cleo@example.org' >>people.csv &&
            petition-coordinator invite --yes members people.csv letters.csv &&
            petition-coordinator void members 'Cleo, cleo@example.org'
            """, in: scratch.url)
        try #require(made.code == 0, "\(made.errors)")
        func people(_ options: String) throws -> String {
            try shell("petition-coordinator people \(options) members", in: scratch.url).output
        }
        // Cells that begin a formula are made harmless.
        let unused =
            "state,mail,address,label\ninvited,,,\"'=Brun, brun@example.org\"\ninvited,,,\"Ahr, Ada, ada@example.org\"\n"
        #expect(try people("--unused --csv") == unused)
        #expect(try people("--voided --csv") == "state,mail,address,label\nvoided,,,\"Cleo, cleo@example.org\"\n")
        let both = try shell("petition-coordinator people --unused --voided members", in: scratch.url)
        #expect(both.code == 2)

        // Nobody agreed, and nothing is done.
        let asked = try shell("petition-coordinator void --unused members", in: scratch.url)
        #expect(asked.code == 2 && asked.errors.contains("Void the 2 unused codes"), "\(asked.errors)")
        #expect(try people("--unused --csv") == unused)
        let void = try shell("petition-coordinator void --unused --yes members", in: scratch.url)
        #expect(
            void.output
                == "Voided the code of =Brun, brun@example.org.\nVoided the code of Ahr, Ada, ada@example.org.\n")
        #expect(try people("--unused") == "Nobody has an unused code.\n")
        #expect(try shell("petition-coordinator void --unused members", in: scratch.url).output.contains("No code"))
    }

    @Test func homeIsWhatTheShellSaysAndAFolderForSecretsIsClosed() throws {
        let scratch = try Scratch()
        let folder = scratch.path("home/.roundrobin")
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        let run = try shell(
            "petition-signer enrol --passphrase-fd 0 http://localhost:1/rolls/r#\(code) <<<secret", in: scratch.url,
            environment: ["HOME": scratch.path("home")])
        #expect(run.code == 3, "\(run.errors)")
        #expect(run.errors.contains("\(folder) was open to other users of this computer; now it is yours alone"))
        #expect(run.errors.contains("Making a new wallet in \(folder)/wallet."))
        let mode = try FileManager.default.attributesOfItem(atPath: folder)[.posixPermissions] as? Int
        #expect(mode == 0o700)
        try FileManager.default.createDirectory(
            atPath: scratch.path("servers"), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        let made = try shell("petition-aggregator init --url http://localhost:1 servers", in: scratch.url)
        #expect(made.code == 0 && made.errors.contains("servers was open to other users"), "\(made.errors)")
    }

    /// An invitation code that checks out.
    private let code = "00000000000000000000000000" + "0"

    /// A wallet with a passphrase from a file of another system's editor.
    @Test func aPassphraseFileIsReadAsMeant() throws {
        let scratch = try Scratch()
        try scratch.write("secret\n", to: "unix")
        try scratch.write("\u{FEFF}secret\r\n", to: "windows")
        let enrol =
            "petition-signer enrol --wallet wallet --passphrase-fd 3 http://localhost:1/rolls/r#\(code) 3<windows"
        #expect(try shell(enrol, in: scratch.url).code == 3)
        let opened = try shell("petition-signer receipts --wallet wallet --passphrase-fd 3 3<unix", in: scratch.url)
        #expect(opened.code == 0 && opened.output == "This wallet has signed nothing yet.\n", "\(opened.errors)")
        // It tells neither by its size nor by its times what was done with it.
        let file = try FileManager.default.attributesOfItem(atPath: scratch.path("wallet"))
        let size = try #require(file[.size] as? Int)
        #expect(size > 1 << 18 && size < (1 << 18) + 512, "\(size)")
        let modified = try #require(file[.modificationDate] as? Date).timeIntervalSince1970
        #expect(modified.truncatingRemainder(dividingBy: 86_400) == 0)
    }

    /// Codes exist only in the letters, so no run may replace or remove what another has written.
    @Test func twoInvitationsAtOnceLoseNoLetter() throws {
        let scratch = try Scratch()
        for command in ["init --name X --url http://localhost:1", "roll create --name R r"] {
            #expect(try shell("petition-coordinator \(command)", in: scratch.url).code == 0)
        }
        for round in 0..<4 {
            try scratch.write("name\none \(round)\n", to: "one.csv")
            try scratch.write("name\nother \(round)\nmore \(round)\n", to: "other.csv")
            let run = try shell(
                """
                petition-coordinator invite --yes r one.csv letters-\(round).csv & one=$!
                petition-coordinator invite --yes r other.csv letters-\(round).csv; other=$?
                wait $one; echo $? $other
                """, in: scratch.url)
            // One of the two may come first; it is the one whose letters are there, and nobody else was invited.
            let codes = run.output.split(separator: "\n").last.map(String.init) ?? ""
            let isFirst = codes.hasPrefix("0 ")
            #expect(["0 1", "1 0"].contains(codes), "\(run.output)\(run.errors)")
            let letters = try String(contentsOfFile: scratch.path("letters-\(round).csv"), encoding: .utf8)
            #expect(letters.split(separator: "\n").count == (isFirst ? 2 : 3), "\(letters)")
            let people = try shell("petition-coordinator people r", in: scratch.url).output
            #expect(people.contains("one \(round)\n") == isFirst && people.contains("other \(round)\n") == !isFirst)
        }
    }

    // MARK: Watchers

    /// One that hangs up makes room for another at once, not when it is next written to.
    @Test func aWatcherThatHangsUpIsGone() async throws {
        let presigned = try PresignedAggregator(records: 1)
        let server = try presigned.serve()
        defer { server.stop() }
        func watchers(_ count: Int) async throws -> Bool {
            for _ in 0..<50 {
                if try await presigned.metrics().contains("roundrobin_watchers \(count)\n") { return true }
                try await Task.sleep(for: .milliseconds(100))
            }
            return false
        }
        let client = Process()
        client.executableURL = URL(filePath: "/bin/bash")
        let log = presigned.petition.logURL(aggregator: 0)
        client.arguments = [
            "-c",
            "exec 3<>/dev/tcp/\(log.host)/\(log.port); "
                + "printf 'GET \(log.path)/events HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' >&3; exec cat <&3",
        ]
        client.standardOutput = FileHandle.nullDevice
        try client.run()
        #expect(try await watchers(1))
        kill(client.processIdentifier, SIGKILL)
        // Less than the 15 seconds after which silent ones are written to.
        #expect(try await watchers(0))
    }

    // MARK: The verifier's own trouble

    @Test func theVerifiersOwnTroubleProvesNothing() async throws {
        let deployment = try Deployment(people: 4, hasLiars: true)
        try deployment.seal(0..<4)
        try deployment.petition()
        #expect(try deployment.sign(0).code == 0)
        let verify = "petition-verifier verify \(deployment.petition)"
        let noRoom = try shell(verify, in: deployment.folder, environment: ["TMPDIR": "/nowhere/at/all"])
        #expect(noRoom.code == 3 && noRoom.errors.contains("hint: set TMPDIR"), "\(noRoom.errors)")
        let fine = try shell(verify, in: deployment.folder)
        #expect(fine.code == 0, "\(fine.errors)\(fine.output)")
        // Maintenance, with status 200, of either server and of any part; and what is no page either.
        let page = Array("\n <!DOCTYPE html><title>Back soon</title>".utf8)
        let path = "/petitions/\(deployment.id)"
        for part in ["/petition", "/checkpoint", "/tile/entries/000.p/1"] {
            deployment.aggregatorLiar?.lie(at: path + part, page)
            let run = try shell(verify, in: deployment.folder)
            #expect(run.code == 3 && run.errors.contains("it answered with a web page"), "\(part): \(run.errors)")
            deployment.aggregatorLiar?.stopLying()
        }
        deployment.aggregatorLiar?.lie(at: path + "/petition", Array("Back soon\n".utf8))
        #expect(try shell(verify, in: deployment.folder).code == 3)
        let failed = try shell("petition-verifier fetch \(deployment.petition) new", in: deployment.folder)
        #expect(failed.code == 3 && !FileManager.default.fileExists(atPath: deployment.scratch.path("new")))
        deployment.aggregatorLiar?.stopLying()
        // What an earlier attempt left is made anew, and nothing else is touched.
        let marker = "This copy of a petition is not finished: make it again.\n"
        try deployment.scratch.write(marker, to: "half/unfinished-copy")
        try deployment.scratch.write("old", to: "half/petition")
        let again = try shell("petition-verifier fetch \(deployment.petition) half", in: deployment.folder)
        #expect(again.code == 0, "\(again.errors)")
        #expect(try shell("petition-verifier verify half", in: deployment.folder).code == 0)
        try deployment.scratch.write(marker, to: "mine/unfinished-copy")
        try deployment.scratch.write("old", to: "mine/letter")
        try deployment.scratch.write("old", to: "mine/rolls/letter")
        let other = try shell("petition-verifier fetch \(deployment.petition) mine", in: deployment.folder)
        #expect(other.code == 3 && FileManager.default.fileExists(atPath: deployment.scratch.path("mine/rolls/letter")))
    }

    @Test func aSignalLeavesNoFolderBehind() async throws {
        let deployment = try Deployment(people: 4)
        try deployment.seal(0..<4)
        try deployment.petition()
        try FileManager.default.createDirectory(
            atPath: deployment.scratch.path("tmp"), withIntermediateDirectories: true)
        // The coordinator does not answer, so the verifier waits with its folder.
        let coordinator = try #require(deployment.coordinator).process.processIdentifier
        kill(coordinator, SIGSTOP)
        defer { kill(coordinator, SIGCONT) }
        let line = """
            petition-verifier verify \(deployment.petition) & child=$!
            for i in $(seq 100); do [ -e tmp/roundrobin-*/petition ] && break; sleep 0.1; done
            kill -TERM $child; wait $child; echo $?
            """
        let run = try shell(line, in: deployment.folder, environment: ["TMPDIR": deployment.scratch.path("tmp")])
        #expect(run.output == "143\n", "\(run.output)\(run.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: deployment.scratch.path("tmp")).isEmpty)
    }
}
