// How typed values are read back from an answer: each step knows where it is, so that an error can say it.

import TimelineModel

/// Why an answer is no state that this program can read: it may come from a later one.
public struct StateJSONError: Error, Sendable, Hashable {
  /// `phase.name`, `messages[3].state`.
  public var path: String
  /// What should stand there.
  public var expected: String
  /// What does, cut short; nil for nothing.
  public var found: String?

  public var message: String {
    "\(path.isEmpty ? "the state" : path): \(expected) expected, found \(found ?? "nothing")"
  }
}

struct JSONReader {
  let value: JSONValue?
  let path: String

  init(_ value: JSONValue?, at path: String = "") {
    self.value = value
    self.path = path
  }

  subscript(key: String) -> JSONReader {
    JSONReader(value?[key], at: path.isEmpty ? key : "\(path).\(key)")
  }

  /// Nil where nothing stands.
  var ifPresent: JSONReader? { value == nil ? nil : self }

  func failure(_ expected: String) -> StateJSONError {
    StateJSONError(
      path: path, expected: expected, found: value.map { String($0.text.prefix(40)) })
  }

  func read<Result>(
    _ expected: String, _ convert: (JSONValue) -> Result?
  ) throws(StateJSONError) -> Result {
    guard let value, let result = convert(value) else { throw failure(expected) }
    return result
  }

  func items<Item>(
    _ item: (JSONReader) throws(StateJSONError) -> Item
  ) throws(StateJSONError) -> [Item] {
    let values = try read("a list", \.array)
    var items: [Item] = []
    items.reserveCapacity(values.count)
    for (index, value) in values.enumerated() {
      items.append(try item(JSONReader(value, at: "\(path)[\(index)]")))
    }
    return items
  }

  // MARK: The kinds of words and numbers

  func string() throws(StateJSONError) -> String { try read("a text", \.string) }
  func int() throws(StateJSONError) -> Int { try read("a whole number", \.int) }
  func strings() throws(StateJSONError) -> [String] {
    try items { (item) throws(StateJSONError) in try item.string() }
  }

  func thousandths() throws(StateJSONError) -> Thousandths {
    // Beyond this a double has no thousandths.
    try read("a number") { value in
      value.number.flatMap { abs($0) < 1e12 ? Thousandths($0) : nil }
    }
  }

  func word<Word: RawRepresentable<String>>(
    _ type: Word.Type = Word.self
  ) throws(StateJSONError) -> Word {
    try read("a known word") { $0.string.flatMap(Word.init(rawValue:)) }
  }

  func id() throws(StateJSONError) -> EventID {
    try read("an id") { $0.string.flatMap { EventID($0) } }
  }

  func ids() throws(StateJSONError) -> [EventID] {
    try items { (item) throws(StateJSONError) in try item.id() }
  }

  func party() throws(StateJSONError) -> ActorCode {
    try read("a party") { $0.string.flatMap { ActorCode($0) } }
  }

  func parties() throws(StateJSONError) -> [ActorCode] {
    try items { (item) throws(StateJSONError) in try item.party() }
  }

  func date() throws(StateJSONError) -> EventDate {
    try read("a date") { $0.string.flatMap { try? EventDate($0) } }
  }

  func day() throws(StateJSONError) -> Day {
    try read("a day") { $0.string.flatMap { Day(described: $0) } }
  }
}

extension Day {
  /// What `description` says, of years of any length.
  init?(described text: String) {
    var rest = text.hasPrefix("Y") ? text.dropFirst() : text[...]
    let isNegative = rest.hasPrefix("-")
    if isNegative { rest = rest.dropFirst() }
    let parts = rest.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts.allSatisfy({ $0.allSatisfy { $0.isASCII && $0.isNumber } }),
      let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2])
    else { return nil }
    self.init(year: isNegative ? -year : year, month: month, day: day)
  }
}
