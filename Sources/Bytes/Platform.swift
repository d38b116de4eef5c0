// What the protocol's core needs of the system it runs on, in one place. Embedded Swift has neither environment, nor
// clock, nor threads.
#if hasFeature(Embedded)
#elseif canImport(Glibc)
    import Glibc
    package import Synchronization
#elseif canImport(Musl)
    import Musl
    package import Synchronization
#elseif canImport(Darwin)
    import Darwin
    package import Synchronization
#endif

#if hasFeature(Embedded)
    /// A value that one thread at a time may change: here there is one thread.
    package struct Mutex<Value>: ~Copyable, @unchecked Sendable {
        private final class Cell {
            var value: Value
            init(_ value: Value) { self.value = value }
        }
        private let cell: Cell

        package init(_ value: Value) { cell = Cell(value) }

        /// Gives `body` the value, which it may change.
        package borrowing func withLock<Result>(_ body: (inout Value) -> Result) -> Result { body(&cell.value) }
    }
#else
    package typealias Mutex = Synchronization.Mutex
#endif

/// The system that the program runs on.
public enum Platform {
    /// The value of a variable of the environment; nil when it is not set.
    public static func environment(_ name: String) -> String? {
        #if hasFeature(Embedded)
            nil
        #else
            getenv(name).map { String(cString: $0) }
        #endif
    }

    #if !hasFeature(Embedded)
        /// Whole seconds since 1970-01-01T00:00:00Z, as the machine's clock says.
        public static var secondsSince1970: Int64 {
            var now = timespec()
            clock_gettime(CLOCK_REALTIME, &now)
            return Int64(now.tv_sec)
        }
    #endif
}
