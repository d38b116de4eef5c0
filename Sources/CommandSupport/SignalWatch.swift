import Platform

/// Where a signal that arrives during a ``SignalWatch`` is written, for the handler, which may not do more.
nonisolated(unsafe) private var signalPipe: Int32 = -1

/// Notices signals while a terminal is in another mode than before, so that it can be put back first. The wait for
/// input and the signal may be on different threads, hence the pipe.
struct SignalWatch: ~Copyable {
    /// What came first.
    enum Outcome: Equatable {
        case input
        case signal(Int32)
    }

    /// All that end or stop a program and can be noticed.
    private static let noticed = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGALRM]
    private let reading: Int32
    private let writing: Int32
    private var before: [(number: Int32, action: sigaction)] = []

    /// Begins to watch; nil if the system has no pipe left.
    init?() {
        var pipe: [Int32] = [-1, -1]
        guard Platform.pipe(&pipe) == 0 else { return nil }
        for end in pipe {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (reading, writing) = (pipe[0], pipe[1])
        signalPipe = writing
        for number in Self.noticed {
            var (action, old) = (sigaction(), sigaction())
            action.__sigaction_handler.sa_handler = { number in
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(signalPipe, &byte, 1)
            }
            if sigaction(number, &action, &old) == 0 { before.append((number, old)) }
        }
    }

    /// Waits until there is input or a signal.
    func waits(for descriptor: Int32) -> Outcome {
        var watched = [
            pollfd(fd: reading, events: Int16(POLLIN), revents: 0),
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            let count = poll(&watched, nfds_t(watched.count), -1)
            guard count >= 0 || errno == EINTR else { return .input }
            var byte: UInt8 = 0
            if read(reading, &byte, 1) == 1 { return .signal(Int32(byte)) }
            if count > 0, watched[1].revents != 0 { return .input }
        }
    }

    /// Puts back what was done at each signal before.
    consuming func end() {
        for (number, action) in before {
            var action = action
            sigaction(number, &action, nil)
        }
        signalPipe = -1
        close(reading)
        close(writing)
    }
}
