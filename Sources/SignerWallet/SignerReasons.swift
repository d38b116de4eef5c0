import Documents

// What the errors and risks of a signer say more precisely. Whoever shows them puts them into words, in the language of
// the person; only what comes from elsewhere is in words already.

/// What was to be vouched for, or announced.
public enum SignerSubject: Equatable, Sendable {
    /// The log with this origin.
    case log(String)
    /// The petition, or the roll, that the whole step is about.
    case petition, roll
    /// The roll at this address.
    case rollAt(String)
    /// What was announced of that petition, or of that roll.
    case petitionAnnouncement, rollAnnouncement
}

/// Why something could not be read.
public enum UnreachableReason: Equatable, Sendable {
    /// In words of the system, or of what carries the requests.
    case told(String)
    /// Instead of the resource, the server answered with this status.
    case status(Int)
    /// It is larger than it can be.
    case tooLarge
    /// The log must have something at this path, and has not.
    case missing(path: String)
    /// The log claims more entries than it may have.
    case tooManyEntries(size: UInt64, limit: UInt64)
    /// There is no such petition, or no such roll.
    case noPetition, noRoll
    /// The answer is not one to a request for an invitation, or not one to a join.
    case notToRequest, notToJoin
    /// The server demands more work each time.
    case moreWork
}

/// Why something is not a valid document.
public enum DocumentFault: Equatable, Sendable {
    /// It breaks a rule of documents.
    case document(DocumentError)
    /// The address should be a petition's, and does not end in an id.
    case noPetitionID
    /// The answer to an enrolment cannot be read.
    case answer
}

/// What a server said when it refused something, or what there is to say instead.
public enum RefusalDetail: Equatable, Sendable {
    /// In words of the server.
    case told(String)
    /// It cannot answer now, by this status.
    case cannotAnswer(status: Int)
    /// It gave no reason, but this status.
    case noReason(status: Int)
    /// It asks for ever more work.
    case everMoreWork
}

/// Something that was shown and does not fit what a wallet saw before.
public struct SignerOddity: Equatable, Sendable {
    /// What it is. The raw value is stored.
    public enum Kind: String, CaseIterable, Sendable {
        /// A log had fewer entries than before. That may be an old state: it proves nothing.
        case fewerEntries = "fewer-entries"
        /// A log had other entries than before.
        case otherEntries = "other-entries"
        /// A link was answered with two rolls, which one key signed.
        case twoRolls = "two-rolls"
        /// The same with two keys.
        case twoRollsOfTwoKeys = "two-rolls-of-two-keys"
    }

    /// What it is.
    public let kind: Kind
    /// The log's origin, or the roll's link.
    public let name: String

    /// An oddity of the log or link with this name.
    public init(_ kind: Kind, of name: String) {
        self.kind = kind
        self.name = name
    }

    /// False for what may be an old state.
    public var isContradiction: Bool { kind != .fewerEntries }

    /// What it is, in words for whoever reads the evidence.
    public var explanation: String {
        switch kind {
        case .fewerEntries:
            "The log \(name) was shown with fewer entries than before. That may be an old state: it proves nothing."
        case .otherEntries: "The log \(name) was shown with other entries than before."
        case .twoRolls: "The link \(name) was answered with two rolls."
        case .twoRollsOfTwoKeys: "The link \(name) was answered with two rolls, which are signed by different keys."
        }
    }
}
