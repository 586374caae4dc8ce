// Which versions of an event stand: a graph that grows by one line at a time, each at about the same cost.
//
//     event ◀── A ◀── C {"supersedes":[A,B]}           C names what it replaces
//       ▲───── B ◀──┘                                  and waits for it
//
//     event ◀── 20,000 corrections ◀── D {"supersedes":[one of them],"up_to":{…}}
//
// D supersedes all that stand within `up_to` and are of a lower round. The round of a version is the
// highest of those that it names, one more with `up_to`. Whoever answers D names D, or what names D, and is
// so of no lower round: no `up_to`, however far it reaches, supersedes what was said after it, and
// no two versions supersede each other.
//
// Lines of one id are one version, for which the line speaks that was recorded first (ties: the smaller
// replica). Lines are named by their index in the history's list, which is handed in.

import TimelineModel
import TransparencyLog

struct VersionGraph: Sendable {
  typealias Version = EventHistory.Version

  /// A version: all lines of one id.
  private struct Node: Sendable {
    /// The line that speaks for it.
    var speaker: Int
    /// Its other lines.
    var copies: [Int] = []
    /// Versions that it names and that are not effective yet; it is effective once there are none.
    var missing: Int
    /// Of an effective one.
    var round = 0
    /// Once it is superseded it stays so: what supersedes only grows.
    var isSuperseded = false
  }

  private var nodes: [Node] = []
  private var numbers: [EventID: Int] = [:]
  /// By the id of a version that is not effective yet: the nodes that name it.
  private var waiting: [EventID: [Int]] = [:]
  /// How far the `up_to` of effective versions reaches, by log.
  private var reaches: [ReplicaID: Reach] = [:]
  /// The speakers of effective versions, the one recorded last on top; some may stand no more.
  private var candidates = LineHeap()
  /// Events' copies whose bodies differ.
  private var differing: Set<Int> = []
  private(set) var work = 0

  /// In the order of recording, so that the first line of each version speaks for it.
  init(of versions: some Collection<Version>) {
    let all = Array(versions)
    let inOrder = all.indices.sorted {
      (all[$0].recorded, all[$0].replica) < (all[$1].recorded, all[$1].replica)
    }
    for index in inOrder { add(index, of: all) }
  }

  // MARK: Growing

  mutating func add(_ index: Int, of versions: [Version]) {
    work += 1
    let version = versions[index]
    guard let number = numbers[version.id] else {
      numbers[version.id] = nodes.count
      nodes.append(Node(speaker: index, missing: 0))
      return listen(nodes.count - 1, versions)
    }
    addCopy(index, to: number, versions)
  }

  private mutating func addCopy(_ index: Int, to number: Int, _ versions: [Version]) {
    let (new, old) = (versions[index], versions[nodes[number].speaker])
    if new.isOriginal, new.fingerprint != old.fingerprint { differing.insert(number) }
    guard (new.recorded, new.replica) < (old.recorded, old.replica) else {
      nodes[number].copies.append(index)
      return
    }
    nodes[number].copies.append(nodes[number].speaker)
    nodes[number].speaker = index
    if new.supersedes == old.supersedes {
      if nodes[number].missing == 0 { candidates.push(index, versions) }
      return
    }
    // Another line speaks for it now, and says something else: of all that was found nothing may be left.
    let work = work
    self = VersionGraph(of: versions[...index])
    self.work += work
  }

  /// Waits for what the version names; it is effective where all of that is.
  private mutating func listen(_ number: Int, _ versions: [Version]) {
    let version = versions[nodes[number].speaker]
    for id in Set(version.supersedes.named) where id != version.id {
      work += 1
      guard numbers[id].map({ nodes[$0].missing > 0 }) ?? true else { continue }
      waiting[id, default: []].append(number)
      nodes[number].missing += 1
    }
    guard nodes[number].missing == 0 else { return }
    var ready = [number]
    while let next = ready.popLast() {
      work += 1
      take(next, versions)
      for waiter in waiting.removeValue(forKey: versions[nodes[next].speaker].id) ?? [] {
        work += 1
        nodes[waiter].missing -= 1
        if nodes[waiter].missing == 0 { ready.append(waiter) }
      }
    }
  }

