// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A library of this package. Dependencies point one way: the target may import only what is listed.
func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// A library of pages, with templates and other files from its folder `Files` embedded.
func pages(_ name: String, _ dependencies: [Target.Dependency], files: [String]) -> Target {
    .target(
        name: name, dependencies: dependencies + [mustache], resources: files.map { .embedInCode("Files/\($0)") },
        swiftSettings: settings)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies + [argumentParser, "CommandSupport"], swiftSettings: settings)
}

/// A program that only this repository's own tools run.
func tool(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: "roundrobin-\(name)", dependencies: dependencies, path: "Tools/programs/\(name)", swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    // What tests themselves do takes little time; optimising it takes minutes of each build.
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings + [.unsafeFlags(["-Onone"])])
}

/// The commit that is built, for `--version`.
let commit =
    Context.gitInformation.map { $0.currentCommit + ($0.hasUncommittedChanges ? "+" : "") } ?? "unknown"

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let nioSOCKS: Target.Dependency = .product(name: "NIOSOCKS", package: "swift-nio-extras")
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let httpServer: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let httpServerCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let database: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let mustache: Target.Dependency = .product(name: "Mustache", package: "swift-mustache")

let package = Package(
    name: "roundrobin",
    products: [
        // The protocol without servers, files or network: documents, rules, ring signatures, logs, messages.
        .library(
            name: "RoundrobinCore",
            targets: [
                "Bytes", "Sodium", "Ristretto255", "VOPRF", "RingSignatures", "TransparencyLog", "Witnessing",
                "Documents", "Petitions", "Messages",
            ]),
        // Reading published logs, and the complete verification of a copy.
        .library(name: "RoundrobinVerification", targets: ["LogReading", "PetitionCopies", "Verification"]),
        // For tests only: loaded into a server to make its disk fail.
        .library(name: "FaultyDisk", type: .dynamic, targets: ["FaultyDisk"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        // Cryptography: bytes, libsodium, groups, sums, blind evaluation, ring signatures; and logs.
        .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
        library("Platform", []),
        library("Bytes", ["CSodium"]),
        library("Sodium", ["Bytes", "CSodium"]),
        library("Ristretto255", ["Sodium", "Bytes", "CSodium"]),
        .target(name: "CIFMA"),
        library("Multiscalar", ["CIFMA", "Ristretto255", "Bytes", "Platform"]),
        library("VOPRF", ["Multiscalar", "Ristretto255", "Sodium", "Bytes"]),
        library("RingSignatures", ["Multiscalar", "Ristretto255", "Sodium", "Bytes", "Platform", "CSodium"]),
        library("TransparencyLog", ["Sodium", "Bytes"]),
        library("Witnessing", ["TransparencyLog", "Sodium", "Bytes"]),

        // The protocol: documents and rules, what is sent over HTTP, the offline copy, and its complete verification.
        // Nothing here depends on a server, a database or a network.
        library("Documents", ["Witnessing", "TransparencyLog", "Ristretto255", "Sodium", "Bytes", "Platform"]),
        library(
            "Petitions",
            [
                "Documents", "Witnessing", "TransparencyLog", "RingSignatures", "VOPRF", "Multiscalar", "Ristretto255",
                "Sodium", "Bytes",
            ]),
        library("Messages", ["Petitions", "Documents", "RingSignatures", "VOPRF", "Ristretto255", "Sodium", "Bytes"]),
        library("LogReading", ["Witnessing", "TransparencyLog", "Bytes"]),
        library(
            "PetitionCopies",
            [
                "LogReading", "Messages", "Petitions", "Documents", "Witnessing", "TransparencyLog", "Sodium", "Bytes",
                "Platform",
            ]),
        library("TagStorage", ["Petitions", "Bytes", "Platform"]),
        library(
            "Verification",
            [
                "TagStorage", "PetitionCopies", "LogReading", "Messages", "Petitions", "Documents", "Witnessing",
                "TransparencyLog", "RingSignatures", "Ristretto255", "Bytes",
            ]),

        // Pages: their common parts, the servers' pages, and the verifier's report.
        .systemLibrary(name: "CCmark", pkgConfig: "libcmark", providers: [.apt(["libcmark-dev"])]),
        .systemLibrary(name: "CQREncode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        library("Languages", ["Documents"]),
        .target(
            name: "PageParts",
            dependencies: ["CQREncode", "CCmark", "Languages", "Messages", "Petitions", "Documents", "Platform"],
            resources: [.embedInCode("Files/page.css")], swiftSettings: settings),
        pages(
            "PetitionPages",
            [
                "PageParts", "CPNG", "Messages", "Petitions", "Documents", "Witnessing", "TransparencyLog", "Sodium",
                "Bytes", "Platform",
            ],
            files: ["live.js", "copy.js", "invitation.js", "request.js", "check.js", "icon.svg"]
                + [
                    "head", "foot", "list", "petition", "poster", "check", "problem", "enrolment", "front", "programs",
                    "stop", "asked",
                ]
                .map {
                    "\($0).mustache"
                }),
        library("ReportPage", ["PageParts", "Verification", "Messages", "Petitions", "Documents", "Bytes"]),

        // Files, databases and the network; and what both servers do on the wire.
        library("DurableFiles", ["Platform"]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CIDN2", pkgConfig: "libidn2", providers: [.apt(["libidn2-dev"])]),
        library("MailDelivery", ["CCurl", "CIDN2", "Documents", "Sodium", "Bytes", "Platform"]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        library("Storage", ["CPostgres", "DurableFiles", "Platform", database]),
        library(
            "LogStorage",
            ["Storage", "DurableFiles", "Witnessing", "TransparencyLog", "Sodium", "Bytes", "Platform"]),
        .target(
            name: "InvitationMail",
            dependencies: [
                "MailDelivery", "LogStorage", "DurableFiles", "PageParts", "Documents", "Sodium", "Bytes", "Platform",
                "Storage",
            ],
            resources: ["", "asked-", "used-"].flatMap { kind in
                ["en", "fr", "de", "es"].map { .embedInCode("Files/\(kind)\($0).txt") }
            }, swiftSettings: settings),
        library(
            "LogClient",
            [
                "LogReading", "Documents", "TransparencyLog", "Sodium", "Bytes", "Platform", httpClient, nio, nioPosix,
                nioHTTP, nioSOCKS, nioSSL,
            ]),
        library(
            "LogWitnessing",
            [
                "LogStorage", "DurableFiles", "LogReading", "Documents", "Witnessing", "TransparencyLog", "Bytes",
                "Platform", "Storage", logging,
            ]),
        library(
            "ServiceHTTP",
            [
                "LogStorage", "Storage", "PetitionPages", "PageParts", "Messages", "Petitions", "Documents",
                "TransparencyLog", "Platform", httpServer, httpServerCore, httpTypes, nioHTTPTypes, logging, nio,
                lifecycle,
            ]),

        // The roles.
        library(
            "CoordinatorService",
            [
                "ServiceHTTP", "InvitationMail", "MailDelivery", "LogWitnessing", "LogClient", "LogStorage",
                "DurableFiles", "PetitionPages", "PageParts", "PetitionCopies", "LogReading", "Messages", "Petitions",
                "Documents", "Witnessing", "TransparencyLog", "RingSignatures", "VOPRF", "Ristretto255", "Sodium",
                "Bytes", "Platform", "Storage", httpServer, lifecycle, logging,
            ]),
        library(
            "AggregatorService",
            [
                "ServiceHTTP", "LogWitnessing", "LogClient", "LogStorage", "PetitionPages", "PageParts", "TagStorage",
                "PetitionCopies", "LogReading", "Messages", "Petitions", "Documents", "Witnessing", "TransparencyLog",
                "RingSignatures", "Ristretto255", "Sodium", "Bytes", "Platform", "Storage", deque, httpServer,
                httpTypes,
                logging, nio, lifecycle,
            ]),
        library(
            "WitnessService",
            [
                "ServiceHTTP", "LogClient", "LogStorage", "DurableFiles", "LogReading", "Documents", "Witnessing",
                "TransparencyLog",
                "Sodium", "Bytes", "Platform", "Storage", httpServer, httpTypes, logging, nio, lifecycle,
            ]),
        library(
            "SignerWallet",
            [
                "PetitionCopies", "LogReading", "Messages", "Petitions", "Documents", "Witnessing",
                "TransparencyLog", "RingSignatures", "VOPRF", "Ristretto255", "Sodium", "Bytes",
            ]),
        library("WalletFiles", ["SignerWallet", "DurableFiles", "Sodium", "Platform"]),
        library(
            "SignerWords",
            [
                "Languages", "SignerWallet", "LogReading", "Petitions", "Documents", "Witnessing", "TransparencyLog",
                "RingSignatures", "Bytes",
            ]),

        // The programs, and how they speak to people.
        .target(name: "CRelease", cSettings: [.define("ROUNDROBIN_COMMIT", to: "\"\(commit)\"")]),
        library(
            "CommandSupport",
            [
                "DurableFiles", "Petitions", "Documents", "TransparencyLog", "Multiscalar", "Sodium", "Platform",
                "CRelease", argumentParser,
            ]),
        library(
            "ServerCommands",
            [
                "CommandSupport", "ServiceHTTP", "LogClient", "LogStorage", "Storage", "DurableFiles", "PetitionPages",
                "LogReading", "Petitions", "Documents", "Witnessing", "TransparencyLog", "Platform", logging, nio,
            ]),
        program(
            "petition-coordinator",
            [
                "ServerCommands", "CoordinatorService", "InvitationMail", "MailDelivery", "ServiceHTTP", "LogClient",
                "LogStorage", "DurableFiles",
                "PetitionPages", "PageParts", "PetitionCopies", "LogReading", "Messages", "Petitions", "Documents",
                "Witnessing", "TransparencyLog", "Sodium", "Bytes", logging,
            ]),
        program(
            "petition-aggregator",
            [
                "ServerCommands", "AggregatorService", "ServiceHTTP", "LogClient", "DurableFiles", "PetitionCopies",
                "LogReading", "Messages", "Petitions", "Documents", "Witnessing", "TransparencyLog", "Sodium", "Bytes",
            ]),
        program(
            "petition-witness",
            [
                "ServerCommands", "WitnessService", "LogStorage", "DurableFiles", "Documents", "Witnessing",
                "TransparencyLog", "Sodium", "Bytes",
            ]),
        program(
            "petition-signer",
            [
                "WalletFiles", "SignerWords", "Languages", "SignerWallet", "LogClient", "DurableFiles", "Messages",
                "Petitions", "Documents", "TransparencyLog", "RingSignatures", "Sodium", "Bytes", "Platform",
            ]),
        program(
            "petition-verifier",
            [
                "LogClient", "DurableFiles", "ReportPage", "Verification", "PetitionCopies", "LogReading", "Petitions",
                "Documents", "TransparencyLog", "Sodium", "Bytes", "Platform",
            ]),
        // Insecure, for the two tools below: signs with publicly known secrets.
        .target(
            name: "InsecureTestKeys",
            dependencies: [
                "Petitions", "Documents", "Witnessing", "TransparencyLog", "RingSignatures", "VOPRF", "Ristretto255",
                "Sodium", "Bytes", "Platform",
            ],
            path: "Tools/programs/insecuretestkeys", swiftSettings: settings),
        tool(
            "bench",
            [
                "InsecureTestKeys", "PetitionPages", "PageParts", "Messages", "Petitions", "Documents",
                "TransparencyLog", "RingSignatures", "VOPRF", "Multiscalar", "Ristretto255", "Sodium", "Bytes",
                argumentParser,
            ]),
        tool(
            "testlog",
            [
                "InsecureTestKeys", "PetitionCopies", "Messages", "Petitions", "Documents", "Witnessing",
                "TransparencyLog", "Sodium", argumentParser,
            ]),
        tool(
            "load",
            [
                "InsecureTestKeys", "CommandSupport", "AggregatorService", "WalletFiles", "SignerWallet", "LogClient",
                "LogStorage",
                "PetitionCopies", "LogReading", "Messages", "Petitions", "Documents", "Witnessing", "TransparencyLog",
                "RingSignatures",
                "Sodium", "Bytes", "Platform", argumentParser, httpServer, "Storage", nio, nioHTTP, nioPosix,
            ]),
        tool("signerfleet", ["CommandSupport", "SignerWallet", "LogClient", "Petitions", "Documents"]),
        tests(
            "VectorTests",
            [
                "EmulatedLanes", "Petitions", "Documents", "Witnessing", "TransparencyLog", "RingSignatures", "VOPRF",
                "Multiscalar", "Ristretto255", "Sodium", "Bytes",
            ]),
        tests(
            "ScenarioTests",
            [
                "MailDelivery", "Messages", "Petitions", "Documents", "Witnessing", "TransparencyLog", "RingSignatures",
                "VOPRF",
                "Ristretto255", "Sodium", "Bytes", "Platform", "PostgresCluster", httpClient, nio, nioHTTP, database,
            ]),
        .target(name: "FaultyDisk", path: "Tests/FaultyDisk"),
        // The vector code of CIFMA for any processor, for tests only.
        .target(name: "EmulatedLanes", path: "Tests/EmulatedLanes"),
        tests("MultiscalarTests", ["EmulatedLanes", "Multiscalar", "Ristretto255", "Sodium", "Bytes"]),
        tests(
            "RingSignaturesTests",
            ["EmulatedLanes", "RingSignatures", "Multiscalar", "Ristretto255", "Sodium", "Bytes", "Platform"]),
        tests(
            "PetitionPagesTests",
            [
                "InsecureTestKeys", "PetitionPages", "PageParts", "Messages", "Petitions", "Documents",
                "TransparencyLog", "Sodium", mustache,
            ]),
        tests("MailDeliveryTests", ["MailDelivery", "Documents"]),
        tests(
            "InvitationMailTests",
            ["InvitationMail", "MailDelivery", "LogStorage", "PageParts", "Documents", "Sodium", "Bytes", "Platform"]),
        tests("MessagesTests", ["Messages", "Petitions", "Documents", "Sodium", "Bytes"]),
        tests("VerificationTests", ["Verification", "TagStorage", "Petitions", "Documents", "Sodium", "Bytes"]),
        tests("AggregatorServiceTests", ["AggregatorService", "ServiceHTTP", "Messages"]),
        tests(
            "CoordinatorServiceTests",
            [
                "CoordinatorService", "PageParts", "Messages", "Petitions", "Documents", "RingSignatures", "VOPRF",
                "Ristretto255", "Platform",
            ]),
        tests(
            "SignerWalletTests",
            [
                "WalletFiles", "SignerWords", "Languages", "SignerWallet", "LogReading", "Messages", "Petitions",
                "Documents", "Witnessing", "TransparencyLog", "RingSignatures", "VOPRF", "Ristretto255", "Sodium",
                "Bytes", "Platform",
            ]),
        tests(
            "LogWitnessingTests",
            [
                "LogWitnessing", "LogStorage", "LogReading", "Documents", "Witnessing", "TransparencyLog", "Sodium",
                "Platform", "Storage", logging,
            ]),
        // Servers of PostgreSQL, for tests only.
        .target(
            name: "PostgresCluster", dependencies: ["Platform"], path: "Tests/PostgresCluster", swiftSettings: settings),
        tests("StorageTests", ["Storage", "PostgresCluster", "Platform", database]),
        tests(
            "LogStorageTests",
            ["LogStorage", "Storage", "PostgresCluster", "TransparencyLog", "Sodium", "Bytes"]),
        tests(
            "PetitionsTests",
            [
                "TagStorage", "PetitionCopies", "LogReading", "Messages", "Petitions", "Documents", "Witnessing",
                "TransparencyLog", "RingSignatures", "VOPRF", "Ristretto255", "Sodium", "Bytes", "Platform",
            ]),
    ]
)

// Links with libFuzzer, which only `Tools/test --fuzz` asks for.
if Context.environment["ROUNDROBIN_FUZZ"] != nil {
    package.targets.append(
        tool(
            "fuzz",
            [
                "CommandSupport", "CoordinatorService", "InvitationMail", "MailDelivery", "LogWitnessing",
                "PetitionPages", "PageParts", "Verification",
                "Messages", "Petitions", "Documents", "Witnessing", "TransparencyLog", "RingSignatures", "VOPRF",
                "Ristretto255", "Sodium", "Bytes",
            ]))
}
