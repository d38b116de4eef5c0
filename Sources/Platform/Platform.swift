// The only file that depends on the operating system: what the rest of the code needs of it. Embedded Swift has no
// environment, no clock and no threads.
#if hasFeature(Embedded)
#elseif canImport(Glibc)
    @_exported import Glibc
    @_exported import Synchronization
#elseif canImport(Musl)
    @_exported import Musl
    @_exported import Synchronization
#elseif canImport(Darwin)
    @_exported import Darwin
    @_exported import Synchronization
#endif

#if hasFeature(Embedded)
    /// A value that only one thread at a time may change. Embedded Swift has only one thread.
    package struct Mutex<Value>: ~Copyable, @unchecked Sendable {
        private final class Cell {
            var value: Value
            init(_ value: Value) { self.value = value }
        }
        private let cell: Cell

        package init(_ value: Value) { cell = Cell(value) }

        /// Passes the value to `body`, which may change it.
        package borrowing func withLock<Result>(_ body: (inout Value) -> Result) -> Result { body(&cell.value) }
    }
#endif

/// What the operating system provides to the process.
public enum Environment {
    /// Gives memory that the process has freed back to the system, which glibc does by itself only at the end of its
    /// heap. Takes milliseconds: for use after work that needed tens of megabytes. Does nothing with another C library.
    public static func returnFreedMemory() {
        #if canImport(Glibc) && !hasFeature(Embedded)
            // The module of glibc lacks malloc.h.
            typealias Trim = @convention(c) (_ keep: Int) -> Int32
            guard let symbol = dlsym(nil, "malloc_trim") else { return }
            _ = unsafeBitCast(symbol, to: Trim.self)(0)
        #endif
    }

    /// The value of an environment variable; nil when it is not set.
    public static func variable(_ name: String) -> String? {
        #if hasFeature(Embedded)
            nil
        #else
            getenv(name).map { String(cString: $0) }
        #endif
    }

    #if !hasFeature(Embedded)
        /// Whole seconds since 1970-01-01T00:00:00Z by the machine's clock.
        public static var secondsSince1970: Int64 {
            var now = timespec()
            clock_gettime(CLOCK_REALTIME, &now)
            return Int64(now.tv_sec)
        }
    #endif
}
