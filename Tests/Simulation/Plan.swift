// What a seed makes of a run: how many machines, how they are joined, what goes wrong.

import Support

struct Plan {
  enum Topology: String, CaseIterable {
    case pair, ring, star, tree, all
  }

  let machines: Int
  let topology: Topology
  let clientsEach: Int
  /// Requests of each client.
  let requests: Int
  /// Bytes of text that an event carries besides, at most.
  let textMax: Int
  /// Events that come in one request, at most.
  let batchMax: Int
  /// Bytes under way in a direction of a connection.
  let capacity: Int
  /// Microseconds.
  let latency: ClosedRange<Int64>
  let writeTime: Int64
  /// For work on heads.
  let headTime: Int64
  /// Of what the machines have in common, by the names that all give it.
  let timelines: [String]
  /// Machines that are joined twice at once: from both sides, or under two addresses.
  let hasDoubles: Bool
  /// Bytes that may be staged while a write is under way.
  let stagedBytesMax: Int
  /// Erasures among a thousand requests: each has everything read again, on every machine.
  let erasures: Int
  let faults: Int
  /// Microseconds in which clients speak and things go wrong.
  let duration: Int64
  let hasDamage: Bool
  /// Whether the machines know each other: members of their timelines, over connections that show their keys.
  let hasMembers: Bool

  init(using random: inout SplitMix) {
    func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    func pick<Choice>(_ choices: [Choice]) -> Choice { choices.randomElement(using: &random)! }
    let size = number(0...999)
    machines =
      size < 840
      ? number(2...4) : size < 980 ? number(5...8) : size < 998 ? number(9...16) : number(17...50)
    topology = machines == 2 ? .pair : pick([.ring, .star, .tree, .all])
    // More comes in at once than may wait, and the disks take long.
    let isFlood = machines < 4 && number(0...49) == 0
    clientsEach = isFlood ? 3 : machines > 16 ? 1 : number(1...3)
    let isHeavy = isFlood || machines < 5 && number(0...39) == 0
    requests =
      machines > 16
      ? number(2...6)
      : isHeavy
        ? number(60...90) : machines > 8 ? number(4...14) : number(8...(machines > 4 ? 22 : 30))
    textMax = isFlood ? 60_000 : isHeavy ? 40_000 : pick([0, 0, 200, 3000])
    batchMax = isFlood ? 120 : 20
    capacity = isHeavy ? pick([100_000, 1_000_000]) : pick([2_000, 20_000, 200_000, 4_000_000])
    let slowest = capacity < 10_000 ? pick([500, 5_000]) : pick([500, 5_000, 200_000] as [Int64])
    latency = 50...slowest
    writeTime = isFlood ? 10_000_000 : pick([200, 5_000, 100_000])
    faults = number(0...12)
    duration = Int64(number(isFlood ? 5...20 : 5...90)) * 1_000_000
    hasDamage = number(0...3) == 0
    // A head may come while an older one of the same log is looked at.
    headTime = pick([20_000, 20_000, 3_000_000])
    timelines = machines <= 8 && number(0...5) == 0 ? ["main", "side"] : ["main"]
    hasDoubles = machines <= 8 && number(0...3) == 0
    stagedBytesMax = isFlood ? 100_000 : pick([16 << 20, 16 << 20, 10_000])
    hasMembers = number(0...1) == 0
    erasures = machines > 8 ? 4 : machines > 4 || isHeavy ? 10 : 20
  }

  var text: String {
    "\(machines) machines, \(topology.rawValue), \(clientsEach) × \(requests) requests, text \(textMax), "
      + "capacity \(capacity), latency \(latency.upperBound), writes \(writeTime), \(faults) faults in "
      + "\(duration / 1_000_000) s, heads \(headTime), staged \(stagedBytesMax)"
      + (timelines.count > 1 ? ", \(timelines.count) timelines" : "")
      + (hasMembers ? ", members" : "") + (hasDoubles ? ", doubles" : "")
      + (hasDamage ? ", damage" : "")
  }

  /// Who calls whom, by number: the second is the address that the first has.
  func edges(using random: inout SplitMix) -> [(Int, Int)] {
    switch topology {
    case .pair: return [(1, 0)]
    case .ring: return (0..<machines).map { ($0, ($0 + 1) % machines) }
    case .star: return (1..<machines).map { ($0, 0) }
    case .tree: return (1..<machines).map { ($0, Int.random(in: 0..<$0, using: &random)) }
    case .all:
      guard machines <= 8 else { return (1..<machines).map { ($0, $0 / 2) } }
      return (0..<machines).flatMap { first in (0..<first).map { (first, $0) } }
    }
  }
}
