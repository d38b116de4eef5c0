import CPNG
import PageParts

extension QRCode {
    /// Pixels of one module.
    private static let scale = 12

    /// The code as a greyscale PNG image.
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
        // The compressed image is far smaller; none of this kind is larger than its pixels plus a little.
        var count = png_alloc_size_t(grey.count + 4096)
        var bytes = [UInt8](repeating: 0, count: count)
        guard png_image_write_to_memory(&image, &bytes, &count, 0, grey, 0, nil) != 0 else {
            preconditionFailure("a picture in memory can be written to memory")
        }
        return Array(bytes[..<Int(count)])
    }
}
