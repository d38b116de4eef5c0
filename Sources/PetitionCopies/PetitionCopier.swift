import Bytes
import Documents
import LogReading
import Messages
import Petitions
import TransparencyLog
import Witnessing

/// Copies a petition with everything that it depends on, byte for byte as served. Petition logs come first, then rolls,
/// each with its members log before its enrolment log, then announcements, so that each part has everything that
/// earlier parts refer to.
///
/// Logs are read as a verifier reads them, so that a roll or announcements log that is not good, or not the one seen
/// before, is taken from an aggregator that keeps it. The copy is judged by ``PetitionVerification``, not here.
public struct PetitionCopier: Sendable {
    private static let tallyAttempts = 5
    private let origin: any PetitionOrigin
    private let folder: CopyFolder
    private let progress: WorkProgress

    /// `progress` is called with a log's origin, how many of its entries were copied, and how many there are.
    public init(
        origin: any PetitionOrigin, to folder: CopyFolder,
        progress: WorkProgress = .untold
    ) {
        self.origin = origin
        self.folder = folder
        self.progress = progress
    }

    /// Copies the petition with this id. Parts that fail do not prevent the others from being copied. Throws when the
    /// petition itself cannot be read or has another id, or when the copy cannot be written.
    public func copy(_ id: PetitionID) async throws -> PetitionCopy {
        try await folder.filling { try await copyAll(id) }
    }

    private func copyAll(_ id: PetitionID) async throws -> PetitionCopy {
        let petition = try await readPetition(id)
        try folder.write(petition.note, to: OfflineCopy.petition)
        var copy = PetitionCopy(petition)
        var keepers: [Keeper] = []
        for index in petition.aggregators.indices {
            let problems = try await problems { try await copyAggregator(index, of: petition) }
            copy.problems += problems
            // Without its log there is no total, whatever it keeps of other logs.
            guard problems.isEmpty, let kept = origin.kept(byAggregator: index, of: petition) else { continue }
            keepers.append(Keeper(url: petition.logURL(aggregator: index), kept: kept))
        }
        try await copyAnnouncementProof(petition, keepers)
        var rolls: [RollDescriptor] = []
        for (index, reference) in petition.rolls.enumerated() {
            let source = { (origin: any PetitionOrigin) in origin.roll(index, of: petition) }
            var descriptor: RollDescriptor?
            try await self.copy(
                Part(name: "the roll \(reference.url)", folder: OfflineCopy.roll(reference.id), source: source) {
                    try await copyRoll(reference, from: $0, known: $1, &descriptor)
                }, keepers, &copy)
            descriptor.map { rolls.append($0) }
        }
        let source = { (origin: any PetitionOrigin) -> any ResourceSource in
            Subfolder(source: origin.coordinator(of: petition), prefix: OfflineCopy.announcements)
        }
        try await self.copy(
            Part(name: "the announcements", folder: OfflineCopy.announcements, source: source) {
                try await copyAnnouncements(of: petition, rolls, from: $0, known: $1)
            }, keepers, &copy)
        return copy
    }

    private func readPetition(_ id: PetitionID) async throws -> PetitionManifest {
        let location = "the petition \(id.hex) at its address"
        let note: [UInt8]?
        do { note = try await origin.petition() } catch let error as SourceError { throw CopyError.source(error) }
        guard let note else { throw CopyError.missing(location: location) }
        let petition: PetitionManifest
        do { petition = try PetitionManifest(parsing: note) } catch {
            throw CopyError.document(location: location, error)
        }
        // Checked before any other request: somebody else chose the addresses that another manifest names.
        guard petition.id == id else {
            throw CopyError.document(location: location, .note("its id is \(petition.id.hex) (id-mismatch)"))
        }
        return petition
    }

    /// What `body` throws, as a list of reasons why the copy is not complete. Throws what was read and could not be
    /// written: that is not a fault of any source.
    private func problems(_ body: () async throws -> Void) async throws -> [CopyError] {
        var problems: [CopyError] = []
        do { try await body() } catch let error as CopyError {
            problems = [error]
        } catch let error as SourceError {
            problems = [.source(error)]
        }
        try folder.checkCollected()
        return problems
    }

    // MARK: From one source or another

    /// An aggregator that keeps what coordinators published.
    private struct Keeper {
        /// The petition's address at the aggregator.
        let url: ServiceURL
        let kept: CopiedPetition
    }

