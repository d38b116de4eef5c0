/// What a check of a verification is about. A log is named by its origin, a roll by its address without scheme.
public enum CheckSubject: Hashable, Sendable {
    /// The petition's document.
    case petition
    /// What the witnesses of a petition say of one of its logs: that a quorum saw it, how large it was when the
    /// petition closed, and that its key signed no other.
    case witnesses(log: String)
    case closing(log: String)
    case oneLog(String)
    /// That a quorum of the witnesses saw the announcement of the petition.
    case witnessedAnnouncement
    /// A receipt or checkpoint that somebody brought.
    case brought(String)
    /// How long joining lasted before the rings of a roll were sealed.
    case joiningTimes(roll: String)
    /// A roll's descriptor and its two logs.
    case descriptor(roll: String)
    case membersLog(String)
    case enrolmentLog(String)
    /// The seals of a members log, which name the enrolment log.
    case seals(membersLog: String)
    /// Seals that name more entries than the enrolment log has.
    case unreadSeals
    /// Rings that a roll sealed after the petition was made.
    case laterRings(roll: String)
    /// Keys, which no two rolls of a petition may share.
    case keysOfRolls
    /// A coordinator's announcements log, and that the petition and its rolls are in it.
    case announcementsLog(String)
    case announcement
    /// A petition's log, its records, and those whose proofs were verified before or by others.
    case petitionLog(String)
    case records(log: String)
    case unjudgedRecords(log: String)
    case takenProofs(log: String)
    /// What else an aggregator published.
    case tally(log: String)
    case history(log: String)
    /// Tags over all logs, and how many there are from each ring.
    case tags
    case fullRings
    /// A range of records that is verified alone.
    case part

    /// The same in words, in reports for people and for programs.
    public var words: String {
        switch self {
        case .petition: "petition"
        case .witnesses(let log): "witnesses of the petition log \(log)"
        case .closing(let log): "entries of \(log) that were there at closing time"
        case .oneLog(let log): "no other log by the key of \(log)"
        case .witnessedAnnouncement: "witnesses of the petition's announcement"
        case .brought(let name): name
        case .joiningTimes(let roll): "how long witnesses saw joining open for rings of \(roll)"
        case .descriptor(let roll): "roll descriptor \(roll)"
        case .membersLog(let log): "members log \(log)"
        case .enrolmentLog(let log): "enrolment log \(log)"
        case .seals(let log): "seals of \(log) against the enrolment log"
        case .unreadSeals: "seals beyond the enrolment log"
        case .laterRings(let roll): "later rings of \(roll)"
        case .keysOfRolls: "keys that no two rolls share"
        case .announcementsLog(let log): "announcements log \(log)"
        case .announcement: "announcement of the petition and its rolls"
        case .petitionLog(let log): "petition log \(log)"
        case .records(let log): "records of \(log)"
        case .unjudgedRecords(let log): "further records of \(log)"
        case .takenProofs(let log): "proofs of \(log) taken from files of earlier runs or other machines"
        case .tally(let log): "published tally of \(log)"
        case .history(let log): "counts in the history of \(log)"
        case .tags: "tags"
        case .fullRings: "no more tags from any ring than it has members"
        case .part: "part"
        }
    }
}
