import Bytes
import Multiscalar
import Ristretto255
import Sodium
import Testing

/// Scalars compared with libsodium's.
@Suite struct VariableTimeScalarTests {
    @Test func operationsAgreeWithLibsodium() {
        let scalars = edgeScalars + (0..<40).map { _ in randomScalar() }
        for a in scalars {
            #expect(VariableTimeScalar(-a) == -VariableTimeScalar(a))
            for b in scalars {
                #expect(VariableTimeScalar(a + b) == VariableTimeScalar(a) + VariableTimeScalar(b))
                #expect(VariableTimeScalar(a - b) == VariableTimeScalar(a) - VariableTimeScalar(b))
                #expect(VariableTimeScalar(a * b) == VariableTimeScalar(a) * VariableTimeScalar(b))
            }
        }
    }

    @Test func decodingRefusesWhatIsNotBelowTheOrder() throws {
        let largest = (-Scalar.one).bytes.array
        for offset in 0..<3 {
            let bytes = [UInt8](repeating: 0xFF, count: offset) + largest
            let read = try bytes.withUnsafeBytes { try VariableTimeScalar(decoding: $0, at: offset) }
            #expect(read == -VariableTimeScalar.one)
        }
        // The order itself, one more, and values with one byte above that of the order.
        var refused: [[UInt8]] = [[UInt8](repeating: 0xFF, count: 32)]
        for increment in 1...2 { refused.append([largest[0] + UInt8(increment)] + largest.dropFirst()) }
        for index in 0..<32 where largest[index] < 0xFF {
            var bytes = largest
            bytes[index] += 1
            refused.append(bytes)
        }
        for bytes in refused {
            #expect(throws: DecodingError.nonCanonicalScalar) {
                try bytes.withUnsafeBytes { try VariableTimeScalar(decoding: $0, at: 0) }
            }
        }
    }

    @Test func weightsAreIntegers() {
        let most = powerOfTwo(128) - .one
        #expect(VariableTimeScalar(low: .max, high: .max) == VariableTimeScalar(most))
        #expect(VariableTimeScalar(low: 5, high: 0) == VariableTimeScalar(Scalar(5)))
    }

    @Test(arguments: engines.map(\.name))
    func outerProductsAreSumsOfProducts(engine name: String) throws {
        let engine = try #require(engines.first { $0.name == name }).engine
        let edges = edgeScalars.map(VariableTimeScalar.init)
        for (leftCount, rightCount) in [(4, 1), (4, 4), (16, 4), (16, 16), (64, 16), (3, 9)] {
            for records in [1, 2, 63, 64, 65, 130] {
                var sums = ScalarOuterProducts(leftCount: leftCount, rightCount: rightCount, engine: engine)
                var expected = [VariableTimeScalar](repeating: .zero, count: leftCount * rightCount)
                for record in 0..<records {
                    // Only the largest scalar in the fullest block; edge cases elsewhere.
                    let value = { (index: Int) in
                        records == 64 ? -VariableTimeScalar.one : edges[(7 * record + 3 * index) % edges.count]
                    }
                    let left = (0..<leftCount).map(value)
                    let right = (leftCount..<leftCount + rightCount).map(value)
                    sums.add(left, right)
                    for h in 0..<leftCount {
                        for l in 0..<rightCount {
                            expected[h * rightCount + l] = expected[h * rightCount + l] + left[h] * right[l]
                        }
                    }
                }
                #expect(sums.values == expected, "\(leftCount) by \(rightCount), \(records) records")
            }
        }
    }
}
