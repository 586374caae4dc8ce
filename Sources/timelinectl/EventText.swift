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

  /// A word that may be a readable name of an imported event is looked up by what it was made into.
  static func id(_ word: String) -> String {
    let isHex = word.allSatisfy { $0.isHexDigit || $0 == "-" }
    return isHex ? word.lowercased() : EventID(importedName: word).description
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
    row("place", event["place"]?.string)
    row("summary", event["summary"]?.string)
    row("offer", event["offer"].map(value))
    for item in event["commitments"]?.array ?? [] { row("commitment", value(item)) }
    for link in event["links"]?.array ?? [] { row("link", EventLink.text(link)) }
    row("weight", event["weight"].map { value($0) + ": " + (event["weight_reason"]?.string ?? "") })
    row("tags", (event["tags"]?.array ?? []).compactMap(\.string).joined(separator: " "))
    row("confidence", event["confidence"]?.string)
    let sources = event["sources"]?.array ?? []
    for (place, source) in sources.enumerated() {
      row(
        sources.count == 1 ? "source" : "source \(place + 1)",
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

/// The table that `log --csv` writes and `import` reads.
enum EventCSV {
  static let columns = [
    "id", "date", "type", "subtype", "actors", "targets", "title", "summary", "place",
    "source_title", "source_publisher", "source_date", "source_url", "unsourced", "confidence",
    "tags",
  ]
  private static let lists: Set<String> = ["actors", "targets", "tags"]

  static func text(_ events: [JSONValue]) -> String {
    let rows = events.map { event in
      columns.map { column in
        if column.hasPrefix("source_") {
          return event["sources"]?.array?.first?[String(column.dropFirst(7))]?.string ?? ""
        }
        if lists.contains(column) {
          return (event[column]?.array ?? []).compactMap(\.string).joined(separator: ";")
        }
        return event[column]?.string ?? (event[column]?.bool == true ? "true" : "")
      }
    }
    return ([columns] + rows).map { $0.map(field).joined(separator: ",") + "\r\n" }.joined()
  }

  private static func field(_ text: String) -> String {
    text.contains { ",\"\r\n".contains($0) || $0.isNewline }
      ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
  }

  /// The event of a row.
  static func event(_ row: CSVTable.Row) -> JSONValue {
    var members: [JSONValue.Member] = []
    var source: [JSONValue.Member] = []
    for column in columns {
      let value = row[column]
      guard !value.isEmpty else { continue }
      if column.hasPrefix("source_") {
        source.append(JSONValue.Member(String(column.dropFirst(7)), .string(value)))
      } else if lists.contains(column) {
        let words = value.split(separator: ";").map { $0.trimmed }
        members.append(JSONValue.Member(column, .strings(words)))
      } else if column == "unsourced" {
        members.append(JSONValue.Member(column, .bool(value == "true")))
      } else {
        members.append(JSONValue.Member(column, .string(value)))
      }
    }
    if !source.isEmpty {
      members.append(JSONValue.Member("sources", .array([.object(source)])))
    }
    return .object(members)
  }
}

extension StringProtocol {
  var trimmed: String {
    String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
  }
}
