import CommandSupport
import Documents
import DurableFiles
import Foundation
import Messages
import Petitions
import SwiftCSV

/// The people to invite, from a CSV file whose first line contains the column names.
struct InvitationList {
    private static let maximumCount = 64 << 20
    private let header: [String]
    private let rows: [[String]]

    init(reading path: String) throws {
        guard let bytes = DurableFile.read(path, limit: Self.maximumCount),
            let text = String(validating: bytes, as: UTF8.self)
        else { throw UserError(.refused, "\(path) cannot be read as UTF-8 text") }
        let csv: CSV<Enumerated>
        do { csv = try CSV<Enumerated>(string: text, delimiter: .comma, loadColumns: false) } catch {
            throw UserError(.refused, "\(path) is not a CSV file", hint: "quote fields that contain commas or quotes")
        }
        header = csv.header
        rows = csv.rows.filter { $0.contains { !$0.isEmpty } }
        guard !rows.isEmpty else {
            throw UserError(
                .refused, "\(path) names nobody", hint: "the first line names the columns, such as name,email")
        }
        if let odd = rows.firstIndex(where: { $0.count != header.count }) {
            throw UserError(.refused, "line \(odd + 2) of \(path) does not have \(header.count) columns")
        }
    }

    /// The label that the coordinator stores for each person.
    var labels: [String] {
        rows.map { $0.joined(separator: ", ") }
    }

    /// The same table, with a code and a link added for each person.
    func letters(_ links: [InvitationLink]) -> String {
        let lines = zip(rows, links).map { $0 + [$1.code.text, $1.text] }
        return CSVText.table([header + ["code", "link"]] + lines, lineEnd: "\n")
    }
}
