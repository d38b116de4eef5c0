import Bytes
import EmulatedLanes
import Multiscalar
import Ristretto255
import Testing

/// The encodings of RFC 9496 and scalars, on every engine.
@Suite struct EngineVectorTests {
    private static let engines: [Engine] = [
        .portable, .current,
        .lanes(
            LaneFunctions(
                decode: emulated_decode, windowSums: emulated_window_sums, outerProducts: emulated_outer_products)),
    ]

    private func decode(_ encoding: [UInt8], _ engine: Engine) throws -> VariableTimePoint {
        try encoding.withUnsafeBytes { try VariableTimePoint.decode($0, engine: engine) }[0]
    }

    @Test func pointsAreAcceptedAndRefused() throws {
        for vector in try VectorFiles.load(ProtocolVectors.self).flatMap({ $0.points ?? [] }) {
            let encoding = try vector.encoding.bytes32()
            for engine in Self.engines {
                if !vector.valid {
                    #expect(throws: DecodingError.nonCanonicalPoint) { try decode(encoding.array, engine) }
                } else if encoding.isZero {
                    #expect(throws: DecodingError.identityPoint) { try decode(encoding.array, engine) }
                } else {
                    var sum = VariableTimeSum(engine: engine)
                    sum.add(.one, try decode(encoding.array, engine))
                    #expect(sum.value.element.encoding == encoding)
                }
            }
        }
    }

    @Test func multiplesOfTheBasePoint() throws {
        for file in try VectorFiles.load(ProtocolVectors.self) {
            for (index, multiple) in (file.multiplesOfB ?? []).enumerated() {
                for engine in Self.engines {
                    var sum = VariableTimeSum(engine: engine)
                    sum.add(VariableTimeScalar(Scalar(UInt64(index))), .base)
                    #expect(sum.value.element.encoding == (try multiple.bytes32()))
                }
            }
        }
    }

    @Test func scalarsAreAcceptedAndRefused() throws {
        for vector in try VectorFiles.load(ProtocolVectors.self).flatMap({ $0.scalars ?? [] }) {
            let scalar = Result {
                try vector.encoding.bytes.withUnsafeBytes { try VariableTimeScalar(decoding: $0, at: 0) }
            }
            #expect(((try? scalar.get()) != nil) == vector.valid)
        }
    }
}
