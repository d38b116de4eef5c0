/// The values for a template, by the names of its properties.
protocol PageModel {}

/// A part of several pages. Its property names count as those of the page that contains it.
protocol SharedPageModel: PageModel {}

extension PageModel {
    /// All properties with a value, by name. Made once for each page: looking them up by reflection during rendering
    /// takes eight times as long as everything else.
    var values: [String: Any] {
        var values: [String: Any] = [:]
        for property in Mirror(reflecting: self).children {
            if let shared = property.value as? any SharedPageModel {
                values.merge(shared.values) { first, _ in first }
            } else if let name = property.label, let value = Self.plain(property.value) {
                values[name] = value
            }
        }
        return values
    }

    private static func plain(_ value: Any) -> Any? {
        switch value {
        case let text as String: text
        case let optional as any PageValue: optional.value.flatMap(plain)
        case let model as any PageModel: model.values
        case let models as [any PageModel]: models.map(\.values)
        default: value
        }
    }
}

/// A property that may be absent.
private protocol PageValue {
    var value: Any? { get }
}

extension Optional: PageValue {
    fileprivate var value: Any? { self }
}

/// A file that a page loads, and its hash.
struct LinkedFile: PageModel {
    let href: String
    let integrity: String
}

/// What surrounds the content of all pages.
struct Frame: SharedPageModel {
    /// Links to the page in each language.
    struct Languages: PageModel {
        struct Entry: PageModel {
            let code: String
            let name: String
            let current: Bool
        }
        let all: [Entry]
    }

    let heading: String
    let lang: String
    let icon: String
    let css: LinkedFile
    /// The server's name, if there is no list of petitions to link back to.
    let host: String?
    /// The path of that list.
    let home: String?
    let languages: Languages?
}

/// What a petition's pages say about it.
struct Facts: SharedPageModel {
    let petitionLang: String
    let dir: String
    let startedBy: String
    let addressedTo: String
    let signatures: String
    let plainSignatures: UInt64
    let unit: String
    let withdrawn: String
    let goal: String
    let plainGoal: UInt64
    /// The parts of the goal's phrase before and after the goal.
    let goalBefore: String
    let goalAfter: String
    let state: String
    let path: String
    let url: String
    let id: String
    let shortID: String
    let fingerprint: String
    let shortURL: String
}

/// Where the programs are offered.
struct ProgramsPart: PageModel {
    struct File: PageModel {
        let name: String
        let hash: String
    }
    let url: String
    let files: [File]
    /// The SHA-256 of the signer for browsers, if it is among the files.
    let browserSigner: String?
}

/// What a person sees at the coordinator's address.
struct FrontPage: PageModel {
    struct Entry: PageModel {
        let href: String
        let title: String
    }

    let frame: Frame
    let programs: ProgramsPart?
    let petitions: [Entry]
    let rolls: [Entry]
}

/// Every petition of an aggregator.
struct ListPage: PageModel {
    struct Entry: PageModel {
        let facts: Facts
        let href: String
        let title: String
    }

    let frame: Frame
    let atom: String
    let petitions: [Entry]
}

/// A petition with its count.
struct PetitionPage: PageModel {
    struct Label: PageModel {
        let index: Int
        let label: String
        let count: String
    }
    struct Admission: PageModel {
        let kind: String
        let name: String
        let count: String
        let caution: String?
        let isLater: Bool
    }
    struct Chart: PageModel {
        let svg: String
        let text: String
        let path: String
    }

    let frame: Frame
    let facts: Facts
    let scripts: [LinkedFile]
    let programs: ProgramsPart?
    /// Whether it can be signed now.
    let isOpen: Bool
    /// True: other sites may show a preview of this page.
    let open = true
    let description: String
    let image: String
    /// HTML.
    let statement: String
    let website: String?
    let replaces: String?
    let opens: String
    let opensDay: String
    let checkpoint: String
    let checkpointMinute: String
    /// Since when signatures wait for witnesses, in words; nil if they do not.
    let waits: String?
    /// By how people were admitted, if that needs to be said.
    let hasAdmissions: Bool
    let admissions: [Admission]
    let hasLabels: Bool
    let labels: [Label]
    let chart: Chart?
    let badgeAlt: String
    let mailSubject: String
    let mailBody: String
}

/// A sheet for printing.
struct PosterPage: PageModel {
    let frame: Frame
    let facts: Facts
    /// The SHA-256 of the signer for browsers in groups of four digits, if it is offered.
    let browserHash: String?
    /// SVG.
    let qr: String?
}

/// The page on which a person checks a receipt.
struct CheckPage: PageModel {
    let frame: Frame
    let facts: Facts
    let scripts: [LinkedFile]
    let programs: ProgramsPart?
    let title: String
    /// The log's name and its key in base64.
    let origin: String
    let key: String
    /// The names and keys, in base64, of the witnesses that can be checked, as a JSON array of pairs; nil without a
    /// policy.
    let witnesses: String?
}

/// What a person sees instead of a page that cannot be shown.
struct ProblemPage: PageModel {
    let frame: Frame
    let detail: String
}

/// What a person sees who wants no more mail.
struct StopPage: PageModel {
    let frame: Frame
    let text: String
    let value: String
    let button: String
}

/// Where somebody asks for an invitation.
struct RequestPart: PageModel {
    let action: String
    let token: String
    let address: String
    /// Why it was not taken; nil the first time.
    let notice: String?
    /// Why nobody can ask now; nil if anybody can.
    let refused: String?
    let bits: String?
    let seed: String
}

/// What a person sees who asked for an invitation.
struct AskedPage: PageModel {
    let frame: Frame
    let text: String
    let waiting: String
    let back: String
}

/// What a person sees who opens an invitation link.
struct EnrolmentPage: PageModel {
    let frame: Frame
    let scripts: [LinkedFile]
    let programs: ProgramsPart?
    let keeper: String
    let admission: String
    /// How far the round is, in words; nil if that is not known.
    let round: String?
    let request: RequestPart?
    let url: String
    let id: String
    /// SVG.
    let qr: String?
}
