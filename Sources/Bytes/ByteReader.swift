/// Reads fields in order from bytes that may be hostile. Never traps on them: a missing field is nil.
public struct ByteReader: Sendable {
    private let bytes: [UInt8]
    private var position: Int

    /// Reads `bytes` from offset `start`. Traps unless `start` is within the bytes or at their end.
    public init(_ bytes: [UInt8], from start: Int = 0) {
        precondition((0...bytes.count).contains(start), "a start within the bytes")
        self.bytes = bytes
        position = start
    }

    /// True when every byte has been read. A format is accepted only if this holds after its last field.
    public var isAtEnd: Bool { position == bytes.count }

    /// The range of the next `count` bytes, or nil if there are fewer.
    private mutating func take(_ count: Int) -> Range<Int>? {
        guard count >= 0, bytes.count - position >= count else { return nil }
        defer { position += count }
        return position..<position + count
    }

    /// The next `count` bytes, or nil if there are fewer.
    public mutating func read(_ count: Int) -> [UInt8]? {
        take(count).map { Array(bytes[$0]) }
    }

    /// The next 32 bytes.
    public mutating func read32() -> Bytes32? {
        take(Bytes32.count).map { range in bytes.withUnsafeBytes { Bytes32($0, at: range.lowerBound) } }
    }

    /// The next big-endian integer of `T`'s width.
    @inlinable
    public mutating func readInteger<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type = T.self) -> T? {
        readInteger(byteCount: T.bitWidth / 8).map { T(truncatingIfNeeded: $0) }
    }

    /// The next big-endian integer of up to eight bytes.
    @usableFromInline
    mutating func readInteger(byteCount: Int) -> UInt64? {
        take(byteCount).map { range in bytes[range].reduce(0) { $0 << 8 | UInt64($1) } }
    }
}

extension [UInt8] {
    /// Appends `value` big-endian, in as many bytes as its type has.
    public mutating func appendInteger(_ value: some FixedWidthInteger & UnsignedInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    /// Appends 32 bytes.
    public mutating func append(_ value: Bytes32) {
        value.withUnsafeBytes { append(contentsOf: $0) }
    }
}
