import Messages
import Petitions
import ServiceHTTP

extension Problem {
    /// The HTTP form of a record's refusal, with what to do next. `demand` is the work that is demanded now.
    init(_ refusal: RecordRefusal, demand: ProofOfWorkChallenge?) {
        switch refusal {
        case .breaks(let rule): self.init(rule, Self.advice(rule))
        case .notOpen(let opens): self.init(.petitionNotOpen, "The petition opens at \(opens).")
        case .closed(let closes): self.init(.petitionClosed, "The petition closed at \(closes).")
        case .alreadyWithdrawn:
            self.init(.alreadyWithdrawn, "This signature was withdrawn. A withdrawn tag does not sign again.")
        case .notSigned: self.init(.notSigned, "There is no signature to withdraw in an earlier commit.")
        case .rollUnreachable(let roll):
            self.init(
                .rollUnreachable, "The roll \(roll) cannot be read now. Try again later, with the same record.",
                retryAfter: 30)
        case .awaitsWitnesses(let since):
            let time = since.map { " since \($0)" } ?? ""
            self.init(
                .busy,
                "The witnesses of this petition have not cosigned its log\(time). Send the same record again later.",
                retryAfter: 10)
        case .logEnded:
            self.init(.busy, "The log of this petition contradicts itself and has ended.", retryAfter: 3600)
        case .full:
            self.init(.busy, "Too many signatures are waiting. Send the same record again later.", retryAfter: 5)
        case .sentOften:
            self.init(.busy, "This record was sent many times and is being looked at.", retryAfter: 5)
        case .needsWork:
            self.init(
                .busy,
                "Many wrong signatures are coming in. Send the same record again with the work that is asked for.",
                retryAfter: 0, work: demand)
        }
    }

    private static func advice(_ rule: Rule) -> String {
        switch rule {
        case .ringNotAdmitted: "The petition does not admit the ring that the record names."
        case .malformedRecord: "The bytes are not a record, or have the wrong length for their ring."
        case .proofInvalid:
            """
            The proof does not verify. If you did not change the record, keep it, do not sign again, and ask the \
            organisers: your roll may differ from theirs.
            """
        default: "A point or scalar of the record is not in the one encoding that is accepted."
        }
    }
}
