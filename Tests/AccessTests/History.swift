import Access
import TimelineModel
import TransparencyLog

/// A timeline in the making: devices by letter, `a` its founder, each with logs by number.
struct History {
  static let recovery = SigningKey(seed: seed("recovery"))!
  static let founding = TimelineFounding(
    name: "main", key: key("a").publicKey, nonce: Array(0..<16), recovery: recovery.publicKey,
    adopts: adopted)!
  static let adopted: [ReplicaID: AdoptedLog] = [
    old("a"): AdoptedLog(LogEnd(4, root(0))!, key: nil, device: key("a").publicKey),
    old("b"): AdoptedLog(LogEnd(6, root(0))!, key: nil, device: key("b").publicKey),
    old("nobody"): AdoptedLog(LogEnd(8, root(0))!, key: nil, device: nil),
  ]

  private(set) var facts: [MembershipFact] = []
  private var sizes: [ReplicaID: UInt64] = [:]

  /// The founder's log with its first two lines.
  init() { _ = say("a", .timeline(Self.founding)) }

  var membership: Membership { Membership(of: Self.founding.hash, facts) }

  static func seed(_ name: String) -> [UInt8] {
    var hasher = SHA256()
    return Array(name.utf8).withUnsafeBufferPointer { hasher.hash($0) }.bytes
  }

  static func key(_ name: String) -> SigningKey { SigningKey(seed: seed(name))! }

  static func id(_ name: String) -> DeviceID { DeviceID(of: key(name).publicKey) }

  static func root(_ number: UInt8) -> SHA256Digest {
    SHA256Digest([UInt8](repeating: number, count: 32))!
  }

  static func line1(_ name: String, _ log: UInt8 = 0) -> ReplicaRecord {
    lines1[name]?[Int(log)] ?? makeLine1(name, log)
  }

  /// Made once, since signing takes long.
  private static let lines1 = Dictionary(
    uniqueKeysWithValues: ["a", "b", "c", "d", "e"].map { name in
      (name, (0...2).map { makeLine1(name, $0) })
    })

  private static func makeLine1(_ name: String, _ log: UInt8) -> ReplicaRecord {
    ReplicaRecord(
      timeline: founding.hash, device: key(name), key: key(name).publicKey,
      nonce: [UInt8](repeating: log, count: 16))!
  }

  static func log(_ name: String, _ log: UInt8 = 0) -> ReplicaID {
    ids[name]?[Int(log)] ?? line1(name, log).id
  }

  private static let ids = lines1.mapValues { $0.map(\.id) }

  /// A log from before the founding.
  static func old(_ name: String) -> ReplicaID {
    let bytes = seed("old \(name)")
    func word(_ start: Int) -> UInt64 {
      bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }
    return ReplicaID(UUIDBytes(random: word(0), word(8)))
  }

  /// The next line of a log, behind its line 1; gives its number.
  @discardableResult
  mutating func say(_ name: String, log: UInt8 = 0, _ record: MembershipRecord) -> UInt64 {
    let replica = Self.log(name, log)
    if sizes[replica] == nil {
      facts.append(.line(replica, 1, .replica(Self.line1(name, log))))
      sizes[replica] = 1
    }
    sizes[replica]! += 1
    facts.append(.line(replica, sizes[replica]!, record))
    return sizes[replica]!
  }

  /// Lines that say nothing of membership; gives the number of the last.
  @discardableResult
  mutating func write(_ name: String, log: UInt8 = 0, _ count: UInt64 = 1) -> UInt64 {
    let replica = Self.log(name, log)
    if sizes[replica] == nil { facts.append(.line(replica, 1, .replica(Self.line1(name, log)))) }
    sizes[replica, default: 1] += count
    return sizes[replica]!
  }

  @discardableResult
  mutating func invite(
    _ name: String, by recorder: String, log: UInt8 = 0, _ role: Role = .write, code: UInt8? = nil
  ) -> UInt64 {
    write(name, 0)
    return say(recorder, log: log, .member(Self.member(name, role, code: code)))
  }

  @discardableResult
  mutating func end(
    _ name: String, by recorder: String, log: UInt8 = 0, at upTo: [ReplicaID: UInt64] = [:],
    root: UInt8 = 1, to role: Role? = nil
  ) -> UInt64 {
    say(recorder, log: log, .end(Self.ending(name, upTo, root: root, to: role)))
  }

  mutating func fork(_ name: String, log: UInt8 = 0) { facts.append(.fork(Self.log(name, log))) }

  mutating func add(_ fact: MembershipFact) { facts.append(fact) }

  static func member(_ name: String, _ role: Role = .write, code: UInt8? = nil) -> MemberRecord {
    MemberRecord(device: id(name), name: name, role: role, code: code.map { root($0) })!
  }

  static func ending(
    _ name: String, _ upTo: [ReplicaID: UInt64] = [:], root: UInt8 = 1, to role: Role? = nil
  ) -> MemberEnd {
    MemberEnd(
      device: id(name), upTo: upTo.mapValues { LogEnd($0, History.root(root))! }, to: role)
  }
}

extension Membership {
  func role(_ name: String) -> Role? { role(of: History.id(name)) }
  func rank(_ name: String) -> Int? { member(History.id(name))?.rank }
}
