import Foundation
import Testing

/// A SOCKS5 proxy that leads every name to one local port, and remembers the names.
private final class NamesProxy: @unchecked Sendable {
    // Sendable: the names are only touched under the lock.
    private let lock = NSLock()
    private var asked: [String] = []
    private let listener: Int32
    private let target: UInt16

    init(port: UInt16, target: UInt16) throws {
        self.target = target
        listener = try Sockets.listen(port)
        Sockets.serve(listener) { [weak self] in self?.serve($0) }
    }

    var names: [String] { lock.withLock { asked } }

    /// RFC 1928: greeting, request with a domain name (address type 3), then bytes both ways.
    private func serve(_ client: Int32) {
        guard let greeting = take(client, 2), let methods = take(client, Int(greeting[1])), methods.contains(0) else {
            return
        }
        Sockets.write([5, 0], to: client)
        guard let head = take(client, 5), head[3] == 3, let rest = take(client, Int(head[4]) + 2) else { return }
        let name = String(decoding: rest.dropLast(2), as: UTF8.self)
        lock.withLock { asked.append(name) }
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(server) }
        guard Sockets.withAddress(target, { connect(server, $0, $1) }) == 0 else { return }
        Sockets.write([5, 0, 0, 1, 0, 0, 0, 0, 0, 0], to: client)
        Thread.detachNewThread { Self.pump(server, client) }
        Self.pump(client, server)
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
    @Test func everyRequestGoesThroughTheProxyWhichResolvesTheNames() throws {
        let town = try Town(people: 1)
        let target = UInt16(town.coordinatorURL.split(separator: ":").last ?? "") ?? 0
        let port = try freePort()
        let proxy = try NamesProxy(port: UInt16(port), target: target)
        // No resolver knows this name: only the proxy can lead to it.
        let hidden = "http://abcdefghij.onion"
        let run = try town.run("petition-signer", "petitions", "--proxy", "socks5://127.0.0.1:\(port)", hidden)
        #expect(run.code == 0, "\(run.errors)")
        #expect(proxy.names == ["abcdefghij.onion"])
        let without = try town.run("petition-signer", "petitions", hidden)
        #expect(without.code == 3)
        let dead = try town.run(
            "petition-signer", "petitions", "--proxy", "socks5://127.0.0.1:1", town.coordinatorURL)
        #expect(dead.code == 3, "a proxy that is away must not be gone around")
    }
}
