import Bytes
import Documents
import FoundationEssentials
import LogReading
import Messages
import Petitions

/// What a person agreed to once: to enrol in a roll, join it, and sign one petition, each when its time has come. It is
/// kept in the wallet, so that it goes on after the program or the computer was stopped.
public struct SupportPlan: Sendable {
    /// What is done next.
    public enum Step: Equatable, Sendable {
        /// The invitation is used.
        case enrol
        /// The key is handed in, once joining is open.
        case join
        /// The ring is looked for, once it is sealed.
        case findRing
        /// The petition is signed, once the ring is sealed.
        case sign
        /// The record that was made is sent.
        case send
        /// Everything is done.
        case done
        /// It does not go on, for this reason in words.
        case ended(String)
    }

    /// The roll's link.
    public let link: RollLink
    /// The petition as it was shown; nil if only the roll is joined.
    public let petition: PetitionManifest?
    /// Where the petition was read.
    public let address: ServiceURL?
    /// The fewest members of a ring to sign in.
    public let ringFloor: Int
    /// The fewest people in a round to join in.
    public let roundFloor: UInt64
    /// Whether it was begun through a proxy: then nothing of it goes without one.
    public let needsProxy: Bool
    /// What comes next.
    public let step: Step
}

/// What a plan needs from the person who agrees to it.
public struct SupportAgreement: Sendable {
    let invitation: InvitationLink
    let petition: PetitionManifest?
    let address: ServiceURL?
    let ringFloor: Int
    let roundFloor: UInt64
    let needsProxy: Bool

    /// An agreement about what was shown.
    public init(
        invitation: InvitationLink, petition: PetitionManifest?, address: ServiceURL?, ringFloor: Int,
        roundFloor: UInt64, needsProxy: Bool
    ) {
        (self.invitation, self.petition, self.address) = (invitation, petition, address)
        (self.ringFloor, self.roundFloor, self.needsProxy) = (ringFloor, roundFloor, needsProxy)
    }
}

extension Wallet {
    /// Stores what a person agreed to. The same roll and petition again replace what was agreed before.
    public func agree(_ agreement: SupportAgreement) throws {
        let plan = WalletContents.Plan(
            link: agreement.invitation.roll.url.text, code: Data(agreement.invitation.code.bytes),
            petition: agreement.petition.map { Data($0.note) }, address: agreement.address?.text,
            ringFloor: agreement.ringFloor, roundFloor: agreement.roundFloor, needsProxy: agreement.needsProxy)
        contents.plans.removeAll { $0.link == plan.link && $0.petition == plan.petition }
        contents.plans.append(plan)
        try save()
    }

    /// Everything that was agreed to, in this order.
    public func supportPlans() throws -> [SupportPlan] {
        try contents.plans.map { plan in
            guard let url = ServiceURL(plan.link), let link = RollLink(url) else { throw SignerError.walletMalformed }
            let petition = try plan.petition.map { try petitions([UInt8]($0)) }
            return SupportPlan(
                link: link, petition: petition, address: plan.address.flatMap { ServiceURL($0) },
                ringFloor: plan.ringFloor, roundFloor: plan.roundFloor, needsProxy: plan.needsProxy,
                step: try step(of: plan, petition, link))
        }
    }

    private func step(
        of plan: WalletContents.Plan, _ petition: PetitionManifest?, _ link: RollLink
    ) throws -> SupportPlan.Step {
        if let ended = plan.ended { return .ended(ended) }
        guard let enrolled = try enrolment(under: link), enrolled.token != nil else { return .enrol }
        if let petition, let signature = signature(under: petition.id) {
            return signature.receipt == nil ? .send : .done
        }
        if enrolled.isWaiting { return .join }
        guard petition != nil else { return plan.isDone ? .done : .findRing }
        return .sign
    }

    private func enrolment(under link: RollLink) throws -> WalletContents.Enrolment? {
        for enrolment in contents.enrolments
        where try rolls([UInt8](enrolment.descriptor)).link == link { return enrolment }
        return nil
    }

