/// Reads tables from CSV (RFC 4180), byte by byte: to Swift, a quotation mark and a combining mark are one Character,
/// and so are a carriage return and a line feed.
enum CSVTable {
    /// A row and the line of the file that it begins in.
    struct Row: Equatable {
        /// The number of the line, from 1.
        let line: Int
        /// The cells, unquoted.
        let cells: [String]

        /// True when nothing that a person could see is in it.
        var isEmpty: Bool { cells.allSatisfy { $0.unicodeScalars.allSatisfy(isInvisible) } }
    }

    /// Why a text is no table.
    enum Fault: Error, Equatable {
        /// A cell begins with a quotation mark in this line and column, and does not end.
        case quoteNotClosed(line: Int, column: Int)
        /// A cell has a quotation mark inside and is not quoted, or goes on after its closing mark.
        case strayQuote(line: Int, column: Int)
    }

    /// The rows of a text in UTF-8. Lines end with CR LF, LF or CR; a line without anything is a row of one empty cell.
    static func rows(_ text: some RandomAccessCollection<UInt8>, separator: UInt8) throws(Fault) -> [Row] {
        var reader = Reader(rest: Array(text), separator: separator)
        var rows: [Row] = []
        while let row = try reader.row() { rows.append(row) }
        return rows
    }

    private struct Reader {
        private static let (quote, lineFeed, carriageReturn) = (UInt8(0x22), UInt8(0x0A), UInt8(0x0D))
        let rest: [UInt8]
        let separator: UInt8
        private var position = 0
        private var line = 1

        init(rest: [UInt8], separator: UInt8) {
            self.rest = rest
            self.separator = separator
        }

        private var next: UInt8? { position < rest.count ? rest[position] : nil }

        mutating func row() throws(Fault) -> Row? {
            guard next != nil else { return nil }
            let first = line
            var cells: [String] = []
            while true {
                let cell = next == Self.quote ? try quoted(column: cells.count + 1) : try plain(column: cells.count + 1)
                cells.append(String(decoding: cell, as: UTF8.self))
                guard next == separator else { break }
                position += 1
            }
            skipLineEnd()
            return Row(line: first, cells: cells)
        }

        private mutating func plain(column: Int) throws(Fault) -> [UInt8] {
            let start = position
            while let byte = next, byte != separator, byte != Self.lineFeed, byte != Self.carriageReturn {
                guard byte != Self.quote else { throw .strayQuote(line: line, column: column) }
                position += 1
            }
            return Array(rest[start..<position])
        }

        private mutating func quoted(column: Int) throws(Fault) -> [UInt8] {
            let first = line
            var cell: [UInt8] = []
            position += 1
            while let byte = next {
                if byte == Self.quote {
                    position += 1
                    guard next == Self.quote else {
                        guard next == nil || isEnd(next) else { throw .strayQuote(line: line, column: column) }
                        return cell
                    }
                } else if byte == Self.lineFeed || byte == Self.carriageReturn && !isLineFeed(position + 1) {
                    line += 1
                }
                cell.append(byte)
                position += 1
            }
            throw .quoteNotClosed(line: first, column: column)
        }

        private func isEnd(_ byte: UInt8?) -> Bool {
            byte == separator || byte == Self.lineFeed || byte == Self.carriageReturn
        }

        private func isLineFeed(_ index: Int) -> Bool { index < rest.count && rest[index] == Self.lineFeed }

        private mutating func skipLineEnd() {
            guard let byte = next else { return }
            position += byte == Self.carriageReturn && isLineFeed(position + 1) ? 2 : 1
            line += 1
        }
    }
}
