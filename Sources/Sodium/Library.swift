import CSodium

/// libsodium, ready for use.
///
/// Every call into libsodium from this package goes through a type that touches ``ready`` first, so that the library
/// has chosen its implementations and opened the system's random number generator before anything depends on them.
public enum SodiumLibrary {
    /// Initialises the library, once. Traps if the system has no secure random number generator: nothing would be safe
    /// then.
    public static let ready: Void = {
        precondition(sodium_init() >= 0, "libsodium could not be initialised")
    }()

    /// The version of the library that is in use.
    public static var version: String { String(cString: sodium_version_string()) }

    /// Traps unless a call succeeded whose arguments are always valid: its result would be memory that nobody wrote.
    /// The products of secret scalars are not checked so: libsodium reports an identity as a failure, and to branch on
    /// that would tell that a scalar is zero.
    @inline(__always) public static func require(_ status: Int32) {
        precondition(status == 0, "libsodium failed")
    }
}

/// The system's cryptographically secure random number generator.
public enum SystemRandomness {
    /// `count` fresh random bytes.
    public static func bytes(_ count: Int) -> [UInt8] {
        SodiumLibrary.ready
        var bytes = [UInt8](repeating: 0, count: count)
        randombytes_buf(&bytes, count)
        return bytes
    }

    /// A uniformly random integer in `0..<upperBound`.
    public static func integer(below upperBound: UInt32) -> UInt32 {
        SodiumLibrary.ready
        return randombytes_uniform(upperBound)
    }
}
