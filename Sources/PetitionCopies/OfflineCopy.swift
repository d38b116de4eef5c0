import Bytes
import Documents
import LogReading
import Petitions
import Sodium
import TransparencyLog
import Witnessing

/// The layout of an offline copy of a petition (`Protocol/log.md`, "The offline copy"). It is defined only here, both
/// for writing and for reading copies.
public enum OfflineCopy {
    /// The petition's note.
    public static let petition = "petition"

    /// The folder of a roll.
    public static func roll(_ id: RollID) -> String { "rolls/\(id.hex)" }
    /// The folder of ``phase(_:)``.
    public static let phases = "phases"
    /// The folder of ``end(_:)``.
    public static let ends = "ends"
    /// The first cosigned checkpoint after the opening of joining in a round, below the enrolment log's folder.
    public static func phase(_ round: UInt32) -> String { "\(phases)/\(round)" }
    /// A checkpoint that was cosigned when the joining window of a round was over, with joining open and nothing sealed
    /// in it, below the folder of either log.
    public static func end(_ round: UInt32) -> String { "\(ends)/\(round)" }
    /// Of how many rounds such checkpoints are copied and read: a hostile log may have any number.
    public static let mostRounds: UInt32 = 512
    /// What is kept of the joining of a round: each time the key of one of the roll's logs, the log's folder below the
    /// roll's, and the path below that.
    public static func joining(
        _ round: UInt32, of roll: RollDescriptor
    ) -> [(key: VerifierKey, log: String, path: String)] {
        [
            (roll.enrolmentLogKey, "enrolment", phase(round)), (roll.enrolmentLogKey, "enrolment", end(round)),
            (roll.membersKey, "members", end(round)),
        ]
    }
    /// The file of a roll's descriptor in that folder.
    static let descriptor = "roll"
    /// A roll's descriptor.
    public static func descriptor(_ id: RollID) -> String { "\(roll(id))/\(descriptor)" }
    /// The prefix of a roll's members log.
    public static func members(_ id: RollID) -> String { "\(roll(id))/members" }
    /// The prefix of a roll's enrolment log.
    public static func enrolment(_ id: RollID) -> String { "\(roll(id))/enrolment" }
    /// The prefix of the log of the aggregator with this index in the manifest.
    public static func aggregator(_ index: Int) -> String { "aggregators/\(index)" }
    /// The tally that this aggregator published, if the copy holds it.
    public static func tally(_ index: Int) -> String { "\(aggregator(index))/tally" }

    /// The newest checkpoint that a quorum of the petition's witnesses cosigned before it closed, if the copy holds it.
    public static func closing(_ index: Int) -> String { "\(aggregator(index))/closing" }
    /// What the witness with this number in the policy showed of the aggregator's log, if the copy holds it.
    public static func shown(_ index: Int, by witness: Int) -> String { "\(aggregator(index))/witness-\(witness)" }
    /// The proof that the petition was announced, with the quorum of its witnesses.
    public static let announcement = "announcement"

    /// The history of the count that this aggregator published, if the copy holds it.
    public static func history(_ index: Int) -> String { "\(aggregator(index))/history" }

    /// The file with evidence that the log with this key was signed in two versions, beside the log's folder.
    public static func evidence(_ log: VerifierKey) -> String {
        "\(log.name.split(separator: "/").last ?? "log")-evidence"
    }

    /// The prefix of the announcements log of the manifest's coordinator.
    public static let announcements = "announcements"

    /// The announcements log of a coordinator below `prefix` in `source`.
    public static func announcementsLog(
        coordinator url: ServiceURL, key: Ed25519PublicKey, source: any ResourceSource, prefix: String
    ) -> PublishedLog {
        PublishedLog(
            key: Announcement.logKey(coordinator: url, key: key), bounds: .announcements, source: source,
            prefix: prefix)
    }

    /// The members log of `descriptor` below `prefix` in `source`. With `demand`, its witnesses must have cosigned it.
    public static func membersLog(
        _ descriptor: RollDescriptor, source: any ResourceSource, prefix: String, demand: QuorumDemand?
    ) -> PublishedLog {
        PublishedLog(
            key: descriptor.membersKey, bounds: .members, source: source, prefix: prefix, demand: demand)
    }

    /// The enrolment log of `descriptor` below `prefix` in `source`.
    public static func enrolmentLog(
        _ descriptor: RollDescriptor, source: any ResourceSource, prefix: String, demand: QuorumDemand?
    ) -> PublishedLog {
        PublishedLog(
            key: descriptor.enrolmentLogKey, bounds: .enrolment, source: source, prefix: prefix, demand: demand)
    }

    /// The log of the aggregator with this index below `prefix` in `source`.
    public static func petitionLog(
        _ petition: PetitionManifest, aggregator index: Int, source: any ResourceSource, prefix: String
    ) -> PublishedLog {
        PublishedLog(
            key: petition.logKey(aggregator: index), bounds: .petition, source: source, prefix: prefix)
    }
}
