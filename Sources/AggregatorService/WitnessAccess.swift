import Documents
import LogReading
import LogStorage
import LogWitnessing
import Logging
import Storage
import Witnessing

/// How the server reaches witnesses, for all its petitions.
struct WitnessAccess: Sendable {
    let connection: any RequestConnection
    /// Each witness is asked about one log no more often than this.
    let interval: Duration
    let evidence: LogEvidence
    let logger: Logger

    /// How long a record waits for its quorum, and how long before closing the last one is taken: ten seconds, or as
    /// long as a question and its answer may take.
    var patience: Duration { max(.seconds(10), interval + WitnessSubmission.patience) }

    /// The witnesses of a petition's policy. `show` is called with what a quorum has cosigned, when it is durable.
    func witnesses(
        of petition: CollectedPetition, under policy: WitnessPolicy, for aggregator: Aggregator,
        show: @escaping @Sendable (CosignedHead) -> Void
    ) throws -> LogWitnesses {
        try LogWitnesses(
            petition.log, key: aggregator.logKey(of: petition), policy: policy,
            endpoints: aggregator.database.read { try WitnessAddresses.endpoints($0, of: policy) },
            database: aggregator.database, connection: connection, interval: interval, evidence: evidence,
            clock: aggregator.clock, logger: logger,
            hooks: LogWitnesses.Hooks(
                inTransaction: { try petition.show($0, $1, isNew: $2, under: policy) }, afterwards: show))
    }
}
