import Bytes
import Documents
import Languages
import Petitions
import SignerWallet
import SignerWords
import TransparencyLog

/// Receipts: checked without any network, saved, and printed.
extension Session {
    func showReceipt(_ summary: Wallet.SignatureSummary) throws(SignerError) {
        var lines = try check(summary.entry, summary.receipt, .theSignature, summary)
        if let withdrawal = summary.withdrawal {
            lines += try check(withdrawal.record, withdrawal.receipt, .theWithdrawal, summary)
        }
        while true {
            let (button, _) = ask {
                var screen = Screen(words(.receiptTitle))
                screen.heading(summary.manifest.text.title)
                screen.facts([(words(.id), summary.manifest.id.hex)])
                for line in lines { screen.text(line) }
                screen.warning(words(.whoHasReceipt))
                screen.button("save", words(.saveReceipt))
                screen.print(words(.print))
                screen.button("back", words(.back), .main)
                return screen
            }
            guard button == "save", let entry = summary.entry, let receipt = summary.receipt else { return }
            let id = summary.manifest.id.hex
            Page.save("\(id).record", entry)
            Page.save("\(id).tlog-proof", receipt.encoded)
        }
    }

    private func check(
        _ entry: [UInt8]?, _ receipt: LogProof?, _ name: SignerPhrase, _ summary: Wallet.SignatureSummary
    ) throws(SignerError) -> [String] {
        guard let entry, let receipt else { return [words(.receiptNone, words(name))] }
        let check = ReceiptCheck(petition: summary.manifest, aggregator: summary.aggregator, clock: clock)
        let checked = try check.check(receipt, entry: entry)
        let head = checked.checkpoint
        var lines = [
            words(
                .receiptGood, words(name), "\(receipt.inclusion.index)", "\(head.size)",
                Base64.encode(head.root.array))
        ]
        if checked.isLate { lines.append(words(.stateLate, "\(receipt.inclusion.index)")) }
        if let seen = checked.seen {
            lines.append(
                words(.receiptSeen, seen.witnesses.joined(separator: ", "), words.language.minute(seen.at.seconds)))
        }
        return lines
    }
}
