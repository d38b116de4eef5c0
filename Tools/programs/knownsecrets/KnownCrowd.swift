import Dispatch
import Petitions
import RingSignatures
import Ristretto255
import Synchronization

/// **INSECURE. For tests and measurements only.** Everybody on a known roll, who signs one petition.
package struct KnownCrowd: Sendable {
    private let signer: KnownSecretSigner
    private let known: [KnownSecretSigner.KnownRing]

    /// Everybody on `roll`.
    package init(_ roll: KnownRoll, petition: PetitionManifest) {
        let signer = KnownSecretSigner(
            petition: PetitionBase(petition: petition.id.bytes), digits: roll.rings[0].ring.digits)
        self.signer = signer
        known = roll.rings.map { signer.know($0.ring, secrets: $0.secrets) }
    }

    /// The records of the members in `range`, signed on all cores. One after the other they are of different rings, as
    /// they arrive in a real log.
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
