import Documents
import LogReading
import PetitionCopies
import Petitions
import TransparencyLog
import Witnessing

/// The size of a roll, by the signed checkpoints of its logs: it distinguishes a crowd from a roll made for few.
public struct RollSize: Equatable, Sendable {
    /// The roll's name.
    public let name: String
    /// Its id.
    public let id: RollID
    /// Its link.
    public let link: RollLink
    /// How its people are admitted.
    public let admission: RollAdmission
    /// Number of entries in its enrolment log: invitations, and what became of them.
    public let enrolment: UInt64
    /// Number of entries in its members log: members, and a seal for each ring.
    public let members: UInt64

    /// The size of a roll that was read completely.
    init(_ replay: RollReplay) {
        self.init(replay.descriptor, enrolment: replay.enrolment?.size ?? 0, members: replay.tree.size)
    }

    /// The size of a roll whose logs have so many entries.
    init(_ roll: RollDescriptor, enrolment: UInt64, members: UInt64) {
        name = roll.name
        id = roll.id
        link = roll.link
        admission = roll.admission
        self.enrolment = enrolment
        self.members = members
    }

    /// Reads the size of a roll from its checkpoints. With `demand`, its witnesses must vouch for them.
    static func read(
        _ roll: RollDescriptor, demand: QuorumDemand?, connection: any RequestConnection
    ) async throws(SignerError) -> RollSize {
        let source = HTTPSource(connection: connection, base: roll.url.text)
        func size(_ log: PublishedLog) async throws(SignerError) -> UInt64 {
            do { return try await log.readCheckpoint().checkpoint.size } catch {
                throw SignerError(error, log: log.key.name)
            }
        }
        return RollSize(
            roll,
            enrolment: try await size(
                OfflineCopy.enrolmentLog(roll, source: source, prefix: "enrolment", demand: demand)),
            members: try await size(OfflineCopy.membersLog(roll, source: source, prefix: "members", demand: demand)))
    }
}

/// The rolls that a coordinator announced, except the one at hand.
public struct OtherRolls: Equatable, Sendable {
    /// How many rolls are looked at, at most.
    private static let limit = 32

    /// Their sizes.
    public private(set) var sizes: [RollSize] = []
    /// How many announced rolls have an unknown size: another coordinator keeps them, they are hidden, or they are
    /// beyond the limit.
    public private(set) var unknown = 0

    /// Reads the sizes: the same for everybody who asks, so over one connection. What cannot be read stops nobody.
    static func read(
        than own: RollDescriptor, announced: AnnouncementLedger, network: SignerNetwork, clock: SignerClock
    ) async throws(SignerError) -> OtherRolls {
        let ids = announced.rolls.filter { $0 != own.id }
        guard !ids.isEmpty else { return OtherRolls() }
        return try await network.fresh { connection async throws(SignerError) in
            var others = OtherRolls()
            others.unknown = max(0, ids.count - limit)
            for id in ids.prefix(limit) {
                if let size = await read(id, of: own.coordinator, connection: connection, clock: clock) {
                    others.sizes.append(size)
                } else {
                    others.unknown += 1
                }
            }
            return others
        }
    }

    private static func read(
        _ id: RollID, of coordinator: ServiceURL, connection: any RequestConnection, clock: SignerClock
    ) async -> RollSize? {
        do throws(SignerError) {
            guard let roll = try await CheckedFetch.roll(id, coordinator: coordinator, connection: connection) else {
                return nil
            }
            return try await RollSize.read(roll, demand: clock.demand(roll.witnesses), connection: connection)
        } catch { return nil }
    }
}
