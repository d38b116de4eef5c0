import Ristretto255

/// A sum of public multiples of public points, in **variable time**: nothing secret may enter, and no secret type is
/// accepted.
///
/// The interface that the proof verifier uses. It collects terms and multiplies them all at once, by Pippenger's
/// method.
public struct VariableTimeSum: Sendable {
    /// How many terms are multiplied together at most. More are summed in parts, so that memory stays bounded.
    package static let termLimit = 1 << 17

    private var scalars: [VariableTimeScalar] = []
    private var points: [VariableTimePoint] = []
    private var total = EdwardsPoint.identity

    private let engine: Engine

    /// The empty sum.
    public init() {
        self.init(engine: .current)
    }

    /// The same on a given engine.
    package init(engine: Engine) {
        self.engine = engine
    }

    /// Adds `scalar` times `point`.
    public mutating func add(_ scalar: VariableTimeScalar, _ point: VariableTimePoint) {
        if scalars.count >= Self.termLimit { collect() }
        scalars.append(scalar)
        points.append(point)
    }

    /// The value of a sum.
    public struct Value: Sendable {
        private let point: EdwardsPoint

        fileprivate init(_ point: EdwardsPoint) {
            self.point = point
        }

        /// True for the identity of ristretto255.
        public var isIdentity: Bool { point.isRistrettoIdentity }

        /// The encoded element. Encoding two at once is faster: ``elements(of:_:)``.
        public var element: GroupElement { Self.elements(of: self, self).0 }

        /// Two encoded elements (RFC 9496 section 4.3.2).
        public static func elements(of first: Value, _ second: Value) -> (GroupElement, GroupElement) {
            let encodings = (EncodingCandidate(first.point), EncodingCandidate(second.point))
            let powers = FieldPair(encodings.0.powerBase, encodings.1.powerBase).powerForSquareRoot
            return (encodings.0.element(power: powers.first), encodings.1.element(power: powers.second))
        }

        /// The sum.
        public static func + (left: Value, right: Value) -> Value {
            Value(left.point + right.point)
        }

        /// The difference.
        public static func - (left: Value, right: Value) -> Value {
            Value(left.point + right.point.negative)
        }
    }

    /// The value of the sum.
    public var value: Value {
        Value(total + MultiscalarMultiplication.sum(scalars, points, engine: engine))
    }

    private mutating func collect() {
        total = total + MultiscalarMultiplication.sum(scalars, points, engine: engine)
        scalars.removeAll(keepingCapacity: true)
        points.removeAll(keepingCapacity: true)
    }
}
