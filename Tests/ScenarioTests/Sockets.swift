import Foundation

/// Local sockets with their own threads, without async code: the tests block the threads of Swift's tasks while
/// programs run.
enum Sockets {
    /// Listens on `port`; 0 lets the system choose.
    static func listen(_ port: UInt16) throws -> Int32 {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        let bound = withAddress(port) { bind(listener, $0, $1) }
        guard bound == 0, Foundation.listen(listener, 64) == 0 else { throw Server.Problem.didNotStart("a socket") }
        return listener
    }

    /// Calls `body` with each connection, in a thread of its own, until the listener is closed.
    static func serve(_ listener: Int32, _ body: @escaping @Sendable (Int32) -> Void) {
        Thread.detachNewThread {
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                Thread.detachNewThread {
                    body(connection)
                    close(connection)
                }
            }
        }
    }

    /// Connects to `port`.
    static func connect(_ port: UInt16) throws -> Int32 {
        let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard withAddress(port, { Foundation.connect(connection, $0, $1) }) == 0 else {
            close(connection)
            throw Server.Problem.didNotStart("a connection to \(port)")
        }
        return connection
    }

    static func withAddress(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// Reads the head, and as much of a body as it announces.
    static func readMessage(_ connection: Int32) -> [UInt8]? {
        var message: [UInt8] = []
        // Byte by byte, since what follows belongs to the next message.
        while !message.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            guard let byte = read(connection, 1) else { return nil }
            message += byte
        }
        let head = String(decoding: message, as: UTF8.self).lowercased()
        let length = head.split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst("content-length:".count).trimmingCharacters(in: .whitespaces)) }
        return read(connection, length ?? 0).map { message + $0 }
    }

    /// Reads `count` bytes; nil if the connection ends before.
    private static func read(_ connection: Int32, _ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let isWhole = count == 0 || recv(connection, &bytes, count, Int32(MSG_WAITALL)) == count
        return isWhole ? bytes : nil
    }

    static func write(_ bytes: some Collection<UInt8>, to connection: Int32) {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
