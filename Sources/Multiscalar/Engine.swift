import Bytes
import CIFMA
import Platform

/// What does the arithmetic: plain Swift, or vectors of eight lanes. Both give the same results; the lanes are tested
/// against the Swift code.
package enum Engine: Sendable {
    /// Plain Swift, on any processor.
    case portable
    /// Eight lanes, on processors with AVX-512 IFMA.
    case lanes(LaneFunctions)

    /// The fastest engine on this processor, or the portable one if the environment has `ROUNDROBIN_ENGINE=portable`.
    /// Chosen once.
    package static let current: Engine = {
        let isForced = Environment.variable("ROUNDROBIN_ENGINE") == "portable"
        return ifma_is_supported() == 1 && !isForced ? .lanes(.ifma) : .portable
    }()

    /// Its name in reports: `portable` or `ifma`.
    package var name: String {
        switch self {
        case .portable: "portable"
        case .lanes: "ifma"
        }
    }
}

/// The functions of `ifma.h`, as values, so that tests can substitute the same source compiled for any processor.
package struct LaneFunctions: Sendable {
    package typealias Decode =
        @convention(c) @Sendable (
            UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<UInt64>?, UnsafeMutablePointer<UInt8>?
        ) -> Void
    package typealias WindowSums =
        @convention(c) @Sendable (
            UnsafePointer<UInt64>?, UnsafePointer<Int16>?, Int, Int, UnsafeMutablePointer<UInt64>?,
            UnsafeMutablePointer<UInt64>?
        ) -> Void
    package typealias OuterProducts =
        @convention(c) @Sendable (
            UnsafePointer<UInt64>?, Int, UnsafePointer<UInt64>?, Int, Int, UnsafeMutablePointer<UInt64>?,
            UnsafeMutablePointer<UInt64>?
        ) -> Void

    /// Lanes of a vector.
    package static let count = Int(IFMA_LANES)
    /// How many 64-bit words of room ``windowSums`` needs for `bucketCount` buckets per lane.
    static func bucketWords(_ bucketCount: Int) -> Int { count * (bucketCount + 1) * 24 + 8 }

    package let decode: Decode
    package let windowSums: WindowSums
    package let outerProducts: OuterProducts

    package init(decode: @escaping Decode, windowSums: @escaping WindowSums, outerProducts: @escaping OuterProducts) {
        self.decode = decode
        self.windowSums = windowSums
        self.outerProducts = outerProducts
    }

    /// The functions that use the AVX-512 IFMA instructions.
    fileprivate static let ifma = LaneFunctions(
        decode: ifma_decode, windowSums: ifma_window_sums, outerProducts: ifma_outer_products)
}
