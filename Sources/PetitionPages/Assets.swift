import Bytes
import PageParts
import Sodium

/// A file that pages load from their own server. Its name contains its hash, so that it may be cached forever.
public struct Asset: Sendable {
    /// The last segment of its path.
    public let name: String
    /// Its content type.
    public let type: String
    /// Its bytes.
    public let bytes: [UInt8]
    /// For the `integrity` attribute (W3C Subresource Integrity).
    let integrity: String

    fileprivate init(_ name: String, _ suffix: String, type: String, _ bytes: [UInt8]) {
        let hash = SHA256.hash(bytes)
        self.name = "\(name)-\(hash.hex.prefix(12)).\(suffix)"
        self.type = type
        self.bytes = bytes
        integrity = "sha256-" + Base64.encode(hash.array)
    }

    /// The stylesheet of all pages.
    static let style = Asset("page", "css", type: "text/css; charset=utf-8", Stylesheet.bytes)
    /// Keeps a petition's page up to date.
    static let live = Asset("live", "js", type: "text/javascript; charset=utf-8", PackageResources.live_js)
    /// Copies commands.
    static let copy = Asset("copy", "js", type: "text/javascript; charset=utf-8", PackageResources.copy_js)
    /// Puts the code of an invitation into its command.
    static let invitation = Asset(
        "invitation", "js", type: "text/javascript; charset=utf-8", PackageResources.invitation_js)
    /// Does the work for a request while many ask.
    static let request = Asset("request", "js", type: "text/javascript; charset=utf-8", PackageResources.request_js)
    /// Checks receipts.
    static let check = Asset("check", "js", type: "text/javascript; charset=utf-8", PackageResources.check_js)

    /// The icon in the browser's tab: signatures in a circle.
    static let icon = Asset("icon", "svg", type: "image/svg+xml", PackageResources.icon_svg)

    /// All assets, by name.
    public static let all: [String: Asset] = Dictionary(
        uniqueKeysWithValues: [style, live, copy, invitation, request, check, icon].map { ($0.name, $0) })
}
