import Sodium
import TransparencyLog
import Witnessing

extension JSONFields {
    /// A witness policy, as documents have it (`Protocol/documents.md`, "Witness policy"): without logs, and such that
    /// any two quorums share a witness. None of `keys`, those of the servers that the witnesses watch, may be one.
    mutating func optionalPolicy(
        _ name: String, notBy keys: [Ed25519PublicKey]
    ) throws(DocumentError) -> WitnessPolicy? {
        guard let text = try optionalString(name, limit: WitnessPolicy.maximumBytes, isMultiline: true) else {
            return nil
        }
        let policy: WitnessPolicy
        do { policy = try WitnessPolicy(parsing: Array(text.utf8)) } catch {
            throw .invalid(field: name, reason: "line \(error.line) \(error.fault.explanation)")
        }
        guard policy.logs.isEmpty else {
            throw .invalid(field: name, reason: "has a log line: a document says itself which logs it is about")
        }
        guard policy.strength.shared > 0 else {
            throw .invalid(field: name, reason: "has quorums that share no witness, so that each could see another log")
        }
        if let own = policy.keys.first(where: { key in keys.contains { $0 == key.ed25519 } }) {
            throw .invalid(
                field: name, reason: "names \(own.name), which has the key of a server: nobody can vouch for themselves"
            )
        }
        return policy
    }
}
