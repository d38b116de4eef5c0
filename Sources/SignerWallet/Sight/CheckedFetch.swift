import Bytes
import Documents
import LogReading
import Messages
import PetitionCopies
import Petitions
import Ristretto255
import Sodium
import TransparencyLog
import Witnessing

extension SignerError {
    init(_ error: SourceError) {
        switch error {
        case .unreachable(let location, let reason): self = .unreachable(location: location, reason: .told(reason))
        case .answered(let location, let status): self = .unreachable(location: location, reason: .status(status))
        case .tooLarge(let location): self = .unreachable(location: location, reason: .tooLarge)
        }
    }

    /// What is wrong with a log that was read, or what prevented it from being read.
    init(_ error: LogReadError, log: String) {
        switch error {
        case .source(let error): self.init(error)
        case .missing(let path): self = .unreachable(location: log, reason: .missing(path: path))
        case .tooManyEntries(let size, let limit):
            self = .unreachable(location: log, reason: .tooManyEntries(size: size, limit: limit))
        case .witnesses(let error): self = .notWitnessed(what: .log(log), reason: .witnesses(error))
        default: self = .logInvalid(log: log, error)
        }
    }
}

/// Reads documents and whole logs, never a part that depends on the wallet: that would reveal whose wallet it is.
enum CheckedFetch {
    /// The petition whose url is `url`, with the id in the url's last segment.
    static func petition(_ url: ServiceURL, connection: any RequestConnection) async throws(SignerError)
        -> PetitionManifest
    {
        guard let expected = url.segments.last.flatMap({ PetitionID(hex: $0) }) else {
            throw .documentInvalid(location: url.text, reason: .noPetitionID)
        }
        let source = HTTPSource(connection: connection, base: url.text)
        // An aggregator serves the note below its page, a coordinator at the url itself.
        var note = try await source.document(OfflineCopy.petition)
        if note == nil { note = try await source.document("") }
        guard let note else { throw .unreachable(location: url.text, reason: .noPetition) }
        let petition = try parse(url.text) { () throws(DocumentError) in try PetitionManifest(parsing: note) }
        guard petition.id == expected else { throw .documentMismatch(location: url.text) }
        return petition
    }

    /// What the witnesses of a petition cosigned of its coordinator's announcements, its own included; nil if it has no
    /// witnesses. Both an aggregator and the coordinator serve the proof below the petition's address.
    static func witnessedAnnouncement(
        of petition: PetitionManifest, at url: ServiceURL, connection: any RequestConnection, now: UTCTime
    ) async throws(SignerError) -> WitnessedHead? {
        guard let policy = petition.witnesses else { return nil }
        return try await witnessed(.petitionAnnouncement, at: url, connection, now: now) {
            bytes, now throws(WitnessedProofError) in
            try Announcement.witnessedProof(bytes, of: petition, under: policy, now: now)
        }
    }

    /// The same for a roll, with the witnesses of the roll. The proof is served below its link, which everybody has.
    static func witnessedAnnouncement(
        of roll: RollDescriptor, connection: any RequestConnection, now: UTCTime
    ) async throws(SignerError) -> WitnessedHead? {
        guard let policy = roll.witnesses else { return nil }
        return try await witnessed(.rollAnnouncement, at: roll.link.url, connection, now: now) {
            bytes, now throws(WitnessedProofError) in
            try Announcement.witnessedProof(bytes, of: roll, under: policy, now: now)
        }
    }

    private static func witnessed(
        _ what: SignerSubject, at url: ServiceURL, _ connection: any RequestConnection, now: UTCTime,
        _ check: ([UInt8], UInt64) throws(WitnessedProofError) -> WitnessedProof
    ) async throws(SignerError) -> WitnessedHead {
        let source = HTTPSource(connection: connection, base: url.text)
        guard let bytes = try await source.document(OfflineCopy.announcement) else {
            throw .notWitnessed(what: what, reason: nil)
        }
        do { return WitnessedHead(try check(bytes, UInt64(clamping: now.seconds)), at: now) } catch {
            throw .notWitnessed(what: what, reason: error)
        }
    }

