/// Every domain-separation label of the ring signature, `Protocol/ring-signature.md`.
enum Labels {
    /// The base point of a petition.
    static let petitionBase = Array("roundrobin-v1 petition base".utf8)
    /// The generators of the vector commitment.
    static let commitmentGenerator = Array("roundrobin-v1 commitment generator".utf8)
    /// The challenge `w`.
    static let challenge = Array("roundrobin-v1 ring signature challenge".utf8)
    /// The challenge of a withdrawal.
    static let withdrawalChallenge = Array("roundrobin-v1 withdrawal challenge".utf8)
    /// The digest of a ring.
    static let ring = Array("roundrobin-v1 ring".utf8)
    /// Derives the nonce key of signatures from a seed. Private to a signer, never on the wire.
    static let signatureNonceKey = Array("roundrobin-v1 signature nonce key".utf8)
    /// Derives the nonce key of withdrawals from a seed. Private to a signer, never on the wire.
    static let withdrawalNonceKey = Array("roundrobin-v1 withdrawal nonce key".utf8)
}
