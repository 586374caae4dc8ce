// Marks of what rests on contested events: a figure that may change once somebody settles them.

import TimelineModel

enum Provisional {
  /// So many ids are named in a text; --json has all.
  private static let namedMax = 5

  /// Stands behind a word or a number.
  static let mark = " *"

  /// `rests on 2 events of which people say different things: 1f2e3d4c 5e6f7a8b`; nil where it does on none.
  static func text(_ ids: JSONValue?) -> String? {
    let ids = (ids?.array ?? []).compactMap(\.string)
    guard !ids.isEmpty else { return nil }
    return "rests on \(Count.events(ids.count)) of which people say different things: "
      + ids.prefix(namedMax).map { String($0.prefix(8)) }.joined(separator: " ")
      + (ids.count > namedMax ? " …" : "")
  }

  /// Says of a count how many of its events are contested.
  static func tell(_ answer: JSONValue) {
    guard let count = answer["contested"]?.int, count > 0 else { return }
    Terminal.say(
      "provisional: \(count) of them \(count == 1 ? "is" : "are") contested;"
        + " \(Again.timelinectl) conflicts says by whom")
  }
}
