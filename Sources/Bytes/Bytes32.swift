/// Exactly 32 bytes: the size of every point, scalar, hash, key and id in the protocol.
///
/// Ordered as unsigned bytes, first byte first. A value type without heap storage, so that large collections of tags
/// and ring keys stay small. It gives the bytes no meaning; more specific types do.
public struct Bytes32: Hashable, Comparable, Sendable {
    /// The number of bytes: 32.
    public static let count = 32

    /// The bytes in memory order, eight at a time. Not a SIMD vector: its alignment of 32 is more than Swift 6.3.1
    /// gives the frames of async functions, whose memory it would then free in the wrong order.
    private struct Words: Hashable {
        var first: UInt64 = 0
        var second: UInt64 = 0
        var third: UInt64 = 0
        var fourth: UInt64 = 0
    }
    private var words = Words()

    /// 32 zero bytes.
    public init() {}

    /// Copies `bytes`; nil unless there are exactly 32.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.count else { return nil }
        self.init()
        withUnsafeMutableBytes { destination in
            // Contiguous bytes are copied at once: this is called for every point and hash that is read.
            let isCopied: Void? = bytes.withContiguousStorageIfAvailable {
                destination.copyMemory(from: UnsafeRawBufferPointer($0))
            }
            guard isCopied == nil else { return }
            for (offset, byte) in bytes.enumerated() { destination[offset] = byte }
        }
    }

    /// Copies 32 bytes of `buffer`, starting at `offset`. Traps if there are fewer: callers check lengths first.
    public init(_ buffer: UnsafeRawBufferPointer, at offset: Int) {
        self.init()
        withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[offset..<offset + 32])) }
    }

    /// Passes 32 zero bytes to `body`, which fills them.
    public init(filledBy body: (UnsafeMutablePointer<UInt8>) -> Void) {
        self.init()
        withUnsafeMutableBytes { bytes in
            bytes.withMemoryRebound(to: UInt8.self) { buffer in
                if let base = buffer.baseAddress { body(base) }
            }
        }
    }

    /// The bytes as an array.
    public var array: [UInt8] {
        withUnsafeBytes { Array($0) }
    }

    /// 64 lower-case hexadecimal digits.
    public var hex: String { Hex.encode(array) }

    /// True when every byte is zero. Takes the same time for all values.
    public var isZero: Bool { words.first | words.second | words.third | words.fourth == 0 }

    /// The order as unsigned bytes, first byte first.
    public static func < (left: Bytes32, right: Bytes32) -> Bool {
        let (l, r) = (left.words, right.words)
        if l.first != r.first { return l.first.bigEndian < r.first.bigEndian }
        if l.second != r.second { return l.second.bigEndian < r.second.bigEndian }
        if l.third != r.third { return l.third.bigEndian < r.third.bigEndian }
        return l.fourth.bigEndian < r.fourth.bigEndian
    }

    /// Passes the 32 bytes to `body`.
    @inlinable
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try withPointer { (pointer: UnsafePointer<UInt8>) throws(E) -> R in
            try body(UnsafeRawBufferPointer(start: pointer, count: 32))
        }
    }

    /// Passes a pointer to the 32 bytes to `body`.
    public func withPointer<R, E: Error>(_ body: (UnsafePointer<UInt8>) throws(E) -> R) throws(E) -> R {
        var copy = words
        return try withUnsafeMutablePointer(to: &copy) { (pointer) throws(E) -> R in
            let raw = UnsafeRawPointer(pointer)
            return try body(raw.assumingMemoryBound(to: UInt8.self))
        }
    }

    private mutating func withUnsafeMutableBytes(_ body: (UnsafeMutableRawBufferPointer) -> Void) {
        Swift.withUnsafeMutableBytes(of: &words, body)
    }
}

extension Bytes32: CustomStringConvertible {
    /// The hexadecimal digits.
    public var description: String { hex }
}
