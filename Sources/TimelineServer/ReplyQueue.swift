// Replies of one connection that are not said yet, in the order of its requests: behind an append that
// waits for the disk, others wait too.

struct ReplyQueue {
  private enum Entry {
    /// So many replies in a row are promised by writes.
    case promised(Int)
    case ready([UInt8])
  }

  private var entries: [Entry] = []

  /// Whether nothing waits. The first entry is always a promised one.
  var isEmpty: Bool { entries.isEmpty }

  /// A write will answer the next request.
  mutating func promise() {
    if case .promised(let count)? = entries.last {
      entries[entries.count - 1] = .promised(count + 1)
    } else {
      entries.append(.promised(1))
    }
  }

  /// The next request is answered, once those before it are.
  mutating func add(_ reply: [UInt8]) { entries.append(.ready(reply)) }

  /// The first promise was kept and said: writes what waited behind it alone.
  mutating func kept(to out: inout [UInt8]) {
    guard case .promised(let count)? = entries.first else {
      fatalError("a promise was kept that nobody waits for: \(entries.count) replies wait")
    }
    if count > 1 {
      entries[0] = .promised(count - 1)
      return
    }
    let end = entries.dropFirst().firstIndex { if case .promised = $0 { true } else { false } }
    for case .ready(let reply) in entries[1..<(end ?? entries.count)] { out += reply }
    entries.removeSubrange(..<(end ?? entries.count))
  }
}
