// Links of a file to events that are not in it. One may be here already, or come by a sync; but where it
// was misspelt nobody would hear of it, and what a step fulfils would stay open: so it is said.

import TimelineModel

struct OutsideLinks {
  private var links: [(line: Int, link: Link)] = []
  private var named: Set<EventID> = []

  /// More are not looked for.
  private static let toldMax = 50
  /// How many ids one question holds.
  private static let chunk = 500

  mutating func add(_ link: Link, line: Int) {
    guard named.insert(link.id).inserted else { return }
    links.append((line, link))
  }

  /// Those whose events are not here either, each event once, in the order of the file.
  func missing(_ client: Client) throws(Failure) -> [ImportReader.Problem] {
    var found: [ImportReader.Problem] = []
    for start in stride(from: 0, to: links.count, by: Self.chunk) {
      try look(links[start..<min(start + Self.chunk, links.count)], client, &found)
    }
    return found
  }

  /// Asks for all at once, and halves them where some are not there.
  private func look(
    _ some: ArraySlice<(line: Int, link: Link)>, _ client: Client,
    _ found: inout [ImportReader.Problem]
  ) throws(Failure) {
    guard found.count < Self.toldMax else { return }
    let ids = JSONValue.strings(some.map(\.link.id))
    let count = try client.ask(.count(.object(["id": ids]))).count
    guard count < some.count else { return }
    guard some.count > 1 else {
      let (line, link) = some[some.startIndex]
      let key = link.key.map { "#\($0)" } ?? ""
      found.append(
        ImportReader.Problem(
          line: line,
          message: "\(link.relation.rawValue):\(link.id)\(key) leads to what is neither in this"
            + " file nor here; it says nothing until that comes"))
      return
    }
    let middle = some.startIndex + some.count / 2
    try look(some[..<middle], client, &found)
    try look(some[middle...], client, &found)
  }
}
