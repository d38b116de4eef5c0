import CommandSupport
import Documents
import Foundation
import LogClient
import Petitions
import SignerWallet

/// Many signers in one process, for a demonstration at the size of a real petition. Each has its own wallet (in
/// memory), and makes every check and every request that `petition-signer` makes.
///
/// It reads one command per line from standard input, and answers each with one line: `enrol LETTERS.csv`, `join`,
/// `sign PETITION-URL COUNT`.
@main
struct SignerFleet {
    private static let parallel = 4

    static func main() async {
        var fleet = SignerFleet()
        while let line = readLine() {
            let words = line.split(separator: " ").map(String.init)
            do {
                print(try await fleet.obey(words))
                fflush(nil)
            } catch {
                FileStream.error.write("roundrobin-signerfleet: error: \(error)\n")
                exit(1)
            }
        }
    }

    private var wallets: [Wallet] = []
    private let network = SignerNetwork(isProxied: false) {
        HTTPConnection(proxy: nil, lifetime: SignerNetwork.longestVisit)
    }

    private enum Order: Error { case unknown }

    private mutating func obey(_ words: [String]) async throws -> String {
        switch (words.first, words.count) {
        case ("enrol", 2): return try await enrol(words[1])
        case ("join", 1): return try await join()
        case ("sign", 3):
            guard let url = ServiceURL(words[1]), let count = Int(words[2]) else { throw Order.unknown }
            return try await sign(url, count: count)
        default: throw Order.unknown
        }
    }

    private mutating func enrol(_ letters: String) async throws -> String {
        let lines = try String(contentsOfFile: letters, encoding: .utf8).split(separator: "\n").dropFirst()
        let links = lines.compactMap {
            $0.split(separator: ",").last.flatMap { try? InvitationLink(parsing: String($0)) }
        }
        wallets = links.map { _ in Wallet.inMemory() }
        try await forAll(links.count, "enrolled") { wallets, network, index in
            _ = try await wallets[index].enrol(links[index], network: network, clock: .system)
        }
        return "enrolled \(links.count)"
    }

    private func join() async throws -> String {
        try await forAll(wallets.count, "joined") { wallets, network, index in
            let roll = try wallets[index].rollToJoin(nil)
            // The demonstration's roll has a joining time of zero; nobody is asked about that.
            _ = try await wallets[index].join(
                roll, network: network, floor: 16, clock: .system,
                dialogue: JoinDialogue(announce: { _, _, _ in }, ask: { _ in }))
        }
        return "joined \(wallets.count)"
    }

    private func sign(_ url: ServiceURL, count: Int) async throws -> String {
        try await forAll(min(count, wallets.count), "signed") { wallets, network, index in
            let petition = try await wallets[index].prepare(url, network: network, ringFloor: 16, clock: .system)
            _ = try wallets[index].record(for: petition)
            _ = try await wallets[index].submit(petition, network: network, clock: .system)
        }
        return "signed \(min(count, wallets.count))"
    }

    /// Runs `body` for each index below `count`, a few at a time, with a progress bar.
    private func forAll(
        _ count: Int, _ label: String,
        _ body: @escaping @Sendable ([Wallet], SignerNetwork, Int) async throws -> Void
    ) async throws {
        let bar = ProgressBar()
        let (wallets, network) = (WalletBox(wallets: wallets), network)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<count {
                if index >= Self.parallel { try await group.next() }
                group.addTask { try await body(wallets.wallets, network, index) }
                bar.update(label, done: UInt64(index + 1), of: UInt64(count))
            }
            try await group.waitForAll()
        }
        bar.finish()
    }
}

/// Passes the wallets to tasks, each of which uses a different one.
private struct WalletBox: @unchecked Sendable {
    let wallets: [Wallet]
}
