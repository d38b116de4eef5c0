import CommandSupport
import Documents
import Foundation
import LogStorage
import Logging
import Petitions
import Platform
import ServiceHTTP

/// What both server programs say and take in the same way.
public enum ServerCommand {
    /// A url that is not in the allowed spelling.
    public static func badURL(_ text: String) -> UserError {
        UserError(
            .usage, "\(text) is not a url as Roundrobin takes it",
            hint: "https://host/path in lower case, no slash at the end; http only for this machine and .onion")
    }

    /// The address to listen on.
    public static func address(_ text: String?, for url: ServiceURL) throws -> ListenAddress {
        guard let text else { return ListenAddress(for: url) }
        guard let address = ListenAddress(text) else {
            throw UserError(.usage, "\(text) is not an address to listen on", hint: "write it like 127.0.0.1:8080")
        }
        return address
    }

    /// Runs `body`, which writes `file` before it commits; takes the file away again when nothing was committed.
    public static func writing<T>(_ file: String, _ body: () throws -> T) throws -> T {
        do { return try body() } catch {
            if case StorageError.notRemembered = error { throw error }
            unlink(file)
            throw error
        }
    }

    /// Checks the whole database by `fsck`, prints what is found, and answers whether all is well.
    public static func check(
        asJSON: Bool, _ fsck: (@escaping (String, UInt64, UInt64) -> Void) throws -> FsckReport
    ) throws -> Bool {
        let bar = ProgressBar()
        let report = try fsck { bar.update($0, done: $1, of: $2) }
        bar.finish()
        print(findings(report, asJSON: asJSON))
        return report.problems.isEmpty
    }

    private static func findings(_ report: FsckReport, asJSON: Bool) -> String {
        if asJSON {
            let problems = JSONValue.array(report.problems.map { .string($0) }).text(isPretty: false)
            return "{\"entries\":\(report.entries),\"problems\":\(problems)}"
        }
        if report.problems.isEmpty {
            return "All is well: \(report.entries) entries, and everything that follows from them."
        }
        let end = """
            \(report.problems.count) problems in \(report.entries) entries. Stop the server, keep the folder as it is, and \
            restore a backup: see "Restoring" in Protocol/operating.md.
            """
        return (report.problems.map { "WRONG  \($0)" } + [end]).joined(separator: "\n")
    }

    /// Makes a backup in a new file, and says so.
    public static func backUp(to file: String, _ backUp: (String) throws -> Void) throws -> String {
        guard !FileManager.default.fileExists(atPath: file) else {
            throw UserError(.refused, "\(file) is there already", hint: "a backup is made in a new file")
        }
        try backUp(file)
        return "Copied the database to \(file)."
    }

    /// Tells whoever started the server that it is ready.
    public static func announce(_ text: String) {
        FileStream.error.write(text + "\n")
    }

    /// A log on standard error without requests, addresses or users: warnings and errors of the server itself.
    public static func logger(_ name: String) -> Logger {
        var logger = Logger(label: name) { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        return logger
    }
}
