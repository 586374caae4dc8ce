// What is asked for: the filter language, and its JSON.

import TimelineModel

enum FilterProperties {
  static func check(_ input: UnsafeBufferPointer<UInt8>) throws(Broken) {
    guard let first = input.first, let text = String(validating: input, as: UTF8.self) else {
      return
    }
    let filter: Filter
    if first == UInt8(ascii: "{") {
      guard let json = try? JSONValue(parsing: input) else { return }
      do { filter = try Filter(json: json) } catch {
        try hold(!error.message.isEmpty, "an error without words")
        return
      }
    } else {
      let onTheWire = try? Filter(json: .object([JSONValue.Member("where", .string(text))]))
      do { filter = try Filter(text) } catch {
        try hold(!error.message.isEmpty, "an error without words")
        try hold(onTheWire == nil, "taken on the wire alone")
        return
      }
      try hold(onTheWire == filter, "another one on the wire")
      try hold((try? Filter(" \t" + text + " ")) == filter, "spaces around it change it")
    }
    try days(filter)
    try wire(filter)
    try words(filter, input)
  }

  /// The ends are ends: nothing beyond them fits.
  private static func days(_ filter: Filter) throws(Broken) {
    let (from, to) = (filter.from, filter.to)
    for day in [from, to, Day(number: 0)].compactMap({ $0 }) where filter.fits(day) {
      try hold(from.map { $0 <= day } ?? true, "\(day) fits, before \(from as Any)")
      try hold(to.map { day <= $0 } ?? true, "\(day) fits, after \(to as Any)")
    }
    if let from, from != .distantPast, from != .distantFuture {
      try hold(!filter.fits(from.advanced(by: -1)), "the day before \(from) fits")
    }
    if let to, to != .distantPast, to != .distantFuture {
      try hold(!filter.fits(to.advanced(by: 1)), "the day after \(to) fits")
    }
  }

  /// All but the dates, said as JSON.
  private static func wire(_ filter: Filter) throws(Broken) {
    var members: [JSONValue.Member] = []
    func add(_ key: String, _ values: [String]) {
      if !values.isEmpty { members.append(JSONValue.Member(key, .strings(values))) }
    }
    add("type", filter.types.map(\.word))
    add("subtype", Array(filter.subtypes))
    add("actor", filter.actors.map(\.description))
    add("target", filter.targets.map(\.description))
    add("party", filter.parties.map(\.description))
    add("tag", Array(filter.tags))
    add("author", Array(filter.authors))
    add("id", Array(filter.ids))
    add("text", filter.texts)
    guard let second = try? Filter(json: .object(members)) else {
      throw Broken("its JSON is refused: \(JSONValue.object(members).text)")
    }
    try hold(
      second.types == filter.types && second.subtypes == filter.subtypes
        && second.actors == filter.actors && second.targets == filter.targets
        && second.parties == filter.parties && second.tags == filter.tags
        && second.authors == filter.authors && second.ids == filter.ids
        && second.texts == filter.texts, "its JSON is another filter")
  }

  /// The fast look for words, at the input itself, is right where it says anything.
  private static func words(
    _ filter: Filter, _ input: UnsafeBufferPointer<UInt8>
  ) throws(Broken) {
    guard let text = filter.texts.first else { return }
    let needle = TextNeedle(text)
    switch needle.look(at: input) {
    case .unclear: break
    case .holds: try hold(needle.stands(in: input.text), "\(text) does not stand there")
    case .holdsNot: try hold(!needle.stands(in: input.text), "\(text) stands there")
    }
  }
}
