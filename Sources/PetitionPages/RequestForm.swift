import Messages
import PageParts

/// The form on the page of an open roll, with which somebody asks for an invitation.
public struct RequestForm: Sendable {
    /// The path that it is sent to.
    public let action: String
    /// What shows that it is one of this server's forms, and since when it is open.
    public let token: String
    /// What was typed before.
    public let address: String
    /// Whether it can be sent now.
    public let isOpen: Bool
    /// Whether nobody can ask any more.
    public let isClosed: Bool
    /// Why it must be sent again; nil the first time.
    public let notice: RequestNotice?
    /// The work that the page's script does before it is sent; nil if none is demanded.
    public let work: ProofOfWorkChallenge?

    /// A form.
    public init(
        action: String, token: String, address: String, isOpen: Bool, isClosed: Bool, notice: RequestNotice?,
        work: ProofOfWorkChallenge?
    ) {
        (self.action, self.token, self.address) = (action, token, address)
        (self.isOpen, self.isClosed, self.notice, self.work) = (isOpen, isClosed, notice, work)
    }
}

/// Why a form was not taken.
public enum RequestNotice: Sendable {
    /// It was open for too short or too long, or comes from another page.
    case expired
    /// This is no address that mail can be sent to.
    case noAddress
    /// The roll is for other domains.
    case domain
    /// Many ask: the browser must do some work.
    case work
    /// So many wait that no more are taken.
    case full
    /// Nobody can ask for now.
    case paused
    /// Nobody can ask any more.
    case closed

    /// What it says.
    var phrase: Phrase {
        switch self {
        case .expired: .askExpired
        case .noAddress: .askNoAddress
        case .domain: .askDomain
        case .work: .askWork
        case .full: .askFull
        case .paused: .askPaused
        case .closed: .askClosed
        }
    }
}
