import Bytes
import Ristretto255
import Sodium
import Testing
import VOPRF

@Suite struct GroupVectorTests {
    @Test func pointsAreAcceptedAndRefused() throws {
        for file in try VectorFiles.load(ProtocolVectors.self) {
            for vector in file.points ?? [] {
                let encoding = try vector.encoding.bytes32()
                if !vector.valid {
                    #expect(throws: DecodingError.nonCanonicalPoint) { try GroupElement(decoding: encoding) }
                } else if encoding.isZero {
                    #expect(throws: DecodingError.identityPoint) { try GroupElement(decoding: encoding) }
                    #expect(throws: Never.self) { try GroupElement(decodingAllowingIdentity: encoding) }
                } else {
                    #expect(try GroupElement(decoding: encoding).encoding == encoding)
                }
            }
        }
    }

    @Test func scalarsAreAcceptedAndRefused() throws {
        for file in try VectorFiles.load(ProtocolVectors.self) {
            for vector in file.scalars ?? [] {
                let encoding = try vector.encoding.bytes32()
                let secret = SecretBytes(copying: vector.encoding.bytes)
                let isSecretAccepted = SecretScalar(decoding: secret) != nil
                #expect(isSecretAccepted == vector.valid)
                if vector.valid {
                    #expect(try Scalar(decoding: encoding).bytes == encoding)
                } else {
                    #expect(throws: DecodingError.nonCanonicalScalar) { try Scalar(decoding: encoding) }
                }
            }
        }
    }

    @Test func multiplesOfTheBasePoint() throws {
        for file in try VectorFiles.load(ProtocolVectors.self) {
            var sum = GroupElement.identity
            for (index, multiple) in (file.multiplesOfB ?? []).enumerated() {
                #expect(sum.encoding == (try multiple.bytes32()))
                #expect(GroupElement.base.multiplied(by: Scalar(UInt64(index))) == sum)
                sum = sum + .base
            }
        }
    }

    @Test func hashing() throws {
        for file in try VectorFiles.load(ProtocolVectors.self) {
            for vector in file.expandMessage ?? [] {
                let output = HashToGroup.expandMessage(
                    vector.msg.bytes, dst: Array(vector.dst.utf8), length: vector.length)
                #expect(output == vector.output.bytes)
            }
            for vector in file.hashToGroup ?? [] {
                let element = HashToGroup.element(vector.msg.bytes, dst: Array(vector.dst.utf8))
                #expect(element.encoding.array == vector.output.bytes)
            }
            for vector in file.hashToScalar ?? [] {
                #expect(
                    HashToGroup.scalar(vector.msg.bytes, dst: Array(vector.dst.utf8)).bytes.array
                        == vector.output.bytes)
                let half = vector.msg.bytes.count / 2
                let secret = SecretBytes(copying: Array(vector.msg.bytes[..<half]))
                let scalar = HashToGroup.secretScalar(
                    secret, Array(vector.msg.bytes[half...]), dst: Array(vector.dst.utf8))
                #expect(scalar.published().bytes.array == vector.output.bytes)
            }
        }
    }
}

@Suite struct VOPRFVectorTests {
    @Test func rfc9497() throws {
        for file in try VectorFiles.load(ProtocolVectors.self) {
            guard let suite = file.rfc9497 else { continue }
            let seed = SecretBytes(copying: suite.seed.bytes)
            let server = VOPRFServer(seed: seed, info: suite.keyInfo.bytes)
            #expect(server.publicKey.encoding.array == suite.pkSm.bytes)
            for vector in suite.vectors { try check(vector, server: server) }
        }
    }

    private func check(_ vector: ProtocolVectors.OPRF.Vector, server: borrowing VOPRFServer) throws {
        let inputs = try bytes(vector.Input)
        let blinds = try bytes(vector.Blind)
        let blinded = try elements(vector.BlindedElement)
        let evaluated = try elements(vector.EvaluationElement)
        let nonce = try secret(vector.Proof.r.bytes)
        let proof = server.prove(blinded: blinded, evaluated: evaluated, nonce: nonce)
        #expect(proof.encoding == vector.Proof.proof.bytes)
        #expect(proof.isValid(publicKey: server.publicKey, blinded: blinded, evaluated: evaluated))
        #expect(!proof.isValid(publicKey: GroupElement.base, blinded: blinded, evaluated: evaluated))
        let outputs = try bytes(vector.Output)
        for index in inputs.indices {
            let blind = try secret(blinds[index])
            #expect(try VOPRFClient.blind(inputs[index], with: blind).element == blinded[index])
            let (answer, fresh) = server.blindEvaluate(BlindedElement(blinded[index]))
            #expect(answer.element == evaluated[index])
            let token = try VOPRFClient.unblind(
                answer, of: BlindedElement(blinded[index]), blind: blind, proof: fresh, publicKey: server.publicKey)
            let isTokenValid = server.isValid(token: token, for: inputs[index])
            let isTokenValidForAnother = server.isValid(token: token, for: inputs[index] + [0])
            #expect(isTokenValid && !isTokenValidForAnother)
            #expect(finalize(input: inputs[index], token: token) == outputs[index])
            #expect(throws: VOPRFError.proofInvalid) {
                try VOPRFClient.verify(
                    answer, of: BlindedElement(blinded[index]), proof: fresh, publicKey: GroupElement.base)
            }
        }
    }

    /// The hash of `Finalize`, RFC 9497 section 3.3.1, which the product does not use: it keeps the point itself.
    private func finalize(input: [UInt8], token: EnrolmentToken) -> [UInt8] {
        var transcript: [UInt8] = []
        transcript.appendPrefixed(input)
        transcript.appendPrefixed(token.element)
        return SHA512.hash(transcript + Array("Finalize".utf8))
    }

    private func secret(_ bytes: [UInt8]) throws -> SecretScalar {
        guard let scalar = SecretScalar(decoding: SecretBytes(copying: bytes)) else {
            throw VectorProblem(path: "", reason: "not a scalar")
        }
        return scalar
    }

    private func bytes(_ list: String) throws -> [[UInt8]] {
        try list.split(separator: ",").map { try #require(Hex.decode($0)) }
    }

    private func elements(_ list: String) throws -> [GroupElement] {
        try bytes(list).map { try GroupElement(decoding: #require(Bytes32($0))) }
    }
}
