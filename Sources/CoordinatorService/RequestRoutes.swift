import Dispatch
import Documents
import Foundation
import Hummingbird
import InvitationMail
import LogStorage
import MailDelivery
import Messages
import PageParts
import PetitionPages
import Petitions
import ServiceHTTP
import Storage

/// Asking for an invitation to an open roll: by the form on the roll's page, or by a program. The answer depends on the
/// roll, the domain and the load, and never on the mailbox.
struct RequestRoutes: Sendable {
    private static let bodyLimit = 4096
    let coordinator: Coordinator
    let pages: Pages
    let gate: RequestGate
    let perHour: Int
    /// The queue on which state is changed.
    let changes: DispatchQueue

    /// The page of a roll: what it is, and for an open one, where it is asked for an invitation.
    /// The work is that at `load`, or at that for any mailbox.
    func page(
        _ roll: RollStore, language: Language, _ notice: RequestNotice? = nil, address: String = "", load: Int? = nil
    ) throws -> String {
        var form: RequestForm?
        if roll.descriptor.admission.isOpen {
            let isOpen = try roll.asking == .open && coordinator.canAsk(roll.slug)
            form = RequestForm(
                action: roll.descriptor.url.path + "/request", token: gate.form(at: coordinator.clock.now),
                address: address, isOpen: isOpen, isClosed: roll.asking == .closed || roll.isForgotten, notice: notice,
                work: gate.demand(load: try load ?? self.load(domain: nil, isListed: false)))
        }
        return pages.enrolment(
            roll.descriptor, coordinator: coordinator.name, round: try coordinator.progress(roll), request: form,
            language: language)
    }

    func answer(_ request: Request, _ roll: RollStore) async throws -> Response {
        let body = try await request.boundedBody(limit: Self.bodyLimit)
        let isForm = request.headers[.contentType]?.hasPrefix("application/x-www-form-urlencoded") ?? false
        return isForm ? try await answer(form: body, request, roll) : try await answer(json: body, request, roll)
    }

    private func answer(json body: [UInt8], _ request: Request, _ roll: RollStore) async throws -> Response {
        // A form of another site can send a body like this only with another content type.
        guard request.headers[.contentType]?.hasPrefix("application/json") ?? false else {
            throw Problem(.malformedRequest, "The body is JSON, or a form.")
        }
        guard request.isFromOwnPage(of: coordinator.url) else {
            throw Problem(.malformedRequest, "Pages of other sites cannot ask for somebody.")
        }
        let asked: InvitationRequest
        do { asked = try InvitationRequest(parsing: body) } catch {
            throw Problem(error, "The body is not the JSON object that this request takes.")
        }
        guard let address = try? MailAddress(asked.address) else {
            throw Problem(.malformedRequest, "Mail cannot be sent to this address.")
        }
        do {
            let isListed = try coordinator.checkMayAsk(roll: roll.slug, domain: address.domain)
            let load = try load(domain: address.domain, isListed: isListed)
            let work = request.headers[.work]
            guard gate.admits(asked.address, roll: roll.descriptor.id, work: work, load: load) else {
                throw Problem(
                    .busy, "Many ask for invitations at the moment.", retryAfter: 5, work: gate.demand(load: load)
                )
            }
            try await ask(roll, address, asked.language.flatMap { Language(tag: $0) } ?? request.language ?? .english)
        } catch let rule as Rule {
            throw Problem(rule, Self.advice(rule), retryAfter: rule == .busy || rule == .enrolmentPaused ? 3600 : nil)
        }
        return LogResponse.json(RequestAnswer(hours: try hours(address, roll)).json, status: .accepted)
    }

