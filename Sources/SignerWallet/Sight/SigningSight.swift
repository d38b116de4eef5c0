import Bytes
import Documents
import LogReading
import Petitions
import RingSignatures
import Ristretto255
import TransparencyLog

/// A roll as a signer sees it before it signs. A roll of up to 65,536 members is read in full. Of a larger one, every
/// member reads the same skeletons, and knows its own ring since it read the roll in full, at another time.
enum SigningSight {
    case full(RollSight)
    case outline(RollOutline)

    /// Looks at the roll that a petition refers to by `reference`. What is `witnessed` of its logs must be there.
    static func look(
        at roll: RollDescriptor, referredBy reference: PetitionManifest.RollReference, witnessed: [WitnessedHead],
        wallet: Wallet, network: SignerNetwork, clock: SignerClock, progress: WorkProgress
    ) async throws(SignerError) -> SigningSight {
        let announced = try await RollSight.announced(
            roll, witnessed: witnessed, wallet: wallet, network: network, clock: clock)
        let members = try await network.fresh { connection async throws(SignerError) in
            let log = RollSight.membersLog(roll, connection, clock)
            let head = try await CheckedFetch.head(of: log, wallet: wallet, clock: clock)
            guard wallet.isLarge(roll, membersLog: head.checkpoint.size) else {
                return Members.full(
                    try await RollSight.readMembers(
                        roll, log, upTo: head, wallet: wallet, clock: clock, progress: progress))
            }
            let skeleton = try await CheckedFetch.skeleton(of: log, upTo: head, wallet: wallet, clock: clock)
            return .outline(skeleton, isReferred: try await checkReference(reference, in: skeleton, of: log))
        }
        switch members {
        case .full(let replay):
            return .full(
                try await RollSight.look(
                    replay, announced: announced, wallet: wallet, network: network, clock: clock, progress: progress))
        case .outline(let skeleton, let isReferred):
            let enrolment = try await network.fresh { connection async throws(SignerError) in
                let log = RollSight.enrolmentLog(roll, connection, clock)
                let head = try await CheckedFetch.head(of: log, wallet: wallet, clock: clock)
                return try await CheckedFetch.skeleton(of: log, upTo: head, wallet: wallet, clock: clock)
            }
            return .outline(
                RollOutline(
                    announced: announced, descriptor: roll, members: skeleton, isReferred: isReferred,
                    enrolment: enrolment))
        }
    }

    private enum Members {
        case full(RollReplay)
        case outline(LogSkeleton, isReferred: Bool)
    }

    /// Whether the members log has the root that the petition fixes, at a size at which it ends on a seal.
    private static func checkReference(
        _ reference: PetitionManifest.RollReference, in skeleton: LogSkeleton, of log: PublishedLog
    ) async throws(SignerError) -> Bool {
        guard reference.size > 0 else { return reference.root == MerkleHash.emptyRoot }
        guard reference.size <= skeleton.end.size else { return false }
        let (entry, root) = try await CheckedFetch.reading(log) { () async throws(LogReadError) in
            try await log.readLastEntry(at: reference.size, in: skeleton)
        }
        guard case .seal? = try? RollEntry(parsing: entry) else { return false }
        return root == reference.root
    }

    /// What the coordinator announced.
    var announced: AnnouncementLedger {
        switch self {
        case .full(let sight): sight.announced
        case .outline(let outline): outline.announced
        }
    }

    /// The size of the roll.
    var size: RollSize {
        switch self {
        case .full(let sight): RollSize(sight.replay)
        case .outline(let outline):
            RollSize(outline.descriptor, enrolment: outline.enrolment.end.size, members: outline.members.end.size)
        }
    }

    /// True if the roll was not read in full.
    var isOutline: Bool {
        if case .outline = self { true } else { false }
    }
}

/// A roll of which a signer read no entries.
struct RollOutline {
    /// What the coordinator announced.
    let announced: AnnouncementLedger
    /// Which roll.
    let descriptor: RollDescriptor
    /// The members log.
    let members: LogSkeleton
    /// Whether it is the roll that the petition refers to.
    let isReferred: Bool
    /// The enrolment log.
    let enrolment: LogSkeleton
}

extension Wallet {
    /// Whether a roll may have more members than are read before each signature, by the size of its members log.
    func isLarge(_ roll: RollDescriptor, membersLog size: UInt64) -> Bool {
        RollLedger.mostMembers(size: size, ringCapacity: roll.terms.ringCapacity) > mostMembersReadInFull
    }

