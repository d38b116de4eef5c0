import Dispatch
import Documents
import Petitions
import Platform
import RingSignatures
import Ristretto255

/// **INSECURE. For tests and measurements only.** All members of a known roll, as signers of one petition.
package struct InsecureBulkSigner: Sendable {
    private let signer: InsecureSigner
    private let known: [InsecureSigner.KnownRing]

    /// The members of `roll`, as signers of `petition`.
    package init(_ roll: InsecureTestRoll, petition: PetitionManifest) {
        let signer = InsecureSigner(
            petition: PetitionBase(petition: petition.id.bytes), digits: roll.rings[0].ring.digits)
        self.signer = signer
        known = roll.rings.map { signer.know($0.ring, secrets: $0.secrets) }
    }

    /// The records of the members in `range`, signed on all cores. Consecutive records are of different rings, as in a
    /// real log.
    package func sign(_ range: Range<Int>) -> [[UInt8]] {
        let made = Mutex([[UInt8]](repeating: [], count: range.count))
        DispatchQueue.concurrentPerform(iterations: range.count) { offset in
            let index = range.lowerBound + offset
            let record = signer.sign(known[index % known.count], position: index / known.count, roll: 0)
            made.withLock { $0[offset] = record }
        }
        return made.withLock { $0 }
    }
}
