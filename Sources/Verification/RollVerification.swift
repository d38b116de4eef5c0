import Bytes
import Documents
import LogReading
import PetitionCopies
import Petitions
import TransparencyLog
import Witnessing

/// Checks one roll of a petition: its descriptor, its members log, and its enrolment log. ``RollReplay`` decides what
/// counts as a fault and which rings are admitted.
struct RollVerification {
    let reference: PetitionManifest.RollReference
    let copy: CheckedCopy

    /// What is known of a roll whose descriptor could be read.
    struct Findings {
        /// The roll and its members log; empty if the log is not that of the petition's roll, or could not be read.
        var replay: RollReplay
        /// The rings that may be admitted; nil when they are not known.
        var rings: [SealedRing]?
        /// The counts of the enrolment log, if it could be read.
        var enrolment: EnrolmentState?
        /// How many people could have been enrolled by the last seal that the petition admits.
        var enrollable: UInt64?
        /// The first of the later rings whose seals name more entries than the enrolment log has: nothing is known of
        /// it and of those after it.
        var firstUnread: Int?
        /// True when there may be later rings that were not read: the log may have been longer when a record was
        /// admitted.
        var isUnended = false

        var descriptor: RollDescriptor { replay.descriptor }
    }

    /// Runs every check of the roll and adds the results to `report`; with `onlyMembers`, without those of the
    /// enrolment log. Nil when there is no descriptor.
    func run(_ report: inout VerificationReport, onlyMembers: Bool = false) async -> Findings? {
        guard let descriptor = await readDescriptor(&report) else { return nil }
        for log in onlyMembers ? [] : [descriptor.membersKey, descriptor.enrolmentLogKey] {
            await EvidenceCheck(source: copy.source, folder: OfflineCopy.roll(descriptor.id)).run(log, &report)
        }
        var findings = Findings(replay: RollReplay(descriptor))
        var times = onlyMembers ? nil : await JoiningTimes(of: descriptor, in: copy)
        guard let (members, isMembersWhole) = await readMembers(descriptor, &times, &report) else { return findings }
        // The roll is kept without codes, to save memory: there may be many rolls.
        findings.replay = members
        findings.isUnended = !isMembersWhole || members.faultAtEnd == nil
        let read = onlyMembers ? nil : await readEnrolment(members, &times, &report)
        guard let read, let enrolment = read.roll.enrolment else {
            findings.rings = isMembersWhole ? members.rings(under: reference, includingUnread: true) : referred(members)
            return findings
        }
        let isWhole = isMembersWhole && read.isWhole
        judge(enrolment, read.roll, &report, onlyReferred: !isWhole)
        judgeUnread(enrolment, &findings, &report, onlyReferred: !isWhole)
        guard isWhole else {
            // Nothing is known of what follows.
            findings.rings = referred(members)
            findings.isUnended = true
            return findings
        }
        times?.judge(read.roll, &report)
        findings.enrolment = enrolment.state
        findings.enrollable = enrolment.enrollable(
            atRing: reference.laterRings ? nil : referred(findings.replay).count - 1)
        findings.rings = read.roll.rings(under: reference, includingUnread: enrolment.isSealBeyond)
        if enrolment.fault != nil || enrolment.isStopped { findings.isUnended = false }
        return findings
    }

    private func referred(_ roll: RollReplay) -> [SealedRing] { roll.ledger.rings.filter { isReferred($0) } }

    private func readDescriptor(_ report: inout VerificationReport) async -> RollDescriptor? {
        let subject = CheckSubject.descriptor(roll: reference.url.bare)
        let path = OfflineCopy.descriptor(reference.id)
        let bytes: [UInt8]?
        do { bytes = try await copy.source.read(path, limit: SignedNote.maximumCount) } catch {
            report.undecided(subject, "\(path) cannot be read")
            return nil
        }
        guard let bytes else {
            report.undecided(subject, "\(path) is missing")
            return nil
        }
        func refuse(_ rule: Rule, _ detail: String?) {
            report.fail(subject, [.init(log: reference.url.bare, index: nil, rule: rule, detail: detail)])
        }
        let descriptor: RollDescriptor
        do { descriptor = try RollDescriptor(parsing: bytes) } catch {
            refuse(.noteInvalid, "\(path): \(error.explanation)")
            return nil
        }
        guard descriptor.id == reference.id, descriptor.coordinator == reference.coordinator else {
            refuse(.idMismatch, path)
            return nil
        }
        report.pass(subject, count: 1)
        return descriptor
    }

