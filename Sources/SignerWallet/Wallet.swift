import Bytes
import Documents
import DurableFiles
import FoundationEssentials
import Petitions
import Platform
import RingSignatures
import Ristretto255
import Sodium
import TransparencyLog

/// A wallet in its encrypted file. One process uses it at a time.
///
/// File: the line `roundrobin-wallet/v1 argon2id <passes> <mebibytes>`, then a box (``PassphraseKey``) with the 32-byte
/// seed followed by the rest as JSON, and spaces. The header line is authenticated. Every save replaces the file
/// atomically. Neither its size nor its times tell how many petitions were signed, or when: the size is a power of two,
/// and the times are those of a day's beginning.
public final class Wallet {
    private static let format = "roundrobin-wallet/v1"
    private static let maximumCount = 64 << 20

    /// The most members of a roll that is read in full before each signature.
    public static let mostMembersReadInFull: UInt64 = 65_536
    /// The same for this wallet; tests lower it.
    package var mostMembersReadInFull = Wallet.mostMembersReadInFull

    let seed: SecretBytes
    var contents: WalletContents
    /// The documents that are stored here, parsed.
    let rolls = ParsedDocuments { note throws(DocumentError) in try RollDescriptor(parsing: note) }
    let petitions = ParsedDocuments { note throws(DocumentError) in try PetitionManifest(parsing: note) }
    /// The wallet's file; nil for a wallet in memory.
    private let file: File?

    private struct File: ~Copyable {
        let path: String
        let key: PassphraseKey
        let header: [UInt8]
        let lock: FileLock
    }

    /// Creates a new wallet with a fresh seed at `path`.
    public static func create(at path: String, passphrase: borrowing SecretBytes) throws -> Wallet {
        let path = DurableFile.target(of: path)
        let lock = try take(path)
        guard !FileManager.default.fileExists(atPath: path) else { throw SignerError.walletExists(path: path) }
        let key = try derive { () throws(PassphraseKey.Failure) in
            try PassphraseKey(passphrase: passphrase, cost: .moderate)
        }
        let wallet = Wallet(
            File(path: path, key: key, header: header(.moderate), lock: lock),
            seed: SecretBytes(randomCount: MemberIdentity.seedCount), contents: WalletContents())
        try wallet.save()
        return wallet
    }

    /// Opens the wallet at `path`.
    public static func open(at path: String, passphrase: borrowing SecretBytes) throws -> Wallet {
        // One wallet has one lock, by whatever link it is named.
        let path = DurableFile.target(of: path)
        guard FileManager.default.fileExists(atPath: path) else { throw SignerError.walletMissing(path: path) }
        return try open(path, keptAt: path, lock: take(path), passphrase: passphrase)
    }

    /// Stores an exported wallet at `path`, where there must be no wallet yet. The passphrase is that of the export.
    public static func importing(_ file: String, to path: String, passphrase: borrowing SecretBytes) throws -> Wallet {
        let path = DurableFile.target(of: path)
        let lock = try take(path)
        guard !FileManager.default.fileExists(atPath: path) else { throw SignerError.walletExists(path: path) }
        let wallet = try open(file, keptAt: path, lock: lock, passphrase: passphrase)
        // Nobody knows what was seen after the export.
        for index in wallet.contents.enrolments.indices where !wallet.contents.enrolments[index].isWaiting {
            wallet.contents.enrolments[index].joining = .found
        }
        try wallet.save()
        return wallet
    }

    /// Takes the wallet's lock, before anything is read: what another process is about to save must not be lost.
    private static func take(_ path: String) throws -> FileLock {
        do { return try FileLock(path: path + ".lock") } catch .held {
            throw SignerError.walletLocked(path: path)
        } catch {
            throw SignerError.walletUnwritable(path: path)
        }
    }

    private static func open(
        _ file: String, keptAt path: String, lock: consuming FileLock, passphrase: borrowing SecretBytes
    ) throws -> Wallet {
        let bytes = try read(file)
        guard let newline = bytes.prefix(100).firstIndex(of: 0x0A), let cost = cost(header: Array(bytes[...newline]))
        else {
            throw SignerError.walletMalformed
        }
        let header = Array(bytes[...newline])
        let box = Array(bytes[(newline + 1)...])
        let key = try derive { () throws(PassphraseKey.Failure) in
            try PassphraseKey(passphrase: passphrase, cost: cost, opening: box)
        }
        let plain = try secret(of: key, box: box, header: header)
        guard plain.count > MemberIdentity.seedCount else { throw SignerError.walletMalformed }
        let seed = plain.withUnsafeBytes {
            SecretBytes(copying: UnsafeRawBufferPointer(rebasing: $0[..<MemberIdentity.seedCount]))
        }
        let contents = try contents(of: plain)
        return Wallet(File(path: path, key: key, header: header, lock: lock), seed: seed, contents: contents)
    }

    /// What follows the seed.
    private static func contents(of plain: borrowing SecretBytes) throws -> WalletContents {
        var json = plain.withUnsafeBytes { Array($0[MemberIdentity.seedCount...]) }
        defer { json.wipe() }
        guard let contents = try? JSONDecoder().decode(WalletContents.self, from: Data(json)) else {
            throw SignerError.walletMalformed
        }
        return contents
    }

