import Multiscalar
import Testing

/// The rules of arithmetic, at values where words carry.
@Suite struct FieldElementTests {
    private static let p = FieldElement(.max - 18, .max, .max, .max >> 1)
    /// Tight values, as products are.
    private static let tight: [FieldElement] = [
        .zero, .one, FieldElement(18, 0, 0, 0), FieldElement(19, 0, 0, 0), FieldElement(38, 0, 0, 0),
        FieldElement(.max, 0, 0, 0), FieldElement(.max, .max, .max, 0), FieldElement(0, 0, 0, 1 << 62),
        FieldElement(.max - 19, .max, .max, .max >> 1), p, FieldElement(.max - 17, .max, .max, .max >> 1),
        FieldElement(.max, .max, .max, .max >> 1), FieldElement(0, 0, 0, 1 << 63), FieldElement(1 << 12, 0, 0, 1 << 63),
    ]
    private static let all: [FieldElement] =
        tight + [
            FieldElement(.max - 37, .max, .max, .max), FieldElement(.max - 38, .max, .max, .max),
            FieldElement(.max, .max, .max, .max), FieldElement(0, .max, .max, .max), FieldElement(.max, 0, 0, .max),
        ]

    private func expectEqual(_ a: FieldElement, _ b: FieldElement, _ location: SourceLocation = #_sourceLocation) {
        let (x, y) = (a.canonical, b.canonical)
        #expect([x.w0, x.w1, x.w2, x.w3] == [y.w0, y.w1, y.w2, y.w3], sourceLocation: location)
    }

    private func isTight(_ a: FieldElement) -> Bool {
        a.w3 >> 63 == 0 || (a.w3 == 1 << 63 && a.w2 == 0 && a.w1 == 0 && a.w0 < 1 << 13)
    }

    @Test func productsAreTightAndFollowTheRules() {
        for a in Self.all {
            expectEqual(a.squared, a * a)
            #expect(isTight(a.squared))
            expectEqual(a * .one, a)
            for b in Self.all {
                #expect(isTight(a * b))
                expectEqual(a * b, b * a)
                for c in Self.all {
                    expectEqual(a * b * c, a * (b * c))
                    expectEqual((a.tight + b) * c, a * c + (b * c))
                }
            }
        }
    }

    @Test func sumsAndDifferencesUndoEachOther() {
        for a in Self.all {
            for b in Self.tight {
                expectEqual(a + b - b, a)
                expectEqual(a - b + b, a)
                expectEqual(b + a, a + b)
                expectEqual((a - b) * .one + (b - a.tight), .zero)
            }
        }
    }

    @Test func representativesAreCanonical() {
        #expect(Self.p.isZero)
        #expect(!FieldElement.one.isZero)
        #expect(FieldElement.one.isNegative)
        #expect(!FieldElement(.max - 37, .max, .max, .max).isNegative, "2p is zero")
        expectEqual(FieldElement(.max, .max, .max, .max), FieldElement(37, 0, 0, 0))
        expectEqual(FieldElement(.max, .max, .max, .max >> 1), FieldElement(18, 0, 0, 0))
        for a in Self.all { expectEqual(a.canonical, a.tight) }
    }

    @Test func constantsAreWhatTheyAreCalled() {
        expectEqual(FieldElement.squareRootOfMinusOne.squared + .one, .zero)
        #expect(!FieldElement.squareRootOfMinusOne.isNegative)
        expectEqual(FieldElement.d + .d, .twiceD)
        expectEqual(FieldElement.d * FieldElement(121_666, 0, 0, 0) + FieldElement(121_665, 0, 0, 0), .zero)
    }

    @Test func thePowerIsASquareRoot() {
        // (a^2)^((p-5)/8) a^2 is a root of a^2 or of -a^2: its fourth power is a^4.
        for a in Self.all {
            let square = a.squared
            let powers = FieldPair(square, square * .squareRootOfMinusOne).powerForSquareRoot
            expectEqual((powers.first * square).squared.squared, square.squared)
        }
    }
}
