import Documents
import Petitions

/// What servers were asked something for: a roll, or a petition. Two of them that one person has must not be seen side
/// by side.
public struct Errand: Hashable, Sendable {
    /// How it is stored.
    let name: String

    init(name: String) { self.name = name }

    /// Something for a roll: enrolling, joining, looking.
    public static func roll(_ link: RollLink) -> Errand { Errand(name: "roll \(link.url.text)") }

    /// Something for a petition: reading, signing, withdrawing.
    public static func petition(_ id: PetitionID) -> Errand { Errand(name: "petition \(id.hex)") }

    /// Something for the petition at an address.
    static func petition(at url: ServiceURL) -> Errand { Errand(name: "petition \(url.segments.last ?? "")") }
}

extension SupportPlan {
    /// What servers are asked for it.
    var errands: Set<Errand> {
        var errands: Set = [Errand.roll(roll.link)]
        if let petition { errands.insert(.petition(petition.id)) }
        return errands
    }
}

extension Wallet {
    /// For how long it is remembered when servers were asked, in seconds.
    private static let remembered: Int64 = 7 * 86_400

    /// When servers were last asked something for each errand, by whatever command.
    public var visits: [Errand: UTCTime] {
        Dictionary(
            uniqueKeysWithValues: contents.visits.map { (Errand(name: $0.key), UTCTime(seconds: $0.value)) })
    }

    /// Takes note that servers are asked something now. Throws ``SignerError/proxyMissing`` if they may not be.
    func begin(_ errand: Errand, network: SignerNetwork, clock: SignerClock) throws(SignerError) {
        try checkProxy(isProxied: network.isProxied)
        try noteVisit(for: errand, clock: clock)
    }

    /// Takes note that an errand is over: what comes next is kept apart from its end, which servers may put off.
    func end(_ errand: Errand, clock: SignerClock) {
        // What was written when it began is there, if this cannot be.
        try? noteVisit(for: errand, clock: clock)
    }

    /// Takes note that servers are asked something now.
    public func noteVisit(for errand: Errand, clock: SignerClock) throws(SignerError) {
        let now = clock.now.seconds
        contents.visits = contents.visits.filter { now - $0.value < Self.remembered }
        contents.visits[errand.name] = now
        try save()
    }
}
