import ArgumentParser
import Bytes
import CommandSupport
import Documents
import Foundation
import Messages
import NIOCore
import NIOHTTP1
import NIOPosix
import Petitions
import Platform
import TransparencyLog

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Send the records, measure, and check every receipt.")
    @Argument(help: "The folder that prepare made.") var folder: String
    @Option(help: "Signatures a second; without it, as fast as the connections allow.") var rate: Double?
    @Option(help: "Connections for signatures: each waits for its receipt, so that rate times waiting is needed.")
    var connections = 8192
    @Option(help: "Records to skip at the beginning.") var skip = 0
    @Option(help: "Records to send (default: all).") var records: Int?
    @Option(help: "Requests a second that are no signatures.") var junkRate = 0.0
    @Option(help: "Their kinds: \(Junk.allCases.map(\.rawValue).joined(separator: ", ")).") var junk: [Junk] = []
    @Option(help: "Connections for junk.") var junkConnections = 256
    @Option(help: "Connections that send a byte a second.") var slow = 0
    @Option(help: "Requests a second that only read.") var readRate = 0.0
    @Option(help: "What they read, below the petition: tally, checkpoint, tile/0/000 …") var read: [String] = []
    @Flag(help: "Print one JSON object.") var json = false
    @Flag(help: "Only check the options.") var check = false

    private static let readConnections = 64

    func validate() throws {
        if let rate, !(rate > 0 && rate < 1e7) { throw ValidationError("--rate takes a number above 0") }
        guard (1...65_536).contains(connections), (1...65_536).contains(junkConnections), (0...65_536).contains(slow)
        else { throw ValidationError("there are 1 to 65536 connections of a kind; --slow also takes 0") }
        guard skip >= 0, (records ?? 1) > 0 else { throw ValidationError("--skip and --records take no such number") }
        guard (0..<1e7).contains(junkRate), (0..<1e7).contains(readRate) else {
            throw ValidationError("--junk-rate and --read-rate take 0 or more")
        }
        if junkRate > 0, junk.isEmpty { throw ValidationError("--junk-rate needs --junk KIND") }
        if readRate > 0, read.isEmpty { throw ValidationError("--read-rate needs --read RESOURCE") }
    }

    func run() async throws {
        if check { return }
        let prepared = try Prepared(folder: folder)
        let records = prepared.records.dropFirst(skip).prefix(self.records ?? .max)
        let log = prepared.petition.logURL(aggregator: 0)
        // Separate event loops, so that sending junk does not delay the good clients.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let (loop, junkLoop) = (group.next(), group.next())
        func sender(_ limit: Int, on loop: any EventLoop) throws -> Sender {
            try Sender(loop: loop, host: log.host, port: log.port, path: log.path, limit: limit)
        }
        let good = GoodClients(
            sender: try sender(connections, on: loop), petition: prepared.petition.id, records: Array(records),
            rate: rate)
        let bad = try JunkClients(
            junk, made: prepared.records, to: log, on: junkLoop, rate: junkRate, connections: junkConnections)
        let readers = Readers(of: read, sender: try sender(Self.readConnections, on: junkLoop), rate: readRate)
        let slow = SlowClients(host: log.host, port: log.port, path: log.path + "/records", count: slow)
        try await slow.start(on: junkLoop)
        let start = ContinuousClock.now
        let before = ProcessUsage.cpuSeconds
        let running = RepeatedWork(loop: junkLoop) {
            bad.tick()
            readers.tick()
        }
        try await good.run()
        running.stop()
        slow.stop()
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let cpu = ProcessUsage.cpuSeconds - before
        // Read on their event loop, where late answers still arrive.
        let (junkAnswers, readAnswers) = try await junkLoop.submit { (bad.answers, readers.answers) }.get()
        let report = Report(
            seconds: seconds, generatorCores: cpu / seconds, good: good.results, junk: junkAnswers,
            reads: readAnswers,
            receipts: ReceiptCheck(petition: prepared.petition, results: good.results))
        print(json ? report.json : report.text)
        if report.receipts.bad > 0 { throw ExitCode(ExitStatus.refused.rawValue) }
    }
}

enum ProcessUsage {
    /// The processor time that this process has used, in seconds.
    static var cpuSeconds: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }
}

/// Runs work on an event loop every few milliseconds, until it is stopped.
final class RepeatedWork: Sendable {
    private let task: RepeatedTask

    init(loop: any EventLoop, _ work: @escaping @Sendable () -> Void) {
        task = loop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(5)) { _ in work() }
    }

    func stop() { task.cancel() }
}

/// Arrivals at a constant rate, counted from their first use.
struct Arrivals {
    private lazy var start = ContinuousClock.now
    let rate: Double
    private(set) var count = 0

    init(rate: Double) { self.rate = rate }

    /// The time of the arrival with this number.
    mutating func moment(_ number: Int) -> ContinuousClock.Instant { start + .seconds(Double(number) / rate) }

    mutating func takeDue() -> Range<Int> {
        let due = Int((ContinuousClock.now - start) / .seconds(1) * rate)
        defer { count = max(count, due) }
        return count..<max(count, due)
    }
}

/// Signers: each sends one record, repeats it after a while if the server is busy, and keeps the receipt.
final class GoodClients: @unchecked Sendable {
    // Sendable: mutable state is accessed only on the event loop.
    private static let attempts = 20

