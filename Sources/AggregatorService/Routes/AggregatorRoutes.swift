import Bytes
import Documents
import HTTPTypes
import Hummingbird
import LogClient
import LogStorage
import LogWitnessing
import Logging
import Messages
import NIOCore
import PetitionCopies
import PetitionPages
import Petitions
import Platform
import RingSignatures
import ServiceHTTP
import ServiceLifecycle
import Sodium
import Storage
import TransparencyLog
import Witnessing

/// The aggregator's HTTP interface (`Protocol/http.md`).
public struct AggregatorServer: Sendable {
    private let aggregator: Aggregator
    private let duty: Duty
    private let follower: RollFollower
    private let resources: AdmissionResources
    private let intake: RecordIntake
    private let metrics = AggregatorMetrics()
    private let service = ServiceMetrics()
    private let live: PublishedPetitions
    private let cache = ResourceCache()
    private let programs: ProgramsOffer?
    private let logger: Logger
    /// Makes refusals and duplicates take as long as a receipt may take.
    private let refusalDelay: RefusalDelay

    /// A server for `aggregator` that publishes a petition's checkpoints no closer together than `publishInterval`,
    /// asks a witness about one log no more often than every `witnessInterval`, verifies on `cores` cores, and reaches
    /// others through `proxy` if there is one. Its pages say where the programs are offered. Throws a `StorageError`
    /// when the database does not continue what was published.
    public init(
        _ aggregator: Aggregator, publishInterval: Duration, witnessInterval: Duration, cores: Int, proxy: SOCKSProxy?,
        logger: Logger, programs: ProgramsOffer? = nil
    ) throws {
        self.programs = programs
        self.aggregator = aggregator
        self.logger = logger
        refusalDelay = RefusalDelay(atMost: publishInterval)
        // Before anything is read: what another server has committed until then is there.
        duty = try Duty(aggregator.database)
        resources = AdmissionResources(
            aggregator: aggregator, metrics: metrics, publishInterval: publishInterval, cores: cores)
        live = PublishedPetitions(
            resources: resources,
            access: WitnessAccess(
                connection: HTTPConnection(proxy: proxy, answering: proxy == nil ? WitnessSubmission.patience : nil),
                interval: witnessInterval, evidence: LogEvidence(folder: aggregator.folder), logger: logger),
            duty: duty)
        for petition in try aggregator.petitions() { _ = try live.sequencer(petition.manifest.id.hex) }
        follower = RollFollower(aggregator: aggregator, duty: duty, proxy: proxy, logger: logger)
        intake = RecordIntake(resources: resources, follower: follower)
    }

    /// Serves until told to stop, and the metrics at another address if there is one. `onRunning` is called with the
    /// port.
    public func run(
        on address: ListenAddress, metricsOn metricsAddress: ListenAddress? = nil,
        onRunning: @escaping @Sendable (Int) async -> Void
    ) async throws {
        try await follower.loadStored()
        let forMetrics = metricsAddress.map {
            metricsService(on: $0, of: aggregator.database, logger: logger, text: metricsText)
        }
        try await serve(
            router(), on: address,
            services: [follower, live, DutyService(server: self)] + (forMetrics.map { [$0] } ?? []), logger: logger,
            onRunning: onRunning)
    }

    /// True if another server on the same database takes records, and this one is ready to.
    public var isWaiting: Bool { !duty.isActive }

    /// Looks after the duty as long as the server runs.
    private struct DutyService: Service {
        let server: AggregatorServer

        func run() async throws {
            try await cancelWhenGracefulShutdown { [server] in
                try await server.duty.lookAfter(logger: server.logger, fault: { server.resources.fault }) {
                    await server.live.follow()
                } prepare: {
                    // The database may be behind what this server has shown: a standby that was promoted.
                    try server.aggregator.check()
                    try await server.follower.loadStored()
                    try await server.live.publish()
                }
            }
        }
    }

