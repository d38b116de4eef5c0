import Foundation

/// A value of a database's column.
public enum StoredValue: Equatable, Sendable {
    /// No value.
    case null
    /// An integer of 64 bits.
    case integer(Int64)
    /// A text in UTF-8.
    case text(String)
    /// Bytes.
    case bytes(Data)
}

/// What a column can hold.
public protocol Storable {
    /// The value of the column.
    var stored: StoredValue { get }
    /// Nil if the column holds something else.
    init?(stored: StoredValue)
}

extension StoredValue: Storable {
    /// The value of a column.
    public var stored: StoredValue { self }
    /// The value in a column; nil if it holds something else.
    public init?(stored: StoredValue) { self = stored }
}

extension Storable where Self: FixedWidthInteger {
    /// The value of a column.
    public var stored: StoredValue { .integer(Int64(self)) }
    /// The value in a column; nil if it holds something else.
    public init?(stored: StoredValue) {
        guard case .integer(let value) = stored else { return nil }
        self.init(exactly: value)
    }
}

extension Int64: Storable {}
extension Int: Storable {}
extension UInt64: Storable {}
extension UInt32: Storable {}
extension UInt8: Storable {}

extension Bool: Storable {
    /// The value of a column.
    public var stored: StoredValue { .integer(self ? 1 : 0) }
    /// The value in a column; nil if it holds something else.
    public init?(stored: StoredValue) {
        guard case .integer(let value) = stored else { return nil }
        self = value != 0
    }
}

extension String: Storable {
    /// The value of a column.
    public var stored: StoredValue { .text(self) }
    /// The value in a column; nil if it holds something else.
    public init?(stored: StoredValue) {
        guard case .text(let text) = stored else { return nil }
        self = text
    }
}

extension Data: Storable {
    /// The value of a column.
    public var stored: StoredValue { .bytes(self) }
    /// The value in a column; nil if it holds something else.
    public init?(stored: StoredValue) {
        guard case .bytes(let data) = stored else { return nil }
        self = data
    }
}

/// A row of an answer.
public struct Row: Sendable {
    /// The names of its columns.
    let names: [String]
    let values: [StoredValue]

    /// The value of a column; nil for none. Traps if the column is missing or holds something else: every column has a
    /// type, which both engines enforce.
    public subscript<Value: Storable>(name: String) -> Value? {
        // PostgreSQL gives names in lower case.
        guard let index = names.firstIndex(of: name) ?? names.firstIndex(of: name.lowercased()) else {
            preconditionFailure("no column \(name)")
        }
        return self[index]
    }

    /// The same for a column that always has a value.
    public subscript<Value: Storable>(name: String) -> Value {
        guard let value = self[name] as Value? else { preconditionFailure("column \(name) is empty") }
        return value
    }

    /// The value of the column at an index.
    public subscript<Value: Storable>(index: Int) -> Value? {
        if case .null = values[index] { return nil }
        guard let value = Value(stored: values[index]) else {
            preconditionFailure("column \(names[index]) holds something else")
        }
        return value
    }
}