    /// A copy may be as old as it likes, but a quorum of the roll's witnesses must have seen what it has.
    private func demand(_ descriptor: RollDescriptor) -> QuorumDemand? {
        QuorumDemand(descriptor.witnesses, now: UInt64(clamping: copy.now.seconds))
    }

    // MARK: The members log

    /// The roll, and whether the log was read to its end; nil when it could not be read up to the size that the
    /// petition names, or is not that of the petition's roll.
    private func readMembers(
        _ descriptor: RollDescriptor, _ times: inout JoiningTimes?, _ report: inout VerificationReport
    ) async -> (roll: RollReplay, isWhole: Bool)? {
        let log = OfflineCopy.membersLog(
            descriptor, source: copy.source, prefix: OfflineCopy.members(reference.id), demand: demand(descriptor))
        let subject = CheckSubject.membersLog(log.key.name)
        var replay = RollReplay(descriptor, rootsAt: [reference.size])
        let head: Checkpoint
        do {
            head = try await log.readCopy(copy, &report) { entries, leaves in
                let parsed = await concurrentMap(entries, jobs: copy.jobs) { RollEntry.parse($0) }
                replay.appendMembers(parsed, leaves: leaves)
                times?.appendMembers(leaves)
            }
            replay.endMembers()
        } catch let error where replay.isReferred(by: reference) {
            // What the petition refers to is there, whatever is signed, missing or known differently after it.
            report.conclude(
                subject, count: reference.size, faults(of: replay).filter { $0.index ?? 0 < reference.size })
            report.remark(error, log: log.key.name)
            return (replay, false)
        } catch {
            // A broken rule found on the way counts only under the signed root, which the entries did not give.
            report.record(error, subject: subject, log: log.key.name)
            return nil
        }
        let found = faults(of: replay)
        guard head.size >= reference.size else {
            // A broken rule is proven, however much of the log is missing.
            guard found.isEmpty else {
                report.fail(subject, found)
                return nil
            }
            report.undecided(subject, "it has \(head.size) entries, the petition refers to \(reference.size)")
            return nil
        }
        guard replay.isReferred(by: reference) else {
            report.fail(subject, [atReference(.rootMismatch, replay)])
            return nil
        }
        report.conclude(subject, count: found.first?.index ?? head.size, found, bindingBelow: reference.size)
        report.remember(head)
        return (replay, true)
    }

    /// The first fault of the members log, and a fault at the petition's size if that is in the middle of a ring.
    private func faults(of replay: RollReplay) -> [VerificationReport.Refusal] {
        let logName = replay.descriptor.membersKey.name
        let isReferenceRead = (replay.membersFault?.index ?? replay.tree.size) >= reference.size
        if isReferenceRead, !replay.endsOnSeal(at: reference) {
            return [atReference(.ringSize, replay)] + (replay.membersFault.map { [.init(log: logName, $0)] } ?? [])
        }
        return replay.faultAtEnd.map { fault in
            [.init(log: logName, fault, detail: fault == replay.membersFault ? nil : "no seal at the end")]
        } ?? []
    }

    private func atReference(_ rule: Rule, _ replay: RollReplay) -> VerificationReport.Refusal {
        .init(
            log: replay.descriptor.membersKey.name, index: max(1, reference.size) - 1, rule: rule,
            detail: "at the size that the petition names")
    }

    // MARK: The enrolment log

    /// The roll with its enrolment log, and whether that log was read to its end; nil when it could not be read up to
    /// the sizes named by the seals that the petition refers to.
    private func readEnrolment(
        _ members: RollReplay, _ times: inout JoiningTimes?, _ report: inout VerificationReport
    ) async -> (roll: RollReplay, isWhole: Bool)? {
        let log = OfflineCopy.enrolmentLog(
            members.descriptor, source: copy.source, prefix: OfflineCopy.enrolment(reference.id),
            demand: demand(members.descriptor))
        let subject = CheckSubject.enrolmentLog(log.key.name)
        var replay = members
        replay.beginEnrolment()
        do {
            let checkpoint = try await log.readCopy(
                copy, &report
            ) { entries, leaves in
                replay.appendEnrolment(entries, leaves: leaves)
                times?.appendEnrolment(leaves)
            }
            report.remember(checkpoint)
        } catch let error
            where replay.enrolment?.goodSeals ?? 0 >= referred(members).count && !referred(members).isEmpty
        {
            // Each of these seals names a root, and the entries gave that root.
            report.remark(error, log: log.key.name)
            return (replay, false)
        } catch {
            report.record(error, subject: subject, log: log.key.name)
            return nil
        }
        return (replay, true)
    }

