import Bytes
import Dispatch
import Documents
import Hummingbird
import InvitationMail
import LogClient
import LogStorage
import LogWitnessing
import Logging
import Messages
import PageParts
import PetitionCopies
import PetitionPages
import Petitions
import RingSignatures
import Ristretto255
import ServiceHTTP
import Sodium
import Storage
import TransparencyLog
import VOPRF
import Witnessing

/// The coordinator's HTTP interface (`Protocol/http.md`).
public struct CoordinatorServer: Sendable {
    private static let bodyLimit = 16 * 1024
    private let coordinator: Coordinator
    private let resources = ResourceCache()
    private let metrics = ServiceMetrics()
    private let programs: ProgramsOffer?
    /// The queue on which state is changed, one request at a time: each waits for the disk, which the serving threads
    /// must not do.
    private let changes = DispatchQueue(label: "roundrobin.changes")

    private let joins: JoinBatches
    private let mail: MailDispatch
    private let witnesses: AnnouncementWitnesses
    private let rollWitnesses: RollWitnesses
    private let rounds: RoundDispatch
    private let gate = RequestGate()
    /// How often it is checked that the database continues what was published.
    private static let checking = Duration.seconds(5)
    private let mailsPerHour: Int

    /// A server for `coordinator` that commits joins every `joinInterval`, asks a witness about one log no more often
    /// than every `witnessInterval`, through `proxy` if there is one, and whose pages say where the programs are
    /// offered. At most `mailsPerHour` mails are sent for requests.
    public init(
        _ coordinator: Coordinator, joinInterval: Duration, witnessInterval: Duration, proxy: SOCKSProxy?,
        logger: Logger, programs: ProgramsOffer? = nil, mailsPerHour: Int = Outbox.RequestLimits.perHour
    ) {
        self.mailsPerHour = mailsPerHour
        self.coordinator = coordinator
        self.programs = programs
        self.logger = logger
        mail = MailDispatch(coordinator, perHour: mailsPerHour, logger: logger)
        joins = JoinBatches(coordinator, every: joinInterval, on: changes)
        let connection = HTTPConnection(proxy: proxy, answering: proxy == nil ? WitnessSubmission.patience : nil)
        witnesses = AnnouncementWitnesses(
            coordinator, connection: connection, interval: witnessInterval, logger: logger)
        rollWitnesses = RollWitnesses(coordinator, connection: connection, interval: witnessInterval, logger: logger)
        rounds = RoundDispatch(coordinator, on: changes, logger: logger)
    }
    private let logger: Logger

    /// Serves until told to stop, and the metrics at another address if there is one. `onRunning` is called with the
    /// port.
    public func run(
        on address: ListenAddress, metricsOn metricsAddress: ListenAddress? = nil,
        onRunning: @escaping @Sendable (Int) async -> Void
    ) async throws {
        let watch = DatabaseWatch(of: coordinator.database, every: Self.checking) { [coordinator] in
            try coordinator.check()
        }
        let forMetrics = metricsAddress.map {
            metricsService(on: $0, of: coordinator.database, logger: logger, text: metricsText)
        }
        try await serve(
            router(logger), on: address,
            services: [joins, mail, witnesses, rollWitnesses, rounds, watch] + (forMetrics.map { [$0] } ?? []),
            logger: logger, onRunning: onRunning)
    }

    private func metricsText() async throws -> MetricsText {
        let heads = try coordinator.database.read { db in try StoredLog.all(db).map { try $0.head(db) } }
        try coordinator.remember(heads)
        var text = metrics.text(heads: heads)
        try mail.add(to: &text)
        text.add(lines: await witnesses.metrics() + rollWitnesses.metrics())
        return text
    }

