import ArgumentParser
import CommandSupport
import Documents
import Witnessing

/// A witness and where it takes submissions, as an operator names them.
public struct WitnessArguments: ParsableArguments {
    @Argument(help: "The witness's vkey.") var vkey: String
    @Argument(help: "Its address.") var url: String

    /// For the argument parser.
    public init() {}

    /// The witness and its address. Throws a ``UserError`` for what is neither.
    public func parsed() throws -> (key: WitnessKey, url: ServiceURL) {
        guard let key = WitnessKey(parsing: vkey) else {
            throw UserError(
                .usage, "\(shown(vkey)) is not the vkey of a witness", hint: "its operator's status prints it")
        }
        return (key, try AddressText.server(url))
    }
}
