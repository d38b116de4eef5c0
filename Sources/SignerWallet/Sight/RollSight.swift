import Bytes
import Documents
import LogReading
import PetitionCopies
import Petitions
import Ristretto255
import TransparencyLog

/// A roll as the signer sees it now: every member reads each part whole, over a separate connection, in the same order.
struct RollSight {
    /// What the coordinator announced.
    let announced: AnnouncementLedger
    /// Both logs.
    let replay: RollReplay
    /// What the enrolment log says about this wallet's code.
    let code: CodeSight

    /// Reads the roll that this wallet enrolled in, in full. The wallet's own code, and its ring in a large roll, are
    /// looked for in what is read anyway.
    static func look(
        at enrolled: RollDescriptor, wallet: Wallet, network: SignerNetwork, clock: SignerClock,
        progress: WorkProgress = .untold
    ) async throws(SignerError) -> RollSight {
        let announced = try await announced(enrolled, wallet: wallet, network: network, clock: clock)
        let members = try await network.fresh { connection async throws(SignerError) in
            let log = Self.membersLog(enrolled, connection, clock)
            let head = try await CheckedFetch.head(of: log, wallet: wallet, clock: clock)
            return try await readMembers(enrolled, log, upTo: head, wallet: wallet, clock: clock, progress: progress)
        }
        return try await look(
            members, announced: announced, wallet: wallet, network: network, clock: clock, progress: progress)
    }

    /// Reads the enrolment log after the members log.
    static func look(
        _ members: RollReplay, announced: AnnouncementLedger, wallet: Wallet, network: SignerNetwork,
        clock: SignerClock, progress: WorkProgress
    ) async throws(SignerError) -> RollSight {
        let (replay, sight) = try await network.fresh { connection async throws(SignerError) in
            try await readEnrolment(members, wallet: wallet, connection: connection, clock: clock, progress: progress)
        }
        try wallet.rememberRing(in: replay)
        return RollSight(announced: announced, replay: replay, code: sight)
    }

    /// What the coordinator announced, after checking the roll that this wallet enrolled in: first its link, which
    /// everybody requests, then the announcements, before anything that has the roll's id in its address. What is
    /// `witnessed` of the announcements must be there.
    static func announced(
        _ enrolled: RollDescriptor, witnessed: [WitnessedHead] = [], wallet: Wallet, network: SignerNetwork,
        clock: SignerClock
    ) async throws(SignerError) -> AnnouncementLedger {
        let (shown, head) = try await network.fresh { connection async throws(SignerError) in
            let roll = try await CheckedFetch.roll(enrolled.link, connection: connection)
            guard roll.id == enrolled.id else { return (roll, nil as WitnessedHead?) }
            return (
                roll,
                try await CheckedFetch.witnessedAnnouncement(of: roll, connection: connection, now: clock.now)
            )
        }
        guard shown.id == enrolled.id else {
            throw wallet.contradiction(enrolled: enrolled, shown: shown, now: clock.now)
        }
        let announced = try await network.fresh { connection async throws(SignerError) in
            try await CheckedFetch.announcements(
                coordinator: enrolled.coordinator, key: enrolled.key,
                witnessed: witnessed + (head.map { [$0] } ?? []),
                wallet: wallet, connection: connection, clock: clock)
        }
        try CheckedFetch.check(announced, announces: enrolled)
        return announced
    }

    static func membersLog(
        _ roll: RollDescriptor, _ connection: any RequestConnection, _ clock: SignerClock
    ) -> PublishedLog {
        OfflineCopy.membersLog(
            roll, source: HTTPSource(connection: connection, base: roll.url.text), prefix: "members",
            demand: clock.demand(roll.witnesses))
    }

    static func enrolmentLog(
        _ roll: RollDescriptor, _ connection: any RequestConnection, _ clock: SignerClock
    ) -> PublishedLog {
        OfflineCopy.enrolmentLog(
            roll, source: HTTPSource(connection: connection, base: roll.url.text), prefix: "enrolment",
            demand: clock.demand(roll.witnesses))
    }

    static func readMembers(
        _ roll: RollDescriptor, _ log: PublishedLog, upTo head: ShownHead, wallet: Wallet, clock: SignerClock,
        progress: WorkProgress
    ) async throws(SignerError) -> RollReplay {
        var replay = RollReplay(roll)
        try await CheckedFetch.whole(log, upTo: head, wallet: wallet, clock: clock, progress: progress) {
            replay.appendMembers(RollEntry.parse($0), leaves: $1)
        }
        replay.beginEnrolment()
        return replay
    }

