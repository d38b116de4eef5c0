import Documents
import Messages

/// How far a round of a roll is, as its page tells it.
public struct RoundProgress: Equatable, Sendable {
    /// How many enrolled in it, as far as that is published.
    public let issued: UInt64
    /// Until when members hand in their keys at least; nil while people enrol.
    public let joiningUntil: UTCTime?
    /// When the next phase may come; nil where the coordinator's operator begins it.
    public let next: RoundStatus.Next?
    /// About how long it takes until members hand in their keys if as many go on enrolling, in seconds; nil if nobody
    /// can say.
    public let secondsAtThisPace: Double?

    /// The progress of a round.
    public init(issued: UInt64, joiningUntil: UTCTime?, next: RoundStatus.Next?, secondsAtThisPace: Double?) {
        (self.issued, self.joiningUntil) = (issued, joiningUntil)
        (self.next, self.secondsAtThisPace) = (next, secondsAtThisPace)
    }
}
