@preconcurrency import Platform

/// Standard input, output and error of this process.
enum StandardStreams {
    /// Makes the streams safe to use: before anything else is opened or printed.
    static func prepare() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) == -1 {
            // A stream that was closed by the caller: the next file that is opened, perhaps a database, would otherwise
            // take its number and be written to. What cannot be written to loses nothing silently.
            _ = open("/dev/null", O_RDONLY)
        }
        // A reader that closes its end is noticed as a write that fails.
        signal(SIGPIPE, SIG_IGN)
        // Line-buffered even without a terminal: what a program says is there before it goes on.
        setvbuf(stdout, nil, _IOLBF, 0)
    }

    /// Why something that was printed did not arrive; nil if everything did.
    static func lostOutput() -> String? {
        // After the flush, the error number is that of the last write.
        if fflush(stdout) != 0 { return String(cString: strerror(errno)) }
        return ferror(stdout) != 0 ? "an earlier write failed" : nil
    }
}