    /// Stores the ring that this wallet's key is in, if the roll was read in full and is a large one, and if the ring's
    /// seal is good.
    func rememberRing(in replay: RollReplay) throws(SignerError) {
        let roll = replay.descriptor
        guard isLarge(roll, membersLog: replay.tree.size), var enrolment = try enrolment(in: roll.id),
            let sealed = replay.ledger.ring(of: publicKey(in: roll.id)),
            let good = replay.enrolment?.goodSeals, sealed.ring.number < good
        else { return }
        enrolment.ring = .init(sealed, LogSkeleton.Point(replay.tree), fault: Self.fault(of: replay))
        set(enrolment, for: roll.id)
        try save()
    }

    /// What is wrong with a roll from some ring on, whatever is added to its logs: in the members log, or with a seal
    /// by the enrolment log.
    static func fault(of replay: RollReplay) -> WalletContents.OwnRing.Fault? {
        let members = replay.descriptor.membersKey.name
        if let enrolment = replay.enrolment, enrolment.goodSeals < replay.ledger.rings.count, !enrolment.isSealBeyond {
            let limit = replay.ledger.rings[enrolment.goodSeals].sealIndex
            if let fault = enrolment.fault {
                return .init(
                    limit: limit, log: replay.descriptor.enrolmentLogKey.name, index: fault.index,
                    rule: fault.rule.rawValue)
            }
            let rule = enrolment.sealFault?.rule ?? .rootMismatch
            return .init(limit: limit, log: members, index: limit, rule: rule.rawValue)
        }
        return replay.membersFault.map {
            .init(limit: $0.index, log: members, index: $0.index, rule: $0.rule.rawValue)
        }
    }

    /// The ring of this wallet's key in a large roll, if the log that is shown now continues the one that the ring was
    /// found in.
    func ownRing(in outline: RollOutline, referredBy reference: PetitionManifest.RollReference) throws(SignerError)
        -> Ring
    {
        guard outline.isReferred else { throw .rollMismatch }
        let roll = outline.descriptor
        guard let stored = try enrolment(in: roll.id)?.ring,
            let (ring, point) = stored.ring(in: roll.id, of: publicKey(in: roll.id))
        else { throw .ringNotKnown(link: roll.link.url.text) }
        switch outline.members.answer(about: point) {
        case .continues: break
        case .continuesFullTiles:
            // The ring ends in a tile that was not full yet, and is: what it has now was not read.
            guard stored.sealIndex < point.sizeOfFullTiles else {
                throw .ringOutgrown(link: roll.link.url.text)
            }
        case .differs: throw .rollMismatch
        }
        // Who read less than the petition fixes reads again: then everybody who signs knows of the same faults.
        guard reference.size <= point.size else { throw .ringOutgrown(link: roll.link.url.text) }
        if let fault = stored.fault, fault.limit < reference.size {
            throw fault.error
        }
        guard reference.admits(sealAt: stored.sealIndex) else { throw .ringNotSealed }
        return ring
    }
}

extension WalletContents.OwnRing.Fault {
    /// The error for it.
    var error: SignerError { .entryInvalid(log: log, index: index, Rule(rawValue: rule) ?? .rootMismatch) }
}

extension WalletContents.OwnRing {
    init(_ sealed: SealedRing, _ end: LogSkeleton.Point, fault: Fault?) {
        self.init(
            number: sealed.ring.number, sealIndex: sealed.sealIndex,
            members: sealed.ring.members.flatMap { $0.encoding.array }, logSize: end.size,
            logRoot: end.root.array, logFullTiles: end.fullTiles.array, fault: fault)
    }

    /// The ring, and the end of the log that it was found in. Nil if it is not what a wallet stores of its `own` key.
    func ring(in roll: RollID, of own: MemberKey) -> (Ring, LogSkeleton.Point)? {
        let entries = stride(from: 0, to: members.count, by: Bytes32.count).map {
            [0x01] + members.dropFirst($0).prefix(Bytes32.count)
        }
        var keys: [MemberKey] = []
        for entry in RollEntry.parse(entries) {
            guard case .success(.member(let key)) = entry else { return nil }
            keys.append(key)
        }
        guard keys.contains(own), keys.count <= Ring.maximumSize, let root = Bytes32(logRoot),
            let fullTiles = Bytes32(logFullTiles)
        else { return nil }
        return (
            Ring(roll: roll.bytes, number: number, members: keys),
            LogSkeleton.Point(size: logSize, root: root, fullTiles: fullTiles)
        )
    }
}
