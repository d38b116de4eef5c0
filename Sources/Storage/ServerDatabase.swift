import DurableFiles
import Foundation
import Platform

/// Where a server keeps its database.
public enum DatabaseLocation: Equatable, Sendable {
    /// In a file in the server's folder.
    case file
    /// On a PostgreSQL server, of whose standbys so many must have what is published.
    case server(PostgresAddress, standbys: Int)

    private static let limit = 4096
    private static let standbysWord = "standbys "
    /// How many standbys may be asked for.
    public static let standbysRange = 0...16

    private static func path(in folder: String) -> String { folder + "/database" }

    /// What a folder says: the file `database` in it has the address, and in a second line `standbys` and a number.
    /// Without that file, the database is in the folder. Throws a ``StorageError``.
    public static func of(folder: String) throws -> DatabaseLocation {
        let path = path(in: folder)
        let bytes: [UInt8]
        do { bytes = try DurableFile.read(path, limit: limit) } catch {
            if case .missing = error { return .file }
            throw error
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 3, lines[1].hasPrefix(standbysWord), lines[2].isEmpty,
            let standbys = Int(lines[1].dropFirst(standbysWord.count)), standbysRange.contains(standbys)
        else { throw StorageError.address("\(path) has not two lines, an address and \"standbys 1\"") }
        return .server(try PostgresAddress(String(lines[0])), standbys: standbys)
    }

    /// Writes it into a folder, durably.
    func remember(in folder: String) throws {
        let path = Self.path(in: folder)
        switch self {
        case .file:
            unlink(path)
            _ = DurableFile.syncFolder(of: path)
        case .server(let address, let standbys):
            try DurableFile.write(
                Array("\(address.text)\n\(Self.standbysWord)\(standbys)\n".utf8), to: path, mode: 0o600)
        }
    }
}

/// The database of one kind of server: what its file and its schema are called, and its tables.
public struct ServerDatabase: Sendable {
    private let name: String
    private let migrations: [Migration]
    private let erasesDeleted: Bool

    /// A database in a file `<name>.sqlite`, or in a schema with that name. With `erasesDeleted`, what is deleted is
    /// overwritten in the file.
    public init(_ name: String, erasesDeleted: Bool = false, _ migrations: [Migration]) {
        (self.name, self.erasesDeleted, self.migrations) = (name, erasesDeleted, migrations)
    }

    /// The file, if it is one.
    private func path(in folder: String) -> String { "\(folder)/\(name).sqlite" }

    /// Where the database of a folder is, for people: a path or an address.
    public func place(in folder: String) throws -> String {
        switch try DatabaseLocation.of(folder: folder) {
        case .file: path(in: folder)
        case .server(let address, _): address.text
        }
    }

    /// Whether the database of a folder was made: its file is there, or the folder names a server.
    public func isMade(in folder: String) throws -> Bool {
        try DatabaseLocation.of(folder: folder) != .file || FileManager.default.fileExists(atPath: path(in: folder))
    }

    /// Makes the database of a folder that has none, and passes it to `fill`. The folder remembers where it is.
    public func make(
        in folder: String, at location: DatabaseLocation, _ fill: (any Storage) throws -> Void
    ) throws {
        let database = try open(location, folder)
        try fill(database)
        try database.close()
        try location.remember(in: folder)
    }

    /// Opens the database of a folder, and brings its tables up to date. Throws a ``StorageError``.
    public func open(in folder: String) throws -> any Storage {
        try open(DatabaseLocation.of(folder: folder), folder)
    }

    private func open(_ location: DatabaseLocation, _ folder: String) throws -> any Storage {
        switch location {
        case .file:
            try SQLiteStorage(path: path(in: folder), erasesDeleted: erasesDeleted, migrations: migrations)
        case .server(let address, let standbys):
            try PostgresStorage(address, schema: name, standbys: standbys, migrations: migrations)
        }
    }
}
