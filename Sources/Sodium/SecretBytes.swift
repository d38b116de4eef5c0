import Bytes
import CSodium

/// Secret bytes in memory of their own: guarded, kept out of swap where the system allows it, and wiped when released.
///
/// Noncopyable and without conformances on purpose: a secret cannot be printed, compared with `==`, hashed, encoded or
/// captured by accident. Its bytes are accessible only inside a closure.
public struct SecretBytes: ~Copyable, @unchecked Sendable {
    /// The number of bytes.
    public let count: Int
    // Sendable: the memory has one owner and is written only through mutating accesses.
    private let memory: UnsafeMutableRawPointer

    /// `count` zero bytes. Traps if the system is out of memory.
    public init(count: Int) {
        SodiumLibrary.ready
        guard let memory = sodium_malloc(count) else { preconditionFailure("no memory for a secret") }
        sodium_memzero(memory, count)
        self.count = count
        self.memory = memory
    }

    /// `count` fresh random bytes.
    public init(randomCount count: Int) {
        self.init(count: count)
        randombytes_buf(memory, count)
    }

    /// Copies `bytes`. The caller wipes its own copy.
    public init(copying bytes: UnsafeRawBufferPointer) {
        self.init(count: bytes.count)
        if let source = bytes.baseAddress { memory.copyMemory(from: source, byteCount: bytes.count) }
    }

    /// Copies public bytes, such as those of a test vector.
    package init(copying bytes: [UInt8]) {
        self.init(count: bytes.count)
        bytes.withUnsafeBytes { source in
            if let base = source.baseAddress { memory.copyMemory(from: base, byteCount: source.count) }
        }
    }

    /// Moves `bytes` in: the array is overwritten with zeros.
    public init(moving bytes: inout [UInt8]) {
        self.init(count: bytes.count)
        bytes.withUnsafeMutableBytes { source in
            guard let base = source.baseAddress else { return }
            memory.copyMemory(from: base, byteCount: source.count)
            sodium_memzero(base, source.count)
        }
    }

    deinit {
        // sodium_free does so too, but not where memory has no pages, as in a browser.
        sodium_memzero(memory, count)
        sodium_free(memory)
    }

    /// Passes the bytes to `body` for reading.
    public borrowing func withUnsafeBytes<R: ~Copyable, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try body(UnsafeRawBufferPointer(start: memory, count: count))
    }

    /// Passes the bytes to `body`, which may change them.
    public mutating func withUnsafeMutableBytes<R: ~Copyable, E: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try body(UnsafeMutableRawBufferPointer(start: memory, count: count))
    }

    /// A copy of the bytes, in memory of its own.
    public borrowing func duplicate() -> SecretBytes {
        withUnsafeBytes { SecretBytes(copying: $0) }
    }

    /// True when both hold the same bytes. Takes the same time whatever the bytes are; lengths are not secret.
    public borrowing func isEqual(to other: borrowing SecretBytes) -> Bool {
        guard count == other.count else { return false }
        return sodium_memcmp(memory, other.memory, count) == 0
    }
}

extension [UInt8] {
    /// Overwrites the array's storage with zeros. For secret bytes that could not be kept in ``SecretBytes``.
    public mutating func wipe() {
        withUnsafeMutableBytes { bytes in
            if let base = bytes.baseAddress { sodium_memzero(base, bytes.count) }
        }
    }
}

/// Comparisons of values of public length, in a time that does not depend on how far they agree.
public enum ConstantTime {
    /// True when both are the same 32 bytes.
    public static func areEqual(_ left: Bytes32, _ right: Bytes32) -> Bool {
        left.withPointer { l in right.withPointer { r in sodium_memcmp(l, r, Bytes32.count) == 0 } }
    }
}

extension UnsafeRawBufferPointer {
    /// The address of the bytes, for libsodium. Traps on an empty buffer.
    package var bytePointer: UnsafePointer<UInt8> {
        guard let base = bindMemory(to: UInt8.self).baseAddress else { preconditionFailure("an empty buffer") }
        return base
    }
}

extension UnsafeMutableRawBufferPointer {
    /// The address of the bytes, for libsodium. Traps on an empty buffer.
    package var bytePointer: UnsafeMutablePointer<UInt8> {
        guard let base = bindMemory(to: UInt8.self).baseAddress else { preconditionFailure("an empty buffer") }
        return base
    }
}