    private static func read(_ file: String) throws -> [UInt8] {
        do { return try DurableFile.read(file, limit: maximumCount) } catch {
            switch error {
            case .missing(let path): throw SignerError.walletMissing(path: path)
            case .tooLarge: throw SignerError.walletMalformed
            case .isFolder, .notPermitted, .system: throw error
            }
        }
    }

    private static func secret(
        of key: borrowing PassphraseKey, box: [UInt8], header: [UInt8]
    ) throws -> SecretBytes {
        do { return try key.open(box, header: header) } catch { throw words(for: error) }
    }

    private static func derive(
        _ body: () throws(PassphraseKey.Failure) -> PassphraseKey
    ) throws -> PassphraseKey {
        do { return try body() } catch { throw words(for: error) }
    }

    private static func words(for failure: PassphraseKey.Failure) -> SignerError {
        switch failure {
        case .wrongPassphraseOrDamaged: .wrongPassphrase
        case .truncated: .walletMalformed
        case .notEnoughMemory: .notEnoughMemory
        }
    }

    private init(_ file: consuming File, seed: consuming SecretBytes, contents: WalletContents) {
        self.file = consume file
        self.seed = seed
        self.contents = contents
    }

    /// A wallet that is not stored, for demonstrations and tests with many signers.
    package static func inMemory() -> Wallet {
        Wallet(inMemory: SecretBytes(randomCount: MemberIdentity.seedCount))
    }

    private init(inMemory seed: consuming SecretBytes) {
        file = nil
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
    func writeBeside(_ bytes: [UInt8], suffix: String) throws {
        var bytes = bytes
        switch file {
        case .none: break
        case .some(let file):
            // The suffix is authenticated: none of these files can be substituted for another.
            let box = file.key.seal(SecretBytes(moving: &bytes), header: file.header + Array(suffix.utf8))
            try DurableFile.write(file.header + box, to: file.path + suffix, mode: 0o600, modified: Self.today)
        }
    }

    /// What ``writeBeside(_:suffix:)`` wrote; nil when there is nothing.
    func readBeside(suffix: String) throws -> [UInt8]? {
        switch file {
        case .none: return nil
        case .some(let file):
            guard let bytes = try Self.readIfThere(file.path + suffix) else { return nil }
            guard bytes.starts(with: file.header) else { throw SignerError.walletMalformed }
            let plain = try Self.secret(
                of: file.key, box: Array(bytes[file.header.count...]), header: file.header + Array(suffix.utf8))
            return plain.withUnsafeBytes { Array($0) }
        }
    }

    private static func readIfThere(_ path: String) throws -> [UInt8]? {
        do { return try DurableFile.read(path, limit: largestBeside) } catch .missing { return nil }
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

    /// The beginning of this day in UTC, in seconds since 1970.
    private static var today: Int64 { Environment.secondsSince1970 / 86_400 * 86_400 }

    /// Waits until `moment`. Other programs may use the wallet meanwhile; what they changed is read afterwards.
    public func wait(until moment: UTCTime, clock: SignerClock) async throws {
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
        switch file {
        case .none: true
        case .some(let file): file.lock.takeSecond()
        }
    }

    private func release() {
        switch file {
        case .none: break
        case .some(let file): file.lock.release()
        }
    }

    /// Takes the lock and reads the wallet again. False if another process holds it.
    private func retake() throws -> Bool {
        switch file {
        case .none: return true
        case .some(let file):
            guard file.lock.take() else { return false }
            let bytes = try Self.read(file.path)
            guard bytes.starts(with: file.header) else { throw SignerError.walletMalformed }
            let plain = try Self.secret(of: file.key, box: Array(bytes[file.header.count...]), header: file.header)
            contents = try Self.contents(of: plain)
            return true
        }
    }

    /// The encrypted file as it is now.
    private func sealed(_ file: borrowing File) throws -> [UInt8] {
        var json = [UInt8](try JSONEncoder().encode(contents))
        var plain = SecretBytes(count: Self.padded(MemberIdentity.seedCount + json.count))
        plain.withUnsafeMutableBytes { target in
            seed.withUnsafeBytes { target.copyMemory(from: $0) }
            target[MemberIdentity.seedCount...].copyBytes(from: json)
            for index in (MemberIdentity.seedCount + json.count)..<target.count { target[index] = UInt8(ascii: " ") }
        }
        json.wipe()
        return file.header + file.key.seal(plain, header: file.header)
    }

    /// Writes the wallet. It is on disk when this returns.
    func save() throws {
        switch file {
        case .none: break
        case .some(let file):
            try DurableFile.write(sealed(file), to: file.path, mode: 0o600, modified: Self.today)
        }
    }

    /// Writes a copy under the same passphrase to a new file. Does nothing for a wallet in memory.
    public func export(to path: String) throws {
        guard !FileManager.default.fileExists(atPath: path) else { throw SignerError.walletExists(path: path) }
        switch file {
        case .none: break
        case .some(let file): try DurableFile.write(sealed(file), to: path, mode: 0o600)
        }
    }
}

extension Wallet {
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
        guard let checkpoint = try? Checkpoint(verifying: [UInt8](head.note), key: key) else { return nil }
        self.init(
            checkpoint: checkpoint, note: head.note, at: UTCTime(seconds: head.at),
            fullTiles: Bytes32(head.fullTiles))
    }
}
