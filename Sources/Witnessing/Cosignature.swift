import Bytes
import Sodium
import TransparencyLog

/// A statement of a witness, checked: at `time`, the cosigned checkpoint was the largest consistent tree that it had
/// seen of this log (C2SP tlog-cosignature, type 0x04).
public struct Cosignature: Equatable, Sendable {
    /// How far a line's time may be ahead of the reader's clock, in seconds. What is further ahead counts as absent.
    public static let clockTolerance: UInt64 = 300
    private static let timeCount = 8

    /// The key that signed.
    public let key: WitnessKey
    /// The witness's time in seconds since 1970.
    public let time: UInt64
    /// The line of the note, with its newline.
    public let line: String

    /// Checks one line against the text of a checkpoint; nil if `key` did not sign it so.
    init?(_ signature: SignedNote.Signature, by key: WitnessKey, text: [UInt8]) {
        var reader = ByteReader(signature.bytes)
        guard let publicKey = key.ed25519, let time = reader.readInteger(UInt64.self), time <= UInt64(Int64.max),
            publicKey.isValidSignature(
                Array(signature.bytes.dropFirst(Self.timeCount)), for: Self.message(text, at: time))
        else { return nil }
        self.key = key
        self.time = time
        line = signature.line
    }

    /// What is signed: two lines, and the whole text of the checkpoint.
    fileprivate static func message(_ text: [UInt8], at time: UInt64) -> [UInt8] {
        Array("cosignature/v1\ntime \(time)\n".utf8) + text
    }

    /// True if the line counts at `now` (seconds since 1970): a time that is ahead is a mistake or a lie.
    public func counts(at now: UInt64) -> Bool {
        time <= Self.clockTolerance || time - Self.clockTolerance <= now
    }
}

extension Ed25519SecretKey {
    /// The line, with its newline, by which this key cosigns a checkpoint under `name`; `time` is in seconds since
    /// 1970.
    public borrowing func cosign(_ checkpoint: Checkpoint, name: String, at time: UInt64) -> String {
        var content: [UInt8] = []
        content.appendInteger(time)
        content += sign(Cosignature.message(checkpoint.text, at: time))
        let key = WitnessKey(name: name, publicKey: publicKey)
        return SignedNote.Signature(name: name, keyID: key.keyID, bytes: content).line
    }
}

extension SignedNote {
    /// The cosignatures by `keys`: of each key one, the earliest. Lines of other keys are ignored, and so are those of
    /// keys that cannot be checked here, and of time 0, which say nothing about a time. Throws
    /// ``NoteError/signatureInvalid`` if a line of one of the keys does not verify: then somebody changed the note.
    public func cosignatures(by keys: some Sequence<WitnessKey>) throws(NoteError) -> [Cosignature] {
        var found: [Cosignature] = []
        for key in keys where key.ed25519 != nil {
            var earliest: Cosignature?
            for signature in signatures where signature.names(key.name, id: key.keyID) {
                guard let cosignature = Cosignature(signature, by: key, text: text) else { throw .signatureInvalid }
                if cosignature.time > 0, cosignature.time < earliest?.time ?? .max { earliest = cosignature }
            }
            if let earliest { found.append(earliest) }
        }
        return found
    }
}

extension Checkpoint {
    /// The cosignatures of this checkpoint by `keys` among the lines that somebody sent: of each key one, the earliest.
    /// Whatever does not verify, or is no line at all, is left out.
    public func cosignatures(inLines bytes: [UInt8], by keys: some Sequence<WitnessKey>) -> [Cosignature] {
        let text = text
        let signatures = bytes.split(separator: 0x0A).compactMap { line in
            String(validating: line, as: UTF8.self).flatMap { SignedNote.Signature(line: $0[...]) }
        }
        return keys.compactMap { key in
            signatures.filter { $0.names(key.name, id: key.keyID) }
                .compactMap { Cosignature($0, by: key, text: text) }
                .filter { $0.time > 0 }
                .min { $0.time < $1.time }
        }
    }
}
