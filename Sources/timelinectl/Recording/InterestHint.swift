// What is said where an offer names an interest that its side has not: it is kept, and speaks to nothing
// (E-5.2 of docs/reference/engagement.md) until a table of interests has it.

import TimelineModel

enum InterestHint {
  /// - Parameter before: the event as it stood: what that said already is not told again.
  static func hints(
    _ body: EventBody, before: EventBody = EventBody(), _ client: Client
  ) throws(Failure) -> [String] {
    let known = keys(before)
    let new = keys(body).filter { !known.contains($0) }
    guard body["offer"] != nil, !new.isEmpty else { return [] }
    let table = try client.ask(.table(.object(["table": .string("interests")])))
    let rows = (table["rows"]?.array ?? []).map { row in
      (party: row["party"]?.string ?? "", key: row["key"]?.string ?? "")
    }
    let targets = body.items("targets").compactMap(\.string)
    return new.compactMap { hint($0, targets, rows) }
  }

  private static func keys(_ body: EventBody) -> [String] {
    let named = (body["offer"]?["interests"]?.array ?? []).compactMap(\.string)
    let mark = "interest:"
    let tagged = body.items("tags").compactMap(\.string).filter { $0.hasPrefix(mark) }
    var keys: [String] = []
    for key in named + tagged.map({ String($0.dropFirst(mark.count)) }) where !keys.contains(key) {
      keys.append(key)
    }
    return keys
  }

  private static func hint(
    _ key: String, _ targets: [String], _ rows: [(party: String, key: String)]
  ) -> String? {
    let parties = rows.filter { $0.key == key }.map(\.party)
    guard parties.isEmpty || !targets.isEmpty && !targets.contains(where: parties.contains) else {
      return nil
    }
    let theirs = rows.filter { targets.isEmpty || targets.contains($0.party) }.map(\.key)
    let near =
      EditDistance.nearest(to: key, in: theirs)
      + theirs.filter { key.count > 2 && $0.contains(key) }
    let to = targets.joined(separator: ", ")
    let fault =
      parties.isEmpty
      ? "interest \"\(key)\" is in no table of interests"
      : "interest \"\(key)\" is one of \(parties.joined(separator: ", ")), and the offer is made to \(to)"
    let advice =
      near.first.map { "; did you mean \($0)?" }
      ?? (theirs.isEmpty || targets.isEmpty
        ? "; \(Again.timelinectl) rules show interests lists all"
        : "; those of \(to) are \(theirs.joined(separator: ", "))")
    return fault + ": it is kept, and speaks to nothing" + advice
  }
}
