/// Decides when the records of one petition are verified, committed and published: a state machine without a clock. It
/// is given each event with its time, and returns what to do.
///
/// Waiting records are verified together: as soon as there is a full batch, and at a cutoff, which leaves just enough
/// time to verify before the next commit may start. Everything received before the cutoff goes into that commit, while
/// later records wait. They are not verified sooner, because a ring's records in a batch share its cost.
package struct CommitSchedule {
    /// What to do now, in this order.
    package enum Action: Equatable {
        /// Divide all waiting records into batches with these numbers.
        case divide(Range<Int>)
        /// Verify a batch.
        case verify(batch: Int)
        /// Commit all records whose verification was reported.
        case commit
        /// Publish what is committed: a commit failed, but may be durable all the same.
        case publish
        /// Take a step at this time.
        case wake(ContinuousClock.Instant)
    }

    /// What happened since the last step.
    package enum Event {
        /// A record came in.
        case received
        /// A batch was verified, and `good` of its records are to be committed.
        case verified(batch: Int, good: Int)
        /// The commit ended.
        case committed(failed: Bool)
        /// An attempt to publish ended.
        case published(succeeded: Bool)
        /// The requested time has come.
        case woke(ContinuousClock.Instant)
    }

    /// Fewer records than this are not divided among cores: they are cheaper together.
    package static let smallestPart = 64
    /// How long after a failure publication is tried again.
    package static let publicationRetry = Duration.seconds(5)

    /// The shortest time from the start of one commit to the start of the next, which keeps checkpoints apart.
    private let interval: Duration
    /// How many batches are verified at the same time.
    private let cores: Int
    /// The number of waiting records that are verified immediately when a core is free.
    private let fullBatch: Int

    private var waiting = 0
    /// Batches for which no core was free yet, in the order in which they start.
    private var ready: [Int] = []
    /// Batches that are not verified yet, whether ready or running.
    private var unverified: Set<Int> = []
    private var nextBatch = 0
    private var judged = 0
    /// Batches that the due commit still waits for; nil when no commit is due.
    private var awaited: Set<Int>?
    private var isCommitting = false
    /// The next cutoff.
    private var cutoff: ContinuousClock.Instant
    /// When the last cutoff was; nil once everything before it is verified.
    private var cutAt: ContinuousClock.Instant?
    /// How long that verification took the last time.
    private var lead = Duration.zero
    /// When the next commit may start.
    private var commitDue: ContinuousClock.Instant
    private var wakesAt: ContinuousClock.Instant?
    /// When publication is tried again; nil when nothing failed since the last publication.
    private var publishDue: ContinuousClock.Instant?
    private var isPublishing = false
    /// True when a commit failed during an attempt to publish, after that attempt had read the database.
    private var failedMeanwhile = false

    /// A schedule that may commit at once.
    package init(now: ContinuousClock.Instant, interval: Duration, cores: Int, fullBatch: Int) {
        (cutoff, commitDue) = (now, now)
        self.interval = interval
        self.cores = cores
        self.fullBatch = fullBatch
    }

    /// What to do after `event`.
    package mutating func step(now: ContinuousClock.Instant, _ event: Event) -> [Action] {
        take(event, now: now)
        var actions: [Action] = []
        let isPending = waiting > 0 || !unverified.isEmpty || judged > 0
        if awaited == nil, isPending, now >= cutoff {
            cutoff = now + interval
            divide(&actions)
            awaited = unverified
            cutAt = now
        } else if waiting >= fullBatch, unverified.count < cores {
            divide(&actions)
        }
        while !ready.isEmpty, unverified.count - ready.count < cores {
            actions.append(.verify(batch: ready.removeFirst()))
        }
        if let cutAt, awaited?.isEmpty == true {
            lead = now - cutAt
            self.cutAt = nil
        }
        // All proofs were wrong: there is nothing to commit.
        if awaited?.isEmpty == true, judged == 0 { awaited = nil }
        if awaited?.isEmpty == true, !isCommitting, now >= commitDue { startCommit(now, &actions) }
        if let publishDue, now >= publishDue, !isPublishing {
            isPublishing = true
            actions.append(.publish)
        }
        wake(now, &actions)
        return actions
    }

    private mutating func take(_ event: Event, now: ContinuousClock.Instant) {
        switch event {
        case .received: waiting += 1
        case .verified(let batch, let good):
            unverified.remove(batch)
            awaited?.remove(batch)
            judged += good
        case .committed(let failed):
            isCommitting = false
            guard failed else { return }
            failedMeanwhile = isPublishing
            publishDue = publishDue ?? now + Self.publicationRetry
        case .published(let succeeded):
            isPublishing = false
            publishDue = succeeded && !failedMeanwhile ? nil : now + Self.publicationRetry
            failedMeanwhile = false
        // By the moment and not by the clock: a timer may be early by a tick, and must be set again then.
        case .woke(let moment): if wakesAt == moment { wakesAt = nil }
        }
    }

    /// Divides the waiting records into at most one batch per core.
    private mutating func divide(_ actions: inout [Action]) {
        guard waiting > 0 else { return }
        let parts = min(cores, 1 + waiting / Self.smallestPart)
        let batches = nextBatch..<nextBatch + parts
        nextBatch = batches.upperBound
        waiting = 0
        ready += batches
        unverified.formUnion(batches)
        actions.append(.divide(batches))
    }

    private mutating func startCommit(_ now: ContinuousClock.Instant, _ actions: inout [Action]) {
        judged = 0
        awaited = nil
        isCommitting = true
        commitDue = now + interval
        cutoff = commitDue - lead
        actions.append(.commit)
    }

    /// Requests the next step, unless a step that comes no later is already requested.
    private mutating func wake(_ now: ContinuousClock.Instant, _ actions: inout [Action]) {
        var moments: [ContinuousClock.Instant] = []
        if awaited == nil, waiting > 0 || judged > 0 { moments.append(cutoff) }
        if awaited?.isEmpty == true, !isCommitting { moments.append(commitDue) }
        if let publishDue, !isPublishing { moments.append(publishDue) }
        guard let moment = moments.min(), wakesAt.map({ moment < $0 }) ?? true else { return }
        wakesAt = moment
        actions.append(.wake(moment))
    }
}