    /// The outcome for one record.
    struct Outcome {
        let record: [UInt8]
        var receipt: [UInt8]?
        /// Measured from the time at which it should have been sent.
        var latency = Duration.zero
        var isNew = false
        var refusal: String?
        var attempts = 0
    }

    private let sender: Sender
    private var arrivals: Arrivals?
    private var rest: Int
    private var done: EventLoopPromise<Void>
    private(set) var results: [Outcome]

    private let petition: PetitionID

    init(sender: Sender, petition: PetitionID, records: [[UInt8]], rate: Double?) {
        self.sender = sender
        self.petition = petition
        arrivals = rate.map { Arrivals(rate: $0) }
        results = records.map { Outcome(record: $0) }
        rest = records.count
        done = sender.loop.makePromise()
    }

    func run() async throws {
        let ticker = RepeatedWork(loop: sender.loop) { self.tick() }
        sender.loop.execute {
            if self.rest == 0 { self.done.succeed() }
            if self.arrivals == nil {
                for index in self.results.indices { self.send(index, since: nil) }
            }
        }
        try await done.futureResult.get()
        ticker.stop()
    }

    private func tick() {
        guard let due = arrivals?.takeDue() else { return }
        for index in due where index < results.count { send(index, since: arrivals?.moment(index)) }
    }

    private func send(_ index: Int, since: ContinuousClock.Instant?, headers: [(String, String)] = []) {
        results[index].attempts += 1
        let request = Sender.Request(
            body: ByteBuffer(bytes: results[index].record), headers: .init(headers)
        ) { answer, sent in
            // Without a rate, waiting for a connection does not count: time starts when the request is sent.
            self.take(answer, index, since: since ?? sent)
        }
        sender.send(request)
    }

    private func take(_ answer: Answer?, _ index: Int, since: ContinuousClock.Instant) {
        if let answer, answer.status == 200 || answer.status == 201 {
            results[index].receipt = answer.body
            results[index].isNew = answer.status == 201
            results[index].latency = ContinuousClock.now - since
            return finish()
        }
        let rule = answer.map { Refusal.rule($0) } ?? "no-answer"
        results[index].refusal = rule
        if let answer, let demand = (try? ProblemDocument(parsing: answer.body))?.work,
            results[index].attempts < Self.attempts
        {
            return work(demand, index, since: since)
        }
        guard results[index].attempts < Self.attempts, ["busy", "no-answer", "roll-unreachable"].contains(rule) else {
            return finish()
        }
        let wait = answer?.headers.first(name: "retry-after").flatMap { Int64($0) } ?? 1
        sender.loop.scheduleTask(in: .seconds(wait)) { self.send(index, since: since) }
    }

    /// Does the demanded work off the event loop, and sends the record again.
    private func work(_ demand: ProofOfWorkChallenge, _ index: Int, since: ContinuousClock.Instant) {
        let (record, petition) = (results[index].record, petition)
        DispatchQueue.global().async {
            let header = demand.work(for: record, petition: petition)
            self.sender.loop.execute {
                self.send(index, since: since, headers: [(ProofOfWorkChallenge.header, header)])
            }
        }
    }

    private func finish() {
        rest -= 1
        if rest == 0 { done.succeed() }
    }
}

enum Refusal {
    /// The rule named in the body of a refusal.
    static func rule(_ body: UnsafeRawBufferPointer) -> String {
        guard let range = body.firstRange(of: "urn:roundrobin:error:") else { return "other" }
        return String(decoding: body[range.upperBound...].prefix { $0 != UInt8(ascii: "\"") }, as: UTF8.self)
    }

    static func rule(_ answer: Answer) -> String { answer.body.withUnsafeBytes(rule) }
}

extension UnsafeRawBufferPointer {
    /// The range of the first occurrence of `text`.
    func firstRange(of text: StaticString) -> Range<Int>? {
        let length = text.utf8CodeUnitCount
        guard let base = baseAddress, count >= length else { return nil }
        // The standard library's search takes a hundred times as long, and would compete with the measured server.
        let start = (0...count - length).first { memcmp(base + $0, text.utf8Start, length) == 0 }
        return start.map { $0..<$0 + length }
    }
}

/// Readers of the count and copiers of the log: requests at a constant rate, in addition to those of good clients.
final class Readers: @unchecked Sendable {
    // Sendable: mutable state is accessed only on the event loop.
    /// The largest number of waiting requests; beyond it none are sent, since the server accepts them no faster.
    private static let backlogLimit = 4096

    private let resources: [String]
    private let sender: Sender
    private var arrivals: Arrivals
    /// How often each kind of answer came.
    private(set) var answers: [String: Int] = [:]

    /// Requests `resources` in turn, `rate` per second.
    init(of resources: [String], sender: Sender, rate: Double) {
        self.resources = resources
        self.sender = sender
        arrivals = Arrivals(rate: rate)
    }

    func tick() {
        for number in arrivals.takeDue() {
            guard sender.backlog < Self.backlogLimit else {
                count("not-sent")
                continue
            }
            let resource = "/" + resources[number % resources.count]
            sender.send(
                .init(method: .GET, resource: resource) { answer, _ in
                    self.count(answer.map { $0.status < 300 ? "good" : Refusal.rule($0) } ?? "no-answer")
                })
        }
    }

    private func count(_ kind: String) { answers[kind, default: 0] += 1 }
}
