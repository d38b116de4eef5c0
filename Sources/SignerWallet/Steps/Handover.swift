import Documents
import LogReading
import Messages
import PetitionCopies
import Petitions
import RingSignatures
import Ristretto255
import TransparencyLog
import Witnessing

/// Hands one record to one aggregator and checks the response. Needs no wallet: anybody can hand a record over.
public struct Handover: Sendable {
    private let petition: PetitionManifest
    private let aggregator: Int
    private let connection: any RequestConnection
    private let clock: SignerClock

    /// True when an entry that was counted before is of the same member and kind as the record, and its proof holds.
    public typealias EntryCheck = @Sendable ([UInt8]) -> Bool

    /// A handover to the aggregator with this index in the manifest.
    public init(
        petition: PetitionManifest, aggregator: Int, connection: any RequestConnection, clock: SignerClock
    ) {
        self.petition = petition
        self.aggregator = aggregator
        self.connection = connection
        self.clock = clock
    }

    /// Sends the record. The receipt's entry is the record, or one that was counted before and passes `entryCheck`. In
    /// that case the whole log is read to find the entry, so that nobody learns which one is looked for.
    public func submit(
        _ record: [UInt8], entryCheck: EntryCheck
    ) async throws(SignerError) -> (receipt: PetitionReceipt, entry: [UInt8]) {
        let url = petition.logURL(aggregator: aggregator)
        let answer = try await post(record, to: url.text + "/records")
        guard answer.status == 200 || answer.status == 201 else {
            let refusal = Wallet.refusal(answer)
            if case .refused("proof-invalid", _) = refusal { throw .proofRefused }
            throw refusal
        }
        let receipt: LogProof
        do { receipt = try LogProof(parsing: answer.body) } catch { throw .receiptInvalid(error) }
        guard receipt.extra == nil else { throw .receiptInvalid(.malformed) }
        do throws(WitnessedProofError) {
            return (try checked(receipt, record), record)
        } catch .proof(.proof) where answer.status == 200 {
            return try await earlier(of: receipt, entryCheck: entryCheck)
        } catch {
            throw SignerError(error)
        }
    }

    private func checked(_ receipt: LogProof, _ entry: [UInt8]) throws(WitnessedProofError) -> PetitionReceipt {
        try PetitionReceipt(receipt, entry: entry, petition: petition, aggregator: aggregator, now: clock.seconds)
    }

    /// Sends the record, and does the work that a server under attack demands.
    private func post(_ record: [UInt8], to url: String) async throws(SignerError) -> HTTPAnswer {
        var headers: [OutgoingRequest.Header] = []
        for _ in 0..<Self.workLimit {
            let answer = try await connection.ask(
                OutgoingRequest(
                    url, content: .init(record, type: "application/octet-stream"), headers: headers,
                    limit: SignedNote.maximumCount))
            guard answer.status == 429, let work = try? ProblemDocument(parsing: answer.body).work else {
                return answer
            }
            headers = [.init(ProofOfWorkChallenge.header, work.work(for: record, petition: petition.id))]
        }
        throw .refused(rule: "busy", detail: .everMoreWork)
    }

    /// How often a record is sent at most: the demanded work may grow in the meantime, by a bit each time.
    private static let workLimit = 16

    private func earlier(
        of receipt: LogProof, entryCheck: EntryCheck
    ) async throws(SignerError) -> (receipt: PetitionReceipt, entry: [UInt8]) {
        let source = HTTPSource(
            connection: connection, base: petition.logURL(aggregator: aggregator).text)
        let log = OfflineCopy.petitionLog(petition, aggregator: aggregator, source: source, prefix: "")
        var found: [UInt8]?
        do throws(LogReadError) {
            let checkpoint = try await log.readCheckpoint().checkpoint
            _ = try await log.entries(upTo: checkpoint) { first, entries, _ in
                let index = receipt.inclusion.index
                if index >= first, index < first + UInt64(entries.count) { found = entries[Int(index - first)] }
            }
        } catch {
            throw SignerError(error, log: log.key.name)
        }
        guard let found else { throw .receiptForAnother }
        let checked: PetitionReceipt
        do { checked = try self.checked(receipt, found) } catch { throw SignerError(error) }
        guard entryCheck(found) else { throw .receiptForAnother }
        return (checked, found)
    }
}

/// Finds the tag in a record, for callers that have only the record.
public enum RecordTag {
    /// The tag of a record of either type, nil when the bytes are not a record.
    public static func of(_ record: [UInt8]) -> Tag? {
        if let withdrawal = try? WithdrawalRecord(parsing: record) { return withdrawal.tag }
        for digits in 1...6 {
            if let signature = try? SignatureRecord(parsing: record, digits: digits) { return signature.tag }
        }
        return nil
    }
}

extension Handover {
    /// Hands over a record whose tag is `tag` to the aggregator at `url`, without a wallet. Returns the receipt.
    public static func submit(
        _ record: [UInt8], tag: Tag, url: ServiceURL, network: SignerNetwork, clock: SignerClock
    ) async throws(SignerError) -> PetitionReceipt {
        try await network.fresh { connection async throws(SignerError) in
            let petition = try await CheckedFetch.petition(url, connection: connection)
            let aggregator = petition.aggregators.indices.first { petition.logURL(aggregator: $0) == url } ?? 0
            return try await Handover(petition: petition, aggregator: aggregator, connection: connection, clock: clock)
                .submit(record) { $0.first == record.first && RecordTag.of($0) == tag }
                .receipt
        }
    }
}

extension SignerError {
    /// What is wrong with a receipt.
    init(_ error: WitnessedProofError) {
        switch error {
        case .proof(let error): self = .receiptInvalid(error)
        case .witnesses(let error): self = .receiptNotWitnessed(reason: error)
        }
    }
}
