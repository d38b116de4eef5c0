import CommandSupport
import Documents
import DurableFiles
import Foundation
import LogStorage
import Logging
import Petitions
import Platform
import ServiceHTTP
import Storage
import TransparencyLog

/// Input and output that both server programs have in common.
public enum ServerCommand {
    /// Throws a ``UserError`` unless this user owns the folder: what another user writes into it, such as root, its
    /// server could not read afterwards.
    public static func checkOwner(of folder: String) throws {
        var status = stat()
        guard stat(folder, &status) == 0, status.st_uid != geteuid() else { return }
        let owner = getpwuid(status.st_uid).map { String(cString: $0.pointee.pw_name) } ?? "user \(status.st_uid)"
        throw UserError(
            .refused, "the folder \(folder) belongs to \(owner), and you are another user",
            hint: "run this as its owner: sudo -u \(owner.shellQuoted) …")
    }

    /// The address to listen on.
    public static func address(_ text: String?, for url: ServiceURL) throws -> ListenAddress {
        guard let text else { return ListenAddress(for: url) }
        guard let address = ListenAddress(text) else {
            throw UserError(.usage, "\(text) is not an address to listen on", hint: "write it like 127.0.0.1:8080")
        }
        return address
    }

    /// Runs `body`, which passes the bytes of the new `file` to its argument before it commits. Removes the file if
    /// nothing can have been committed, but never one that was not made here. `-` is standard output.
    public static func delivering<T>(
        _ file: String, mode: UInt32 = 0o644, _ body: (_ deliver: ([UInt8]) throws -> Void) throws -> T
    ) throws -> T {
        var isMade = false
        do {
            return try body { bytes in
                isMade = try NamedFile.create(bytes, at: file, mode: mode)
            }
        } catch {
            switch error {
            // It is stored, or may be, and nobody else has what is in the file.
            case StorageError.notRemembered, StorageError.unconfirmed, StorageError.rolledBack,
                StorageError.otherThanPublished:
                if isMade { Terminal.show("Keep \(file): what is in it is stored, or may be.") }
            default:
                if isMade { unlink(file) }
            }
            throw error
        }
    }

    /// Checks the whole database with `fsck`, prints the result, and returns whether all is well. `things` are what the
    /// report counts, one and many; `advice` is what to do when something is wrong.
    public static func check(
        asJSON: Bool, things: (one: String, many: String) = ("entry", "entries"),
        advice: String = """
        Stop the server, keep the folder as it is, and restore a backup: see "Restoring" in Protocol/operating.md
        """,
        _ fsck: (WorkProgress) throws -> FsckReport
    ) throws -> Bool {
        let bar = ProgressBar()
        let report = try fsck(bar.progress)
        bar.finish()
        print(findings(report, asJSON: asJSON, things: things, advice: advice))
        return report.problems.isEmpty
    }

    private static func findings(
        _ report: FsckReport, asJSON: Bool, things: (one: String, many: String), advice: String
    ) -> String {
        if asJSON {
            let problems = JSONValue.array(report.problems.map { .string($0) }).text(isPretty: false)
            return "{\"entries\":\(report.entries),\"problems\":\(problems)}"
        }
        let number = counted(report.entries, things.one, things.many)
        if report.problems.isEmpty { return "All is well: \(number), and everything that follows from them." }
        let end = "\(counted(report.problems.count, "problem", "problems")) in \(number). \(advice)."
        return (report.problems.map { "WRONG  \($0)" } + [end]).joined(separator: "\n")
    }

    /// Makes a backup in a new file, and returns a message for the user.
    public static func backUp(to file: String, _ backUp: (String) throws -> Void) throws -> String {
        try NamedFile.checkNew(file, hint: "a backup is made in a new file")
        try backUp(file)
        return "Copied the database to \(file)."
    }

    /// Writes a line to standard error, to say that the server is ready.
    public static func announce(_ text: String) {
        FileStream.error.write(text + "\n")
    }

    /// A logger to standard error, for warnings and errors of the server itself: no requests, addresses or users.
    public static func logger(_ name: String) -> Logger {
        var logger = Logger(label: name) { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        return logger
    }
}
