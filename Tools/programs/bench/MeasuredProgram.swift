import Foundation

/// A program from the folder of this one, run as a process of its own, with the resources that it used.
final class MeasuredProgram {
    enum Failure: Error { case cannotStart(String), refused(String, log: String), notReady(String) }

    /// The resources that a program used.
    struct Usage {
        let seconds: Double
        let cpuSeconds: Double
        /// The peak resident memory in bytes.
        let memory: Int
    }

    private static let programs = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    private let name: String
    private let process: pid_t
    private let start = ContinuousClock.now
    private let log: String

    /// Starts a program in `folder`. What it says is written to files there, called `name` with `.out` and `.err`. With
    /// `input`, it reads that file as its standard input.
    init(_ name: String, _ arguments: [String], in folder: String, input: String? = nil) throws {
        self.name = name
        log = "\(folder)/\(name).err"
        let path = Self.programs.appending(path: name).path
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // A program starts where its parent is.
        guard FileManager.default.changeCurrentDirectoryPath(folder) else { throw Failure.cannotStart(path) }
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        if let input { posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0) }
        posix_spawn_file_actions_addopen(&actions, 1, "\(folder)/\(name).out", flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, log, flags, 0o600)
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process = pid_t()
        guard posix_spawn(&process, path, &actions, nil, &words, environ) == 0 else { throw Failure.cannotStart(path) }
        self.process = process
    }

    /// Runs a program to its end; throws if it fails.
    @discardableResult
    static func run(
        _ name: String, _ arguments: [String], in folder: String, input: String? = nil
    ) throws -> Usage {
        try MeasuredProgram(name, arguments, in: folder, input: input).end()
    }

    /// How many bytes this machine has sent to itself, packets and all.
    static func bytesSent() throws -> Int {
        let devices = try String(contentsOfFile: "/proc/net/dev", encoding: .utf8).split(separator: "\n")
        let loopback = devices.first { $0.contains("lo:") }?.split(separator: ":").last?.split(separator: " ") ?? []
        return loopback.first.flatMap { Int($0) } ?? 0
    }

    /// Waits for a server to say that it serves. Returns how long that took, in seconds.
    func ready() throws -> Double {
        while !said.contains("Serving") {
            guard kill(process, 0) == 0, ContinuousClock.now - start < .seconds(600) else {
                throw Failure.notReady(said)
            }
            usleep(10_000)
        }
        return (ContinuousClock.now - start) / .seconds(1)
    }

    /// Waits until a server has done what it does in the background after its start: for a second, it uses no time.
    func idle() throws {
        var (last, quiet) = ("", 0)
        while quiet < 10 {
            usleep(100_000)
            let fields = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8).split(separator: " ")
            // Fields 14 and 15: ticks of a hundredth of a second.
            let used = "\(fields[13]) \(fields[14])"
            quiet = used == last ? quiet + 1 : 0
            last = used
        }
    }

    private var said: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

    /// Ends a server, and returns what it used.
    func stop() throws -> Usage {
        kill(process, SIGTERM)
        return try end()
    }

    private func end() throws -> Usage {
        var status: Int32 = 0
        var usage = rusage()
        wait4(process, &status, 0, &usage)
        guard status == 0 else { throw Failure.refused(name, log: said) }
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return Usage(
            seconds: (ContinuousClock.now - start) / .seconds(1),
            cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime), memory: usage.ru_maxrss * 1024)
    }
}
