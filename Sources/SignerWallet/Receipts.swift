import Bytes
import Documents
import LogReading
import PetitionCopies
import Petitions
import TransparencyLog
import Witnessing

extension Wallet {
    /// A signature of this wallet, for a list.
    public struct SignatureSummary: Sendable {
        /// The petition that was signed.
        public let manifest: PetitionManifest
        /// The record as sent.
        public let record: [UInt8]
        /// The entry that the receipt is for.
        public let entry: [UInt8]?
        /// The receipt.
        public let receipt: LogProof?
        /// The withdrawal and its receipt.
        public let withdrawal: (record: [UInt8], receipt: LogProof?)?
        /// The aggregator's index in the manifest.
        public let aggregator: Int

        /// True if the receipt says that the entry came too late to count.
        public var isLate: Bool {
            guard let entry, let receipt else { return false }
            let checked = try? PetitionReceipt(
                receipt, entry: entry, petition: manifest, aggregator: aggregator, now: .max)
            return checked?.isLate ?? false
        }
    }

    /// A record for which no receipt has come.
    public struct UnsentRecord: Sendable {
        /// The petition that it signs.
        public let petition: PetitionManifest
        /// True if it is not sent right after what was read for it.
        public let isOfLargeRoll: Bool
    }

    /// The record that was made for a petition, if no receipt has come for it.
    public func unsentRecord(under id: PetitionID) throws(SignerError) -> UnsentRecord? {
        for signature in contents.signatures where signature.receipt == nil {
            let petition = try petitions(signature.petition)
            guard petition.id == id else { continue }
            return UnsentRecord(petition: petition, isOfLargeRoll: signature.isOfLargeRoll)
        }
        return nil
    }

    /// Puts a receipt into the wallet that somebody else was given (`petition-signer submit`). It must prove a record
    /// of this wallet under the key of one of the petition's aggregators. Returns the petition and the entry's index.
    public func importReceipt(
        _ bytes: [UInt8], clock: SignerClock
    ) throws(SignerError) -> (petition: PetitionManifest, index: UInt64) {
        let receipt: LogProof
        do { receipt = try LogProof(parsing: bytes) } catch { throw .receiptInvalid(error) }
        for (place, signature) in contents.signatures.enumerated() {
            let manifest = try petitions(signature.petition)
            for aggregator in manifest.aggregators.indices {
                func proves(_ entry: [UInt8]) throws(SignerError) -> Bool {
                    do throws(WitnessedProofError) {
                        _ = try PetitionReceipt(
                            receipt, entry: entry, petition: manifest, aggregator: aggregator,
                            now: clock.seconds)
                        return true
                    } catch .proof { return false } catch { throw SignerError(error) }
                }
                if try proves(signature.record) {
                    // The one that is there is as good, unless it says that the record came late.
                    let known = try signatures()[place]
                    guard known.receipt == nil || known.isLate else {
                        return (manifest, receipt.inclusion.index)
                    }
                    contents.signatures[place].aggregator = aggregator
                    contents.signatures[place].receipt = bytes
                    contents.signatures[place].receiptRecord = signature.record
                } else if let withdrawal = signature.withdrawal, try proves(withdrawal) {
                    contents.signatures[place].withdrawalReceipt = bytes
                } else {
                    continue
                }
                try save()
                return (manifest, receipt.inclusion.index)
            }
        }
        throw .receiptForNothing
    }

    /// Every signature of this wallet, oldest first.
    public func signatures() throws(SignerError) -> [SignatureSummary] {
        try contents.signatures.map { signature throws(SignerError) in
            let withdrawn = try Self.proof(signature.withdrawalReceipt)
            return SignatureSummary(
                manifest: try petitions(signature.petition), record: signature.record,
                entry: signature.receiptRecord, receipt: try Self.proof(signature.receipt),
                withdrawal: signature.withdrawal.map { ($0, withdrawn) }, aggregator: signature.aggregator)
        }
    }

    /// A receipt that is stored.
    private static func proof(_ bytes: [UInt8]?) throws(SignerError) -> LogProof? {
        guard let bytes else { return nil }
        do { return try LogProof(parsing: bytes) } catch { throw .receiptInvalid(error) }
    }
}

/// Checks a receipt without the network.
public struct ReceiptCheck: Sendable {
    private let petition: PetitionManifest
    private let aggregator: Int
    private let clock: SignerClock

    /// A check for receipts of the aggregator with this index in the manifest.
    public init(petition: PetitionManifest, aggregator: Int, clock: SignerClock) {
        self.petition = petition
        self.aggregator = aggregator
        self.clock = clock
    }

    /// Checks that `receipt` proves `entry` under the aggregator's key, and the quorum of the petition's witnesses.
    public func check(_ receipt: LogProof, entry: [UInt8]) throws(SignerError) -> PetitionReceipt {
        do {
            return try PetitionReceipt(
                receipt, entry: entry, petition: petition, aggregator: aggregator, now: clock.seconds)
        } catch {
            throw SignerError(error)
        }
    }

    /// Checks that the log in an offline copy still has the entry of a receipt at its index, and continues the tree
    /// that the receipt was given for. Returns the copy's checkpoint.
    public func check(_ receipt: PetitionReceipt, copy: any ResourceSource) async throws(SignerError) -> Checkpoint {
        let promised = receipt.checkpoint
        let log = OfflineCopy.petitionLog(
            petition, aggregator: aggregator, source: copy,
            prefix: OfflineCopy.aggregator(aggregator))
        return try await CheckedFetch.reading(log) { () async throws(LogReadError) in
            let checkpoint = try await log.readCheckpoint().checkpoint
            guard checkpoint.size >= promised.size else { throw .notAnExtension(seenSize: promised.size) }
            _ = try await log.entries(upTo: checkpoint, seen: SeenTree(promised)) { _, _, _ in }
            return checkpoint
        }
    }
}
