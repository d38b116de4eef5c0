import CommandSupport
import Dispatch
import FoundationEssentials
import Platform

/// A folder in `TMPDIR` that is gone when the program is, also if a signal ends it.
final class TemporaryFolder {
    private static let signals = [SIGINT, SIGTERM, SIGHUP]
    /// Its path.
    let path: String
    private let sources: [any DispatchSourceSignal]

    /// Makes a new folder. Throws a ``UserError`` if that cannot be done: this says nothing about a petition.
    init() throws {
        let parent = FileManager.default.temporaryDirectory
        let path = parent.appending(path: "roundrobin-\(UUID().uuidString)").path
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        } catch let error as CocoaError {
            throw UserError(
                .undecided, "no folder for the copy can be made in \(parent.path): \(error.reason)",
                hint: "set TMPDIR to a folder with room, or copy first: petition-verifier fetch ADDRESS FOLDER")
        }
        self.path = path
        sources = Self.signals.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                try? FileManager.default.removeItem(atPath: path)
                // Now as without us: the shell sees which signal it was. To the process: this thread blocks signals.
                signal(number, SIG_DFL)
                kill(getpid(), number)
            }
            source.resume()
            return source
        }
    }

    /// Removes the folder with everything in it.
    func remove() {
        try? FileManager.default.removeItem(atPath: path)
        for source in sources { source.cancel() }
        for number in Self.signals { signal(number, SIG_DFL) }
    }
}
