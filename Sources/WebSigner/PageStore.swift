import Documents
import SignerWallet

/// A wallet that the page holds, encrypted: what is written is handed to the script, which keeps it for the person to
/// save, and in the browser if the person said so.
final class PageStore: WalletStore {
    private var parts: [String: [UInt8]]
    let name: String
    private let unsaved: String
    /// True if the browser keeps it, too.
    var isKept = false

    /// A store with the bytes of a wallet's file; empty for a new one. `unsaved` is what the script shows as long as
    /// the person has not saved what was written.
    init(name: String, wallet: [UInt8]?, unsaved: String) {
        (self.name, self.unsaved) = (name, unsaved)
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
        var answer = Page.ask("store", [("suffix", .string(suffix)), ("unsaved", .string(unsaved))], content: bytes)
        if let failure = answer.text("failure") { throw .walletNotWritten(path: name + suffix, reason: failure) }
    }

    /// What was written last under `suffix`.
    subscript(suffix: String) -> [UInt8]? { parts[suffix] }

    /// What is beside the wallet: evidence.
    var more: [(suffix: String, bytes: [UInt8])] {
        parts.filter { $0.key != "" }.map { (suffix: $0.key, bytes: $0.value) }
    }
    var hasMore: Bool { parts.count > 1 }

    /// True if something was written since the person saved a file.
    var isUnsaved: Bool {
        var answer = Page.ask("unsaved")
        return answer.text("unsaved") == "yes"
    }

    // One page has it as long as it is open: the script keeps other pages out.
    func release() {}
    func take() -> Bool { true }
    func beginsToJoin() -> Bool { true }
}
