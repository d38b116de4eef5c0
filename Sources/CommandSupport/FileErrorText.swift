import FoundationEssentials

extension CocoaError {
    /// Why a file could not be written, in words.
    public var reason: String {
        switch code {
        case .fileWriteOutOfSpace: "the disk is full"
        case .fileWriteNoPermission: "that is not permitted"
        case .fileWriteVolumeReadOnly: "the disk is read-only"
        case .fileWriteFileExists: "there is a file of that name"
        case .fileNoSuchFile, .fileReadNoSuchFile: "there is no such folder"
        default: "error \(code.rawValue)"
        }
    }
}
