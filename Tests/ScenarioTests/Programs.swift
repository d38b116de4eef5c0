import Foundation
import Platform
import PostgresCluster
import Testing

/// A program's output and exit code.
struct Run {
    let code: Int32
    let output: String
    let errors: String
}

/// Runs the programs as a person would, on their own files and sockets.
enum Programs {
    /// The build folder of the programs, beside the test bundle.
    static let folder: URL = {
        let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return repository.appending(path: ".build/release")
    }()

    static func process(_ program: String, _ arguments: [String], in folder: URL) -> Process {
        let process = Process()
        process.executableURL = Self.folder.appending(path: program)
        process.arguments = arguments + TestEngine.options(for: arguments)
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        return process
    }

    /// The environment that makes a program's disk or clock fail (`Tests/FaultyDisk`).
    static func faults(_ faults: [String: String]) -> [String: String] {
        guard !faults.isEmpty else { return [:] }
        return faults.merging(["LD_PRELOAD": folder.appending(path: "libFaultyDisk.so").path]) { $1 }
    }

    /// Runs a program to its end. `passphrase` is passed on standard input, which the arguments name as descriptor 0.
    static func run(
        _ program: String, _ arguments: [String], in folder: URL, passphrase: String? = nil,
        environment: [String: String] = [:]
    ) throws -> Run {
        let process = process(program, arguments, in: folder)
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let out = folder.appending(path: "out-\(UUID().uuidString)")
        let err = folder.appending(path: "err-\(UUID().uuidString)")
        for file in [out, err] { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
        defer { for file in [out, err] { try? FileManager.default.removeItem(at: file) } }
        process.standardOutput = try FileHandle(forWritingTo: out)
        process.standardError = try FileHandle(forWritingTo: err)
        if let passphrase {
            let pipe = Pipe()
            process.standardInput = pipe
            try process.run()
            try pipe.fileHandleForWriting.write(contentsOf: Data((passphrase + "\n").utf8))
            try pipe.fileHandleForWriting.close()
        } else {
            try process.run()
        }
        process.waitUntilExit()
        return Run(
            code: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
            output: try String(contentsOf: out, encoding: .utf8), errors: try String(contentsOf: err, encoding: .utf8))
    }
}

/// A person's program that runs while the test does other things.
final class Running {
    let process: Process
    private let out: URL

    init(
        _ program: String, _ arguments: [String], in folder: URL, passphrase: String,
        environment: [String: String] = [:]
    ) throws {
        process = Programs.process(program, arguments, in: folder)
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        out = folder.appending(path: "running-\(UUID().uuidString)")
        _ = FileManager.default.createFile(atPath: out.path, contents: nil)
        let handle = try FileHandle(forWritingTo: out)
        process.standardOutput = handle
        process.standardError = handle
        let pipe = Pipe()
        process.standardInput = pipe
        try process.run()
        try pipe.fileHandleForWriting.write(contentsOf: Data((passphrase + "\n").utf8))
        try pipe.fileHandleForWriting.close()
    }

    /// Everything it has written so far, via a file: no output may remain in a buffer.
    var said: String { (try? String(contentsOf: out, encoding: .utf8)) ?? "" }

    /// Waits at most 20 seconds until the output contains `words`.
    func waits(for words: String) -> Bool {
        for _ in 0..<400 {
            if said.contains(words) { return true }
            guard process.isRunning else { break }
            usleep(50_000)
        }
        return said.contains(words)
    }

    /// Waits at most 30 seconds for its end, and returns the exit code; nil if it does not end.
    func end() -> Int32? {
        for _ in 0..<600 {
            guard process.isRunning else { return process.terminationStatus }
            usleep(50_000)
        }
        return nil
    }

    deinit {
        if process.isRunning {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
    }
}

/// A clock that programs read and a test moves (`FAULT_CLOCK`), as an offset in seconds.
final class MovedClock {
    let path: String

    init(in scratch: Scratch, ahead seconds: Int) throws {
        path = scratch.path("clock-\(UUID().uuidString)")
        try move(ahead: seconds)
    }

    func move(ahead seconds: Int) throws {
        try FileManager.default.createSymbolicLink(atPath: path + ".new", withDestinationPath: String(seconds))
        guard rename(path + ".new", path) == 0 else { throw Server.Problem.didNotStart("a clock") }
    }
}

/// A folder that is removed with the value.
final class Scratch {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "roundrobin-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    func write(_ text: String, to name: String) throws {
        let file = url.appending(path: name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    func path(_ name: String) -> String { url.appending(path: name).path }
}

/// A server that runs until the value is released.
final class Server {
    let process: Process
    private let log: URL

    convenience init(_ program: String, _ arguments: [String] = [], in folder: URL) throws {
        try self.init(program, command: ["serve"] + arguments, in: folder)
    }

    /// Starts a server with additional environment variables, and waits until it says that it is serving.
    init(_ program: String, command: [String], environment: [String: String] = [:], in folder: URL) throws {
        process = Programs.process(program, command, in: folder)
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        log = folder.appending(path: "\(program)-\(UUID().uuidString).log")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        let handle = try FileHandle(forWritingTo: log)
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
        try waitUntilServing()
    }

    private func waitUntilServing() throws {
        for _ in 0..<200 {
            if said.contains("Serving") { return }
            guard process.isRunning else { break }
            usleep(50_000)
        }
        throw Problem.didNotStart(said)
    }

    enum Problem: Error { case didNotStart(String) }

    /// Everything the server wrote to its log.
    var said: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }

    /// SIGKILL, at once.
    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// SIGTERM, and waits for the end.
    func stop() {
        process.terminate()
        process.waitUntilExit()
    }

    deinit {
        if process.isRunning { kill() }
    }
}

/// A local port on which nothing listens, outside the range that the system assigns to connections, and not given to
/// another test. Where tests run in two processes, `ROUNDROBIN_TEST_PORTS` is 0 for one and 1 for the other.
func freePort() throws -> Int {
    let half = ProcessInfo.processInfo.environment["ROUNDROBIN_TEST_PORTS"].flatMap { Int($0) }
    let range = half.map { 12_000 + $0 * 10_000..<22_000 + $0 * 10_000 } ?? 12_000..<32_000
    for _ in 0..<1000 {
        let port = Int.random(in: range)
        guard Ports.given.withLock({ $0.insert(port).inserted }), canListen(port) else { continue }
        return port
    }
    throw Server.Problem.didNotStart("a socket")
}

private enum Ports {
    static let given = Mutex<Set<Int>>([])
}

private func canListen(_ port: Int) -> Bool {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    return Sockets.withAddress(UInt16(port)) { bind(socket, $0, $1) } == 0
}
