import CPostgres
import Foundation
import Platform

/// One connection to a PostgreSQL server, by libpq. It is used by one thread at a time, which its pool sees to. Values
/// go both ways as bytes, never as text in a statement.
final class PostgresConnection: @unchecked Sendable {
    private let handle: OpaquePointer
    /// The names of prepared statements, by their text and the types of their arguments.
    private var prepared: [Prepared: String] = [:]
    private let warnings = Warnings()
    private var cursors = 0
    /// How long the server may take for an answer. Then the connection is given up: a server that stands still must
    /// not keep whoever asks waiting.
    var patience = Duration.seconds(15)
    /// True if it took too long.
    private(set) var isGivenUp = false

    private struct Prepared: Hashable {
        let sql: String
        let types: [Oid]
    }

    /// What the server said besides answers.
    private final class Warnings {
        var texts: [String] = []
    }

    /// Connects to the first server of an address that lets it. Throws a ``StorageError``.
    static func open(_ address: PostgresAddress) throws -> PostgresConnection {
        // Libpq itself does not ask the next server when one fails after it was reached: with another certificate,
        // say, or without a rule for this user.
        var reasons: [String] = []
        for parameters in address.alternatives {
            do { return try PostgresConnection(parameters, of: address) } catch StorageError.unreachable(_, let reason)
            {
                reasons.append(reason)
            }
        }
        throw StorageError.unreachable(address.text, reason: reasons.joined(separator: "; "))
    }

    private init(_ parameters: [(name: String, value: String)], of address: PostgresAddress) throws {
        let handle = Self.withStrings(parameters.map(\.name)) { names in
            Self.withStrings(parameters.map(\.value)) { PQconnectdbParams(names, $0, 1) }
        }
        guard let handle else { throw StorageError.failed("there is no memory for a connection") }
        self.handle = handle
        guard PQstatus(handle) == CONNECTION_OK else {
            throw StorageError.unreachable(address.text, reason: Self.words(PQerrorMessage(handle)))
        }
        PQsetNoticeReceiver(
            handle,
            { warnings, result in
                guard let warnings else { return }
                Unmanaged<Warnings>.fromOpaque(warnings).takeUnretainedValue().texts
                    .append(PostgresResult.field("M", of: result))
            }, Unmanaged.passUnretained(warnings).toOpaque())
        // Otherwise sending waits for a server that stands still.
        PQsetnonblocking(handle, 1)
    }

    deinit { PQfinish(handle) }

