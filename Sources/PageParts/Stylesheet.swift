/// The one stylesheet of all pages.
package enum Stylesheet {
    /// The contents of the file.
    package static let bytes: [UInt8] = PackageResources.page_css
}
