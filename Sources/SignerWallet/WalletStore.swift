/// Where a wallet is kept, with what belongs to it: each under a suffix, the wallet itself under the empty one. It sees
/// encrypted bytes only. One user has it at a time, from its making to ``release()``.
public protocol WalletStore: AnyObject {
    /// Its name, for messages.
    var name: String { get }

    /// What was written last under `suffix`; nil if nothing was. Never reads more than `limit` bytes.
    func read(_ suffix: String, limit: Int) throws(SignerError) -> [UInt8]?

    /// Replaces what is under `suffix`: all of it or nothing. It is stored when this returns.
    func write(_ bytes: [UInt8], _ suffix: String) throws(SignerError)

    /// Lets others use it until ``take()``.
    func release()

    /// Takes it again. False if another has it.
    func take() -> Bool

    /// True if no other joins with the wallet. That lasts as long as the store, whatever is released.
    func beginsToJoin() -> Bool
}
