import Platform
import TransparencyLog

/// Standard error, unbuffered.
public struct FileStream: Sendable {
    /// Standard error, for everything that is not a result.
    public static let error = FileStream()

    /// Writes `text` unchanged.
    public func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Platform.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

/// Interaction with a person at the terminal.
public enum Terminal {
    /// True when standard error is a terminal, where a progress bar makes sense.
    public static var showsProgress: Bool { isatty(STDERR_FILENO) == 1 }

    /// The width in columns of the terminal on standard error; 80 if unknown.
    static var columns: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// True when a person can be asked a question.
    public static var canAsk: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

    /// Shows what a person needs for a decision. It goes to standard error, as questions do: standard output may be a
    /// file or a pipe, where nobody reads it in time.
    public static func show(_ text: String) {
        FileStream.error.write(text + "\n")
    }

    /// Asks before something is done that `--yes` agrees to in advance. Throws a ``UserError`` unless the answer is a
    /// clear yes, or if there is nobody to ask.
    public static func ask(_ question: String, isAgreed: Bool, hint: String) throws {
        if isAgreed { return }
        guard canAsk else { throw UserError(.usage, "there is no terminal to ask: \(question)", hint: hint) }
        guard confirm(question) else { throw UserError(.refused, "stopped: nothing was done") }
    }

    /// Asks a yes-or-no question. Anything but a clear yes counts as no.
    public static func confirm(_ question: String) -> Bool {
        FileStream.error.write("\(question) [y/N] ")
        let answer = Swift.readLine()?.lowercased()
        return answer == "y" || answer == "yes"
    }

    /// Reads a line without echo, as bytes that the caller must wipe. Nil if there is no terminal. The echo comes back
    /// whatever signal ends or stops the program meanwhile.
    public static func readHidden(_ prompt: String) -> [UInt8]? {
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard terminal >= 0 else { return nil }
        defer { close(terminal) }
        while true {
            var old = termios()
            guard tcgetattr(terminal, &old) == 0, let signals = SignalWatch() else { return nil }
            var hidden = old
            hidden.c_lflag &= ~UInt32(ECHO)
            guard tcsetattr(terminal, TCSAFLUSH, &hidden) == 0 else {
                signals.end()
                return nil
            }
            write(prompt, to: terminal)
            let outcome = signals.waits(for: terminal)
            let line = outcome == .input ? readLine(from: terminal) : nil
            tcsetattr(terminal, TCSAFLUSH, &old)
            write("\n", to: terminal)
            signals.end()
            guard case .signal(let number) = outcome else { return line }
            // Now as without us: most signals end the program here. One that stopped it lets it ask again. To the
            // process, not to this thread, which may block signals.
            kill(getpid(), number)
            usleep(200_000)
        }
    }

    private static func write(_ text: String, to descriptor: Int32) {
        _ = text.withCString { Platform.write(descriptor, $0, strlen($0)) }
    }

    /// Reads from a file descriptor up to the first newline or the end, as bytes that the caller must wipe. Nil if it
    /// cannot be read.
    public static func readLine(from descriptor: Int32) -> [UInt8]? {
        // Reserved in advance, so that growing leaves no copy of a secret behind.
        var line: [UInt8] = []
        line.reserveCapacity(lineLimit)
        var byte: UInt8 = 0
        while line.count < lineLimit {
            let count = read(descriptor, &byte, 1)
            guard count >= 0 else { return nil }
            if count == 0 || byte == 0x0A { break }
            line.append(byte)
        }
        byte = 0
        return line
    }

    private static let lineLimit = 4096
}

/// Progress of work that takes over a second, on standard error: a bar with rate and time left on a terminal, and a
/// plain line every ten seconds elsewhere.
public final class ProgressBar: Sendable {
    private static let width = 20
    private static let barInterval = Duration.milliseconds(100)
    private static let lineInterval = Duration.seconds(10)

    private let isTerminal = Terminal.showsProgress
    private let state = Mutex(State())

    private struct State {
        var work: Work?
        var lastShown = ContinuousClock.now
        var isShown = false
    }

    /// One piece of work, from its first update on.
    private struct Work {
        let label: String
        let start = ContinuousClock.now
        /// How much was already done at the first update.
        let startedAt: UInt64

        /// How much is done per second; nil while that is unknown.
        func rate(_ done: UInt64, _ now: ContinuousClock.Instant) -> Double? {
            let seconds = (now - start) / .seconds(1)
            return done > startedAt && seconds > 0 ? Double(done - startedAt) / seconds : nil
        }
    }

    /// A bar that is shown only once there is progress to report.
    public init() {}

    /// A receiver of progress that updates this bar.
    public var progress: WorkProgress { WorkProgress { self.update($0, done: $1, of: $2) } }

    /// Reports the progress of the work named `label`. A new label means new work, with its own rate.
    public func update(_ label: String, done: UInt64, of total: UInt64) {
        guard total > 0 else { return }
        state.withLock { state in
            let now = ContinuousClock.now
            let work =
                state.work?.label == label ? state.work : Work(label: label, startedAt: done)
            state.work = work
            guard let work, now - work.start > .seconds(1) else { return }
            guard now - state.lastShown > (isTerminal ? Self.barInterval : Self.lineInterval) else { return }
            state.lastShown = now
            state.isShown = isTerminal
            let pace = Self.pace(work.rate(done, now), left: total - min(done, total))
            FileStream.error.write(
                isTerminal ? Self.bar(label, done, total, pace) : "\(done)/\(total) \(label)\(pace)\n")
        }
    }

    private static func bar(_ label: String, _ done: UInt64, _ total: UInt64, _ pace: String) -> String {
        let filled = Int(Double(min(done, total)) / Double(total) * Double(width))
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        let start = "[\(bar)] \(done)/\(total) "
        let room = Terminal.columns - 1 - start.count - pace.count
        return "\r\u{1B}[K\(start)\(shorten(label, to: room))\(pace)"
    }

    /// Shortens the text to `room` columns if necessary, by omitting its middle: a line that wraps cannot be redrawn.
    static func shorten(_ text: String, to room: Int) -> String {
        guard text.count > room else { return text }
        guard room > 1 else { return "" }
        return "\(text.prefix((room - 1) / 2))…\(text.suffix(room / 2))"
    }

    private static func pace(_ rate: Double?, left: UInt64) -> String {
        guard let rate else { return "" }
        return ", \(Int(rate.rounded())) a second, \(duration(Double(left) / rate)) left"
    }

    /// Seconds in a form for people: `40 s`, `3 min`, `2 h 5 min`.
    static func duration(_ seconds: Double) -> String {
        guard seconds < 1e9 else { return "long" }
        let whole = Int(seconds.rounded(.up))
        if whole < 120 { return "\(whole) s" }
        let minutes = (whole + 59) / 60
        return minutes < 120 ? "\(minutes) min" : "\(minutes / 60) h \(minutes % 60) min"
    }

    /// Erases the bar.
    public func finish() {
        state.withLock { state in
            if state.isShown { FileStream.error.write("\r\u{1B}[K") }
            state.isShown = false
        }
    }
}
