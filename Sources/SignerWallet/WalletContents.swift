import Bytes
import Documents
import TransparencyLog

/// What a wallet stores in addition to its seed.
struct WalletContents: Equatable {
    /// An enrolment in one roll.
    struct Enrolment: Equatable {
        /// The roll's descriptor as published.
        let descriptor: [UInt8]
        /// The hash of the code that was used.
        let codeHash: [UInt8]
        /// The code itself, until the answer has come.
        var code: [UInt8]?
        /// `W`.
        var token: [UInt8]?
        /// When the token came, in seconds since 1970.
        var issuedAt: Int64?
        /// The index of the wallet's own `0x02` entry in the enrolment log.
        var issueIndex: UInt64?
        /// The opening of joining after it, once it was seen.
        var opening: Opening?
        /// How far joining has come; nil before the key was sent from here.
        var joining: Joining?
        /// When the key is to be sent, in the phase that opened at a time; both in seconds since 1970.
        var joinMoment: JoinMoment?
        /// How often the key was sent without a person who asked for that each time.
        var joinSendings: Int?
        /// The ring, if it was found in a roll that is too large to be read for each signature.
        var ring: OwnRing?

        /// Whether the key is still to be sent, or was sent without an answer.
        var isWaiting: Bool { joining == nil || joining == .sending }
    }

    /// The moment that was drawn for a joining phase.
    struct JoinMoment: Equatable {
        let opened: UInt64
        let at: Int64
    }

    /// The ring that this wallet's key was found in, when the whole roll was read.
    struct OwnRing: Equatable {
        /// A rule that the roll was found to break.
        struct Fault: Equatable {
            /// The index in the members log from which on no ring is good for that reason.
            let limit: UInt64
            /// The log, the index and the name of the rule that it breaks there.
            let log: String
            let index: UInt64
            let rule: String
        }

        /// Its number, and its seal's index in the members log.
        let number: UInt32
        let sealIndex: UInt64
        /// The members' keys, 32 bytes each.
        let members: [UInt8]
        /// Where the members log ended when it was read.
        let logSize: UInt64
        let logRoot: [UInt8]
        let logFullTiles: [UInt8]
        /// What was wrong behind the ring.
        let fault: Fault?
    }

    /// What a wallet remembers about joining.
    enum Joining: String {
        /// The key may have been sent: no answer came yet.
        case sending
        /// The coordinator accepted the key.
        case sent
        /// This wallet does not know how its key got into the roll, or what was seen since: the key was already there,
        /// or the wallet was restored from an export.
        case found
        /// The same, and the owner agreed to go on.
        case accepted
    }

    /// Something that was shown and does not fit what was seen before.
    struct Oddity: Equatable {
        /// What was shown. What may be an old state is asked about once.
        let what: SignerOddity
        /// When it was shown, in seconds since 1970.
        let at: Int64
    }

    /// A `0x04` entry of an enrolment log.
    struct Opening: Equatable {
        /// Its index.
        let index: UInt64
        /// Its round.
        let round: UInt32
        /// Its `opened`, in seconds since 1970.
        let opened: UInt64
        /// When it was first seen, in seconds since 1970.
        let seenAt: Int64
        /// When the log was last seen without it, in seconds since 1970, if it was.
        let lastWithout: Int64?
    }

    /// A signature under one petition.
    struct Signature: Equatable {
        /// The petition's note.
        let petition: [UInt8]
        /// The aggregator's index in the manifest.
        var aggregator: Int
        /// The record; a retry sends these bytes.
        let record: [UInt8]
        /// The receipt, and the record that it is for (another one if the tag was counted before).
        var receipt: [UInt8]?
        var receiptRecord: [UInt8]?
        /// The withdrawal and its receipt.
        var withdrawal: [UInt8]?
        var withdrawalReceipt: [UInt8]?
        /// True if the roll is so large that the record is not sent right after what was read.
        var isOfLargeRoll = false
    }

    /// What a person agreed to once, and the program does step by step.
    struct Plan: Equatable {
        /// The roll's descriptor as it was shown, and the code of the invitation until it is used.
        let roll: [UInt8]
        var code: [UInt8]?
        /// The petition's note as it was shown, and where it was read.
        let petition: [UInt8]?
        let address: String?
        /// The floors that were agreed to.
        let ringFloor: Int
        let roundFloor: UInt64
        /// Within how many seconds after the ring is found the record is sent.
        let within: Int
        /// What its owner must look at before it goes on, and the name of the risk that it is, if it is one.
        var stopped: String?
        var stoppedByRisk: String?
        /// Why it does not go on.
        var ended: String?
        /// True once the ring was found, where there is no petition.
        var isDone = false
    }

    /// A signed head of a log.
    struct Head: Equatable {
        /// The signed checkpoint.
        let note: [UInt8]
        /// When it was read, in seconds since 1970.
        let at: Int64
        /// The root over its full tiles.
        let fullTiles: [UInt8]
    }

    /// What was seen of a log.
    struct Seen: Equatable {
        /// How many outlines are kept at most: each takes a signature, or a try.
        static let mostOutlines = 8

        /// The newest head that continues every earlier one, to the last entry.
        var head: Head
        /// Newer ones, if they continue that one only as far as full tiles show. The next reading in full must continue
        /// each.
        var outlines: [Head] = []
        /// A signed checkpoint that contradicts these by its tiles. What proves that to others is kept when the entries
        /// of the log are read.
        var disputed: [UInt8]?
    }

    var enrolments: [Enrolment] = []
    var signatures: [Signature] = []
    /// What is done step by step.
    var plans: [Plan] = []
    /// When servers were last asked something, by ``Errand``, in seconds since 1970.
    var visits: [String: Int64] = [:]
    /// True once something was begun through a proxy with ``SupportPlan``.
    var needsProxy = false
    /// Logs by their vkey: another key is another log.
    var seen: [String: Seen] = [:]
    /// What each coordinator showed but should not have, by its key in base64: the newest contradiction, or else an old
    /// state. The person is asked about it before each join and each signature.
    var oddities: [String: Oddity] = [:]
}

/// A log as it was last seen.
struct SeenLog {
    let checkpoint: Checkpoint
    let note: [UInt8]
    let at: UTCTime
    /// The root over its full tiles; nil where that is not known.
    var fullTiles: Bytes32?
}
