// What a power cut may leave of a disk: every uncertain thing decided one way or another, and all of
// them in any combination.
//
//     a name that was made, renamed or removed    there or not, each by itself
//     bytes behind the last sync of a file        lost · whole · shorter (at sectors, blocks, anywhere)
//                                                 · zeros · stale bytes, old lines among them
//                                                 · sectors and blocks kept or not, each by itself
//     a cut                                       done · undone · done in part
//
// Few combinations are all tried. Of many, first the two extremes, then each thing's every fate beside
// the extremes of all others, then combinations by chance, from a seed.
// Not modelled: writes that land in another file, sectors that lie about what was synced.

import Support

@testable import EventStore

extension SimulatedDisk {
  private enum Uncertain {
    /// Index 0 is lost, 1 is kept.
    case file(Int, [Content])
    case entry(directory: Int, change: Int)

    var fates: Int {
      switch self {
      case .file(_, let contents): contents.count
      case .entry: 2
      }
    }
  }

  /// Calls with disks that a power cut now may leave, each once, at most about `limit`.
  func afterPowerCut(limit: Int, _ chance: inout SplitMix, _ body: (SimulatedDisk) -> Void) {
    var uncertain: [Uncertain] = []
    for (number, file) in files.enumerated() where !file.pending.isEmpty {
      uncertain.append(.file(number, Self.fates(of: file, &chance)))
    }
    for (number, directory) in directories.enumerated() {
      uncertain += directory.pending.indices.map { .entry(directory: number, change: $0) }
    }
    var seen: Set<Int> = []
    func decide(_ fates: [Int]) {
      let disk = decided(uncertain, fates)
      if seen.insert(disk.fingerprint).inserted { body(disk) }
    }
    let count = uncertain.reduce(1) { min($0 * $1.fates, 1 << 20) }
    if count <= limit {
      for number in 0..<count {
        var rest = number
        decide(
          uncertain.map { thing in
            defer { rest /= thing.fates }
            return rest % thing.fates
          })
      }
      return
    }
    decide(uncertain.map { _ in 0 })
    decide(uncertain.map { _ in 1 })
    var single: [[Int]] = []
    for (index, thing) in uncertain.enumerated() {
      for fate in 0..<thing.fates {
        var fates = uncertain.map { _ in chance.next() % 2 == 0 ? 0 : 1 }
        fates[index] = fate
        single.append(fates)
      }
    }
    single.shuffle(using: &chance)
    for fates in single.prefix(limit * 3 / 4) { decide(fates) }
    for _ in single.prefix(limit * 3 / 4).count..<limit {
      decide(uncertain.map { Int(chance.next() % UInt64($0.fates)) })
    }
  }

  /// The disk after a power cut that took all it could.
  var atWorst: SimulatedDisk {
    var disk = self
    for number in files.indices {
      disk.files[number].current = files[number].durable
      disk.files[number].pending = []
    }
    for number in directories.indices {
      disk.directories[number].current = directories[number].durable
      disk.directories[number].pending = []
    }
    return disk
  }

  /// The disk after all of it was written, as an orderly shutdown leaves it.
  var atBest: SimulatedDisk {
    var disk = self
    for number in files.indices {
      disk.files[number].durable = files[number].current
      disk.files[number].pending = []
    }
    for number in directories.indices {
      disk.directories[number].durable = directories[number].current
      disk.directories[number].pending = []
    }
    return disk
  }

  private func decided(_ uncertain: [Uncertain], _ fates: [Int]) -> SimulatedDisk {
    var disk = self
    for (thing, fate) in zip(uncertain, fates) {
      switch thing {
      case .file(let number, let contents): disk.files[number].durable = contents[fate]
      case .entry(let number, let change):
        guard fate == 1 else { continue }
        Directory.apply(
          directories[number].pending[change], to: &disk.directories[number].durable)
      }
    }
    return disk.atWorst
  }

  /// Equal for disks that look the same when opened.
  var fingerprint: Int {
    var hasher = Hasher()
    for path in paths {
      hasher.combine(path)
      hasher.combine(self[file: path])
    }
    return hasher.finalize()
  }

  // MARK: The fates of a file

  private static func fates(of file: File, _ chance: inout SplitMix) -> [Content] {
    if file.pending.count == 1 { return fates(of: file.pending[0], on: file.durable, &chance) }
    // Several changes between two syncs, each with its own fate.
    var all = file.durable
    for change in file.pending { all.apply(change) }
    var contents = [file.durable, all]
    for _ in 0..<12 {
      var content = file.durable
      for change in file.pending {
        content = fates(of: change, on: content, &chance).randomElement(using: &chance)!
      }
      contents.append(content)
    }
    return contents
  }

  private static func fates(
    of change: Change, on content: Content, _ chance: inout SplitMix
  ) -> [Content] {
    var done = content
    done.apply(change)
    switch change {
    case .cut(let size):
      let left = stride(from: (size / 512 + 1) * 512, to: content.count, by: 512)
      return [content, done]
        + left.map {
          var part = content
          part.resize(to: $0)
          return part
        }
    case .write(let bytes, let offset):
      return [content, done]
        + fates(of: bytes, at: offset, old: content.bytes, &chance).map {
          var part = content
          part.write($0, at: offset)
          return part
        }
    }
  }

  /// What may stand where bytes were written.
  private static func fates(
    of bytes: [UInt8], at offset: Int, old: [UInt8], _ chance: inout SplitMix
  ) -> [[UInt8]] {
    let count = bytes.count
    guard count > 0 else { return [] }
    let zeros = [UInt8](repeating: 0, count: count)
    // What the blocks held before: noise with line ends in it, or old lines of this file.
    var noise = (0..<count).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
    for index in stride(from: 90, to: count, by: 170) { noise[index] = 0x0A }
    let text = noise.map { $0 == 0x0A ? $0 : 32 + $0 % 90 }
    let lines = old.isEmpty ? noise : (0..<count).map { old[$0 % old.count] }
    let fillings = [zeros, noise, text, lines]
    var fates = fillings
    func edges(_ block: Int) -> [Int] {
      Array(stride(from: block - offset % block, to: count, by: block))
    }
    var ends = Set([1, count / 2, count - 1, Int(chance.next() % UInt64(count))])
    ends.formUnion(edges(512).shuffled(using: &chance).prefix(4))
    ends.formUnion(edges(4096).prefix(4))
    for end in ends.sorted() {
      // Shorter; the size without the rest of its data; a head that did not come, and a tail that did.
      fates.append(Array(bytes[..<end]))
      fates.append(Array(bytes[..<end]) + zeros[end...])
      fates.append(Array(zeros[..<end]) + bytes[end...])
      let filling = fillings.randomElement(using: &chance)!
      fates.append(Array(bytes[..<end]) + filling[end...])
      fates.append(Array(filling[..<end]))
    }
    for block in [512, 4096] {
      let borders = [0] + edges(block) + [count]
      let blocks = borders.count - 1
      let masks =
        blocks <= 3
        ? Array(0..<UInt64(1) << blocks) : (0..<8).map { _ in chance.next() }
      for mask in masks {
        var mixed = bytes
        let filling = fillings.randomElement(using: &chance)!
        for index in 0..<blocks where mask >> UInt64(index % 64) & 1 == 0 {
          let range = borders[index]..<borders[index + 1]
          mixed.replaceSubrange(range, with: filling[range])
        }
        fates.append(mixed)
      }
    }
    return fates
  }
}