    /// The invitation of a plan, as long as it is not used.
    public func invitation(of plan: SupportPlan) throws -> InvitationLink {
        guard let stored = contents.plans.first(where: { isOf($0, plan) })?.code,
            let code = InvitationCode([UInt8](stored))
        else { throw SignerError.notEnrolled }
        return InvitationLink(roll: plan.link, code: code)
    }

    /// The roll of a plan that is enrolled in.
    public func roll(of plan: SupportPlan) throws -> RollDescriptor {
        guard let enrolled = try enrolment(under: plan.link) else { throw SignerError.notEnrolled }
        return try rolls([UInt8](enrolled.descriptor))
    }

    /// Takes note that a plan is done, or why it does not go on. What the invitation was is deleted.
    public func end(_ plan: SupportPlan, because reason: String?) throws {
        guard let index = contents.plans.firstIndex(where: { isOf($0, plan) }) else { return }
        contents.plans[index].ended = reason
        contents.plans[index].isDone = reason == nil
        contents.plans[index].code = nil
        try save()
    }

    private func isOf(_ stored: WalletContents.Plan, _ plan: SupportPlan) -> Bool {
        stored.link == plan.link.url.text && stored.petition.map { [UInt8]($0) } == plan.petition?.note
    }

    /// What a coordinator says about the round of a roll, for an estimate; nil if it says nothing. Only for who has
    /// just enrolled, whom it knows.
    public static func round(of roll: RollDescriptor, network: SignerNetwork) async -> RoundStatus? {
        try? await network.fresh { connection in
            let source = HTTPSource(connection: connection, base: roll.url.text)
            guard let body = try await source.read("round", limit: Self.answerLimit) else { return nil }
            return try RoundStatus(parsing: body)
        }
    }

    /// Reads the roll that an invitation is for, to be shown before it is used.
    public static func show(_ link: RollLink, network: SignerNetwork) async throws -> RollDescriptor {
        try await network.fresh { try await CheckedFetch.roll(link, connection: $0) }
    }

    /// How long to wait before a roll is looked at again, in seconds: each time another, and never right after a step.
    public static func pause(of roll: RollDescriptor) -> ClosedRange<Int64> {
        let longest = max(4, min(21_600, Int64(roll.terms.joiningSeconds) / 4))
        return max(1, longest / 8)...longest
    }

    /// What a wallet has of a roll, for its owner.
    public struct RollSummary: Sendable {
        /// How far it is.
        public enum State: Equatable, Sendable {
            /// The invitation was sent, and no answer came.
            case enrolling
            /// The key is to be handed in; `isSent` says whether it may have been.
            case waiting(isSent: Bool)
            /// The key was handed in, or was found in the roll.
            case joined
            /// The ring is known.
            case inRing(number: UInt32)
        }

        /// The roll.
        public let roll: RollDescriptor
        /// How far it is.
        public let state: State
    }

    /// All rolls of this wallet.
    public func rollSummaries() throws -> [RollSummary] {
        try contents.enrolments.map { enrolment in
            let state: RollSummary.State =
                if enrolment.token == nil {
                    .enrolling
                } else if enrolment.isWaiting {
                    .waiting(isSent: enrolment.joining == .sending)
                } else if let ring = enrolment.ring { .inRing(number: ring.number) } else { .joined }
            return RollSummary(roll: try rolls([UInt8](enrolment.descriptor)), state: state)
        }
    }
}

extension SignerError {
    /// True if what a plan waits for may still come: it is tried again later.
    public var isWaitedFor: Bool {
        switch self {
        case .ringNotSealed, .ringNotSealedYet, .issueNotLogged, .petitionNotOpen, .refused("issuing-closed", _): true
        default: isBearable
        }
    }

    /// True if a plan can never succeed after this.
    public var endsPlan: Bool {
        switch self {
        case .petitionClosed, .ringTooSmall, .roundTooSmall, .notInRolls, .alreadyEnrolled, .alreadyWithdrawn,
            .refused("unknown-code", _), .refused("voided-code", _), .refused("code-already-used", _),
            .refused("petition-closed", _):
            true
        default: false
        }
    }
}
