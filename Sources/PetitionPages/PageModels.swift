import Mustache

/// What a template is filled with. Its names are those of the properties, and of the properties of its parts.
protocol PageModel: MustacheParent {
    /// Models whose names belong to this one too.
    var parts: [any PageModel] { get }
}

extension PageModel {
    var parts: [any PageModel] { [] }

    /// The property with this name; nil when there is none, or nothing in it.
    func child(named name: String) -> Any? {
        for property in Mirror(reflecting: self).children where property.label == name {
            let value = Mirror(reflecting: property.value)
            return value.displayStyle == .optional ? value.children.first?.value : property.value
        }
        return parts.lazy.compactMap { $0.child(named: name) }.first
    }
}

/// A file that a page loads, and its hash.
struct LinkedFile: PageModel {
    let href: String
    let integrity: String
}

/// What all pages have around them.
struct Frame: PageModel {
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
    /// The server's name, where there is no list of petitions to lead back to.
    let host: String?
    /// The path of that list.
    let home: String?
    let languages: Languages?
}

/// What a petition's pages say of it.
struct Facts: PageModel {
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
    /// What is before and behind the goal in its phrase.
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

/// Every petition of an aggregator.
struct ListPage: PageModel {
    struct Entry: PageModel {
        let facts: Facts
        let href: String
        let title: String
        var parts: [any PageModel] { [facts] }
    }

    let frame: Frame
    let atom: String
    let petitions: [Entry]
    var parts: [any PageModel] { [frame] }
}

/// A petition with its count.
struct PetitionPage: PageModel {
    struct Label: PageModel {
        let index: Int
        let label: String
        let count: String
    }
    struct Chart: PageModel {
        let svg: String
        let text: String
        let path: String
    }

    let frame: Frame
    let facts: Facts
    let script: LinkedFile
    /// Others may show a preview of this page.
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
    let hasLabels: Bool
    let labels: [Label]
    let chart: Chart?
    let badgeAlt: String
    let mailSubject: String
    let mailBody: String
    var parts: [any PageModel] { [frame, facts] }
}

/// A sheet for printing.
struct PosterPage: PageModel {
    let frame: Frame
    let facts: Facts
    /// SVG.
    let qr: String?
    var parts: [any PageModel] { [frame, facts] }
}

/// The page on which a person checks a receipt.
struct CheckPage: PageModel {
    let frame: Frame
    let facts: Facts
    let script: LinkedFile
    let title: String
    /// The log's name and its key in base64.
    let origin: String
    let key: String
    var parts: [any PageModel] { [frame, facts] }
}

/// What a person sees instead of a page.
struct ProblemPage: PageModel {
    let frame: Frame
    let detail: String
    var parts: [any PageModel] { [frame] }
}

/// What a person sees who opens an invitation link.
struct EnrolmentPage: PageModel {
    let frame: Frame
    let keeper: String
    let url: String
    let id: String
    var parts: [any PageModel] { [frame] }
}
