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
    /// How many standbys may be asked for: as many as PostgreSQL lets a commit wait for.
    public static let standbysRange = 0...Int(Int32.max)

    private static func path(in folder: String) -> String { folder + "/database" }

    /// For people: the address, or that it is a file.
    public var text: String { address?.text ?? "this folder" }

    /// The address, if it is on a server.
    public var address: PostgresAddress? {
        if case .server(let address, _) = self { address } else { nil }
    }

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
        let database = try open(location, folder, isNew: true)
        try location.remember(in: folder)
        do { try fill(database) } catch {
            switch error {
            // It is made, most likely: the folder is not without a database.
            case StorageError.unconfirmed: break
            default: try? DatabaseLocation.file.remember(in: folder)
            }
            throw error
        }
        try database.close()
    }

    /// Opens the database of a folder, and brings its tables up to date. Throws a ``StorageError``.
    public func open(in folder: String) throws -> any Storage {
        try open(DatabaseLocation.of(folder: folder), folder, isNew: false)
    }

    /// Lets a folder whose database is on a server say that the same database has another address, or another number
    /// of standbys. `check` opens it there; if it throws, the folder says what it said before.
    public static func change(_ location: DatabaseLocation, in folder: String, check: () throws -> Void) throws {
        let old = try DatabaseLocation.of(folder: folder)
        guard old.address != nil else { throw StorageError.address("this database is a file in \(folder)") }
        try location.remember(in: folder)
        do { try check() } catch {
            try old.remember(in: folder)
            throw error
        }
    }

    // MARK: Moving

    /// What a copy is called until it is whole.
    private var unfinished: String { name + "_moving" }

    /// Moves the database of a folder, on which no server runs, to another place, and keeps everybody from using the
    /// old one. `owner` names the server, by its key; `check` throws if the copy is not good, or not that server's.
    /// When it is stopped at any moment, the same call goes on. Throws a ``StorageError``.
    public func move(
        in folder: String, to location: DatabaseLocation, of owner: String, check: (any Storage) throws -> Void
    ) throws {
        switch (try DatabaseLocation.of(folder: folder), location) {
        case (.file, .server(let address, let standbys)): try move(in: folder, to: address, standbys, owner, check)
        case (.server(let address, let standbys), .file): try moveToFile(in: folder, from: address, standbys, check)
        case (.file, .file): return
        case (.server(let old, _), .server(let new, _)):
            guard old == new else { throw StorageError.address("from one server to another it goes by a file") }
        }
        try location.remember(in: folder)
    }

    private func move(
        in folder: String, to address: PostgresAddress, _ standbys: Int, _ owner: String,
        _ check: (any Storage) throws -> Void
    ) throws {
        let server = try PostgresSchemas(address)
        guard try server.reserve(name) else { throw StorageError.moving(to: address.text) }
        do {
            let old = try SQLiteStorage(path: path(in: folder), erasesDeleted: erasesDeleted, migrations: migrations)
            guard try !server.has(name) else { throw StorageError.occupied(place: address.text) }
            // Another server's may be whole, and its file retired.
            guard try !server.isOfAnother(unfinished, than: owner) else { throw StorageError.moving(to: address.text) }
            try server.drop(unfinished)
            let new = try PostgresStorage(
                address, schema: unfinished, isNew: true, standbys: standbys, migrations: migrations)
            try old.moveAway(to: address.text) { source, tables in
                try new.fill(of: owner) { target in
                    try target.replaceEverything(with: source, tables: tables)
                    try compare(source, target, tables)
                }
                try check(new)
                try new.confirm()
            }
            try new.close()
        } catch StorageError.moved(to: address.text) {
            // An earlier attempt was stopped after everything was there.
            guard let copy = try [unfinished, name].first(where: { try server.has($0) }) else {
                throw StorageError.moved(to: address.text)
            }
            try check(PostgresStorage(address, schema: copy, standbys: standbys, migrations: migrations))
        }
        try server.rename(unfinished, to: name)
        try server.confirm(standbys: standbys)
    }

    private func moveToFile(
        in folder: String, from address: PostgresAddress, _ standbys: Int, _ check: (any Storage) throws -> Void
    ) throws {
        // The server remembers it, and the next attempt may be made from another folder.
        let path = URL(filePath: path(in: folder)).path
        let copy = path + Self.copySuffix
        do {
            let old = try PostgresStorage(address, schema: name, standbys: standbys, migrations: migrations)
            guard try old.takeOver() else { throw StorageError.atWork(place: address.text) }
            try makeRoom(in: folder)
            try old.moveAway(to: path) { source in
                try SQLiteStorage.create(copy, migrations: migrations, copying: source)
                let new = try SQLiteStorage(path: copy, erasesDeleted: erasesDeleted, migrations: migrations)
                try new.read { try compare(source, $0, new.tables($0)) }
                try check(new)
                try new.forgetOrder()
                try new.close()
            }
            try old.close()
        } catch StorageError.moved(to: path) where FileManager.default.fileExists(atPath: copy) {
            // An earlier attempt was stopped after everything was there.
        } catch StorageError.moved(to: path) where FileManager.default.fileExists(atPath: path) {
            return try PostgresSchemas(address).confirm(standbys: standbys)
        }
        // A standby that does not know that the database is retired could go on with it.
        try PostgresSchemas(address).confirm(standbys: standbys)
        for suffix in SQLiteStorage.otherFiles { unlink(copy + suffix) }
        guard rename(copy, path) == 0, DurableFile.syncFolder(of: path) else { throw StorageError.readOnly }
    }

    private static let copySuffix = ".moving"

    /// What was moved from here before keeps another name, and what attempts before have left is deleted.
    private func makeRoom(in folder: String) throws {
        let path = path(in: folder)
        let copies = URL(filePath: path).lastPathComponent + Self.copySuffix
        for file in try FileManager.default.contentsOfDirectory(atPath: folder) where file.hasPrefix(copies) {
            unlink("\(folder)/\(file)")
        }
        guard FileManager.default.fileExists(atPath: path) else { return }
        do { _ = try SQLiteStorage(path: path, migrations: migrations) } catch StorageError.moved {
            for suffix in SQLiteStorage.otherFiles { unlink(path + suffix) }
            rename(path, "\(path).moved-\(Int(Date().timeIntervalSince1970 * 1000))")
            return
        }
        throw StorageError.occupied(place: path)
    }

    private func compare(_ old: Transaction, _ new: Transaction, _ tables: [String]) throws {
        for table in tables {
            let counts = try [old, new].map { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM \(table)") ?? 0 }
            guard counts[0] == counts[1] else {
                throw StorageError.movedWrong("\(table) has \(counts[1]) rows instead of \(counts[0])")
            }
        }
    }

    private func open(_ location: DatabaseLocation, _ folder: String, isNew: Bool) throws -> any Storage {
        switch location {
        case .file:
            try SQLiteStorage(path: path(in: folder), erasesDeleted: erasesDeleted, migrations: migrations)
        case .server(let address, let standbys):
            try PostgresStorage(address, schema: name, isNew: isNew, standbys: standbys, migrations: migrations)
        }
    }
}
