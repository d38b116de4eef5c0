import ArgumentParser
import CommandSupport
import CoordinatorService
import Documents

struct RoundsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rounds",
        abstract: "Let phases follow each other by themselves.",
        discussion: """
            Joining opens when a crowd has enrolled and the round has some age, or when it is old and the smallest ring can \
            be filled. It lasts as long as the roll says; then who waits is sealed. If they are too few, joining goes on for \
            as long again, up to three times. Rolls by e-mail have this from the beginning; serve does what is due.

              petition-coordinator rounds set members-2027 --crowd 128 --at-least 12h --at-most 3d
            """, subcommands: [Set.self, Off.self, Step.self])

    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Set when joining opens.")
        @OptionGroup var at: FolderOption
        @Option(help: "Open joining when this many have enrolled in the round,") var crowd = RoundSchedule.standard
            .crowd
        @Option(help: "and this long after the first of them.")
        var atLeast = WaitingTime(.seconds(RoundSchedule.standard.atLeast))
        @Option(help: "After this long, open it also for fewer, if they fill the smallest ring.")
        var atMost = WaitingTime(.seconds(RoundSchedule.standard.atMost))
        @Argument(help: "The roll.") var slug: String

        func validate() throws {
            guard (1...1_000_000).contains(crowd) else { throw ValidationError("--crowd takes 1 to 1000000") }
            guard atLeast.seconds <= atMost.seconds else {
                throw ValidationError("--at-least is longer than --at-most")
            }
        }

        func run() throws {
            let coordinator = try at.open()
            let schedule = RoundSchedule(crowd: crowd, atLeast: atLeast.seconds, atMost: atMost.seconds)
            let smallest = try coordinator.roll(named: slug).terms.minimumRing
            try coordinator.setSchedule(roll: slug, schedule)
            print("\(slug): \(StatusText.words(schedule)).")
            if crowd < smallest { print("The smallest ring has \(smallest): fewer never open joining.") }
        }
    }

    struct Off: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Open and close the phases by hand: joining, seal, issuing.")
        @OptionGroup var at: FolderOption
        @Argument(help: "The roll.") var slug: String

        func run() throws {
            try at.open().setSchedule(roll: slug, nil)
            print("\(slug): nothing happens by itself now.")
        }
    }

    struct Step: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Do what is due in all rolls, as serve does: for cron. Doing it twice does no harm.",
            discussion: """
                A phase is logged for ever with its time. So it is begun only when the clock was steady between two \
                runs, ten minutes or more apart.
                """)
        @OptionGroup var at: FolderOption

        func run() throws {
            let coordinator = try at.open()
            let steady = try coordinator.watchClock()
            let changes = try coordinator.stepRounds(steadySeconds: steady)
            for (slug, change) in changes { print("\(slug): \(change.words).") }
            let waiting = try coordinator.dueRolls().map { ($0.slug, $0.calm - steady) }.filter { $0.1 > 0 }
            for (slug, seconds) in waiting {
                print("\(slug): waits until the clock was steady for \(WaitingTime(.seconds(seconds))) more.")
            }
            if changes.isEmpty, waiting.isEmpty { print("Nothing is due.") }
        }
    }
}
