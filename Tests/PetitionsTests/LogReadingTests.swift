import Bytes
import LogReading
import Platform
import Sodium
import Testing
import TransparencyLog

@Suite struct LogReadingTests {
    @Test func aLogIsReadCompletely() async throws {
        for size in MemoryLog.sizes {
            for withHashTiles in [true, false] {
                let log = MemoryLog(count: size, withHashTiles: withHashTiles)
                let (checkpoint, note) = try await log.published.readCheckpoint()
                #expect(checkpoint == log.checkpoint)
                #expect(note == log.resources["log/checkpoint"])
                for checkingHashTiles in [true, false] {
                    let (tree, entries) = try await log.read(checkingHashTiles: checkingHashTiles)
                    #expect(tree == log.tree, "\(size)")
                    #expect(entries == log.entries, "\(size)")
                }
            }
        }
    }

    @Test func theResourcesAreThoseOfTheSize() {
        #expect(MemoryLog(count: 0).paths.isEmpty)
        #expect(MemoryLog(count: 5).paths == ["log/tile/0/000.p/5", "log/tile/entries/000.p/5"])
        #expect(MemoryLog(count: 256).paths == ["log/tile/0/000", "log/tile/1/000.p/1", "log/tile/entries/000"])
        #expect(
            MemoryLog(count: 600).paths == [
                "log/tile/0/000", "log/tile/0/001", "log/tile/0/002.p/88", "log/tile/1/000.p/2",
                "log/tile/entries/000", "log/tile/entries/001", "log/tile/entries/002.p/88",
            ])
    }

    @Test func aFullResourceStandsInForAPartialOne() async throws {
        // The log has grown since the checkpoint was read, and the partial resources are gone.
        let earlier = MemoryLog(count: 5)
        var grown = MemoryLog(count: 600)
        grown.resources["log/checkpoint"] = nil
        var read: [[UInt8]] = []
        let tree = try await grown.published.readEntries(
            upTo: earlier.checkpoint, badHashTiles: { Issue.record("\($0.path) fits") }
        ) { _, entries in read += entries }
        #expect(tree == earlier.tree)
        #expect(read == earlier.entries)
    }

    @Test func aMissingBundleIsNamedAndProvesNothing() async {
        for size in MemoryLog.sizes {
            let log = MemoryLog(count: size)
            for path in log.paths where path.hasPrefix("log/tile/entries/") {
                let error = await log.replacing(path, with: nil).refusal()
                #expect(error == LogReadError.missing(path: path))
                #expect(error?.isProof == false)
            }
        }
    }

    @Test func aMissingCheckpointIsNamed() async {
        let error = await MemoryLog(count: 5).replacing("log/checkpoint", with: nil).checkpointRefusal()
        #expect(error == LogReadError.missing(path: "log/checkpoint"))
        #expect(error?.isProof == false)
    }

    @Test func missingHashTilesAreNoFault() async throws {
        for size in MemoryLog.sizes {
            let log = MemoryLog(count: size)
            for path in log.paths where !path.hasPrefix("log/tile/entries/") {
                let (tree, entries) = try await log.replacing(path, with: nil).read()
                #expect(tree == log.tree)
                #expect(entries == log.entries)
            }
        }
    }

    @Test func aLogIsContinuedFromAnyTree() async throws {
        let log = MemoryLog(count: 600)
        for size in [0, 1, 5, 255, 256, 257, 511, 512, 513, 599, 600] {
            let start = MemoryLog(count: size)
            for seen in [nil, SeenTree(start.checkpoint), SeenTree(log.checkpoint)] {
                let (tree, entries) = try await log.read(continuing: start.tree, seen: seen)
                #expect(tree == log.tree, "\(size)")
                #expect(entries == Array(log.entries[size...]), "\(size)")
            }
        }
    }

    @Test func aTreeOfAnotherLogIsNotContinued() async {
        let log = MemoryLog(count: 300)
        var tree = GrowingTree()
        for index in 0..<100 { tree.append(MerkleHash.leaf([UInt8(index)])) }
        let error = await log.refusal(continuing: tree)
        #expect(error == LogReadError.rootMismatch)
        let larger = await log.refusal(continuing: MemoryLog(count: 301).tree)
        #expect(larger == LogReadError.notAnExtension(seenSize: 301))
    }

    @Test func theTreeSeenBeforeIsTheBeginning() async throws {
        for size in MemoryLog.sizes {
            let log = MemoryLog(count: size)
            for seenSize in [0, 1, 4, 5, 255, 256, 257, 599, 600] where seenSize <= size {
                let seen = SeenTree(MemoryLog(count: seenSize).checkpoint)
                let (tree, _) = try await log.read(seen: seen)
                #expect(tree == log.tree)
                let other = SeenTree(size: seen.size, root: SHA256.hash([1]))
                let error = await log.refusal(seen: other)
                #expect(error == LogReadError.notAnExtension(seenSize: UInt64(seenSize)), "\(size) \(seenSize)")
                #expect(error?.isProof == true)
            }
        }
    }

    @Test func aLogThatBecameShorterIsNotAnExtension() async {
        for size in [0, 1, 5, 256] {
            let seen = SeenTree(MemoryLog(count: size + 1).checkpoint)
            let error = await MemoryLog(count: size).refusal(seen: seen)
            #expect(error == LogReadError.notAnExtension(seenSize: UInt64(size) + 1))
        }
    }

    @Test func aTreeContinuesFromItsPartialTiles() throws {
        for size in [0, 1, 255, 256, 257, 600] {
            let log = MemoryLog(count: size)
            let restored = GrowingTree(size: UInt64(size)) { id in
                log.tree.partialTiles.first { $0.tile == id }?.hashes
            }
            #expect(restored == log.tree, "\(size)")
            #expect(restored?.root == log.checkpoint.root)
        }
        let none = GrowingTree(size: 5) { _ in nil }
        #expect(none == nil)
        let short = GrowingTree(size: 5) { _ in [MerkleHash.emptyRoot] }
        #expect(short == nil)
    }

    @Test func whatStandsBeforeAMissingBundleIsReadFirst() async throws {
        let whole = MemoryLog(count: 5000)
        for missing in [0, 1, 7, 8, 12, 19] {
            let log = whole.replacing(whole.bundlePath(of: missing * TileID.fullWidth), with: nil)
            var count = 0
            var found: LogReadError?
            do {
                _ = try await log.published.readEntries(upTo: log.checkpoint) { _, entries in count += entries.count }
            } catch let error as LogReadError { found = error }
            #expect(count == missing * TileID.fullWidth && found?.isProof == false, "\(missing)")
        }
    }

    /// When the reading ends, what uses the source may be put away: nothing is on its way any more.
    @Test func nothingIsRequestedAfterTheEnd() async throws {
        let log = MemoryLog(count: 5000)
        let bad = log.replacing(log.bundlePath(of: TileID.fullWidth), with: [1])
        for (log, stops) in [(log, false), (log, true), (bad, false)] {
            let source = SlowSource(log.source)
            let published = PublishedLog(
                key: MemoryLog.key, bounds: MemoryLog.bounds, source: source, prefix: MemoryLog.prefix)
            _ = try? await published.readEntries(upTo: log.checkpoint) { _, _ in if stops { throw Enough() } }
            #expect(source.counts.onTheirWay == 0 && source.counts.begun > 2)
        }
    }

    /// Whoever is told to stop does not read to the end of a log that has much more.
    @Test func aCancelledReadingEnds() async throws {
        let log = MemoryLog(count: 10_000)
        let source = SlowSource(log.source)
        let published = PublishedLog(
            key: MemoryLog.key, bounds: MemoryLog.bounds, source: source, prefix: MemoryLog.prefix)
        let reading = Task {
            _ = try await published.readEntries(upTo: log.checkpoint) { _, _ in
                withUnsafeCurrentTask { $0?.cancel() }
                // Slower than the source: what is read ahead is there when its turn comes.
                for _ in 0..<1000 { await Task.yield() }
            }
        }
        let result = await reading.result
        #expect(throws: LogReadError.self) { try result.get() }
        #expect(source.counts.begun < 20 && source.counts.onTheirWay == 0, "\(source.counts)")
    }

    @Test func tilesOfThreeLevelsGiveTheRoot() throws {
        var tree = GrowingTree()
        var tiles: [TileID: [Bytes32]] = [:]
        for index in 0..<66_000 {
            tree.append(SHA256.hash([UInt8(index & 0xFF), UInt8(index >> 8 & 0xFF), UInt8(index >> 16)])) {
                #expect(tiles.updateValue($1, forKey: $0) == nil && $1.count == TileID.fullWidth)
            }
        }
        // 257 tiles of leaves, the last of them partial; one full tile of their roots, and one hash above it.
        #expect(tiles.keys.filter { $0.level == 0 }.count == 257 && tiles[TileID(level: 1, index: 0)] != nil)
        #expect(tree.partialTiles.map(\.tile.level) == [0, 1, 2])
        for (tile, hashes) in tree.partialTiles { tiles[tile] = hashes }
        #expect(try MerkleProver(size: tree.size) { tiles[$0] }.root() == tree.root)
        #expect(GrowingTree(size: tree.size) { tiles[$0] } == tree)
    }

    @Test func aLogOfMoreEntriesThanItMayHaveIsNotRead() async throws {
        for size in [1, 5, 600] {
            let log = MemoryLog(count: size)
            let limit = UInt64(size)
            func read(_ most: UInt64) async throws -> UInt64 {
                let bounds = LogBounds(longestEntry: 100, mostEntries: most)
                return try await log.published(bounds: bounds).readCheckpoint().checkpoint.size
            }
            #expect(try await read(limit) == limit)
            var found: LogReadError?
            do { _ = try await read(limit - 1) } catch { found = error as? LogReadError }
            #expect(found == .tooManyEntries(size: limit, limit: limit - 1))
            #expect(found?.isProof == false)
        }
    }

    @Test func aBundleOfMoreBytesThanItsEntriesMayHaveIsNotRead() async throws {
        // 256 entries of 14 to 16 bytes.
        let log = MemoryLog(count: 256)
        for (longest, isRead) in [(16, true), (15, false)] {
            let bounds = LogBounds(longestEntry: longest, mostEntries: 256)
            #expect(bounds.longestBundle == 256 * (longest + 2))
            var found: LogReadError?
            do {
                _ = try await log.published(bounds: bounds).readEntries(upTo: log.checkpoint) { _, _ in }
            } catch { found = error as? LogReadError }
            #expect(found == (isRead ? nil : .source(.tooLarge(location: "memory:log/tile/entries/000"))))
        }
    }

    // MARK: The first bundle

    private static let firstBundleSizes = [1, 5, 256, 257, 300, 600, 70_000]

    @Test func theFirstBundleIsReadUnderTheSignedRoot() async throws {
        for size in Self.firstBundleSizes {
            let log = MemoryLog(count: size)
            let entries = try await log.published.readFirstBundle(of: log.checkpoint)
            #expect(entries == Array(log.entries.prefix(256)), "\(size)")
            let other = Checkpoint(origin: MemoryLog.origin, size: UInt64(size), root: SHA256.hash([1]))
            await #expect(throws: LogReadError.rootMismatch, "\(size)") {
                try await log.published.readFirstBundle(of: other)
            }
        }
        let empty = MemoryLog(count: 0)
        #expect(try await empty.published.readFirstBundle(of: empty.checkpoint).isEmpty)
    }

    @Test func everythingThatIsReadForTheFirstBundleIsProven() async throws {
        for size in Self.firstBundleSizes {
            let log = MemoryLog(count: size)
            let source = RecordingSource(log.source)
            let published = PublishedLog(
                key: MemoryLog.key, bounds: MemoryLog.bounds, source: source, prefix: MemoryLog.prefix)
            _ = try await published.readFirstBundle(of: log.checkpoint)
            let paths = source.paths
            #expect(Set(paths).count == paths.count, "\(size): nothing is asked for twice")
            // The bundle, and below 2^24 entries at most two tiles of each of three levels.
            #expect(paths.count <= 7 && paths.first == log.bundlePath(of: 0), "\(size): \(paths)")
            for path in paths {
                let count = log.resources[path]?.count ?? 0
                // In large logs not every byte, but several of each hash and entry.
                for offset in stride(from: 0, to: count, by: size > 5 ? 7 : 1) {
                    let error = await log.flipping(path, at: offset).firstBundleRefusal()
                    #expect(error?.isProof == true, "\(size): \(path) \(offset)")
                }
                let missing = await log.replacing(path, with: nil).firstBundleRefusal()
                #expect(missing == .missing(path: path), "\(size)")
            }
        }
    }
}

/// Records the requested paths.
private final class RecordingSource: ResourceSource {
    private let source: MemorySource
    private let asked = Mutex<[String]>([])

    init(_ source: MemorySource) {
        self.source = source
    }

    /// In the order of the requests.
    var paths: [String] { asked.withLock { $0 } }

    func read(_ path: String, limit: Int) async throws(SourceError) -> [UInt8]? {
        asked.withLock { $0.append(path) }
        return try await source.read(path, limit: limit)
    }

    func location(of path: String) -> String { source.location(of: path) }
}
