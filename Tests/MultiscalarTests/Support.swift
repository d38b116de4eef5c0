import Bytes
import EmulatedLanes
import Multiscalar
import Ristretto255
import Sodium

/// The compared engines: plain Swift, the lanes compiled for any processor, and the engine of this processor.
let engines: [(name: String, engine: Engine)] = {
    let emulated = LaneFunctions(
        decode: emulated_decode, windowSums: emulated_window_sums, outerProducts: emulated_outer_products)
    let both: [(String, Engine)] = [("portable", .portable), ("emulated lanes", .lanes(emulated))]
    if case .lanes = Engine.current { return both + [("lanes", .current)] }
    return both
}()

func randomScalar() -> Scalar { Scalar(reducing: SystemRandomness.bytes(64)) }

func randomElement() -> GroupElement { GroupElement.base.multiplied(by: randomScalar()) }

/// 2 to the power of `exponent`, which must be below 253.
func powerOfTwo(_ exponent: Int) -> Scalar {
    (0..<exponent).reduce(Scalar.one) { power, _ in power + power }
}

/// Scalars at which carries or the signs of digits change.
let edgeScalars: [Scalar] = {
    let powers = [1, 3, 7, 8, 63, 64, 127, 128, 191, 192, 243, 250, 251, 252].map(powerOfTwo)
    let near = powers.flatMap { [$0 - .one, $0, $0 + .one] }
    let all = [Scalar.zero, .one] + near
    return all + all.map { -$0 }
}()

func decode(_ elements: [GroupElement], on engine: Engine) throws -> [VariableTimePoint] {
    try elements.flatMap { $0.encoding.array }.withUnsafeBytes { try VariableTimePoint.decode($0, engine: engine) }
}
