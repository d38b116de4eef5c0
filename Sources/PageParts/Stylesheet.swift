/// The one stylesheet of all pages.
package enum Stylesheet {
    /// The file.
    package static let bytes: [UInt8] = PackageResources.page_css
}
