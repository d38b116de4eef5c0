import Bytes
import CSodium
import Sodium

/// Hashing to ristretto255 and to scalars: `expand_message_xmd` with SHA-512 (RFC 9380 section 5.3.1).
public enum HashToGroup {
    /// `expand_message_xmd`: `length` uniform bytes for `message` under a domain-separation tag of 1 to 255 bytes.
    /// Traps on other lengths: tags are constants in our code.
    public static func expandMessage(_ message: [UInt8], dst: [UInt8], length: Int) -> [UInt8] {
        let blocks = (length + SHA512.digestCount - 1) / SHA512.digestCount
        precondition((1...255).contains(dst.count) && (1...255).contains(blocks), "outside expand_message_xmd")
        let dstPrime = dst + [UInt8(dst.count)]
        var input = [UInt8](repeating: 0, count: SHA512.blockCount) + message
        input.appendInteger(UInt16(length))
        input += [0] + dstPrime
        let first = SHA512.hash(input)
        var block = [UInt8](repeating: 0, count: SHA512.digestCount)
        var output: [UInt8] = []
        for index in 1...blocks {
            block = SHA512.hash(zip(first, block).map { $0 ^ $1 } + [UInt8(index)] + dstPrime)
            output += block
        }
        return Array(output.prefix(length))
    }

    /// `H2G`: `hash_to_ristretto255` (RFC 9380 appendix B), the one-way map applied to 64 uniform bytes.
    public static func element(_ message: [UInt8], dst: [UInt8]) -> GroupElement {
        let uniform = expandMessage(message, dst: dst, length: 64)
        SodiumLibrary.ready
        return GroupElement(trusted: Bytes32 { SodiumLibrary.require(crypto_core_ristretto255_from_hash($0, uniform)) })
    }

    /// `H2S`: 64 uniform bytes, little-endian, reduced modulo the order. For public input.
    public static func scalar(_ message: [UInt8], dst: [UInt8]) -> Scalar {
        Scalar(reducing: expandMessage(message, dst: dst, length: 64))
    }

    /// `H2S` of `secret || message`, as a secret. Wipes every buffer that held the secret.
    public static func secretScalar(
        _ secret: borrowing SecretBytes, _ message: [UInt8], dst: [UInt8]
    ) -> SecretScalar {
        var input: [UInt8] = []
        input.reserveCapacity(secret.count + message.count)
        secret.withUnsafeBytes { input.append(contentsOf: $0) }
        input += message
        let wide = SecretBytes(expandingOneBlock: &input, dst: dst)
        return SecretScalar(reducing: wide)
    }
}

extension SecretBytes {
    /// `expand_message_xmd` of a secret message to 64 bytes, one output block. Wipes every buffer, including `message`.
    fileprivate init(expandingOneBlock message: inout [UInt8], dst: [UInt8]) {
        let dstPrime = dst + [UInt8(dst.count)]
        var first = SecretBytes(count: SHA512.digestCount)
        let padding = [UInt8](repeating: 0, count: SHA512.blockCount)
        let suffix: [UInt8] = [0, UInt8(SHA512.digestCount), 0] + dstPrime
        var state = crypto_hash_sha512_state()
        SodiumLibrary.require(crypto_hash_sha512_init(&state))
        SodiumLibrary.require(crypto_hash_sha512_update(&state, padding, UInt64(padding.count)))
        SodiumLibrary.require(crypto_hash_sha512_update(&state, message, UInt64(message.count)))
        SodiumLibrary.require(crypto_hash_sha512_update(&state, suffix, UInt64(suffix.count)))
        first.withUnsafeMutableBytes { SodiumLibrary.require(crypto_hash_sha512_final(&state, $0.bytePointer)) }
        message.wipe()
        self.init(count: SHA512.digestCount)
        SodiumLibrary.require(crypto_hash_sha512_init(&state))
        first.withUnsafeBytes {
            SodiumLibrary.require(crypto_hash_sha512_update(&state, $0.bytePointer, UInt64($0.count)))
        }
        let tail = [1] + dstPrime
        SodiumLibrary.require(crypto_hash_sha512_update(&state, tail, UInt64(tail.count)))
        withUnsafeMutableBytes { SodiumLibrary.require(crypto_hash_sha512_final(&state, $0.bytePointer)) }
        sodium_memzero(&state, MemoryLayout.size(ofValue: state))
    }
}