    /// The roll that is served at a link.
    static func roll(_ link: RollLink, connection: any RequestConnection) async throws(SignerError) -> RollDescriptor {
        let roll = try await descriptor(link.url, connection: connection)
        guard let roll else {
            throw .unreachable(location: link.url.text, reason: .noRoll)
        }
        guard roll.link == link else { throw .documentMismatch(location: link.url.text) }
        return roll
    }

    /// The roll with an id, nil when its coordinator does not have it.
    static func roll(
        _ id: RollID, coordinator: ServiceURL, connection: any RequestConnection
    ) async throws(SignerError) -> RollDescriptor? {
        let url = RollLink.address(of: id, coordinator: coordinator)
        guard let roll = try await descriptor(url, connection: connection) else { return nil }
        guard roll.id == id, roll.coordinator == coordinator else {
            throw .documentMismatch(location: url.text)
        }
        return roll
    }

    private static func descriptor(_ url: ServiceURL, connection: any RequestConnection) async throws(SignerError)
        -> RollDescriptor?
    {
        let source = HTTPSource(connection: connection, base: url.text)
        guard let note = try await source.document("") else { return nil }
        return try parse(url.text) { () throws(DocumentError) in try RollDescriptor(parsing: note) }
    }

    private static func parse<T>(_ location: String, _ body: () throws(DocumentError) -> T) throws(SignerError) -> T {
        do { return try body() } catch {
            throw .documentInvalid(location: location, reason: .document(error))
        }
    }

    /// Reads the signed head of a log, which must not contradict what the wallet saw of it before, or what was
    /// `witnessed` of it; or else the wallet stores the contradiction.
    static func head(
        of log: PublishedLog, witnessed: [WitnessedHead] = [], wallet: Wallet, clock: SignerClock
    ) async throws(SignerError) -> ShownHead {
        let (checkpoint, note) = try await reading(log) { () async throws(LogReadError) in
            try await log.readCheckpoint()
        }
        let stored = wallet.seen(log.key)
        // An outline may be of entries that never existed. A log that is shorter than one, but not shorter than what
        // was read, is what a person is asked about, and does not stop a signer for ever.
        let seen = stored.prefix(1) + stored.dropFirst().filter { $0.checkpoint.size <= checkpoint.size }
        if seen.count < stored.count {
            try wallet.rememberOddity(
                of: log.key.publicKey, SignerOddity(.fewerEntries, of: log.key.name), at: clock.now)
        }
        let known = witnessed.filter { $0.key == log.key }.map { $0.head } + seen
        let head = ShownHead(checkpoint: checkpoint, note: note, seen: Array(seen), known: known)
        // Two roots at one size contradict each other without entries, and the entries may never come.
        for seen in known where seen.checkpoint.size == checkpoint.size && seen.checkpoint.root != checkpoint.root {
            throw wallet.contradiction(head, of: log.key, after: seen, leaves: [], now: clock.now)
        }
        return head
    }

    /// Reads a whole log up to its head, which must continue all that is known of it, and passes its entries with their
    /// leaf hashes to `body` piece by piece. The wallet stores the new head, in the same step as the changes that
    /// `alsoRemember` makes, which is given what was seen before, the oldest first; or else the wallet stores the
    /// contradiction.
    static func whole(
        _ log: PublishedLog, upTo head: ShownHead, wallet: Wallet, clock: SignerClock,
        progress: WorkProgress = .untold,
        alsoRemember: (_ before: [SeenLog], _ now: UTCTime) throws(SignerError) -> Void = { _, _ in },
        _ body: ([[UInt8]], LeafHashes) -> Void
    ) async throws(SignerError) {
        let disputed = wallet.disputed(log.key)
        var continuation = SeenContinuation(head.known, disputed: disputed)
        let tree = try await reading(log) { () async throws(LogReadError) in
            try await log.entries(upTo: head.checkpoint) { first, entries, leaves in
                for leaf in leaves { continuation.append(leaf) }
                body(entries, leaves)
                progress(
                    "entries of \(log.key.name)", done: first + UInt64(entries.count), of: head.checkpoint.size)
            }
        }
        if let seen = continuation.broken {
            throw wallet.contradiction(head, of: log.key, after: seen, leaves: continuation.leaves, now: clock.now)
        }
        // What contradicted this log when only tiles were read can be proven now.
        if let disputed, continuation.contradicts(disputed) {
            try wallet.keep(disputed, contradictedBy: head, continuation.leaves)
        }
        let now = clock.now
        let isOpen = disputed.map { $0.checkpoint.size > head.checkpoint.size } ?? false
        let also = { (now: UTCTime) throws(SignerError) in try alsoRemember(head.seen, now) }
        try wallet.remember(log.key, at: now, also) { seen in
            let larger = seen?.outlines.filter { outline in !head.seen.contains { $0.note == outline.note } } ?? []
            seen = .init(
                head: head.stored(LogSkeleton.Point(tree), at: now), outlines: larger,
                disputed: isOpen ? seen?.disputed : nil)
        }
    }

