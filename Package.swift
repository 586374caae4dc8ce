// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

// The libFuzzer entry, which only `scripts/fuzz` asks for.
let isFuzz = Context.environment["TIMELINE_FUZZ"] != nil

let package = Package(
  name: "Timeline",
  products: [
    .executable(name: "timelined", targets: ["timelined"]),
    .executable(name: "timelinectl", targets: ["timelinectl"]),
  ] + (isFuzz ? [.library(name: "Fuzz", type: .static, targets: ["Fuzz"])] : []),
  targets: [
    // System interfaces: module maps and shim headers, nothing else.
    .target(name: "CLinux"),
    .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CLibSSL", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CQREncode", providers: [.apt(["libqrencode-dev"])]),
    .systemLibrary(name: "CZstd", providers: [.apt(["libzstd-dev"])]),

    // Ground floor, pure.
    .target(name: "TransparencyLog", dependencies: ["COpenSSL"], swiftSettings: strict),
    .target(
      name: "TimelineModel",
      dependencies: ["TransparencyLog", "CLinux"],
      resources: [
        .embedInCode("Tables/actors.csv"), .embedInCode("Tables/weights.csv"),
        .embedInCode("Tables/windows.csv"), .embedInCode("Tables/interests.csv"),
      ],
      swiftSettings: strict),

    // Who is a member, and what each may do: rules alone.
    .target(
      name: "Access", dependencies: ["TimelineModel", "TransparencyLog"], swiftSettings: strict),

    .target(
      name: "TransportSecurity", dependencies: ["TransparencyLog", "CLibSSL"],
      swiftSettings: strict),

    // First floor; these do not know each other.
    .target(name: "Engagement", dependencies: ["TimelineModel"], swiftSettings: strict),
    .target(name: "Coding", dependencies: ["TimelineModel"], swiftSettings: strict),
    .target(
      name: "EventStore", dependencies: ["Access", "TimelineModel", "TransparencyLog", "CLinux"],
      swiftSettings: strict),

    .target(
      name: "TimelineWire", dependencies: ["Access", "TimelineModel", "TransparencyLog"],
      swiftSettings: strict),

    // The daemon as its clients see it.
    .target(
      name: "TimelineClient", dependencies: ["TimelineModel", "TimelineWire", "CLinux"],
      swiftSettings: strict),

    .target(
      name: "Backup", dependencies: ["TimelineModel", "TransparencyLog", "CZstd"],
      swiftSettings: strict),

    // The daemon: all of it but sockets, threads and clocks; these; and the wiring of both.
    .target(
      name: "TimelineServer",
      dependencies: [
        "Access", "EventStore", "TimelineWire", "Engagement", "Coding", "TimelineModel",
        "TransparencyLog",
      ],
      swiftSettings: strict),
    .target(
      name: "LinuxServer",
      dependencies: [
        "Access", "TimelineServer", "TransportSecurity", "EventStore", "TimelineWire",
        "TimelineModel", "TransparencyLog", "CLinux",
      ],
      swiftSettings: strict),

    // The binaries.
    .executableTarget(
      name: "timelined",
      dependencies: [
        "LinuxServer", "TimelineServer", "TransportSecurity", "EventStore", "TimelineModel",
        "TransparencyLog", "CLinux",
      ],
      swiftSettings: strict),

    .executableTarget(
      name: "timelinectl",
      dependencies: [
        "Backup", "Coding", "Engagement", "TimelineClient", "TimelineModel", "TimelineWire",
        "TransparencyLog", "CLinux", "CQREncode",
      ],
      swiftSettings: strict),

    // What Tests/Interop asks instead of a daemon.
    .executableTarget(
      name: "engagement-states", dependencies: ["Engagement", "TimelineModel"],
      path: "Tests/EngagementStates", swiftSettings: strict),

    .executableTarget(
      name: "membership-states", dependencies: ["Access", "TimelineModel", "TransparencyLog"],
      path: "Tests/MembershipStates", swiftSettings: strict),

    // The engine and the store on simulated machines, networks, disks and clocks.
    .target(
      name: "Simulation",
      dependencies: [
        "Access", "EventStore", "Support", "TimelineModel", "TimelineServer", "TimelineWire",
      ],
      path: "Tests/Simulation", swiftSettings: strict),
    .executableTarget(
      name: "simulate", dependencies: ["Simulation"], path: "Tests/Simulate",
      swiftSettings: strict),

    .testTarget(
      name: "TimelineServerTests",
      dependencies: [
        "Access", "EventStore", "Simulation", "Support", "TimelineModel", "TimelineServer",
      ], swiftSettings: strict),

    .testTarget(
      name: "LinuxServerTests",
      dependencies: [
        "CLinux", "LinuxServer", "Support", "TimelineServer", "TransparencyLog",
        "TransportSecurity",
      ], swiftSettings: strict),

    // What several tests need.
    .target(name: "Support", path: "Tests/Support", swiftSettings: strict),
    .testTarget(
      name: "TimelineModelTests", dependencies: ["Support", "TimelineModel", "TransparencyLog"],
      swiftSettings: strict),
    .testTarget(
      name: "AccessTests", dependencies: ["Access", "Support", "TimelineModel", "TransparencyLog"],
      swiftSettings: strict),
    .testTarget(
      name: "EngagementTests", dependencies: ["Engagement", "Support", "TimelineModel"],
      swiftSettings: strict),
    .testTarget(
      name: "CodingTests", dependencies: ["Coding", "Engagement", "Support", "TimelineModel"],
      swiftSettings: strict),
    .testTarget(
      name: "EventStoreTests", dependencies: ["EventStore", "Support", "TimelineModel"],
      swiftSettings: strict),
    .testTarget(
      name: "TimelineWireTests",
      dependencies: ["Support", "TimelineModel", "TimelineWire", "TransparencyLog"],
      swiftSettings: strict),
    .testTarget(
      name: "TimelineClientTests",
      dependencies: ["TimelineClient", "TimelineModel", "TimelineWire"], swiftSettings: strict),
    .testTarget(
      name: "timelinectlTests", dependencies: ["CQREncode", "timelinectl"], swiftSettings: strict),
    .testTarget(
      name: "BackupTests", dependencies: ["Backup", "Support", "TimelineModel", "TransparencyLog"],
      swiftSettings: strict),
    .testTarget(
      name: "TransportSecurityTests",
      dependencies: ["CLibSSL", "Support", "TransparencyLog", "TransportSecurity"],
      swiftSettings: strict),
    .testTarget(
      name: "TransparencyLogTests", dependencies: ["Support", "TransparencyLog"],
      swiftSettings: strict),

    // What must hold of any input, for libFuzzer and for the corpus that it left.
    .target(
      name: "FuzzTargets",
      dependencies: ["Backup", "TimelineModel", "TimelineWire", "TransparencyLog"],
      path: "Tests/FuzzTargets", swiftSettings: strict),
    .testTarget(
      name: "FuzzCorpusTests", dependencies: ["FuzzTargets"], swiftSettings: strict),
  ]
    + (isFuzz
      ? [
        .target(
          name: "Fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz", swiftSettings: strict)
      ] : []),
  swiftLanguageModes: [.v6]
)
