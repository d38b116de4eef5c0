import Foundation
import Testing

/// A SOCKS5 proxy that connects every name to one local port, and records which user asked for which name.
final class NamesProxy: @unchecked Sendable {
    /// A connection that the proxy accepted; user and password are nil if it did not ask for them.
    struct Visit {
        let user: String?
        let password: String?
        let name: String
    }

    /// Which users the proxy accepts.
    enum Door {
        /// Every user, as Tor does.
        case users
        /// Only this user.
        case only(String)
        /// Everyone, without asking for a user.
        case unguarded
    }

    // Sendable: the visits are accessed only under the lock.
    private let lock = NSLock()
    private var seen: [Visit] = []
    private let listener: Int32
    private let target: UInt16
    private let door: Door
    let port: Int

    convenience init(to deployment: Deployment, door: Door = .users) throws {
        try self.init(to: deployment.coordinatorURL, door: door)
    }

    init(to url: String, door: Door = .users) throws {
        target = try #require(url.split(separator: ":").last.flatMap { UInt16($0) })
        self.door = door
        port = try freePort()
        listener = try Sockets.listen(UInt16(port))
        Sockets.serve(listener) { [weak self] in self?.serve($0) }
    }

    var visits: [Visit] { lock.withLock { seen } }
    var names: [String] { visits.map(\.name) }

