import Bytes
import Petitions
import Ristretto255
import TransparencyLog

/// Checks one roll of a petition: its descriptor, its members log, and the enrolment log behind it.
struct RollVerification {
    let reference: PetitionManifest.RollReference
    let source: any ResourceSource
    let verified: VerifiedEntries?
    let jobs: Int
    let progress: @Sendable (String, UInt64, UInt64) -> Void

    /// What a roll contributes when it could be read.
    struct Result {
        let descriptor: RollDescriptor
        let rings: [SealedRing]
        let enrolment: EnrolmentState?
    }

    /// Runs every check of the roll into `report`; with `onlyMembers`, not those of the enrolment log. Nil when the roll's rings
    /// are not known.
    func run(_ report: inout VerificationReport, onlyMembers: Bool = false) async -> Result? {
        guard let descriptor = await readDescriptor(&report) else { return nil }
        guard let ledger = await readMembers(descriptor, &report) else { return nil }
        let enrolment = onlyMembers ? nil : await readEnrolment(descriptor, rings: ledger.rings, &report)
        return Result(descriptor: descriptor, rings: ledger.rings, enrolment: enrolment)
    }

    private func readDescriptor(_ report: inout VerificationReport) async -> RollDescriptor? {
        let name = "roll descriptor \(reference.url.bare)"
        let path = OfflineCopy.descriptor(reference.id)
        let bytes: [UInt8]?
        do { bytes = try await source.read(path, limit: SignedNote.maximumCount) } catch {
            report.undecided(name, "\(path) cannot be read")
            return nil
        }
        guard let bytes else {
            report.undecided(name, "\(path) is missing")
            return nil
        }
        func refuse(_ rule: Rule, _ detail: String?) {
            report.fail(name, [.init(log: reference.url.bare, index: nil, rule: rule, detail: detail)])
        }
        let descriptor: RollDescriptor
        do { descriptor = try RollDescriptor(parsing: bytes) } catch {
            refuse(.noteInvalid, "\(path): \(error.explanation)")
            return nil
        }
        guard descriptor.id == reference.id, descriptor.url == reference.url else {
            refuse(.idMismatch, path)
            return nil
        }
        report.pass(name, count: 1)
        if descriptor.witnesses != nil {
            report.undecided("witnesses of \(reference.url.bare)", "this version does not check cosignatures")
        }
        return descriptor
    }

    private func readMembers(
        _ descriptor: RollDescriptor, _ report: inout VerificationReport
    ) async -> RollLedger? {
        let name = "members log \(descriptor.membersKey.name)"
        let logName = descriptor.membersKey.name
        let log = OfflineCopy.membersLog(descriptor, source: source, prefix: OfflineCopy.members(reference.id))
        var ledger = RollLedger(descriptor)
        var tree = GrowingTree()
        var known = verifiedReader(of: logName)
        var found: [VerificationReport.Refusal] = []
        var isReferenceRoot = false
        var isReferenceSealed = false
        do {
            let checkpoint = try await log.readCheckpoint().checkpoint
            _ = try await log.readEntries(upTo: checkpoint, checkingHashTiles: true) { first, entries, leaves in
                for leaf in leaves { try known.append(leaf) }
                let parsed = await concurrentMap(entries, jobs: jobs) { part, _ in RollEntry.parse(part) }
                for (offset, entry) in parsed.enumerated() where found.isEmpty {
                    do throws(Rule) {
                        try ledger.apply(try entry.get())
                    } catch {
                        found.append(
                            .init(log: logName, index: first + UInt64(offset), rule: error, detail: nil))
                        continue
                    }
                    // The whole log's root needs no tree of its own.
                    if ledger.size <= reference.size, reference.size < checkpoint.size { tree.append(leaves[offset]) }
                    guard ledger.size == reference.size else { continue }
                    let root = reference.size == checkpoint.size ? checkpoint.root : tree.root
                    isReferenceRoot = root == reference.root
                    isReferenceSealed = ledger.endsOnSeal
                }
            }
            try known.finish()
            report.logs.append(.init(url: logName, treeSize: checkpoint.size, rootHash: checkpoint.root))
            guard found.isEmpty else {
                report.fail(name, found)
                return nil
            }
            guard ledger.endsOnSeal else {
                report.fail(
                    name, [.init(log: logName, index: checkpoint.size, rule: .ringSize, detail: "no seal at the end")])
                return nil
            }
            guard checkpoint.size >= reference.size else {
                report.undecided(name, "it has \(checkpoint.size) entries, the petition refers to \(reference.size)")
                return nil
            }
            guard isReferenceRoot, isReferenceSealed else {
                let rule = isReferenceRoot ? Rule.ringSize : .rootMismatch
                report.fail(
                    name,
                    [
                        .init(
                            log: logName, index: reference.size - 1, rule: rule,
                            detail: "at the size that the petition names")
                    ])
                return nil
            }
            report.verified.append(
                VerifiedRange(log: logName, entries: 0..<checkpoint.size, hash: checkpoint.root, exceptions: []))
        } catch {
            // A broken rule found on the way is believed only under the signed root, which did not come out.
            report.file(error, name: name, log: logName)
            return nil
        }
        report.pass(name, count: ledger.size)
        return ledger
    }

