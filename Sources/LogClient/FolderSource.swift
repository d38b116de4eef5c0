import Foundation
import TransparencyLog

/// Published resources in a folder, such as an offline copy.
public struct FolderSource: ResourceSource {
    private let folder: String

    /// Reads below `folder`.
    public init(folder: String) {
        self.folder = folder
    }

    /// The file's path.
    public func location(of path: String) -> String {
        path.isEmpty ? folder : "\(folder)/\(path)"
    }

    /// The file's bytes; nil when there is no such file.
    public func read(_ path: String, limit: Int) async throws -> [UInt8]? {
        let file = location(of: path)
        guard FileManager.default.fileExists(atPath: file) else { return nil }
        guard let handle = FileHandle(forReadingAtPath: file) else {
            throw SourceError.unreachable(location: file, reason: "it cannot be opened")
        }
        defer { try? handle.close() }
        let data: Data
        do { data = try handle.read(upToCount: limit + 1) ?? Data() } catch {
            throw SourceError.unreachable(location: file, reason: "it cannot be read")
        }
        guard data.count <= limit else { throw SourceError.tooLarge(location: file) }
        return [UInt8](data)
    }
}