    /// Passes the strings as libpq wants them, with a null pointer at the end.
    private static func withStrings<T>(_ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> T) -> T {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return (copies.map { UnsafePointer($0) } + [nil]).withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("there is the null pointer at least") }
            return body(base)
        }
    }

    /// True if the server is still there, as far as is known.
    var isConnected: Bool { !isGivenUp && PQstatus(handle) == CONNECTION_OK }
    /// True if it is outside any transaction, so that it can be used again.
    var isIdle: Bool { isConnected && PQtransactionStatus(handle) == PQTRANS_IDLE }
    /// True if it is in a transaction, and nothing runs in it.
    var isInTransaction: Bool {
        isConnected && [PQTRANS_INTRANS, PQTRANS_INERROR].contains(PQtransactionStatus(handle))
    }
    /// False if the server has ended it meanwhile.
    var isStillThere: Bool { PQconsumeInput(handle) == 1 && isConnected }
    /// The version of the server, such as 150018 for 15.18.
    var serverVersion: Int { Int(PQserverVersion(handle)) }

    // MARK: Statements

    /// Runs statements without arguments. Returns the answer to the last one, as text.
    @discardableResult
    func command(_ sql: String) throws -> PostgresResult {
        let result = try answer(PQsendQuery(handle, sql))
        try check(result, [PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY])
        return result
    }

    /// Runs a statement with `?` for each argument. It is prepared once: there are few different ones.
    func run(_ sql: String, _ arguments: [StoredValue]) throws -> PostgresResult {
        let types = arguments.map(Self.type)
        let name = try name(of: Prepared(sql: sql, types: types), numbered: Self.numbered(sql))
        return try run(prepared: name, arguments)
    }

    /// The same for a statement that is not run again.
    func run(once sql: String, _ arguments: [StoredValue]) throws -> PostgresResult {
        let types = arguments.map(Self.type)
        let result = try answer(
            Self.withBytes(of: arguments) { values, lengths, formats in
                PQsendQueryParams(
                    handle, Self.numbered(sql), Int32(arguments.count), types, values, lengths, formats, 1)
            })
        try check(result, [PGRES_COMMAND_OK, PGRES_TUPLES_OK])
        return result
    }

    /// A name for a cursor that no other has.
    func newCursor() -> String {
        cursors += 1
        return "rows\(cursors)"
    }

    /// The same with an array of byte strings as the last argument. `sql` has its arguments as `$1`, `$2`.
    func run(numbered sql: String, _ arguments: [StoredValue], _ keys: [Data]) throws -> PostgresResult {
        let types = arguments.map(Self.type) + [ServerType.arrayOfBytes]
        let name = try name(of: Prepared(sql: sql, types: types), numbered: sql)
        return try run(prepared: name, arguments + [.bytes(Self.array(keys))])
    }

    private func run(prepared name: String, _ arguments: [StoredValue]) throws -> PostgresResult {
        let result = try answer(
            Self.withBytes(of: arguments) { values, lengths, formats in
                PQsendQueryPrepared(handle, name, Int32(arguments.count), values, lengths, formats, 1)
            })
        try check(result, [PGRES_COMMAND_OK, PGRES_TUPLES_OK])
        return result
    }

    private func name(of statement: Prepared, numbered sql: @autoclosure () -> String) throws -> String {
        if let name = prepared[statement] { return name }
        let name = "s\(prepared.count)"
        try check(
            answer(PQsendPrepare(handle, name, sql(), Int32(statement.types.count), statement.types)),
            [PGRES_COMMAND_OK])
        prepared[statement] = name
        return name
    }

    /// The statement with numbered arguments, as PostgreSQL has them. No statement of ours has a question mark
    /// otherwise.
    static func numbered(_ sql: String) -> String {
        var number = 0
        return sql.split(separator: "?", omittingEmptySubsequences: false).reduce(into: "") { text, part in
            if number > 0 { text += "$\(number)" }
            text += part
            number += 1
        }
    }

    private static func type(_ value: StoredValue) -> Oid {
        switch value {
        case .null: 0
        case .integer: ServerType.int8
        case .text: ServerType.text
        case .bytes: ServerType.bytes
        }
    }

    private static func withBytes<T>(
        of arguments: [StoredValue],
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> T
    ) -> T {
        var bytes: [UInt8] = []
        var places: [Range<Int>?] = []
        for argument in arguments {
            let start = bytes.count
            places.append(bytes.append(binary: argument) ? start..<bytes.count : nil)
            // An empty value needs an address, too: a null pointer means no value.
            bytes.append(0)
        }
        let formats = [Int32](repeating: 1, count: arguments.count)
        return bytes.withUnsafeBytes { buffer in
            let base = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            return body(
                places.map { place in place.flatMap { base?.advanced(by: $0.lowerBound) } },
                places.map { Int32($0?.count ?? 0) }, formats)
        }
    }

    /// An array of one dimension as it is sent (`array_recv`).
    private static func array(_ keys: [Data]) -> Data {
        var bytes: [UInt8] = []
        let isEmpty = keys.isEmpty
        bytes.append(bigEndian: Int32(isEmpty ? 0 : 1))
        bytes.append(bigEndian: Int32(0))
        bytes.append(bigEndian: ServerType.bytes)
        if !isEmpty {
            bytes.append(bigEndian: Int32(keys.count))
            bytes.append(bigEndian: Int32(1))
        }
        for key in keys {
            bytes.append(bigEndian: Int32(key.count))
            bytes.append(contentsOf: key)
        }
        return Data(bytes)
    }

    // MARK: Bulk

    private static let copyBuffer = 1 << 20

    /// Inserts rows by COPY in its binary format ("COPY, Binary Format").
    func copy(into table: String, _ columns: [String], _ rows: [[StoredValue]]) throws {
        let start = try answer(
            PQsendQuery(handle, "COPY \(table) (\(columns.joined(separator: ", "))) FROM STDIN (FORMAT binary)"))
        try check(start, [PGRES_COPY_IN])
        // The signature, then no flags and no extension.
        var buffer: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0] + [UInt8](repeating: 0, count: 8)
        for row in rows {
            buffer.append(bigEndian: Int16(row.count))
            for value in row {
                let place = buffer.count
                buffer.append(bigEndian: Int32(-1))
                guard buffer.append(binary: value) else { continue }
                let count = Int32(buffer.count - place - 4)
                withUnsafeBytes(of: count.bigEndian) { buffer.replaceSubrange(place..<place + 4, with: $0) }
            }
            if buffer.count > Self.copyBuffer { try send(&buffer) }
        }
        buffer.append(bigEndian: Int16(-1))
        try send(&buffer)
        try check(answer(untilQueued { PQputCopyEnd(handle, nil) }), [PGRES_COMMAND_OK])
    }

    /// Queues something to be sent, of which libpq says 0 while it has no room for it, and sends what is queued.
    private func untilQueued(_ queue: () -> Int32) throws -> Int32 {
        let end = ContinuousClock.now + patience
        var isQueued = queue()
        while isQueued == 0 {
            try flush(until: end)
            isQueued = queue()
        }
        try flush(until: end)
        return isQueued
    }

    private func flush(until end: ContinuousClock.Instant) throws {
        while PQflush(handle) == 1 {
            guard wait(for: POLLIN | POLLOUT, until: end) else { throw giveUp() }
        }
    }

    private func send(_ buffer: inout [UInt8]) throws {
        let isSent = try buffer.withUnsafeBytes { bytes in
            try untilQueued {
                PQputCopyData(handle, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
            }
        }
        guard isSent == 1 else { throw error(PostgresResult(nil)) }
        buffer.removeAll(keepingCapacity: true)
    }

    // MARK: Commits

    /// Commits the transaction. What returns is durable, also on synchronous standbys. Throws
    /// ``StorageError/unconfirmed(_:)`` when it may be committed all the same, and any other ``StorageError`` when it
    /// is not.
    func commit(within patience: Duration) throws {
        warnings.texts = []
        guard PQsendQuery(handle, "COMMIT") == 1 else {
            throw StorageError.connectionLost(Self.words(PQerrorMessage(handle)))
        }
        var isAnswered = awaitAnswer(until: .now + patience)
        let isCancelled = !isAnswered
        if isCancelled {
            // The server waits for a standby. It keeps what is committed, and warns.
            cancel()
            isAnswered = awaitAnswer(until: .now + .seconds(5))
        }
        // A request to cancel that arrives late would end the next statement on this connection.
        defer { isGivenUp = isGivenUp || isCancelled }
        guard isAnswered else { throw StorageError.unconfirmed("the server does not answer to COMMIT") }
        let result = PostgresResult(PQgetResult(handle))
        while isConnected, let more = PQgetResult(handle) { PQclear(more) }
        guard isConnected else { throw StorageError.unconfirmed("the connection was lost during COMMIT") }
        try check(result, [PGRES_COMMAND_OK])
        guard result.tag == "COMMIT" else { throw StorageError.failed("the transaction was rolled back") }
        guard warnings.texts.isEmpty else {
            throw StorageError.unconfirmed(warnings.texts.joined(separator: "; "))
        }
    }

    // MARK: Waiting

    /// Lets work of any length be done, such as copying everything.
    func withoutHurry<T>(_ body: () throws -> T) rethrows -> T {
        let usual = patience
        patience = .seconds(7 * 86_400)
        defer { patience = usual }
        return try body()
    }

    /// The answer to the last statement of what was sent.
    private func answer(_ isSent: Int32) throws -> PostgresResult {
        guard isSent == 1 else { throw StorageError.connectionLost(Self.words(PQerrorMessage(handle))) }
        let end = ContinuousClock.now + patience
        var last = PostgresResult(nil)
        while true {
            guard awaitAnswer(until: end) else { throw giveUp() }
            guard let next = PQgetResult(handle) else { return last }
            last = PostgresResult(next)
            // The server waits for rows now.
            if last.status == PGRES_COPY_IN { return last }
        }
    }

    private func giveUp() -> StorageError {
        isGivenUp = true
        return .connectionLost("the server does not answer")
    }

    /// Waits for the answer to what was sent. Returns false if the time is over.
    private func awaitAnswer(until end: ContinuousClock.Instant) -> Bool {
        while true {
            let unsent = PQflush(handle)
            // A lost connection counts as an answer: the next result says so.
            if unsent < 0 || (unsent == 0 && PQisBusy(handle) == 0) { return true }
            guard wait(for: unsent == 1 ? POLLIN | POLLOUT : POLLIN, until: end) else { return false }
        }
    }

    /// Waits until the server has read or written something. Returns false if the time is over.
    private func wait(for events: Int32, until end: ContinuousClock.Instant) -> Bool {
        let left = ContinuousClock.now.duration(to: end)
        guard left > .zero else { return false }
        var descriptor = pollfd(fd: PQsocket(handle), events: Int16(events), revents: 0)
        let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
        _ = poll(&descriptor, 1, Int32(clamping: milliseconds + 1))
        // What is wrong with the connection is told by the next result.
        if Int32(descriptor.revents) & ~POLLOUT != 0 { _ = PQconsumeInput(handle) }
        return true
    }

    /// Asks the server to stop what it does. Nobody waits for that: the server may stand still.
    private func cancel() {
        guard let cancel = PQgetCancel(handle) else { return }
        let request = CancelRequest(handle: cancel)
        Thread.detachNewThread { request.send() }
    }

    private struct CancelRequest: @unchecked Sendable {
        let handle: OpaquePointer

        func send() {
            var reason = [CChar](repeating: 0, count: 256)
            _ = PQcancel(handle, &reason, Int32(reason.count))
            PQfreeCancel(handle)
        }
    }

    // MARK: Errors

    private func check(_ result: PostgresResult, _ good: [ExecStatusType]) throws {
        guard good.contains(result.status) else { throw error(result) }
    }

    private func error(_ result: PostgresResult) -> StorageError {
        let state = result.state
        guard isConnected || !state.isEmpty else { return .connectionLost(Self.words(PQerrorMessage(handle))) }
        return StorageError(sqlState: state, result.message)
    }

    /// What libpq says, in one line.
    private static func words(_ text: UnsafePointer<CChar>?) -> String {
        let lines = text.map { String(cString: $0) }?.split(separator: "\n") ?? []
        return lines.isEmpty
            ? "no reason given" : lines.map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: "; ")
    }
}
