import Foundation
import Platform

/// A PostgreSQL server of a test's own, with its files in a folder of its own, on a free port of this machine. It ends
/// with the test.
public final class PostgresCluster: Sendable {
    /// What could not be started or asked.
    public struct Failure: Error, CustomStringConvertible {
        /// What was run, and what it said.
        public let description: String
    }

    /// Where its files are.
    public let folder: URL
    /// Where it listens, on 127.0.0.1.
    public let port: Int

    /// The user and the database of the programs under test, who are nothing special.
    public static let user = "roundrobin"

    /// How programs reach it.
    public var address: String { "postgresql://\(Self.user)@127.0.0.1:\(port)/\(Self.user)" }

    private var data: String { folder.path + "/data" }
    private let process = Mutex<Process?>(nil)
    /// What writing fails to while its disk is full, as a part of a path.
    private let mayBeFull: String?

    /// Makes a server and starts it. `settings` are lines of its configuration. ``fillDisk()`` concerns files with
    /// `mayBeFull` in their paths.
    public init(_ settings: [String] = [], mayBeFull: String? = nil) throws {
        (folder, port, self.mayBeFull) = (try Self.newFolder(), try Self.freePort(), mayBeFull)
        try run("initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync", "--no-instructions")
        try configure(settings)
        try start()
        try sql("CREATE ROLE \(Self.user) LOGIN; GRANT pg_monitor TO \(Self.user)")
        try sql("CREATE DATABASE \(Self.user) OWNER \(Self.user)")
    }

    /// Makes a standby of `primary`, named `name`, and starts it.
    public init(name: String, standbyOf primary: PostgresCluster, mayBeFull: String? = nil) throws {
        (folder, port, self.mayBeFull) = (try Self.newFolder(), try Self.freePort(), mayBeFull)
        try run(
            "pg_basebackup", "-D", data, "-R", "-c", "fast", "--no-sync",
            "-d", "host=127.0.0.1 port=\(primary.port) user=postgres application_name=\(name)")
        try configure([])
        try start()
    }

    deinit { destroy() }

    func destroy() {
        try? stop("immediate")
        try? FileManager.default.removeItem(at: folder)
    }

    /// Makes another database for the same user. Returns its address.
    func newDatabase() throws -> String {
        let name = "t\(UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased())"
        try sql("CREATE DATABASE \(name) OWNER \(Self.user)")
        return "postgresql://\(Self.user)@127.0.0.1:\(port)/\(name)"
    }

    private func configure(_ settings: [String]) throws {
        let lines =
            [
                "port = \(port)", "listen_addresses = '127.0.0.1'", "unix_socket_directories = ''",
                "shared_buffers = 16MB", "max_wal_size = 128MB", "wal_keep_size = 64MB", "log_statement = none",
                "wal_receiver_status_interval = 1s", "wal_retrieve_retry_interval = 200ms", "hot_standby = on",
            ] + settings
        let file = data + "/postgresql.auto.conf"
        let known = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        // A standby has the settings of its primary here: what comes last counts.
        try (known + lines.joined(separator: "\n") + "\n").write(toFile: file, atomically: false, encoding: .utf8)
    }

    // MARK: Life and death

    /// Starts it, and waits until it answers.
    public func start() throws {
        // Not by pg_ctl: what outlives it would keep Foundation from noticing its end.
        let process = try Self.process("postgres", ["-D", data], in: folder)
        process.environment?.merge(try faults()) { $1 }
        let log = folder.path + "/log"
        if !FileManager.default.fileExists(atPath: log) {
            _ = FileManager.default.createFile(atPath: log, contents: nil)
        }
        let file = try FileHandle(forUpdating: URL(filePath: log))
        try file.seekToEnd()
        (process.standardOutput, process.standardError) = (file, file)
        try process.run()
        self.process.withLock { $0 = process }
        for _ in 0..<600 {
            if (try? run("pg_isready", "-q", "-h", "127.0.0.1", "-p", "\(port)")) != nil { return }
            guard process.isRunning else { break }
            usleep(50_000)
        }
        throw Failure(description: "\((try? String(contentsOfFile: log, encoding: .utf8)) ?? "it does not answer")")
    }

