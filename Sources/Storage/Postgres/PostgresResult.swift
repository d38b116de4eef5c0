import CPostgres
import Foundation

/// Types of PostgreSQL, by their numbers (`pg_type.dat`).
enum ServerType {
    static let bool: Oid = 16, bytes: Oid = 17, name: Oid = 19, int8: Oid = 20, int2: Oid = 21, int4: Oid = 23
    static let text: Oid = 25, varchar: Oid = 1043, arrayOfBytes: Oid = 1001
}

/// The answer to a statement.
final class PostgresResult {
    private let result: OpaquePointer?

    init(_ result: OpaquePointer?) { self.result = result }

    deinit { PQclear(result) }

    var status: ExecStatusType { result.map { PQresultStatus($0) } ?? PGRES_FATAL_ERROR }
    /// Which statement it was, such as `COMMIT` or `INSERT 0 1`.
    var tag: String { result.map { String(cString: PQcmdStatus($0)) } ?? "" }
    /// The SQLSTATE of an error; empty for none.
    var state: String { Self.field("C", of: result) }
    /// What an error says, without the values of the rows in question, which are nobody's business.
    var message: String { Self.field("M", of: result) }
    /// How many rows were changed.
    var changes: Int { result.flatMap { Int(String(cString: PQcmdTuples($0))) } ?? 0 }

    /// A field of an error or warning (`PQresultErrorField`).
    static func field(_ name: Character, of result: OpaquePointer?) -> String {
        guard let result, let code = name.asciiValue, let text = PQresultErrorField(result, Int32(code)) else {
            return ""
        }
        return String(cString: text)
    }

    /// All rows, or the first ones.
    func rows(most: Int = .max) throws -> [Row] {
        let columns = 0..<PQnfields(result)
        let names = columns.map { String(cString: PQfname(result, $0)) }
        return try (0..<min(Int(PQntuples(result)), most)).map { row in
            Row(names: names, values: try columns.map { try value(Int32(row), $0) })
        }
    }

    /// The first column of the first row, of an answer as text; nil if there is none.
    var text: String? {
        guard PQntuples(result) > 0, PQnfields(result) > 0, PQgetisnull(result, 0, 0) == 0 else { return nil }
        return String(cString: PQgetvalue(result, 0, 0))
    }

    private func value(_ row: Int32, _ column: Int32) throws -> StoredValue {
        if PQgetisnull(result, row, column) == 1 { return .null }
        let bytes = UnsafeRawBufferPointer(
            start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
        switch PQftype(result, column) {
        case ServerType.int8, ServerType.int4, ServerType.int2:
            let isNegative = bytes.first.map { $0 >= 0x80 } ?? false
            return .integer(bytes.reduce(isNegative ? -1 : 0) { $0 << 8 | Int64($1) })
        case ServerType.bool: return .integer(bytes.first == 1 ? 1 : 0)
        case ServerType.bytes: return .bytes(Data(bytes))
        case ServerType.text, ServerType.varchar, ServerType.name:
            return .text(String(decoding: bytes, as: UTF8.self))
        case let type: throw StorageError.failed("an answer has a column of type \(type)")
        }
    }
}

extension [UInt8] {
    /// Appends a value as PostgreSQL sends and receives it; false if it is none.
    mutating func append(binary value: StoredValue) -> Bool {
        switch value {
        case .null: return false
        case .integer(let integer): append(bigEndian: integer)
        case .text(let text): append(contentsOf: text.utf8)
        case .bytes(let data): append(contentsOf: data)
        }
        return true
    }

    mutating func append(bigEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}

extension StorageError {
    /// The error of a server with this SQLSTATE ("PostgreSQL Error Codes").
    init(sqlState: String, _ message: String) {
        self =
            switch sqlState {
            case "53100", "58030": .full
            case "25006": .standby
            case "42501": .notAllowed(message)
            case "55P03", "40P01", "40001", "53300": .busy
            case "57P01", "57P02", "57P03": .connectionLost(message)
            case "XX001", "XX002": .damaged(message)
            default: .failed("\(message) (\(sqlState))")
            }
    }
}