    /// A part of a copy that is copied as a whole from one source.
    private struct Part {
        /// The name of the part, in words.
        let name: String
        /// Its folder in the copy.
        let folder: String
        /// The source that it is read from.
        let source: (any PetitionOrigin) -> any ResourceSource
        /// Reads it, which copies it.
        let copy: (_ source: CopyingSource, _ known: [any ResourceSource]) async throws -> PartFindings
    }

    /// What was found in a part at one source.
    private struct PartFindings {
        /// Why it is not good.
        var problems: [CopyError] = []
        /// Where its logs differ from what is kept elsewhere.
        var differences: [LogDifference] = []
        /// The size of each of its logs, in the order in which they are copied.
        var sizes: [UInt64] = []

        /// True when there is more of it than of `other`, by the first log, and then by the next.
        func isLonger(than other: PartFindings) -> Bool { other.sizes.lexicographicallyPrecedes(sizes) }
    }

    /// Copies a part from where it is published, if it is good there and continues what every aggregator keeps of it;
    /// otherwise from the source that has the longest good version. If no source has one, the copy holds what was
    /// published, for a verifier to judge.
    private func copy(_ part: Part, _ keepers: [Keeper], _ copy: inout PetitionCopy) async throws {
        let kept = keepers.map { part.source($0.kept) }
        let published = part.source(origin)
        let found = try await part.copy(
            CopyingSource(source: published, target: folder, folder: part.folder), kept)
        guard let reason = (found.problems + found.differences.map(\.problem)).first else { return }
        var differences = found.differences
        // A log that is only shorter may still be the longest; one that contradicts what others saw is not the one that
        // they signed from.
        let isContradicted = origin.kind != .kept && found.differences.contains(where: \.isContradiction)
        var best = found.problems.isEmpty && !isContradicted ? found : nil
        var replacement: (keeper: Keeper, folder: String)?
        for (index, source) in kept.enumerated() {
            let other = "\(part.folder).\(index)"
            let others = kept.indices.filter { $0 != index }.map { kept[$0] } + [published]
            let found = try await part.copy(CopyingSource(source: source, target: folder, folder: other), others)
            differences += found.differences
            // Records were admitted by the log that is kept here: a longer one that contradicts it does not replace it.
            let isForeign = origin.kind == .kept && found.differences.contains(where: \.isContradiction)
            guard found.problems.isEmpty, !isForeign, best.map({ found.isLonger(than: $0) }) ?? true else {
                try folder.remove(other)
                continue
            }
            if let replacement { try folder.remove(replacement.folder) }
            (best, replacement) = (found, (keepers[index], other))
        }
        if let replacement {
            // Replaced as a whole: no bundle of the other log must remain beside these.
            try folder.replace(part.folder, by: replacement.folder)
            copy.replacements.append(.init(part: part.name, reason: reason, keeper: replacement.keeper.url))
        } else if best == nil {
            copy.problems += found.problems + found.differences.map(\.problem)
        }
        try keepEvidence(of: differences, in: part.folder, &copy)
    }

    private func keepEvidence(
        of differences: [LogDifference], in part: String, _ copy: inout PetitionCopy
    ) throws {
        for difference in differences {
            guard let contradiction = difference.contradiction else { continue }
            if !copy.contradictions.contains(contradiction) { copy.contradictions.append(contradiction) }
            if let evidence = difference.evidence {
                try folder.write(evidence, to: "\(part)/\(OfflineCopy.evidence(difference.log))")
            }
        }
    }

    // MARK: Parts

    /// Copies the proof that a petition with witnesses was announced. A copy without it says so when it is checked.
    private func copyAnnouncementProof(_ petition: PetitionManifest, _ keepers: [Keeper]) async throws {
        guard let policy = petition.witnesses else { return }
        for origin in [origin] + keepers.map({ $0.kept as any PetitionOrigin }) {
            guard let proof = (try? await origin.announcement(of: petition)) ?? nil else { continue }
            try folder.write(proof, to: OfflineCopy.announcement)
            let isGood = (try? Announcement.witnessedProof(proof, of: petition, under: policy, now: .max)) != nil
            if isGood { return }
        }
    }