    private func answer(form body: [UInt8], _ request: Request, _ roll: RollStore) async throws -> Response {
        let fields = FormFields(body)
        let language = fields["lang"].flatMap { Language(tag: $0) } ?? request.language ?? .english
        let typed = fields["address"] ?? ""
        func again(_ notice: RequestNotice, _ status: HTTPResponse.Status, load: Int? = nil) throws -> Response {
            LogResponse.page(
                try page(roll, language: language, notice, address: typed, load: load), status: status, connects: false,
                posts: true
            )
        }
        guard request.isFromOwnPage(of: coordinator.url),
            gate.isGood(form: fields["form"] ?? "", at: coordinator.clock.now)
        else { return try again(.expired, .badRequest) }
        guard let address = try? MailAddress(typed) else { return try again(.noAddress, .badRequest) }
        do {
            let isListed = try coordinator.checkMayAsk(roll: roll.slug, domain: address.domain)
            let load = try load(domain: address.domain, isListed: isListed)
            guard gate.admits(typed, roll: roll.descriptor.id, work: fields["work"], load: load) else {
                return try again(.work, .tooManyRequests, load: load)
            }
            try await ask(roll, address, language)
        } catch let rule as Rule {
            switch rule {
            case .domainNotAdmitted: return try again(.domain, .forbidden)
            case .enrolmentClosed: return try again(.closed, .forbidden)
            case .enrolmentPaused: return try again(.paused, .serviceUnavailable)
            default: return try again(.full, .serviceUnavailable)
            }
        }
        return LogResponse.page(
            pages.asked(roll.descriptor, hours: try hours(address, roll), language: language), status: .accepted,
            connects: false)
    }

    /// How full the queue of requests is for one more, in eighths.
    private func load(domain: String?, isListed: Bool) throws -> Int {
        let (slot, blur) = gate.blur(domain: domain ?? "", at: coordinator.clock.now)
        return try coordinator.existingOutbox()?.requestLoad(
            domain: domain, isListed: isListed, asOf: slot, blur: blur) ?? 0
    }

    private func ask(_ roll: RollStore, _ address: MailAddress, _ language: Language) async throws {
        let result: Result<Void, any Error> = await withCheckedContinuation { continuation in
            changes.async { [coordinator] in
                continuation.resume(
                    returning: Result { try coordinator.ask(roll: roll.slug, address, language: language) })
            }
        }
        do { try result.get() } catch StorageError.busy { throw Rule.busy }
    }

    private func hours(_ address: MailAddress, _ roll: RollStore) throws -> UInt64 {
        let outbox = try coordinator.outbox()
        return try gate.hours(
            domain: address.domain, roll: roll.descriptor.id, now: coordinator.clock.now, perHour: perHour,
            waiting: { try outbox.waitingRequests() }
        ) { domain in
            if case .email(let domains) = roll.descriptor.admission, domains.contains(where: { $0.text == domain }) {
                return nil
            }
            return try outbox.domainRate(of: domain)
        }
    }

    private static func advice(_ rule: Rule) -> String {
        switch rule {
        case .enrolmentClosed: "Nobody can ask for an invitation to this roll any more."
        case .enrolmentPaused: "Nobody can ask for an invitation to this roll just now. Try again tomorrow."
        case .domainNotAdmitted: "This roll is for mailboxes of its own domains: see its descriptor."
        default: "So many wait for an invitation that no more can be taken now."
        }
    }
}

/// The fields of a form (WHATWG URL, `application/x-www-form-urlencoded`); of several with one name, the first.
struct FormFields {
    private static let most = 16
    private var fields: [String: String] = [:]

    init(_ body: [UInt8]) {
        for part in body.split(separator: UInt8(ascii: "&")).prefix(Self.most) {
            let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.text(pair[0]), let value = pair.count == 2 ? Self.text(pair[1]) : "" else { continue }
            if fields[name] == nil { fields[name] = value }
        }
    }

    subscript(name: String) -> String? { fields[name] }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String? {
        String(decoding: bytes.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
            .removingPercentEncoding
    }
}

extension Request {
    /// Whether a browser says that a page of this server sends this. What says nothing is let through: programs, and
    /// browsers that are too old to say it.
    func isFromOwnPage(of site: ServiceURL) -> Bool {
        if let site = headers[.fetchSite] { return site == "same-origin" }
        guard let origin = headers[.origin] else { return true }
        return origin == site.origin
    }
}