    private func verifiedReader(of log: String) -> VerifiedRangeReader {
        verified?.reader(of: log) ?? VerifiedRangeReader([])
    }

    private func readEnrolment(
        _ descriptor: RollDescriptor, rings: [SealedRing], _ report: inout VerificationReport
    ) async -> EnrolmentState? {
        let logName = descriptor.enrolmentLogKey.name
        let name = "enrolment log \(logName)"
        let log = OfflineCopy.enrolmentLog(descriptor, source: source, prefix: OfflineCopy.enrolment(reference.id))
        var audit = EnrolmentAudit(descriptor, rings: rings)
        var known = verifiedReader(of: logName)
        do {
            let checkpoint = try await log.readCheckpoint().checkpoint
            audit.checkSeals()
            _ = try await log.readEntries(upTo: checkpoint, checkingHashTiles: true) { first, entries, leaves in
                let (verifiedBefore, key) = (known, descriptor.enrolmentKey)
                let parsed = await concurrentMap(entries, jobs: jobs) { part, start in
                    part.enumerated().map { offset, bytes in
                        let isVerified = verifiedBefore.isVerified(first + UInt64(start + offset))
                        return IssuedEntry.parse(bytes, key: isVerified ? nil : key)
                    }
                }
                for (offset, entry) in parsed.enumerated() {
                    audit.apply(entry, leaf: leaves[offset], at: first + UInt64(offset))
                    try known.append(leaves[offset])
                }
                progress(logName, first + UInt64(entries.count), checkpoint.size)
            }
            try known.finish()
            report.logs.append(.init(url: logName, treeSize: checkpoint.size, rootHash: checkpoint.root))
            report.conclude(name, count: checkpoint.size, audit.refusals)
            report.conclude(
                "seals of \(descriptor.membersKey.name) against the enrolment log", count: audit.sealsChecked,
                audit.sealRefusals)
            if audit.sealsChecked < UInt64(rings.count) {
                report.undecided(
                    "seals beyond the enrolment log", "\(logName) is shorter than \(rings.count) seals say")
            }
            report.verified.append(
                VerifiedRange(
                    log: logName, entries: 0..<checkpoint.size, hash: checkpoint.root,
                    exceptions: audit.refusals.compactMap(\.index)))
        } catch {
            report.file(error, name: name, log: logName)
            return nil
        }
        return audit.state
    }
}