    /// What each witness shows of an aggregator's log now, asked before the log is read, which then has at least as
    /// much.
    private func witnesses(of index: Int, _ petition: PetitionManifest) async -> [Int: [UInt8]] {
        let count = petition.witnesses?.witnesses.count ?? 0
        return await withTaskGroup(of: (Int, [UInt8]?).self) { group in
            for witness in 0..<count {
                group.addTask { (witness, await origin.shown(by: witness, aggregator: index, of: petition)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    private func copyAggregator(_ index: Int, of petition: PetitionManifest) async throws {
        let origin = origin.aggregator(index, of: petition)
        let source = CopyingSource(source: origin, target: folder, folder: OfflineCopy.aggregator(index))
        for (witness, note) in await witnesses(of: index, petition) {
            try folder.write(note, to: OfflineCopy.shown(index, by: witness))
        }
        // Before the log, which then has at least as many entries as these cover.
        if petition.witnesses != nil { _ = try await source.read("closing", limit: SignedNote.maximumCount) }
        _ = try await source.read("history", limit: GrowthHistory.maximumCount)
        let log = OfflineCopy.petitionLog(petition, aggregator: index, source: source, prefix: "")
        // The tally and the checkpoint are two requests, repeated until both are for the same size.
        for attempt in 1... {
            let tally = try await origin.read("tally", limit: SignedNote.maximumCount)
            let published = tally.flatMap { try? PublishedTally(parsing: $0) }
            let head = try await readHead(log, source).checkpoint
            guard tally == nil || published?.treeSize == head.size || attempt == Self.tallyAttempts else { continue }
            // Without what depends on the time of the request: every byte of a copy can be recomputed.
            if let bytes = published.map({ Array($0.json().utf8) }) ?? tally {
                try folder.write(bytes, to: OfflineCopy.tally(index))
            }
            return try await copyEntries(log, upTo: head, source)
        }
    }

    /// Reads the members log first, so that the enrolment log has the entries that every seal names.
    private func copyRoll(
        _ reference: PetitionManifest.RollReference, from source: CopyingSource, known: [any ResourceSource],
        _ descriptor: inout RollDescriptor?
    ) async throws -> PartFindings {
        var found = PartFindings()
        var read: RollDescriptor?
        found.problems = try await problems { read = try await readDescriptor(reference, source) }
        guard let roll = read else { return found }
        descriptor = roll
        // Whoever checks the copy judges times by their own clock.
        let demand = QuorumDemand(roll.witnesses, now: .max)
        var enrolmentRoots: [UInt64: Bytes32] = [:]
        var rounds: UInt32 = 0
        try await copyLog(
            from: source, known: known, fixed: [reference.size: reference.root], &found,
            { OfflineCopy.membersLog(roll, source: $0, prefix: "members", demand: demand) },
            entries: { first, entries in
                // What the petition refers to ends with a seal, which fixes the enrolment log up to the size it names.
                guard reference.size > first, reference.size - first <= UInt64(entries.count),
                    case .seal(let size, let root) = try? RollEntry(
                        parsing: entries[Int(reference.size - first) - 1])
                else { return }
                enrolmentRoots[size] = root
            })
        try await copyLog(
            from: source, known: known, fixed: enrolmentRoots, &found,
            { OfflineCopy.enrolmentLog(roll, source: $0, prefix: "enrolment", demand: demand) },
            entries: { _, entries in
                for entry in entries where rounds < OfflineCopy.mostRounds {
                    if case .joiningOpens(rounds, _) = try? EnrolmentEntry(parsing: entry) { rounds += 1 }
                }
            })
        guard let demand else { return found }
        for round in 0..<rounds {
            for (key, log, path) in OfflineCopy.joining(round, of: roll) {
                // What is missing, or not good, proves nothing, and the verifier says so.
                _ = try? await source.read("\(log)/\(path)", limit: SignedNote.maximumCount) { note in
                    (try? demand.check(note, key: key)) != nil
                }
            }
        }
        return found
    }

    private func readDescriptor(
        _ reference: PetitionManifest.RollReference, _ source: CopyingSource
    ) async throws -> RollDescriptor {
        let location = source.location(of: "")
        guard let note = try await source.read("", limit: SignedNote.maximumCount) else {
            throw CopyError.missing(location: location)
        }
        let descriptor: RollDescriptor
        do { descriptor = try RollDescriptor(parsing: note) } catch {
            throw CopyError.document(location: location, error)
        }
        guard descriptor.id == reference.id else {
            throw CopyError.document(location: location, .note("it is not the roll that the petition names"))
        }
        return descriptor
    }

    /// Announcements are good if they include the petition and its rolls.
    private func copyAnnouncements(
        of petition: PetitionManifest, _ rolls: [RollDescriptor], from source: CopyingSource,
        known: [any ResourceSource]
    ) async throws -> PartFindings {
        var found = PartFindings()
        var ledger = AnnouncementLedger()
        try await copyLog(
            from: source, known: known, fixed: [:], &found,
            { OfflineCopy.announcementsLog(coordinator: petition.url, key: petition.key, source: $0, prefix: "") },
            entries: { _, entries in for entry in entries { ledger.append(entry) } })
        if !ledger.isAnnounced(petition.id) || !rolls.allSatisfy({ ledger.isAnnounced($0) }), found.problems.isEmpty {
            let log = Announcement.logKey(coordinator: petition.url, key: petition.key).name
            found.problems.append(.notAnnounced(log: log))
        }
        return found
    }

    // MARK: Logs

    /// Copies a log, which must have the roots in `fixed` at their sizes, and compares it with what is kept of it
    /// elsewhere: a coordinator may show a different log than it showed the aggregators.
    private func copyLog(
        from source: CopyingSource, known: [any ResourceSource], fixed: [UInt64: Bytes32],
        _ found: inout PartFindings, _ log: (any ResourceSource) -> PublishedLog,
        entries: (UInt64, [[UInt8]]) -> Void = { _, _ in }
    ) async throws {
        let published = log(source)
        var heads: [(checkpoint: Checkpoint, note: [UInt8])] = []
        for other in known {
            // Where nothing good is kept, nothing is known.
            if let head = try? await log(other).readCheckpoint() { heads.append(head) }
        }
        var comparison = LogComparison(published.key, fixed: fixed, known: heads)
        // Evidence that another copier found stays with the copy.
        if origin.kind == .copied {
            _ = try? await source.read(OfflineCopy.evidence(published.key), limit: Evidence.maximumCount)
        }
        found.problems += try await problems {
            let head = try await readHead(published, source)
            try await copyEntries(published, upTo: head.checkpoint, source) { first, read, leaves in
                comparison.append(leaves)
                entries(first, read)
            }
            found.sizes.append(head.checkpoint.size)
            found.differences += comparison.differences(from: head)
            if let size = comparison.brokenSize {
                throw CopyError.log(location: published.key.name, .notAnExtension(seenSize: size))
            }
        }
    }

    private func readHead(
        _ log: PublishedLog, _ source: CopyingSource
    ) async throws -> (checkpoint: Checkpoint, note: [UInt8]) {
        do { return try await log.readCheckpoint() } catch { throw CopyError(error, of: log, in: source) }
    }

    /// Reads every entry and every hash tile, up to the first bundle that is not good: a log's size may be a lie.
    private func copyEntries(
        _ log: PublishedLog, upTo head: Checkpoint, _ source: CopyingSource,
        _ body: (UInt64, [[UInt8]], LeafHashes) -> Void = { _, _, _ in }
    ) async throws {
        do {
            _ = try await log.readEntries(upTo: head, badHashTiles: { _ in }) { first, entries, leaves in
                body(first, entries, leaves)
                progress(log.key.name, done: first + UInt64(entries.count), of: head.size)
            }
        } catch let error as LogReadError { throw CopyError(error, of: log, in: source) }
    }
}

/// Writes everything that is read through it to the copy: reading a log copies it, byte for byte as served.
private final class CopyingSource: ResourceSource {
    private let source: any ResourceSource
    private let target: CopyFolder
    /// The folder in the copy that it writes to.
    private let folder: String

    init(source: any ResourceSource, target: CopyFolder, folder: String) {
        (self.source, self.target, self.folder) = (source, target, folder)
    }

    func read(_ path: String, limit: Int) async throws(SourceError) -> [UInt8]? {
        try await read(path, limit: limit) { _ in true }
    }

    /// The same, but what is not good is not written.
    func read(_ path: String, limit: Int, ifGood isGood: ([UInt8]) -> Bool) async throws(SourceError) -> [UInt8]? {
        guard let bytes = try await source.read(path, limit: limit), isGood(bytes) else { return nil }
        guard target.collect(bytes, at: "\(folder)/\(path.isEmpty ? OfflineCopy.descriptor : path)") else {
            throw .unreachable(location: location(of: path), reason: "the copy cannot be written")
        }
        return bytes
    }

    func location(of path: String) -> String { source.location(of: path) }
}
