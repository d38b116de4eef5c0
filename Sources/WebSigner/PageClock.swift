import CWebPage
import Documents
import SignerWallet
import Sodium

extension SignerClock {
    /// The clock of the page. While it waits, the person may stop it.
    static let page = SignerClock(
        read: { UTCTime(seconds: Int64(page_now())) },
        sleep: { time throws(SignerError) in
            let (seconds, attoseconds) = time.components
            let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
            var answer = Page.ask("sleep", [("milliseconds", .integer(UInt64(max(0, milliseconds))))])
            if answer.text("button") != nil { throw .interrupted }
        },
        chance: { SystemRandomness.integer(below: $0) },
        elapsed: { .milliseconds(Int64(page_elapsed())) })
}
