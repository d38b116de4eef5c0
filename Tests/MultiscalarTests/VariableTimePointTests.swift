import Bytes
import Multiscalar
import Ristretto255
import Sodium
import Testing

/// Decoding compared with libsodium's after our own test for canonical encodings.
@Suite struct VariableTimePointTests {
    private func refusal(_ body: () throws(DecodingError) -> Void) -> DecodingError? {
        do { try body() } catch { return error }
        return nil
    }

    private func expectSameVerdict(_ encodings: [[UInt8]], on engine: Engine) {
        for encoding in encodings {
            let expected = refusal { () throws(DecodingError) in
                guard let bytes = Bytes32(encoding) else { return }
                _ = try GroupElement(decoding: bytes)
            }
            let found = refusal { () throws(DecodingError) in
                do { _ = try encoding.withUnsafeBytes { try VariableTimePoint.decode($0, engine: engine) } } catch {
                    throw error as? DecodingError ?? .nonCanonicalScalar
                }
            }
            #expect(found == expected, "\(Hex.encode(encoding))")
        }
    }

    /// Encodings near the boundaries: small numbers, numbers around p, and numbers with bit 255.
    private var borders: [[UInt8]] {
        (0..<64).map { [UInt8($0)] + [UInt8](repeating: 0, count: 31) }
            + (0xC0...0xFF).map { [UInt8($0)] + [UInt8](repeating: 0xFF, count: 30) + [0x7F] }
            + (0xC0...0xFF).map { [UInt8($0)] + [UInt8](repeating: 0xFF, count: 31) }
            + (0..<64).map { [UInt8($0)] + [UInt8](repeating: 0, count: 30) + [0x80] }
    }

    @Test(arguments: engines.map(\.name))
    func bordersAndRandomBytesAreJudgedAsByLibsodium(engine name: String) throws {
        let engine = try #require(engines.first { $0.name == name }).engine
        expectSameVerdict(borders, on: engine)
        expectSameVerdict(
            (0..<2000).map { _ in
                var bytes = SystemRandomness.bytes(32)
                bytes[0] &= 0xFE
                bytes[31] &= 0x7F
                return bytes
            }, on: engine)
        for _ in 0..<100 {
            let good = randomElement().encoding.array
            expectSameVerdict(
                [good]
                    + (0..<8).map { bit in
                        good.enumerated().map { $0.offset == bit * 4 ? $0.element ^ 1 << bit : $0.element }
                    },
                on: engine)
        }
    }

    @Test(arguments: engines.map(\.name))
    func theFirstThatIsWrongIsNamed(engine name: String) throws {
        let engine = try #require(engines.first { $0.name == name }).engine
        let good = GroupElement.base.encoding.array
        let identity = [UInt8](repeating: 0, count: 32)
        let odd = [1] + [UInt8](repeating: 0, count: 31)
        for count in [1, 2, 3, 7, 8, 9, 13, 16, 17] {
            for index in 0..<count {
                for (bad, rule) in [(identity, DecodingError.identityPoint), (odd, .nonCanonicalPoint)] {
                    var encodings = [[UInt8]](repeating: good, count: count)
                    encodings[index] = bad
                    // A later encoding is wrong in another way, which must not matter.
                    if index + 1 < count { encodings[count - 1] = rule == .identityPoint ? odd : identity }
                    #expect(throws: rule) {
                        try encodings.flatMap { $0 }.withUnsafeBytes {
                            try VariableTimePoint.decode($0, engine: engine)
                        }
                    }
                }
            }
        }
        #expect(try decode([], on: engine).isEmpty)
    }

    @Test(arguments: engines.map(\.name))
    func enginesDecodeToTheSamePoints(engine name: String) throws {
        let engine = try #require(engines.first { $0.name == name }).engine
        for count in 1...20 {
            let elements = (0..<count).map { _ in randomElement() }
            for (a, b) in zip(try decode(elements, on: engine), try decode(elements, on: .portable)) {
                for (x, y) in [
                    (a.cached.yPlusX, b.cached.yPlusX), (a.cached.yMinusX, b.cached.yMinusX),
                    (a.cached.xy2d, b.cached.xy2d),
                ] {
                    #expect((x - y).isZero)
                }
            }
        }
    }
}