    /// Judges the enrolment log, and the seals that name it; with `onlyReferred`, only as far as the petition refers to
    /// them, since what follows is not covered by a signed root.
    private func judge(
        _ enrolment: EnrolmentLedger, _ replay: RollReplay, _ report: inout VerificationReport, onlyReferred: Bool
    ) {
        let descriptor = replay.descriptor
        let rings = replay.ledger.rings
        let logName = descriptor.enrolmentLogKey.name
        let boundary = rings.last { isReferred($0) }?.enrolmentSize ?? 0
        let fault = (onlyReferred ? enrolment.fault : enrolment.faultAtEnd).flatMap {
            !onlyReferred || $0.index < boundary ? $0 : nil
        }
        report.conclude(
            .enrolmentLog(logName), count: fault?.index ?? (onlyReferred ? boundary : enrolment.size),
            fault.map { [.init(log: logName, $0)] } ?? [], bindingBelow: boundary)
        let badSeal = enrolment.sealFault.flatMap { fault -> VerificationReport.Refusal? in
            guard !onlyReferred || isReferred(rings[fault.ring]) else { return nil }
            return .init(
                log: descriptor.membersKey.name, index: rings[fault.ring].sealIndex, rule: fault.rule, detail: nil)
        }
        let good = onlyReferred ? min(enrolment.goodSeals, referred(replay).count) : enrolment.goodSeals
        report.conclude(
            .seals(membersLog: descriptor.membersKey.name), count: UInt64(good),
            badSeal.map { [$0] } ?? [], bindingBelow: reference.size)
    }

    private func isReferred(_ ring: SealedRing) -> Bool { reference.fixes(sealAt: ring.sealIndex) }

    /// Judges seals that name more entries than the enrolment log has. If the petition refers to such a seal, nothing
    /// can be decided; if the seal is a later one, only the records that name its ring are affected.
    private func judgeUnread(
        _ enrolment: EnrolmentLedger, _ findings: inout Findings, _ report: inout VerificationReport, onlyReferred: Bool
    ) {
        guard enrolment.isSealBeyond else { return }
        let rings = findings.replay.ledger.rings
        let unread = rings[enrolment.goodSeals]
        guard !onlyReferred || isReferred(unread) else { return }
        if isReferred(unread) {
            report.undecided(
                .unreadSeals,
                "\(findings.descriptor.enrolmentLogKey.name) has \(enrolment.size) entries, fewer than the seal of ring "
                    + "\(enrolment.goodSeals) says")
        } else {
            report.remarks.append(
                .init(
                    log: findings.descriptor.membersKey.name, index: unread.sealIndex, rule: .enrolmentExceeded,
                    detail: "it names \(unread.enrolmentSize) entries of an enrolment log that has \(enrolment.size)"))
        }
        findings.firstUnread = max(enrolment.goodSeals, rings.prefix { isReferred($0) }.count)
    }
}

/// Transforms all entries on `jobs` cores. They are divided into as many parts, one for each call of `transform`.
private func concurrentMap<T: Sendable>(
    _ entries: [[UInt8]], jobs: Int, _ transform: @escaping @Sendable (ArraySlice<[UInt8]>) -> [T]
) async -> [T] {
    let share = (entries.count + jobs - 1) / jobs
    return await withTaskGroup(of: (Int, [T]).self) { group in
        for start in stride(from: 0, to: entries.count, by: share) {
            let end = min(start + share, entries.count)
            group.addTask { (start, transform(entries[start..<end])) }
        }
        let shares = await group.reduce(into: []) { $0.append($1) }
        return shares.sorted { $0.0 < $1.0 }.flatMap(\.1)
    }
}