    private func metricsText() async throws -> MetricsText {
        var text = metrics.text(
            service, queue: resources.count, watchers: live.watcherCount, workBits: resources.gate.demand?.bits ?? 0,
            takesRecords: duty.isActive, heads: live.heads)
        text.add(lines: await live.witnessMetrics())
        return text
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self, options: .autoGenerateHeadEndpoints)
        let site = Pages(site: aggregator.url, hasList: true, programs: programs)
        router.addMiddleware {
            PublicInterface(metrics: service, logger: logger, pages: site, refusalDelay: refusalDelay)
            DatabaseThreads(for: aggregator.database)
        }
        let group = router.group(RouterPath(aggregator.url.path))
        let pages = PageRoutes(pages: site, views: views) { try view(sequencer($0).petition) }
        pages.add(toSite: group)
        group.get("health") { _, _ in try health() }
        group.get("petitions") { _, _ in try list() }
        group.get("log-list") { _, _ in try logList() }
        addPetition(group.group("petitions/:id"), pages)
        pages.add(toPetition: group.group("petitions/:id"))
        return router
    }

    private func addPetition(_ group: RouterGroup<BasicRequestContext>, _ pages: PageRoutes) {
        group.get { request, context in
            let petition = try sequencer(context).petition
            if request.headers[.accept]?.contains("application/json") == true {
                return tally(petition, request)
            }
            return try pages.petition(view(petition), for: request)
        }
        group.get("events") { request, context in try events(of: sequencer(context).petition, for: request) }
        group.get("petition") { _, context in
            LogResponse.text(try sequencer(context).petition.collected.manifest.note)
        }
        group.get("tally") { request, context in tally(try sequencer(context).petition, request) }
        group.get("checkpoint") { request, context in
            let head = try sequencer(context).petition.published.head
            // Under a policy, the lines change while the size does not.
            return LogResponse.checkpoint(head.note, tag: SHA256.hash(head.note).hex, for: request)
        }
        group.get("closing") { _, context in
            let petition = try sequencer(context).petition.collected
            let now = aggregator.clock.now
            guard let note = try aggregator.database.read({ try petition.finalNote($0, at: now) }) else {
                throw Problem(.notFound, "There is no closing note.")
            }
            return LogResponse.text(note)
        }
        group.get("tile/**") { request, context in
            let path = "tile/" + context.parameters.getCatchAll().joined(separator: "/")
            let petition = try sequencer(context).petition
            let log = petition.collected.log
            // What waits for its witnesses is nobody's business: its widths would tell when each record came.
            guard petition.isPublished(path) else {
                throw Problem(.notFound, "The log has no such resource.")
            }
            return try LogResponse.tile(
                of: log, path: path, database: aggregator.database, cache: cache, for: request)
        }
        group.get(RouterPath(OfflineCopy.announcement)) { request, context in
            try kept(OfflineCopy.announcement, of: sequencer(context).petition, for: request)
        }
        for folder in ["rolls", OfflineCopy.announcements] {
            group.get(RouterPath(folder + "/**")) { request, context in
                let path = ([Substring(folder)] + context.parameters.getCatchAll()).joined(separator: "/")
                return try kept(path, of: sequencer(context).petition, for: request)
            }
        }
        group.post("records") { request, context in
            try await submit(request, to: sequencer(context))
        }
    }

    private func sequencer(_ context: BasicRequestContext) throws -> RecordSequencer {
        guard let sequencer = try live.sequencer(context.parameters.require("id")) else {
            throw Problem(.notFound, "This aggregator does not collect such a petition.")
        }
        return sequencer
    }

    // MARK: Records

    private func submit(_ request: Request, to sequencer: RecordSequencer) async throws -> Response {
        let start = ContinuousClock.now
        guard duty.isActive else {
            throw Problem(.busy, "This server takes no signatures at the moment: another does, or will.", retryAfter: 1)
        }
        let bytes = try await request.boundedBody(limit: SubmittedRecord.maximumCount)
        do {
            switch try await intake.take(bytes, work: request.headers[.work], for: sequencer) {
            case .entered(let receipt):
                metrics.admitted(isNew: true)
                return LogResponse.text(receipt.encoded, status: .created)
            case .known(let receipt):
                metrics.admitted(isNew: false)
                await refusalDelay.wait(since: start)
                return LogResponse.text(receipt.encoded)
            }
        } catch RecordRefusal.needsWork {
            // The demand may rise in the meantime, and nobody should do the work in vain.
            await refusalDelay.wait(since: start)
            throw Problem(RecordRefusal.needsWork, demand: resources.gate.demand)
        } catch let refusal as RecordRefusal {
            throw Problem(refusal, demand: nil)
        }
    }

    // MARK: Reading

    /// The resource at `path` in an offline copy of the petition, for its rolls and announcements as they are kept.
    /// Hash tiles are not served: to compute one, thousands of entries may have to be read.
    private func kept(_ path: String, of petition: PublishedPetition, for request: Request) throws -> Response {
        switch petition.grounds.resource(at: path) {
        case nil: throw Problem(.notFound, "Nothing is kept under this name.")
        case .document(let note): return LogResponse.text(note)
        case .part(let log, "checkpoint"):
            guard let head = try aggregator.database.read({ try log.head($0) }) else {
                throw Problem(.notFound, "Nothing of this log is kept.")
            }
            return LogResponse.checkpoint(head.note, size: head.checkpoint.size, for: request)
        case .part(let log, let path):
            if let note = try aggregator.database.read({ try log.keptNote($0, at: path) }) {
                return LogResponse.text(note)
            }
            return try LogResponse.tile(path, of: "kept \(log.key.vkey)", cache: cache, for: request) {
                guard case .entries = TileRequest(path: path) else { return nil }
                return try aggregator.database.read { try log.resource($0, path: path) }
            }
        }
    }

    private func tally(_ petition: PublishedPetition, _ request: Request) -> Response {
        let published = petition.published
        let (tally, head) = (published.tally, published.head)
        let status = petition.collected.manifest.status(at: aggregator.clock.now)
        return LogResponse.current(tally.entityTag(status: status), type: "application/json", for: request) {
            ByteBuffer(string: tally.json(checkpointTime: UTCTime(seconds: head.signedAt), status: status))
        }
    }

    /// What pages show of a petition now.
    private func view(_ petition: PublishedPetition) throws -> PetitionView {
        let published = petition.published
        let (manifest, now) = (petition.collected.manifest, aggregator.clock.now)
        return PetitionView(
            manifest: manifest, address: aggregator.address(of: petition.collected),
            logKey: VerifierKey(name: petition.collected.log.origin, publicKey: aggregator.publicKey),
            tally: published.tally, checkpointTime: UTCTime(seconds: published.head.signedAt),
            status: manifest.status(at: now), history: try petition.history(at: now), waitsSince: petition.lateSince)
    }

    /// The views of all petitions.
    private func views() throws -> [PetitionView] {
        try aggregator.petitions().compactMap { petition in
            try live.sequencer(petition.manifest.id.hex).map { try view($0.petition) }
        }
    }

    // MARK: Events

    /// The tally at each new checkpoint, as server-sent events.
    private func events(of petition: PublishedPetition, for request: Request) throws -> Response {
        guard let watch = live.watch(petition) else {
            throw Problem(.busy, "Many people watch already. Ask for the tally now and then instead.", retryAfter: 60)
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream", .cacheControl: "no-store",
                // Without this, nginx would hold events back until a buffer is full.
                Self.noBuffering: "no",
            ],
            body: ResponseBody { writer in
                // A watcher that hangs up makes room for another at once.
                try await request.body.consumeWithInboundCloseHandler { _ in
                    var sent: PublishedPetition.Event?
                    for await _ in watch.signals.cancelOnGracefulShutdown() {
                        let event = petition.event(at: aggregator.clock.now)
                        if event.isNews(after: sent) {
                            try await writer.write(event.bytes)
                            sent = event
                        } else {
                            try await writer.write(ByteBuffer(string: ":\n\n"))
                        }
                        // Nobody reads faster, and in a busy hour the time must not be spent on watchers.
                        try? await Task.sleep(for: Self.eventInterval)
                    }
                } onInboundClosed: {
                    watch.end()
                }
                try await writer.finish(nil)
            })
    }

    private static let eventInterval = Duration.seconds(1)
    private static let noBuffering: HTTPField.Name = {
        guard let name = HTTPField.Name("X-Accel-Buffering") else { preconditionFailure("a header's name") }
        return name
    }()

    private func list() throws -> Response {
        let list = try aggregator.petitions().map {
            PetitionListing($0.manifest, url: aggregator.address(of: $0))
        }
        return LogResponse.json(PetitionListing.json(list))
    }

    /// The logs, for witnesses to follow (C2SP tlog-list).
    private func logList() throws -> Response {
        let logs = try aggregator.petitions().map { petition in
            LogList.Entry(
                key: aggregator.logKey(of: petition), perDay: LogList.mostPerDay, contact: aggregator.url.text)
        }
        return LogResponse.text(Array(LogList(logs).text.utf8))
    }

    /// The newest published checkpoint of every petition's log.
    private func heads() throws -> [StoredLog.Head] {
        try aggregator.petitions().compactMap { petition in
            try live.sequencer(petition.manifest.id.hex)?.petition.published.head
        }
    }

    private func health() throws -> Response {
        let now = aggregator.clock.now.seconds
        let logs = try heads().map { head in
            JSONValue.object([
                ("log", .string(head.checkpoint.origin)), ("treeSize", .integer(head.checkpoint.size)),
                ("checkpointAgeSeconds", .integer(UInt64(head.age(at: now)))),
            ])
        }
        return LogResponse.json(
            JSONValue.object([
                ("status", .string("ok")), ("takesRecords", .boolean(duty.isActive)), ("logs", .array(logs)),
            ]).text(isPretty: false))
    }
}
