import Documents
import LogReading
import Messages
import TransparencyLog

/// How a signer reaches the world. The steps of this module make no requests of their own: they say what they want to
/// read or send (``OutgoingRequest``), and on which fresh connection, and take the bytes that come. A program answers
/// them from the network, a test from memory. Only ``Wallet`` writes a file, its own.
public struct SignerNetwork: Sendable {
    /// How long one visit to a server may take, whatever is read there: a large log through Tor takes minutes. A server
    /// that stalls cannot delay a signer for longer.
    public static let longestVisit = Duration.seconds(900)
    /// Whether the servers see a proxy instead of this computer.
    public let isProxied: Bool
    private let connect: @Sendable () -> any RequestConnection

    /// A network. `connect` returns a new connection each time, and no two of them can be linked; requests over a
    /// connection fail after ``longestVisit``.
    public init(isProxied: Bool, connect: @escaping @Sendable () -> any RequestConnection) {
        self.isProxied = isProxied
        self.connect = connect
    }

    /// Runs `body` over a connection that nothing else uses.
    func fresh<T: Sendable>(_ body: (any RequestConnection) async throws(SignerError) -> T) async throws(SignerError)
        -> T
    {
        let connection = connect()
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }
}

extension SignerNetwork {
    private static let listLimit = 1 << 20

    /// The list of petitions from the server at `base`. Nothing in it is proven.
    public func petitions(at base: ServiceURL) async throws(SignerError) -> [PetitionListing] {
        let url = base.text + "/petitions"
        let answer = try await fresh { connection async throws(SignerError) in
            try await connection.ask(OutgoingRequest(url, limit: Self.listLimit))
        }
        guard answer.status == 200 else {
            throw .unreachable(location: url, reason: .status(answer.status))
        }
        do { return try PetitionListing.list(parsing: answer.body) } catch {
            throw .documentInvalid(location: url, reason: .document(error))
        }
    }
}

// Requests that fail as the signer's steps do.
extension RequestConnection {
    func ask(_ request: OutgoingRequest) async throws(SignerError) -> HTTPAnswer {
        do { return try await send(request) } catch { throw SignerError(error) }
    }
}

extension HTTPSource {
    /// The document at `path`; nil if there is none.
    func document(_ path: String) async throws(SignerError) -> [UInt8]? {
        do { return try await read(path, limit: SignedNote.maximumCount) } catch { throw SignerError(error) }
    }
}
