import Documents
import LogReading
import PetitionCopies
import Petitions
import RingSignatures
import Ristretto255
import TransparencyLog
import Witnessing

/// How many signed before: the number of entries of a petition, and what the first of them prove.
struct FirstSignatures {
    let entries: UInt64
    /// Nil if they were not read.
    let signatures: Int?

    /// Reads the signed checkpoint and the first bundle, which is the same for everybody. Records of other rolls are
    /// not judged. Without an `electorate`, no record is read: who knows only one ring could judge only its records,
    /// and whether that stops a signer would tell which ring it is.
    static func read(
        _ petition: PetitionManifest, aggregator: Int, electorate: Electorate?, connection: any RequestConnection,
        clock: SignerClock
    ) async throws(SignerError) -> FirstSignatures {
        let source = HTTPSource(connection: connection, base: petition.logURL(aggregator: aggregator).text)
        let log = OfflineCopy.petitionLog(petition, aggregator: aggregator, source: source, prefix: "")
        let (checkpoint, bundle): (Checkpoint, [[UInt8]])
        do throws(LogReadError) {
            let head = try await log.readCheckpoint()
            checkpoint = head.checkpoint
            // Before the first quorum, a server can show nothing but that its log is empty.
            if checkpoint.size > 0 {
                do { _ = try clock.demand(petition.witnesses)?.check(head.note, key: log.key) } catch {
                    throw LogReadError.witnesses(error)
                }
            }
            bundle = electorate == nil ? [] : try await log.readFirstBundle(of: checkpoint)
        } catch {
            throw SignerError(error, log: log.key.name)
        }
        guard let electorate else { return FirstSignatures(entries: checkpoint.size, signatures: nil) }
        var (positions, records): ([UInt64], [(SignatureRecord, Ring)]) = ([], [])
        for (position, bytes) in bundle.enumerated() {
            do throws(Rule) {
                if case .signature(let record, let ring) = try SubmittedRecord(parsing: bytes, electorate: electorate) {
                    positions.append(UInt64(position))
                    records.append((record, ring))
                }
            } catch {
                // A ring sealed after the roll was read is as unknown as a ring of another roll.
                guard error == .rollUnreachable || error == .ringNotAdmitted else {
                    throw .entryInvalid(log: log.key.name, index: UInt64(position), error)
                }
            }
        }
        var tags: Set<Tag> = []
        let verdicts = RingVerifier(petition: PetitionBase(petition: petition.id.bytes)).verify(records)
        for ((position, record), verdict) in zip(zip(positions, records), verdicts) {
            guard (try? verdict.get()) != nil else {
                throw .entryInvalid(log: log.key.name, index: position, .proofInvalid)
            }
            tags.insert(record.0.tag)
        }
        return FirstSignatures(entries: checkpoint.size, signatures: tags.count)
    }
}
