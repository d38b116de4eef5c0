import LogClient
import LogReading
import Logging
import ServiceLifecycle
import Witnessing

/// Reads the lists of logs that the operator named, now and every quarter of an hour.
public struct ListReader: Service {
    private static let interval = Duration.seconds(900)
    private let witness: Witness
    private let proxy: SOCKSProxy?
    private let logger: Logger

    /// A reader for `witness`, which reads through a proxy if there is one.
    public init(_ witness: Witness, proxy: SOCKSProxy?, logger: Logger) {
        self.witness = witness
        self.proxy = proxy
        self.logger = logger
    }

    /// Reads until the server stops.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await readAll()
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    private func readAll() async {
        for list in (try? witness.status())?.lists ?? [] {
            let problem = await read(list.location)
            try? witness.noteReading(of: list.location, problem: problem)
            if let problem {
                logger.warning("a list of logs", metadata: ["list": "\(list.location)", "problem": "\(problem)"])
            }
        }
    }

    /// Reads a list and follows its logs. Returns what is wrong with it.
    private func read(_ location: String) async -> String? {
        do {
            let bytes = try await HTTPConnection.with(proxy: proxy) { connection in
                try await HTTPSource(connection: connection, base: location).read("", limit: LogList.maximumBytes)
            }
            guard let bytes else { return "there is no such list" }
            let others = try witness.trust(LogList(parsing: bytes), from: location)
            return others.isEmpty
                ? nil : "not followed, as their key or name is another: \(others.prefix(20).joined(separator: ", "))"
        } catch SourceError.tooLarge {
            return "it is larger than such a list may be"
        } catch let error as SourceError {
            return error.reason
        } catch let error as LogList.Fault {
            return "line \(error.line) is not as in a tlog-list"
        } catch {
            return "it cannot be kept: \(error)"
        }
    }
}
