import Foundation

/// Runs statements on one connection to a database. SQL is what both SQLite and PostgreSQL understand, with `?` for
/// each argument.
protocol StatementRunner {
    /// Runs a statement, and returns how many rows it changed.
    func run(_ sql: String, _ arguments: [StoredValue]) throws -> Int
    /// Runs statements that have no arguments, such as a schema.
    func run(script: String) throws
    /// Returns all rows of an answer, or only the first.
    func rows(_ sql: String, _ arguments: [StoredValue], isOnlyFirst: Bool) throws -> [Row]
    /// Returns for each key the first row of an answer to a statement that asks for one key with its last `?`; nil
    /// where there is none.
    func rows(_ sql: String, _ arguments: [StoredValue], each keys: [Data]) throws -> [Row?]
    /// Returns what gives the rows of an answer one after the other, and nil at the end. Meanwhile other statements may
    /// run.
    func cursor(_ sql: String, _ arguments: [StoredValue]) throws -> () throws -> Row?
    /// Inserts many rows.
    func insert(into table: String, _ columns: [String], _ rows: [[StoredValue]]) throws
}

/// One transaction on a database, or one consistent view of it. It is good as long as the call that passed it.
public struct Transaction {
    let runner: any StatementRunner

    /// Runs a statement. Returns how many rows it changed.
    @discardableResult
    public func execute(sql: String, arguments: [(any Storable)?] = []) throws -> Int {
        try runner.run(sql, Self.values(arguments))
    }

    /// Runs several statements without arguments: a schema.
    public func execute(script: String) throws { try runner.run(script: script) }

    /// Inserts many rows at once. Each has a value for each of `columns`.
    public func insert(into table: String, _ columns: [String], _ rows: [[(any Storable)?]]) throws {
        guard !rows.isEmpty else { return }
        try runner.insert(into: table, columns, rows.map(Self.values))
    }

    /// For each of many keys the row of an answer to `sql`, which asks for one key with its last `?`; nil where there
    /// is none.
    public func lookUp(
        _ keys: [Data], sql: String, arguments: [(any Storable)?] = []
    ) throws -> [Row?] {
        try keys.isEmpty ? [] : runner.rows(sql, Self.values(arguments), each: keys)
    }

    /// The rows of an answer that is too large for memory.
    public func cursor(sql: String, arguments: [(any Storable)?] = []) throws -> RowCursor {
        RowCursor(read: try runner.cursor(sql, Self.values(arguments)))
    }

    /// Replaces everything in these tables, each of which comes after those that it refers to, with what another
    /// database has in them.
    func replaceEverything(with other: Transaction, tables: [String]) throws {
        for table in tables.reversed() { try execute(sql: "DELETE FROM \(table)") }
        for table in tables {
            let cursor = try other.cursor(sql: "SELECT * FROM \(table)")
            var rows: [Row] = []
            repeat {
                rows = []
                while rows.count < Self.copiedAtOnce, let row = try cursor.next() { rows.append(row) }
                guard let names = rows.first?.names else { break }
                try runner.insert(into: table, names, rows.map(\.values))
            } while rows.count == Self.copiedAtOnce
        }
    }

    private static let copiedAtOnce = 10_000

    fileprivate func rows(_ sql: String, _ arguments: [(any Storable)?], isOnlyFirst: Bool = false) throws -> [Row] {
        try runner.rows(sql, Self.values(arguments), isOnlyFirst: isOnlyFirst)
    }

    private static func values(_ arguments: [(any Storable)?]) -> [StoredValue] {
        arguments.map { $0?.stored ?? .null }
    }
}

/// Rows that are read one after the other, within their transaction.
public struct RowCursor {
    fileprivate let read: () throws -> Row?

    /// The next row; nil after the last one.
    public func next() throws -> Row? { try read() }
}

extension Row {
    /// The first row of an answer; nil if it has none.
    public static func fetchOne(
        _ db: Transaction, sql: String, arguments: [(any Storable)?] = []
    ) throws -> Row? {
        try db.rows(sql, arguments, isOnlyFirst: true).first
    }

    /// All rows of an answer.
    public static func fetchAll(
        _ db: Transaction, sql: String, arguments: [(any Storable)?] = []
    ) throws -> [Row] {
        try db.rows(sql, arguments)
    }
}

extension Storable {
    /// The first column of the first row of an answer; nil if there is no row, or no value.
    public static func fetchOne(
        _ db: Transaction, sql: String, arguments: [(any Storable)?] = []
    ) throws -> Self? {
        try db.rows(sql, arguments, isOnlyFirst: true).first.flatMap { $0[0] }
    }

    /// The first column of every row of an answer, without empty ones.
    public static func fetchAll(
        _ db: Transaction, sql: String, arguments: [(any Storable)?] = []
    ) throws -> [Self] {
        try db.rows(sql, arguments).compactMap { $0[0] }
    }
}
