import Foundation

/// A petition collected by two aggregators, in the folders `aggregator` and `aggregator2`. Neither is serving yet.
struct TwoAggregators {
    /// The petition's address at the first.
    let first: String
    /// The petition's address at the second.
    let second: String

    /// Creates the petition over `roll`, and adds it to both aggregators; `beforeAdding` is called with the index of
    /// each before that.
    init(
        _ deployment: Deployment, roll: String = "people", laterRings: Bool = false,
        beforeAdding: (Int) throws -> Void = { _ in }
    ) throws {
        let folders = ["aggregator", "aggregator2"]
        let options = try [deployment.aggregatorURL, "http://localhost:\(try freePort())"].enumerated().map {
            index, url in
            let printed = try deployment.expect("petition-aggregator", "init", "--url", url, folders[index])
            let option = printed.components(separatedBy: "--aggregator ").last ?? ""
            return ["--aggregator", option.trimmingCharacters(in: .whitespacesAndNewlines)]
        }
        try deployment.scratch.write("Please act.\n", to: "statement.md")
        let made = try Programs.run(
            "petition-coordinator",
            [
                "petition", "create", "--yes", "--title", "Act", "--statement", "statement.md", "--started-by", "Town",
                "--addressed-to", "The council", "--closes", "2099-01-01T00:00:00Z", "--roll", roll,
            ] + (laterRings ? ["--later-rings"] : []) + options.flatMap { $0 } + ["act.petition"], in: deployment.folder
        )
        guard made.code == 0 else { throw Server.Problem.didNotStart(made.errors) }
        let addresses = try folders.enumerated().map { index, folder in
            try beforeAdding(index)
            let added = try deployment.expect("petition-aggregator", "add", "--folder", folder, "act.petition")
            return (added.components(separatedBy: " at ").last ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
        }
        (first, second) = (addresses[0], addresses[1])
    }
}
