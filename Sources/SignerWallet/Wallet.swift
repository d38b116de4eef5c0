import Bytes
import Documents
import Petitions
import RingSignatures
import Ristretto255
import Sodium
import TransparencyLog

/// A wallet, which keeps itself encrypted in a ``WalletStore``.
///
/// Layout: the line `roundrobin-wallet/v1 argon2id <passes> <mebibytes>`, then a box (``PassphraseKey``) with the
/// 32-byte seed followed by the rest as JSON, and spaces. The header line is authenticated. The size does not tell how
/// many petitions were signed: it is a power of two.
public final class Wallet {
    private static let format = "roundrobin-wallet/v1"
    /// The largest wallet, in bytes.
    public static let maximumCount = 64 << 20

    /// The most members of a roll that is read in full before each signature.
    public static let mostMembersReadInFull: UInt64 = 65_536
    /// The same for this wallet; tests lower it.
    package var mostMembersReadInFull = Wallet.mostMembersReadInFull

    let seed: SecretBytes
    var contents: WalletContents
    /// The documents that are stored here, parsed.
    private let parsedRolls = ParsedDocuments { note throws(DocumentError) in try RollDescriptor(parsing: note) }
    private let parsedPetitions = ParsedDocuments { note throws(DocumentError) in try PetitionManifest(parsing: note) }
    /// Where it is kept; nil for a wallet in memory.
    private let place: Place?

    private struct Place: ~Copyable {
        let store: any WalletStore
        let key: PassphraseKey
        let header: [UInt8]
    }

    /// Creates a new wallet with a fresh seed in a store that has none.
    public static func create(
        in store: any WalletStore, passphrase: borrowing SecretBytes
    ) throws(SignerError) -> Wallet {
        guard try store.read("", limit: maximumCount) == nil else { throw .walletExists(path: store.name) }
        let key = try derive { () throws(PassphraseKey.Failure) in
            try PassphraseKey(passphrase: passphrase, cost: .moderate)
        }
        let wallet = Wallet(
            Place(store: store, key: key, header: header(.moderate)),
            seed: SecretBytes(randomCount: MemberIdentity.seedCount), contents: WalletContents())
        try wallet.save()
        return wallet
    }

    /// Opens the wallet that is in a store.
    public static func open(
        in store: any WalletStore, passphrase: borrowing SecretBytes
    ) throws(SignerError) -> Wallet {
        guard let bytes = try store.read("", limit: maximumCount) else { throw .walletMissing(path: store.name) }
        return try open(bytes, keptIn: store, passphrase: passphrase)
    }

    /// Puts an exported wallet into a store that has none. The passphrase is that of the export.
    public static func importing(
        _ bytes: [UInt8], into store: any WalletStore, passphrase: borrowing SecretBytes
    ) throws(SignerError) -> Wallet {
        guard try store.read("", limit: maximumCount) == nil else { throw .walletExists(path: store.name) }
        let wallet = try open(bytes, keptIn: store, passphrase: passphrase)
        // Nobody knows what was seen after the export.
        for index in wallet.contents.enrolments.indices where !wallet.contents.enrolments[index].isWaiting {
            wallet.contents.enrolments[index].joining = .found
        }
        try wallet.save()
        return wallet
    }

    private static func open(
        _ bytes: [UInt8], keptIn store: any WalletStore, passphrase: borrowing SecretBytes
    ) throws(SignerError) -> Wallet {
        guard let newline = bytes.prefix(100).firstIndex(of: 0x0A), let cost = cost(header: Array(bytes[...newline]))
        else { throw .walletMalformed }
        let header = Array(bytes[...newline])
        let box = Array(bytes[(newline + 1)...])
        let key = try derive { () throws(PassphraseKey.Failure) in
            try PassphraseKey(passphrase: passphrase, cost: cost, opening: box)
        }
        let plain = try secret(of: key, box: box, header: header)
        guard plain.count > MemberIdentity.seedCount else { throw .walletMalformed }
        let seed = plain.withUnsafeBytes {
            SecretBytes(copying: UnsafeRawBufferPointer(rebasing: $0[..<MemberIdentity.seedCount]))
        }
        let contents = try contents(of: plain)
        return Wallet(Place(store: store, key: key, header: header), seed: seed, contents: contents)
    }

