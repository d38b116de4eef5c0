import Platform

/// A cache of signed documents by their bytes: each is parsed and verified once, however often it is looked up in a
/// program's storage.
public final class ParsedDocuments<Document: Sendable>: Sendable {
    private let known = Mutex<[[UInt8]: Document]>([:])
    private let parse: @Sendable ([UInt8]) throws(DocumentError) -> Document

    /// A cache of documents that are parsed and verified by `parse`.
    public init(_ parse: @escaping @Sendable ([UInt8]) throws(DocumentError) -> Document) {
        self.parse = parse
    }

    /// The document in `note`. Throws the error of parsing it.
    public func callAsFunction(_ note: [UInt8]) throws(DocumentError) -> Document {
        if let document = known.withLock({ $0[note] }) { return document }
        let document = try parse(note)
        known.withLock { $0[note] = document }
        return document
    }
}
