import Foundation
import Testing

@testable import TimelineModel

/// The codes that stand in index files. A new type adds a line; a line that changes is a mistake.
private let codes: [(UInt8, String)] = [
  (0, "message"), (1, "statement"), (2, "talks"), (3, "agreement"), (4, "step"), (5, "exercise"),
  (6, "test"), (7, "deployment"), (8, "sanction"), (9, "aid"), (10, "exchange"), (11, "incident"),
  (12, "release"), (13, "report"), (14, "log.correct"), (15, "log.retract"), (16, "log.same"),
  (17, "log.apart"), (18, "log.erase"), (19, "log.member"), (20, "log.member-end"),
  (21, "log.snapshot"), (22, "log.import"), (23, "log.rules"), (24, "log.actor"),
  (25, "log.timeline"), (26, "log.replica"),
]

private func refusal(_ members: [String: String]) -> EventError? {
  let text = "{" + members.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
  return Array(text.utf8).withUnsafeBufferPointer { bytes in
    let reader = BodyReader(Vocabulary())
    do {
      try reader.parse(bytes)
      _ = try reader.validate(bytes, registry: .shipped, isStored: false)
      return nil
    } catch { return error as? EventError ?? EventError("?", "\(error)") }
  }
}

private func event(_ type: EventType = .test) -> [String: String] {
  [
    "type": "\"\(type.word)\"", "date": "\"2017-11-29\"", "actors": "[\"PRK\"]", "title": "\"t\"",
    "unsourced": "true",
  ]
}

private func event(carrying member: BodyMember) -> [String: String] {
  event(EventType.ofEvents.first { $0.mayCarry(member) } ?? .test)
}

/// The first cells of a table of the reference, as lists of what stands between backticks, with the row.
private func table(_ head: String) throws -> [(names: [String], row: String)] {
  let path = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../docs/reference/event-format.md").standardizedFileURL
  let lines = try String(contentsOf: path, encoding: .utf8).split(
    separator: "\n", omittingEmptySubsequences: false)
  let start = try #require(lines.firstIndex { $0.hasPrefix(head) })
  return lines[(start + 2)...].prefix { $0.hasPrefix("|") }.map { line in
    let cell = line.dropFirst().prefix { $0 != "|" }
    let names = cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
      .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    return (names, String(line))
  }
}