    /// Stops it: `fast` in order, `immediate` like a crash.
    public func stop(_ mode: String = "fast") throws { try run("pg_ctl", "stop", "-D", data, "-m", mode, "-w") }

    /// Kills every process of it at once, as a power failure would.
    public func kill() throws {
        let pid = try processID()
        // Its children end when they notice: they are killed first, so that none goes on.
        for child in Self.children(of: pid) { Platform.kill(child, SIGKILL) }
        let last = Self.children(of: pid)
        Platform.kill(pid, SIGKILL)
        for child in last { Platform.kill(child, SIGKILL) }
        process.withLock { $0?.waitUntilExit() }
    }

    /// Lets a standby receive nothing any more, until it is stopped or killed.
    public func pauseReceiver() throws { try pause { $0.contains("walreceiver") } }

    /// Lets the processes that serve this user's connections stand still, until the server is killed.
    public func pauseClients() throws { try pause { $0.contains(" \(Self.user) \(Self.user) ") } }

    /// Lets the whole server stand still, until ``thaw()``.
    public func freeze() throws { try signal(SIGSTOP) }

    /// Lets it go on.
    public func thaw() throws { try signal(SIGCONT) }

    private func signal(_ number: Int32) throws {
        let pid = try processID()
        for process in [pid] + Self.children(of: pid) { Platform.kill(process, number) }
    }

    private func pause(_ isMeant: (String) -> Bool) throws {
        let pid = try processID()
        for child in Self.children(of: pid) {
            let title = (try? String(contentsOfFile: "/proc/\(child)/cmdline", encoding: .utf8)) ?? ""
            if isMeant(title) { Platform.kill(child, SIGSTOP) }
        }
    }

    private func processID() throws -> Int32 {
        guard let pid = process.withLock({ $0?.processIdentifier }) else {
            throw Failure(description: "no process runs on \(data)")
        }
        return pid
    }