    /// What follows the seed.
    private static func contents(of plain: borrowing SecretBytes) throws(SignerError) -> WalletContents {
        var json = plain.withUnsafeBytes { Array($0[MemberIdentity.seedCount...]) }
        defer { json.wipe() }
        do { return try WalletContents(parsing: json) } catch { throw .walletMalformed }
    }

    private static func secret(
        of key: borrowing PassphraseKey, box: [UInt8], header: [UInt8]
    ) throws(SignerError) -> SecretBytes {
        do { return try key.open(box, header: header) } catch { throw words(for: error) }
    }

    private static func derive(
        _ body: () throws(PassphraseKey.Failure) -> PassphraseKey
    ) throws(SignerError) -> PassphraseKey {
        do { return try body() } catch { throw words(for: error) }
    }

    private static func words(for failure: PassphraseKey.Failure) -> SignerError {
        switch failure {
        case .wrongPassphraseOrDamaged: .wrongPassphrase
        case .truncated: .walletMalformed
        case .notEnoughMemory: .notEnoughMemory
        }
    }

    private init(_ place: consuming Place, seed: consuming SecretBytes, contents: WalletContents) {
        self.place = consume place
        self.seed = seed
        self.contents = contents
    }

    /// A wallet that is not stored, for demonstrations and tests with many signers.
    package static func inMemory() -> Wallet {
        Wallet(inMemory: SecretBytes(randomCount: MemberIdentity.seedCount))
    }

    private init(inMemory seed: consuming SecretBytes) {
        place = nil
        self.seed = seed
        contents = WalletContents()
    }

    private static func header(_ cost: PassphraseKey.Cost) -> [UInt8] {
        Array("\(format) argon2id \(cost.passes) \(cost.mebibytes)\n".utf8)
    }

    private static func cost(header bytes: [UInt8]) -> PassphraseKey.Cost? {
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        guard words.count == 4, let passes = UInt32(words[2]), let mebibytes = UInt32(words[3].dropLast()) else {
            return nil
        }
        let cost = PassphraseKey.Cost(passes: passes, mebibytes: mebibytes)
        return cost.isAcceptable && header(cost) == bytes ? cost : nil
    }

    /// Writes `bytes` beside the wallet, under the same passphrase. Nothing is written for a wallet in memory.
    func writeBeside(_ bytes: [UInt8], suffix: String) throws(SignerError) {
        var bytes = bytes
        switch place {
        case .none: break
        case .some(let place):
            // The suffix is authenticated: none of these files can be substituted for another.
            let box = place.key.seal(SecretBytes(moving: &bytes), header: place.header + Array(suffix.utf8))
            try place.store.write(place.header + box, suffix)
        }
    }

    /// What ``writeBeside(_:suffix:)`` wrote; nil when there is nothing.
    func readBeside(suffix: String) throws(SignerError) -> [UInt8]? {
        switch place {
        case .none: return nil
        case .some(let place):
            guard let bytes = try place.store.read(suffix, limit: Self.largestBeside) else { return nil }
            guard bytes.starts(with: place.header) else { throw .walletMalformed }
            let plain = try Self.secret(
                of: place.key, box: Array(bytes[place.header.count...]), header: place.header + Array(suffix.utf8))
            return plain.withUnsafeBytes { Array($0) }
        }
    }

    /// The largest such file in bytes: evidence about the largest log, in base64.
    private static let largestBeside = 128 << 20

    /// The smallest size of what is encrypted, in bytes: with that, few wallets ever grow.
    private static let smallestSize = 1 << 18

    /// The size to encrypt instead of `count` bytes.
    private static func padded(_ count: Int) -> Int {
        var size = smallestSize
        while size < count { size *= 2 }
        return size
    }

