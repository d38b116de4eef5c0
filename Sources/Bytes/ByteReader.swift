/// Reads fields off the front of bytes that may be hostile. It never traps: a field that is not there is nil.
public struct ByteReader: Sendable {
    private var rest: ArraySlice<UInt8>

    /// Reads from the first byte of `bytes`.
    public init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    /// True when every byte has been read. A format is only accepted when this holds at its end.
    public var isAtEnd: Bool { rest.isEmpty }

    /// The next `count` bytes, or nil when there are fewer.
    public mutating func read(_ count: Int) -> [UInt8]? {
        guard count >= 0, rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    /// The next 32 bytes.
    public mutating func read32() -> Bytes32? {
        read(Bytes32.count).flatMap { Bytes32($0) }
    }

    /// The next big-endian integer of `T`'s width.
    public mutating func readInteger<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type = T.self) -> T? {
        guard let bytes = read(T.bitWidth / 8) else { return nil }
        return bytes.reduce(0) { ($0 << 8) | T($1) }
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
