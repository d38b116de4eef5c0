import Bytes
import LogReading
import Sodium
import Testing
import TransparencyLog

@Suite struct LogTamperingTests {
    /// What a reader with hash tiles reports about one flipped bit. In a tile of hashes it is not a fault of the log.
    private func expected(_ log: MemoryLog, _ request: TileRequest, at offset: Int) -> Found {
        let path = "log/" + request.path
        switch request {
        case .hashes:
            return Found(tile: path)
        case .entries(let number, _):
            guard let index = log.entry(inBundle: Int(number), at: offset) else {
                return Found(error: .bundleMalformed(path: path, firstIndex: number * UInt64(TileID.fullWidth)))
            }
            return Found(error: .entryMismatch(index: UInt64(index)))
        }
    }

    @Test func everyFlippedByteOfASmallLogIsLocated() async {
        for size in [1, 5] {
            let log = MemoryLog(count: size)
            for request in TileRequest.all(size: UInt64(size)) {
                let path = "log/" + request.path
                for offset in 0..<(log.resources[path]?.count ?? 0) {
                    let found = await log.flipping(path, at: offset).found()
                    #expect(found == expected(log, request, at: offset), "\(path) \(offset)")
                    #expect(found.error?.isProof != false)
                }
            }
        }
    }

    @Test func flippedBytesOfALargerLogAreLocated() async {
        var generator = SeededGenerator(seed: 6)
        for size in [256, 257, 600] {
            let log = MemoryLog(count: size)
            for request in TileRequest.all(size: UInt64(size)) {
                let path = "log/" + request.path
                let count = log.resources[path]?.count ?? 0
                var offsets = [0, 1, 2, count / 2, count - 1]
                for _ in 0..<5 { offsets.append(generator.index(below: count)) }
                for offset in offsets {
                    let found = await log.flipping(path, at: offset).found()
                    #expect(found == expected(log, request, at: offset), "\(path) \(offset)")
                }
            }
        }
    }

    @Test func aFlippedEntryIsNamedByItsIndex() async {
        let positions: [(size: Int, indices: [Int])] = [
            (1, [0]), (5, [0, 2, 4]), (256, [0, 255]), (257, [255, 256]), (600, [255, 256, 511, 512, 599]),
        ]
        for (size, indices) in positions {
            let log = MemoryLog(count: size)
            for index in indices {
                let path = log.bundlePath(of: index)
                for offset in [log.offset(of: index), log.offset(of: index) + log.entries[index].count - 1] {
                    let error = await log.flipping(path, at: offset).refusal()
                    #expect(error == LogReadError.entryMismatch(index: UInt64(index)), "\(size) \(index)")
                }
            }
        }
    }

    @Test func withoutHashTilesAFlippedEntryIsFoundByTheRoot() async {
        for size in [1, 5, 256, 257, 600] {
            let log = MemoryLog(count: size)
            let bare = MemoryLog(count: size, withHashTiles: false)
            for index in [0, size / 2, size - 1] {
                let path = log.bundlePath(of: index)
                let offset = log.offset(of: index)
                let unchecked = await log.flipping(path, at: offset).refusal(checkingHashTiles: false)
                #expect(unchecked == LogReadError.rootMismatch, "\(size) \(index)")
                let missing = await bare.flipping(path, at: offset).refusal()
                #expect(missing == LogReadError.rootMismatch, "\(size) \(index)")
            }
        }
    }

    @Test func everyByteOfACheckpointIsSigned() async {
        for size in [0, 5, 600] {
            let log = MemoryLog(count: size)
            for offset in 0..<(log.resources["log/checkpoint"]?.count ?? 0) {
                let error = await log.flipping("log/checkpoint", at: offset).checkpointRefusal()
                guard case .checkpointInvalid = error else {
                    Issue.record("byte \(offset) of the checkpoint: \(String(describing: error))")
                    continue
                }
                #expect(error?.isProof == true)
            }
        }
    }

    private func signed(_ checkpoint: Checkpoint, by seed: UInt8 = 0) -> [UInt8] {
        let key = Fixture.noteKey(seed)
        return checkpoint.signed(by: key)
    }

    /// A text signed with the log's own name and key.
    private func signed(text: [UInt8]) -> [UInt8] {
        let key = Fixture.noteKey(0)
        return key.signNote(text, name: MemoryLog.origin)
    }

    @Test func aCheckpointOfAnotherKeyOrLogIsRefused() async {
        let log = MemoryLog(count: 5)
        let elsewhere = Checkpoint(origin: "example.org/other", size: 5, root: log.checkpoint.root)
        let more = joined(log.checkpoint.text, Array("more\n".utf8))
        let notes: [(note: [UInt8], error: CheckpointError)] = [
            (signed(log.checkpoint, by: 1), .note(.noKnownSignature)),
            (signed(elsewhere), .note(.noKnownSignature)),
            (signed(text: elsewhere.text), .unexpectedOrigin),
            (signed(text: more), .malformed),
        ]
        for (note, expected) in notes {
            let error = await log.replacing("log/checkpoint", with: note).checkpointRefusal()
            #expect(error == LogReadError.checkpointInvalid(expected))
        }
    }

