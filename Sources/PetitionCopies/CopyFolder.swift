import FoundationEssentials

/// A folder that a copy is written to. It must be new or empty, so that no older file is mistaken for part of the copy.
public struct CopyFolder: Sendable {
    private let folder: String

    /// Creates the folder. Throws ``NotEmpty`` when it exists and is not empty.
    public init(_ folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        guard try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty else {
            throw NotEmpty(folder: folder)
        }
        self.folder = folder
    }

    /// The folder is not empty.
    public struct NotEmpty: Error, Equatable {
        /// The folder's path.
        public let folder: String
    }

    /// Writes a file below the folder.
    func write(_ bytes: [UInt8], to path: String) throws {
        let file = url(path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
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
