import Multiscalar
/// The stages of verifying a batch, one by one, so that each can be measured. ``RingVerifier`` runs the same ones.
package struct VerificationStages {
    private let petition: PetitionBase

    /// The stages for signatures under `petition`.
    package init(petition: PetitionBase) { self.petition = petition }

    /// Challenges and weights: hashing.
    package func claims(of batch: [(SignatureRecord, Ring)]) -> Claims {
        Claims(claims: Claim.claims(of: batch, petition: petition))
    }

    /// The result of hashing.
    package struct Claims { fileprivate let claims: [Claim] }

    /// The scalars of all terms: products and sums of scalars.
    package func equations(of claims: Claims) -> Equations {
        var equations = WeightedEquations(petition: petition, engine: .current)
        equations.add(claims.claims[...])
        return Equations(equations: equations)
    }

    /// All terms with their scalars.
    package struct Equations { fileprivate let equations: WeightedEquations }

    /// The sum of all terms; true if every record of the batch is a proof.
    package func hold(_ equations: Equations) -> Bool { equations.equations.value(keepsRings: true).isIdentity }
}