    /// Reads the skeleton of a log instead of its entries. The log must continue all that is known of it, as far as a
    /// skeleton shows that; or else the wallet stores the contradiction. Of a log that was seen before, the last
    /// entries, fewer than 256, may not be compared: then what was seen before stays in the wallet, beside the new
    /// head, until the log is read in full.
    static func skeleton(
        of log: PublishedLog, upTo head: ShownHead, wallet: Wallet, clock: SignerClock
    ) async throws(SignerError) -> LogSkeleton {
        let skeleton = try await reading(log) { () async throws(LogReadError) in
            try await log.readSkeleton(of: head.checkpoint)
        }
        // Those that are only continued as far as full tiles show.
        var notCompared: Set<[UInt8]> = []
        for seen in head.known {
            // What witnesses vouch for is of logs that are read in full.
            guard let fullTiles = seen.fullTiles else { continue }
            let point = LogSkeleton.Point(size: seen.checkpoint.size, root: seen.checkpoint.root, fullTiles: fullTiles)
            switch skeleton.answer(about: point) {
            case .continues: break
            case .continuesFullTiles: notCompared.insert(seen.note)
            case .differs:
                throw wallet.contradiction(head, of: log.key, after: seen, leaves: nil, now: clock.now)
            }
        }
        let now = clock.now
        let compared = Set(head.seen.map { $0.note }).subtracting(notCompared)
        try wallet.remember(log.key, at: now, { _ in }) { [compared] seen in
            let stored = head.stored(skeleton.end, at: now)
            guard var known = seen,
                !compared.contains(known.head.note)
                    || !known.outlines.allSatisfy({
                        compared.contains($0.note)
                    })
            else {
                seen = .init(head: stored, disputed: seen?.disputed)
                return
            }
            known.outlines = known.outlines.filter { !compared.contains($0.note) } + [stored]
            known.outlines.removeFirst(max(0, known.outlines.count - WalletContents.Seen.mostOutlines))
            seen = known
        }
        return skeleton
    }

    static func reading<T>(
        _ log: PublishedLog, _ body: () async throws(LogReadError) -> T
    ) async throws(SignerError) -> T {
        do { return try await body() } catch { throw SignerError(error, log: log.key.name) }
    }

    /// The announcements of the coordinator at `url`, which must continue what was `witnessed` of them.
    static func announcements(
        coordinator url: ServiceURL, key: Ed25519PublicKey, witnessed: [WitnessedHead], wallet: Wallet,
        connection: any RequestConnection, clock: SignerClock
    ) async throws(SignerError) -> AnnouncementLedger {
        let log = OfflineCopy.announcementsLog(
            coordinator: url, key: key, source: HTTPSource(connection: connection, base: url.text),
            prefix: OfflineCopy.announcements)
        var ledger = AnnouncementLedger()
        let head = try await head(of: log, witnessed: witnessed, wallet: wallet, clock: clock)
        try await whole(log, upTo: head, wallet: wallet, clock: clock) { entries, _ in
            for entry in entries { ledger.append(entry) }
        }
        return ledger
    }

