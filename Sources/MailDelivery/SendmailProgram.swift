import Foundation
import Platform

/// A program that takes a mail as `sendmail` does: `PROGRAM -i -f SENDER -- RECIPIENT`, the mail on standard input, and
/// an exit code of sysexits.h.
public final class SendmailProgram: MailTransport {
    private static let longestOutput = 16 * 1024
    private let path: String
    private let patience: Duration
    private let isStopped: () -> Bool

    /// The program at `path`, which is ended if it takes longer than `patience`.
    public init(
        path: String, patience: Duration = .seconds(300), isStopped: @escaping () -> Bool = { false }
    ) {
        self.path = path
        self.patience = patience
        self.isStopped = isStopped
    }

    /// Runs the program once.
    public func send(_ message: MailMessage, from sender: MailAddress) -> Delivery {
        guard access(path, X_OK) == 0 else { return .halted(.program("\(path) is not a program")) }
        let arguments = ["-i", "-f", sender.text, "--", message.to.text]
        guard let (code, output) = run(arguments, input: message.bytes(lineEnd: "\n")) else {
            return .halted(.program("\(path) does not run"))
        }
        return outcome(code, output)
    }

    /// The exit code, nil if it was ended here or by a signal, and what it printed. Nil if it does not start.
    private func run(_ arguments: [String], input: [UInt8]) -> (code: Int32?, output: String)? {
        // Files instead of pipes, so that neither of us waits for the other; without names, so that nothing is left.
        guard let given = Self.unnamedFile(), let printed = Self.unnamedFile() else { return nil }
        defer {
            close(given)
            close(printed)
        }
        guard input.withUnsafeBytes({ pwrite(given, $0.baseAddress, $0.count, 0) }) == input.count,
            let process = spawn(arguments, input: given, output: printed)
        else { return nil }
        let code = wait(for: process)
        var output = [UInt8](repeating: 0, count: Self.longestOutput)
        let count = pread(printed, &output, output.count, 0)
        return (code, String(decoding: output.prefix(max(0, count)), as: UTF8.self))
    }

    /// Starts the program in a process group of its own, with no signal blocked: threads of a server block many.
    private func spawn(_ arguments: [String], input: Int32, output: Int32) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        for (from, to) in [(input, 0), (output, 1), (output, 2)] as [(Int32, Int32)] {
            posix_spawn_file_actions_adddup2(&actions, from, to)
        }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        var words = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process = pid_t()
        return posix_spawn(&process, path, &actions, &attributes, &words, environ) == 0 ? process : nil
    }

    /// The exit code; nil if it did not end by itself in time. Then it is ended, with all that it started.
    private func wait(for process: pid_t) -> Int32? {
        let end = ContinuousClock.now + patience
        var status: Int32 = 0
        while true {
            let ended = waitpid(process, &status, WNOHANG)
            if ended == process { return status & 0x7F == 0 ? (status >> 8) & 0xFF : nil }
            guard ended == 0, ContinuousClock.now < end, !isStopped() else { break }
            usleep(2000)
        }
        kill(-process, SIGKILL)
        waitpid(process, &status, 0)
        return nil
    }

    private static func unnamedFile() -> Int32? {
        var path = Array((FileManager.default.temporaryDirectory.path + "/roundrobin-XXXXXX").utf8CString)
        let descriptor = mkstemp(&path)
        guard descriptor >= 0 else { return nil }
        unlink(path)
        // The program gets them as its standard streams, and not once more.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return descriptor
    }

    private func outcome(_ code: Int32?, _ output: String) -> Delivery {
        if isStopped() { return .stopped }
        guard let code else { return .unknown("\(path) did not end in time") }
        let reply = Self.reply(in: output)
        switch code {
        case 0: return .accepted(SMTPReply(code: 250, enhanced: nil, text: ""))
        // No such user, wrong data.
        case 64, 65, 67: return refusal(reply, output, code)
        // No route, no server, no encryption: not the recipient's fault, unless a server says so.
        case 68, 69:
            guard let reply else { return .unreachable(SMTPReply.kept(output)) }
            return refusal(reply, output, code)
        // No permission, or wrongly set up.
        case 77, 78, 126, 127: return .halted(.program(SMTPReply.kept(output)))
        // Later, says the program: perhaps for this recipient alone.
        case 75: return .later(reply ?? SMTPReply(code: 450, enhanced: nil, text: output))
        default: return .unreachable(SMTPReply.kept(output))
        }
    }

    private func refusal(_ reply: SMTPReply?, _ output: String, _ code: Int32) -> Delivery {
        let shown = reply ?? SMTPReply(code: 550, enhanced: nil, text: "exit code \(code): \(output)")
        return shown.code < 500 ? .later(shown) : .refused(shown)
    }

    /// The first reply of a server that the program quotes.
    private static func reply(in output: String) -> SMTPReply? {
        for line in output.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ")
            for (index, word) in words.enumerated() where word.utf8.count == 3 {
                let rest = words[index...].joined(separator: " ")
                if let reply = SMTPReply(lines: [rest]), reply.code >= 400 { return reply }
            }
        }
        return nil
    }
}
