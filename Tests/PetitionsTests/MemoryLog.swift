import Bytes
import LogReading
import Sodium
import Testing
import TransparencyLog

/// The outcome of reading a log: why it could not be read, and the first of the hash tiles that do not agree.
struct Found: Equatable {
    var error: LogReadError?
    var tile: String?
}

/// Published resources in memory.
final class MemorySource: ResourceSource {
    private let resources: [String: [UInt8]]

    init(_ resources: [String: [UInt8]]) { self.resources = resources }

    func read(_ path: String, limit: Int) async throws(SourceError) -> [UInt8]? {
        guard let bytes = resources[path] else { return nil }
        guard bytes.count <= limit else { throw .tooLarge(location: location(of: path)) }
        return bytes
    }

    func location(of path: String) -> String {
        "memory:" + path
    }
}

/// A log with its tiles and its signed checkpoint, published in memory below `log`.
struct MemoryLog: Sendable {
    static let origin = "example.org/log"
    static let prefix = "log"
    /// Sizes around the width of a tile: nothing, part of a tile, exactly one, one entry more, several.
    static let sizes = [0, 1, 5, 256, 257, 600]
    /// Entries of any length that tlog-tiles allows.
    static let bounds = LogBounds(longestEntry: 1 << 16 - 1, mostEntries: 1 << 20)

    let entries: [[UInt8]]
    let tree: GrowingTree
    let checkpoint: Checkpoint
    var resources: [String: [UInt8]]
    var source: MemorySource { MemorySource(resources) }

    init(count: Int, withHashTiles: Bool = true) {
        entries = (0..<count).map { Array("entry number \($0)".utf8) }
        var tree = GrowingTree()
        var tiles: [TileID: [Bytes32]] = [:]
        for entry in entries {
            tree.append(MerkleHash.leaf(entry)) { tile, hashes in tiles[tile] = hashes }
        }
        for (tile, hashes) in tree.partialTiles { tiles[tile] = hashes }
        let checkpoint = Checkpoint(origin: Self.origin, size: UInt64(count), root: tree.root)
        let key = Fixture.noteKey(0)
        var resources: [String: [UInt8]] = [:]
        resources["log/checkpoint"] = checkpoint.signed(by: key)
        for request in TileRequest.all(size: UInt64(count)) {
            switch request {
            case .hashes(let tile, _):
                if withHashTiles { resources["log/" + request.path] = HashTile.encode(tiles[tile] ?? []) }
            case .entries(let index, let width):
                let first = Int(index) * TileID.fullWidth
                resources["log/" + request.path] = EntryBundle.encode(entries[first..<first + width])
            }
        }
        self.tree = tree
        self.checkpoint = checkpoint
        self.resources = resources
    }

    static var key: VerifierKey {
        VerifierKey(name: origin, publicKey: Fixture.publicKey(0))
    }

    var published: PublishedLog { published(bounds: Self.bounds) }

    func published(bounds: LogBounds) -> PublishedLog {
        PublishedLog(key: Self.key, bounds: bounds, source: source, prefix: Self.prefix)
    }

    /// The paths of all resources but the checkpoint.
    var paths: [String] {
        resources.keys.filter { $0 != "log/checkpoint" }.sorted()
    }

    /// The offset of the entry at `index` in its bundle, after its two-byte length.
    func offset(of index: Int) -> Int {
        let first = index / TileID.fullWidth * TileID.fullWidth
        return entries[first..<index].reduce(2) { $0 + $1.count + 2 }
    }

    /// The index of the entry to which a byte of a bundle belongs; nil for a byte of a length.
    func entry(inBundle number: Int, at offset: Int) -> Int? {
        var end = 0
        for index in number * TileID.fullWidth..<entries.count {
            if offset < end + 2 { return nil }
            end += 2 + entries[index].count
            if offset < end { return index }
        }
        return nil
    }

    func bundlePath(of index: Int) -> String {
        let number = index / TileID.fullWidth
        let width = min(TileID.fullWidth, entries.count - number * TileID.fullWidth)
        return "log/" + TileID.bundlePath(index: UInt64(number), width: width)
    }

    /// The log with one bit of a resource flipped.
    func flipping(_ path: String, at offset: Int) -> MemoryLog {
        var copy = self
        copy.resources[path] = resources[path]?.flipped(at: offset)
        return copy
    }

    /// The log with another resource at a path, or none.
    func replacing(_ path: String, with bytes: [UInt8]?) -> MemoryLog {
        var copy = self
        copy.resources[path] = bytes
        return copy
    }

    /// Reads everything up to `checkpoint`: the tree and the entries in order.
    func read(
        continuing tree: GrowingTree = GrowingTree(), seen: SeenTree? = nil, checkingHashTiles: Bool = true,
        badHashTiles: @escaping (BadHashTiles) -> Void = { Issue.record("a tile that does not fit: \($0.path)") }
    ) async throws -> (tree: GrowingTree, entries: [[UInt8]]) {
        var read: [[UInt8]] = []
        var next = tree.size
        let result = try await published.readEntries(
            upTo: checkpoint, continuing: tree, seen: seen, badHashTiles: checkingHashTiles ? badHashTiles : nil
        ) { first, entries in
            #expect(first == next)
            #expect(!entries.isEmpty && entries.count <= TileID.fullWidth)
            next += UInt64(entries.count)
            read += entries
        }
        return (result, read)
    }

    /// Why the log cannot be read; nil if it can.
    func refusal(
        continuing tree: GrowingTree = GrowingTree(), seen: SeenTree? = nil, checkingHashTiles: Bool = true
    ) async -> LogReadError? {
        do {
            _ = try await read(continuing: tree, seen: seen, checkingHashTiles: checkingHashTiles)
            return nil
        } catch {
            if let known = error as? LogReadError { return known }
            Issue.record("not a LogReadError: \(error)")
            return nil
        }
    }

    /// Why the log cannot be read, and the first of its hash tiles that do not agree.
    func found() async -> Found {
        var found = Found()
        do {
            _ = try await read { bad in
                #expect(bad.count == 1)
                found.tile = bad.path
            }
        } catch {
            found.error = error as? LogReadError
            if found.error == nil { Issue.record("not a LogReadError: \(error)") }
        }
        return found
    }

    /// Why the first bundle cannot be read; nil if it can.
    func firstBundleRefusal() async -> LogReadError? {
        do {
            _ = try await published.readFirstBundle(of: checkpoint)
            return nil
        } catch { return error }
    }

    /// Why the checkpoint cannot be read; nil if it can.
    func checkpointRefusal() async -> LogReadError? {
        do {
            _ = try await published.readCheckpoint()
            return nil
        } catch { return error }
    }
}