/// The entries of one bundle, transformed part by part, in their order; with each part `transform` is given its place. There are
/// as many parts as cores.
private func concurrentMap<T: Sendable>(
    _ entries: [[UInt8]], jobs: Int, _ transform: @escaping @Sendable (ArraySlice<[UInt8]>, Int) -> [T]
) async -> [T] {
    let share = (entries.count + jobs - 1) / jobs
    return await withTaskGroup(of: (Int, [T]).self) { group in
        for start in stride(from: 0, to: entries.count, by: share) {
            let end = min(start + share, entries.count)
            group.addTask { (start, transform(entries[start..<end], start)) }
        }
        let shares = await group.reduce(into: []) { $0.append($1) }
        return shares.sorted { $0.0 < $1.0 }.flatMap(\.1)
    }
}

extension IssuedEntry {
    /// An entry of the enrolment log; if it is an issue, its proof is checked against `key`, unless that is nil.
    fileprivate static func parse(_ bytes: [UInt8], key: GroupElement?) -> Result<EnrolmentEntry, Rule> {
        Result { () throws(Rule) in
            let entry = try EnrolmentEntry(parsing: bytes)
            if let key, case .issued(let issued) = entry { try issued.verify(enrolmentKey: key) }
            return entry
        }
    }
}

/// Reads an enrolment log entry by entry: codes, phases, issue proofs, and the bounds at each seal of the roll.
private struct EnrolmentAudit {
    private(set) var state = EnrolmentState()
    private(set) var refusals: [VerificationReport.Refusal] = []
    private(set) var sealRefusals: [VerificationReport.Refusal] = []
    private(set) var sealsChecked: UInt64 = 0
    private let descriptor: RollDescriptor
    private var seals: ArraySlice<SealedRing>
    private var codes: [Bytes32: CodeState] = [:]
    private var tree = GrowingTree()

    init(_ descriptor: RollDescriptor, rings: [SealedRing]) {
        self.descriptor = descriptor
        seals = rings[...]
    }

    /// Applies the next entry, whose proof was checked if it has one, or files why it is none.
    mutating func apply(_ entry: Result<EnrolmentEntry, Rule>, leaf: Bytes32, at index: UInt64) {
        do {
            try apply(try entry.get())
        } catch {
            refusals.append(.init(log: descriptor.enrolmentLogKey.name, index: index, rule: error, detail: nil))
        }
        tree.append(leaf)
        checkSeals()
    }

    private mutating func apply(_ entry: EnrolmentEntry) throws(Rule) {
        let codeHash = entry.codeHash
        var code = codeHash.flatMap { codes[$0] }
        do {
            try state.apply(entry, code: &code, minimumRing: descriptor.minimumRing)
        } catch {
            // A log names every wrong use of a code, and every entry in the wrong phase, by one rule each.
            switch error {
            case .codeReused, .codeAlreadyUsed, .voidedCode, .unknownCode: throw .codeReused
            default: throw .phaseViolated
            }
        }
        if let codeHash { codes[codeHash] = code }
    }

    /// Checks the seals that name the log at its present size.
    mutating func checkSeals() {
        while let seal = seals.first, seal.enrolmentSize == tree.size {
            seals.removeFirst()
            sealsChecked += 1
            do throws(Rule) {
                guard tree.root == seal.enrolmentRoot else { throw Rule.rootMismatch }
                try state.checkSeal(membersSoFar: seal.membersSoFar)
            } catch {
                sealRefusals.append(
                    .init(log: descriptor.membersKey.name, index: seal.sealIndex, rule: error, detail: nil))
            }
        }
    }
}

extension DocumentError {
    /// What is wrong, for people.
    public var explanation: String {
        switch self {
        case .malformed(let reason): "the text is not JSON as documents allow it: \(reason)"
        case .missing(let field): "the field \(field) is missing"
        case .unknown(let field): "the field \(field) is not one of such a document"
        case .invalid(let field, let reason): "the field \(field) \(reason)"
        case .note(let reason): reason
        }
    }
}
