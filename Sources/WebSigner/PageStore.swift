import Documents
import SignerWallet
import SignerWords

/// A wallet that the page holds, encrypted: what is written is handed to the script, which keeps it for the person to
/// save, and in the browser if the person said so.
final class PageStore: WalletStore {
    private var parts: [String: [UInt8]]
    let name: String
    private let unsaved: (wallet: String, evidence: String)
    /// True if the browser keeps it, too.
    var isKept = false

    /// A store with the bytes of a wallet's file; empty for a new one. The script shows that they are not
    /// saved, in these `words`, as long as the person has not saved what was written.
    init(name: String, wallet: [UInt8]?, words: SignerWords) {
        (self.name, unsaved) = (name, (words(.unsaved), words(.unsavedEvidence)))
        parts = wallet.map { ["": $0] } ?? [:]
    }

    func read(_ suffix: String, limit: Int) throws(SignerError) -> [UInt8]? {
        guard let bytes = parts[suffix] else { return nil }
        guard bytes.count <= limit else { throw .walletTooLarge(path: name + suffix) }
        return bytes
    }

    func write(_ bytes: [UInt8], _ suffix: String) throws(SignerError) {
        // What the browser cannot keep can still be saved as a file.
        parts[suffix] = bytes
        let words = suffix == "" ? unsaved.wallet : unsaved.evidence
        var answer = Page.ask("store", [("suffix", .string(suffix)), ("unsaved", .string(words))], content: bytes)
        if let failure = answer.text("failure") { throw .walletNotWritten(path: name + suffix, reason: failure) }
    }

    /// What was written last under `suffix`.
    subscript(suffix: String) -> [UInt8]? { parts[suffix] }

    /// What is beside the wallet: evidence.
    var more: [(suffix: String, bytes: [UInt8])] {
        parts.filter { $0.key != "" }.map { (suffix: $0.key, bytes: $0.value) }
    }
    var hasMore: Bool { parts.count > 1 }

    /// Whether the wallet, or evidence, was written since the person saved a file of it.
    var isUnsaved: (wallet: Bool, evidence: Bool) {
        var answer = Page.ask("unsaved")
        return (answer.text("wallet") == "yes", answer.text("evidence") == "yes")
    }

    // One page has it as long as it is open: the script keeps other pages out.
    func release() {}
    func take() -> Bool { true }
    func beginsToJoin() -> Bool { true }
}