    /// Waits until `moment`. Other programs may use the wallet meanwhile; what they changed is read afterwards.
    public func wait(until moment: UTCTime, clock: SignerClock) async throws(SignerError) {
        release()
        try await clock.wait(until: moment)
        while try !retake() {
            // Whoever has it needs seconds: to sign, or until a question is answered.
            try await clock.wait(until: UTCTime(seconds: clock.now.seconds + 1))
        }
    }

    /// True if no other process joins with this wallet: while one waits, others may use the wallet, but a key that two
    /// send would come at two moments.
    func beginsToJoin() -> Bool {
        switch place {
        case .none: true
        case .some(let place): place.store.beginsToJoin()
        }
    }

    private func release() {
        switch place {
        case .none: break
        case .some(let place): place.store.release()
        }
    }

    /// Takes the store and reads the wallet again. False if another process has it.
    private func retake() throws(SignerError) -> Bool {
        switch place {
        case .none: return true
        case .some(let place):
            guard place.store.take() else { return false }
            guard let bytes = try place.store.read("", limit: Self.maximumCount) else {
                throw .walletMissing(path: place.store.name)
            }
            guard bytes.starts(with: place.header) else { throw .walletMalformed }
            let plain = try Self.secret(
                of: place.key, box: Array(bytes[place.header.count...]), header: place.header)
            contents = try Self.contents(of: plain)
            return true
        }
    }

    /// The encrypted wallet as it is now.
    private func sealed(_ place: borrowing Place) -> [UInt8] {
        var json = contents.encoded
        var plain = SecretBytes(count: Self.padded(MemberIdentity.seedCount + json.count))
        plain.withUnsafeMutableBytes { target in
            seed.withUnsafeBytes { target.copyMemory(from: $0) }
            target[MemberIdentity.seedCount...].copyBytes(from: json)
            for index in (MemberIdentity.seedCount + json.count)..<target.count { target[index] = UInt8(ascii: " ") }
        }
        json.wipe()
        return place.header + place.key.seal(plain, header: place.header)
    }

    /// Writes the wallet. It is stored when this returns.
    func save() throws(SignerError) {
        switch place {
        case .none:
            // What would not be written is missed here, too.
            do { contents = try WalletContents(parsing: contents.encoded) } catch { throw .walletMalformed }
        case .some(let place): try place.store.write(sealed(place), "")
        }
    }

    /// An encrypted copy, under the same passphrase; nil for a wallet in memory.
    public func exported() -> [UInt8]? {
        switch place {
        case .none: nil
        case .some(let place): sealed(place)
        }
    }
}

extension Wallet {
    /// A roll's descriptor that is stored here.
    func rolls(_ note: [UInt8]) throws(SignerError) -> RollDescriptor {
        do { return try parsedRolls(note) } catch { throw .storedDocument(error) }
    }

    /// A petition's manifest that is stored here.
    func petitions(_ note: [UInt8]) throws(SignerError) -> PetitionManifest {
        do { return try parsedPetitions(note) } catch { throw .storedDocument(error) }
    }

    /// The key of this wallet for a roll. Traps only on a zero key, which does not occur by chance.
    func memberIdentity(for roll: RollID) -> MemberIdentity {
        guard let key = MemberIdentity(seed: seed, roll: roll) else { preconditionFailure("the member key is zero") }
        return key
    }

    /// The key of this wallet as it appears in a roll.
    func publicKey(in roll: RollID) -> MemberKey {
        memberIdentity(for: roll).key
    }

    /// What was seen of a log: the newest head that continues all earlier ones to the last entry, and newer ones that
    /// are only known to do so as far as full tiles show. Empty when nothing is stored.
    func seen(_ key: VerifierKey) -> [SeenLog] {
        guard let seen = contents.seen[key.vkey] else { return [] }
        return ([seen.head] + seen.outlines).compactMap { SeenLog($0, key: key) }
    }
}

extension SeenLog {
    fileprivate init?(_ head: WalletContents.Head, key: VerifierKey) {
        guard let checkpoint = try? Checkpoint(verifying: head.note, key: key) else { return nil }
        self.init(
            checkpoint: checkpoint, note: head.note, at: UTCTime(seconds: head.at),
            fullTiles: Bytes32(head.fullTiles))
    }
}
