import Foundation

/// A folder that a copy is written to. It must be new or empty, so that no older file is taken for a part of the copy.
public struct CopyFolder: Sendable {
    private let folder: String

    /// Makes the folder. Throws ``NotEmpty`` when there is something in it.
    public init(_ folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        guard try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty else {
            throw NotEmpty(folder: folder)
        }
        self.folder = folder
    }

    /// The folder is not empty.
    public struct NotEmpty: Error, Equatable {
        /// Which.
        public let folder: String
    }

    /// Writes a file below the folder.
    public func write(_ bytes: [UInt8], to path: String) async throws {
        let file = URL(filePath: folder).appending(path: path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
    }
}