@Suite("The schema of events")
struct EventSchemaTests {
  @Test("codes are what index files have, words are once, and every code is one bit of a word")
  func stableCodes() {
    #expect(
      EventType.allCases.map { "\($0.rawValue) \($0.word)" }.sorted()
        == codes.map { "\($0.0) \($0.1)" }.sorted())
    #expect(Set(EventType.allCases.map(\.word)).count == EventType.allCases.count)
    #expect(EventType.allCases.allSatisfy { $0.rawValue < EventType.codesMax })
    for type in EventType.allCases {
      #expect(EventType(word: type.word) == type)
      #expect(type.isEvent == !type.word.hasPrefix("log."))
      #expect(!type.row.help.isEmpty)
    }
  }

  @Test("names are once, and every member is found by its own")
  func names() {
    #expect(Set(BodyMember.allCases.map(\.name)).count == BodyMember.allCases.count)
    for member in BodyMember.allCases {
      let found = Array(member.name.utf8).withUnsafeBufferPointer { BodyMember($0) }
      #expect(found == member, "\(member)")
    }
    #expect(
      BodyMember.allCases.filter(\.isReserved).map(\.name).sorted()
        == (Array(BodyMember.answered) + [BodyMember.bodySHA256.name]).sorted())
  }

  @Test("every field is checked: what it cannot be is refused by its name")
  func checked() {
    for field in EventField.all {
      var members = event(carrying: field.member)
      members[field.name] = "[{}]"
      let error = refusal(members)
      #expect(
        error?.field.hasPrefix(field.name) == true, "\(field.name): \(error?.text ?? "accepted")")
    }
  }

  @Test("what is required is missed, and nothing else is")
  func required() {
    for field in EventField.all {
      var members = event(carrying: field.member)
      members[field.name] = nil
      let error = field.member == .unsourced ? nil : refusal(members)
      #expect(error?.field == (field.isRequired ? field.name : nil))
      #expect(error?.hint == (field.isRequired ? .missing : nil))
    }
  }

  @Test("every part is checked, and the required ones are missed")
  func parts() {
    let whole: [(BodyMember, [EventPart], [String: String])] = [
      (.sources, EventPart.source, ["title": "\"t\""]),
      (.offer, EventPart.offer, ["then": "[\"x\"]", "condition": "\"none\""]),
      (.commitments, EventPart.commitment, ["key": "\"k\"", "by": "[\"PRK\"]", "what": "\"w\""]),
    ]
    for (member, parts, example) in whole {
      func refusal(_ part: EventPart, _ value: String?) -> EventError? {
        var object = example
        object[part.name] = value
        let text = "{" + object.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
        var members = event(carrying: member)
        members[member.name] = member == .offer ? text : "[\(text)]"
        return TimelineModelTests.refusal(members)
      }
      let field = member == .offer ? member.name : "\(member.name)[0]"
      for part in parts {
        #expect(refusal(part, "[{}]")?.field == "\(field).\(part.name)")
        if part.isRequired { #expect(refusal(part, nil)?.field == "\(field).\(part.name)") }
        if member != .sources, !part.isRequired { #expect(refusal(part, nil) == nil) }
      }
    }
  }

  @Test("what only some types may carry, the others may not")
  func carried() {
    for type in EventType.ofEvents {
      for (member, value) in [
        (BodyMember.offer, #"{"then":["x"],"condition":"none"}"#), (.commitments, "[]"),
      ] {
        var members = event(type)
        members[member.name] = value
        #expect((refusal(members) == nil) == type.mayCarry(member), "\(type.word) \(member)")
      }
    }
    #expect(EventType.carriers(of: .offer) == "a message, statement or talks")
    #expect(EventType.carriers(of: .commitments) == "an agreement")
  }

  @Test("a member that nobody knows is no error")
  func unknown() {
    var members = event()
    members["venue"] = #"{"x":[1,2]}"#
    #expect(refusal(members) == nil)
  }

  @Test("the columns of tables are these, in this order")
  func columns() {
    #expect(
      EventColumn.all.map(\.name).joined(separator: ",")
        == "id,date,type,subtype,actors,targets,title,summary,place,source_title,source_publisher,"
        + "source_date,source_url,source_doi,source_quote,further_sources,unsourced,confidence,tags,"
        + "offer,commitments,links,weight,weight_reason,author,ref,contested,more")
    #expect(
      EventColumn.all.filter(\.isRequired).map(\.name) == ["date", "type", "actors", "title"])
  }

  @Test("a new body is written in this order")
  func order() {
    #expect(
      BodyMember.ofEvents.map(\.name).joined(separator: " ")
        == "type subtype date actors targets title summary place sources unsourced confidence offer"
        + " commitments links tags weight weight_reason")
  }

  @Test("a filter understands the key that a field names")
  func filters() throws {
    let keys = BodyMember.allCases.compactMap(\.row.filter)
    #expect(Set(keys).union([.party, .text]) == Set(FilterKey.allCases))
    for key in FilterKey.allCases {
      let value =
        switch key {
        case .date: "2017"
        case .type: "test"
        case .actor, .target, .party: "PRK"
        case .subtype, .tag, .author, .id, .text: "a"
        }
      #expect(try !Filter("\(key.rawValue)=\(value)").isEmpty)
    }
  }

  // MARK: The reference says the same

  @Test("F-6: its table of types is the schema's")
  func typesOfReference() throws {
    let rows = try table("| type | what it is |")
    #expect(
      rows.map(\.row)
        == EventType.ofEvents.map { type in
          let carries = type.row.carries.map { "`\($0.name)`" }.joined(separator: ", ")
          return "| `\(type.word)` | \(type.row.help) | \(carries) |"
        })
  }

  @Test("F-6: its table of fields has those of the schema, in the order of a body")
  func fieldsOfReference() throws {
    #expect(try table("| field |").flatMap(\.names) == BodyMember.ofEvents.map(\.name))
  }

  @Test("F-6: parts stand next to their field")
  func partsOfReference() throws {
    let rows = try table("| field |")
    for (member, parts) in [
      (BodyMember.sources, EventPart.source), (.offer, EventPart.offer),
      (.commitments, EventPart.commitment),
    ] {
      let row = try #require(rows.first { $0.names.contains(member.name) }).row
      let object = row[row.firstIndex(of: "{")!...row.firstIndex(of: "}")!]
      let words = object.split { !$0.isLetter }.map(String.init)
      let named = words.filter { word in parts.contains { $0.name == word } }
      #expect(named == parts.map(\.name), "\(member)")
    }
  }

  @Test("F-6: its table of columns is the schema's")
  func columnsOfReference() throws {
    #expect(
      try table("| column |").flatMap(\.names).sorted() == EventColumn.all.map(\.name).sorted())
  }

  @Test("F-7: names every record, and no other")
  func recordsOfReference() throws {
    let path = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../docs/reference/event-format.md").standardizedFileURL
    let text = try String(contentsOf: path, encoding: .utf8)
    let section = text.split(separator: "## F-7")[1].split(separator: "\n## ")[0]
    let named = section.matches(of: /log\.[a-z-]+/).map { String($0.output) }
    #expect(Set(named) == Set(EventType.allCases.map(\.word).filter { $0.hasPrefix("log.") }))
  }
}