    /// Reads the enrolment log of a roll whose members log was already read, or, with an empty replay, by itself. What
    /// it says about the wallet's own code is stored in the same step as its head, so that nothing is lost in between.
    static func readEnrolment(
        _ members: RollReplay, wallet: Wallet, connection: any RequestConnection, clock: SignerClock,
        progress: WorkProgress = .untold
    ) async throws(SignerError) -> (RollReplay, CodeSight) {
        let roll = members.descriptor
        let log = enrolmentLog(roll, connection, clock)
        var replay = members
        replay.beginEnrolment()
        var sight = CodeSight(try wallet.codeHash(in: roll.id))
        let remember = { (before: [SeenLog], now: UTCTime) throws(SignerError) in
            try wallet.rememberCode(sight, in: roll.id, before: before, now: now)
        }
        let head = try await CheckedFetch.head(of: log, wallet: wallet, clock: clock)
        try await CheckedFetch.whole(
            log, upTo: head, wallet: wallet, clock: clock, progress: progress, alsoRemember: remember
        ) { entries, leaves in
            for (entry, leaf) in zip(entries, leaves) {
                let index = replay.enrolment?.size ?? 0
                replay.appendEnrolment([entry], leaves: [leaf])
                if let state = replay.enrolment?.state { sight.read(entry, at: index, state) }
            }
        }
        return (replay, sight)
    }
}

/// An opening of joining as it is in the log.
struct CodeOpening {
    let index: UInt64
    let round: UInt32
    let opened: UInt64
}

/// What an enrolment log says about one code.
struct CodeSight {
    /// The index of its `0x02` entry.
    private(set) var issueIndex: UInt64?
    /// The first opening of joining after it.
    private(set) var opening: CodeOpening?
    /// How many codes were issued in the round of that opening.
    private(set) var issuedInRound: UInt64 = 0
    private let issued: [UInt8]

    init(_ code: Bytes32) {
        issued = EnrolmentEntry.issued(codeHash: code).bytes
    }

    fileprivate mutating func read(_ entry: [UInt8], at index: UInt64, _ state: EnrolmentState) {
        if entry == issued, issueIndex == nil { issueIndex = index }
        guard issueIndex != nil, opening == nil,
            case .joiningOpens(let round, let opened) = try? EnrolmentEntry(parsing: entry)
        else { return }
        opening = CodeOpening(index: index, round: round, opened: opened)
        issuedInRound = state.issuedInRound
    }
}

extension Wallet {
    /// The error for two descriptors under one link. If one key signed both, which cannot be explained away, they are
    /// kept as evidence.
    fileprivate func contradiction(enrolled: RollDescriptor, shown: RollDescriptor, now: UTCTime) -> SignerError {
        let isProof = enrolled.key == shown.key
        let what = SignerOddity(isProof ? .twoRolls : .twoRollsOfTwoKeys, of: enrolled.link.url.text)
        do {
            try rememberOddity(of: enrolled.key, what, at: now)
            if isProof {
                try keep(Evidence(what: what.explanation, seen: enrolled.note, shown: shown.note, leaves: []))
            }
        } catch {
            return .oddityNotKept(what: what)
        }
        return .rollChanged(
            link: enrolled.link.url.text, enrolled: enrolled.id.hex, shown: shown.id.hex, isProof: isProof)
    }

    fileprivate func codeHash(in roll: RollID) throws(SignerError) -> Bytes32 {
        guard let hash = try enrolment(in: roll).flatMap({ Bytes32($0.codeHash) }) else {
            throw .notEnrolled
        }
        return hash
    }

    /// Records the index of the wallet's own `0x02` entry and the next opening of joining, each when it is first seen.
    fileprivate func rememberCode(_ sight: CodeSight, in roll: RollID, before: [SeenLog], now: UTCTime)
        throws(SignerError)
    {
        guard var enrolment = try enrolment(in: roll) else { return }
        enrolment.issueIndex = enrolment.issueIndex ?? sight.issueIndex
        if enrolment.opening == nil, let opening = sight.opening {
            let without = before.last { $0.checkpoint.size <= opening.index }
            enrolment.opening = .init(
                index: opening.index, round: opening.round, opened: opening.opened, seenAt: now.seconds,
                lastWithout: without?.at.seconds)
        }
        set(enrolment, for: roll)
    }
}
