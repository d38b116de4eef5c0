import Bytes
import Documents
import LogReading
import TransparencyLog
import Witnessing

/// Speaks to witnesses over HTTP. Every answer is read up to a bound, and nothing of it is believed.
struct WitnessClient: Sendable {
    /// The connection. It must follow no redirects.
    let connection: any RequestConnection

    /// Submits a checkpoint with the log's own line alone.
    func submit(
        _ head: Checkpoint, note: [UInt8], proof: ConsistencyProof, from oldSize: UInt64, to endpoint: WitnessEndpoint
    ) async -> WitnessAnswer {
        let body = AddCheckpointRequest(oldSize: oldSize, proof: proof, note: note).encoded
        let request = OutgoingRequest(
            "\(endpoint.url.text)/\(AddCheckpointRequest.path)", content: .init(body, type: "text/plain"),
            limit: WitnessAnswer.maximumCount)
        do {
            let answer = try await connection.send(request)
            return WitnessAnswer(status: answer.status, body: answer.body, to: head, keys: endpoint.keys)
        } catch {
            switch error {
            case .unreachable, .answered: return .unavailable(error.reason)
            case .tooLarge: return .unavailable("its answer is larger than \(WitnessAnswer.maximumCount) bytes")
            }
        }
    }

    /// The note that a witness shows of a log at its monitoring address; nil if it shows none, or does not answer.
    func shown(of origin: String, at endpoint: WitnessEndpoint) async -> [UInt8]? {
        let request = OutgoingRequest(
            "\(endpoint.url.text)/\(AddCheckpointRequest.monitoringPath(of: origin))",
            limit: WitnessAnswer.maximumCount)
        guard let answer = try? await connection.send(request), answer.status == 200 else { return nil }
        return answer.body
    }
}
