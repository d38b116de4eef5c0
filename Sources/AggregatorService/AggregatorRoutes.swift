import Bytes
import Hummingbird
import LogClient
import LogStorage
import Logging
import Petitions
import RingSignatures
import ServiceHTTP
import TransparencyLog

/// The aggregator's HTTP interface (`Protocol/http.md`).
public struct AggregatorServer: Sendable {
    private let aggregator: Aggregator
    private let follower: RollFollower
    private let sequencer: RecordSequencer
    private let connection: HTTPConnection
    private let logger: Logger

    /// A server for `aggregator`.
    public init(_ aggregator: Aggregator, logger: Logger) {
        self.aggregator = aggregator
        self.logger = logger
        connection = HTTPConnection(proxy: nil)
        follower = RollFollower(aggregator: aggregator, connection: connection)
        sequencer = RecordSequencer(aggregator: aggregator)
    }

    /// Serves until told to stop. `onRunning` is told the port.
    public func run(on address: ListenAddress, onRunning: @escaping @Sendable (Int) async -> Void) async throws {
        do {
            try await follower.loadStored()
            try await serve(router(), on: address, services: [follower], logger: logger, onRunning: onRunning)
            await connection.close()
        } catch {
            await connection.close()
            throw error
        }
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self)
        router.addMiddleware { PublicInterface() }
        let group = router.group(RouterPath(aggregator.url.path))
        group.get { _, _ in
            LogResponse.html(
                PetitionPages.list(
                    try aggregator.petitions().map { ($0.manifest.text.title, aggregator.address(of: $0)) }))
        }
        group.get("health") { _, _ in try health() }
        group.get("petitions") { _, _ in try list() }
        addPetition(group.group("petitions/:id"))
        return router
    }

    private func addPetition(_ group: RouterGroup<BasicRequestContext>) {
        group.get { request, context in
            let petition = try petition(context)
            if request.headers[.accept]?.contains("application/json") == true {
                return try await tally(petition, request)
            }
            let (tally, _) = try await currentTally(petition)
            return LogResponse.html(
                PetitionPages.petition(
                    petition.manifest, at: aggregator.address(of: petition), tally: tally, now: UTCTime.now))
        }
        group.get("petition") { _, context in LogResponse.text(try petition(context).manifest.note) }
        group.get("tally") { request, context in try await tally(petition(context), request) }
        group.get("checkpoint") { _, context in
            try LogResponse.make(petition(context).log, path: "checkpoint", database: aggregator.database)
        }
        group.get("tile/**") { _, context in
            let path = "tile/" + context.parameters.getCatchAll().joined(separator: "/")
            return try LogResponse.make(petition(context).log, path: path, database: aggregator.database)
        }
        group.post("records") { request, context in
            let petition = try petition(context)
            let body = try await request.boundedBody(limit: SubmittedRecord.maximumCount)
            return try await submit(body, to: petition)
        }
    }

    private func petition(_ context: BasicRequestContext) throws -> CollectedPetition {
        guard let petition = try aggregator.petition(context.parameters.require("id")) else {
            throw Problem(.notFound, "This aggregator does not collect such a petition.")
        }
        return petition
    }

    // MARK: Records

    private func submit(_ bytes: [UInt8], to petition: CollectedPetition) async throws -> Response {
        let record = try await parse(bytes, for: petition)
        if let receipt = try receiptOfIdentical(record, in: petition) { return LogResponse.text(receipt.encoded) }
        switch petition.manifest.status(at: UTCTime.now) {
        case .notOpen: throw Problem(.petitionNotOpen, "The petition opens at \(petition.manifest.text.opens).")
        case .closed: throw Problem(.petitionClosed, "The petition closed at \(petition.manifest.text.closes).")
        case .open: break
        }
        switch try await sequencer.submit(record, to: petition) {
        case .entered(let receipt): return LogResponse.text(receipt.encoded, status: .created)
        case .known(let receipt): return LogResponse.text(receipt.encoded)
        }
    }

    /// The checks that come before the proof. A ring that is not known makes the roll be read anew before the answer.
    private func parse(_ bytes: [UInt8], for petition: CollectedPetition) async throws -> SubmittedRecord {
        do {
            // Only the roll that the record names is looked at: another's coordinator may be away.
            guard bytes.first == SignatureHeader.type, let header = try? SignatureHeader(parsing: bytes) else {
                return try SubmittedRecord(parsing: bytes, electorate: Electorate(petition.manifest, rings: []))
            }
            let roll = Int(header.roll)
            guard roll < petition.manifest.rolls.count else { throw Rule.ringNotAdmitted }
            var rings = [[SealedRing]?](repeating: nil, count: petition.manifest.rolls.count)
            rings[roll] = try await self.rings(of: roll, in: petition, isFresh: false)
            do {
                return try SubmittedRecord(parsing: bytes, electorate: Electorate(petition.manifest, rings: rings))
            } catch .ringNotAdmitted {
                rings[roll] = try await self.rings(of: roll, in: petition, isFresh: true)
                return try SubmittedRecord(parsing: bytes, electorate: Electorate(petition.manifest, rings: rings))
            }
        } catch let rule as Rule {
            throw Problem(rule, Self.advice(rule))
        }
    }

    private func rings(of roll: Int, in petition: CollectedPetition, isFresh: Bool) async throws -> [SealedRing] {
        do {
            return try await follower.rings(of: petition.manifest.rolls[roll], isFresh: isFresh)
        } catch RollFollower.Failure.unavailable(let roll, let reason) {
            logger.warning("roll unavailable", metadata: ["roll": "\(roll)", "reason": "\(reason)"])
            throw Problem(
                .rollUnreachable, "The roll \(roll) cannot be read now. Send the same record again later.",
                retryAfter: 30)
        }
    }

    private static func advice(_ rule: Rule) -> String {
        switch rule {
        case .ringNotAdmitted: "The petition does not admit the ring that the record names."
        case .malformedRecord: "The bytes are not a record, or have the wrong length for their ring."
        default: "A point or scalar of the record is not in the one encoding that is accepted."
        }
    }

    /// The receipt of a record that is in the log already, byte for byte: given at any time, before and after closing.
    private func receiptOfIdentical(_ record: SubmittedRecord, in petition: CollectedPetition) throws -> LogProof? {
        try aggregator.database.read { db in
            guard let state = try petition.tagState(db, record.tag) else { return nil }
            for index in [state.signedAt, state.withdrawnAt].compactMap({ $0 })
            where try petition.log.entry(db, at: index) == record.bytes {
                return try petition.log.receipt(db, at: index)
            }
            return nil
        }
    }

    // MARK: Reading

    /// The tally now. A petition whose rolls were never read makes them be read first.
    private func currentTally(
        _ petition: CollectedPetition
    ) async throws -> (published: PublishedTally, head: StoredLog.Head) {
        do {
            return try aggregator.database.read { try petition.tally($0) }
        } catch AggregatorError.rollUnknown {
            for roll in petition.manifest.rolls.indices { _ = try await rings(of: roll, in: petition, isFresh: false) }
            return try aggregator.database.read { try petition.tally($0) }
        }
    }

    private func tally(_ petition: CollectedPetition, _ request: Request) async throws -> Response {
        let (tally, head) = try await currentTally(petition)
        let status = petition.manifest.status(at: UTCTime.now)
        let tag = "\"\(tally.treeSize)-\(status.rawValue)-\(tally.rootHash.hex.prefix(16))\""
        var response =
            request.headers[.ifNoneMatch] == tag
            ? Response(status: .notModified)
            : LogResponse.json(tally.json(checkpointTime: UTCTime(seconds: head.signedAt), status: status))
        response.headers[.eTag] = tag
        return response
    }

    private func list() throws -> Response {
        let petitions = try aggregator.petitions().map { collected in
            let petition = collected.manifest
            return JSONValue.object([
                ("id", .string(petition.id.hex)),
                ("title", .string(petition.text.title)),
                ("opens", .string(petition.text.opens.description)),
                ("closes", .string(petition.text.closes.description)),
                ("url", .string(aggregator.address(of: collected).text)),
            ])
        }
        return LogResponse.json(JSONValue.array(petitions).text(isPretty: false))
    }

    private func health() throws -> Response {
        let heads = try aggregator.petitions().map { petition in
            try aggregator.database.read { try petition.log.head($0) }
        }
        let now = UTCTime.now.seconds
        let logs = heads.map { head in
            JSONValue.object([
                ("log", .string(head.checkpoint.origin)),
                ("treeSize", .integer(head.checkpoint.size)),
                ("checkpointAgeSeconds", .integer(UInt64(max(0, now - head.signedAt)))),
            ])
        }
        return LogResponse.json(
            JSONValue.object([("status", .string("ok")), ("logs", .array(logs))]).text(isPretty: false))
    }
}
