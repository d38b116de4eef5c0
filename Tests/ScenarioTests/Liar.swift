import Foundation
import Petitions
import Sodium
import TransparencyLog

/// A server that passes requests on to an honest one, and lies where it is told to.
final class Liar: @unchecked Sendable {
    // Sendable: the lies are only touched under the lock.
    //
    // Threads of its own, and nothing asynchronous: the tests block the threads of Swift's tasks while programs run.
    private let lock = NSLock()
    private var lies: [String: (status: Int, body: Data)] = [:]
    private let listener: Int32
    private let backendPort: UInt16

    /// Listens at `publicURL` and asks `backend`.
    init(publicURL: String, backend: String) throws {
        func port(_ url: String) -> UInt16 { url.split(separator: ":").last.flatMap { UInt16($0) } ?? 0 }
        backendPort = port(backend)
        listener = try Sockets.listen(port(publicURL))
        Sockets.serve(listener) { [weak self] connection in self?.serve(connection) }
    }

    /// One request a connection: answered with a lie, or with what the backend says.
    private func serve(_ connection: Int32) {
        guard let request = Sockets.readMessage(connection) else { return }
        let path =
            String(decoding: request, as: UTF8.self).split(separator: " ").dropFirst().first.map(String.init) ?? ""
        if let lie = lock.withLock({ lies[path] }) {
            let head = "HTTP/1.1 \(lie.status) Lie\r\nContent-Length: \(lie.body.count)\r\nConnection: close\r\n\r\n"
            return Sockets.write(Array(head.utf8) + Array(lie.body), to: connection)
        }
        let backend = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(backend) }
        guard Sockets.withAddress(backendPort, { connect(backend, $0, $1) }) == 0 else { return }
        Sockets.write(request, to: backend)
        guard let answer = Sockets.readMessage(backend), let line = answer.firstRange(of: Array("\r\n".utf8)) else {
            return
        }
        let closing = Array("Connection: close\r\n".utf8)
        Sockets.write(answer[..<line.upperBound] + closing + answer[line.upperBound...], to: connection)
    }

    /// From now on `path` is answered with `body`.
    func lie(at path: String, status: Int = 200, _ body: some Sequence<UInt8>) {
        lock.withLock { lies[path] = (status, Data(body)) }
    }

    /// Tells the truth again.
    func stopLying() {
        lock.withLock { lies = [:] }
    }

    /// Serves a whole log that was never the honest server's, under the honest server's key.
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
