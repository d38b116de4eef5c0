import FoundationEssentials
import Platform

/// A folder that a copy is written to. It must be new or empty, so that no older file is mistaken for part of the copy;
/// or hold a copy that was never finished, which is then made anew.
public struct CopyFolder: Sendable {
    /// Says that the copy beside it is not finished. Its removal is the last step.
    private static let unfinished = "unfinished-copy"
    private static let unfinishedText = Array("This copy of a petition is not finished: make it again.\n".utf8)
    /// Everything that a copy has at its top.
    private static let contents = [
        OfflineCopy.petition, "rolls", "aggregators", OfflineCopy.announcements, OfflineCopy.announcement, unfinished,
    ]

    private let folder: String
    private let isNew: Bool
    private let failure = Failure()

    /// Why something that was read is not in the copy.
    private final class Failure: Sendable {
        let first = Mutex<(any Error)?>(nil)
    }

    /// Creates the folder. Throws ``NotEmpty`` when it exists and holds anything but an unfinished copy.
    public init(_ folder: String) throws {
        self.folder = folder
        isNew = !FileManager.default.fileExists(atPath: folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        if !names.isEmpty {
            // Nothing is removed where anything is that no copy has.
            let marker = try? Data(contentsOf: url(Self.unfinished))
            guard marker == Data(Self.unfinishedText), Set(names).isSubset(of: Self.contents) else {
                throw NotEmpty(folder: folder)
            }
            try removeContents()
        }
        try write(Self.unfinishedText, to: Self.unfinished)
    }

    /// The folder is not empty.
    public struct NotEmpty: Error, Equatable {
        /// The folder's path.
        public let folder: String
    }

    /// Calls `body`, which copies everything, and removes what is half written if it throws. A copy that is not whole
    /// stays, to be looked at, and the next attempt makes it anew.
    func filling(_ body: () async throws -> PetitionCopy) async throws -> PetitionCopy {
        do {
            let copy = try await body()
            try checkCollected()
            if copy.problems.isEmpty { try remove(Self.unfinished) }
            return copy
        } catch {
            try? removeContents()
            // Only if nobody has put anything else into it meanwhile.
            if isNew, (try? FileManager.default.contentsOfDirectory(atPath: folder))?.isEmpty == true {
                try? FileManager.default.removeItem(atPath: folder)
            }
            throw error
        }
    }

    private func removeContents() throws {
        // By the list of names: a link that leads nowhere is there, too.
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        for name in names where Self.contents.contains(name) { try FileManager.default.removeItem(at: url(name)) }
    }

    /// Writes a file below the folder.
    func write(_ bytes: [UInt8], to path: String) throws {
        let file = url(path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
    }

    /// Writes what was read to a file below the folder. False if that fails, or failed before: ``checkCollected()``
    /// throws why.
    func collect(_ bytes: [UInt8], at path: String) -> Bool {
        guard failure.first.withLock({ $0 == nil }) else { return false }
        do {
            try write(bytes, to: path)
            return true
        } catch {
            failure.first.withLock { $0 = $0 ?? error }
            return false
        }
    }

    /// Throws if something that was read could not be written.
    func checkCollected() throws {
        if let error = failure.first.withLock({ $0 }) { throw error }
    }

    /// Moves the folder `other` of the copy to `path`, replacing what is there.
    func replace(_ path: String, by other: String) throws {
        try remove(path)
        try FileManager.default.moveItem(at: url(other), to: url(path))
    }

    /// Removes a folder of the copy with everything in it, if it exists.
    func remove(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: url(path).path) else { return }
        try FileManager.default.removeItem(at: url(path))
    }

    private func url(_ path: String) -> URL { URL(filePath: folder).appending(path: path) }
}
