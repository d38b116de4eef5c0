import CPNG
import CQREncode

/// A QR code (ISO/IEC 18004) of a text, by libqrencode, with error correction level M.
public struct QRCode: Sendable {
    /// Modules on a side, without the quiet zone.
    private let width: Int
    private let isDark: [Bool]
    /// Light modules around the code, as the standard asks.
    private static let quietZone = 4
    /// Pixels of one module in a PNG.
    private static let scale = 12

    /// The code of `text`; nil when that is longer than a code can hold (some 2,300 bytes).
    public init?(_ text: String) {
        guard let code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M) else { return nil }
        defer { QRcode_free(code) }
        let width = Int(code.pointee.width)
        self.width = width
        isDark = (0..<width * width).map { code.pointee.data[$0] & 1 == 1 }
    }

    private var side: Int { width + 2 * Self.quietZone }

    private func isDark(_ x: Int, _ y: Int) -> Bool {
        let (column, row) = (x - Self.quietZone, y - Self.quietZone)
        return (0..<width).contains(column) && (0..<width).contains(row) && isDark[row * width + column]
    }

    /// As an SVG picture, dark on white whatever the page's colours, with `title` as its text alternative.
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

    /// As a PNG picture in grey.
    public var png: [UInt8] {
        let pixels = side * Self.scale
        var grey = [UInt8](repeating: 255, count: pixels * pixels)
        for y in 0..<pixels {
            for x in 0..<pixels where isDark(x / Self.scale, y / Self.scale) { grey[y * pixels + x] = 0 }
        }
        var image = png_image()
        image.version = png_uint_32(PNG_IMAGE_VERSION)
        image.width = png_uint_32(pixels)
        image.height = png_uint_32(pixels)
        image.format = png_uint_32(PNG_FORMAT_GRAY)
        // Compressed it is far smaller; no picture of this kind is larger than its pixels and a little.
        var count = png_alloc_size_t(grey.count + 4096)
        var bytes = [UInt8](repeating: 0, count: count)
        guard png_image_write_to_memory(&image, &bytes, &count, 0, grey, 0, nil) != 0 else {
            preconditionFailure("a picture in memory can be written to memory")
        }
        return Array(bytes[..<Int(count)])
    }
}
