import Bytes
import LogReading
import Testing
import TransparencyLog

/// Reading the hashes of a log's full tiles in place of its entries.
@Suite struct LogSkeletonTests {
    private static let sizes = [0, 1, 5, 255, 256, 257, 600, 768, 1000]

    private func tree(_ log: MemoryLog, _ size: Int) -> GrowingTree {
        log.entries.prefix(size).reduce(into: GrowingTree()) { $0.append(MerkleHash.leaf($1)) }
    }

    @Test(arguments: sizes) func itGivesTheSignedRoot(size: Int) async throws {
        let log = MemoryLog(count: size)
        let skeleton = try await log.published.readSkeleton(of: log.checkpoint)
        #expect(skeleton.end == LogSkeleton.Point(log.tree))
        #expect(skeleton.end.root == log.checkpoint.root)
        #expect(skeleton.end.fullTiles == tree(log, size / 256 * 256).root)
    }

    @Test(arguments: sizes) func itContinuesWhatTheLogWasAtAnySize(size: Int) async throws {
        let log = MemoryLog(count: size)
        let skeleton = try await log.published.readSkeleton(of: log.checkpoint)
        for before in 0...size {
            let isExact = before % 256 == 0 || before / 256 == size / 256
            let point = LogSkeleton.Point(tree(log, before))
            #expect(skeleton.answer(about: point) == (isExact ? .continues : .continuesFullTiles))
        }
    }

    @Test func itDiffersFromAnotherLog() async throws {
        let log = MemoryLog(count: 1000)
        let skeleton = try await log.published.readSkeleton(of: log.checkpoint)
        for before in [1, 255, 256, 257, 600, 768, 769, 1000] {
            for position in [0, before - 1] {
                var entries = Array(log.entries.prefix(before))
                entries[position] = [0]
                let other = entries.reduce(into: GrowingTree()) { $0.append(MerkleHash.leaf($1)) }
                let answer = skeleton.answer(about: .init(other))
                // Only what is behind the last full tile, in a tile that is full now, is not compared.
                let isCompared = position < before / 256 * 256 || before % 256 == 0 || before > 768
                #expect(answer == (isCompared ? .differs : .continuesFullTiles), "\(before) \(position)")
            }
        }
        #expect(skeleton.answer(about: .init(tree(MemoryLog(count: 1001), 1001))) == .differs)
        // One root is right and the other is not.
        let point = LogSkeleton.Point(tree(log, 900))
        let wrong = Bytes32()
        #expect(skeleton.answer(about: .init(size: 900, root: wrong, fullTiles: point.fullTiles)) == .differs)
        #expect(skeleton.answer(about: .init(size: 900, root: point.root, fullTiles: wrong)) == .differs)
        #expect(skeleton.answer(about: .init(size: 512, root: wrong, fullTiles: tree(log, 512).root)) == .differs)
    }

    @Test(arguments: [1, 255, 256, 257, 511, 512, 600, 768, 999, 1000]) func theLastEntryOfATreeComesWithItsRoot(
        size: Int
    ) async throws {
        let log = MemoryLog(count: 1000)
        let skeleton = try await log.published.readSkeleton(of: log.checkpoint)
        let (entry, root) = try await log.published.readLastEntry(at: UInt64(size), in: skeleton)
        #expect(entry == log.entries[size - 1])
        #expect(root == tree(log, size).root)
    }

    @Test func noOtherEntryIsTaken() async throws {
        let log = MemoryLog(count: 1000)
        let skeleton = try await log.published.readSkeleton(of: log.checkpoint)
        for path in log.paths where path.contains("tile/entries") {
            var lying = log
            var bytes = try #require(lying.resources[path])
            bytes[5] ^= 1
            lying.resources[path] = bytes
            let tile = try #require(path.split(separator: "/").dropFirst(3).first?.prefix(3)).description
            let size = try #require(UInt64(tile)) * 256 + 1
            await #expect(throws: LogReadError.rootMismatch) {
                _ = try await lying.published.readLastEntry(at: size, in: skeleton)
            }
        }
        for size: UInt64 in [0, 1001, .max] {
            await #expect(throws: LogReadError.notAnExtension(seenSize: size)) {
                _ = try await log.published.readLastEntry(at: size, in: skeleton)
            }
        }
    }

    @Test func everyHashThatIsReadIsChecked() async throws {
        let log = MemoryLog(count: 1000)
        for path in ["log/tile/1/000.p/3", "log/tile/0/003.p/232"] {
            for position in [0, 31, 64] {
                var lying = log
                lying.resources[path]?[position] ^= 1
                await #expect(throws: LogReadError.rootMismatch) {
                    _ = try await lying.published.readSkeleton(of: log.checkpoint)
                }
            }
            var lying = log
            lying.resources[path]?.removeLast()
            await #expect(throws: LogReadError.tileMismatch(path: path)) {
                _ = try await lying.published.readSkeleton(of: log.checkpoint)
            }
            lying.resources[path] = nil
            await #expect(throws: LogReadError.missing(path: path)) {
                _ = try await lying.published.readSkeleton(of: log.checkpoint)
            }
        }
    }

    /// More than one tile of level 1, which are requested at once.
    @Test func severalTilesAreReadInTheirOrder() async throws {
        let size = 9 * 65_536 + 300
        let log = MemoryLog(count: size)
        let skeleton = try await log.published.readSkeleton(of: log.checkpoint)
        #expect(skeleton.end == LogSkeleton.Point(log.tree))
        for before in [65_535, 65_536, 500_000, 589_824, 590_000, size] {
            let isExact = before % 256 == 0 || before / 256 == size / 256
            let answer = skeleton.answer(about: .init(tree(log, before)))
            #expect(answer == (isExact ? .continues : .continuesFullTiles), "\(before)")
        }
        for tile in ["000", "007", "008", "009.p/1"] {
            var lying = log
            lying.resources["log/tile/1/" + tile]?[0] ^= 1
            await #expect(throws: LogReadError.rootMismatch) {
                _ = try await lying.published.readSkeleton(of: log.checkpoint)
            }
        }
    }

    /// A tile that was partial when the checkpoint was signed may be full when it is read.
    @Test func aTileThatBecameFullIsUsed() async throws {
        let (log, larger) = (MemoryLog(count: 600), MemoryLog(count: 768))
        var resources = larger.resources
        resources["log/checkpoint"] = log.resources["log/checkpoint"]
        let published = PublishedLog(
            key: MemoryLog.key, bounds: MemoryLog.bounds, source: MemorySource(resources), prefix: MemoryLog.prefix)
        await #expect(throws: LogReadError.missing(path: "log/tile/1/000.p/2")) {
            _ = try await published.readSkeleton(of: log.checkpoint)
        }
        resources["log/tile/1/000.p/2"] = log.resources["log/tile/1/000.p/2"]
        let both = PublishedLog(
            key: MemoryLog.key, bounds: MemoryLog.bounds, source: MemorySource(resources), prefix: MemoryLog.prefix)
        #expect(try await both.readSkeleton(of: log.checkpoint).end == .init(log.tree))
    }
}
