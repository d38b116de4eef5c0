import Documents
import LogReading
import Messages
import Petitions

/// Asking for an invitation to an open roll, `Protocol/enrolment.md`. No wallet is used: the coordinator learns an
/// address, and nothing else.
extension Wallet {
    /// How often work is done for one request: the server may demand more meanwhile.
    private static let askingAttempts = 16

    /// Asks for an invitation to the roll under `link`, which goes to `address` by mail. Does the work that the server
    /// demands. Returns the roll, and about how many hours mails wait.
    public static func ask(
        _ link: RollLink, address: String, language: String?, network: SignerNetwork
    ) async throws(SignerError) -> (roll: RollDescriptor, hours: UInt64) {
        try await network.fresh { connection async throws(SignerError) in
            let roll = try await CheckedFetch.roll(link, connection: connection)
            let url = roll.url.text + "/request"
            let body = Array(InvitationRequest(address: address, language: language).json.utf8)
            var headers: [OutgoingRequest.Header] = []
            for attempt in 1...askingAttempts {
                let answer = try await connection.ask(
                    OutgoingRequest(
                        url, content: .init(body, type: "application/json"), headers: headers, limit: answerLimit))
                if answer.status == 202 {
                    guard let taken = try? RequestAnswer(parsing: answer.body) else {
                        throw .unreachable(location: url, reason: .notToRequest)
                    }
                    return (roll, taken.hours)
                }
                guard attempt < askingAttempts, let work = (try? ProblemDocument(parsing: answer.body))?.work else {
                    throw refusal(answer)
                }
                headers = [
                    .init(ProofOfWorkChallenge.header, work.work(for: Array(address.utf8), roll: roll.id))
                ]
            }
            throw .unreachable(location: url, reason: .moreWork)
        }
    }
}