    private static func children(of pid: Int32) -> [Int32] {
        let path = "/proc/\(pid)/task/\(pid)/children"
        return ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: " ").compactMap {
            Int32($0)
        }
    }

    // MARK: A full disk

    private var fullDisk: URL { folder.appending(path: "full") }

    /// The environment that lets writing fail (`Tests/FaultyDisk`).
    private func faults() throws -> [String: String] {
        guard let mayBeFull else { return [:] }
        let name = "libFaultyDisk.so"
        let library = folder.appending(path: name)
        if !FileManager.default.fileExists(atPath: library.path) {
            // The user of the server may not be able to read where it was built.
            let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            try FileManager.default.copyItem(at: repository.appending(path: ".build/release/\(name)"), to: library)
        }
        return [
            "LD_PRELOAD": library.path, "FAULT_CALL": "pwrite", "FAULT_PATH": mayBeFull, "FAULT_AT": "0",
            "FAULT_ACTION": "\(ENOSPC)", "FAULT_SWITCH": fullDisk.path,
        ]
    }

    /// From now on nothing can be written to its disk.
    public func fillDisk() { _ = FileManager.default.createFile(atPath: fullDisk.path, contents: nil) }

    /// The disk has room again, and the server is started again if it has ended.
    public func emptyDisk() throws {
        try FileManager.default.removeItem(at: fullDisk)
        try? stop("immediate")
        try start()
    }

    /// Makes a standby the primary.
    public func promote() throws { try run("pg_ctl", "promote", "-D", data, "-w") }

    /// Lets a standby follow another server, as `name`.
    public func follow(_ primary: PostgresCluster, as name: String) throws {
        let server = "host=127.0.0.1 port=\(primary.port) user=postgres application_name=\(name)"
        try set("primary_conninfo", "'\(server)'")
    }

    /// Makes what was a primary, and has ended, a standby of the server that took its place, and starts it.
    public func rewind(to primary: PostgresCluster, as name: String) throws {
        // Without it the new primary does not say yet that it was promoted (pg_rewind, "Notes").
        try primary.sql("CHECKPOINT")
        try run(
            "pg_rewind", "--target-pgdata", data, "-R", "--source-server",
            "host=127.0.0.1 port=\(primary.port) user=postgres dbname=postgres application_name=\(name)")
        // The settings are the other server's now.
        try configure([])
        try start()
    }

    /// Changes a setting while it runs.
    public func set(_ name: String, _ value: String) throws {
        try sql("ALTER SYSTEM SET \(name) = \(value)")
        try sql("SELECT pg_reload_conf()")
    }

    /// Lets every commit wait for the standby `s1`, from now on.
    public func synchronise() throws {
        try set("synchronous_standby_names", "'s1'")
        // Its processes would notice one after the other.
        try stop()
        try start()
    }

    /// Replaces the rules for who may connect (`pg_hba.conf`).
    public func admit(_ rules: String) throws {
        try (rules + "\n").write(toFile: data + "/pg_hba.conf", atomically: false, encoding: .utf8)
        try run("pg_ctl", "reload", "-D", data)
    }

    /// Starts a program that receives what this server writes, and is no standby. It ends with the server.
    public func startReceiver(_ program: String, _ arguments: String...) throws {
        let process = try Self.process(
            program, arguments + ["-h", "127.0.0.1", "-p", "\(port)", "-U", "postgres"], in: folder)
        (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
        try process.run()
    }

    // MARK: Questions

    /// Asks as the server's operator. Returns the rows, one in each line.
    @discardableResult
    public func sql(_ text: String, database: String = "postgres") throws -> String {
        try run(
            "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", "\(port)", "-U", "postgres",
            "-d", database, "-c", text
        ).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Waits until a question has this answer.
    public func wait(until answer: String, to question: String) throws {
        for _ in 0..<600 {
            if (try? sql(question)) == answer { return }
            usleep(50_000)
        }
        throw Failure(description: "\(question) is not \(answer)")
    }

    /// Waits until so many standbys stream from it.
    public func wait(forStandbys count: Int) throws {
        try wait(until: "\(count)", to: "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")
    }

    // MARK: Programs

    /// The folder of PostgreSQL's programs, which Debian keeps out of the search path.
    private static func programs() throws -> String {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        guard let newest = versions.compactMap({ Int($0) }).max() else {
            throw Failure(description: "PostgreSQL is not installed: run Tools/setup --postgresql")
        }
        return "/usr/lib/postgresql/\(newest)/bin"
    }

    @discardableResult
    private func run(_ program: String, _ arguments: String...) throws -> String {
        let process = try Self.process(program, arguments, in: folder)
        let output = folder.appending(path: "output-\(UUID().uuidString)")
        _ = FileManager.default.createFile(atPath: output.path, contents: nil)
        let file = try FileHandle(forWritingTo: output)
        (process.standardOutput, process.standardError) = (file, file)
        try process.run()
        process.waitUntilExit()
        let text = (try? String(contentsOf: output, encoding: .utf8)) ?? ""
        try? FileManager.default.removeItem(at: output)
        guard process.terminationStatus == 0 else {
            throw Failure(description: "\(program) \(arguments.joined(separator: " ")): \(text)")
        }
        return text
    }

    private static func process(_ program: String, _ arguments: [String], in folder: URL) throws -> Process {
        let process = Process()
        let path = try programs() + "/" + program
        // PostgreSQL does not run as root.
        let other = geteuid() == 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] : []
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = other + [path] + arguments
        process.currentDirectoryURL = folder
        // What the operator does waits for no standby.
        process.environment = [
            "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PGOPTIONS": "-c synchronous_commit=local",
        ]
        process.standardInput = FileHandle.nullDevice
        return process
    }

    private static func newFolder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: "postgresql-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        if geteuid() == 0, let user = getpwnam("postgres") {
            chown(folder.path, user.pointee.pw_uid, user.pointee.pw_gid)
        }
        return folder
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw Failure(description: "there is no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
