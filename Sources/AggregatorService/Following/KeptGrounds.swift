import Documents
import LogStorage
import PetitionCopies
import Petitions
import Storage
import TransparencyLog

/// What a petition depends on, as this aggregator keeps it: the descriptors and logs of its rolls, and the
/// announcements of its coordinator, at their paths in an offline copy.
struct KeptGrounds: Sendable {
    /// The resource at one path.
    enum Resource {
        /// A roll's descriptor, or the proof of the petition's announcement.
        case document([UInt8])
        /// A resource of a log, by its path below the log.
        case part(FollowedLog, path: String)
    }

    private var documents: [String: [UInt8]] = [:]
    /// Each log with the path of its folder, which ends in a slash.
    private var logs: [(folder: String, log: FollowedLog)] = []

    /// Looks up what `petition` depends on. None of it changes, except that logs grow.
    init(_ db: Transaction, of collected: CollectedPetition) throws {
        let petition = collected.manifest
        documents[OfflineCopy.announcement] = try collected.announcementProof(db)
        for reference in petition.rolls {
            guard let roll = try RollDescriptor.followed(db, reference.id) else {
                throw StorageError.damaged("the roll \(reference.url.bare) is not there")
            }
            documents[OfflineCopy.descriptor(roll.id)] = roll.note
            add(roll.membersKey, at: OfflineCopy.members(roll.id))
            add(roll.enrolmentLogKey, at: OfflineCopy.enrolment(roll.id))
        }
        add(Announcement.logKey(coordinator: petition.url, key: petition.key), at: OfflineCopy.announcements)
    }

    private mutating func add(_ key: VerifierKey, at folder: String) {
        logs.append((folder + "/", FollowedLog(key: key)))
    }

    /// The resource at `path` in an offline copy; nil for a path that does not belong to this petition.
    func resource(at path: String) -> Resource? {
        if let note = documents[path] { return .document(note) }
        guard let found = logs.first(where: { path.hasPrefix($0.folder) }) else { return nil }
        return .part(found.log, path: String(path.dropFirst(found.folder.count)))
    }
}
