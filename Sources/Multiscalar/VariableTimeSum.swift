import Ristretto255

/// A sum of public multiples of public points, in **variable time**: nothing secret may enter, and no secret type fits.
///
/// This is the surface under the proof verifier. It computes with libsodium, one term after the other.
public struct VariableTimeSum {
    private var total = GroupElement.identity

    /// The empty sum.
    public init() {}

    /// Adds `scalar` times `element`.
    public mutating func add(_ scalar: Scalar, _ element: GroupElement) {
        guard scalar != .zero else { return }
        total = total + element.multiplied(by: scalar)
    }

    /// The value of the sum.
    public var value: GroupElement { total }
}
