import Platform

/// Standard error, unbuffered.
public struct FileStream: Sendable {
    /// Standard error: everything that is not a result.
    public static let error = FileStream()

    /// Writes `text` as it is.
    public func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Platform.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

/// The person at the terminal.
public enum Terminal {
    /// True when standard error is a terminal, where a progress bar makes sense.
    public static var showsProgress: Bool { isatty(STDERR_FILENO) == 1 }

    /// Columns of the terminal that standard error is; 80 when nothing is known.
    static var columns: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// True when somebody can answer a question.
    public static var canAsk: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

    /// Asks a question that is answered with yes or no. Anything but a clear yes is a no.
    public static func confirm(_ question: String) -> Bool {
        FileStream.error.write("\(question) [y/N] ")
        let answer = Swift.readLine()?.lowercased()
        return answer == "y" || answer == "yes"
    }

    /// Reads a line without showing it, as bytes the caller wipes. Nil when there is no terminal.
    public static func readHidden(_ prompt: String) -> [UInt8]? {
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard terminal >= 0 else { return nil }
        defer { close(terminal) }
        var old = termios()
        guard tcgetattr(terminal, &old) == 0 else { return nil }
        var hidden = old
        hidden.c_lflag &= ~UInt32(ECHO)
        guard tcsetattr(terminal, TCSAFLUSH, &hidden) == 0 else { return nil }
        defer { tcsetattr(terminal, TCSAFLUSH, &old) }
        _ = prompt.withCString { Platform.write(terminal, $0, strlen($0)) }
        let line = readLine(from: terminal)
        _ = "\n".withCString { Platform.write(terminal, $0, 1) }
        return line
    }

    /// Reads up to the first newline, or to the end, from a file descriptor, as bytes the caller wipes. Nil when it
    /// cannot be read.
    public static func readLine(from descriptor: Int32) -> [UInt8]? {
        // Reserved in one piece, so that no copy of a secret is left behind by growing.
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

/// Progress of work that takes over a second, on standard error: a bar with rate and time left on a terminal, a plain
/// line every ten seconds elsewhere.
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
        /// How much was done when it was first heard of.
        let startedAt: UInt64

        /// How much is done in a second, once that can be said.
        func rate(_ done: UInt64, _ now: ContinuousClock.Instant) -> Double? {
            let seconds = (now - start) / .seconds(1)
            return done > startedAt && seconds > 0 ? Double(done - startedAt) / seconds : nil
        }
    }

    /// A bar that is not shown yet.
    public init() {}

    /// Says how far the work named `label` is. Another label is other work, with a rate of its own.
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

    /// The text in at most `room` columns, without what is in its middle if need be: a line that wraps cannot be
    /// redrawn.
    static func shorten(_ text: String, to room: Int) -> String {
        guard text.count > room else { return text }
        guard room > 1 else { return "" }
        return "\(text.prefix((room - 1) / 2))…\(text.suffix(room / 2))"
    }

    private static func pace(_ rate: Double?, left: UInt64) -> String {
        guard let rate else { return "" }
        return ", \(Int(rate.rounded())) a second, \(duration(Double(left) / rate)) left"
    }

    /// Seconds as people say them: `40 s`, `3 min`, `2 h 5 min`.
    static func duration(_ seconds: Double) -> String {
        guard seconds < 1e9 else { return "long" }
        let whole = Int(seconds.rounded(.up))
        if whole < 120 { return "\(whole) s" }
        let minutes = (whole + 59) / 60
        return minutes < 120 ? "\(minutes) min" : "\(minutes / 60) h \(minutes % 60) min"
    }

    /// Takes the bar away.
    public func finish() {
        state.withLock { state in
            if state.isShown { FileStream.error.write("\r\u{1B}[K") }
            state.isShown = false
        }
    }
}