  /// An effective version supersedes what it names, and what its `up_to` reaches.
  private mutating func take(_ number: Int, _ versions: [Version]) {
    let version = versions[nodes[number].speaker]
    var round = 0
    for id in version.supersedes.named where id != version.id {
      guard let named = numbers[id] else { continue }
      nodes[named].isSuperseded = true
      round = max(round, nodes[named].round)
    }
    if !version.supersedes.upTo.sizes.isEmpty { round += 1 }
    nodes[number].round = round
    for (replica, lines) in version.supersedes.upTo.sizes {
      work += 1
      reaches[replica, default: Reach()].add(round: round, lines: lines)
    }
    candidates.push(nodes[number].speaker, versions)
  }

  // MARK: Asking

  /// The version that stands and was recorded last, by its speaker, and whether another one stands, or
  /// copies of one differ.
  mutating func newest(of versions: [Version]) -> (index: Int, isContested: Bool)? {
    guard let first = popStanding(versions) else { return nil }
    let second = popStanding(versions)
    for index in [first, second].compactMap({ $0 }) { candidates.push(index, versions) }
    work += candidates.takeWork()
    let isContested =
      second != nil || differing.contains { !isSuperseded($0, versions) && nodes[$0].missing == 0 }
    return (first, isContested)
  }

  /// Takes the newest out of the candidates; those above it that stand no more are gone for good.
  private mutating func popStanding(_ versions: [Version]) -> Int? {
    while let index = candidates.pop(versions) {
      let number = numbers[versions[index].id]!
      guard nodes[number].speaker == index else { continue }
      if !isSuperseded(number, versions) { return index }
      nodes[number].isSuperseded = true
    }
    return nil
  }

  private func isSuperseded(_ number: Int, _ versions: [Version]) -> Bool {
    let node = nodes[number]
    if node.isSuperseded || reaches.isEmpty { return node.isSuperseded }
    return ([node.speaker] + node.copies).contains { index in
      reaches[versions[index].replica]?.covers(round: node.round, line: versions[index].ref.seq)
        ?? false
    }
  }

  /// The lines of all versions that stand, in the order of the list.
  func standing(of versions: [Version]) -> [Int] {
    nodes.indices.filter { nodes[$0].missing == 0 && !isSuperseded($0, versions) }
      .flatMap { [nodes[$0].speaker] + nodes[$0].copies }.sorted()
  }

  func holds(_ id: EventID) -> Bool { numbers[id] != nil }

  func round(of id: EventID) -> Int? {
    numbers[id].flatMap { nodes[$0].missing == 0 ? nodes[$0].round : nil }
  }
}

/// How far the `up_to` of all versions reaches in one log, by round: steps up in rounds and down in lines, since
/// one that is lower in both says nothing more.
private struct Reach: Sendable {
  private var steps: [(round: Int, lines: UInt64)] = []

  mutating func add(round: Int, lines: UInt64) {
    let end = firstIndex(above: round - 1)
    if end < steps.count, steps[end].lines >= lines { return }
    var start = end
    while start > 0, steps[start - 1].lines <= lines { start -= 1 }
    let isSame = end < steps.count && steps[end].round == round
    steps.replaceSubrange(start..<(isSame ? end + 1 : end), with: [(round, lines)])
  }

  /// Whether a line of a round is superseded: the first step above it reaches the furthest.
  func covers(round: Int, line: UInt64) -> Bool {
    let index = firstIndex(above: round)
    return index < steps.count && steps[index].lines >= line
  }

  private func firstIndex(above round: Int) -> Int {
    var (low, high) = (0, steps.count)
    while low < high {
      let middle = (low + high) / 2
      if steps[middle].round > round { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

/// A binary heap of lines, the one recorded last on top.
private struct LineHeap: Sendable {
  private var lines: [Int] = []
  private var work = 0

  mutating func push(_ line: Int, _ versions: [EventHistory.Version]) {
    lines.append(line)
    var at = lines.count - 1
    while at > 0, case let parent = (at - 1) / 2,
      versions[lines[at]].isLater(than: versions[lines[parent]])
    {
      work += 1
      lines.swapAt(at, parent)
      at = parent
    }
  }

  mutating func pop(_ versions: [EventHistory.Version]) -> Int? {
    guard let top = lines.first else { return nil }
    let last = lines.removeLast()
    guard !lines.isEmpty else { return top }
    lines[0] = last
    var at = 0
    while true {
      work += 1
      var next = at
      for child in [2 * at + 1, 2 * at + 2]
      where child < lines.count && versions[lines[child]].isLater(than: versions[lines[next]]) {
        next = child
      }
      guard next != at else { return top }
      lines.swapAt(at, next)
      at = next
    }
  }

  mutating func takeWork() -> Int {
    defer { work = 0 }
    return work
  }
}
