// Which events a command line asks for: terms of the filter language and flags that say the same. Kept
// apart by key, so that of a filter that nothing fits it can be told which part empties it.

import TimelineModel

struct FilterTerms {
  static let flags =
    [
      Flag(name: "--from", value: "DATE", help: "from this day, month or year on"),
      Flag(name: "--to", value: "DATE", help: "up to and with it"),
    ] + FilterKey.allCases.compactMap(flag)

  /// Days have two options of their own.
  private static func flag(_ key: FilterKey) -> Flag? {
    func flag(_ value: String, _ help: String) -> Flag {
      Flag(name: "--\(key.rawValue)", value: value, help: help)
    }
    return switch key {
    case .date: nil
    case .type: flag("TYPE", "test, talks, message, …; twice means or")
    case .subtype: flag("WORD", "icbm, summit, letter, …")
    case .actor: flag("CODE", "who did it")
    case .target: flag("CODE", "to whom")
    case .party: flag("CODE", "who did it or to whom")
    case .tag: flag("WORD", "tagged so")
    case .author: flag("NAME", "who recorded it")
    case .id: flag("ID", "the beginning of its id")
    case .text: flag("PHRASE", "exactly this phrase in it, in whatever case")
    }
  }

  static let help = """
    TERM is key=value, with a key of \(Filter.keys.joined(separator: " ")).
    date also takes >= > <= <, in quotes for the shell: 'date>=2016'; text takes ~: text~solid-fuel.
    The same key twice means or, different keys mean and.
    """

  /// One key with its values: what is left out at once.
  struct Part {
    /// As it was written.
    var shown: [String] = []
    var terms: [String] = []
    var members: [JSONValue.Member] = []
  }

  private(set) var parts: [(key: String, part: Part)] = []
  /// Phrases of the text filter.
  private(set) var texts: [String] = []
  /// Beginnings of ids.
  private(set) var ids: [String] = []

  init(_ words: Words) throws(Failure) {
    for term in words.plain { try add(term) }
    for flag in Self.flags {
      let values = words.all(flag.name)
      guard !values.isEmpty else { continue }
      let key = String(flag.name.dropFirst(2))
      let isDate = key == "from" || key == "to"
      if key == "type" { for value in values { try checkType(value) } }
      if key == "text" { texts += values }
      if key == "id" { ids += values }
      let value = isDate ? JSONValue.string(values.last!) : .strings(values)
      update(isDate ? "date" : key) { part in
        part.shown += values.map { "\(flag.name) \($0)" }
        part.members.append(JSONValue.Member(key, value))
      }
    }
    do throws(FilterError) { _ = try Filter(json: .object(members)) } catch {
      throw Failure(.usage, error.message)
    }
  }

  private mutating func add(_ term: String) throws(Failure) {
    let key = String(term.prefix { !"=~<>".contains($0) })
    let rest = term.dropFirst(key.count)
    let comparison = String(rest.prefix { "=~<>".contains($0) })
    let value = String(rest.dropFirst(comparison.count))
    // The shell took the quotes of text~"two words" away.
    let isPlain = value.contains(" ") && !value.contains("\"")
    let whole = isPlain ? "\(key)\(comparison)\"\(value)\"" : term
    if key == "type", comparison == "=" { try checkType(value) }
    do throws(FilterError) { _ = try Filter(whole) } catch {
      throw Failure(.usage, error.message)
    }
    if key == "text" { texts.append(value.replacing("\"", with: "")) }
    if key == "id" { ids.append(value) }
    update(key) { part in
      part.shown.append(term)
      part.terms.append(whole)
    }
  }

  /// Of the types, those that events between parties have: the log's own lines show as versions of
  /// these.
  private func checkType(_ word: String) throws(Failure) {
    guard EventType(word: word) == nil else { return }
    let all = EventType.ofEvents.map(\.word)
    let advice = EditDistance.advice(
      on: word, in: all, else: "one of \(all.joined(separator: ", "))")
    throw Failure(.usage, "unknown type \"\(word)\"; \(advice)")
  }

  private mutating func update(_ key: String, _ change: (inout Part) -> Void) {
    if !parts.contains(where: { $0.key == key }) { parts.append((key, Part())) }
    change(&parts[parts.firstIndex { $0.key == key }!].part)
  }

  /// The members of the question.
  var members: [JSONValue.Member] { Self.members(parts) }

  func members(without key: String) -> [JSONValue.Member] {
    Self.members(parts.filter { $0.key != key })
  }

  private static func members(_ parts: [(key: String, part: Part)]) -> [JSONValue.Member] {
    let terms = parts.flatMap(\.part.terms)
    return
      (terms.isEmpty ? [] : [JSONValue.Member("where", .string(terms.joined(separator: " ")))])
      + parts.flatMap(\.part.members)
  }

  // MARK: Why nothing fits

  func count(
    _ question: [JSONValue.Member], _ client: Client, _ tell: (JSONValue) -> Void = { _ in }
  ) throws(Failure) -> Int {
    let answer = try client.ask(.count(.object(question)))
    tell(answer.json)
    return answer.count
  }

  /// Lines that say what the timeline covers, and which part of the filter empties it.
  func reasons(
    _ question: [JSONValue.Member], _ client: Client
  ) throws(Failure) -> [String] {
    // What is cited has as much as it has, whatever came since.
    let isCited = question.contains { $0.key == "at" }
    let whole = question.filter { $0.key == "at" }
    let status = isCited ? .null : try client.ask(.status)
    let events = isCited ? try count(whole, client) : status["events"]?.int ?? 0
    guard events > 0 else {
      return [
        isCited
          ? "nothing matched; the snapshot has no events"
          : "nothing matched; the timeline has no events: \(Again.timelinectl) import FILE, or add"
      ]
    }
    var lines = [
      "nothing matched; the \(isCited ? "snapshot" : "timeline") has \(Count.events(events))"
        + (status["first"]?.string.map { " from \($0) to \(status["last"]?.string ?? "")" } ?? "")
    ]
    let own = members.map(\.key)
    let others = question.filter { !own.contains($0.key) }
    for (key, part) in parts where parts.count > 1 || !others.isEmpty {
      let rest = members(without: key) + others
      lines.append(
        "  without \(part.shown.joined(separator: " ")): \(Count.events(try count(rest, client)))")
    }
    if !others.isEmpty, !isCited {
      lines.append("  without --known-at: \(Count.events(try count(members, client)))")
    }
    for text in texts {
      let words = text.split { " -".contains($0) }.map(String.init)
      guard words.count > 1 else { continue }
      let rest = members(without: "text") + others
      var counts: [String] = []
      for word in words {
        let found = try count(rest + [JSONValue.Member("text", .string(word))], client)
        counts.append("\"\(word)\" \(found)")
      }
      lines.append(
        "  \"\(text)\" is looked for as one phrase; each of its words alone:"
          + " \(counts.joined(separator: ", "))")
    }
    return lines
  }
}

/// Numbers with their noun.
enum Count {
  static func events(_ count: Int) -> String { of(count, "event") }
  static func days(_ count: Int) -> String { of(count, "day") }
  static func ago(_ days: Int) -> String { days == 0 ? "today" : "\(Self.days(days)) ago" }
  private static func of(_ count: Int, _ noun: String) -> String {
    count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
  }
}