    /// RFC 1928: a greeting, a request with a domain name (address type 3), then bytes both ways.
    private func serve(_ client: Int32) {
        guard let greeting = take(client, 2), let methods = take(client, Int(greeting[1])),
            let (user, password) = letIn(client, methods: methods)
        else { return }
        guard let head = take(client, 5), head[3] == 3, let rest = take(client, Int(head[4]) + 2) else { return }
        let name = String(decoding: rest.dropLast(2), as: UTF8.self)
        lock.withLock { seen.append(Visit(user: user, password: password, name: name)) }
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(server) }
        guard Sockets.withAddress(target, { connect(server, $0, $1) }) == 0 else { return }
        Sockets.write([5, 0, 0, 1, 0, 0, 0, 0, 0, 0], to: client)
        Thread.detachNewThread { Self.pump(server, client) }
        Self.pump(client, server)
    }

    /// RFC 1929 unless the door is unguarded; nil if the client is refused.
    private func letIn(_ client: Int32, methods: [UInt8]) -> (user: String?, password: String?)? {
        if case .unguarded = door {
            guard methods.contains(0) else { return nil }
            Sockets.write([5, 0], to: client)
            return (nil, nil)
        }
        guard methods.contains(2) else { return nil }
        Sockets.write([5, 2], to: client)
        guard take(client, 1) == [1], let user = takeText(client), let password = takeText(client) else { return nil }
        if case .only(let known) = door, user != known {
            Sockets.write([1, 1], to: client)
            return nil
        }
        Sockets.write([1, 0], to: client)
        return (user, password)
    }

    /// Reads a text preceded by its length.
    private func takeText(_ client: Int32) -> String? {
        guard let count = take(client, 1)?.first, let bytes = take(client, Int(count)) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func pump(_ from: Int32, _ to: Int32) {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(from, &chunk, chunk.count)
            guard count > 0 else { break }
            Sockets.write(chunk[..<count], to: to)
        }
        shutdown(to, Int32(SHUT_WR))
    }

    private func take(_ connection: Int32, _ count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while bytes.count < count {
            guard read(connection, &byte, 1) == 1 else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}

@Suite struct ProxyTests {
    /// No resolver knows this name: only a proxy can reach it.
    private static let hidden = "http://abcdefghij.onion"

    /// Gets the list of petitions, with a single request.
    private func list(_ deployment: Deployment, through proxy: String, at url: String = Self.hidden) throws -> Run {
        try deployment.run("petition-signer", "petitions", "--proxy", proxy, url)
    }

    @Test func everyRequestGoesThroughTheProxyWhichResolvesTheNames() throws {
        let deployment = try Deployment(people: 1)
        let proxy = try NamesProxy(to: deployment)
        let run = try list(deployment, through: "socks5://127.0.0.1:\(proxy.port)")
        #expect(run.code == 0, "\(run.errors)")
        #expect(proxy.names == ["abcdefghij.onion"])
        let dead = try list(deployment, through: "socks5://127.0.0.1:1", at: deployment.coordinatorURL)
        #expect(dead.code == 3, "a proxy that is away must not be gone around")
        #expect(dead.errors.contains("cannot be reached: is Tor running"))
    }

    @Test(arguments: [hidden, "\(hidden):8080", "https://abcdefghij.onion"])
    func anOnionServiceIsNotLookedUpWithoutAProxy(_ url: String) throws {
        let scratch = try Scratch()
        let run = try Programs.run("petition-signer", ["petitions", url], in: scratch.url)
        #expect(run.code == 3)
        #expect(run.errors.contains("--proxy"), "\(run.errors)")
    }

    @Test func noTwoConnectionsAreOfTheSameUser() throws {
        let deployment = try Deployment(people: 1)
        let proxy = try NamesProxy(to: deployment)
        let address = "socks5://127.0.0.1:\(proxy.port)"
        for _ in 0..<2 {
            let run = try list(deployment, through: address)
            #expect(run.code == 0, "\(run.errors)")
        }
        // One run that reads and submits over separate connections, each of which may be several connections of the
        // proxy.
        let enrolled = try deployment.signer(0, "enrol", with: ["--proxy", address, deployment.links[0]])
        #expect(enrolled.code == 0, "\(enrolled.errors)")
        for credential in [\NamesProxy.Visit.user, \.password] {
            let seen = proxy.visits.map { $0[keyPath: credential] ?? "" }
            let (lists, enrolling) = (Set(seen.prefix(2)), Set(seen.dropFirst(2)))
            #expect(lists.count == 2)
            #expect(enrolling.count >= 2)
            #expect(lists.isDisjoint(with: enrolling))
            #expect(seen.allSatisfy { $0.utf8.count >= 32 }, "they can be guessed")
        }
    }

    @Test func aUserThatIsGivenIsTakenAsWritten() throws {
        let deployment = try Deployment(people: 1)
        let proxy = try NamesProxy(to: deployment, door: .only("me"))
        let enrolled = try deployment.signer(
            0, "enrol", with: ["--proxy", "socks5://me:secret@127.0.0.1:\(proxy.port)", deployment.links[0]])
        #expect(enrolled.code == 0, "\(enrolled.errors)")
        #expect(proxy.visits.count >= 2)
        #expect(proxy.visits.allSatisfy { $0.user == "me" && $0.password == "secret" })
        let escaped = try list(deployment, through: "socks5://me:s%3Acret%21@127.0.0.1:\(proxy.port)")
        #expect(escaped.code == 0, "\(escaped.errors)")
        #expect(proxy.visits.last?.password == "s:cret!")
        let stranger = try list(deployment, through: "socks5://127.0.0.1:\(proxy.port)")
        #expect(stranger.code == 3)
        #expect(stranger.errors.contains("refused the user and password"), "\(stranger.errors)")
    }

    @Test(arguments: ["me@127.0.0.1:1", ":secret@127.0.0.1:1", "me:@127.0.0.1:1", "me:%FF@127.0.0.1:1"])
    func halfAUserIsNone(_ rest: String) throws {
        let scratch = try Scratch()
        let run = try Programs.run(
            "petition-signer", ["petitions", "--proxy", "socks5://" + rest, Self.hidden], in: scratch.url)
        #expect(run.code == 2)
    }

    @Test func aProxyThatKnowsNoUsersWorks() throws {
        let deployment = try Deployment(people: 1)
        let proxy = try NamesProxy(to: deployment, door: .unguarded)
        let run = try list(deployment, through: "socks5://127.0.0.1:\(proxy.port)")
        #expect(run.code == 0, "\(run.errors)")
        #expect(proxy.names == ["abcdefghij.onion"])
        #expect(proxy.visits.allSatisfy { $0.user == nil })
        // This proxy cannot keep connections apart, which is reported, once.
        let enrolled = try deployment.signer(
            0, "enrol", with: ["--proxy", "socks5://127.0.0.1:\(proxy.port)", deployment.links[0]])
        #expect(enrolled.code == 0 && proxy.visits.count > 2, "\(enrolled.errors)")
        #expect(enrolled.errors.components(separatedBy: "takes no user names").count == 2, "\(enrolled.errors)")
    }
}
