import Bytes
import Documents
import Petitions
import Ristretto255

/// Reads request bodies with points: an error is thrown as the rule with which servers answer.
extension JSONFields {
    init(request body: [UInt8]) throws(Rule) {
        do { try self.init(parsing: body) } catch { throw .malformedRequest }
    }

    mutating func requestBytes(_ name: String, count: Int) throws(Rule) -> [UInt8] {
        do { return try bytes(name, count: count) } catch { throw .malformedRequest }
    }

    /// An encoded point.
    mutating func point(_ name: String) throws(Rule) -> GroupElement {
        let encoding: Bytes32
        do { encoding = try bytes32(name) } catch { throw .malformedRequest }
        do { return try GroupElement(decoding: encoding) } catch { throw Rule(error) }
    }

    func finishRequest() throws(Rule) {
        do { try finish() } catch { throw .malformedRequest }
    }
}
