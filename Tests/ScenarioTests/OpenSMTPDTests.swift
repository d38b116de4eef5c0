import Foundation
import Testing

/// OpenSMTPD, which delivers and sends bounces. It runs as root, once on a machine.
@Suite(
    .serialized, .withinTheRun,
    .enabled(if: getuid() == 0 && access("/usr/sbin/smtpd", X_OK) == 0, "OpenSMTPD runs as root"))
struct OpenSMTPDTests {
    @Test func aRealBounceComesBack() async throws {
        let coordinator = try MailingCoordinator()
        let port = try freePort()
        let boxes = coordinator.scratch.path("boxes")
        chmod(coordinator.folder.path, 0o711)
        try FileManager.default.createDirectory(atPath: boxes, withIntermediateDirectories: true)
        chmod(boxes, 0o777)
        let program = coordinator.scratch.path("deliver")
        try coordinator.scratch.write(
            """
            #!/bin/sh
            case $1 in never*) echo "550 5.1.1 nobody"; exit 67 ;; esac
            umask 022
            box=\(boxes)/${1%%[@+]*}
            mkdir -p "$box/new" "$box/cur" "$box/tmp"
            cat >"$box/tmp/$$" && mv "$box/tmp/$$" "$box/new/$$"

            """, to: "deliver")
        chmod(program, 0o755)
        try coordinator.scratch.write(
            """
            listen on lo port \(port)
            table people { "@" = "nobody" }
            action "deliver" mda "\(program) %{rcpt}" virtual <people>
            match from local for any action "deliver"

            """, to: "smtpd.conf")
        // It would inherit which signals this thread blocks, and never hear that its programs end.
        let unblock =
            "import os, signal, sys; signal.pthread_sigmask(signal.SIG_SETMASK, []); os.execv(sys.argv[1], sys.argv[1:])"
        let smtpd = Programs.process(
            "python3", ["-c", unblock, "/usr/sbin/smtpd", "-d", "-f", coordinator.scratch.path("smtpd.conf")],
            in: coordinator.folder)
        smtpd.executableURL = URL(filePath: "/usr/bin/python3")
        let log = coordinator.folder.appending(path: "smtpd.log")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        smtpd.standardOutput = try FileHandle(forWritingTo: log)
        smtpd.standardError = smtpd.standardOutput
        try smtpd.run()
        defer { kill(smtpd.processIdentifier, SIGTERM) }
        for _ in 0..<100 {
            if let connection = try? Sockets.connect(UInt16(port)) {
                close(connection)
                break
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        try coordinator.expect(
            "mail", "setup", "--from", "Town <invite@town.example>", "--bounce", "back@town.example", "--server",
            "smtp://localhost:\(port)")
        let run = try coordinator.invite(["ada", "never"])
        #expect(run.code == 0 && run.output.contains("Accepted 2 of 2."), "\(run.errors)\(run.output)")
        func files(_ name: String) -> [String] {
            (try? FileManager.default.contentsOfDirectory(atPath: "\(boxes)/\(name)/new")) ?? []
        }
        for _ in 0..<300 where files("ada").isEmpty || files("back").isEmpty {
            try await Task.sleep(for: .milliseconds(100))
        }
        let said = try String(contentsOf: log, encoding: .utf8)
        try #require(!files("ada").isEmpty && !files("back").isEmpty, "\(said)")
        let read = try coordinator.expect("mail", "bounce", "--maildir", "\(boxes)/back")
        #expect(read.contains("1 mail came back"), "\(read)")
        #expect(try coordinator.mail(of: "never").hasPrefix("bounced"))
        let mail = try String(contentsOfFile: "\(boxes)/ada/new/\(try #require(files("ada").first))", encoding: .utf8)
        let link = try #require(mail.split(whereSeparator: \.isNewline).first { $0.contains("/rolls/people#") })
        let server = try coordinator.server()
        let enrolled = try coordinator.enrol(String(link))
        #expect(enrolled.code == 0, "\(link) \(enrolled.errors)")
        server.stop()
    }
}
