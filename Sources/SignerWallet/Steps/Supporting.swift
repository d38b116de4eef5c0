import Bytes
import Documents
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

    /// The roll as it was shown.
    public let roll: RollDescriptor
    /// The petition as it was shown; nil if only the roll is joined.
    public let petition: PetitionManifest?
    /// Where the petition was read.
    public let address: ServiceURL?
    /// The fewest members of a ring to sign in.
    public let ringFloor: Int
    /// The fewest people in a round to join in.
    public let roundFloor: UInt64
    /// Within how many seconds after the ring is found the record is sent.
    public let within: Int
    /// What its owner must look at before it goes on, in words; nil if it goes on by itself.
    public let stopped: String?
    /// The risk that this is, which they may agree to; nil if it is none.
    public let stoppedByRisk: SignerRisk.Name?
    /// What comes next.
    public let step: Step
    /// Whether joining was seen open, and a moment for the key was drawn.
    let hasJoinMoment: Bool
}

/// What a plan needs from the person who agrees to it.
public struct SupportAgreement: Sendable {
    let invitation: InvitationLink
    let roll: RollDescriptor
    let petition: PetitionManifest?
    let address: ServiceURL?
    let ringFloor: Int
    let roundFloor: UInt64
    let within: Int
    let needsProxy: Bool

    /// An agreement about what was shown. The record is sent within so many seconds after the ring is found.
    public init(
        invitation: InvitationLink, roll: RollDescriptor, petition: PetitionManifest?, address: ServiceURL?,
        ringFloor: Int, roundFloor: UInt64, within: Int, needsProxy: Bool
    ) {
        (self.invitation, self.roll, self.petition, self.address) = (invitation, roll, petition, address)
        (self.ringFloor, self.roundFloor, self.within, self.needsProxy) = (ringFloor, roundFloor, within, needsProxy)
    }
}

extension Wallet {
    /// Throws if something was begun with this wallet through a proxy, and it would go without one: whoever sees one
    /// step with the address of this computer may know whose the others were.
    public func checkProxy(isProxied: Bool) throws(SignerError) {
        guard isProxied || !needsProxy else { throw .proxyMissing }
    }

    /// Whether something was begun with this wallet through a proxy.
    public var needsProxy: Bool { contents.needsProxy }

    /// Stores what a person agreed to. The same roll and petition again replace what was agreed before.
    public func agree(_ agreement: SupportAgreement) throws(SignerError) {
        let roll = agreement.roll.note
        let plan = WalletContents.Plan(
            roll: roll, code: agreement.invitation.code.bytes,
            petition: agreement.petition.map { $0.note }, address: agreement.address?.text,
            ringFloor: agreement.ringFloor, roundFloor: agreement.roundFloor, within: agreement.within)
        try checkProxy(isProxied: agreement.needsProxy)
        contents.plans.removeAll { $0.roll == plan.roll && $0.petition == plan.petition }
        contents.plans.append(plan)
        // For ever, also if the plan is taken back: the keys are the same.
        contents.needsProxy = contents.needsProxy || agreement.needsProxy
        try save()
    }

    /// Everything that was agreed to, in this order.
    public func supportPlans() throws(SignerError) -> [SupportPlan] {
        try contents.plans.map { plan throws(SignerError) in
            let roll = try rolls(plan.roll)
            let petition = try plan.petition.map { note throws(SignerError) in try petitions(note) }
            return SupportPlan(
                roll: roll, petition: petition, address: plan.address.flatMap { ServiceURL($0) },
                ringFloor: plan.ringFloor, roundFloor: plan.roundFloor, within: plan.within, stopped: plan.stopped,
                stoppedByRisk: plan.stoppedByRisk.flatMap { SignerRisk.Name(rawValue: $0) },
                step: try step(of: plan, petition, roll.id),
                hasJoinMoment: try enrolment(in: roll.id)?.joinMoment != nil)
        }
    }

    private func step(
        of plan: WalletContents.Plan, _ petition: PetitionManifest?, _ roll: RollID
    ) throws(SignerError) -> SupportPlan.Step {
        if let ended = plan.ended { return .ended(ended) }
        guard let enrolled = try enrolment(in: roll), enrolled.token != nil else { return .enrol }
        if let petition, let signature = signature(under: petition.id) {
            return signature.receipt == nil ? .send : .done
        }
        if enrolled.isWaiting { return .join }
        guard petition != nil else { return plan.isDone ? .done : .findRing }
        return .sign
    }