    private func router(_ logger: Logger) -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self, options: .autoGenerateHeadEndpoints)
        let pages = Pages(site: coordinator.url, hasList: false, programs: programs)
        router.addMiddleware {
            PublicInterface(metrics: metrics, logger: logger, pages: pages, refusalDelay: .longest)
            DatabaseThreads(for: coordinator.database)
        }
        let group = router.group(RouterPath(coordinator.url.path))
        group.get("assets/:name") { _, context in
            guard let asset = Asset.all[try context.parameters.require("name")] else {
                throw Problem(.notFound, "There is no such file.")
            }
            return LogResponse.asset(asset.bytes, type: asset.type)
        }
        group.get("health") { _, _ in LogResponse.json("{\"status\":\"ok\"}") }
        group.get("log-list") { _, _ in
            let logs = try coordinator.logKeys().map {
                LogList.Entry(key: $0, perDay: LogList.mostPerDay, contact: coordinator.url.text)
            }
            return LogResponse.text(Array(LogList(logs).text.utf8))
        }
        group.get { request, _ in
            guard request.isFor(coordinator.url) else { throw Problem(.notFound, "There is no such page.") }
            return LogResponse.page(
                pages.front(
                    name: coordinator.name, petitions: try coordinator.petitions(), rolls: try coordinator.rolls(),
                    language: request.language ?? .english))
        }
        addRolls(group.group("rolls/:roll"), pages)
        addStop(group.group("stop/:token"), pages)
        group.get("announcements/**") { request, context in
            let log = try coordinator.database.read { try coordinator.announcements($0) }
            guard context.rest == "checkpoint" else { return try resource(context.rest, of: log, for: request) }
            let head = try coordinator.database.read { try log.head($0) }
            try coordinator.remember([head])
            let note = witnesses.note(of: head)
            // The lines change while the size does not.
            return LogResponse.checkpoint(note, tag: SHA256.hash(note).hex, for: request)
        }
        addPetitions(group.group("petitions"))
        return router
    }

    private func addRolls(_ group: RouterGroup<BasicRequestContext>, _ pages: Pages) {
        let asking = RequestRoutes(
            coordinator: coordinator, pages: pages, gate: gate, perHour: mailsPerHour, changes: changes)
        group.get { request, context in
            // Some mail programs write %23 for the # of an invitation: a browser then asks for a roll of that name.
            let roll = try roll(context, isLink: true, endsAtHash: request.wantsPage)
            guard request.wantsPage else { return LogResponse.text(roll.descriptor.note) }
            return LogResponse.page(
                try asking.page(roll, language: request.language ?? .english), connects: false,
                posts: roll.descriptor.admission.isOpen)
        }
        group.post("request") { request, context in try await asking.answer(request, try roll(context)) }
        group.get("announcement") { _, context in
            let id = try roll(context, isLink: true).descriptor.id
            return try announcement { try coordinator.announcementProof(roll: id) }
        }
        group.get("members/**") { request, context in
            let roll = try roll(context)
            return try resource(context.rest, of: roll, roll.members, notes: [OfflineCopy.ends: .end], for: request)
        }
        group.get("enrolment/**") { request, context in
            let roll = try roll(context)
            let notes: [String: RollStore.WitnessedMoment] = [OfflineCopy.phases: .opening, OfflineCopy.ends: .end]
            return try resource(context.rest, of: roll, roll.enrolment, notes: notes, for: request)
        }
        group.get("round") { _, context in
            LogResponse.json(try coordinator.round(roll: try roll(context).slug).json)
        }
        group.post("issue") { request, context in
            let roll = try roll(context)
            let slug = roll.slug
            let asked = try await message(request, IssueRequest.init)
            let (code, blinded) = (asked.code, asked.blinded)
            try answering { try coordinator.checkIssue(roll: slug, code: code, blinded: blinded) }
            try await witnessed { try await rollWitnesses.checkMayGrow(roll) }
            let issued = try await changing { [coordinator] in
                try coordinator.issue(roll: slug, code: code, blinded: blinded)
            }
            // Whoever enrols looks for the entry in the log, where it is shown once it is cosigned.
            try await witnessed { try await rollWitnesses.waitUntilShown(roll) }
            return LogResponse.json(IssueAnswer(evaluated: issued.evaluated, proof: issued.proof).json)
        }
        group.post("join") { request, context in
            let slug = try roll(context).slug
            let asked = try await message(request, JoinRequest.init)
            try answering {
                try coordinator.checkToken(roll: slug, member: asked.member, token: asked.token)
            }
            let answer = try await join(roll: slug, member: asked.member)
            return LogResponse.json(answer.json, status: answer == .pending ? .accepted : .ok)
        }
    }

    /// What the recipient of a mail does to get no more (RFC 8058). To look at the page changes nothing; neither does a
    /// request without the one field that the standard or the page's button has.
    private func addStop(_ group: RouterGroup<BasicRequestContext>, _ pages: Pages) {
        group.get { request, _ in
            LogResponse.page(
                pages.stop(isStopped: nil, language: request.language ?? .english), connects: false, posts: true)
        }
        group.post { request, context in
            let body = String(decoding: try await request.boundedBody(limit: Self.bodyLimit), as: UTF8.self)
            guard let choice = StopChoice(body: body) else {
                throw Problem(.malformedRequest, "The body has no List-Unsubscribe=One-Click (RFC 8058).")
            }
            let token = MailToken(text: try context.parameters.require("token"))
            let isKnown = try await changing { [coordinator] in
                try token.map { try coordinator.existingOutbox()?.mark(stopped: choice == .stop, $0) ?? false } ?? false
            }
            guard isKnown else {
                throw Problem(
                    .notFound, "This link is no longer known: its roll was forgotten, and your address with it.")
            }
            return LogResponse.page(
                pages.stop(isStopped: choice == .stop, language: request.language ?? .english), connects: false,
                posts: true)
        }
    }

    private func addPetitions(_ group: RouterGroup<BasicRequestContext>) {
        group.get { _, _ in
            let list = try coordinator.petitions().map { PetitionListing($0, url: $0.logURL(aggregator: 0)) }
            return LogResponse.json(PetitionListing.json(list))
        }
        group.get(":id") { _, context in
            guard let note = try coordinator.petitionNote(try context.parameters.require("id")) else {
                throw Problem(.notFound, "This coordinator has no such petition.")
            }
            return LogResponse.text(note)
        }
        group.get(":id/announcement") { _, context in
            let id = try context.parameters.require("id")
            return try announcement { try coordinator.announcementProof(petition: id) }
        }
    }

    private func announcement(_ proof: () throws -> LogProof?) throws -> Response {
        do {
            guard let proof = try proof() else {
                throw Problem(.notFound, "This coordinator has no such petition or roll.")
            }
            return LogResponse.text(proof.encoded)
        } catch Rule.busy {
            throw Problem(.busy, "The witnesses have not cosigned the announcement yet.", retryAfter: 5)
        }
    }

    private func witnessed(_ body: () async throws -> Void) async throws {
        do { try await body() } catch Rule.busy {
            throw Problem(.busy, "The roll's witnesses have not cosigned its log. Send the same again.", retryAfter: 5)
        }
    }

    /// A resource of a log of a roll. Under a policy, that is what a quorum has cosigned; and below `times`, what was
    /// kept of that.
    private func resource(
        _ path: String, of roll: RollStore, _ log: StoredLog, notes: [String: RollStore.WitnessedMoment],
        for request: Request
    ) throws -> Response {
        guard let policy = roll.descriptor.witnesses else {
            guard roll.descriptor.admission.isOpen, log.id == roll.enrolment.id else {
                return try resource(path, of: log, for: request)
            }
            return try step(path, of: roll, for: request)
        }
        if path == "checkpoint" {
            let note = try coordinator.shownNote(roll, of: log, under: policy)
            return LogResponse.checkpoint(note, tag: SHA256.hash(note).hex, for: request)
        }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        if let first = parts.first, let moment = notes[String(first)] {
            guard parts.count == 2, let round = UInt32(parts[1]),
                let note = try coordinator.database.read({ try roll.keptNote($0, of: log, moment, round: round) })
            else { throw Problem(.notFound, "No quorum has cosigned such a checkpoint.") }
            return LogResponse.text(note)
        }
        let size = try coordinator.database.read { try roll.shownSize($0, of: log) }
        guard TileRequest(path: path)?.isWithin(size) ?? true else {
            throw Problem(.notFound, "The log has no such resource.")
        }
        return try resource(path, of: log, for: request)
    }

    /// A resource of the enrolment log of an open roll, as far as it is published.
    private func step(_ path: String, of roll: RollStore, for request: Request) throws -> Response {
        let head = try coordinator.publishedEnrolment(of: roll)
        guard path != "checkpoint" else {
            return LogResponse.checkpoint(head.note, size: head.checkpoint.size, for: request)
        }
        guard TileRequest(path: path)?.isWithin(head.checkpoint.size) ?? true else {
            throw Problem(.notFound, "The log has no such resource.")
        }
        return try resource(path, of: roll.enrolment, for: request)
    }

    /// A resource of a log, as far as it was published. A checkpoint is recorded before it is sent.
    private func resource(_ path: String, of log: StoredLog, for request: Request) throws -> Response {
        guard path == "checkpoint" else {
            // More than that may be lost, and others in its place.
            let size = try coordinator.publishedSize(of: log)
            guard TileRequest(path: path)?.isWithin(size) ?? true else {
                throw Problem(.notFound, "The log has no such resource.")
            }
            return try LogResponse.tile(
                of: log, path: path, database: coordinator.database, cache: resources, for: request)
        }
        let head = try coordinator.database.read { try log.head($0) }
        try coordinator.remember([head])
        return LogResponse.checkpoint(head.note, size: head.checkpoint.size, for: request)
    }

    /// The roll with the id in the path; with `isLink`, its slug is accepted too. With `endsAtHash`, what follows a `#`
    /// in the name is ignored: it is not looked at, and not kept.
    private func roll(
        _ context: BasicRequestContext, isLink: Bool = false, endsAtHash: Bool = false
    ) throws -> RollStore {
        var name = try context.parameters.require("roll")
        if endsAtHash, let end = name.firstIndex(where: { $0 == "#" || $0 == "%" }) { name = String(name[..<end]) }
        let roll = try coordinator.database.read { db in
            if let id = RollID(hex: name) { return try RollStore(db, id: id) }
            return isLink ? try RollStore(db, slug: name) : nil
        }
        guard let roll else { throw Problem(.notFound, "This coordinator has no such roll.") }
        return roll
    }

    /// Answers at once for a known key, and for a new one when its batch is on the disk.
    private func join(roll slug: String, member: MemberKey) async throws -> JoinAnswer {
        if let known = try answering({ try coordinator.knownJoin(roll: slug, member: member) }) { return known }
        let answer: Result<JoinAnswer, any Error>
        do { answer = .success(try await joins.join(roll: slug, member: member)) } catch { answer = .failure(error) }
        return try answering { try answer.get() }
    }

    /// Reads and parses the body of a request.
    private func message<T>(_ request: Request, _ parse: ([UInt8]) throws(Rule) -> T) async throws -> T {
        let body = try await request.boundedBody(limit: Self.bodyLimit)
        do { return try parse(body) } catch {
            throw Problem(
                error,
                error == .malformedRequest
                    ? "The body is not the JSON object that this request takes."
                    : "A point of the request is not an encoding of ristretto255 that is accepted here.")
        }
    }

    /// Changes the state, off the serving threads.
    private func changing<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        let result: Result<T, any Error> = await withCheckedContinuation { continuation in
            changes.async { continuation.resume(returning: Result(catching: body)) }
        }
        return try answering { try result.get() }
    }

    /// Turns a broken rule into a problem that says what to do next.
    private func answering<T>(_ body: () throws -> T) throws -> T {
        do { return try body() } catch Rule.busy {
            throw Problem(.busy, "Many join at the moment. Send the same request again later.", retryAfter: 60)
        } catch let rule as Rule {
            throw Problem(rule, Self.advice(rule))
        } catch StorageError.busy {
            throw Problem(.busy, "The coordinator is busy. Try again in a moment.", retryAfter: 5)
        }
    }

    private static func advice(_ rule: Rule) -> String {
        switch rule {
        case .unknownCode: "No invitation has this code. Check it against the letter."
        case .voidedCode: "This invitation was withdrawn. Ask the organisers who sent it."
        case .codeAlreadyUsed: "This invitation was used already, by another wallet."
        case .issuingClosed: "Enrolment is closed while members join. Try again when the next round opens."
        case .joiningClosed: "Joining is closed. Try again when the next round's joining opens."
        case .tokenInvalid: "The token is not one that this coordinator issued for this key."
        default: "The request breaks a rule of enrolment."
        }
    }
}

/// What the recipient of a mail asks for.
enum StopChoice: Equatable {
    case stop, resume

    /// Reads the body of a form, in either of the two encodings that mail programs use. Nil for anything else.
    init?(body: String) {
        let fields = body.split(separator: "&").map { $0.drop { $0.isNewline }.prefix { !$0.isNewline } }
        let isMultipart = body.contains("name=\"List-Unsubscribe\"")
        if fields.contains("List-Unsubscribe=One-Click")
            || isMultipart && body.split(whereSeparator: \.isNewline).contains("One-Click")
        {
            self = .stop
        } else if fields.contains("List-Unsubscribe=Undo") {
            self = .resume
        } else {
            return nil
        }
    }
}

extension BasicRequestContext {
    /// The part of the path that the catch-all matched.
    fileprivate var rest: String { parameters.getCatchAll().joined(separator: "/") }
}
