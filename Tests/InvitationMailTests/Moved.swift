import Documents
import InvitationMail
import Platform

/// A clock that a test moves.
final class Moved: Sendable {
    let seconds = Mutex<Int64>(1_800_000_000)
    var clock: WallClock { WallClock { UTCTime(seconds: self.seconds.withLock { $0 }) } }
    func pass(_ more: Int64) { seconds.withLock { $0 += more } }
}