    @Test func aSignedRootThatTheEntriesDoNotGiveIsRefused() async throws {
        for size in MemoryLog.sizes {
            let log = MemoryLog(count: size)
            let wrong = Checkpoint(origin: MemoryLog.origin, size: UInt64(size), root: SHA256.hash([1]))
            for checkingHashTiles in [true, false] {
                var found: LogReadError?
                do {
                    let bad: (BadHashTiles) -> Void = { Issue.record("\($0.path) fits its entries") }
                    _ = try await log.published.readEntries(
                        upTo: wrong, badHashTiles: checkingHashTiles ? bad : nil
                    ) { _, _ in }
                } catch {
                    found = error as? LogReadError
                }
                #expect(found == LogReadError.rootMismatch, "\(size)")
            }
        }
    }

    @Test func exchangedEntriesAreFound() async {
        let log = MemoryLog(count: 600)
        var entries = Array(log.entries[256..<512])
        entries.swapAt(10, 200)
        let path = log.bundlePath(of: 256)
        let error = await log.replacing(path, with: EntryBundle.encode(entries)).refusal()
        #expect(error == LogReadError.entryMismatch(index: 266))
    }

    @Test func anEntryWithItsTileForgedIsFoundByTheRoot() async {
        let log = MemoryLog(count: 5)
        var entries = log.entries
        entries[2] = Array("another entry".utf8)
        let forged =
            log
            .replacing("log/tile/entries/000.p/5", with: EntryBundle.encode(entries))
            .replacing("log/tile/0/000.p/5", with: HashTile.encode(entries.map { MerkleHash.leaf($0) }))
        let error = await forged.refusal()
        #expect(error == LogReadError.rootMismatch)
    }

    @Test func aBundleHasAsManyEntriesAsItShould() async {
        for size in [1, 5, 256, 257, 600] {
            let log = MemoryLog(count: size)
            let path = log.bundlePath(of: size - 1)
            let first = (size - 1) / TileID.fullWidth * TileID.fullWidth
            let entries = Array(log.entries[first...])
            let malformed = LogReadError.bundleMalformed(path: path, firstIndex: UInt64(first))
            let bytes = EntryBundle.encode(entries)
            var bundles: [[UInt8]] = [[], joined(bytes, [0]), Array(bytes.dropLast()), joined(bytes, [0, 3, 1, 2, 3])]
            bundles.append(EntryBundle.encode(entries.dropLast()))
            for wrong in bundles {
                let error = await log.replacing(path, with: wrong).refusal()
                #expect(error == malformed, "\(size)")
            }
        }
    }

    @Test func aHashTileHasAsManyHashesAsItShould() async {
        for size in [1, 5, 256, 257, 600] {
            let log = MemoryLog(count: size)
            for path in log.paths where !path.hasPrefix("log/tile/entries/") {
                let bytes = log.resources[path] ?? []
                var tiles = [Array(bytes.dropLast(32)), Array(bytes.dropLast())]
                if bytes.count < TileID.fullWidth * 32 { tiles += [joined(bytes, [0]), joined(bytes, bytes)] }
                for wrong in tiles {
                    #expect(await log.replacing(path, with: wrong).found() == Found(tile: path), "\(path)")
                }
            }
        }
    }

    @Test func badHashTilesAreCountedAndTheFirstIsNamed() async throws {
        let log = MemoryLog(count: 600)
        let bad = log.flipping("log/tile/0/001", at: 7).flipping("log/tile/0/002.p/88", at: 0)
            .replacing("log/tile/1/000.p/2", with: [])
        var found: [BadHashTiles] = []
        let (tree, entries) = try await bad.read { found.append($0) }
        #expect(tree == log.tree && entries == log.entries)
        #expect(found.map(\.path) == ["log/tile/0/001"] && found.map(\.count) == [3])
    }

    /// If the entries are wrong, tiles that are wrong too are not reported.
    @Test func badHashTilesOfABadLogAreNotTheFault() async {
        let log = MemoryLog(count: 600)
        let path = log.bundlePath(of: 300)
        let bad = log.flipping(path, at: log.offset(of: 300)).flipping("log/tile/0/000", at: 0)
        #expect(await bad.found() == Found(error: .rootMismatch))
    }

    @Test func aResourceOfMoreBytesThanItMayHaveIsNotTakenIn() async {
        let log = MemoryLog(count: 256)
        let bundle = "log/tile/entries/000"
        let bytes = [UInt8](repeating: 0, count: MemoryLog.bounds.longestBundle + 1)
        let largeBundle = await log.replacing(bundle, with: bytes).refusal()
        #expect(largeBundle == LogReadError.source(.tooLarge(location: "memory:" + bundle)))
        #expect(largeBundle?.isProof == false)
        let tile = "log/tile/0/000"
        let hashes = [UInt8](repeating: 0, count: TileID.fullWidth * Bytes32.count + 1)
        #expect(await log.replacing(tile, with: hashes).found() == Found(tile: tile))
        let note = [UInt8](repeating: 0, count: SignedNote.maximumCount + 1)
        let largeNote = await log.replacing("log/checkpoint", with: note).checkpointRefusal()
        #expect(largeNote == LogReadError.source(.tooLarge(location: "memory:log/checkpoint")))
    }
}
