import CQREncode

/// A QR code (ISO/IEC 18004) of a text, by libqrencode, with error correction level M.
public struct QRCode: Sendable {
    /// Modules on a side, without the quiet zone.
    private let width: Int
    private let isDark: [Bool]
    /// Light modules around the code, as the standard requires.
    private static let quietZone = 4

    /// The code of `text`; nil when that is longer than a code can hold (some 2,300 bytes).
    public init?(_ text: String) {
        guard let code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M) else { return nil }
        defer { QRcode_free(code) }
        let width = Int(code.pointee.width)
        self.width = width
        isDark = (0..<width * width).map { code.pointee.data[$0] & 1 == 1 }
    }

    /// Modules on a side, with the quiet zone.
    package var side: Int { width + 2 * Self.quietZone }

    /// Whether the module in this column and row is dark.
    package func isDark(_ x: Int, _ y: Int) -> Bool {
        let (column, row) = (x - Self.quietZone, y - Self.quietZone)
        return (0..<width).contains(column) && (0..<width).contains(row) && isDark[row * width + column]
    }

    /// The code as an SVG image, dark on white whatever the page's colours, with `title` as its text alternative.
    public func svg(title: String) -> String {
        var path = ""
        for y in 0..<side {
            var x = 0
            while x < side {
                let start = x
                while x < side, isDark(x, y) { x += 1 }
                if x > start { path += "M\(start) \(y)h\(x - start)v1h-\(x - start)z" }
                x += 1
            }
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(side) \(side)" role="img" class="qr" \
            shape-rendering="crispEdges"><title>\(title.escapedForXML)</title>\
            <path fill="#fff" d="M0 0h\(side)v\(side)H0z"/><path d="\(path)"/></svg>
            """
    }
}
