import Bytes
import Multiscalar
import Ristretto255
import Sodium
import Testing

/// Sums compared with libsodium's, term by term.
@Suite struct VariableTimeSumTests {
    private struct Term {
        let scalar: Scalar
        let element: GroupElement
    }

    /// True if the engine and libsodium agree on the sum, and the engine does not take their difference plus `B` for
    /// the identity.
    private func isRight(_ terms: [Term], on engine: Engine) throws -> Bool {
        let expected = terms.reduce(GroupElement.identity) { $0 + $1.element.multiplied(by: $1.scalar) }
        var sum = VariableTimeSum(engine: engine)
        for (term, point) in zip(terms, try decode(terms.map(\.element), on: engine)) {
            sum.add(VariableTimeScalar(term.scalar), point)
        }
        guard sum.value.isIdentity == expected.isIdentity, sum.value.element == expected else { return false }
        if !expected.isIdentity { sum.add(-.one, try decode([expected], on: engine)[0]) }
        guard sum.value.isIdentity else { return false }
        sum.add(.one, VariableTimePoint(.base))
        return !sum.value.isIdentity
    }

    @Test(arguments: engines.map(\.name))
    func edgeScalarsMultiply(engine name: String) throws {
        let engine = try #require(engines.first { $0.name == name }).engine
        let element = randomElement()
        for scalar in edgeScalars { #expect(try isRight([Term(scalar: scalar, element: element)], on: engine)) }
        #expect(try isRight(edgeScalars.map { Term(scalar: $0, element: randomElement()) }, on: engine))
    }

    @Test(arguments: engines.map(\.name))
    func repeatedAndOppositePointsAddUp(engine name: String) throws {
        let engine = try #require(engines.first { $0.name == name }).engine
        let element = randomElement()
        let opposite = GroupElement.identity - element
        for scalar in edgeScalars + [randomScalar()] {
            for other in [scalar, -scalar, scalar + .one] {
                let same = [Term(scalar: scalar, element: element), Term(scalar: other, element: element)]
                #expect(try isRight(same, on: engine))
                let mixed = [Term(scalar: scalar, element: element), Term(scalar: other, element: opposite)]
                #expect(try isRight(mixed, on: engine))
            }
        }
        let many = (0..<300).map { Term(scalar: edgeScalars[$0 % 20], element: $0 % 3 == 0 ? opposite : element) }
        #expect(try isRight(many, on: engine))
    }

    /// Sizes that use every window width up to 11 bits, and partly filled lanes.
    @Test(arguments: engines.map(\.name))
    func randomSumsOfEverySize(engine name: String) throws {
        let engine = try #require(engines.first { $0.name == name }).engine
        for count in [0, 1, 2, 3, 8, 9, 20, 50, 120, 300, 700, 1500, 4000] {
            // Elements with known logarithms, so that libsodium adds scalars instead of points.
            let logarithms = (0..<count).map { _ in randomScalar() }
            let scalars = (0..<count).map { index in
                index % 5 == 0 ? Scalar(littleEndian: SystemRandomness.bytes(16)) : randomScalar()
            }
            let points = try decode(logarithms.map { GroupElement.base.multiplied(by: $0) }, on: engine)
            var sum = VariableTimeSum(engine: engine)
            for (scalar, point) in zip(scalars, points) { sum.add(VariableTimeScalar(scalar), point) }
            let total = zip(scalars, logarithms).reduce(Scalar.zero) { $0 + $1.0 * $1.1 }
            sum.add(-VariableTimeScalar(total), VariableTimePoint(.base))
            #expect(sum.value.isIdentity, "\(count) terms")
            sum.add(.one, VariableTimePoint(.base))
            #expect(!sum.value.isIdentity, "\(count) terms")
        }
    }

    @Test func moreTermsThanAreMultipliedAtOnceAddUp() throws {
        // Equally many terms p and -p: however they are collected in parts, nothing remains.
        let point = VariableTimePoint(randomElement())
        let scalar = VariableTimeScalar(randomScalar())
        var sum = VariableTimeSum()
        let count = VariableTimeSum.termLimit + 10
        for index in 0..<count { sum.add(index % 2 == 0 ? scalar : -scalar, point) }
        #expect(sum.value.isIdentity)
    }

    /// Elements are encoded as by libsodium, whichever point of the coset and whichever coordinates represent them.
    @Test func valuesEncode() throws {
        for index in 0..<300 {
            let element = randomElement()
            let point = VariableTimePoint(element)
            var sum = VariableTimeSum()
            for _ in 0...index % 7 { sum.add(.one, point) }
            let expected = element.multiplied(by: Scalar(UInt64(index % 7 + 1)))
            #expect(sum.value.element == expected)
            let both = VariableTimeSum.Value.elements(of: sum.value, sum.value + sum.value)
            #expect(both.0 == expected)
            #expect(both.1 == expected + expected)
            #expect((sum.value - sum.value).element == .identity)
        }
        #expect(VariableTimeSum().value.element == .identity)
    }

    @Test func valuesSubtract() {
        var left = VariableTimeSum()
        left.add(VariableTimeScalar(Scalar(7)), VariableTimePoint(.base))
        var right = VariableTimeSum()
        right.add(VariableTimeScalar(Scalar(5)), VariableTimePoint(.base))
        #expect(!(left.value - right.value).isIdentity)
        right.add(VariableTimeScalar(Scalar(2)), VariableTimePoint(.base))
        #expect((left.value - right.value).isIdentity)
    }
}
