import Foundation
import Petitions
import Sodium
import TransparencyLog

/// A server that forwards requests to an honest one, and lies where it is told to.
final class TamperingProxy: @unchecked Sendable {
    // Sendable: the lies are accessed only under the lock.
    //
    // Uses its own threads, without async code: the tests block the threads of Swift's tasks while programs run.
    private let lock = NSLock()
    private var lies: [String: (status: Int, body: Data)] = [:]
    private var prefixes: [(from: String, to: String)] = []
    private var lost: Set<String> = []
    private var seen: [Request] = []
    private let listener: Int32
    private let backendPort: UInt16

    /// A request that was received.
    struct Request: Hashable {
        let method: String
        let path: String
        let body: [UInt8]
        /// Method and path.
        var line: String { "\(method) \(path)" }
    }

    /// Every request since ``forget()``, in order of arrival.
    var requests: [Request] { lock.withLock { seen } }

    /// Forgets the requests so far.
    func forget() { lock.withLock { seen = [] } }

    /// Listens at `publicURL` and forwards to `backend`.
    init(publicURL: String, backend: String) throws {
        func port(_ url: String) -> UInt16 { url.split(separator: ":").last.flatMap { UInt16($0) } ?? 0 }
        backendPort = port(backend)
        listener = try Sockets.listen(port(publicURL))
        Sockets.serve(listener) { [weak self] connection in self?.serve(connection) }
    }

    /// Handles the one request of a connection: answers with a lie, or with the backend's answer.
    private func serve(_ connection: Int32) {
        guard var request = Sockets.readMessage(connection) else { return }
        let words = String(decoding: request, as: UTF8.self).split(separator: " ").prefix(2).map(String.init)
        guard words.count == 2 else { return }
        let (method, path) = (words[0], words[1])
        let body = request.firstRange(of: Array("\r\n\r\n".utf8)).map { Array(request[$0.upperBound...]) } ?? []
        lock.withLock { seen.append(Request(method: method, path: path, body: body)) }
        if let lie = lock.withLock({ lies[path] }) {
            let head = "HTTP/1.1 \(lie.status) Lie\r\nContent-Length: \(lie.body.count)\r\nConnection: close\r\n\r\n"
            return Sockets.write(Array(head.utf8) + Array(lie.body), to: connection)
        }
        if let prefix = lock.withLock({ prefixes.first { path.hasPrefix($0.from) } }) {
            let other = prefix.to + path.dropFirst(prefix.from.count)
            request = Array("\(method) \(other)".utf8) + request.dropFirst(method.utf8.count + 1 + path.utf8.count)
        }
        let backend = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(backend) }
        guard Sockets.withAddress(backendPort, { connect(backend, $0, $1) }) == 0 else { return }
        Sockets.write(request, to: backend)
        guard let answer = Sockets.readMessage(backend), lock.withLock({ !lost.contains(path) }),
            let line = answer.firstRange(of: Array("\r\n".utf8))
        else {
            return
        }
        let closing = Array("Connection: close\r\n".utf8)
        Sockets.write(answer[..<line.upperBound] + closing + answer[line.upperBound...], to: connection)
    }

    /// From now on, answers requests for `path` with `body`.
    func lie(at path: String, status: Int = 200, _ body: some Sequence<UInt8>) {
        lock.withLock { lies[path] = (status, Data(body)) }
    }

    /// From now on, forwards paths that begin with `prefix` as if they began with `other`.
    func pass(_ prefix: String, as other: String) {
        lock.withLock { prefixes.append((prefix, other)) }
    }

    /// From now on, drops the honest server's answers for `path`.
    func loseAnswers(at path: String) {
        lock.withLock { _ = lost.insert(path) }
    }

    /// Tells the truth again.
    func stopLying() {
        lock.withLock {
            lies = [:]
            prefixes = []
            lost = []
        }
    }

    /// Serves a whole log that was never that of the honest server, signed with the honest server's key.
    func lie(log prefix: String, origin: String, entries: [[UInt8]], key: borrowing Ed25519SecretKey) {
        var tree = GrowingTree()
        for entry in entries { tree.append(MerkleHash.leaf(entry)) }
        let checkpoint = Checkpoint(origin: origin, size: tree.size, root: tree.root)
        lie(at: prefix + "/checkpoint", checkpoint.signed(by: key))
        for tile in TileRow(count: tree.size) {
            let first = Int(tile.index) * 256
            lie(
                at: prefix + "/" + TileID.bundlePath(index: tile.index, width: tile.width),
                EntryBundle.encode(entries[first..<first + tile.width]))
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}