    /// The invitation of a plan, as long as it is not used.
    public func invitation(of plan: SupportPlan) throws(SignerError) -> InvitationLink {
        guard let stored = contents.plans.first(where: { isOf($0, plan) })?.code,
            let code = InvitationCode(stored)
        else { throw .notEnrolled }
        return InvitationLink(roll: plan.roll.link, code: code)
    }

    /// Deletes the code of a plan, once it is used.
    public func forgetInvitation(of plan: SupportPlan) throws(SignerError) { try change(plan) { $0.code = nil } }

    /// Takes note of what the owner of a plan must look at before it goes on, and of the risk that it is, if it is one;
    /// nil when they have.
    public func stop(_ plan: SupportPlan, because reason: String?, risk: SignerRisk.Name? = nil) throws(SignerError) {
        try change(plan) { ($0.stopped, $0.stoppedByRisk) = (reason, risk?.rawValue) }
    }

    /// Takes a plan back: nothing of it is done any more. What was done stays done.
    public func drop(_ plan: SupportPlan) throws(SignerError) {
        contents.plans.removeAll { isOf($0, plan) }
        try save()
    }

    private func change(_ plan: SupportPlan, _ body: (inout WalletContents.Plan) -> Void) throws(SignerError) {
        guard let index = contents.plans.firstIndex(where: { isOf($0, plan) }) else { return }
        body(&contents.plans[index])
        try save()
    }

    /// Takes note that a plan is done, or why it does not go on. What the invitation was is deleted.
    public func end(_ plan: SupportPlan, because reason: String?) throws(SignerError) {
        try change(plan) { stored in
            stored.ended = reason
            stored.isDone = reason == nil
            stored.code = nil
        }
    }

    private func isOf(_ stored: WalletContents.Plan, _ plan: SupportPlan) -> Bool {
        stored.roll == plan.roll.note && stored.petition == plan.petition?.note
    }

    /// What a coordinator says about the round of a roll, for an estimate; nil if it says nothing. Only for who has
    /// just enrolled, whom it knows.
    public static func round(of roll: RollDescriptor, network: SignerNetwork) async -> RoundStatus? {
        try? await network.fresh { connection async throws(SignerError) in
            let answer = try await connection.ask(OutgoingRequest(roll.url.text + "/round", limit: Self.answerLimit))
            return answer.status == 200 ? try? RoundStatus(parsing: answer.body) : nil
        }
    }

    /// Reads the roll that an invitation is for, to be shown before it is used.
    public static func show(_ link: RollLink, network: SignerNetwork) async throws(SignerError) -> RollDescriptor {
        try await network.fresh { connection async throws(SignerError) in
            try await CheckedFetch.roll(link, connection: connection)
        }
    }

    /// How long to wait before a roll is looked at again, in seconds: each time another, and never right after a step.
    public static func pause(of roll: RollDescriptor) -> ClosedRange<Int64> {
        let longest = max(4, min(21_600, Int64(roll.terms.joiningSeconds) / 4))
        return max(1, longest / 8)...longest
    }

    /// How far a step for a roll is from the last one for another, in seconds: at most an eighth of the joining time,
    /// so that together with ``pause(of:)`` its opening is noticed before half of that is over.
    public static func distance(of roll: RollDescriptor) -> ClosedRange<Int64> {
        let longest = max(2, min(3600, Int64(roll.terms.joiningSeconds) / 8))
        return min(600, longest / 2)...longest
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
    public func rollSummaries() throws(SignerError) -> [RollSummary] {
        try contents.enrolments.map { enrolment throws(SignerError) in
            let state: RollSummary.State =
                if enrolment.token == nil {
                    .enrolling
                } else if enrolment.isWaiting {
                    .waiting(isSent: enrolment.joining == .sending)
                } else if let ring = enrolment.ring { .inRing(number: ring.number) } else { .joined }
            return RollSummary(roll: try rolls(enrolment.descriptor), state: state)
        }
    }
}

extension SignerError {
    /// True if what a plan waits for may still come: it is tried again later.
    public var isWaitedFor: Bool {
        switch self {
        case .ringNotSealed, .ringNotSealedYet, .petitionNotOpen, .joinsAlready, .refused("issuing-closed", _): true
        default: isBearable
        }
    }

    /// True if a plan can never succeed after this, by what this program has checked itself.
    public var endsPlan: Bool {
        switch self {
        case .ringTooSmall, .roundTooSmall, .notInRolls, .alreadyEnrolled, .alreadyWithdrawn:
            true
        default: false
        }
    }
}
