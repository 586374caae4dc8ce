// An event as people and spreadsheets read it.

import TimelineModel

enum EventText {
  static func kind(_ event: JSONValue) -> String {
    let type = event["type"]?.string ?? ""
    return event["subtype"]?.string.map { "\(type)/\($0)" } ?? type
  }

  static func parties(_ event: JSONValue) -> String {
    func codes(_ key: String) -> String {
      (event[key]?.array ?? []).compactMap(\.string).joined(separator: "+")
    }
    let targets = codes("targets")
    return codes("actors") + (targets.isEmpty ? "" : " → " + targets)
  }

  /// The event whole, field by field; lists of parts item by item, sources with their numbers.
  static func whole(_ event: JSONValue, _ terminal: Terminal) -> String {
    var text = terminal.bold(SafeText.line(event["title"]?.string ?? kind(event))) + "\n"
    func row(_ name: String, _ value: String?) {
      guard let value, !value.isEmpty else { return }
      text += terminal.field(name, value)
    }
    row("date", event["date"]?.string)
    row("type", kind(event))
    row("parties", parties(event))
    for kind in [EventField.Kind.text, .paragraphs] {
      for field in EventField.all where field.kind == kind {
        row(field.name, event[field.name]?.string)
      }
    }
    row("offer", event["offer"].map(value))
    for item in event["commitments"]?.array ?? [] { row("commitment", value(item)) }
    for link in event["links"]?.array ?? [] { row("link", EventLink.text(link)) }
    row("weight", event["weight"].map { value($0) + ": " + (event["weight_reason"]?.string ?? "") })
    row("tags", (event["tags"]?.array ?? []).compactMap(\.string).joined(separator: " "))
    row("confidence", event["confidence"]?.string)
    let sources = event["sources"]?.array ?? []
    for (index, source) in sources.enumerated() {
      row(
        sources.count == 1 ? "source" : "source \(index + 1)",
        (source.members ?? []).map {
          $0.key == "quote" ? "“\(value($0.value))”" : value($0.value)
        }.joined(separator: ", "))
    }
    if event["unsourced"]?.bool == true { row("source", "none") }
    row("id", event["id"]?.string)
    row("version", event["version"]?.string)
    row("recorded", event["recorded"]?.string.map { "\($0) by \(event["author"]?.string ?? "?")" })
    return text
  }

  /// A value as people read it: parts with their names, lists with commas.
  static func value(_ value: JSONValue) -> String {
    if let members = value.members {
      return members.map { "\($0.key): \(self.value($0.value))" }.joined(separator: " · ")
    }
    if let items = value.array { return items.map(self.value).joined(separator: ", ") }
    return value.string ?? value.text
  }
}

extension StringProtocol {
  var trimmed: String {
    String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
  }
}