    /// Checks that a roll's link was announced for this roll and no other.
    static func check(_ announced: AnnouncementLedger, announces roll: RollDescriptor) throws(SignerError) {
        let log = Announcement.logKey(coordinator: roll.coordinator, key: roll.key).name
        switch announced.roll(under: roll.link) {
        case roll.id: return
        case nil: throw .notAnnounced(what: .roll, log: log)
        default: throw .announcedOtherwise(link: roll.link.url.text, log: log)
        }
    }
}

extension Wallet {
    /// Records that a log is not what was seen of it before, and returns the error for it. A log that is only shorter
    /// may be an old state, which proves nothing. Without the `leaves`, others cannot check that one log is not a
    /// continuation of the other: then the head is kept until they are read.
    fileprivate func contradiction(
        _ head: ShownHead, of key: VerifierKey, after seen: SeenLog, leaves: [Bytes32]?, now: UTCTime
    ) -> SignerError {
        // A log may be longer than memory has room for its proof.
        let leaves = leaves.flatMap { $0.count <= Evidence.mostLeaves ? $0 : nil }
        let found = LogBreak(
            log: key.name, seenSize: seen.checkpoint.size, seenRoot: seen.checkpoint.root, seenAt: seen.at,
            shownSize: head.checkpoint.size, hasEvidence: leaves != nil)
        let what = SignerOddity(found.isShorter ? .fewerEntries : .otherEntries, of: key.name)
        do {
            if !found.isShorter { dispute(leaves == nil && !found.isTooLong ? head : nil, of: key) }
            // First what is small and is asked about later, then what may fill the disk.
            try rememberOddity(of: key.publicKey, what, at: now)
            // An older state must not replace a proof.
            if let leaves {
                let mayReplace = if found.isShorter { try readBeside(suffix: Self.evidenceSuffix) == nil } else { true }
                if mayReplace {
                    try keep(Evidence(what: what.explanation, seen: seen.note, shown: head.note, leaves: leaves))
                }
            }
        } catch {
            return .oddityNotKept(what: what)
        }
        return .logBroken(found)
    }

    /// Keeps a head whose contradiction is still to be proven, but not in place of a smaller one: the log need not be
    /// as long for that. Nil when a contradiction of the log is proven.
    private func dispute(_ head: ShownHead?, of key: VerifierKey) {
        guard let head else {
            contents.seen[key.vkey]?.disputed = nil
            return
        }
        if let known = disputed(key), known.checkpoint.size <= head.checkpoint.size { return }
        contents.seen[key.vkey]?.disputed = head.note
    }

    /// The head that contradicted what was seen of a log, if the proof is missing.
    fileprivate func disputed(_ key: VerifierKey) -> SeenLog? {
        guard let note = contents.seen[key.vkey]?.disputed,
            let checkpoint = try? Checkpoint(verifying: note, key: key)
        else { return nil }
        return SeenLog(checkpoint: checkpoint, note: note, at: UTCTime(seconds: 0), fullTiles: nil)
    }

    /// Keeps the proof that a disputed head is not one of the log that was read in full now, if that is not too long.
    fileprivate func keep(_ disputed: SeenLog, contradictedBy head: ShownHead, _ leaves: [Bytes32]) throws(SignerError)
    {
        guard leaves.count <= Evidence.mostLeaves else { return }
        let what = SignerOddity(.otherEntries, of: head.checkpoint.origin)
        try keep(Evidence(what: what.explanation, seen: disputed.note, shown: head.note, leaves: leaves))
    }

    /// Stores what was seen of a log, which `update` changes, together with what `also` changes.
    ///
    /// It does so immediately: a later check may refuse, and what was seen must still bind the log.
    ///
    /// Not inlined: the compiler (Swift 6.3.1) fails on two throwing calls that are merged inside an asynchronous
    /// function.
    @inline(never)
    fileprivate func remember(
        _ key: VerifierKey, at now: UTCTime, _ also: (UTCTime) throws(SignerError) -> Void,
        _ update: (inout WalletContents.Seen?) -> Void
    ) throws(SignerError) {
        update(&contents.seen[key.vkey])
        try also(now)
        try save()
    }
}
