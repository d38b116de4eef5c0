import TransparencyLog

/// How large each log of this protocol may be (`Protocol/log.md`, "Limits").
extension LogBounds {
    /// A roll's members log: 2^20 entries of up to 41 bytes.
    public static let members = LogBounds(longestEntry: RollEntry.maximumCount, mostEntries: 1 << 20)
    /// A roll's enrolment log: 2^21 entries of up to 33 bytes.
    public static let enrolment = LogBounds(longestEntry: EnrolmentEntry.maximumCount, mostEntries: 1 << 21)
    /// A coordinator's announcements log: 2^16 entries of up to 65 bytes.
    public static let announcements = LogBounds(longestEntry: Announcement.maximumCount, mostEntries: 1 << 16)
    /// A petition's log: 2^31 entries of up to 1,126 bytes.
    public static let petition = LogBounds(longestEntry: SubmittedRecord.maximumCount, mostEntries: 1 << 31)
}
