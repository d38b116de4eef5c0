import Bytes
import Foundation
import LogClient
import Petitions
import Ristretto255
import TransparencyLog
import Verification

/// A roll as the signer sees it now: each part was read whole, on a connection of its own, in the same order by every
/// member.
struct RollSight {
    /// What the coordinator announced.
    let announced: AnnouncementLedger
    /// Both logs.
    let replay: RollReplay
    /// What the enrolment log says of one code; nil where none was asked about.
    let code: CodeSight?

    /// Checks the roll that this wallet enrolled in: first its link, which everybody asks for, then the announcements,
    /// and only then what has the roll's id in its address. `code` is looked for in what is read anyway.
    static func look(
        at enrolled: RollDescriptor, code: Bytes32?, wallet: Wallet, network: SignerNetwork, clock: SignerClock
    ) async throws -> RollSight {
        let shown = try await network.fresh { try await Reading.roll(enrolled.link, connection: $0) }
        guard shown.id == enrolled.id else { throw try wallet.contradiction(enrolled: enrolled, shown: shown) }
        let announced = try await network.fresh {
            try await Reading.announcements(
                coordinator: enrolled.coordinator, key: enrolled.key, wallet: wallet, connection: $0, clock: clock)
        }
        try Reading.check(announced, announces: enrolled)
        let members = try await network.fresh {
            try await readMembers(enrolled, wallet: wallet, connection: $0, clock: clock)
        }
        let (replay, sight) = try await network.fresh {
            try await readEnrolment(members, code: code, wallet: wallet, connection: $0, clock: clock)
        }
        return RollSight(announced: announced, replay: replay, code: sight)
    }

    private static func readMembers(
        _ roll: RollDescriptor, wallet: Wallet, connection: HTTPConnection, clock: SignerClock
    ) async throws -> RollReplay {
        let source = HTTPSource(connection: connection, base: roll.url.text)
        var replay = RollReplay(roll)
        try await Reading.whole(
            OfflineCopy.membersLog(roll, source: source, prefix: "members"), wallet: wallet, clock: clock
        ) { replay.appendMembers(RollEntry.parse($0), leaves: $1) }
        replay.beginEnrolment()
        return replay
    }

    private static func readEnrolment(
        _ members: RollReplay, code: Bytes32?, wallet: Wallet, connection: HTTPConnection, clock: SignerClock
    ) async throws -> (RollReplay, CodeSight?) {
        let source = HTTPSource(connection: connection, base: members.descriptor.url.text)
        let log = OfflineCopy.enrolmentLog(members.descriptor, source: source, prefix: "enrolment")
        var replay = members
        var sight = code.map { CodeSight($0) }
        try await Reading.whole(log, wallet: wallet, clock: clock) { entries, leaves in
            for (entry, leaf) in zip(entries, leaves) {
                let index = replay.enrolment?.size ?? 0
                replay.appendEnrolment([entry], leaves: [leaf])
                if let state = replay.enrolment?.state { sight?.read(entry, at: index, state) }
            }
        }
        return (replay, sight)
    }
}

/// An opening of joining as it stands in the log.
struct CodeOpening {
    let index: UInt64
    let round: UInt32
    let opened: UInt64
}

/// What an enrolment log says of one code.
struct CodeSight {
    /// The index of its `0x02`.
    private(set) var issueIndex: UInt64?
    /// The first opening of joining after it.
    private(set) var opening: CodeOpening?
    /// How many were issued in its round.
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

/// How large a roll is, by the signed checkpoints of its logs: what tells a crowd from a roll that was made for few.
public struct RollSize: Equatable, Sendable {
    /// The roll's name.
    public let name: String
    /// Its link.
    public let link: RollLink
    /// Entries of its enrolment log: invitations, and what became of them.
    public let enrolment: UInt64
    /// Entries of its members log: members, and a seal for each ring.
    public let members: UInt64

    /// The size of a roll that was read whole.
    init(_ replay: RollReplay) {
        name = replay.descriptor.name
        link = replay.descriptor.link
        enrolment = replay.enrolment?.size ?? 0
        members = replay.tree.size
    }

    private init(name: String, link: RollLink, enrolment: UInt64, members: UInt64) {
        self.name = name
        self.link = link
        self.enrolment = enrolment
        self.members = members
    }

    /// Other rolls that are looked at, at most.
    private static let limit = 32

    /// The sizes of the rolls that a coordinator announced, without the one at hand: the same for everybody who asks,
    /// and so on one connection.
    static func others(
        than own: RollDescriptor, announced: AnnouncementLedger, network: SignerNetwork
    ) async throws -> [RollSize] {
        let ids = announced.rolls.filter { $0 != own.id }.prefix(limit)
        guard !ids.isEmpty else { return [] }
        return try await network.fresh { connection in
            var sizes: [RollSize] = []
            for id in ids {
                if let size = try await read(id, of: own.coordinator, connection: connection) { sizes.append(size) }
            }
            return sizes
        }
    }

    /// The roll at hand.
    static func own(_ roll: RollDescriptor, connection: HTTPConnection) async throws -> RollSize {
        try await read(roll, connection: connection)
    }

    /// Nil for a roll that this coordinator only announced, because another keeps it.
    private static func read(
        _ id: RollID, of coordinator: ServiceURL, connection: HTTPConnection
    ) async throws -> RollSize? {
        guard let roll = try await Reading.roll(id, coordinator: coordinator, connection: connection) else {
            return nil
        }
        return try await read(roll, connection: connection)
    }

    private static func read(_ roll: RollDescriptor, connection: HTTPConnection) async throws -> RollSize {
        let source = HTTPSource(connection: connection, base: roll.url.text)
        func size(_ log: PublishedLog) async throws -> UInt64 {
            do { return try await log.readCheckpoint().checkpoint.size } catch let error as LogReadError {
                throw SignerError(error, log: log.key.name)
            }
        }
        return RollSize(
            name: roll.name, link: roll.link,
            enrolment: try await size(OfflineCopy.enrolmentLog(roll, source: source, prefix: "enrolment")),
            members: try await size(OfflineCopy.membersLog(roll, source: source, prefix: "members")))
    }
}

extension Wallet {
    /// Two descriptors under one link: keeps them if one key signed both, which nobody can explain away, and says so.
    fileprivate func contradiction(enrolled: RollDescriptor, shown: RollDescriptor) throws -> SignerError {
        let evidence = Evidence(
            what: "The link \(enrolled.link.url) was answered with two rolls.", seen: Data(enrolled.note),
            shown: Data(shown.note), leaves: Data())
        if enrolled.key == shown.key { try keep(evidence) }
        return .rollChanged(link: enrolled.link.url.text, enrolled: enrolled.id.hex, shown: shown.id.hex)
    }
}
