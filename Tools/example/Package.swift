// swift-tools-version: 6.2
import PackageDescription

// A package that builds on Roundrobin's core: no server, no database, no network.
let package = Package(
    name: "example",
    dependencies: [.package(name: "roundrobin", path: "../..")],
    targets: [
        .executableTarget(
            name: "SignAndVerify", dependencies: [.product(name: "RoundrobinCore", package: "roundrobin")])
    ]
)
