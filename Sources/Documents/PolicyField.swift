import TransparencyLog
import Witnessing

extension JSONFields {
    /// A witness policy, as documents have it (`Protocol/documents.md`, "Witness policy"): without logs, and such that
    /// any two quorums share a witness.
    mutating func optionalPolicy(_ name: String) throws(DocumentError) -> WitnessPolicy? {
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
        return policy
    }
}
