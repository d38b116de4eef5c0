import DurableFiles
import Platform

/// File systems whose files are on another machine.
package enum NetworkDisk {
    /// Their types, as Linux names them in the list of mounts (proc_pid_mountinfo(5)).
    private static let types: Set<String> = [
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "coda", "fuse.sshfs", "fuse.glusterfs", "lustre",
    ]
    private static let mountsLimit = 4 << 20

    /// The type of the file system of `path` if it is such a one; nil if it is not, or if that cannot be told.
    static func type(of path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0, let mounts = try? DurableFile.read("/proc/self/mountinfo", limit: mountsLimit)
        else { return nil }
        let device = status.st_dev
        let major = (device >> 8) & 0xFFF | (device >> 32) & ~0xFFF
        let minor = device & 0xFF | (device >> 12) & ~0xFF
        return type(ofDevice: "\(major):\(minor)", mounts: String(decoding: mounts, as: UTF8.self))
    }

    /// The same for a device, given the list of mounts: `36 35 98:0 /a /b rw,noatime master:1 - ext3 /dev/root rw`.
    package static func type(ofDevice device: String, mounts: String) -> String? {
        for line in mounts.utf8.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
            guard fields.count > 3, fields[2] == device, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count
            else { continue }
            return types.contains(fields[dash + 1]) ? fields[dash + 1] : nil
        }
        return nil
    }
}
