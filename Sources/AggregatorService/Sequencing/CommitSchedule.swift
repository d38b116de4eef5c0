/// When the records of one petition are verified, committed and published: a state machine without a clock. It is told
/// what happened and what time it is, and says what to do.
///
/// Records that wait together are verified together: as soon as there is a full batch, and at a cutoff, which leaves
/// just enough time to verify before the next commit may start. Everything that came in until then goes into that
/// commit, while later records wait. No sooner: what a ring costs is shared by its records in a batch.
package struct CommitSchedule {
    /// What to do now, in this order.
    package enum Action: Equatable {
        /// Divide all that waits into batches with these numbers.
        case divide(Range<Int>)
        /// Verify a batch.
        case verify(batch: Int)
        /// Commit everything whose verification was reported.
        case commit
        /// Publish what is committed: a commit failed, and may be durable all the same.
        case publish
        /// Take a step at this time.
        case wake(ContinuousClock.Instant)
    }

    /// What happened since the last step.
    package enum Event {
        /// A record came in.
        case received
        /// A batch was verified, and so many of its records are to be committed.
        case verified(batch: Int, good: Int)
        /// The commit ended.
        case committed(failed: Bool)
        /// An attempt to publish ended.
        case published(succeeded: Bool)
        /// The time came that was asked for.
        case woke
    }

    /// Fewer records than this are not shared among cores: they are cheaper together.
    package static let smallestPart = 64
    /// How long after a failure everything is published again.
    package static let publicationRetry = Duration.seconds(5)

    /// From the start of one commit to the start of the next: what keeps checkpoints apart.
    private let interval: Duration
    /// Batches that are verified at the same time.
    private let cores: Int
    /// As many that wait are verified at once when a core is free.
    private let fullBatch: Int

    private var waiting = 0
    /// Batches that no core was free for yet, in the order in which they start.
    private var ready: [Int] = []
    /// Batches that are not verified yet, ready or running.
    private var unverified: Set<Int> = []
    private var nextBatch = 0
    private var judged = 0
    /// Batches that the commit that is due waits for; nil when none is due.
    private var awaited: Set<Int>?
    private var isCommitting = false
    /// The next cutoff.
    private var cutoff: ContinuousClock.Instant
    /// When the last cutoff was, until what came before it is known to be verified.
    private var cutAt: ContinuousClock.Instant?
    /// How long that took the last time.
    private var lead = Duration.zero
    /// When the next commit may start.
    private var commitDue: ContinuousClock.Instant
    private var wakesAt: ContinuousClock.Instant?
    /// When everything is published again; nil when nothing failed since it last was.
    private var publishDue: ContinuousClock.Instant?
    private var isPublishing = false
    /// A commit failed while an attempt to publish was under way, after the database was read.
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
        // All of them were wrong: there is nothing to commit.
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
        case .woke:
            if let wakesAt, now >= wakesAt { self.wakesAt = nil }
        }
    }

    /// Makes a batch for each core of what waits.
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

    /// Asks for the next step, unless one is asked for that comes no later.
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
